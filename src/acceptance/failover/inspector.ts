/** Looks at the whole site again and again until nothing is missing, and stays so. */
import { setTimeout as pause } from "node:timers/promises";
import { type Position, parsePosition } from "../../model/index.ts";
import { askDatabases } from "../../probe/index.ts";
import type { Subject } from "../subject.ts";
import { type Missing, missingOf } from "../whole.ts";
import type { Eyes } from "./eyes.ts";
import type { Watch } from "./watch.ts";
import { LEAD, type Window } from "./window.ts";
import { counted } from "./words.ts";

/** Milliseconds between two looks. */
const LOOK = 250;
/** Milliseconds that a whole site must stay whole before the next kill, whose window begins {@link LEAD} before it. */
const SETTLE = LEAD + 300;
/** Milliseconds that a server has to get what another had: its agent looks every 500, and what it says may be as old. */
const CATCH_UP = 1500;

export class Inspector {
  readonly #subject: Pick<Subject, "blueprint" | "tls" | "observe" | "signal">;
  readonly #eyes: Eyes;
  readonly #watch: Watch;
  /** What database servers had, the oldest look first. */
  #marks: { readonly at: number; readonly positions: readonly Position[] }[] = [];
  /** How often hosts had started each guest again before it was killed. */
  readonly #restarts = new Map<string, number>();

  constructor(subject: Pick<Subject, "blueprint" | "tls" | "observe" | "signal">, eyes: Eyes, watch: Watch) {
    this.#subject = subject;
    this.#eyes = eyes;
    this.#watch = watch;
  }

  /**
   * Waits until the site is whole and has stayed so.
   * @param deadline by `performance.now()`
   * @param window told when it became whole, and when it was whole no more
   * @returns what is missing when patience ended; `null` when nothing is
   * @throws AbortError when the test is interrupted
   */
  async untilWhole(deadline: number, window: Window | null): Promise<readonly Missing[] | null> {
    let since: number | null = null;
    for (;;) {
      const missing = await this.#look(window);
      if (missing.length === 0) {
        since ??= performance.now();
        if (performance.now() - since >= SETTLE) {
          if (window) window.wholeAt = since;
          return null;
        }
      } else {
        if (since !== null) window?.relapses.push({ at: performance.now(), missing });
        since = null;
      }
      // One that is whole at the deadline may still show that it stays so.
      if (since === null && performance.now() > deadline) return missing;
      await pause(LOOK, undefined, { signal: this.#subject.signal });
    }
  }

  /** Waits for the site after an interruption. @returns what is missing when patience ended, in a sentence; `null` when nothing is */
  async untilMended(deadline: number): Promise<string | null> {
    for (;;) {
      const missing = await this.#look(null).catch((error: Error) => [{ about: "the site", says: error.message }]);
      if (missing.length === 0) return null;
      if (performance.now() > deadline) return missing[0]!.says;
      await pause(LOOK);
    }
  }

  async #look(window: Window | null): Promise<readonly Missing[]> {
    const { blueprint, tls, observe } = this.#subject;
    const [seen, databases] = await Promise.all([observe(), askDatabases(blueprint, tls)]);
    for (const { guest, status, probe } of seen.guests) {
      const restarts = status?.restarts ?? 0;
      if (!window?.victim.guests.includes(guest.name)) {
        this.#restarts.set(guest.name, restarts);
        continue;
      }
      if (status?.state === "running" && probe.outcome !== "failed" && !window.answered.has(guest.name))
        window.answered.set(guest.name, performance.now());
      // A host that was without power counts anew.
      const before = this.#restarts.get(guest.name) ?? 0;
      const again = restarts < before ? restarts : restarts - before;
      if (again > 0)
        window.ends.set(
          guest.name,
          `its host has started it again ${counted(again, "time")}, ${status?.lastEnd ?? "it ended"}`,
        );
    }
    const missing = missingOf({
      blueprint,
      seen,
      directors: this.#eyes.directors,
      databases,
      mark: this.#markOf(performance.now() - CATCH_UP),
      shut: this.#watch.shut(),
    });
    this.#marks.push({
      at: performance.now(),
      positions: databases.flatMap(({ health }) => (health ? [parsePosition(health.gtid)] : [])),
    });
    return missing;
  }

  /** @returns what servers had at the last look before that moment; nothing when there was none */
  #markOf(before: number): readonly Position[] {
    const old = this.#marks.filter(({ at }) => at < before);
    this.#marks = this.#marks.slice(Math.max(0, old.length - 1));
    return old.at(-1)?.positions ?? [];
  }
}
