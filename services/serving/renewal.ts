/** Certificates are renewed while a program runs: the host replaces the files, the program takes the new ones without losing a connection. */
import { watch } from "node:fs";
import { join } from "node:path";
import { type Guest, readTls, type TlsFiles } from "./guest.ts";
import type { Log } from "./log.ts";

/** Milliseconds of quiet after a change: three files are replaced one after the other. */
const QUIET = 300;

/**
 * @param renew takes the new files; a key that does not fit its certificate throws, and the old ones stay in use
 * @returns how to stop watching
 */
export function watchTls(guest: Guest, log: Log, renew: (tls: TlsFiles) => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const take = (): void => {
    try {
      renew(readTls(guest));
      log("certificates renewed");
    } catch (error) {
      log("certificates not renewed", { says: (error as Error).message });
    }
  };
  const watcher = watch(join(guest.root, "etc", "tls"), { persistent: false }, () => {
    clearTimeout(timer);
    timer = setTimeout(take, QUIET).unref();
  });
  watcher.on("error", (error) => log("certificates not watched", { says: error.message }));
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
