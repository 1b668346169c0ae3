/**
 * Follows one stream of records: polls, keeps the merged state in memory and in a snapshot file, and knows how fresh it is. A copy of
 * GUMS or SAZ decides from this memory alone, so a database that is away costs freshness and writes, never an answer.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { steadyMilliseconds } from "../../src/world/index.ts";
import {
  type Cursor,
  type Fields,
  type Fold,
  Merged,
  PAGE,
  type RecordedEvent,
  type Records,
  type RecordsError,
  type SavedMerge,
  type Stream,
} from "./event.ts";

/** What the events become: the last of each key, or a fold of one's own. */
export type Folding<State extends Fold> =
  | { readonly keyOf: (fields: Fields) => string; readonly fold?: never }
  | { readonly fold: State; readonly keyOf?: never };

export interface FollowerOptions {
  readonly stream: Stream;
  readonly records: Records;
  /** Where the snapshot lies. */
  readonly file: string;
  /** Milliseconds between polls; 200 when silent. */
  readonly every?: number;
  /** Milliseconds between two snapshots of a changed state at least; 250 when silent. */
  readonly saveEvery?: number;
  readonly onChange?: () => void;
  readonly onFault?: (says: string) => void;
  readonly onReturn?: () => void;
  /** Told when the snapshot cannot be written, and when it can again. */
  readonly onSnapshot?: (says: string) => void;
}

interface SavedSnapshot {
  readonly format: 1;
  readonly stream: Stream;
  /** Milliseconds since the epoch at which the database was last seen. */
  readonly seen: number;
  readonly state: SavedMerge;
}

/** Milliseconds between two writings of the snapshot: when only its "last seen" changes, and when its content does. */
const SEEN_SAVED_EVERY = 5000;
const CHANGE_SAVED_EVERY = 250;
/** A large snapshot is written less often: for each millisecond it cost, so many pass until the next. */
const REST = 20;

export class Follower<State extends Fold = Merged> {
  readonly #options: FollowerOptions;
  readonly merged: State;
  #seen = 0;
  /** When that was by the steady clock; for a snapshot of an earlier life it is worked out from its date. */
  #seenSteady = 0;
  #saved = Number.NEGATIVE_INFINITY;
  #cost = 0;
  #unsaved = false;
  #dirty = false;
  #timer: NodeJS.Timeout | null = null;
  #polling: Promise<void> | null = null;
  #saving: Promise<void> | null = null;
  #fault: string | null = "the database has not been asked yet";
  #closed = false;

  constructor(options: FollowerOptions & Folding<State>) {
    this.#options = options;
    // Without a fold the state is what is merged by key, and that is what the type parameter then says.
    this.merged = options.keyOf === undefined ? options.fold : (new Merged(options.keyOf) as Fold as State);
    this.#restore();
  }

  /** Begins to poll; the first outcome is awaited so that a fresh copy does not answer from nothing when it need not. */
  async start(): Promise<void> {
    await this.poll();
    const every = this.#options.every ?? 200;
    const again = (): void => {
      this.#timer = setTimeout(() => void this.poll().finally(() => !this.#closed && again()), every);
    };
    again();
  }

  /** Asks now. Never throws: what went wrong is in {@link fault}. */
  poll(): Promise<void> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = null;
    });
    return this.#polling;
  }

  /** Writes one event and takes it into memory at once. */
  async append(fields: Fields): Promise<RecordedEvent> {
    const event = await this.#options.records.append(this.#options.stream, fields, this.merged.counter);
    if (this.merged.take(event)) this.changed();
    // Events of the same origin written through another copy stand before it: fetch them, then this one is taken.
    else await this.#freshPoll();
    return event;
  }

  /** Has this copy an event? */
  has(origin: number, seq: number): boolean {
    return (this.merged.cursor()[String(origin)] ?? 0) >= seq;
  }

  cursor(): Cursor {
    return this.merged.cursor();
  }

  get stream(): Stream {
    return this.#options.stream;
  }

  /** Why the database is out of sight, or `null`. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Milliseconds since the epoch at which the database was last seen; 0 is never. */
  get seen(): number {
    return this.#seen;
  }

  /** Milliseconds since the database was last seen, whatever was done to the clock meanwhile; `null` when it never was. */
  age(): number | null {
    return this.#seen === 0 ? null : Math.max(0, steadyMilliseconds() - this.#seenSteady);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#polling;
    await this.#saveAtEnd();
    await this.#options.records.close();
  }

  async #freshPoll(): Promise<void> {
    // A poll under way may have read before the event was written.
    await this.#polling;
    await this.poll();
  }

  async #poll(): Promise<void> {
    const { records, stream } = this.#options;
    try {
      for (;;) {
        const asked = [Date.now(), steadyMilliseconds()] as const;
        const events = await records.since(stream, this.merged.cursor(), PAGE);
        let taken = 0;
        for (const event of events) if (this.merged.take(event)) taken++;
        if (taken > 0) this.changed();
        [this.#seen, this.#seenSteady] = asked;
        if (events.length < PAGE || taken === 0) break;
      }
      if (this.#fault !== null) this.#options.onReturn?.();
      this.#fault = null;
    } catch (error) {
      const says = (error as RecordsError).message;
      if (this.#fault !== says) this.#options.onFault?.(says);
      this.#fault = says;
    }
    this.#save();
  }

  /** Takes an event that another copy sent. */
  learn(event: RecordedEvent): void {
    if (this.merged.learn(event)) this.changed();
  }

  /** The state changed by other means than a poll: it is to be saved and told. */
  changed(): void {
    this.#dirty = true;
    this.#options.onChange?.();
  }

  #restore(): void {
    try {
      const saved = JSON.parse(readFileSync(this.#options.file, "utf8")) as SavedSnapshot;
      if (saved.format !== 1 || saved.stream !== this.#options.stream) return;
      this.merged.restore(saved.state);
      this.#seen = saved.seen;
      this.#seenSteady = steadyMilliseconds() - Math.max(0, Date.now() - saved.seen);
    } catch (error) {
      // No snapshot is a first start. A damaged one is worth less than the database, and is written anew.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT")
        this.#options.onFault?.(
          `snapshot ${this.#options.file} cannot be read (${(error as Error).message}): going on without it`,
        );
    }
  }

  /** Whether a snapshot is due; after a failure the disk is left alone for as long as for a mere "last seen". */
  #due(now: number): boolean {
    const { saveEvery = CHANGE_SAVED_EVERY } = this.#options;
    const every = this.#dirty && !this.#unsaved ? saveEvery : Math.max(saveEvery, SEEN_SAVED_EVERY);
    return this.#seen > 0 && now - this.#saved >= Math.max(every, this.#cost * REST);
  }

  #snapshot(): string {
    const began = performance.now();
    const snapshot: SavedSnapshot = {
      format: 1,
      stream: this.#options.stream,
      seen: this.#seen,
      state: this.merged.save(),
    };
    const text = JSON.stringify(snapshot);
    this.#saved = began;
    this.#cost = performance.now() - began;
    this.#dirty = false;
    return text;
  }

  /** Writes the snapshot beside the service: decisions do not wait for a disk. */
  #save(): void {
    if (this.#saving !== null || !this.#due(performance.now())) return;
    this.#saving = replaceFileLater(this.#options.file, this.#snapshot())
      .then(
        () => this.#onSaved(),
        (error: Error) => this.#onUnsaved(error),
      )
      .finally(() => {
        this.#saving = null;
      });
  }

  async #saveAtEnd(): Promise<void> {
    await this.#saving;
    if (this.#seen === 0) return;
    try {
      replaceFile(this.#options.file, this.#snapshot());
      this.#onSaved();
    } catch (error) {
      this.#onUnsaved(error as Error);
    }
  }

  #onSaved(): void {
    if (this.#unsaved) this.#options.onSnapshot?.("the snapshot is written again");
    this.#unsaved = false;
  }

  #onUnsaved(error: Error): void {
    if (!this.#unsaved) this.#options.onSnapshot?.(`the snapshot cannot be written: ${error.message}`);
    this.#unsaved = true;
    this.#dirty = true;
  }
}

/**
 * Writes a file so that after a power cut or on a full disk the old or the new text is there, never a part. One name for what is half
 * written (not `writeFileDurably`'s random one), because a program that is killed again and again must not leave one for each time.
 */
export function replaceFile(path: string, text: string): void {
  const descriptor = openSync(`${path}.new`, "w", 0o600);
  try {
    // A nearly full disk takes a part and calls that success: this goes on until all is written, or fails.
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(`${path}.new`, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(`${path}.new`, path);
}

/** The same as {@link replaceFile}, without keeping anybody waiting; one at a time for each file. */
async function replaceFileLater(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(`${path}.new`, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}
