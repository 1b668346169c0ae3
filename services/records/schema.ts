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

/** @returns statements that are safe to repeat */
export function schemaStatements(dialect: "mariadb" | "sqlite"): readonly string[] {
  const maria = dialect === "mariadb";
  const tail = maria ? " ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" : " WITHOUT ROWID";
  return (Object.keys(STREAMS) as Stream[]).flatMap((stream) => {
    const columns = Object.entries(STREAMS[stream])
      .map(([field, length]) => `${field} ${maria ? `VARCHAR(${length})` : "TEXT"} NOT NULL`)
      .join(", ");
    const at = maria ? "VARCHAR(24)" : "TEXT";
    return [
      `CREATE TABLE IF NOT EXISTS ${headTable(stream)} (origin BIGINT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL)${tail}`,
      `CREATE TABLE IF NOT EXISTS ${eventTable(stream)} (origin BIGINT NOT NULL, seq BIGINT NOT NULL, counter BIGINT NOT NULL, ` +
        `at ${at} NOT NULL, ${columns}, PRIMARY KEY (origin, seq)${maria ? `, KEY ${stream}_counter (counter)` : ""})${tail}`,
      ...(maria ? [] : [`CREATE INDEX IF NOT EXISTS ${stream}_counter ON ${eventTable(stream)} (counter)`]),
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
