/** The store's SQLite file behind Kysely, so that MariaDB can stand there later; migrations are numbered functions in a list. */
import { basename, dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Kysely, type SqliteDatabase, SqliteDialect, sql } from "kysely";
import { Fault } from "../model/index.ts";
import { asFault } from "../world/index.ts";

export interface Tables {
  blueprint: { number: number; id: string; parent: string | null; cause: string; json: string; made_at: number };
  /** One row: the Blueprint in force and whether the site is meant to be up. */
  target: { one: number; blueprint: string; phase: "up" | "down" };
  journal: {
    entry: number | null;
    blueprint: string;
    run: string;
    step: string;
    state: "begun" | "done" | "failed";
    at: number;
    says: string;
  };
  /** Guests that a person has stopped or suspended: nobody starts them again but a person. */
  held: { guest: string; at: number; says: string };
  event: { entry: number | null; at: number; kind: string; about: string; says: string };
  /** Every change of what a probe saw. */
  probe_change: { entry: number | null; subject: string; at: number; outcome: string; says: string };
  /** Somebody looked at these subjects (a JSON list), again and again, from `begun` to `until`. */
  probe_watch: { entry: number | null; begun: number; until: number; subjects: string };
  /** Counts by minute, for availability. */
  probe_minute: { subject: string; minute: number; asked: number; answered: number; milliseconds: number };
}

/** Kysely speaks better-sqlite3; Node's own SQLite needs one word more: whether a statement gives rows. */
function asSqliteDatabase(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare: (text) => {
      const statement = database.prepare(text);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        // A full disk makes SQLite roll back by itself; a second rollback would hide why.
        run: (parameters) =>
          text === "rollback" && !database.isTransaction
            ? { changes: 0, lastInsertRowid: 0 }
            : statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
      };
    },
  };
}

/**
 * Each only adds: tables, indices, columns with a default. So the Domus before the one that wrote a store reads and writes it, and misses only
 * what is new; an upgrade can be taken back.
 */
const MIGRATIONS: readonly string[][] = [
  [
    `CREATE TABLE blueprint (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, parent TEXT, cause TEXT NOT NULL, json TEXT NOT NULL, made_at INTEGER NOT NULL) STRICT`,
    `CREATE TABLE target (one INTEGER PRIMARY KEY CHECK (one = 1), blueprint TEXT NOT NULL, phase TEXT NOT NULL) STRICT`,
    `CREATE TABLE journal (entry INTEGER PRIMARY KEY, blueprint TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, says TEXT NOT NULL) STRICT`,
    `CREATE TABLE event (entry INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL, says TEXT NOT NULL) STRICT`,
    `CREATE TABLE probe_change (entry INTEGER PRIMARY KEY, subject TEXT NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL, says TEXT NOT NULL) STRICT`,
    `CREATE INDEX probe_change_by_subject ON probe_change (subject, at)`,
    `CREATE TABLE probe_minute (subject TEXT NOT NULL, minute INTEGER NOT NULL, asked INTEGER NOT NULL, answered INTEGER NOT NULL, milliseconds INTEGER NOT NULL, PRIMARY KEY (subject, minute)) STRICT`,
  ],
  [`CREATE TABLE held (guest TEXT PRIMARY KEY, at INTEGER NOT NULL, says TEXT NOT NULL) STRICT`],
  [
    `CREATE TABLE probe_watch (entry INTEGER PRIMARY KEY, begun INTEGER NOT NULL, until INTEGER NOT NULL, subjects TEXT NOT NULL) STRICT`,
    `CREATE INDEX probe_watch_by_end ON probe_watch (until)`,
    `CREATE INDEX probe_change_by_time ON probe_change (at)`,
    `CREATE INDEX event_by_time ON event (at)`,
    // Of the time before, whole minutes are known: those in which a subject was asked.
    `INSERT INTO probe_watch (begun, until, subjects)
      SELECT MIN(minute) * 60000, (MAX(minute) + 1) * 60000, json_array(subject) FROM
        (SELECT subject, minute, minute - ROW_NUMBER() OVER (PARTITION BY subject ORDER BY minute) AS island FROM probe_minute)
      GROUP BY subject, island ORDER BY 1`,
  ],
];

function versionOf(database: DatabaseSync): number {
  return (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

const BUSY = 5;
/** Milliseconds that another command may hold a store. */
const PATIENCE = 10_000;

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && (code & 0xff) === BUSY;
}

/** Changing the journal's mode does not wait as statements do: the first two commands of a site would trip over each other. */
function enterWriteAheadLog(database: DatabaseSync): void {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/**
 * Opens the store's file and brings its schema up to date.
 * @throws Fault `store.corrupt`, `store.newer`, `disk.full`
 */
export async function openDatabase(file: string): Promise<Kysely<Tables>> {
  let raw: DatabaseSync | null = null;
  try {
    raw = new DatabaseSync(file, { timeout: PATIENCE });
    enterWriteAheadLog(raw);
    raw.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
    const check = raw.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw new Fault("store.corrupt", { file, reason: check.quick_check });
    for (;;) {
      // Asked anew inside the transaction: another command may be the first of this site at the same moment.
      const version = versionOf(raw);
      if (version > MIGRATIONS.length + 1)
        throw new Fault("store.newer", { file, found: String(version), known: String(MIGRATIONS.length) });
      if (version >= MIGRATIONS.length) break;
      raw.exec("BEGIN IMMEDIATE");
      if (versionOf(raw) === version) {
        for (const statement of MIGRATIONS[version]!) raw.exec(statement);
        raw.exec(`PRAGMA user_version = ${version + 1}`);
      }
      raw.exec("COMMIT");
    }
    return new Kysely<Tables>({ dialect: new SqliteDialect({ database: asSqliteDatabase(raw) }) });
  } catch (error) {
    raw?.close();
    throw storeFault(error, file);
  }
}

/** What SQLite says, as a sentence; see https://www.sqlite.org/rescode.html. */
export function storeFault(error: unknown, file: string): unknown {
  const code = (error as { errcode?: number }).errcode;
  const primary = code === undefined ? undefined : code & 0xff;
  const CORRUPT: readonly number[] = [11, 26];
  const FULL = 13;
  if (isBusy(error))
    return new Fault(
      "site.busy",
      { site: basename(dirname(file)), holder: "a command that holds the store for long" },
      { cause: error },
    );
  if (primary === FULL) return new Fault("disk.full", { what: file }, { cause: error });
  if (primary !== undefined && CORRUPT.includes(primary))
    return new Fault("store.corrupt", { file, reason: (error as Error).message }, { cause: error });
  if (primary === 14 || primary === 8 || primary === 3)
    return new Fault("store.unwritable", { directory: file, reason: (error as Error).message }, { cause: error });
  if (primary === 10) return new Fault("disk.full", { what: file }, { cause: error });
  return asFault(error, file);
}

export { sql };
