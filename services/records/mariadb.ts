/**
 * Records in MariaDB, over mutual TLS: through the database's alias, or for pool accounts at a server's own address. One connection for reading and one for writing, so that a slow write
 * never holds a poll; each is opened when needed, with backoff, and thrown away at the first fault.
 */
import type { Connection } from "mysql2/promise";
import { connectOver, DATABASE_TIMEOUTS, Link } from "./connection.ts";
import { type Cursor, type Fields, type RecordedEvent, type Records, RecordsError, type Stream } from "./event.ts";
import {
  concerns,
  judge,
  type PoolAnswer,
  type PoolKnowledge,
  type PoolOrder,
  type PoolRecords,
  refuseIfSetBack,
} from "./pool-order.ts";
import { positionOf } from "./pool-parts.ts";
import { columnsOf, eventTable, fieldsOf, headTable, notCovered, SCHEMA_NAME } from "./schema.ts";

export interface DatabaseEnd {
  /** Name of the alias, for sentences. */
  readonly alias: string;
  readonly address: string;
  readonly port: number;
  /** Account: the guest's own name; its certificate is the proof. */
  readonly account: string;
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** This server's place in its ring, when it is asked at its own address: then `alias` is its guest's name. */
  readonly place?: { readonly position: number; readonly size: number };
}

/** Milliseconds to wait before the next connection after 0, 1, 2 … failures in a row. */
const BACKOFF = [0, 100, 200, 400, 800] as const;

/** Milliseconds a write has in all, waiting for its turn and connecting included: whoever asked has patience for 1.5 s. */
const PATIENCE = 1300;
/** Milliseconds an order to one server of a ring has: another one may give instead, and both must fit into the caller's patience. */
const PLACED_PATIENCE = 800;

type Slot = "read" | "write";

interface Opened {
  readonly connection: Connection;
  readonly link: Link;
}

type Rows = Record<string, unknown>[];

/** Asks within a transaction, in the time that is left of the write. */
type Ask = (sql: string, values?: readonly unknown[]) => Promise<Rows>;

export class MariaRecords implements Records, PoolRecords {
  #end: DatabaseEnd;
  readonly #open = new Map<Slot, Promise<Opened>>();
  readonly #failures = new Map<Slot, { count: number; until: number; says: string }>();
  /** One transaction at a time: they would wait for the same row anyway. */
  #writing: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(end: DatabaseEnd) {
    this.#end = end;
  }

  async since(stream: Stream, cursor: Cursor, limit: number): Promise<readonly RecordedEvent[]> {
    const { where, values } = notCovered(cursor);
    const fields = fieldsOf(stream);
    const rows = await this.#using("read", false, async (connection) => {
      const [found] = await connection.query({
        sql: `SELECT origin, seq, counter, at, ${columnsOf(stream)} FROM ${eventTable(stream)} WHERE ${where} ORDER BY origin, seq LIMIT ${limit}`,
        values: [...values],
        timeout: DATABASE_TIMEOUTS.query,
      });
      return found as Rows;
    });
    return rows.map((row) => toEvent(row, fields));
  }

  append(stream: Stream, fields: Fields, after: number): Promise<RecordedEvent> {
    return this.#inTurn(PATIENCE, async (ask) => {
      const event = await nextEvent(ask, stream, after, fields);
      await insert(ask, stream, event);
      await ask("COMMIT");
      return event;
    });
  }

  order(order: PoolOrder, seen: PoolKnowledge): Promise<PoolAnswer> {
    return this.#inTurn(this.#end.place ? PLACED_PATIENCE : PATIENCE, async (ask) => {
      // The lock of this server's head row first: from here on nobody else gives an account here until this is decided.
      const next = await nextEvent(ask, "pool", seen.counter, {});
      refuseIfSetBack(next.origin, next.seq, seen.heads);
      await this.#checkPlace(ask, next.origin);
      const { subject, accounts } = concerns(order);
      const known = await poolEvents(ask, "subject = ?", [subject]);
      const named = [...new Set([...accounts, ...known.map(({ fields }) => fields.account ?? "")])];
      if (named.length > 0)
        known.push(...(await poolEvents(ask, `account IN (${named.map(() => "?").join(", ")})`, named)));
      const verdict = judge(order, known);
      if (verdict.kind !== "write") {
        // Nothing is recorded, so the head must not count it.
        await ask("ROLLBACK");
        return { event: verdict.kind === "there" ? verdict.event : null, fresh: false, known };
      }
      const event = { ...next, fields: verdict.fields };
      await insert(ask, "pool", event);
      await ask("COMMIT");
      return { event, fresh: true, known };
    });
  }

  about(subject: string): Promise<readonly RecordedEvent[]> {
    return this.#using("read", false, (connection) => {
      const timeout = DATABASE_TIMEOUTS.query;
      const ask: Ask = async (sql, values = []) =>
        (await connection.query({ sql, values: [...values], timeout }))[0] as Rows;
      return poolEvents(ask, "subject = ?", [subject]);
    });
  }

  /** A part of the accounts must be given by the server that owns it and by no other: the server says itself which one it is. */
  async #checkPlace(ask: Ask, origin: number): Promise<void> {
    const { place } = this.#end;
    if (place === undefined) return;
    const [own] = await ask(
      "SELECT @@global.auto_increment_increment AS ring, @@global.auto_increment_offset AS place",
    );
    const [size, position] = [Number(own!.ring), Number(own!.place) - 1];
    if (size !== place.size || position !== place.position || positionOf(origin) !== place.position)
      throw new RecordsError(
        "refused",
        `${this.#name()} is server ${position + 1} of ${size}, and number ${place.position + 1} of ${place.size} is what was asked for`,
      );
  }

  /** One transaction at a time, begun here and ended by `work`. */
  #inTurn<Result>(patience: number, work: (ask: Ask) => Promise<Result>): Promise<Result> {
    if (this.#waiting >= 256)
      return Promise.reject(new RecordsError("away", `${this.#waiting} writes already wait for ${this.#name()}`));
    this.#waiting++;
    const deadline = performance.now() + patience;
    const run = this.#writing.then(() => {
      if (performance.now() > deadline)
        throw new RecordsError("away", `${this.#name()} is slow: this write's turn did not come in ${patience} ms`);
      return this.#using("write", true, async (connection) => {
        const ask: Ask = async (sql, values = []) => {
          const timeout = Math.max(1, Math.min(DATABASE_TIMEOUTS.query, Math.round(deadline - performance.now())));
          const [rows] = await connection.query({ sql, values: [...values], timeout });
          return rows as Rows;
        };
        await ask("START TRANSACTION");
        return work(ask);
      });
    });
    this.#writing = run.catch(() => {}).finally(() => this.#waiting--);
    return run;
  }

  renew(tls: DatabaseEnd["tls"]): void {
    this.#end = { ...this.#end, tls };
  }

  async close(): Promise<void> {
    for (const opening of this.#open.values())
      (await opening.catch(() => null))?.link.end(new RecordsError("away", `${this.#name()} is not asked any more`));
    this.#open.clear();
  }

  #name(): string {
    return `the database ${this.#end.place ? "server" : "alias"} ${this.#end.alias} (${this.#end.address}:${this.#end.port})`;
  }

  async #using<Result>(
    slot: Slot,
    writes: boolean,
    work: (connection: Connection) => Promise<Result>,
  ): Promise<Result> {
    const { connection, link } = await this.#connection(slot);
    try {
      return await link.use(() => work(connection));
    } catch (error) {
      // Whatever went wrong, the state of this connection is not known: a new one costs little.
      link.end(error);
      throw this.#typed(error, writes);
    }
  }

  #connection(slot: Slot): Promise<Opened> {
    const existing = this.#open.get(slot);
    if (existing) return existing;
    const failed = this.#failures.get(slot);
    if (failed && performance.now() < failed.until) return Promise.reject(new RecordsError("away", failed.says));
    // Its end must not make us forget another one that was opened since.
    const opening: Promise<Opened> = this.#connect(() => {
      if (this.#open.get(slot) === opening) this.#open.delete(slot);
    });
    this.#open.set(slot, opening);
    opening.then(
      () => this.#failures.delete(slot),
      (error: unknown) => {
        this.#open.delete(slot);
        const count = (failed?.count ?? 0) + 1;
        const wait = BACKOFF[Math.min(count, BACKOFF.length - 1)]!;
        const says = error instanceof Error ? error.message : String(error);
        this.#failures.set(slot, { count, until: performance.now() + wait, says });
      },
    );
    return opening;
  }

  async #connect(onEnd: () => void): Promise<Opened> {
    const { alias, address, port, account, tls } = this.#end;
    const connection = await connectOver({
      name: alias,
      address,
      port,
      user: account,
      tls,
      database: SCHEMA_NAME,
    }).catch((error: unknown) => {
      throw this.#typed(error, false);
    });
    // An idle connection that ends (the director moved, the server died) is noticed here and not at the next call.
    const link = new Link(connection, onEnd);
    connection.on("error", (error: Error) => link.end(error));
    connection.on("end", () => link.end(new Error("the connection ended")));
    return { connection, link };
  }

  #typed(error: unknown, writes: boolean): RecordsError {
    if (error instanceof RecordsError) return error;
    const { code = "", message = String(error) } = error as { code?: string; message?: string };
    if (/^ER_OPTION_PREVENTS_STATEMENT$|READ_ONLY/.test(code))
      return new RecordsError("read-only", `${this.#name()} takes no writes now: it is catching up`, { cause: error });
    if (code.startsWith("ER_") && !/^ER_(CON_COUNT|SERVER_SHUTDOWN|CONNECTION_KILLED|LOCK_)/.test(code))
      return new RecordsError("refused", `${this.#name()} refuses: ${message}`, { cause: error });
    return writes
      ? new RecordsError("unknown", `${this.#name()} stopped answering: it may have been recorded, repeat it`, {
          cause: error,
        })
      : new RecordsError("away", `${this.#name()} does not answer (${code || message})`, { cause: error });
  }
}

/** Locks this server's head row and counts on it. @returns the event to be written */
async function nextEvent(ask: Ask, stream: Stream, after: number, fields: Fields): Promise<RecordedEvent> {
  await ask(
    `INSERT INTO ${headTable(stream)} (origin, seq) VALUES (@@server_id, 1) ON DUPLICATE KEY UPDATE seq = seq + 1`,
  );
  const [head] = await ask(
    `SELECT origin, seq, (SELECT COALESCE(MAX(counter), 0) FROM ${eventTable(stream)}) AS top FROM ${headTable(stream)} WHERE origin = @@server_id`,
  );
  return {
    origin: Number(head!.origin),
    seq: Number(head!.seq),
    counter: Math.max(Number(head!.top), after) + 1,
    at: new Date().toISOString(),
    fields,
  };
}

async function insert(ask: Ask, stream: Stream, event: RecordedEvent): Promise<void> {
  const names = fieldsOf(stream);
  await ask(
    `INSERT INTO ${eventTable(stream)} (origin, seq, counter, at, ${columnsOf(stream)}) VALUES (?, ?, ?, ?, ${names.map(() => "?").join(", ")})`,
    [event.origin, event.seq, event.counter, event.at, ...names.map((name) => event.fields[name] ?? "")],
  );
}

async function poolEvents(ask: Ask, where: string, values: readonly string[]): Promise<RecordedEvent[]> {
  const rows = await ask(
    `SELECT origin, seq, counter, at, ${columnsOf("pool")} FROM ${eventTable("pool")} WHERE ${where}`,
    values,
  );
  return rows.map((row) => toEvent(row, fieldsOf("pool")));
}

function toEvent(row: Record<string, unknown>, fields: readonly string[]): RecordedEvent {
  return {
    origin: Number(row.origin),
    seq: Number(row.seq),
    counter: Number(row.counter),
    at: String(row.at),
    fields: Object.fromEntries(fields.map((field) => [field, String(row[field])])),
  };
}
