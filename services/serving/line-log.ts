/**
 * Lines of a program that is run beside ours (a database server's log), in the guest's data: buffered, because a write for each would cost
 * more than the line; rotated by size, so that it never fills the disk. At most a second of it can be lost with the process. Decisions are
 * recorded by `services/audit`, which loses nothing and is searched.
 */
import { closeSync, fstatSync, openSync, renameSync } from "node:fs";
import { appendWhole } from "../../src/world/index.ts";

/** Octets of one file, how many old ones are kept, octets gathered before writing, milliseconds until written anyway. */
const LIMITS = { file: 32 * 1024 * 1024, kept: 4, buffer: 64 * 1024, every: 1000 } as const;

export interface LineLogLimits {
  readonly file: number;
  readonly kept: number;
}

export class LineLog {
  readonly #path: string;
  readonly #limits: LineLogLimits;
  readonly #onFault: (says: string) => void;
  #descriptor: number;
  #size: number;
  #lines: string[] = [];
  #buffered = 0;
  #timer: NodeJS.Timeout | null = null;
  #lost = 0;

  constructor(path: string, onFault: (says: string) => void, limits: LineLogLimits = LIMITS) {
    this.#path = path;
    this.#limits = limits;
    this.#onFault = onFault;
    this.#descriptor = openSync(path, "a", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  /** @param line without line end */
  write(line: string): void {
    this.#lines.push(line);
    this.#buffered += line.length + 1;
    if (this.#buffered >= LIMITS.buffer) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LIMITS.every);
  }

  /**
   * Writes what is buffered. Never throws: a full disk is reported once and counted; a line that it cut is taken back.
   */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    const block = Buffer.from(`${lines.join("\n")}\n`, "utf8");
    this.#lines = [];
    this.#buffered = 0;
    try {
      if (this.#size > 0 && this.#size + block.length > this.#limits.file) this.#rotate();
      appendWhole(this.#descriptor, this.#size, block);
      this.#size += block.length;
      if (this.#lost > 0) this.#onFault(`the record works again; ${this.#lost} of its lines are lost`);
      this.#lost = 0;
    } catch (error) {
      if (this.#lost === 0) this.#onFault(`the record cannot be written: ${(error as Error).message}`);
      this.#lost += lines.length;
    }
  }

  /** Lines that are not there because the disk refused them. */
  get lost(): number {
    return this.#lost;
  }

  close(): void {
    this.flush();
    closeSync(this.#descriptor);
  }

  #rotate(): void {
    for (let age = this.#limits.kept - 1; age >= 0; age--) {
      try {
        renameSync(age === 0 ? this.#path : `${this.#path}.${age}`, `${this.#path}.${age + 1}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#onFault((error as Error).message);
      }
    }
    // The old one is closed when the new one is there: a number that was closed may be a client's connection a moment later.
    const next = openSync(this.#path, "a", 0o600);
    closeSync(this.#descriptor);
    this.#descriptor = next;
    this.#size = fstatSync(next).size;
  }
}
