/** The decision with its reasons: which host rule, which group had the caller or why not, which mapper gave what or why nothing. */
import { hostNames, patternMatches } from "./host.ts";
import { judge, judgeBanned, ownAccount } from "./membership.ts";
import {
  type AccountMapper,
  type GumsPolicy,
  type GumsState,
  identityOf,
  type Mapping,
  type MappingQuestion,
  type Rule,
} from "./model.ts";

/** One thing that was looked at. */
export interface ExplainedStep {
  readonly looked: "banned group" | "host rule" | "user group" | "account mapper";
  /** Of a host rule its patterns; else the name. */
  readonly name: string;
  /** The mapping in which it was looked at. */
  readonly mapping: string | null;
  readonly holds: boolean;
  readonly says: string;
}

export interface Explanation {
  readonly mapping: Mapping;
  readonly steps: readonly ExplainedStep[];
  /** The end in one sentence. */
  readonly says: string;
}

const NOTHING: Rule = { host: null, mapping: null, userGroup: null, accountMapper: null };

type Given = { readonly account: string; readonly group: string | null } | { readonly pool: string } | null;

function ask(
  mapper: AccountMapper,
  state: GumsState,
  identity: string,
  exhausted: ReadonlySet<string>,
): { readonly given: Given; readonly says: string } {
  switch (mapper.kind) {
    case "group":
      return {
        given: { account: mapper.account, group: mapper.group },
        says: `gives everybody the account ${mapper.account}`,
      };
    case "manual": {
      const own = ownAccount(mapper, state, identity);
      if (own === null) return { given: null, says: "has no account for the caller" };
      return {
        given: { account: own.account, group: own.group },
        says: `gives the account ${own.account} (${own.from})`,
      };
    }
    case "pool": {
      const account = state.pooled(mapper.pool, identity);
      if (account !== undefined)
        return {
          given: { account, group: mapper.group },
          says: `gives the account ${account}, which the caller has from pool ${mapper.pool}`,
        };
      if (exhausted.has(mapper.pool)) return { given: null, says: `pool ${mapper.pool} has no account left` };
      return { given: { pool: mapper.pool }, says: `would give out an account of pool ${mapper.pool}` };
    }
  }
}

function endSays(mapping: Mapping): string {
  switch (mapping.outcome) {
    case "account":
      return `account ${mapping.account}${mapping.group === null ? "" : `, group ${mapping.group}`}`;
    case "needs-pool":
      return `an account of pool ${mapping.pool}, given out at the first real call`;
    case "banned":
      return `banned with group ${mapping.rule.userGroup}`;
    case "none":
      return mapping.rule.host === null ? "no account: no host rule speaks of this host" : "no account here";
  }
}

/**
 * @returns the same mapping as `compileGums(policy, state)(question, exhausted)`, with everything that was looked at on the way
 */
export function explainGums(
  policy: GumsPolicy,
  state: GumsState,
  question: MappingQuestion,
  exhausted: ReadonlySet<string> = new Set(),
): Explanation {
  const steps: ExplainedStep[] = [];
  const end = (mapping: Mapping): Explanation => ({ mapping, steps, says: endSays(mapping) });
  const identity = identityOf(question);
  if (identity === null)
    return {
      ...end({ outcome: "none", rule: NOTHING }),
      says: "no account: the caller's name is neither a certificate's nor of a token with an https issuer",
    };
  const group = (name: string) => policy.userGroups.find((one) => one.name === name);

  for (const name of policy.banned) {
    const banned = group(name);
    if (banned === undefined) continue;
    const { holds, says } = judgeBanned(policy, state, banned, question);
    steps.push({ looked: "banned group", name, mapping: null, holds, says });
    if (holds) return end({ outcome: "banned", rule: { ...NOTHING, userGroup: name } });
  }

  const names = hostNames(question.host);
  const host = policy.hosts.find((rule) => {
    const pattern = rule.match.find((one) => patternMatches(one, names));
    steps.push({
      looked: "host rule",
      name: rule.match.join(", "),
      mapping: null,
      holds: pattern !== undefined,
      says: pattern === undefined ? `none of its patterns is ${question.host}` : `${pattern} is ${question.host}`,
    });
    return pattern !== undefined;
  });
  if (host === undefined) return end({ outcome: "none", rule: NOTHING });

  const hostName = host.match.join(", ");
  for (const name of host.mappings) {
    const mapping = policy.mappings.find((one) => one.name === name);
    for (const userGroup of mapping?.userGroups ?? []) {
      const looked = group(userGroup);
      if (looked === undefined) continue;
      const { holds, says } = judge(policy, state, looked, question);
      steps.push({ looked: "user group", name: userGroup, mapping: name, holds, says });
      if (!holds) continue;
      for (const accountMapper of mapping!.accountMappers) {
        const mapper = policy.accountMappers.find((one) => one.name === accountMapper);
        if (mapper === undefined) continue;
        const asked = ask(mapper, state, identity, exhausted);
        steps.push({
          looked: "account mapper",
          name: accountMapper,
          mapping: name,
          holds: asked.given !== null,
          says: asked.says,
        });
        if (asked.given === null) continue;
        const rule: Rule = { host: hostName, mapping: name, userGroup, accountMapper };
        return end(
          "pool" in asked.given
            ? { outcome: "needs-pool", pool: asked.given.pool, rule }
            : { outcome: "account", ...asked.given, rule },
        );
      }
    }
  }
  return end({ outcome: "none", rule: { ...NOTHING, host: hostName } });
}
