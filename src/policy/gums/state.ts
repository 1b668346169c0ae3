/** The database's knowledge as lists, for what goes through all of it: files, reports. Look-ups are made from the lists. */
import type { GumsState } from "./model.ts";

export interface ListedState {
  readonly memberships: readonly { readonly group: string; readonly subject: string; readonly fqan: string | null }[];
  readonly accounts: readonly {
    readonly mapper: string;
    readonly subject: string;
    readonly account: string;
    readonly group: string | null;
  }[];
  readonly pooled: readonly { readonly pool: string; readonly subject: string; readonly account: string }[];
}

export const EMPTY_STATE: ListedState = { memberships: [], accounts: [], pooled: [] };

/** Tables in tables: no text of two names put together could be taken for another. */
class Pairs<Value> {
  private readonly tables = new Map<string, Map<string, Value>>();
  get(first: string, second: string): Value | undefined {
    return this.tables.get(first)?.get(second);
  }
  set(first: string, second: string, value: Value): void {
    const table = this.tables.get(first) ?? new Map<string, Value>();
    this.tables.set(first, table.set(second, value));
  }
}

/** @returns the look-ups a decision needs; of two records for the same person the last counts */
export function stateOf(listed: ListedState): GumsState {
  const memberships = new Pairs<(string | null)[]>();
  const groups = new Map<string, string[]>();
  for (const { group, subject, fqan } of listed.memberships) {
    const known = memberships.get(group, subject);
    if (known) known.push(fqan);
    else {
      memberships.set(group, subject, [fqan]);
      groups.set(subject, [...(groups.get(subject) ?? []), group]);
    }
  }
  const accounts = new Pairs<{ readonly account: string; readonly group: string | null }>();
  for (const { mapper, subject, account, group } of listed.accounts) accounts.set(mapper, subject, { account, group });
  const pooled = new Pairs<string>();
  for (const { pool, subject, account } of listed.pooled) pooled.set(pool, subject, account);
  const none: readonly string[] = [];
  return {
    memberships: (group, subject) => memberships.get(group, subject) ?? [],
    account: (mapper, subject) => accounts.get(mapper, subject),
    pooled: (pool, subject) => pooled.get(pool, subject),
    groupsOf: (subject) => groups.get(subject) ?? none,
  };
}
