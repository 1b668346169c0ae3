/**
 * What a server is asked about pool accounts, and how it decides: one pure rule that runs inside the transaction of MariaDB and of SQLite
 * alike, over the events that the server has about this identity and these accounts.
 */
import { type Cursor, type Fields, type RecordedEvent, RecordsError } from "./event.ts";
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

/** What a copy knows when it asks. */
export interface PoolKnowledge {
  /** Highest counter it has seen. */
  readonly counter: number;
  /** Highest seq it has seen of each origin. */
  readonly heads: Cursor;
}

/**
 * A server whose data was set back (an old copy of its disk) does not know what it gave, and would give it again.
 * @param seq the one it would use next
 * @throws {RecordsError} `refused` when who asks has seen that one already
 */
export function refuseIfSetBack(origin: number, seq: number, heads: Cursor): void {
  const seen = heads[String(origin)] ?? 0;
  if (seen >= seq)
    throw new RecordsError(
      "refused",
      `the database's data was set back: its own event ${seen} was seen, and it has ${seq - 1}; it gives no accounts`,
    );
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
   * @param seen what the caller knows: the event comes after it, and a server that lacks events of its own gives nothing
   * @throws {RecordsError}
   */
  order(order: PoolOrder, seen: PoolKnowledge): Promise<PoolAnswer>;
  /**
   * @returns what this server has about an identity, perhaps also about others
   * @throws {RecordsError}
   */
  about(subject: string): Promise<readonly RecordedEvent[]>;
  renew(tls: { readonly ca: string; readonly cert: string; readonly key: string }): void;
  close(): Promise<void>;
}
