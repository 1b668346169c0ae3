/** How long each step of a stress test takes, so that the whole takes as long as was said. Pure. */

/** Seconds for a site when nothing is said: with `basic` and `failover` less than ten minutes for four aliases. */
export const DEFAULT_SECONDS = 210;
/** For each alias: less would say nothing of a 99th percentile. */
export const LEAST_SECONDS = 5;

/** All seconds. */
export interface Schedule {
  /** For the load generator's own limit, by scheme. */
  readonly limit: number;
  readonly warmUp: number;
  /** Of each step of the ramp, also those between the last that held and the first that did not. */
  readonly step: number;
  readonly bisections: number;
  readonly closed: number;
  readonly soak: number;
  /** With kept connections; 0: left out. */
  readonly kept: number;
  /** For one alias together, about; so many times as long as its steps, because what waits is answered between them. */
  readonly alias: number;
  readonly stretch: number;
}

/** Clients of the closed loop, one count after the other. */
export const CLIENTS = [4, 16, 48] as const;
/** Of the throughput of the closed loop: where the ramp stands. Above the last it goes on by the same factor. */
export const RAMP = [0.1, 0.35, 0.6, 0.8, 0.95, 1.12, 1.3] as const;
/** Steps above the closed loop's throughput: there the objectives break. */
const USUAL_STEPS = 6;
/** A step that broke is tried again: a busy moment of the machine is no limit of the service. */
const REPEATED = 2;
/** Seconds: a longer one says no more. */
const LONGEST_STEP = 8;
/** Seconds in which what waits is answered after a step, on the average. */
const DRAIN = 0.3;

/** @param seconds for the whole test @param aliases that are tested, and schemes among them */
export function scheduleOf(seconds: number, aliases: number, schemes: number): Schedule {
  const long = seconds / Math.max(1, aliases);
  const limit = clamp(0.06 * long, 0.5, 3);
  const each = Math.max(1, seconds - limit * schemes) / Math.max(1, aliases);
  const bisections = each >= 60 ? 3 : each >= 20 ? 2 : 1;
  const steps = USUAL_STEPS + REPEATED + bisections;
  const kept = each >= 20 ? 1 : 0;
  // Of what is left after draining: a quarter for the soak, the rest in equal parts; who gives more time gets a longer soak.
  const free = Math.max(0.5 * each, each - DRAIN * (steps + CLIENTS.length + 2));
  const parts = steps + CLIENTS.length * 0.8 + kept * 0.8 + 0.6;
  const step = Math.min(LONGEST_STEP, (0.75 * free) / parts);
  const soak = free - step * parts;
  return {
    stretch: each / (step * parts + soak),
    limit,
    warmUp: step * 0.6,
    step,
    bisections,
    closed: step * 0.8,
    soak,
    kept: kept * step * 0.8,
    alias: each,
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
