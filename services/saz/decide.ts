/**
 * Permit or deny. A ban of anything the caller is (the person, also behind a proxy; the VO; a group or role; the authority) denies;
 * then, where the default is deny, something must permit; each answer names its reason. Pure; every question is a few look-ups.
 */
import { type Fqan, formatFqan, voOf, withProxyParents } from "../../src/grid/index.ts";
import type { SazKind, SazPolicy } from "../../src/recipes/index.ts";
import { Names } from "../deciding/names.ts";

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

/** One thing a ban or a permit could name the caller by. */
interface Named {
  readonly kind: SazKind;
  readonly value: string;
  readonly key: string;
}

const namedBy =
  (kind: SazKind) =>
  (value: string): Named => ({ kind, value, key: keyOf(kind, value) });

/** Worked out once for each name and each FQAN: the same ones come all day. */
const people = new Names((subject) => withProxyParents(subject).map(namedBy("dn")));
const vos = new Names(namedBy("vo"));
const authorities = new Names(namedBy("ca"));
const attributes = new WeakMap<Fqan, { readonly vo: Named; readonly roles: readonly Named[] }>();

function attributesOf(fqan: Fqan): { readonly vo: Named; readonly roles: readonly Named[] } {
  let known = attributes.get(fqan);
  if (known === undefined) {
    known = { vo: vos.get(voOf(fqan)), roles: fqanValues(fqan).map(namedBy("role")) };
    attributes.set(fqan, known);
  }
  return known;
}

/** Everything a ban or a permit could name the caller by, in the order of the documents: person, VO, role, authority. */
function namesOf(question: SazQuestion): readonly Named[] {
  const names = people.get(question.subject).slice();
  for (const fqan of question.fqans) names.push(attributesOf(fqan).vo);
  if (question.vo !== null) names.push(vos.get(question.vo));
  for (const fqan of question.fqans) names.push(...attributesOf(fqan).roles);
  if (question.ca !== null) names.push(authorities.get(question.ca));
  return names;
}

const PERMITTED: SazDecision = { decision: "Permit", reason: "nothing speaks against it (default permit)" };

/**
 * @param banned looks a ban up by {@link keyOf}; gives its reason, or `undefined`
 */
export function compileSaz(
  policy: SazPolicy,
  banned: (key: string) => string | undefined,
): (question: SazQuestion) => SazDecision {
  const permitted = new Set(policy.permit.map(({ kind, value }) => keyOf(kind, value)));
  return (question) => {
    const names = namesOf(question);
    for (const { kind, value, key } of names) {
      const reason = banned(key);
      if (reason !== undefined)
        return { decision: "Deny", reason: `${kind} ${value} is banned${reason === "" ? "" : `: ${reason}`}` };
    }
    if (policy.default === "permit") return PERMITTED;
    for (const { kind, value, key } of names) {
      // A permit speaks of the person alone: a proxy of his is not he.
      if (kind === "dn" && value !== question.subject) continue;
      if (permitted.has(key)) return { decision: "Permit", reason: `${kind} ${value} is permitted by the site file` };
    }
    return { decision: "Deny", reason: "nothing permits it (default deny)" };
  };
}
