/**
 * Where an audit record is kept: one file that is written, and what was written before in segments, compressed, named by the time of
 * their last line. Age and space are bounded: the oldest go first. Compression runs beside the service (Node's thread pool) and is
 * crash-safe: until a compressed segment is complete under its own name, the plain one stays. Files are removed there too: to free the
 * memory of a segment takes the kernel 12 ms and more.
 */
import { createReadStream, createWriteStream, openSync, readdirSync, renameSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";

/** The file that is written. */
export const ACTIVE = "audit.log";

export interface Segment {
  readonly path: string;
  /** Milliseconds since the epoch of its last line; the active one's is the future. */
  readonly until: number;
  readonly compressed: boolean;
  /** Octets on disk. */
  readonly size: number;
}

export interface Retention {
  /** Seconds for which a line is kept. */
  readonly keep: number;
  /** Octets all segments may take; what is over goes, oldest first, however young. */
  readonly space: number;
}

const NAME = /^audit-(\d{13,15})\.log(\.zst)?$/;

/** @returns the closed segments, oldest first */
export function listSegments(directory: string): readonly Segment[] {
  const found: Segment[] = [];
  for (const name of readdirSync(directory)) {
    const match = NAME.exec(name);
    if (match === null) continue;
    const path = join(directory, name);
    try {
      found.push({ path, until: Number(match[1]), compressed: match[2] !== undefined, size: statSync(path).size });
    } catch (error) {
      // Compressed or thrown away in this moment.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  // While a segment is being compressed it is there twice for a moment: the plain one counts.
  const plain = new Set(found.filter((one) => !one.compressed).map((one) => one.until));
  return found
    .filter((one) => !one.compressed || !plain.has(one.until))
    .sort((a, b) => a.until - b.until || a.path.localeCompare(b.path));
}

/**
 * Closes the active file under the name of its time; the writer opens a new one.
 * @param now milliseconds since the epoch, not before its last line; a time that is taken is counted up, so that nothing is written over
 */
export function closeSegment(directory: string, now: number): void {
  const taken = new Set(listSegments(directory).map((segment) => segment.until));
  let until = now;
  while (taken.has(until)) until++;
  try {
    renameSync(join(directory, ACTIVE), join(directory, `audit-${until}.log`));
  } catch (error) {
    // Closed before, when there was no room or no descriptor for a new one; or moved away by somebody. The record must go on all the same.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Compresses what is not yet, oldest first, and forgets what is too old or too much. @throws the system's error */
export async function tidySegments(directory: string, retention: Retention, now: number): Promise<void> {
  for (const name of readdirSync(directory))
    if (/^audit-\d+\.log\.zst\.new$/.test(name)) await rm(join(directory, name), { force: true });
  await forget(directory, retention, now);
  for (const segment of listSegments(directory)) {
    if (segment.compressed) continue;
    const half = `${segment.path}.zst.new`;
    await pipeline(
      createReadStream(segment.path),
      createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } }),
      createWriteStream(half, { mode: 0o600, flush: true }),
    );
    renameSync(half, `${segment.path}.zst`);
    await rm(segment.path, { force: true });
  }
  await forget(directory, retention, now);
}

async function forget(directory: string, { keep, space }: Retention, now: number): Promise<void> {
  let total = 0;
  for (const segment of [...listSegments(directory)].reverse()) {
    total += segment.size;
    if (total > space || segment.until < now - keep * 1000) await rm(segment.path, { force: true });
  }
}

/** @returns a segment's text as octets, decompressed */
export function openSegment(path: string): Readable {
  const file = createReadStream(path, { highWaterMark: 64 * 1024 });
  if (!path.endsWith(".zst")) return file;
  const text = createZstdDecompress();
  file.on("error", (error) => text.destroy(error));
  text.on("close", () => file.destroy());
  return file.pipe(text);
}

/** @returns the active file's text; it stays the same file when it is closed meanwhile; `null` when there is none */
export function openActive(directory: string): Readable | null {
  try {
    return createReadStream("", { fd: openSync(join(directory, ACTIVE), "r"), highWaterMark: 64 * 1024 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
