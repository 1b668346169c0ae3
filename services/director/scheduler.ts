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

/** Client address → guest, for a number of seconds after its last connection. */
export class Persistence {
  readonly #places = new Map<string, { guest: string; until: number }>();
  readonly #most: number;

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
    this.#places.delete(client);
    if (this.#places.size >= this.#most) {
      const oldest = this.#places.keys().next();
      if (!oldest.done) this.#places.delete(oldest.value);
    }
    this.#places.set(client, { guest, until: now + seconds * 1000 });
  }

  get size(): number {
    return this.#places.size;
  }
}
