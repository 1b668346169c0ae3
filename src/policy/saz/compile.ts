/**
 * Permit or deny. A ban of anything the caller is (the person, also behind a proxy; the token's holder; the VO; a group or role; the authority
 * or issuer; a scope) denies; so does the site file; then a permit by name; then the rule for those without an organization; then the default. Each answer names its
 * reason. Every question is a few look-ups by text.
 */
import { formatFqan, NameRefused, Names, parseFqan, voOf, withProxyParents } from "../../grid/index.ts";
import type { SazDecision, SazKind, SazPolicy, SazQuestion } from "./model.ts";

/** @returns the text by which bans and permits are looked up */
export function sazKey(kind: string, value: string): string {
  return `${kind} ${value}`;
}

/** One thing a ban or a permit could name the caller by. */
interface Named {
  readonly kind: SazKind;
  readonly value: string;
  readonly key: string;
}

const namedBy =
  (kind: SazKind) =>
  (value: string): Named => ({ kind, value, key: sazKey(kind, value) });

/** An FQAN makes its holder one of its VO, and of itself, its group, and each group above: a rule without a role speaks of all below it. */
function attributesOf(text: string): { readonly vo: Named; readonly roles: readonly Named[] } {
  const fqan = parseFqan(text);
  const parts = fqan.group.slice(1).split("/");
  const groups = parts.map((_, index) => `/${parts.slice(0, parts.length - index).join("/")}`);
  const values = fqan.role === null ? groups : [formatFqan(fqan), ...groups];
  return { vo: vos.get(voOf(fqan)), roles: values.map(namedBy("role")) };
}

/** Worked out once for each name and each FQAN: the same ones come all day. */
const people = new Names((subject) => withProxyParents(subject).map(namedBy("dn")));
const vos = new Names(namedBy("vo"));
const authorities = new Names(namedBy("ca"));
const attributes = new Names(attributesOf);
const holders = new Names(namedBy("token"));
const issuers = new Names(namedBy("issuer"));
const scopes = new Names(namedBy("scope"));

/** Everything a ban or a permit could name the caller by, in the order of the documents: person, VO, role, authority. */
function namesOf(question: SazQuestion): readonly Named[] {
  const { token } = question;
  const names =
    token === null ? people.get(question.subject).slice() : [holders.get(`${token.issuer} ${question.subject}`)];
  if (question.vo !== null) names.push(vos.get(question.vo));
  for (const fqan of question.fqans) names.push(attributes.get(fqan).vo);
  for (const fqan of question.fqans) names.push(...attributes.get(fqan).roles);
  if (question.ca !== null) names.push(authorities.get(question.ca));
  if (question.above !== undefined) for (const name of question.above) names.push(authorities.get(name));
  if (token === null) return names;
  names.push(issuers.get(token.issuer));
  for (const scope of token.scopes) names.push(scopes.get(`${token.issuer} ${scope}`));
  return names;
}

/**
 * Groups of a token that are groups as VOMS has them (`wlcg.groups` are: `/fermilab/nova`), in short normal form. Others are the issuer's own
 * words, by which nothing here is compared.
 */
export function sazGroups(groups: readonly string[]): readonly string[] {
  return groups.flatMap((group) => {
    try {
      return [formatFqan(parseFqan(group))];
    } catch (error) {
      if (error instanceof NameRefused) return [];
      throw error;
    }
  });
}

/** What is looked at, by what the caller has. */
const LOOKED: Readonly<Record<"certificate" | "token", readonly SazKind[]>> = {
  certificate: ["dn", "vo", "role", "ca"],
  token: ["token", "vo", "role", "issuer", "scope"],
};

const BY_DEFAULT: Readonly<Record<SazPolicy["default"], SazDecision>> = {
  permit: { decision: "Permit", reason: "nothing speaks against it (default permit)" },
  deny: { decision: "Deny", reason: "nothing permits it (default deny)" },
};
const WITHOUT_VO: SazDecision = {
  decision: "Deny",
  reason: "the caller comes without an organization, and the site file denies that",
};

/**
 * @param banned looks a recorded ban up by {@link sazKey}; gives its reason, or `undefined`
 */
export function compileSaz(
  policy: SazPolicy,
  banned: (key: string) => string | undefined,
): (question: SazQuestion) => SazDecision {
  const permitted = new Set(policy.permit.map(({ kind, value }) => sazKey(kind, value)));
  const denied = new Set(policy.deny.map(({ kind, value }) => sazKey(kind, value)));
  return (question) => {
    const names = namesOf(question);
    for (const { key } of names) {
      const reason = banned(key);
      if (reason !== undefined)
        return { decision: "Deny", reason: `${key} is banned${reason === "" ? "" : `: ${reason}`}` };
      if (denied.has(key)) return { decision: "Deny", reason: `${key} is denied by the site file` };
    }
    if (permitted.size > 0)
      for (const { kind, value, key } of names) {
        // A permit speaks of the person alone: a proxy of his is not he.
        if (kind === "dn" && value !== question.subject) continue;
        // Anybody can say that he is in a group.
        if (!question.believed && (kind === "vo" || kind === "role")) continue;
        if (permitted.has(key)) return { decision: "Permit", reason: `${key} is permitted by the site file` };
      }
    if (policy.withoutVo === "deny" && !(question.believed && (question.vo !== null || question.fqans.length > 0)))
      return WITHOUT_VO;
    return BY_DEFAULT[policy.default];
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
  const names = namesOf(question);
  const about = (key: string): string => {
    const has = (list: SazPolicy["permit"]) => list.some(({ kind, value }) => sazKey(kind, value) === key);
    const reason = banned(key);
    if (reason !== undefined) return `banned${reason === "" ? "" : `: ${reason}`}`;
    if (has(policy.deny)) return "denied by the site file";
    if (has(policy.permit)) return "permitted by the site file";
    return "nothing is known of it";
  };
  const steps = LOOKED[question.token === null ? "certificate" : "token"].flatMap((kind) => {
    const own = names.filter((one) => one.kind === kind);
    return own.length === 0
      ? [{ looked: kind, says: "not given" }]
      : own.map(({ key }) => ({ looked: key, says: about(key) }));
  });
  return {
    decision: compileSaz(policy, banned)(question),
    steps: [
      ...steps,
      ...(question.believed
        ? []
        : [
            {
              looked: "whose word counts",
              says: "not of who asks: VO, groups and roles can only speak against the caller",
            },
          ]),
      {
        looked: "without an organization",
        says: policy.withoutVo === "deny" ? "denied unless permitted by name" : "judged like anybody",
      },
      { looked: "default", says: policy.default },
    ],
  };
}
