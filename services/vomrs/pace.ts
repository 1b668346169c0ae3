/**
 * How often one person may change something. Everything is recorded for good, and much of it is told to others by e-mail: what nobody would do by hand
 * must not be done by a program either. Each copy counts for itself. Those who decide about others are not held back.
 */
import { Refusal } from "../http/index.ts";

/** Changes at once, milliseconds after which one more may be made, and people that are remembered. */
const LIMITS = { burst: 60, each: 10_000, people: 10_000 } as const;

export class Pace {
  /** Person → when his whole burst would be there again. The one who has not come for longest is first. */
  readonly #full = new Map<string, number>();

  /**
   * @param now milliseconds since the epoch
   * @throws {Refusal} 429
   */
  take(person: string, now: number): void {
    const { burst, each, people } = LIMITS;
    const full = Math.max(now, this.#full.get(person) ?? 0) + each;
    if (full - now > burst * each)
      throw new Refusal(
        429,
        `${burst} changes in a short time are enough: another one can be made every ${each / 1000} seconds`,
      );
    this.#full.delete(person);
    this.#full.set(person, full);
    for (const [other, at] of this.#full) {
      if (this.#full.size <= people && at > now) break;
      this.#full.delete(other);
    }
  }
}
