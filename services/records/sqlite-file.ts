/**
 * Records in one SQLite file that belongs to one guest: what stands in for MariaDB where it is not installed. WAL and synchronous=FULL,
 * so an answered write outlives a power cut. Nobody else opens the file.
 */
import { randomInt } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { Cursor, Fields, RecordedEvent, Stream } from "./event.ts";
import { concerns, judge, type PoolAnswer, type PoolKnowledge, type PoolOrder, refuseIfSetBack } from "./pool-order.ts";
import { addField, columnsOf, eventTable, fieldsOf, headTable, LATER, notCovered, schemaStatements } from "./schema.ts";

export class SqliteFile {
  readonly #database: DatabaseSync;
  readonly origin: number;

  /** @throws the system's error when the file cannot be opened or is damaged */
  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=500");
    for (const statement of schemaStatements("sqlite")) this.#database.exec(statement);
    for (const [stream, fields] of Object.entries(LATER) as [Stream, readonly string[]][])
      for (const field of fields) this.#addIfMissing(stream, field);
    this.#database.exec("CREATE TABLE IF NOT EXISTS life (origin INTEGER NOT NULL)");
    const life = this.#database.prepare("SELECT origin FROM life").get() as { origin: number } | undefined;
    // A new file is a new origin: seq begins at 1 again, and copies that knew the old file must not take that for old news.
    this.origin = life?.origin ?? randomInt(1, 2 ** 31);
    if (life === undefined) this.#database.prepare("INSERT INTO life (origin) VALUES (?)").run(this.origin);
  }

  append(stream: Stream, fields: Fields, after: number): RecordedEvent {
    return this.#inTransaction(() => this.#write(stream, fields, after));
  }

  /** Carries out an order about pool accounts: this one file owns every identity and every account. */
  order(order: PoolOrder, seen: PoolKnowledge): PoolAnswer {
    return this.#inTransaction(() => {
      refuseIfSetBack(this.origin, (this.heads("pool")[String(this.origin)] ?? 0) + 1, seen.heads);
      const { subject, accounts } = concerns(order);
      const known = this.#select("pool", "subject = ?", [subject]);
      const named = [...new Set([...accounts, ...known.map(({ fields }) => fields.account ?? "")])];
      known.push(...this.#select("pool", `account IN (${named.map(() => "?").join(", ")})`, named));
      const verdict = judge(order, known);
      if (verdict.kind === "write")
        return { event: this.#write("pool", verdict.fields, seen.counter), fresh: true, known };
      return { event: verdict.kind === "there" ? verdict.event : null, fresh: false, known };
    });
  }

  /** What it has about an identity. */
  about(subject: string): readonly RecordedEvent[] {
    return this.#select("pool", "subject = ?", [subject]);
  }

  since(stream: Stream, cursor: Cursor, limit: number): readonly RecordedEvent[] {
    const { where, values } = notCovered(cursor);
    return this.#select(stream, `${where} ORDER BY origin, seq LIMIT ${limit}`, values);
  }

  /** What it holds: highest seq of each origin, for health. */
  heads(stream: Stream): Cursor {
    const rows = this.#database.prepare(`SELECT origin, seq FROM ${headTable(stream)}`).all();
    return Object.fromEntries(rows.map((row) => [String(row.origin), Number(row.seq)]));
  }

  close(): void {
    this.#database.close();
  }

  #inTransaction<Result>(work: () => Result): Result {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk makes SQLite roll back by itself; a second rollback would hide why.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #write(stream: Stream, fields: Fields, after: number): RecordedEvent {
    const names = fieldsOf(stream);
    this.#database
      .prepare(
        `INSERT INTO ${headTable(stream)} (origin, seq) VALUES (?, 1) ON CONFLICT (origin) DO UPDATE SET seq = seq + 1`,
      )
      .run(this.origin);
    const { seq } = this.#database
      .prepare(`SELECT seq FROM ${headTable(stream)} WHERE origin = ?`)
      .get(this.origin) as { seq: number };
    const { top } = this.#database
      .prepare(`SELECT COALESCE(MAX(counter), 0) AS top FROM ${eventTable(stream)}`)
      .get() as { top: number };
    const at = new Date().toISOString();
    const event = { origin: this.origin, seq, counter: Math.max(top, after) + 1, at, fields };
    this.#database
      .prepare(
        `INSERT INTO ${eventTable(stream)} (origin, seq, counter, at, ${columnsOf(stream)}) VALUES (?, ?, ?, ?, ${names.map(() => "?").join(", ")})`,
      )
      .run(event.origin, event.seq, event.counter, event.at, ...names.map((name) => fields[name] ?? ""));
    return event;
  }

  #select(stream: Stream, where: string, values: readonly (string | number)[]): RecordedEvent[] {
    const names = fieldsOf(stream);
    return this.#database
      .prepare(`SELECT * FROM ${eventTable(stream)} WHERE ${where}`)
      .all(...values)
      .map((row) => ({
        origin: Number(row.origin),
        seq: Number(row.seq),
        counter: Number(row.counter),
        at: String(row.at),
        fields: Object.fromEntries(names.map((name) => [name, String(row[name])])),
      }));
  }

  #addIfMissing(stream: Stream, field: string): void {
    const columns = this.#database.prepare(`SELECT name FROM pragma_table_info('${eventTable(stream)}')`).all();
    if (!columns.some(({ name }) => name === field)) this.#database.exec(addField(stream, field, "sqlite"));
  }
}
