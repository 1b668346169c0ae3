/**
 * Permit or deny. A ban of anything the caller is (the person, also behind a proxy; the VO; a group or role; the authority) denies;
 * then, where the default is deny, something must permit; each answer names its reason. Pure; every question is a few look-ups.
 */
import { type Fqan, formatFqan, voOf, withProxyParents } from "../../src/grid/index.ts";
import { SAZ_KINDS, type SazKind, type SazPolicy } from "../../src/recipes/index.ts";

export interface SazQuestion {
  /** Normal form. */
  readonly subject: string;
  readonly vo: string | null;
  readonly fqans: readonly Fqan[];
  /** The authority's name in normal form. */
  readonly ca: string | null;
}

export interface SazDecision {
  readonly decision: "Permit" | "Deny";
  readonly reason: string;
}

export function keyOf(kind: string, value: string): string {
  return `${kind} ${value}`;
}

/** The FQAN itself, its group, and each group above: a rule without a role speaks of all below it. */
function fqanValues(fqan: Fqan): readonly string[] {
  const parts = fqan.group.slice(1).split("/");
  const groups = parts.map((_, index) => `/${parts.slice(0, parts.length - index).join("/")}`);
  return fqan.role === null ? groups : [formatFqan(fqan), ...groups];
}

/** Everything a ban or a permit could name the caller by. */
function valuesOf(question: SazQuestion): Readonly<Record<SazKind, readonly string[]>> {
  const vos = new Set(question.fqans.map(voOf));
  if (question.vo !== null) vos.add(question.vo);
  return {
    dn: withProxyParents(question.subject),
    vo: [...vos],
    role: question.fqans.flatMap(fqanValues),
    ca: question.ca === null ? [] : [question.ca],
  };
}

/**
 * @param banned looks a ban up by {@link keyOf}; gives its reason, or `undefined`
 */
export function compileSaz(
  policy: SazPolicy,
  banned: (key: string) => string | undefined,
): (question: SazQuestion) => SazDecision {
  const permitted = new Set(policy.permit.map(({ kind, value }) => keyOf(kind, value)));
  return (question) => {
    const values = valuesOf(question);
    for (const kind of SAZ_KINDS)
      for (const value of values[kind]) {
        const reason = banned(keyOf(kind, value));
        if (reason !== undefined)
          return { decision: "Deny", reason: `${kind} ${value} is banned${reason === "" ? "" : `: ${reason}`}` };
      }
    if (policy.default === "permit")
      return { decision: "Permit", reason: "nothing speaks against it (default permit)" };
    for (const kind of SAZ_KINDS)
      for (const value of kind === "dn" ? [question.subject] : values[kind])
        if (permitted.has(keyOf(kind, value)))
          return { decision: "Permit", reason: `${kind} ${value} is permitted by the site file` };
    return { decision: "Deny", reason: "nothing permits it (default deny)" };
  };
}
