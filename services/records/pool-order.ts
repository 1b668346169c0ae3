/**
 * What a server is asked about pool accounts, and how it decides: one pure rule that runs inside the transaction of MariaDB and of SQLite
 * alike, over the events that the server has about this identity and these accounts.
 */
import type { Fields, RecordedEvent } from "./event.ts";
import { PoolLedger } from "./pool-ledger.ts";

export type PoolOrder =
  | {
      readonly action: "assign";
      readonly pool: string;
      readonly subject: string;
      /** Accounts of this server's part, best first; none of them free to the knowledge of who asks is left out. May be empty. */
      readonly candidates: readonly string[];
      readonly actor: string;
    }
  | {
      readonly action: "release";
      readonly pool: string;
      readonly subject: string;
      readonly account: string;
      readonly actor: string;
      readonly reason: string;
    };

export interface PoolAnswer {
  /** What was recorded or was there already; `null` when all candidates are taken. */
  readonly event: RecordedEvent | null;
  /** True when it was recorded by this call. */
  readonly fresh: boolean;
  /** What the server knows about the identity and the candidates: whoever asks learns it. */
  readonly known: readonly RecordedEvent[];
}

/** How many candidates go with one order: a pool of 100,000 accounts costs no more than a small one. */
export const CANDIDATES = 64;

export type Verdict =
  | { readonly kind: "there"; readonly event: RecordedEvent }
  | { readonly kind: "write"; readonly fields: Fields }
  | { readonly kind: "taken" };

/** What speaks for identities, and what for accounts: the rows a server must look up before it judges. */
export function concerns(order: PoolOrder): { readonly subject: string; readonly accounts: readonly string[] } {
  return { subject: order.subject, accounts: order.action === "assign" ? order.candidates : [order.account] };
}

/**
 * Decides one order. Pure.
 * @param events what the server has about the identity and the accounts; more does no harm, and order does not matter
 */
export function judge(order: PoolOrder, events: readonly RecordedEvent[]): Verdict {
  const ledger = new PoolLedger();
  for (const event of events) ledger.learn(event);
  const { pool, subject, actor } = order;
  if (order.action === "release") {
    const { account, reason } = order;
    const before = events.find(
      ({ fields }) =>
        fields.action === "release" && fields.account === account && fields.pool === pool && fields.subject === subject,
    );
    return before
      ? { kind: "there", event: before }
      : { kind: "write", fields: { pool, action: "release", subject, account, reason, actor } };
  }
  const current = ledger.current(pool, subject);
  if (current) return { kind: "there", event: current };
  const account = order.candidates.find((candidate) => !ledger.used(candidate));
  return account === undefined
    ? { kind: "taken" }
    : { kind: "write", fields: { pool, action: "assign", subject, account, reason: "", actor } };
}

/** The repository's side of it. */
export interface PoolRecords {
  /**
   * Carries out one order in one transaction.
   * @param after the highest counter the caller has seen
   * @throws {RecordsError}
   */
  order(order: PoolOrder, after: number): Promise<PoolAnswer>;
  /**
   * Has this server that event of the pool stream?
   * @throws {RecordsError}
   */
  holds(origin: number, seq: number): Promise<boolean>;
  renew(tls: { readonly ca: string; readonly cert: string; readonly key: string }): void;
  close(): Promise<void>;
}
