/**
 * Small files of a directory that somebody else keeps, read when they change and not again until then. Everything is bounded before it is
 * read, only plain files are opened (a pipe would keep us waiting), and whatever is wrong with one is a sentence about that one.
 */
import { constants } from "node:fs";
import { open, readdir } from "node:fs/promises";

/** One file as it stands. */
export interface Kept<Value> {
  readonly path: string;
  /** What it says; of one that cannot be read, what it said last where that is still to be believed; else `null`. */
  readonly value: Value | null;
  /** What is wrong with it, or `null`. */
  readonly fault: string | null;
}

export interface Take<Value> {
  readonly path: string;
  /** Octets accepted. */
  readonly octets: number;
  readonly parse: (content: Buffer) => Value;
  /** Of a file that has become unreadable, go on with what it said before: right for what restricts, wrong for what permits. */
  readonly keepLast: boolean;
}

/** Octets of all files of one shelf. */
const TOTAL = 96 * 1024 * 1024;

interface Entry {
  readonly stamp: string;
  readonly octets: number;
  readonly kept: Kept<unknown>;
}

/** @returns names in order; `null` when there is no such directory. @throws the system's error, and for more than `most` */
export async function namesIn(directory: string, most: number): Promise<readonly string[] | null> {
  try {
    const names = await readdir(directory);
    if (names.length > most) throw new Error(`more than ${most} files: none of them is believed`);
    return names.sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export class Shelf {
  #entries = new Map<string, Entry>();
  #next = new Map<string, Entry>();
  #octets = 0;
  #changed = false;

  /** Begins a look at everything. */
  begin(): void {
    this.#next = new Map();
    this.#octets = 0;
    this.#changed = false;
  }

  /** Ends it: what was not taken in it is forgotten. @returns whether anything is not as it was */
  end(): boolean {
    const changed = this.#changed || this.#next.size !== this.#entries.size;
    this.#entries = this.#next;
    return changed;
  }

  /** @returns the same object as the last time when the file is the same. Never throws. */
  async take<Value>({ path, octets, parse, keepLast }: Take<Value>): Promise<Kept<Value>> {
    const known = this.#entries.get(path);
    const last = (keepLast ? (known?.kept.value ?? null) : null) as Value | null;
    let stamp = "";
    let kept: Kept<Value>;
    let length = 0;
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const about = await file.stat({ bigint: true });
        if (!about.isFile()) throw new Error("it is no plain file");
        length = Number(about.size);
        stamp = `${about.dev}:${about.ino}:${about.size}:${about.mtimeNs}:${about.ctimeNs}`;
        if (length > octets) throw new Error(`it has more than ${octets} octets`);
        if (this.#octets + length > TOTAL) throw new Error(`with it there are more than ${TOTAL} octets`);
        if (known?.stamp === stamp) return this.#enter(path, known) as Kept<Value>;
        const content = Buffer.alloc(length);
        const { bytesRead } = await file.read(content, 0, length, 0);
        if (bytesRead !== length) throw new Error("it is being written");
        kept = { path, value: parse(content), fault: null };
      } finally {
        await file.close();
      }
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      length = 0;
      // The same fault of the same file is the same news.
      if (known !== undefined && known.stamp === stamp && known.kept.fault === fault)
        return this.#enter(path, known) as Kept<Value>;
      kept = { path, value: last, fault };
    }
    this.#changed = true;
    return this.#enter(path, { stamp, octets: length, kept }) as Kept<Value>;
  }

  #enter(path: string, entry: Entry): Kept<unknown> {
    this.#next.set(path, entry);
    this.#octets += entry.octets;
    return entry.kept;
  }
}
