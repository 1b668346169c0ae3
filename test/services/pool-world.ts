/**
 * A ring of servers and its copies of GUMS without clock, network or disk: the real `Pools` and the real rule of the transaction over
 * servers that lose power between commit and replication, are cut off, and lose their data. Everything that was answered is written down.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Cursor,
  type Fields,
  type RecordedEvent,
  type Records,
  RecordsError,
} from "../../services/records/event.ts";
import { PoolLedger } from "../../services/records/pool-ledger.ts";
import { judge, type PoolAnswer, type PoolOrder, type PoolRecords } from "../../services/records/pool-order.ts";
import { positionOf } from "../../services/records/pool-parts.ts";
import { PoolExhausted, Pools } from "../../services/records/pools.ts";

export class SimulatedServer {
  readonly position: number;
  origin: number;
  up = true;
  lives = 1;
  /** What happens to the next order after its commit. */
  cutAfterCommit = false;
  readonly events = new Map<string, RecordedEvent>();
  #judge: typeof judge;

  constructor(position: number, rule: typeof judge) {
    this.position = position;
    this.origin = 10 + position + 1;
    this.#judge = rule;
  }

  order(order: PoolOrder, after: number): PoolAnswer {
    const known = [...this.events.values()];
    const verdict = this.#judge(order, known);
    if (verdict.kind !== "write")
      return { event: verdict.kind === "there" ? verdict.event : null, fresh: false, known };
    const event = this.record(verdict.fields, after);
    if (this.cutAfterCommit) {
      this.cutAfterCommit = false;
      this.up = false;
      throw new RecordsError("unknown", "the power is cut after the commit");
    }
    return { event, fresh: true, known };
  }

  record(fields: Fields, after: number): RecordedEvent {
    const all = [...this.events.values()];
    const seq = 1 + all.filter(({ origin }) => origin === this.origin).length;
    const counter = 1 + Math.max(after, 0, ...all.map((one) => one.counter));
    const event = { origin: this.origin, seq, counter, at: "", fields };
    this.events.set(`${this.origin}:${seq}`, event);
    return event;
  }

  /** Gets at most so many events from another, each origin's in the order of its seq, as replication does. */
  fetch(from: SimulatedServer, most: number): void {
    const missing = [...from.events].filter(([key]) => !this.events.has(key)).sort(([, a], [, b]) => a.seq - b.seq);
    for (const [key, event] of missing.slice(0, most)) this.events.set(key, event);
  }
}

interface Copy {
  readonly pools: Pools;
  /** Positions it cannot reach. */
  readonly cut: Set<number>;
}

export class PoolWorld {
  readonly servers: readonly SimulatedServer[];
  readonly copies: Copy[] = [];
  /** Every account that a client was ever told, and for whom. */
  readonly owners = new Map<string, string>();
  /** Identity → accounts its clients were told, in order. */
  readonly told = new Map<string, string[]>();
  readonly #directory = mkdtempSync(join(tmpdir(), "domus-pools-"));

  constructor(servers: number, copies: number, rule: typeof judge = judge) {
    this.servers = Array.from({ length: servers }, (_, position) => new SimulatedServer(position, rule));
    for (let index = 0; index < copies; index++) this.#addCopy(index);
  }

  #addCopy(index: number): void {
    const cut = new Set<number>();
    const reach = (server: SimulatedServer): SimulatedServer => {
      if (!server.up || cut.has(server.position)) throw new RecordsError("away", `server ${server.position} is away`);
      return server;
    };
    const at = (server: SimulatedServer): PoolRecords => ({
      order: async (order, seen) => reach(server).order(order, seen.counter),
      about: async (subject) => [...reach(server).events.values()].filter(({ fields }) => fields.subject === subject),
      renew: () => {},
      close: async () => {},
    });
    const records: Records = {
      append: () => Promise.reject(new Error("not used")),
      since: async (_stream, cursor: Cursor) => {
        const writer = this.servers.find((server) => server.up && !cut.has(server.position));
        if (!writer) throw new RecordsError("away", "nobody is there");
        return [...writer.events.values()]
          .filter(({ origin, seq }) => seq > (cursor[String(origin)] ?? 0))
          .sort((a, b) => a.origin - b.origin || a.seq - b.seq);
      },
      renew: () => {},
      close: async () => {},
    };
    const pools = new Pools({
      servers: this.servers.map((server) => ({ guest: `m${server.position}`, records: at(server) })),
      records,
      file: join(this.#directory, `snapshot-${index}.json`),
      // No time passes here: who failed is tried again at once, and replication is a step of its own.
      limits: { away: 0, look: 0, second: 0 },
    });
    this.copies.push({ pools, cut });
  }

  /** Positions beyond the ring go around it, so that one history fits rings of any size. */
  at(position: number): SimulatedServer {
    return this.servers[position % this.servers.length]!;
  }

  /** A client asks one copy. Checks what must hold for every answer at any time. */
  async ask(copy: number, pool: string, subject: string, accounts: readonly string[]): Promise<string | null> {
    const { pools } = this.copies[copy]!;
    try {
      const { account } = await pools.give(pool, subject, accounts);
      assert.ok(accounts.includes(account), `${account} is not of pool ${pool}`);
      this.#answered(pool, subject, account);
      return account;
    } catch (error) {
      if (error instanceof RecordsError || error instanceof PoolExhausted) return null;
      throw error;
    }
  }

  #answered(pool: string, subject: string, account: string): void {
    const identity = JSON.stringify([pool, subject]);
    const owner = this.owners.get(account);
    assert.ok(owner === undefined || owner === identity, `${account} belonged to ${owner}, now to ${identity}`);
    this.owners.set(account, identity);
    const told = this.told.get(identity) ?? [];
    if (told.at(-1) !== account) told.push(account);
    this.told.set(identity, told);
  }

  /** Comes back, having what the others have before it takes writes. */
  restart(position: number): void {
    const server = this.at(position);
    for (const other of this.servers) if (other.up && other !== server) server.fetch(other, Number.POSITIVE_INFINITY);
    server.up = true;
  }

  /** The disk is lost: only what the others have is left of it, and a new life begins. @returns false where that would lose an answer */
  lose(position: number): boolean {
    const server = this.at(position);
    const others = this.servers.filter((other) => other !== server && other.up);
    if (![...server.events.keys()].every((key) => others.some((other) => other.events.has(key)))) return false;
    server.events.clear();
    server.origin = 10 * ++server.lives + server.position + 1;
    this.restart(position);
    return true;
  }

  /** All power and all lines are back, and everything has gone everywhere. */
  async settle(): Promise<void> {
    for (const server of this.servers) server.up = true;
    for (const to of this.servers)
      for (const from of this.servers) if (to !== from) to.fetch(from, Number.POSITIVE_INFINITY);
    for (const to of this.servers)
      for (const from of this.servers) if (to !== from) to.fetch(from, Number.POSITIVE_INFINITY);
    for (const { pools, cut } of this.copies) {
      cut.clear();
      await pools.poll();
      assert.equal(pools.fault, null);
    }
  }

  /** What must be so in the end. @returns how many accounts lost a merge, so that a test can see that it tested something */
  check(pools: readonly string[]): number {
    let lost = 0;
    const [first, ...others] = this.copies.map((copy) => copy.pools);
    const events = [...this.servers[0]!.events.values()];
    for (const pool of pools) {
      const list = first!.list(pool);
      for (const other of others) assert.deepEqual(other.list(pool), list, "copies with the same events differ");
      lost += list.filter(({ state }) => state === "lost").length;
      const inForce = list.filter(({ state }) => state === "in force");
      assert.equal(new Set(inForce.map(({ subject }) => subject)).size, inForce.length, "one identity, two accounts");
      for (const { account, subject } of list) {
        const owner = this.owners.get(account);
        assert.ok(owner === undefined || owner === JSON.stringify([pool, subject]), `${account} changed hands`);
        const { origin } = first!.list(pool).find((entry) => entry.account === account)!;
        assert.ok(positionOf(origin) >= 0);
      }
    }
    assert.deepEqual(first!.conflicts(), [], "an account stands in two assignments");
    const assigned = events.filter(({ fields }) => fields.action === "assign").map(({ fields }) => fields.account);
    assert.equal(new Set(assigned).size, assigned.length, "an account stands in two assignments");
    for (const [identity, told] of this.told) {
      const [pool, subject] = JSON.parse(identity) as [string, string];
      const mine = events.filter(({ fields }) => fields.pool === pool && fields.subject === subject);
      const assigns = mine.filter(({ fields }) => fields.action === "assign");
      for (const account of told)
        assert.ok(
          assigns.some(({ fields }) => fields.account === account),
          `${account} was answered and is lost`,
        );
      const releases = mine.length - assigns.length;
      if (releases === 0 && assigns.length === 1) assert.equal(told.length, 1, "an answer changed without a merge");
      const account = first!.pooled(pool, subject);
      if (releases === 0) assert.ok(account !== undefined, `${identity} has no account in the end`);
    }
    return lost;
  }

  async close(): Promise<void> {
    await Promise.all(this.copies.map(({ pools }) => pools.close()));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A fold that has learned these events, in this order. */
export function learned(events: readonly RecordedEvent[]): PoolLedger {
  const ledger = new PoolLedger();
  for (const event of events) ledger.learn(event);
  return ledger;
}
