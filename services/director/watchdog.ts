/**
 * Sign of life for the host: `run/alive` gets a new time with every heartbeat, from the same loop that serves. With it the supervisor
 * tells a director that hangs from one that merely gets no time on a busy machine.
 */
import { closeSync, futimes, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { TIMING } from "./timing.ts";

/** @returns a function that stops it */
export function keepAliveFile(root: string): () => void {
  mkdirSync(join(root, "run"), { recursive: true });
  const file = openSync(join(root, "run", "alive"), "w", 0o600);
  let busy = false;
  const touch = () => {
    // A disk that hangs must not stop the loop: at most one call is under way.
    if (busy) return;
    busy = true;
    const now = new Date();
    futimes(file, now, now, () => {
      busy = false;
    });
  };
  touch();
  const timer = setInterval(touch, TIMING.heartbeat);
  return () => {
    clearInterval(timer);
    closeSync(file);
  };
}
