/**
 * Looks into the audit record: "who was novapro at 03:12, by which rule". Reads file by file and piece by piece, so that decisions go on
 * meanwhile; a line is parsed only when its text can match. Bounded in lines read and in records given back.
 */
import { existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { listSegments, openActive, openSegment } from "./segments.ts";

export type AuditRecord = Readonly<Record<string, unknown>> & { readonly at: string };

export interface AuditQuestion {
  /** Milliseconds since the epoch, both inclusive. */
  readonly from: number;
  readonly to: number;
  /** Fields that must have exactly this text. */
  readonly equal: Readonly<Record<string, string>>;
}

export interface AuditAnswer {
  /** Lines that were read. */
  readonly read: number;
  /** Lines that are no records, and files that cannot be read to their end: damage. */
  readonly damaged: number;
  /** Time of the oldest line that is kept, `null` when there is none. */
  readonly oldest: string | null;
  /** True when `visit` had enough before the end. */
  readonly more: boolean;
}

/**
 * @param directory of the record
 * @param visit told each record in the order of time; `false` ends the search
 * @throws the system's error when a file cannot be read
 */
export async function searchAudit(
  directory: string,
  question: AuditQuestion,
  visit: (record: AuditRecord) => boolean,
): Promise<AuditAnswer> {
  // Both in one go: a line is then in exactly one of them, whatever is closed while we read.
  const active = openActive(directory);
  const closed = listSegments(directory);
  // As a line has it: the writer is JSON.stringify's, so the same text is found without parsing.
  const needles = Object.entries(question.equal).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  );
  let read = 0;
  let damaged = 0;
  let more = false;
  const look = (line: string): boolean => {
    read++;
    if (!needles.every((needle) => line.includes(needle))) return true;
    let record: AuditRecord;
    try {
      record = JSON.parse(line) as AuditRecord;
    } catch {
      damaged++;
      return true;
    }
    const at = Date.parse(record.at);
    if (!(at >= question.from && at <= question.to)) return true;
    // A needle may stand inside another field's text.
    if (!Object.entries(question.equal).every(([name, value]) => record[name] === value)) return true;
    more = !visit(record);
    return !more;
  };
  try {
    for (const segment of closed)
      if (!more && segment.until >= question.from && !(await eachLine(() => openKept(segment.path), look))) damaged++;
    if (!more && active !== null && !(await eachLine(() => active, look))) damaged++;
  } finally {
    active?.destroy();
  }
  return { read, damaged, oldest: await oldestLine(directory), more };
}

/** Compressed since it was listed: its compressed form is read in its place. */
function openKept(path: string): Readable {
  return openSegment(existsSync(path) || path.endsWith(".zst") ? path : `${path}.zst`);
}

/** @returns whether the file was read as far as it was wanted: one damaged file must not hide what stands in the others */
async function eachLine(open: () => Readable, look: (line: string) => boolean): Promise<boolean> {
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of open() as AsyncIterable<Buffer>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "" && !look(line)) return true;
      // A file in the page cache comes without waiting: others have their turn all the same.
      await nextTurn();
    }
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // Forgotten since it was listed: what is gone is gone.
    if (code === "ENOENT") return true;
    if (code !== "EIO" && code !== "Z_BUF_ERROR" && !code.startsWith("ZSTD_")) throw error;
    return false;
  }
  if (rest !== "") look(rest);
  return true;
}

async function oldestLine(directory: string): Promise<string | null> {
  let oldest: string | null = null;
  const look = (line: string): boolean => {
    try {
      oldest = (JSON.parse(line) as AuditRecord).at;
    } catch {
      // A cut line: the next one.
    }
    return oldest === null;
  };
  for (const { path } of listSegments(directory)) {
    await eachLine(() => openKept(path), look);
    if (oldest !== null) return oldest;
  }
  const active = openActive(directory);
  if (active !== null) await eachLine(() => active, look);
  return oldest;
}
