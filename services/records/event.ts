/**
 * What is written down (bans, mappings, members, pool accounts): events that are only ever appended, keyed by the server that took them (origin)
 * and that server's own gapless count (seq). Two servers in circular replication can so never write the same key, and every copy that
 * has the same events has the same state, whatever order they came in.
 *
 * The order of events is (counter, origin, seq): the counter is one more than the highest that the writer could see (Lamport's), so
 * whoever has seen a ban and lifts it comes after it. Clocks are recorded for people and never compared.
 */

/** What is written down, and which fields each kind has, with their greatest length in characters. */
export const STREAMS = {
  ban: { kind: 16, value: 1024, action: 8, reason: 500, actor: 255 },
  // A field that came later stands last and in LATER (schema.ts): tables of an earlier version get it as an empty text.
  mapping: { action: 8, subject: 1024, account: 64, groupname: 64, reason: 500, actor: 255, mapper: 255 },
  /** Who is in a manual user group. */
  member: { group: 255, action: 8, subject: 1024, fqan: 1024, email: 255, reason: 500, actor: 255 },
  /** Pool accounts: pool-ledger.ts says what follows from them. */
  pool: { pool: 255, action: 8, subject: 1024, account: 64, reason: 500, actor: 255 },
  /** People of virtual organizations: `src/vo/facts.ts` says what each kind is. `value` is JSON. */
  vo: { vo: 64, kind: 16, name: 255, action: 16, value: 6000, reason: 500, actor: 1024 },
  /** What SAZ was asked about and nobody had named before. */
  seen: { kind: 16, value: 1024 },
} as const satisfies Record<string, Readonly<Record<string, number>>>;

export type Stream = keyof typeof STREAMS;

/** The fields of an event, all text. */
export type Fields = Readonly<Record<string, string>>;

export interface RecordedEvent {
  /** Identity of the data directory that took it: services/mariadb/install.ts says how it is made. */
  readonly origin: number;
  /** 1, 2, 3 … for each origin and stream, without gaps. */
  readonly seq: number;
  readonly counter: number;
  /** ISO 8601, by the writing server's clock; for people only. */
  readonly at: string;
  readonly fields: Fields;
}

/** Highest seq known of each origin. */
export type Cursor = Readonly<Record<string, number>>;

export type RecordsErrorCode =
  /** Nobody answers; nothing was written. */
  | "away"
  /** It broke while the answer was awaited: it may have been written. */
  | "unknown"
  /** The database answers and will not take writes now (catching up). */
  | "read-only"
  /** The database answers and says no (rights, a defect). */
  | "refused";

export class RecordsError extends Error {
  override readonly name = "RecordsError";
  readonly code: RecordsErrorCode;
  constructor(code: RecordsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The repository that GUMS and SAZ use; MariaDB or SQLite stand behind it. */
export interface Records {
  /**
   * Writes one event durably.
   * @param after the highest counter the caller has seen: the event comes after it
   * @throws {RecordsError}
   */
  append(stream: Stream, fields: Fields, after: number): Promise<RecordedEvent>;
  /**
   * @returns events not covered by the cursor, each origin's in the order of its seq; at most `limit`
   * @throws {RecordsError}
   */
  since(stream: Stream, cursor: Cursor, limit: number): Promise<readonly RecordedEvent[]>;
  /** Shows these certificates from the next connection on. */
  renew(tls: { readonly ca: string; readonly cert: string; readonly key: string }): void;
  close(): Promise<void>;
}

/** @returns an event as another copy sends it, or `null` when it is none of this stream */
export function readEvent(stream: Stream, value: unknown): RecordedEvent | null {
  if (value === null || typeof value !== "object") return null;
  const { origin, seq, counter, at, fields } = value as Record<string, unknown>;
  const whole = [origin, seq, counter].every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
  if (!whole || typeof at !== "string" || at.length > 24 || fields === null || typeof fields !== "object") return null;
  const read: Record<string, string> = {};
  for (const [name, limit] of Object.entries(STREAMS[stream])) {
    const text = (fields as Record<string, unknown>)[name];
    if (typeof text !== "string" || text.length > limit) return null;
    read[name] = text;
  }
  return { origin: origin as number, seq: seq as number, counter: counter as number, at, fields: read };
}

/** How many events are read at once. */
export const PAGE = 2000;

/** @returns less than 0 when a comes before b in the one order all copies share */
export function compareEvents(a: RecordedEvent, b: RecordedEvent): number {
  return a.counter - b.counter || a.origin - b.origin || a.seq - b.seq;
}

/** What a follower makes of a stream: a state that depends on the set of events alone. */
export interface Fold {
  /**
   * Takes an event that follows directly on what is covered of its origin.
   * @returns true when it was new; false also after a gap, because the rows of that gap must come first
   */
  take(event: RecordedEvent): boolean;
  /** Takes an event that somebody else read, whatever else of its origin is still missing. @returns true when it changed anything */
  learn(event: RecordedEvent): boolean;
  /** Highest counter seen. */
  readonly counter: number;
  cursor(): Cursor;
  /** For the snapshot file. */
  save(): SavedMerge;
  restore(saved: SavedMerge): void;
}

/**
 * Keeps, for each key, the last event in the shared order. The outcome depends on the set of events alone, not on their order of arrival
 * or on repetition.
 */
export class Merged implements Fold {
  readonly #latest = new Map<string, RecordedEvent>();
  readonly #cursor = new Map<string, number>();
  readonly #keyOf: (fields: Fields) => string;
  #counter = 0;

  constructor(keyOf: (fields: Fields) => string) {
    this.#keyOf = keyOf;
  }

  /** @returns true when the event was new */
  take(event: RecordedEvent): boolean {
    const origin = String(event.origin);
    const known = this.#cursor.get(origin) ?? 0;
    if (event.seq <= known) return false;
    // A gap means rows of this origin are missing; they must come first, or the cursor would pass over them for good.
    if (event.seq !== known + 1) return false;
    this.#cursor.set(origin, event.seq);
    this.learn(event);
    return true;
  }

  /**
   * Takes an event that somebody else read, whatever else of its origin is still missing here: the last of each key does not depend on the
   * order of arrival. The cursor stays, so the event is read again in its turn.
   * @returns true when it changed what is last
   */
  learn(event: RecordedEvent): boolean {
    this.#counter = Math.max(this.#counter, event.counter);
    const key = this.#keyOf(event.fields);
    const before = this.#latest.get(key);
    if (before !== undefined && compareEvents(before, event) >= 0) return false;
    this.#latest.set(key, event);
    return true;
  }

  /** Number of keys. */
  get size(): number {
    return this.#latest.size;
  }

  get(key: string): RecordedEvent | undefined {
    return this.#latest.get(key);
  }

  get counter(): number {
    return this.#counter;
  }

  cursor(): Cursor {
    return Object.fromEntries(this.#cursor);
  }

  /** Last event of each key, in the shared order. */
  events(): readonly RecordedEvent[] {
    return [...this.#latest.values()].sort(compareEvents);
  }

  /** For the snapshot file. */
  save(): SavedMerge {
    return { cursor: this.cursor(), counter: this.#counter, events: this.events() };
  }

  restore(saved: SavedMerge): void {
    for (const event of saved.events) this.#latest.set(this.#keyOf(event.fields), event);
    for (const [origin, seq] of Object.entries(saved.cursor)) this.#cursor.set(origin, seq);
    this.#counter = saved.counter;
  }
}

export interface SavedMerge {
  readonly cursor: Cursor;
  readonly counter: number;
  readonly events: readonly RecordedEvent[];
}
