/** One step of a stress test: a load for some seconds, what came of it, who used what. */
import { loadavg } from "node:os";
import type { BlueprintAlias, Objectives } from "../../model/index.ts";
import type { LoadOptions } from "../../probe/index.ts";
import type { SampleRequest } from "../../recipes/index.ts";
import type { StressStep } from "../contract.ts";
import type { Generators, Together } from "./generators.ts";
import { broken } from "./judging.ts";
import { idleBetween, type Meter, usesBetween } from "./meter.ts";

/** What is asked, and how it is judged. */
export interface Target {
  readonly alias: BlueprintAlias;
  /** Not empty; reads alone: what a test writes would stay in the site's records for ever. */
  readonly samples: readonly SampleRequest[];
  readonly objectives: Objectives;
  /** Addresses that calls come from; the system chooses when empty. */
  readonly from: readonly string[];
}

export interface StepOrder {
  readonly kind: StressStep["kind"];
  readonly connections: StressStep["connections"];
  /** Calls a second, or clients in closed loop. */
  readonly offered: number;
  readonly seconds: number;
}

/** Calls come as those of clients that know nothing of each other. */
const paceOf = ({ kind, offered }: StepOrder): LoadOptions["pace"] =>
  kind === "closed" ? { kind: "closed", workers: offered } : { kind: "open", perSecond: offered, arrivals: "random" };

export class Stepper {
  readonly #generators: Generators;
  readonly #meter: Meter;
  readonly #signal: AbortSignal;
  /** What refusals and losses said, and how often. */
  readonly sentences = new Map<string, number>();

  constructor(generators: Generators, meter: Meter, signal: AbortSignal) {
    this.#generators = generators;
    this.#meter = meter;
    this.#signal = signal;
  }

  /** @returns `null` when it was interrupted. @throws ChildEnded when a generator failed */
  async step(target: Target, order: StepOrder): Promise<StressStep | null> {
    if (this.#signal.aborted) return null;
    const before = await this.#meter.look(target.alias);
    const running = this.#load(target, order);
    // What is used while the last answers are awaited is no longer this load's.
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, order.seconds * 1000);
      running.then(
        () => resolve(clearTimeout(timer)),
        () => resolve(clearTimeout(timer)),
      );
    });
    await over;
    const after = await this.#meter.look(target.alias).catch(() => before);
    const seen = await running;
    if (seen === null) return null;
    for (const [says, count] of Object.entries(seen.sentences))
      this.sentences.set(says, (this.sentences.get(says) ?? 0) + count);
    const closed = order.kind === "closed";
    const latency = (closed ? seen.service.corrected(seen.service.percentile(0.5)) : seen.response).summary();
    // Of calls that are answered as fast as the faster ones are, so many are under way at any moment (Little's law), and one more.
    const usual = (seen.calls / order.seconds) * (seen.response.percentile(0.25) / 1000) + 1;
    const waiting = closed ? null : { calls: seen.waiting, usual };
    const says = broken({ ...seen, latency, waiting }, target.objectives);
    return {
      ...order,
      offered: Math.round(order.offered * 100) / 100,
      answeredPerSecond: Math.round(seen.answeredPerSecond * 100) / 100,
      repeated: seen.repeated,
      refused: seen.refused,
      lost: seen.lost,
      latency,
      service: seen.service.summary(),
      lateMs: Math.round(seen.late.percentile(0.99) * 100) / 100,
      use: usesBetween(this.#meter.ground, target.alias, before, after),
      loadAverage: Math.round(loadavg()[0]! * 100) / 100,
      idle: Math.round(idleBetween(before, after) * 1000) / 1000,
      kept: says === "",
      says,
    };
  }

  /** Calls that nobody counts: programs that have just begun are slow. */
  async warmUp(target: Target, seconds: number): Promise<void> {
    await this.#load(target, { kind: "closed", connections: "new", offered: 8, seconds });
  }

  async #load({ alias, samples, from }: Target, order: StepOrder): Promise<Together | null> {
    const secure = samples[0]!.scheme === "https";
    try {
      return await this.#generators.run({
        target: { address: alias.address, port: alias.port, servername: secure ? alias.name : null },
        samples,
        pace: paceOf(order),
        seconds: order.seconds,
        keepAlive: order.connections === "kept",
        from,
        secure,
      });
    } catch (error) {
      if (this.#signal.aborted) return null;
      throw error;
    }
  }
}
