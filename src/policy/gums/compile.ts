/**
 * The policy made fast: who is which account on which host, in about a microsecond among hundreds of groups. Everything a caller shows (FQAN,
 * name, token) is looked up once in tables that give the places of the groups that may hold him, in the order of the policy; only these
 * are looked at, and the first that gives an account decides. `explain.ts` is the same rule with its reasons.
 */
import { withProxyParents } from "../../grid/index.ts";
import { type Asked, GroupTable } from "./group-table.ts";
import { compileHosts } from "./host.ts";
import {
  type AccountMapper,
  type GumsPolicy,
  type GumsState,
  identityOf,
  type Mapping,
  type MappingQuestion,
  type Rule,
} from "./model.ts";

/**
 * @param exhausted pools that have no account left: their mappers give none, and the next is tried
 */
export type Decide = (question: MappingQuestion, exhausted?: ReadonlySet<string>) => Mapping;

type Gives = (
  identity: string,
  exhausted: ReadonlySet<string>,
) => { readonly account: string; readonly group: string | null } | { readonly pool: string } | null;

interface CompiledMapper {
  readonly name: string;
  readonly gives: Gives;
}

function compileMapper(mapper: AccountMapper, state: GumsState): Gives {
  switch (mapper.kind) {
    case "group": {
      const given = { account: mapper.account, group: mapper.group };
      return () => given;
    }
    case "manual": {
      const people = new Map<string, { readonly account: string; readonly group: string | null }>();
      for (const { subject, account, group } of mapper.entries)
        if (!people.has(subject)) people.set(subject, { account, group: group ?? mapper.group });
      return (identity) => {
        const recorded = state.account(mapper.name, identity);
        return recorded
          ? { account: recorded.account, group: recorded.group ?? mapper.group }
          : (people.get(identity) ?? null);
      };
    }
    case "pool": {
      const wanted = { pool: mapper.pool };
      return (identity, exhausted) => {
        const account = state.pooled(mapper.pool, identity);
        if (account !== undefined) return { account, group: mapper.group };
        return exhausted.has(mapper.pool) ? null : wanted;
      };
    }
  }
}

/** What stands at one place of a host rule: a mapping and one of its groups. */
interface Place {
  readonly mapping: string;
  readonly userGroup: string;
  readonly mappers: readonly CompiledMapper[];
}

const NOTHING: Rule = { host: null, mapping: null, userGroup: null, accountMapper: null };
const NO_POOL: ReadonlySet<string> = new Set();

/**
 * @param policy read or imported; names that nothing has are left out
 * @param state looked at with each question, so that it may change meanwhile
 * @returns the decision as a function
 */
export function compileGums(policy: GumsPolicy, state: GumsState): Decide {
  const groups = new Map(policy.userGroups.map((one) => [one.name, one]));
  const mappers = new Map<string, CompiledMapper>(
    policy.accountMappers.map((one) => [one.name, { name: one.name, gives: compileMapper(one, state) }]),
  );
  const manual = new Set(policy.accountMappers.filter((one) => one.kind === "manual").map((one) => one.name));
  const mappings = new Map(policy.mappings.map((one) => [one.name, one]));
  const table = (names: readonly string[]): GroupTable =>
    new GroupTable(
      names.map((name) => groups.get(name)!),
      state,
      (mapper, identity) => manual.has(mapper) && mappers.get(mapper)!.gives(identity, NO_POOL) !== null,
    );

  const bannedNames = policy.banned.filter((name) => groups.has(name));
  const banned = table(bannedNames);
  const findHost = compileHosts(policy.hosts);
  const rules = policy.hosts.map((host) => {
    const places: Place[] = host.mappings.flatMap((name) => {
      const mapping = mappings.get(name);
      if (mapping === undefined) return [];
      const own = mapping.accountMappers.flatMap((one) => mappers.get(one) ?? []);
      return mapping.userGroups
        .filter((one) => groups.has(one))
        .map((userGroup) => ({ mapping: name, userGroup, mappers: own }));
    });
    return { host: host.match.join(", "), places, table: table(places.map((one) => one.userGroup)) };
  });

  const bannedWith = (asked: Asked): number => {
    if (bannedNames.length === 0) return -1;
    const names = asked.token === null ? withProxyParents(asked.identity) : [asked.identity];
    return banned.firstBanned(asked, names);
  };

  return (question, exhausted = NO_POOL) => {
    const identity = identityOf(question);
    if (identity === null) return { outcome: "none", rule: NOTHING };
    const asked: Asked = { ...question, identity };
    const ban = bannedWith(asked);
    if (ban >= 0) return { outcome: "banned", rule: { ...NOTHING, userGroup: bannedNames[ban]! } };
    const rule = rules[findHost(question.host)];
    if (rule === undefined) return { outcome: "none", rule: NOTHING };
    const found = rule.table.search(asked, (at): Mapping | null => {
      const { mapping, userGroup, mappers: own } = rule.places[at]!;
      for (const mapper of own) {
        const given = mapper.gives(identity, exhausted);
        if (given === null) continue;
        const decided: Rule = { host: rule.host, mapping, userGroup, accountMapper: mapper.name };
        return "pool" in given
          ? { outcome: "needs-pool", pool: given.pool, rule: decided }
          : { outcome: "account", account: given.account, group: given.group, rule: decided };
      }
      return null;
    });
    return found ?? { outcome: "none", rule: { ...NOTHING, host: rule.host } };
  };
}
