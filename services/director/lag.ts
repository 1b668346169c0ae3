/**
 * Does our own event loop run? A director that was itself stopped or starved must not call the other one silent, nor a copy dead.
 * Measured by a timer against the monotonic clock: reading `/proc` would say what the machine does, not whether we were served.
 */
import { TIMING } from "./timing.ts";

const TICK = 25;

export interface LoopWatch {
  /** Monotonic milliseconds at which the last stall longer than {@link TIMING.stall} ended; -Infinity: none yet. */
  readonly lastStallEnd: () => number;
  /** Milliseconds, in the last minute or two. */
  readonly longest: () => number;
  /** Looks at the clock now: a handler that runs before the timer after a stall must know of it. */
  readonly look: () => void;
  readonly stop: () => void;
}

/** @param onStall told when the loop runs again after a stall, with its length in milliseconds */
export function watchLoop(onStall: (milliseconds: number) => void): LoopWatch {
  let before = performance.now();
  let stallEnd = Number.NEGATIVE_INFINITY;
  let [older, newer, turned] = [0, 0, before];
  const look = () => {
    const now = performance.now();
    const stalled = now - before - TICK;
    before = now;
    if (now - turned > 60_000) [older, newer, turned] = [newer, 0, now];
    newer = Math.max(newer, stalled);
    if (stalled > TIMING.stall) {
      stallEnd = now;
      onStall(stalled);
    }
  };
  const timer = setInterval(look, TICK);
  return {
    lastStallEnd: () => stallEnd,
    longest: () => Math.max(0, Math.round(Math.max(older, newer))),
    look,
    stop: () => clearInterval(timer),
  };
}
