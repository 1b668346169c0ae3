/** Parts that both spellings of a policy have: people with accounts, and rules for hosts. */
import { nameOrNull, normalDn } from "../../grid/index.ts";
import { isLine, type Path, type Reading } from "../reading.ts";
import type { HostRule, ManualMapper } from "./model.ts";

const PERSON = "{ subject, account, group }";

export function personEntry(reading: Reading, item: unknown, path: Path): ManualMapper["entries"][number] | null {
  const one = reading.record(item, path, ["subject", "account", "group"], PERSON);
  if (one === null) return null;
  const subject = reading.subject(one.subject, [...path, "subject"]);
  const account = reading.account(one.account, [...path, "account"]);
  const group = reading.unixGroup(one, path);
  return subject === null || account === null ? null : { subject, account, group };
}

/** @returns a host pattern with the types of a DN in their usual spelling, or `null` for what is none */
export function readPattern(value: unknown): string | null {
  if (!isLine(value, 1024)) return null;
  const pattern = value.replace(/\*+/g, "*");
  if (pattern.startsWith("/")) return nameOrNull(() => normalDn(pattern)) ?? pattern;
  return /^[^\s,=]+$/.test(pattern) ? pattern : null;
}

/**
 * @param known what `use` may name
 * @param what where those stand, for messages
 */
export function hostRules(
  reading: Reading,
  value: unknown,
  known: readonly string[],
  what: string,
): readonly HostRule[] {
  return reading.list(value, ["hosts"], "a list of { match, use }", (item, path): HostRule | null => {
    const one = reading.record(item, path, ["match", "use", "description"], "{ match, use }");
    if (one === null) return null;
    const several = Array.isArray(one.match);
    const patterns: readonly unknown[] = several ? (one.match as unknown[]) : [one.match];
    if (patterns.length === 0) reading.say([...path, "match"], "expected at least one pattern, found none");
    const match = patterns.flatMap((pattern, index) => {
      const read = readPattern(pattern);
      const at = several ? [...path, "match", index] : [...path, "match"];
      if (read === null) reading.expected(at, 'a pattern like "*.example.org", "*" or /DC=org/CN=*', pattern);
      return read ?? [];
    });
    const mappings = reading.references(one.use, [...path, "use"], what, known);
    return { match, description: reading.optionalLine(one, "description", path, "a text in one line"), mappings };
  });
}
