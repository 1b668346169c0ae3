/**
 * Is a silent guest hung, or only starved by a busy machine? Silence alone never ends a guest: on a loaded machine every process is
 * silent now and then, and a false takeover is worse than a late one. The kernel knows the difference.
 */
import { TICKS_PER_SECOND } from "../../world/index.ts";

export type Verdict = "stopped" | "spinning" | "stuck" | "starved" | "alive";

export interface Observation {
  /** State letter of proc(5). */
  readonly state: string;
  /** Milliseconds since the guest last showed that its event loop turns. */
  readonly silentFor: number;
  /** Clock ticks of processor time it has used in that silence. */
  readonly ticksSinceAlive: number;
  /** The longest that this observer itself was kept waiting in that time, milliseconds. */
  readonly ownStall: number;
}

/** Silence below this is ordinary, milliseconds. */
const ORDINARY = 600;
/** A process that sleeps in the kernel may wait for a slow disk: it gets this long, milliseconds. */
const SLOW_DISK = 5000;
/** An observer that was itself kept waiting this long cannot judge, milliseconds. */
const BLIND = 300;

/** Which verdicts justify ending the guest. */
export const ENDS: Readonly<Record<Verdict, boolean>> = {
  stopped: true,
  spinning: true,
  stuck: true,
  starved: false,
  alive: false,
};

/** Judges one observation; see the table `ENDS` for what follows. */
export function judge(seen: Observation): Verdict {
  // A stopped process is certain, however busy the machine is.
  if (seen.state === "T" || seen.state === "t") return seen.silentFor < ORDINARY ? "alive" : "stopped";
  if (seen.silentFor < ORDINARY) return "alive";
  if (seen.ownStall > BLIND) return "starved";
  const used = (seen.ticksSinceAlive / TICKS_PER_SECOND) * 1000;
  // An endless loop uses nearly all of the silence; a starved process gets almost none of it.
  if (seen.state === "R") return used > 0.5 * seen.silentFor && seen.silentFor > 2 * ORDINARY ? "spinning" : "starved";
  return seen.silentFor > SLOW_DISK ? "stuck" : "starved";
}
