/**
 * Which identity has which account of a pool: a pure function of the set of events, so that copies with the same events say the same,
 * whatever order they came in.
 *
 * Why no account ever has two owners. Every account belongs to one position of the ring (pool-parts.ts), and only the server there gives
 * it, in a transaction that holds the lock of that server's head row and sees every event it has: so an account stands in at most one
 * assignment, ever. There is nothing to merge about an account. One that was given is never a candidate again, whether it is in force,
 * released by an operator or the loser of a merge: files on disk may still belong to whoever had it. Giving such an account again
 * ("recycling") was refused: it would need proof that no server and no copy still takes the old assignment for the one in force.
 *
 * Why no identity ends with two. Each identity belongs to one position too, and is asked there. While that server is away another one
 * gives, from its own accounts, so the two may not know of each other. The least assignment in the shared order (counter, origin, seq) is
 * in force; later ones lose. A release ends what is in force at that point of the order, and the next assignment after it begins anew; one
 * that lost before stays lost. A copy that has seen an assignment hands its counter to whoever gives next, so what an answer was based on
 * is never overtaken: an answer changes by a release, or by the merge of assignments that were made without knowledge of each other.
 *
 * Merges are made rare too: before a server gives, the others in reach are asked what they know of the identity, so one that has just
 * come back and is not quite caught up does not give a second account.
 *
 * What is left: a server that answered, was the only one to have the event, and whose disk is then lost for good takes the event along.
 * Copies that saw it keep it in their snapshots, answer by it and offer that account to nobody; copies that did not see it cannot. Should
 * an account so come to stand in two assignments, the lesser one counts, the other identity gets a new account, and
 * {@link PoolLedger.conflicts} says so.
 */
import { type Cursor, compareEvents, type Fold, type RecordedEvent, type SavedMerge } from "./event.ts";

/** An account as an operator sees it. */
export interface PoolEntry {
  readonly pool: string;
  readonly subject: string;
  readonly account: string;
  /** `lost`: two servers gave the identity an account, and this is not the one in force. */
  readonly state: "in force" | "released" | "lost";
  /** When it was given, by the clock of the server that gave it. */
  readonly at: string;
  /** Server that gave it: its origin. */
  readonly origin: number;
}

/** One text for pool and subject; no two pairs have the same. */
export function identityOf(pool: string, subject: string): string {
  return `${pool.length}:${pool}${subject}`;
}

function identityOfEvent({ fields }: RecordedEvent): string {
  return identityOf(fields.pool ?? "", fields.subject ?? "");
}

export class PoolLedger implements Fold {
  /** Events of each identity, in the shared order. */
  readonly #identities = new Map<string, RecordedEvent[]>();
  /** The least assignment of each account that was ever given. */
  readonly #accounts = new Map<string, RecordedEvent>();
  readonly #cursor = new Map<string, number>();
  /** Learned before what stands before them in their origin: not covered by the cursor, and in force all the same. */
  readonly #early = new Map<string, Set<number>>();
  #counter = 0;

  take(event: RecordedEvent): boolean {
    const origin = String(event.origin);
    const known = this.#cursor.get(origin) ?? 0;
    if (event.seq !== known + 1) return false;
    this.learn(event);
    return true;
  }

  /**
   * Takes an event that a server has answered with, also when others of its origin are still to come.
   * @returns true when it was new
   */
  learn(event: RecordedEvent): boolean {
    const origin = String(event.origin);
    const early = this.#early.get(origin) ?? new Set<number>();
    let covered = this.#cursor.get(origin) ?? 0;
    const isNew = event.seq > covered && !early.has(event.seq);
    if (isNew) {
      early.add(event.seq);
      this.#put(event);
    }
    while (early.delete(covered + 1)) covered++;
    if (covered > 0) this.#cursor.set(origin, covered);
    if (early.size > 0) this.#early.set(origin, early);
    else this.#early.delete(origin);
    return isNew;
  }

  /** @returns the assignment in force */
  current(pool: string, subject: string): RecordedEvent | undefined {
    return this.#inForce(identityOf(pool, subject));
  }

  /** @returns the account in force */
  account(pool: string, subject: string): string | undefined {
    return this.current(pool, subject)?.fields.account;
  }

  /** Was this account ever given to anybody? */
  used(account: string): boolean {
    return this.#accounts.has(account);
  }

  /** @returns the assignment by which an account was given */
  givenBy(account: string): RecordedEvent | undefined {
    return this.#accounts.get(account);
  }

  /** Is the release of this account recorded? */
  released(account: string): boolean {
    const given = this.#accounts.get(account);
    return given !== undefined && this.#endOf(given) !== undefined;
  }

  /** Every account of a pool that was ever given, in order of account. */
  list(pool: string): readonly PoolEntry[] {
    return [...this.#accounts.values()]
      .filter((event) => event.fields.pool === pool)
      .map((event) => ({
        pool,
        subject: event.fields.subject ?? "",
        account: event.fields.account ?? "",
        state: this.#stateOf(event),
        at: event.at,
        origin: event.origin,
      }))
      .sort((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : 0));
  }

  /** Accounts that stand in assignments of two identities: empty unless a disk took events along (see above). */
  conflicts(): readonly string[] {
    const found = new Set<string>();
    for (const events of this.#identities.values())
      for (const event of events)
        if (event.fields.action === "assign" && !this.#isFirst(event)) found.add(event.fields.account ?? "");
    return [...found].sort();
  }

  /** Highest seq seen of each origin, also of events that came early. */
  heads(): Cursor {
    const heads = this.cursor() as Record<string, number>;
    for (const [origin, early] of this.#early) heads[origin] = Math.max(heads[origin] ?? 0, ...early);
    return heads;
  }

  get counter(): number {
    return this.#counter;
  }

  cursor(): Cursor {
    return Object.fromEntries(this.#cursor);
  }

  save(): SavedMerge {
    const events = [...this.#identities.values()].flat().sort(compareEvents);
    return { cursor: this.cursor(), counter: this.#counter, events };
  }

  restore(saved: SavedMerge): void {
    for (const event of saved.events) this.#put(event);
    for (const [origin, seq] of Object.entries(saved.cursor)) this.#cursor.set(origin, seq);
    for (const { origin, seq } of saved.events)
      if (seq > (saved.cursor[String(origin)] ?? 0))
        this.#early.set(String(origin), (this.#early.get(String(origin)) ?? new Set()).add(seq));
    this.#counter = saved.counter;
  }

  #put(event: RecordedEvent): void {
    this.#counter = Math.max(this.#counter, event.counter);
    const identity = identityOfEvent(event);
    const events = this.#identities.get(identity);
    if (events === undefined) this.#identities.set(identity, [event]);
    else events.splice(firstAfter(events, event), 0, event);
    if (event.fields.action !== "assign") return;
    const account = event.fields.account ?? "";
    const given = this.#accounts.get(account);
    if (given === undefined || compareEvents(event, given) < 0) this.#accounts.set(account, event);
  }

  /** Was its account not given to another identity before? */
  #isFirst(event: RecordedEvent): boolean {
    return identityOfEvent(this.#accounts.get(event.fields.account ?? "")!) === identityOfEvent(event);
  }

  #inForce(identity: string): RecordedEvent | undefined {
    let current: RecordedEvent | undefined;
    for (const event of this.#identities.get(identity) ?? []) {
      if (event.fields.action === "assign") {
        if (current === undefined && this.#isFirst(event)) current = event;
      } else if (event.fields.action === "release" && event.fields.account === current?.fields.account)
        current = undefined;
    }
    return current;
  }

  #endOf(given: RecordedEvent): RecordedEvent | undefined {
    return this.#identities
      .get(identityOfEvent(given))
      ?.find(({ fields }) => fields.action === "release" && fields.account === given.fields.account);
  }

  #stateOf(given: RecordedEvent): PoolEntry["state"] {
    if (this.#inForce(identityOfEvent(given)) === given) return "in force";
    return this.#endOf(given) === undefined ? "lost" : "released";
  }
}

function firstAfter(events: readonly RecordedEvent[], event: RecordedEvent): number {
  const index = events.findIndex((other) => compareEvents(other, event) > 0);
  return index < 0 ? events.length : index;
}
