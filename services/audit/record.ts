/**
 * Who was told what: one JSON line for each decision. Lines are gathered within one turn of the loop and written together before the next,
 * so that a killed process loses at most the answers of its last instant and a busy one pays one write for many answers; once a second
 * the file is flushed to the disk beside the service. A full disk costs lines, which are counted, and never an answer.
 */
import { closeSync, fstatSync, fsync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ACTIVE, closeSegment, type Retention, tidySegments } from "./segments.ts";

export interface DecisionRecordOptions {
  readonly directory: string;
  readonly retention: Retention;
  /** Told once when something does not work, and when it works again. */
  readonly onFault: (says: string) => void;
  /** Octets of one segment. */
  readonly segment?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Octets of a segment before it is compressed; milliseconds a segment is written to, whatever its size; between two flushes to disk. */
const SEGMENT = 64 * 1024 * 1024;
const DAY = 86_400_000;
const SYNC = 1000;
/** Octets gathered after which is written at once. */
const GATHERED = 256 * 1024;

export class DecisionRecord {
  readonly directory: string;
  readonly #options: DecisionRecordOptions;
  readonly #now: () => number;
  #descriptor: number;
  #size: number;
  /** When its first line was written. */
  #begun: number;
  #lines: string[] = [];
  #gathered = 0;
  #turn: NodeJS.Immediate | null = null;
  #syncing: NodeJS.Timeout | null = null;
  #tidying: Promise<void> | null = null;
  #again = false;
  #lost = 0;
  #closed = false;

  /** @throws the system's error when the file cannot be opened */
  constructor(options: DecisionRecordOptions) {
    this.#options = options;
    this.directory = options.directory;
    this.#now = options.now ?? Date.now;
    this.#descriptor = openSync(join(this.directory, ACTIVE), "a+", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
    this.#begun = this.#now();
    this.#mendEnd();
    this.#tidy();
  }

  /** @param line one JSON text without line end */
  write(line: string): void {
    this.#lines.push(line);
    this.#gathered += line.length;
    if (this.#gathered >= GATHERED) this.flush();
    else this.#turn ??= setImmediate(() => this.flush());
  }

  /** Writes what is gathered. Never throws. A line that a full disk cut is taken back, so that the record stays one JSON text a line. */
  flush(): void {
    if (this.#turn) clearImmediate(this.#turn);
    this.#turn = null;
    if (this.#lines.length === 0) return;
    const count = this.#lines.length;
    const block = Buffer.from(`${this.#lines.join("\n")}\n`, "utf8");
    this.#lines = [];
    this.#gathered = 0;
    try {
      this.#closeWhenFull(block.length);
      try {
        for (let written = 0; written < block.length; ) written += writeSync(this.#descriptor, block, written);
      } catch (error) {
        ftruncateSync(this.#descriptor, this.#size);
        throw error;
      }
      this.#size += block.length;
      if (this.#lost > 0) this.#options.onFault(`the record works again; ${this.#lost} of its lines are lost`);
      this.#lost = 0;
      this.#syncing ??= setTimeout(() => this.#sync(), SYNC).unref();
    } catch (error) {
      if (this.#lost === 0) this.#options.onFault(`the record cannot be written: ${(error as Error).message}`);
      this.#lost += count;
    }
  }

  /** Decisions that are not recorded because the disk refused them. */
  get lost(): number {
    return this.#lost;
  }

  async close(): Promise<void> {
    this.flush();
    this.#closed = true;
    if (this.#syncing) clearTimeout(this.#syncing);
    await this.#tidying;
    closeSync(this.#descriptor);
  }

  #sync(): void {
    this.#syncing = null;
    if (this.#closed) return;
    // Answered in the thread pool; an error shows at the next write.
    fsync(this.#descriptor, () => {});
  }

  #closeWhenFull(more: number): void {
    const limit = this.#options.segment ?? SEGMENT;
    const now = this.#now();
    if (this.#size === 0) this.#begun = now;
    if (this.#size === 0 || (this.#size + more <= limit && now - this.#begun < DAY)) return;
    closeSegment(this.directory, now);
    // The old one is closed when the new one is there: a number that was closed may be a client's connection a moment later.
    const next = openSync(join(this.directory, ACTIVE), "a+", 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = 0;
    this.#begun = now;
    this.#tidy();
  }

  #tidy(): void {
    if (this.#tidying !== null) {
      // A segment was closed after the one under way looked: it has its turn too.
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#tidying = tidySegments(this.directory, this.#options.retention, this.#now())
      .catch((error: Error) => this.#options.onFault(`old parts of the record cannot be put away: ${error.message}`))
      .then(() => {
        this.#tidying = null;
        if (this.#again) this.#tidy();
        return this.#tidying ?? undefined;
      });
  }

  /** After a power cut the last line may be a part: it gets its line end, so that the next one is whole. */
  #mendEnd(): void {
    if (this.#size === 0) return;
    const last = Buffer.alloc(1);
    readSync(this.#descriptor, last, 0, 1, this.#size - 1);
    if (last[0] !== 0x0a) this.#size += writeSync(this.#descriptor, "\n");
  }
}
