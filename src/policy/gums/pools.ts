/** The accounts of pools: ranges such as `nova0001-0500`, unfolded and checked against everything else that names an account. */
import type { Path, Reading } from "../reading.ts";
import { ACCOUNT_PATTERN } from "../reading.ts";
import type { GumsPolicy, PoolMapper } from "./model.ts";

/** Pool accounts of a whole policy: more than any site has users. */
export const MOST_POOL_ACCOUNTS = 100_000;

/**
 * A range keeps the width of its numbers: `nova008-012` is `nova008` to `nova012`. A text is a range when its end is as wide as the digits
 * before the hyphen; anything else is one account.
 * @returns the accounts one entry stands for, or `null` when it is neither an account nor a range that goes upwards
 */
export function expandAccounts(entry: string): readonly string[] | null {
  const range = /^([a-z_][a-z0-9_-]*?)([0-9]+)-([0-9]+)$/.exec(entry);
  if (range === null || range[2]!.length !== range[3]!.length) return ACCOUNT_PATTERN.test(entry) ? [entry] : null;
  const [, prefix, from, to] = range as unknown as [string, string, string, string];
  const count = Number(to) - Number(from) + 1;
  if (!(count >= 1 && count <= MOST_POOL_ACCOUNTS) || prefix.length + from.length > 32) return null;
  return Array.from({ length: count }, (_, index) => prefix + String(Number(from) + index).padStart(from.length, "0"));
}

/** @returns every account of a pool in order, entries that are none left out */
export function accountsOf(pool: Pick<PoolMapper, "accounts">): readonly string[] {
  return pool.accounts.flatMap((entry) => expandAccounts(entry) ?? []);
}

/**
 * An account belongs to one pool and to nobody by name: otherwise one person could be given what another already has.
 * @param at where each mapper stands
 */
export function checkPools(policy: GumsPolicy, at: (mapper: number) => Path, reading: Reading): void {
  const named = new Map<string, string>();
  for (const mapper of policy.accountMappers) {
    if (mapper.kind === "group") named.set(mapper.account, mapper.name);
    if (mapper.kind === "manual") for (const { account } of mapper.entries) named.set(account, mapper.name);
  }
  const pools = new Map<string, string>();
  const owner = new Map<string, string>();
  let total = 0;
  policy.accountMappers.forEach((mapper, index) => {
    if (mapper.kind !== "pool") return;
    const path: Path = [...at(index), "accounts"];
    const text = JSON.stringify(mapper.accounts);
    const known = pools.get(mapper.pool);
    if (known !== undefined) {
      if (known !== text) reading.say(path, `the pool ${mapper.pool} has other accounts in another mapper`);
      return;
    }
    pools.set(mapper.pool, text);
    mapper.accounts.forEach((entry, position) => {
      const accounts = expandAccounts(entry) ?? [];
      const before = total;
      total += accounts.length;
      if (total > MOST_POOL_ACCOUNTS) {
        if (before <= MOST_POOL_ACCOUNTS)
          reading.say([...path, position], `expected at most ${MOST_POOL_ACCOUNTS} pool accounts in all`);
        return;
      }
      for (const account of accounts) {
        const says = owner.has(account)
          ? `${account} is already an account of pool ${owner.get(account)}`
          : named.has(account)
            ? `${account} is already the account of ${named.get(account)}`
            : null;
        owner.set(account, mapper.pool);
        // One sentence an entry: the rest of a range that overlaps is the same mistake.
        if (says !== null) {
          reading.say([...path, position], says);
          break;
        }
      }
    });
  });
}
