/**
 * The steady load and the probers, at every door for the whole test, and all they saw on one clock (`performance.now()`, milliseconds), so that
 * whoever judges cuts out of it what belongs to one kill.
 */
import { type CallOutcome, type Prober, runLoad, startProber } from "../../probe/index.ts";
import type { TlsIdentity } from "../../world/index.ts";
import type { Door } from "./doors.ts";

/** One call of the load; `began` is when it was meant to begin. */
export interface WatchedCall {
  readonly door: string;
  readonly began: number;
  readonly ended: number;
  readonly outcome: CallOutcome;
  readonly attempts: number;
  /** What the last failed attempt saw; empty when none failed. */
  readonly says: string;
}

/** From the last good answer before to the first good answer after. */
export interface WatchedGap {
  readonly door: string;
  readonly from: number;
  readonly to: number;
  readonly says: string;
}

/** This process itself stood still: what it measured then is its own delay. */
export interface Stall {
  readonly at: number;
  readonly ms: number;
}

export interface Pace {
  /** Calls a second at each door. */
  readonly perSecond: number;
  /** Share of calls that write, where a door has requests that write. */
  readonly writeShare: number;
}

/**
 * Milliseconds from one question to the next, and until one counts as failed. Few wait at a time: where nobody answers, fifty handshakes a second
 * at each door would be a storm that keeps down what tries to come back; those that are withheld count as failed.
 */
const PROBE = { spacing: 20, timeout: 2000, outstanding: 8 } as const;
/** Milliseconds that one call has with its repetitions; see `runLoad`. */
export const BUDGET = 3000;
/** Milliseconds without a good answer after which a door counts as shut: when questions failed since, and when none ended at all. */
const SHUT = { failing: 1000, silent: 2500 } as const;
/** Milliseconds of lateness that are worth a note. */
const STALL = { look: 20, least: 150 } as const;

export class Watch {
  readonly calls: WatchedCall[] = [];
  readonly stalls: Stall[] = [];
  readonly #doors: readonly Door[];
  readonly #tls: TlsIdentity;
  readonly #pace: Pace;
  readonly #probers = new Map<string, { readonly prober: Prober; readonly base: number }>();
  readonly #good = new Map<string, number>();
  readonly #failed = new Map<string, { readonly at: number; readonly says: string }>();
  readonly #loads: Promise<unknown>[] = [];
  readonly #over = new AbortController();

  constructor(doors: readonly Door[], tls: TlsIdentity, pace: Pace) {
    this.#doors = doors;
    this.#tls = tls;
    this.#pace = pace;
  }

  /** Begins at each door a little after the last, so that they do not all ask in the same moment. */
  async start(): Promise<void> {
    this.#watchOwnLoop();
    for (const door of this.#doors) {
      this.#probe(door);
      if (door.alias && door.samples.length > 0) this.#load(door);
      await new Promise((resolve) => setTimeout(resolve, PROBE.spacing / this.#doors.length));
    }
  }

  /** @returns gaps so far, those that last among them */
  gaps(): readonly WatchedGap[] {
    return [...this.#probers].flatMap(([door, { prober, base }]) =>
      prober.report().gaps.map(({ from, to, says }) => ({ door, from: base + from, to: base + to, says })),
    );
  }

  /** @returns doors at which nobody answers now, and what is seen there */
  shut(): readonly { readonly door: string; readonly says: string }[] {
    const now = performance.now();
    return this.#doors.flatMap(({ name }) => {
      const good = this.#good.get(name) ?? 0;
      const failed = this.#failed.get(name);
      if (failed && failed.at > good && good < now - SHUT.failing) return [{ door: name, says: failed.says }];
      return good < now - SHUT.silent ? [{ door: name, says: "no answer came" }] : [];
    });
  }

  async stop(): Promise<void> {
    this.#over.abort();
    for (const { prober } of this.#probers.values()) prober.stop();
    await Promise.all(this.#loads);
  }

  #probe({ name, ask }: Door): void {
    const base = performance.now();
    const prober = startProber({
      ask,
      spacingMs: PROBE.spacing,
      timeoutMs: PROBE.timeout,
      mostOutstanding: PROBE.outstanding,
      onSample: ({ outcome, endedAt, says }) => {
        if (outcome === "good") this.#good.set(name, base + endedAt);
        else this.#failed.set(name, { at: base + endedAt, says });
      },
    });
    this.#probers.set(name, { prober, base });
  }

  #load({ name, alias, samples }: Door): void {
    const secure = samples.some(({ scheme }) => scheme === "https");
    const base = performance.now();
    this.#loads.push(
      runLoad({
        target: { address: alias!.address, port: alias!.port, servername: secure ? name : null },
        tls: secure ? this.#tls : null,
        samples,
        writeShare: samples.some(({ kind }) => kind === "write") ? this.#pace.writeShare : null,
        pace: { kind: "open", perSecond: this.#pace.perSecond },
        seconds: Number.POSITIVE_INFINITY,
        budgetMs: BUDGET,
        repeatRefused: true,
        signal: this.#over.signal,
        onCall: ({ at, tookMs, outcome, attempts, says }) =>
          this.calls.push({ door: name, began: base + at - tookMs, ended: base + at, outcome, attempts, says }),
      }),
    );
  }

  #watchOwnLoop(): void {
    let due = performance.now() + STALL.look;
    const timer = setInterval(() => {
      const now = performance.now();
      if (now - due > STALL.least) this.stalls.push({ at: due, ms: now - due });
      due = now + STALL.look;
    }, STALL.look);
    this.#over.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }
}
