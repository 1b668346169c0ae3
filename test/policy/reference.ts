/**
 * What a mapping policy means, as slowly and plainly as it can be written: loops over lists, no tables, nothing shared with the house's own
 * engine but the types. The engine is compared with this.
 */
import type { GumsPolicy, GumsState, Mapping, MappingQuestion, UserGroup } from "../../src/policy/index.ts";

interface Parsed {
  readonly parts: readonly string[];
  readonly role: string | null;
}

function parse(fqan: string): Parsed {
  const parts = fqan.split("/").slice(1);
  const last = parts.at(-1)!;
  return last.startsWith("Role=") ? { parts: parts.slice(0, -1), role: last.slice(5) } : { parts, role: null };
}

const beginsWith = (parts: readonly string[], head: readonly string[]): boolean =>
  head.length <= parts.length && head.every((part, index) => parts[index] === part);

/** A pattern as a regular expression in which nothing but `*` is special. */
function hostMatches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  let source = "";
  for (const letter of pattern) source += letter === "*" ? "[^./=]*" : `\\u{${letter.codePointAt(0)!.toString(16)}}`;
  const expression = new RegExp(`^${source}$`, "iu");
  if (pattern.startsWith("/")) return host.startsWith("/") && expression.test(host);
  if (!host.startsWith("/")) return expression.test(host);
  const at = host.lastIndexOf("/CN=");
  const common = at < 0 ? "" : host.slice(at + 4);
  if (common === "" || common.includes("=")) return false;
  return expression.test(common) || (/^host\//i.test(common) && expression.test(common.slice(5)));
}

function identity(question: MappingQuestion): string {
  return question.token === null ? question.subject : `${question.token.issuer} ${question.subject}`;
}

function inLists(state: GumsState, group: UserGroup, who: string, fqan: string | null): boolean {
  if (group.kind !== "manual" && group.kind !== "voms") return false;
  for (const member of group.members)
    if (member.subject === who && (member.fqan === null || member.fqan === fqan)) return true;
  for (const recorded of state.memberships(group.name, who)) if (recorded === null || recorded === fqan) return true;
  return false;
}

function hasPeopleAccount(policy: GumsPolicy, state: GumsState, mapper: string, who: string): boolean {
  for (const one of policy.accountMappers)
    if (one.name === mapper && one.kind === "manual")
      return state.account(mapper, who) !== undefined || one.entries.some((entry) => entry.subject === who);
  return false;
}

function fqanFits(group: UserGroup, fqan: string): boolean {
  if (group.kind !== "voms") return false;
  const is = parse(fqan);
  const want = group.group === null ? null : group.group.split("/").slice(1);
  const sameVo = want !== null && want[0] === is.parts[0];
  const sameRole = group.role === is.role;
  switch (group.match) {
    case "exact":
      return want !== null && want.join("/") === is.parts.join("/") && sameRole;
    case "vorole":
      return sameVo && sameRole;
    case "role":
      return sameRole;
    case "vogroup":
      return want !== null && beginsWith(is.parts, want);
    case "vo":
      return sameVo;
    case "ignore":
      return true;
  }
}

function tokenFits(group: UserGroup, question: MappingQuestion): boolean {
  if (group.kind !== "token" || question.token === null) return false;
  if (question.token.issuer !== group.issuer) return false;
  if (group.subject !== null && group.subject !== question.subject) return false;
  if (group.scope !== null && !question.token.scopes.some((one) => one === group.scope)) return false;
  if (group.group === null) return true;
  const want = group.group.split("/");
  return question.token.groups.some((one) => beginsWith(one.split("/"), want));
}

function contains(policy: GumsPolicy, state: GumsState, group: UserGroup, question: MappingQuestion): boolean {
  const who = identity(question);
  if (group.kind === "token") return tokenFits(group, question);
  if (group.kind === "mapped") return hasPeopleAccount(policy, state, group.mapper, who);
  if (group.kind === "manual") return inLists(state, group, who, question.fqan);
  if (question.token !== null) return false;
  if (question.fqan === null) return group.withoutFqan && inLists(state, group, who, null);
  if (!fqanFits(group, question.fqan)) return false;
  if (question.believed && group.match !== "ignore") return true;
  return inLists(state, group, who, question.fqan);
}

function bans(policy: GumsPolicy, state: GumsState, group: UserGroup, question: MappingQuestion): boolean {
  if (group.kind === "token") return tokenFits(group, question);
  const names = [identity(question)];
  if (question.token === null)
    for (;;) {
      const parent = /^(.+)\/CN=(proxy|limited proxy|\d+)$/.exec(names.at(-1)!);
      if (parent === null) break;
      names.push(parent[1]!);
    }
  for (const name of names) {
    if (group.kind === "mapped" ? hasPeopleAccount(policy, state, group.mapper, name) : false) return true;
    if (inLists(state, group, name, question.fqan)) return true;
  }
  return question.believed && contains(policy, state, group, question);
}

/** @returns who the caller is, by the letter of the model */
export function referenceMapping(
  policy: GumsPolicy,
  state: GumsState,
  question: MappingQuestion,
  exhausted: ReadonlySet<string>,
): Mapping {
  const nothing = { host: null, mapping: null, userGroup: null, accountMapper: null };
  const who = identity(question);
  if (question.token === null ? !who.startsWith("/") : !/^https:\/\/\S+$/.test(question.token.issuer))
    return { outcome: "none", rule: nothing };
  for (const name of policy.banned)
    for (const group of policy.userGroups)
      if (group.name === name && bans(policy, state, group, question))
        return { outcome: "banned", rule: { ...nothing, userGroup: name } };
  for (const rule of policy.hosts) {
    if (!rule.match.some((pattern) => hostMatches(pattern, question.host))) continue;
    const host = rule.match.join(", ");
    for (const mappingName of rule.mappings) {
      const mapping = policy.mappings.find((one) => one.name === mappingName)!;
      for (const groupName of mapping.userGroups) {
        const group = policy.userGroups.find((one) => one.name === groupName)!;
        if (!contains(policy, state, group, question)) continue;
        for (const mapperName of mapping.accountMappers) {
          const mapper = policy.accountMappers.find((one) => one.name === mapperName)!;
          const decided = { host, mapping: mappingName, userGroup: groupName, accountMapper: mapperName };
          if (mapper.kind === "group")
            return { outcome: "account", account: mapper.account, group: mapper.group, rule: decided };
          if (mapper.kind === "manual") {
            const own = state.account(mapperName, who) ?? mapper.entries.find((entry) => entry.subject === who);
            if (own)
              return { outcome: "account", account: own.account, group: own.group ?? mapper.group, rule: decided };
          } else {
            const account = state.pooled(mapper.pool, who);
            if (account !== undefined) return { outcome: "account", account, group: mapper.group, rule: decided };
            if (!exhausted.has(mapper.pool)) return { outcome: "needs-pool", pool: mapper.pool, rule: decided };
          }
        }
      }
    }
    return { outcome: "none", rule: { ...nothing, host } };
  }
  return { outcome: "none", rule: nothing };
}
