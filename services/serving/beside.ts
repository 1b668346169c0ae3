/**
 * A second program in the same guest, from the same bundle: a process of its own, so that neither takes the other down with it. The first one starts
 * it, starts it again when it ends, and ends it when it ends itself; a first one that is killed takes the second along, because the line between
 * them breaks.
 */
import { type ChildProcess, fork } from "node:child_process";
import type { Log } from "./log.ts";

/** Milliseconds: the first pause before it is started again, the longest, and after how long a run counts as a good one. */
const PAUSE = { first: 200, longest: 10_000, good: 10_000 } as const;
/** Milliseconds in which it ends by itself when it is asked to. */
const GRACE = 6000;

export interface Beside {
  readonly close: () => Promise<void>;
}

/** @param word what the bundle is started with, by which it knows that it is the second */
export function startBeside(word: string, log: Log): Beside {
  const [, bundle = ""] = process.argv;
  let child: ChildProcess | null = null;
  let timer: NodeJS.Timeout | null = null;
  let pause: number = PAUSE.first;
  let closing = false;
  const start = (): void => {
    timer = null;
    const began = performance.now();
    // Its own words on the line between us are none; it is there to break.
    child = fork(bundle, [word], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("error", (error) => log("cannot start beside", { program: word, says: error.message }));
    child.once("exit", (code, signal) => {
      child = null;
      if (closing) return;
      if (performance.now() - began > PAUSE.good) pause = PAUSE.first;
      log("ended beside", { program: word, how: signal ?? code, milliseconds: pause });
      timer = setTimeout(start, pause);
      pause = Math.min(PAUSE.longest, pause * 2);
    });
  };
  start();
  return {
    close: async () => {
      closing = true;
      if (timer) clearTimeout(timer);
      if (child === null) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      child.once("exit", () => resolve());
      const late = setTimeout(() => child?.kill("SIGKILL"), GRACE);
      child.kill("SIGTERM");
      await promise;
      clearTimeout(late);
    },
  };
}

/** To be called by the second program: without the first one it has no guest. */
export function endWithFirst(): void {
  process.on("disconnect", () => process.exit(0));
}
