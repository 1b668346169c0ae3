/** When is a caller in a user group: the rule of each kind, one group at a time. `compile.ts` is the same rule for all groups at once. */
import { covers, type Fqan, parseFqan, voOf, withProxyParents } from "../../grid/index.ts";
import {
  type FqanMatch,
  type GumsPolicy,
  type GumsState,
  identityOf,
  type ManualMapper,
  type MappingQuestion,
  type Member,
  type TokenGroup,
  type UserGroup,
  type VomsGroup,
} from "./model.ts";

/** Whether, and why or why not, as a sentence about the caller. */
export interface Judged {
  readonly holds: boolean;
  readonly says: string;
}

type FqanRule = (group: Pick<VomsGroup, "group" | "role">, fqan: Fqan) => boolean;
const sameVo: FqanRule = ({ group }, fqan) => group !== null && voOf({ group, role: null }) === voOf(fqan);

/** What each way of comparing an FQAN means. Both halves of `vorole` must hold; a group ends at a `/`, never inside a word. */
export const FQAN_RULES: Readonly<Record<FqanMatch, FqanRule>> = {
  exact: ({ group, role }, fqan) => group === fqan.group && role === fqan.role,
  vorole: (rule, fqan) => sameVo(rule, fqan) && rule.role === fqan.role,
  role: ({ role }, fqan) => role === fqan.role,
  vogroup: ({ group }, fqan) => group !== null && covers({ group, role: null }, fqan),
  vo: sameVo,
  ignore: () => true,
};

/** Is one of these in the list, for calls with this FQAN? */
function inList(list: readonly Member[], subject: string, fqan: string | null): boolean {
  return list.some((one) => one.subject === subject && (one.fqan === null || one.fqan === fqan));
}

function listed(
  group: { readonly name: string; readonly members: readonly Member[] },
  state: GumsState,
  subject: string,
  fqan: string | null,
): boolean {
  return (
    inList(group.members, subject, fqan) ||
    state.memberships(group.name, subject).some((one) => one === null || one === fqan)
  );
}

function judgeToken(group: TokenGroup, { subject, token }: MappingQuestion): Judged {
  if (token === null) return { holds: false, says: "the caller has no token" };
  if (token.issuer !== group.issuer) return { holds: false, says: `the issuer ${token.issuer} is not ${group.issuer}` };
  if (group.subject !== null && group.subject !== subject)
    return { holds: false, says: `the subject ${subject} is not ${group.subject}` };
  if (group.scope !== null && !token.scopes.includes(group.scope))
    return { holds: false, says: `the token has no scope ${group.scope}` };
  const wanted = group.group;
  if (wanted !== null && !token.groups.some((one) => one === wanted || one.startsWith(`${wanted}/`)))
    return { holds: false, says: `no group of the token is in ${wanted}` };
  return { holds: true, says: `the token is one of ${group.issuer}` };
}

function judgeVoms(group: VomsGroup, state: GumsState, question: MappingQuestion, identity: string): Judged {
  const { fqan } = question;
  if (question.token !== null) return { holds: false, says: "a token has no FQAN" };
  if (fqan === null) {
    if (!group.withoutFqan) return { holds: false, says: "a caller without FQAN is not in it" };
    return listed(group, state, identity, null)
      ? { holds: true, says: "without FQAN, but in its list of members" }
      : { holds: false, says: "without FQAN, and not in its list of members" };
  }
  if (!FQAN_RULES[group.match](group, parseFqan(fqan)))
    return { holds: false, says: `${fqan} is not ${ruleText(group)}` };
  if (question.believed && group.match !== "ignore") return { holds: true, says: `${fqan} is ${ruleText(group)}` };
  const why = group.match === "ignore" ? "the FQAN does not count here" : `${fqan} is not believed`;
  return listed(group, state, identity, fqan)
    ? { holds: true, says: `${why}, but the caller is in its list of members` }
    : { holds: false, says: `${why}, and the caller is not in its list of members` };
}

const MATCH_WORDS: Readonly<Record<FqanMatch, (group: string, role: string) => string>> = {
  exact: (group, role) => `exactly ${group}${role}`,
  vorole: (group, role) => `of the VO of ${group} with the same role${role}`,
  role: (_group, role) => `of any group with the same role${role}`,
  vogroup: (group) => `${group} or below it`,
  vo: (group) => `of the VO of ${group}`,
  ignore: () => "any FQAN",
};

function ruleText({ match, group, role }: VomsGroup): string {
  return MATCH_WORDS[match](group ?? "no group", role === null ? "" : `/Role=${role}`);
}

/** @returns a person's own account in a manual mapper: the database's before the policy's */
export function ownAccount(
  mapper: ManualMapper,
  state: GumsState,
  identity: string,
): { readonly account: string; readonly group: string | null; readonly from: "database" | "policy" } | null {
  const recorded = state.account(mapper.name, identity);
  if (recorded) return { account: recorded.account, group: recorded.group ?? mapper.group, from: "database" };
  const entry = mapper.entries.find((one) => one.subject === identity);
  return entry ? { account: entry.account, group: entry.group ?? mapper.group, from: "policy" } : null;
}

function manualMapper(policy: GumsPolicy, name: string): ManualMapper | null {
  const mapper = policy.accountMappers.find((one) => one.name === name);
  return mapper?.kind === "manual" ? mapper : null;
}

/** @returns whether the caller is in a user group, and why */
export function judge(policy: GumsPolicy, state: GumsState, group: UserGroup, question: MappingQuestion): Judged {
  const identity = identityOf(question);
  if (identity === null) return { holds: false, says: "the caller's name can stand in no list" };
  switch (group.kind) {
    case "token":
      return judgeToken(group, question);
    case "voms":
      return judgeVoms(group, state, question, identity);
    case "manual":
      return listed(group, state, identity, question.fqan)
        ? { holds: true, says: "in its list" }
        : { holds: false, says: "not in its list" };
    case "mapped": {
      const mapper = manualMapper(policy, group.mapper);
      return mapper && ownAccount(mapper, state, identity)
        ? { holds: true, says: `has an account in ${group.mapper}` }
        : { holds: false, says: `has no account in ${group.mapper}` };
    }
  }
}

/**
 * Is the caller banned with this group? A ban holds more than a mapping: whoever is in the list is banned whatever FQAN he shows, or none,
 * unless the list itself names one; and the ban of a person is the ban of his proxies.
 */
export function judgeBanned(policy: GumsPolicy, state: GumsState, group: UserGroup, question: MappingQuestion): Judged {
  const identity = identityOf(question);
  if (identity === null) return { holds: false, says: "the caller's name can stand in no list" };
  for (const name of question.token === null ? withProxyParents(identity) : [identity]) {
    const found =
      group.kind === "voms" || group.kind === "manual"
        ? listed(group, state, name, question.fqan)
        : judge(policy, state, group, question.token === null ? { ...question, subject: name } : question).holds;
    if (found) return { holds: true, says: name === identity ? "in it" : `a proxy of ${name}, who is in it` };
  }
  if (group.kind === "voms" && question.believed) {
    const judged = judge(policy, state, group, question);
    if (judged.holds) return judged;
  }
  return { holds: false, says: "not in it" };
}
