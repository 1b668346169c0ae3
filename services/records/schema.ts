/**
 * Tables of the recorded events, from {@link STREAMS}: one pair for each stream. `<stream>_head` holds each origin's last seq; its row is
 * written by its own server alone, and its lock puts that server's commits in the order of their seq, so that a reader who has seen
 * seq 7 never finds a 6 later.
 */
import { STREAMS, type Stream } from "./event.ts";

export const SCHEMA_NAME = "domus";

export function eventTable(stream: Stream): string {
  return `${stream}_event`;
}

export function headTable(stream: Stream): string {
  return `${stream}_head`;
}

export function fieldsOf(stream: Stream): readonly string[] {
  return Object.keys(STREAMS[stream]);
}

/** Field names as SQL takes them: `group` is a word of its own there. Both dialects know this way of quoting. */
export function columnsOf(stream: Stream): string {
  return fieldsOf(stream).map(quoteField).join(", ");
}

function quoteField(field: string): string {
  return `\`${field}\``;
}

/** Fields that a table of an earlier version lacks. They are last in it, so that servers of both versions read each other's rows. */
export const LATER: Readonly<Partial<Record<Stream, readonly string[]>>> = { mapping: ["mapper"] };

/**
 * Fields that are looked up, apart from the primary key. None of these is unique: a unique key over the first characters of a text takes
 * two long names for one (the original's defect), and a unique key across servers has no referee.
 */
const LOOKED_UP: Readonly<Partial<Record<Stream, readonly string[]>>> = { pool: ["subject", "account"] };
/** Characters of a text in an index: four octets each, and InnoDB takes 3072 octets. Longer texts are compared in whole afterwards. */
const INDEXED = 190;

/** @returns what adds a later field to a table; MariaDB does so only if it is missing, with SQLite the caller must know that it is */
export function addField(stream: Stream, field: string, dialect: "mariadb" | "sqlite"): string {
  const length = (STREAMS[stream] as Readonly<Record<string, number>>)[field]!;
  return dialect === "mariadb"
    ? `ALTER TABLE ${eventTable(stream)} ADD COLUMN IF NOT EXISTS ${field} VARCHAR(${length}) NOT NULL DEFAULT ''`
    : `ALTER TABLE ${eventTable(stream)} ADD COLUMN ${field} TEXT NOT NULL DEFAULT ''`;
}

/** @returns statements that are safe to repeat */
export function schemaStatements(dialect: "mariadb" | "sqlite"): readonly string[] {
  const maria = dialect === "mariadb";
  const tail = maria ? " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" : " WITHOUT ROWID";
  return (Object.keys(STREAMS) as Stream[]).flatMap((stream) => {
    const columns = Object.entries(STREAMS[stream])
      .map(([field, length]) => {
        const empty = LATER[stream]?.includes(field) ? " DEFAULT ''" : "";
        return `${quoteField(field)} ${maria ? `VARCHAR(${length})` : "TEXT"} NOT NULL${empty}`;
      })
      .join(", ");
    const at = maria ? "VARCHAR(24)" : "TEXT";
    const lookedUp = LOOKED_UP[stream] ?? [];
    const lengths: Readonly<Record<string, number>> = STREAMS[stream];
    const keys = lookedUp.map(
      (field) => `, KEY ${stream}_${field} (${field}${lengths[field]! > INDEXED ? `(${INDEXED})` : ""})`,
    );
    return [
      `CREATE TABLE IF NOT EXISTS ${headTable(stream)} (origin BIGINT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL)${tail}`,
      `CREATE TABLE IF NOT EXISTS ${eventTable(stream)} (origin BIGINT NOT NULL, seq BIGINT NOT NULL, counter BIGINT NOT NULL, ` +
        `at ${at} NOT NULL, ${columns}, PRIMARY KEY (origin, seq)${maria ? `, KEY ${stream}_counter (counter)${keys.join("")}` : ""})${tail}`,
      ...(maria
        ? (LATER[stream] ?? []).map((field) => addField(stream, field, dialect))
        : ["counter", ...lookedUp].map(
            (field) => `CREATE INDEX IF NOT EXISTS ${stream}_${field} ON ${eventTable(stream)} (${field})`,
          )),
    ];
  });
}

/** The part after WHERE that leaves out what a cursor covers, and its values. */
export function notCovered(cursor: Readonly<Record<string, number>>): {
  readonly where: string;
  readonly values: readonly number[];
} {
  const known = Object.entries(cursor).map(([origin, seq]) => [Number(origin), seq] as const);
  if (known.length === 0) return { where: "1=1", values: [] };
  return {
    where:
      known.map(() => "(origin = ? AND seq > ?)").join(" OR ") +
      ` OR origin NOT IN (${known.map(() => "?").join(", ")})`,
    values: [...known.flat(), ...known.map(([origin]) => origin)],
  };
}
