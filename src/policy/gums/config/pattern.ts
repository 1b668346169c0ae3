/** Host patterns of `gums.config`: there they went into a regular expression, so that some of its marks worked. The usual ones are carried. */
import { readPattern } from "../read-parts.ts";

export interface ImportedPattern {
  readonly patterns: readonly string[];
  /** What is to be said of it; `null` is nothing. */
  readonly says: string | null;
  readonly consequence: string;
  readonly loud: boolean;
}

const none = (says: string): ImportedPattern => ({
  patterns: [],
  says,
  consequence: "the pattern is left out: hosts that met it meet the next rule, or none",
  loud: false,
});

/**
 * `*` is any text without `.`, `/` and `=`, there as here; `/?` (a slash or none) becomes two patterns. Dots are dots: that the original
 * took them for any letter was a mistake and is not carried.
 * @param attribute `cn` is compared with the name in the host's certificate, `dn` with the whole
 */
export function importPattern(attribute: "cn" | "dn", written: string): ImportedPattern {
  const shown = `${attribute} "${written.slice(0, 80)}"`;
  if (written === "*")
    return {
      patterns: ["*"],
      says: `${shown} is every host here; the original's stood for names without a dot`,
      consequence: "more hosts may meet this rule than before",
      loud: true,
    };
  if (/[+()[\]{}|\\^$]/.test(written)) return none(`${shown} uses marks of regular expressions`);
  const optional = written.split("/?");
  if (optional.length > 2 || optional.some((part) => part.includes("?")))
    return none(`${shown} uses "?" other than once as "/?"`);
  const spelt = optional.length === 2 ? [optional.join(""), optional.join("/")] : [written];
  const patterns = spelt.flatMap((one) => readPattern(one) ?? []);
  if (patterns.length < spelt.length) return none(`${shown} is no pattern of a host's name`);
  if (patterns.some((one) => one.startsWith("/") !== (attribute === "dn")))
    return none(attribute === "dn" ? `${shown} does not begin with "/"` : `${shown} begins with "/"`);
  return { patterns: [...new Set(patterns)], says: null, consequence: "", loud: false };
}
