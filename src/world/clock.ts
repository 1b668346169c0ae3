/** Time, and its simulated twin. Whatever waits takes a Clock, so that a test can make an hour pass in a millisecond. */
import { uptime } from "node:os";
import { setTimeout as delay } from "node:timers/promises";

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** @param milliseconds to wait; an aborted wait resolves early. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Milliseconds of a clock that nobody sets and that goes on while the machine sleeps, unlike `performance.now()`: for what grows old,
 * such as a snapshot. It has a resolution of 10 ms.
 */
export function steadyMilliseconds(): number {
  return uptime() * 1000;
}

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, signal ? { signal } : {}).catch(() => {}),
};

/** A clock that stands still until somebody sleeps: then it jumps to the earliest waker. */
export function simulatedClock(start = 0): Clock {
  let time = start;
  const wakers: { at: number; wake: () => void }[] = [];
  let scheduled = false;
  const jump = () => {
    scheduled = false;
    wakers.sort((a, b) => a.at - b.at);
    const next = wakers.shift();
    if (!next) return;
    time = Math.max(time, next.at);
    next.wake();
    schedule();
  };
  const schedule = () => {
    if (scheduled || wakers.length === 0) return;
    scheduled = true;
    setImmediate(jump);
  };
  return {
    now: () => time,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        wakers.push({ at: time + milliseconds, wake });
        schedule();
      }),
  };
}
