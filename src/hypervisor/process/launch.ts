/** How anybody gets a host of the embedded default: connect to its supervisor, starting it when it does not run. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { Fault, type HostName } from "../../model/index.ts";
import { readIfThere } from "../../world/index.ts";
import type { Hypervisor } from "../contract.ts";
import { connectHypervisor, isSilence } from "../wire.ts";
import type { HostDirectory } from "./inventory.ts";

export interface SupervisorPlaces {
  readonly host: HostName;
  /** The host's directory. */
  readonly directory: HostDirectory;
  /** Directory of the sockets `<host>.sock` and `<host>.peer`. */
  readonly sockets: string;
  readonly bundles: string;
  /** The supervisor's program: source or bundle. */
  readonly program: string;
}

/** The variable of the environment by which a host's supervisor is found. */
export const SUPERVISOR_TAG = "DOMUS_SUPERVISOR";

/**
 * Connects to a host's supervisor.
 * @throws Fault `host.cut`, `host.unreachable`
 */
export async function connectHost(
  places: Pick<SupervisorPlaces, "host" | "directory" | "sockets">,
): Promise<Hypervisor> {
  if (existsSync(places.directory.cutMarker)) throw new Fault("host.cut", { host: places.host });
  return connectHypervisor(join(places.sockets, `${places.host}.sock`), places.host);
}

/**
 * Connects to a host's supervisor, starting it when it does not run. Starting twice is harmless: the second one sees the first and ends.
 * @throws Fault `host.cut` when its power is off, `host.unreachable` with its last words when it cannot start
 */
export async function launchSupervisor(places: SupervisorPlaces): Promise<Hypervisor> {
  const first = await connectHost(places).catch((error: unknown) => {
    if (error instanceof Fault && error.code === "host.unreachable" && !isSilence(error)) return null;
    throw error;
  });
  if (first) return first;
  places.directory.prepare();
  const logPath = join(places.directory.path, "supervisor.log");
  const log = openSync(logPath, "a", 0o600);
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      places.program,
      places.host,
      places.directory.path,
      places.sockets,
      places.bundles,
    ],
    {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log, log],
      env: { PATH: process.env.PATH, LANG: "C.UTF-8", [SUPERVISOR_TAG]: `${places.directory.key}/` },
    },
  );
  closeSync(log);
  let gone: number | null | undefined;
  child.on("exit", (code) => {
    gone = code;
  });
  child.on("error", () => {
    gone = null;
  });
  child.unref();
  const deadline = performance.now() + 60_000;
  let lastTry = false;
  for (;;) {
    try {
      return await connectHost(places);
    } catch (error) {
      if ((error instanceof Fault && error.code === "host.cut") || isSilence(error)) throw error;
      if (lastTry || performance.now() > deadline) {
        const words = readIfThere(logPath)?.trim().split("\n").at(-1) || "it said nothing";
        throw new Fault("host.unreachable", { host: places.host, reason: `its supervisor did not start: ${words}` });
      }
      // It may have ended because another one was quicker: one more try then.
      if (gone !== undefined && gone !== 0) lastTry = true;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }
}
