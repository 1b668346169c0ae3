/**
 * The life of a program in a guest: start, say so, serve until SIGTERM, close gently, leave. What cannot start says why in one line
 * and ends with status 3 (the outside) so that the host tries again with backoff.
 */
import { quietBackground } from "../../src/world/index.ts";
import { type Guest, readGuest, StartRefused } from "./guest.ts";
import { createLog, type Log } from "./log.ts";

/** What a program gives back once it serves: how to end it. */
export type Close = () => Promise<void>;

export function runProgram(start: (guest: Guest, log: Log) => Promise<Close>): void {
  const name = process.env.DOMUS_GUEST ?? "?";
  const log = createLog(name);
  const fail = (error: unknown): never => {
    const expected = error instanceof StartRefused || (error as NodeJS.ErrnoException).code !== undefined;
    log("cannot start", { says: expected ? (error as Error).message : ((error as Error)?.stack ?? String(error)) });
    process.exit(3);
  };
  let closing = false;
  let close: Close | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    if (closing) return;
    closing = true;
    log("stopping", { signal });
    if (close === null) process.exit(0);
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        log("defect", { says: (error as Error)?.stack ?? String(error) });
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // The host may be gone while we go on: its end of the pipe closing is no reason to die.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  quietBackground()
    .then(() => start(readGuest(), log))
    .then((closer) => {
      close = closer;
      log("serving", { milliseconds: Math.round(performance.now()) });
    }, fail);
}
