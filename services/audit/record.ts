/**
 * Who was told what: one JSON line for each decision. Lines are gathered within one turn of the loop and written together before the next,
 * so that a killed process loses at most the answers of its last instant and a busy one pays one write for many answers; once a second
 * the file is flushed to the disk beside the service. A full disk costs lines, which are counted, and never an answer.
 */
import { closeSync, fstatSync, fsync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { appendWhole } from "../../src/world/index.ts";
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
const HOUR = 3_600_000;
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
  /** The latest time of a line in it: a clock may be set back. */
  #latest: number;
  /** Its last line is a part, because a process ended within it: the next one must not go on in it. */
  #torn = false;
  #lines: string[] = [];
  #gathered = 0;
  #turn: NodeJS.Immediate | null = null;
  #syncing: NodeJS.Timeout | null = null;
  #tidying: Promise<void> | null = null;
  #again = false;
  readonly #hourly: NodeJS.Timeout;
  #scratch = Buffer.allocUnsafeSlow(64 * 1024);
  #lost = 0;
  #closed = false;

  /** @throws the system's error when the file cannot be opened */
  constructor(options: DecisionRecordOptions) {
    this.#options = options;
    this.directory = options.directory;
    this.#now = options.now ?? Date.now;
    this.#descriptor = openSync(join(this.directory, ACTIVE), "a+", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
    // One that is started every day closes its segments all the same.
    this.#begun = this.#size === 0 ? this.#now() : fstatSync(this.#descriptor).birthtimeMs || this.#now();
    this.#latest = this.#size === 0 ? 0 : Math.ceil(fstatSync(this.#descriptor).mtimeMs);
    this.#torn = this.#endsTorn();
    this.#tidy();
    // What is too old goes also where nothing is asked.
    this.#hourly = setInterval(() => this.#tidy(), HOUR).unref();
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
    if (this.#lines.length === 0 || this.#closed) return;
    const count = this.#lines.length;
    const lines = this.#lines.join("\n");
    this.#lines = [];
    this.#gathered = 0;
    try {
      const text = `${this.#torn ? "\n" : ""}${lines}\n`;
      const block = this.#encode(text);
      this.#closeWhenFull(block.length);
      appendWhole(this.#descriptor, this.#size, block);
      this.#size += block.length;
      this.#torn = false;
      this.#latest = Math.max(this.#latest, this.#now());
      if (this.#lost > 0) this.#options.onFault(`the record works again; ${this.#lost} of its lines are lost`);
      this.#lost = 0;
      this.#syncing ??= setTimeout(() => this.#sync(), SYNC).unref();
    } catch (error) {
      if (this.#lost === 0) this.#options.onFault(`the record cannot be written: ${(error as Error).message}`);
      this.#lost += count;
    }
  }

  /** @returns the text as octets, in memory that the next call uses again: a buffer for each turn makes the collector stop everybody */
  #encode(text: string): Buffer {
    // Three octets for each unit is the most that UTF-8 takes.
    if (text.length * 3 > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(text.length * 3);
    return this.#scratch.subarray(0, this.#scratch.write(text, 0, "utf8"));
  }

  /** Decisions that are not recorded because the disk refused them. */
  get lost(): number {
    return this.#lost;
  }

  async close(): Promise<void> {
    this.flush();
    await this.#tidying;
    this.flush();
    // From here on its number may be another file's.
    this.#closed = true;
    if (this.#syncing) clearTimeout(this.#syncing);
    clearInterval(this.#hourly);
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
    // The span counts either way: a clock that was set back by a year must not keep one segment for a year.
    if (this.#size === 0 || (this.#size + more <= limit && Math.abs(now - this.#begun) < DAY)) return;
    closeSegment(this.directory, Math.max(this.#latest, now));
    // The old one is closed when the new one is there: a number that was closed may be a client's connection a moment later.
    const next = openSync(join(this.directory, ACTIVE), "a+", 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = 0;
    this.#begun = now;
    this.#latest = 0;
    this.#torn = false;
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

  /** After a power cut the last line may be a part. Nothing is written now: the disk may be full, and the service is to start all the same. */
  #endsTorn(): boolean {
    if (this.#size === 0) return false;
    const last = Buffer.alloc(1);
    readSync(this.#descriptor, last, 0, 1, this.#size - 1);
    return last[0] !== 0x0a;
  }
}
