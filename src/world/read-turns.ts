/**
 * Who may be read from, when many connections of one key (a community, an address) have something to say at once. The kernel tells of all of
 * them in one turn of the loop, and whoever comes next waits until all were read: a thousand at ten microseconds are ten milliseconds.
 * So a key of which more than some speak in one turn is read by turns for a while: some of its connections are read, the others' octets stay
 * in the kernel, and each that has spoken gives its place to the next. Everybody else never notices.
 */
import type { Socket } from "node:net";

export interface ReadTurnsLimits {
  /** Connections of one key that are read at once, while it is read by turns; more in one turn of the loop start that. */
  readonly atOnce: number;
  /** Milliseconds without a crowded turn after which it ends. */
  readonly calm: number;
  /** Milliseconds after which one that has not spoken gives its place to the next. */
  readonly rotate: number;
}

/** Sixteen take two tenths of a millisecond. Reading by turns costs a fifth of each call, so a key that is alone is never read so. */
export const READ_TURNS: ReadTurnsLimits = { atOnce: 16, calm: 1000, rotate: 5 };

/** A connection that can be kept from being read. */
export interface Readable {
  hold(): void;
  release(): void;
}

/**
 * Stops reading below the stream: `pause()` would still read and decrypt up to the stream's buffer, and that work is what is to be avoided.
 * The stream's own idea of whether it reads is left as it is, so that it does not start again by itself.
 */
export function readableOf(socket: Socket): Readable {
  const inner = socket as unknown as {
    readonly _handle: { readonly reading: boolean; readStart?(): number; readStop?(): number } | null;
  };
  return {
    hold: () => void inner._handle?.readStop?.(),
    // A stream that has stopped by itself, because nobody takes its octets, starts by itself.
    release: () => void (inner._handle?.reading && inner._handle.readStart?.()),
  };
}

interface Lane {
  readonly mayRead: () => boolean;
  readonly members: Set<Readable>;
  /** While read by turns: those that are read, longest first, and those that wait. */
  readonly read: Set<Readable>;
  readonly held: Set<Readable>;
  spoken: number;
  byTurns: boolean;
  pressed: number;
}

export class ReadTurns<Key> {
  readonly #limits: ReadTurnsLimits;
  readonly #mayRead: (key: Key) => boolean;
  readonly #lanes = new Map<Key, Lane>();
  readonly #byTurns = new Set<Lane>();
  readonly #spoken: Lane[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** How often a key began to be read by turns. */
  begun = 0;

  /** @param mayRead whether there is room for what a key that is read by turns says; when there is again, {@link ReadTurns.goOn} is to be called */
  constructor(mayRead: (key: Key) => boolean = () => true, limits: ReadTurnsLimits = READ_TURNS) {
    this.#mayRead = mayRead;
    this.#limits = limits;
  }

  /** Keys that are read by turns now. */
  get crowded(): number {
    return this.#byTurns.size;
  }

  join(key: Key, source: Readable): void {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = {
        mayRead: () => this.#mayRead(key),
        members: new Set(),
        read: new Set(),
        held: new Set(),
        spoken: 0,
        byTurns: false,
        pressed: 0,
      };
      this.#lanes.set(key, lane);
    }
    lane.members.add(source);
    if (lane.byTurns) lane.read.add(source);
  }

  leave(key: Key, source: Readable): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    lane.members.delete(source);
    lane.held.delete(source);
    if (lane.read.delete(source)) this.#next(lane);
    if (lane.members.size > 0) return;
    this.#byTurns.delete(lane);
    this.#lanes.delete(key);
  }

  /** To be told of each time octets of a connection came. */
  spoke(key: Key, source: Readable): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    if (lane.spoken++ === 0) {
      if (this.#spoken.push(lane) === 1) setImmediate(this.#endTurn);
    }
    if (!lane.byTurns) {
      const crowd = lane.spoken > this.#limits.atOnce && lane.members.size > this.#limits.atOnce;
      // Nobody is kept waiting by a key that is alone.
      if (crowd && this.#lanes.size > 1) this.#begin(lane);
    } else if (lane.held.size > 0 && lane.read.delete(source)) {
      source.hold();
      lane.held.add(source);
      this.#next(lane);
    }
  }

  /** There is room again for what a key says. */
  goOn(key: Key): void {
    if (this.#byTurns.size === 0) return;
    const lane = this.#lanes.get(key);
    if (lane?.byTurns) this.#fill(lane);
  }

  readonly #endTurn = (): void => {
    const now = performance.now();
    for (const lane of this.#spoken) {
      if (lane.spoken * 2 >= this.#limits.atOnce) lane.pressed = now;
      lane.spoken = 0;
    }
    this.#spoken.length = 0;
  };

  #begin(lane: Lane): void {
    this.begun++;
    lane.byTurns = true;
    lane.pressed = performance.now();
    this.#byTurns.add(lane);
    for (const source of lane.members) {
      if (lane.read.size < this.#limits.atOnce) lane.read.add(source);
      else {
        source.hold();
        lane.held.add(source);
      }
    }
    this.#timer ??= setInterval(() => this.#rotate(), this.#limits.rotate).unref();
  }

  #fill(lane: Lane): void {
    while (this.#next(lane));
  }

  /** The one that has waited longest is read. @returns whether there was one, and room for it */
  #next(lane: Lane): boolean {
    if (lane.read.size >= this.#limits.atOnce) return false;
    const next = lane.held.values().next();
    if (next.done) return false;
    if (!lane.mayRead()) {
      // It is we who read so little: the crowd is there.
      lane.pressed = performance.now();
      return false;
    }
    lane.held.delete(next.value);
    lane.read.add(next.value);
    next.value.release();
    return true;
  }

  #rotate(): void {
    const now = performance.now();
    for (const lane of this.#byTurns) {
      if (now - lane.pressed > this.#limits.calm) this.#end(lane);
      else {
        for (const source of [...lane.read].slice(0, Math.min(lane.read.size, lane.held.size))) {
          lane.read.delete(source);
          source.hold();
          lane.held.add(source);
          this.#next(lane);
        }
        this.#fill(lane);
      }
    }
    if (this.#byTurns.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #end(lane: Lane): void {
    lane.byTurns = false;
    this.#byTurns.delete(lane);
    for (const source of lane.held) source.release();
    lane.held.clear();
    lane.read.clear();
  }
}
