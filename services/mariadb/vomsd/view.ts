/**
 * Keeps, in each server for itself, the tables that a stock vomsd reads, as the records and the clock have them. They are a view: every server makes
 * its own from the same events, outside of the binary log, so that nothing about them is replicated and nobody can be in conflict. A vomsd
 * beside any server of the ring says what our own VOMS says, within about a second.
 */
import type { Connection } from "mysql2/promise";
import { sazKey } from "../../../src/policy/index.ts";
import { type VoDefinition, type VomsdRows, vomsdRows } from "../../../src/vo/index.ts";
import { type Fold, Merged, PAGE, type RecordedEvent, type Stream } from "../../records/event.ts";
import { eventTable, fieldsOf, notCovered, SCHEMA_NAME } from "../../records/schema.ts";
import type { Log } from "../../serving/index.ts";
import { VoBook } from "../../vo/index.ts";
import { type Cell, VOMSD_TABLES, vomsdDatabase, type WantedTable } from "./schema.ts";
import { thingsOf, wantedTables } from "./tables.ts";

/** Milliseconds between two looks at the records, and for one statement. */
const EVERY = 500;
const ANSWER = 10_000;
/** Rows written in one statement. */
const BATCH = 500;

export interface VomsdViewOptions {
  readonly vos: readonly VoDefinition[];
  /** A connection of an administrator, outside of the binary log. */
  readonly connect: () => Promise<Connection>;
  readonly log: Log;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export class VomsdView {
  readonly #options: VomsdViewOptions;
  readonly #book: VoBook;
  readonly #bans = new Merged(({ kind = "", value = "" }) => sazKey(kind, value));
  readonly #now: () => number;
  readonly #until = new Map<string, number | null>();
  #connection: Connection | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  #closed = false;
  #fault = "";
  #made = false;

  constructor(options: VomsdViewOptions) {
    this.#options = options;
    this.#book = new VoBook(options.vos);
    this.#now = options.now ?? Date.now;
  }

  /** Looks now, and then again and again. */
  start(): void {
    const again = (): void => {
      this.#looking = this.#look().finally(() => {
        if (!this.#closed) this.#timer = setTimeout(again, EVERY);
      });
    };
    again();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#connection?.destroy();
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      this.#connection ??= await this.#options.connect();
      if (!this.#made) await this.#make();
      const news = [await this.#read("vo", this.#book), await this.#read("ban", this.#bans)].some(Boolean);
      const now = this.#now();
      for (const vo of this.#options.vos) {
        const until = this.#until.get(vo.name);
        if (!news && until !== undefined && (until === null || now < until)) continue;
        const rows = vomsdRows(vo, this.#book.facts(vo.name), (kind, value) => this.#banned(kind, value), now);
        await this.#write(vo.name, rows);
        this.#until.set(vo.name, rows.until);
      }
      if (this.#fault !== "") this.#options.log("vomsd's tables are written again");
      this.#fault = "";
    } catch (error) {
      // A new connection costs little, and the tables are made from nothing but the records: the next look does it all again.
      this.#connection?.destroy();
      this.#connection = null;
      this.#until.clear();
      const says = (error as Error).message;
      if (!this.#closed && says !== this.#fault) this.#options.log("vomsd's tables are not written", { says });
      this.#fault = says;
    }
  }

  #banned(kind: string, value: string): string | undefined {
    const event = this.#bans.get(sazKey(kind, value));
    return event?.fields.action === "ban" ? event.fields.reason : undefined;
  }

  async #make(): Promise<void> {
    for (const { name } of this.#options.vos) {
      const database = vomsdDatabase(name);
      await this.#ask(`CREATE DATABASE IF NOT EXISTS ${database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
      for (const statement of VOMSD_TABLES)
        await this.#ask(statement.replace(/^CREATE TABLE IF NOT EXISTS /, `CREATE TABLE IF NOT EXISTS ${database}.`));
    }
    this.#made = true;
  }

  async #read(stream: Stream, fold: Fold): Promise<boolean> {
    let news = false;
    for (;;) {
      const { where, values } = notCovered(fold.cursor());
      const table = `${SCHEMA_NAME}.${eventTable(stream)}`;
      const rows = await this.#ask(`SELECT * FROM ${table} WHERE ${where} ORDER BY origin, seq LIMIT ${PAGE}`, values);
      let taken = 0;
      for (const row of rows) if (fold.take(eventOf(stream, row))) taken++;
      news ||= taken > 0;
      if (rows.length < PAGE || taken === 0) return news;
    }
  }

  async #write(vo: string, rows: VomsdRows): Promise<void> {
    const database = vomsdDatabase(vo);
    await this.#ask("START TRANSACTION");
    const numbers = await this.#numbers(database, thingsOf(rows));
    for (const table of wantedTables(rows, (thing) => numbers.get(thing)!)) await this.#bring(database, table);
    await this.#ask("COMMIT");
  }

  async #numbers(database: string, things: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const known = await this.#ask(`SELECT number, thing FROM ${database}.domus_number`);
    const numbers = new Map(known.map((row) => [String(row.thing), Number(row.number)]));
    const missing = things.filter((thing) => !numbers.has(thing));
    for (let from = 0; from < missing.length; from += BATCH) {
      const batch = missing.slice(from, from + BATCH);
      await this.#ask(
        `INSERT INTO ${database}.domus_number (thing) VALUES ${batch.map(() => "(?)").join(", ")}`,
        batch,
      );
    }
    if (missing.length === 0) return numbers;
    const all = await this.#ask(`SELECT number, thing FROM ${database}.domus_number`);
    return new Map(all.map((row) => [String(row.thing), Number(row.number)]));
  }

  /** Makes a table what it should be, touching only what differs. */
  async #bring(database: string, { name, columns, key, rows }: WantedTable): Promise<void> {
    const table = `${database}.\`${name}\``;
    const keyOf = (cells: readonly Cell[]): string => cells.slice(0, key).join(" ");
    const bits = columns.map((column) => (BITS.has(column) ? `${column} + 0 AS ${column}` : column));
    const there = new Map(
      (await this.#ask(`SELECT ${bits.join(", ")} FROM ${table}`)).map((row) => {
        const cells = columns.map((column) => plain(row[column]));
        return [keyOf(cells), JSON.stringify(cells)] as const;
      }),
    );
    const wanted = new Map(rows.map((cells) => [keyOf(cells), cells] as const));
    const gone = [...there.keys()].filter((one) => !wanted.has(one));
    for (const one of gone) {
      const where = columns
        .slice(0, key)
        .map((column) => `${column} = ?`)
        .join(" AND ");
      await this.#ask(`DELETE FROM ${table} WHERE ${where}`, one.split(" "));
    }
    const changed = [...wanted]
      .filter(([one, cells]) => there.get(one) !== JSON.stringify(cells))
      .map(([, cells]) => cells);
    for (let from = 0; from < changed.length; from += BATCH) {
      const batch = changed.slice(from, from + BATCH);
      const places = batch.map(() => `(${columns.map(() => "?").join(", ")})`).join(", ");
      await this.#ask(`REPLACE INTO ${table} (${columns.join(", ")}) VALUES ${places}`, batch.flat());
    }
  }

  async #ask(sql: string, values: readonly Cell[] = []): Promise<readonly Record<string, unknown>[]> {
    if (this.#connection === null) throw new Error("there is no connection to it");
    const [rows] = await this.#connection.query({ sql, values: [...values], timeout: ANSWER });
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  }
}

/** Columns of one bit, which come as octets unless they are added to. */
const BITS: ReadonlySet<string> = new Set(["suspended", "must", "a_uniq"]);

function plain(value: unknown): Cell {
  if (value instanceof Date) return "1970-01-01 00:00:00";
  return typeof value === "number" || value === null
    ? value
    : typeof value === "bigint"
      ? Number(value)
      : String(value);
}

function eventOf(stream: Stream, row: Record<string, unknown>): RecordedEvent {
  return {
    origin: Number(row.origin),
    seq: Number(row.seq),
    counter: Number(row.counter),
    at: String(row.at),
    fields: Object.fromEntries(fieldsOf(stream).map((field) => [field, String(row[field])])),
  };
}
