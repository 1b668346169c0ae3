/**
 * Permit or deny. A ban of anything the caller is (the person, also behind a proxy; the VO; a group or role; the authority) denies; so
 * does the site file; then a permit by name; then the rule for those without an organization; then the default. Each answer names its
 * reason. Every question is a few look-ups by text.
 */
import { formatFqan, parseFqan, voOf, withProxyParents } from "../../grid/index.ts";
import { SAZ_KINDS, type SazDecision, type SazKind, type SazPolicy, type SazQuestion } from "./model.ts";

/** @returns the text by which bans and permits are looked up */
export function sazKey(kind: string, value: string): string {
  return `${kind} ${value}`;
}

/** What an FQAN makes its holder: itself, its group, and each group above, because a rule without a role speaks of all below it. */
interface Expanded {
  readonly vo: string;
  readonly values: readonly string[];
}

function expand(text: string): Expanded {
  const fqan = parseFqan(text);
  const parts = fqan.group.slice(1).split("/");
  const groups = parts.map((_, index) => `/${parts.slice(0, parts.length - index).join("/")}`);
  return { vo: voOf(fqan), values: fqan.role === null ? groups : [formatFqan(fqan), ...groups] };
}

/** FQANs whose expansion is remembered; a site knows some hundred. */
const REMEMBERED = 4096;

/** Everything a ban or a permit could name the caller by. */
function namesOf(
  question: SazQuestion,
  expansion: (fqan: string) => Expanded,
): Readonly<Record<SazKind, readonly string[]>> {
  const expanded = question.fqans.map(expansion);
  const vos = expanded.map((one) => one.vo);
  return {
    dn: withProxyParents(question.subject),
    vo: question.vo === null ? vos : [question.vo, ...vos],
    role: expanded.flatMap((one) => one.values),
    ca: question.ca === null ? [] : [question.ca],
  };
}

/**
 * @param banned looks a recorded ban up by {@link sazKey}; gives its reason, or `undefined`
 */
export function compileSaz(
  policy: SazPolicy,
  banned: (key: string) => string | undefined,
): (question: SazQuestion) => SazDecision {
  const permitted = new Set(policy.permit.map(({ kind, value }) => sazKey(kind, value)));
  const denied = new Set(policy.deny.map(({ kind, value }) => sazKey(kind, value)));
  const remembered = new Map<string, Expanded>();
  const expansion = (fqan: string): Expanded => {
    let known = remembered.get(fqan);
    if (known === undefined) {
      if (remembered.size >= REMEMBERED) remembered.clear();
      known = expand(fqan);
      remembered.set(fqan, known);
    }
    return known;
  };
  return (question) => {
    const names = namesOf(question, expansion);
    for (const kind of SAZ_KINDS)
      for (const value of names[kind]) {
        const key = sazKey(kind, value);
        const reason = banned(key);
        if (reason !== undefined)
          return { decision: "Deny", reason: `${key} is banned${reason === "" ? "" : `: ${reason}`}` };
        if (denied.has(key)) return { decision: "Deny", reason: `${key} is denied by the site file` };
      }
    if (permitted.size > 0)
      for (const kind of SAZ_KINDS)
        for (const value of kind === "dn" ? [question.subject] : names[kind]) {
          const key = sazKey(kind, value);
          if (permitted.has(key)) return { decision: "Permit", reason: `${key} is permitted by the site file` };
        }
    if (policy.withoutVo === "deny" && names.vo.length === 0)
      return { decision: "Deny", reason: "the caller comes without an organization, and the site file denies that" };
    return policy.default === "permit"
      ? { decision: "Permit", reason: "nothing speaks against it (default permit)" }
      : { decision: "Deny", reason: "nothing permits it (default deny)" };
  };
}

export interface SazStep {
  /** `dn /DC=org/CN=Alice`, or the rule that was looked at. */
  readonly looked: string;
  readonly says: string;
}

/**
 * The same decision, with everything that was looked at.
 * @param banned as of {@link compileSaz}
 */
export function explainSaz(
  policy: SazPolicy,
  banned: (key: string) => string | undefined,
  question: SazQuestion,
): { readonly decision: SazDecision; readonly steps: readonly SazStep[] } {
  const names = namesOf(question, expand);
  const about = (key: string): string => {
    const has = (list: SazPolicy["permit"]) => list.some(({ kind, value }) => sazKey(kind, value) === key);
    const reason = banned(key);
    if (reason !== undefined) return `banned${reason === "" ? "" : `: ${reason}`}`;
    if (has(policy.deny)) return "denied by the site file";
    if (has(policy.permit)) return "permitted by the site file";
    return "nothing is known of it";
  };
  const steps = SAZ_KINDS.flatMap((kind) =>
    names[kind].length === 0
      ? [{ looked: kind, says: "not given" }]
      : names[kind].map((value) => ({ looked: sazKey(kind, value), says: about(sazKey(kind, value)) })),
  );
  return {
    decision: compileSaz(policy, banned)(question),
    steps: [
      ...steps,
      {
        looked: "without an organization",
        says: policy.withoutVo === "deny" ? "denied unless permitted by name" : "judged like anybody",
      },
      { looked: "default", says: policy.default },
    ],
  };
}
