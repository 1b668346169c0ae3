/** How long a failover test still takes: by what the parts before took. */
import type { Victim } from "./victims.ts";

/** Seconds that a part takes on a small site, before anybody has measured one. */
const GUESS: Readonly<Record<Victim["kind"], number>> = { copy: 8, database: 12, director: 8, host: 16 };

export class Estimate {
  readonly #taken: { readonly kind: Victim["kind"]; readonly seconds: number }[] = [];

  note(kind: Victim["kind"], seconds: number): void {
    this.#taken.push({ kind, seconds });
  }

  /** @returns seconds that these parts will take: as long as others of their kind, or by the guess, corrected by how wrong it was */
  of(victims: readonly Victim[]): number {
    const guessed = this.#taken.reduce((sum, { kind }) => sum + GUESS[kind], 0);
    const wrong = guessed === 0 ? 1 : this.#taken.reduce((sum, { seconds }) => sum + seconds, 0) / guessed;
    return victims.reduce((sum, { kind }) => {
      const alike = this.#taken.filter((one) => one.kind === kind);
      const mean = alike.reduce((all, { seconds }) => all + seconds, 0) / alike.length;
      return sum + (alike.length > 0 ? mean : GUESS[kind] * wrong);
    }, 0);
  }
}
