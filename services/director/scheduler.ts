/**
 * Which copy gets a new connection: a table of schedulers, and in front of it the memory of who went where (source persistence).
 * Refused: weights. All copies of a service are alike; what differs is how busy they are, and that is what least-connections counts.
 */
import type { Scheduler } from "../../src/model/index.ts";
import type { Copy } from "./copy.ts";

type Choose = (candidates: readonly Copy[], turn: number) => Copy | undefined;

export const SCHEDULERS: Readonly<Record<Scheduler, Choose>> = {
  "round-robin": (candidates, turn) => candidates[turn % candidates.length],
  // Ties go round, so that the first copy does not get every call of a quiet site.
  "least-connections": (candidates, turn) => {
    const least = Math.min(...candidates.map((copy) => copy.counters.active));
    const equal = candidates.filter((copy) => copy.counters.active === least);
    return equal[turn % equal.length];
  },
};

/** Most client addresses remembered by one alias; the longest unseen are forgotten first. */
const MOST_REMEMBERED = 65_536;
/** Most client addresses told to the peer in one heartbeat. */
const NEWS = 64;

/** Client address, the guest it stays with, and for how many seconds more. */
export type Stay = readonly [client: string, guest: string, seconds: number];

/** @returns whether it is one: it came over the line from the peer */
export function isStay(value: unknown): value is Stay {
  return (
    Array.isArray(value) &&
    typeof value[0] === "string" &&
    value[0].length <= 45 &&
    typeof value[1] === "string" &&
    typeof value[2] === "number" &&
    value[2] > 0
  );
}

/** Client address → guest, for a number of seconds after its last connection. */
export class Persistence {
  readonly #places = new Map<string, { guest: string; until: number }>();
  readonly #most: number;
  /** Placed since the peer was last told. */
  #fresh = new Set<string>();
  #turn: Iterator<string> = this.#places.keys();

  constructor(most = MOST_REMEMBERED) {
    this.#most = most;
  }

  /** @param now monotonic milliseconds */
  find(client: string, now: number): string | null {
    const place = this.#places.get(client);
    if (place === undefined) return null;
    if (place.until > now) return place.guest;
    this.#places.delete(client);
    return null;
  }

  /** @param seconds how long from now */
  remember(client: string, guest: string, seconds: number, now: number): void {
    if (this.#places.get(client)?.guest !== guest && this.#fresh.size < NEWS) this.#fresh.add(client);
    this.#places.delete(client);
    if (this.#places.size >= this.#most) {
      const oldest = this.#places.keys().next();
      if (!oldest.done) this.#places.delete(oldest.value);
    }
    this.#places.set(client, { guest, until: now + seconds * 1000 });
  }

  /**
   * What the peer should know: who was placed since the last time, filled up with the next of the others in turn, so that a peer that
   * has just come learns of all without anybody keeping a record of what it knows.
   * @param now monotonic milliseconds
   */
  news(now: number): Stay[] {
    const told = new Set(this.#fresh);
    this.#fresh = new Set();
    for (let k = told.size; k < NEWS; k++) {
      const next = this.#turn.next();
      if (next.done) {
        this.#turn = this.#places.keys();
        break;
      }
      told.add(next.value);
    }
    const stays: Stay[] = [];
    for (const client of told) {
      const place = this.#places.get(client);
      if (place === undefined) continue;
      if (place.until > now) stays.push([client, place.guest, Math.ceil((place.until - now) / 1000)]);
      else this.#places.delete(client);
    }
    return stays;
  }

  get size(): number {
    return this.#places.size;
  }
}
