/**
 * Pool accounts as GUMS uses them: answers from memory who has which account, and has one given by the server that owns the identity,
 * asked at its own address. Why this gives no account two owners and no identity two accounts is argued in pool-ledger.ts.
 *
 * Before an account is given, the other servers in reach are asked whether they know one of this identity (300 ms at most): so an owner
 * that was away and is not quite caught up gives no second one. An owner that goes away costs those who are asking it less than a second,
 * then one caller a second; everybody else goes on at the next server at once. Before a new assignment is answered, another server in
 * reach gets a moment (300 ms) to have it too: then the loss of one disk loses nothing that was answered. If none is in reach, or
 * replication takes longer, the answer goes out all the same: it is on disk where it was given.
 */
import { type Cursor, type RecordedEvent, RecordsError } from "./event.ts";
import { Follower, type FollowerOptions } from "./follower.ts";
import { type PoolEntry, PoolLedger } from "./pool-ledger.ts";
import { CANDIDATES, type PoolAnswer, type PoolOrder, type PoolRecords } from "./pool-order.ts";
import { identityOwner, Parts } from "./pool-parts.ts";

/** A server that gives accounts: its guest, and its records at its own address. Its place in the list is its position in the ring. */
export interface PoolServer {
  readonly guest: string;
  readonly records: PoolRecords;
}

export interface PoolLimits {
  /** Orders at work at once; more wait for their turn. */
  readonly atWork: number;
  /** Orders that wait; more are refused. */
  readonly waiting: number;
  /** Milliseconds for which a server that failed is left alone by all but one caller. */
  readonly away: number;
  /** Milliseconds the other servers have to say what they know of an identity before it is given an account. */
  readonly look: number;
  /** Milliseconds for which another server is waited for to have a new assignment too. */
  readonly second: number;
  /** Milliseconds between two such questions. */
  readonly ask: number;
}

const LIMITS: PoolLimits = { atWork: 16, waiting: 1024, away: 1000, look: 300, second: 300, ask: 10 };

export interface PoolsOptions extends Omit<FollowerOptions, "stream"> {
  /** In the order of their positions; one for a site whose database is one (SQLite, Galera), none for a site without. */
  readonly servers: readonly PoolServer[];
  readonly limits?: Partial<PoolLimits>;
}

export interface Given {
  readonly account: string;
  /** True when the owner of the identity was away: should it have given another account meanwhile, one of the two will lose. */
  readonly provisional: boolean;
  /** Guest that answered; `null` when it was known already. */
  readonly by: string | null;
}

/** Every account of the pool was given to somebody. */
export class PoolExhausted extends Error {
  override readonly name = "PoolExhausted";
  readonly pool: string;
  constructor(pool: string, accounts: number) {
    super(`pool ${pool} has no account left: all of its ${accounts} were given`);
    this.pool = pool;
  }
}

/** What came of asking one server. */
type Outcome =
  | { readonly kind: "answer"; readonly answer: PoolAnswer }
  | { readonly kind: "away"; readonly error: RecordsError };

export class Pools {
  readonly #options: PoolsOptions;
  readonly #limits: PoolLimits;
  readonly #follower: Follower<PoolLedger>;
  readonly #ledger = new PoolLedger();
  readonly #parts: Parts;
  /** Server → what it said when it failed, and when the next caller may try it. */
  readonly #away = new Map<PoolServer, { until: number; error: RecordsError }>();
  /** Server → until when it is not asked beside others, because it was late. Orders go to it all the same. */
  readonly #late = new Map<PoolServer, number>();
  readonly #giving = new Map<string, Promise<Given>>();
  readonly #turns: (() => void)[] = [];
  #atWork = 0;

  constructor(options: PoolsOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    this.#parts = new Parts(options.servers.length);
    this.#follower = new Follower<PoolLedger>({ ...options, stream: "pool", fold: this.#ledger });
  }

  /** Begins to follow; the first outcome is awaited. */
  start(): Promise<void> {
    return this.#follower.start();
  }

  /** Asks the database now. Never throws: what went wrong is in {@link fault}. */
  poll(): Promise<void> {
    return this.#follower.poll();
  }

  /** Why the database is out of sight, or `null`. */
  get fault(): string | null {
    return this.#follower.fault;
  }

  /** @returns the account in force to the knowledge of this copy, from memory */
  pooled(pool: string, subject: string): string | undefined {
    return this.#ledger.account(pool, subject);
  }

  /** Every account of a pool that was ever given, to the knowledge of this copy. */
  list(pool: string): readonly PoolEntry[] {
    return this.#ledger.list(pool);
  }

  /** Accounts that two identities were given: empty unless a disk was lost that alone knew of one of them. */
  conflicts(): readonly string[] {
    return this.#ledger.conflicts();
  }

  cursor(): Cursor {
    return this.#follower.cursor();
  }

  /**
   * The account of an identity; one is given when it has none. An account that stands in several pools is given once, in one of them.
   * @param accounts of the pool, in the order in which they are given; pass the same array each time, for it is divided once
   * @param actor who asked, for the record
   * @throws {PoolExhausted} when every account of the pool was given
   * @throws {RecordsError} when no server that has accounts left can be asked, or too many ask at once
   */
  give(pool: string, subject: string, accounts: readonly string[], actor = ""): Promise<Given> {
    const known = this.pooled(pool, subject);
    if (known !== undefined) return Promise.resolve({ account: known, provisional: false, by: null });
    const key = JSON.stringify([pool, subject]);
    let giving = this.#giving.get(key);
    if (giving === undefined) {
      giving = this.#inTurn(() => this.#give(pool, subject, accounts, actor)).finally(() => this.#giving.delete(key));
      this.#giving.set(key, giving);
    }
    return giving;
  }

  /**
   * Takes an account from its identity. It is given to nobody again; the identity gets another one when it comes next. Recorded by the
   * account's own server, or while that is away by another: two records of one release say no more than one.
   * @returns the event; `null` when nobody is known to have this account
   * @throws {RecordsError}
   */
  async release(pool: string, account: string, actor: string, reason: string): Promise<RecordedEvent | null> {
    const given = this.#ledger.givenBy(account);
    if (given === undefined || given.fields.pool !== pool) return null;
    const subject = given.fields.subject ?? "";
    const order: PoolOrder = { action: "release", pool, subject, account, actor, reason };
    return this.#inTurn(async () => {
      const faults: RecordsError[] = [];
      for (const server of this.#inOrder(this.#parts.owner(account))) {
        const outcome = await this.#ask(server, order);
        if (outcome.kind === "answer") return outcome.answer.event;
        faults.push(outcome.error);
      }
      throw worst(faults);
    });
  }

  /** Shows these certificates from the next connection on. */
  renew(tls: { readonly ca: string; readonly cert: string; readonly key: string }): void {
    for (const { records } of this.#options.servers) records.renew(tls);
    this.#options.records.renew(tls);
  }

  async close(): Promise<void> {
    await Promise.all([this.#follower.close(), ...this.#options.servers.map(({ records }) => records.close())]);
  }

  async #give(pool: string, subject: string, accounts: readonly string[], actor: string): Promise<Given> {
    const { servers } = this.#options;
    const owner = servers.length === 0 ? 0 : identityOwner(pool, subject, servers.length);
    const faults: RecordsError[] = [];
    let accountsAway = false;
    let ownerAway = false;
    await this.#askOthers(this.#others(servers[owner]), async (other) => {
      this.#learn(await other.records.about(subject));
    });
    const known = this.pooled(pool, subject);
    if (known !== undefined) return { account: known, provisional: false, by: null };
    for (const server of this.#inOrder(owner)) {
      const found = await this.#giveAt(server, pool, subject, accounts, actor);
      if (found.kind === "away") {
        faults.push(found.error);
        ownerAway ||= server === servers[owner];
        accountsAway ||= this.#candidates(server, accounts, 1).length > 0;
      } else if (found.answer.event) {
        const { event } = found.answer;
        await this.#secondHolder(server, event);
        const account = this.pooled(pool, subject);
        if (account === undefined)
          throw new RecordsError(
            "away",
            `${server.guest} has not yet seen that account ${event.fields.account} was released: ask again`,
          );
        return { account, provisional: ownerAway, by: server.guest };
      }
    }
    if (accountsAway || servers.length === 0) throw worst(faults);
    throw new PoolExhausted(pool, accounts.length);
  }

  /** Asks one server, with as many candidates at a time as an order takes, until it gives or has none left. */
  async #giveAt(
    server: PoolServer,
    pool: string,
    subject: string,
    accounts: readonly string[],
    actor: string,
  ): Promise<Outcome> {
    for (;;) {
      const candidates = this.#candidates(server, accounts, CANDIDATES);
      const outcome = await this.#ask(server, { action: "assign", pool, subject, candidates, actor });
      if (outcome.kind === "away" || outcome.answer.event || candidates.length === 0) return outcome;
      // All were taken, and the answer says by whom. If that was no news, this copy has other events under the same numbers.
      if (this.#candidates(server, accounts, 1)[0] === candidates[0]) {
        const says = `${server.guest} has other events than this copy has seen of it: its data was set back and written to`;
        return { kind: "away", error: new RecordsError("refused", says) };
      }
    }
  }

  #candidates(server: PoolServer, accounts: readonly string[], limit: number): string[] {
    const position = this.#options.servers.indexOf(server);
    return this.#parts.next(accounts, position, (account) => this.#ledger.used(account), limit);
  }

  /** Asks one server unless it is known to be away, and learns what it says. */
  async #ask(server: PoolServer, order: PoolOrder): Promise<Outcome> {
    const away = this.#away.get(server);
    if (away && performance.now() < away.until) return { kind: "away", error: away.error };
    // One caller tries again; the others go on without it until that one is through.
    if (away) away.until = performance.now() + this.#limits.away;
    try {
      const seen = { counter: this.#ledger.counter, heads: this.#ledger.heads() };
      const answer = await server.records.order(order, seen);
      this.#away.delete(server);
      this.#learn(answer.event ? [...answer.known, answer.event] : answer.known);
      return { kind: "answer", answer };
    } catch (error) {
      if (!(error instanceof RecordsError)) throw error;
      this.#away.set(server, { until: performance.now() + this.#limits.away, error });
      return { kind: "away", error };
    }
  }

  #learn(events: readonly RecordedEvent[]): void {
    let learned = false;
    for (const event of events) learned = this.#ledger.learn(event) || learned;
    if (learned) this.#follower.changed();
  }

  /** Waits until another server in reach has the event too, or the time for that is over. */
  async #secondHolder(server: PoolServer, event: RecordedEvent): Promise<void> {
    const deadline = performance.now() + this.#limits.second;
    const asked = this.#others(server).map(async (other) => {
      while (performance.now() < deadline) {
        const there = await other.records.about(event.fields.subject ?? "");
        if (there.some(({ origin, seq }) => origin === event.origin && seq === event.seq)) return;
        await new Promise((resolve) => setTimeout(resolve, this.#limits.ask));
      }
      throw new Error("late");
    });
    // Whoever fails is found away by the next order; the answer does not depend on it.
    const any = Promise.any(asked).catch(() => {});
    if (asked.length > 0) await within(any, this.#limits.second);
  }

  /** Asks other servers beside each other. Who is late is not waited for, nor asked again for a while; nobody's failure counts. */
  async #askOthers(others: readonly PoolServer[], ask: (other: PoolServer) => Promise<void>): Promise<void> {
    const asked = others.map(async (other) => {
      const answered = await within(
        ask(other).then(
          () => true,
          () => false,
        ),
        this.#limits.look,
      );
      if (!answered) this.#late.set(other, performance.now() + this.#limits.away);
    });
    await Promise.all(asked);
  }

  /** The servers beside one, but for those that are away or were late. */
  #others(server: PoolServer | undefined): readonly PoolServer[] {
    const now = performance.now();
    return this.#options.servers.filter(
      (other) => other !== server && !this.#away.has(other) && now >= (this.#late.get(other) ?? 0),
    );
  }

  /** The servers, the owner first, then around the ring: all copies so ask in the same order. */
  #inOrder(owner: number): readonly PoolServer[] {
    const { servers } = this.#options;
    return [...servers.slice(owner), ...servers.slice(0, owner)];
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#atWork >= this.#limits.atWork) {
      if (this.#turns.length >= this.#limits.waiting)
        throw new RecordsError("away", `${this.#turns.length} orders for pool accounts already wait`);
      await new Promise<void>((resolve) => this.#turns.push(resolve));
    } else this.#atWork++;
    try {
      return await work();
    } finally {
      const next = this.#turns.shift();
      // The turn is handed on, so nobody who comes now overtakes who waits.
      if (next) next();
      else this.#atWork--;
    }
  }
}

/** @returns what comes within so many milliseconds; `undefined` when nothing does */
function within<Value>(work: Promise<Value>, milliseconds: number): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds, undefined);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What is said when several servers failed: that something may have been written comes first, then what a person must mend. */
const ORDER = ["unknown", "refused", "read-only", "away"] as const;

function worst(faults: readonly RecordsError[]): RecordsError {
  for (const code of ORDER) {
    const found = faults.find((fault) => fault.code === code);
    if (found) return found;
  }
  return new RecordsError("away", "this service has no database (its `needs` names none)");
}
