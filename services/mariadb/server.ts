/** The mariadbd process: started with the recipe's settings and nothing of the machine's, watched, ended cleanly. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type DatabaseConfig, mariadbSettings } from "../../src/recipes/index.ts";
import { type Guest, LineLog, type Log, StartRefused } from "../serving/index.ts";
import type { Installation } from "./install.ts";

export interface RunningDatabase {
  readonly process: ChildProcess;
  /** Settles when it ends, with a sentence. */
  readonly ended: Promise<string>;
  readonly stop: () => Promise<void>;
}

/** Milliseconds until a start that says nothing is given up (crash recovery on a busy machine takes a while). */
const START_TIMEOUT = 60_000;

/** @returns the arguments: no secret among them, only paths */
export function serverArguments(guest: Guest, config: DatabaseConfig, installation: Installation): readonly string[] {
  const settings = mariadbSettings({
    mode: "circular",
    position: config.position,
    ring: config.ring,
    address: guest.address,
    port: config.port,
    serverId: installation.serverId,
    tls: installation.tls,
    size: "small",
  });
  return [
    "--no-defaults",
    `--datadir=${installation.dataDirectory}`,
    `--tmpdir=${installation.temporary}`,
    `--socket=${installation.socket}`,
    `--pid-file=${join(installation.dataDirectory, "pid")}`,
    ...(installation.user === null ? [] : [`--user=${installation.user}`]),
    "--plugin-maturity=stable",
    ...settings.map(([name, value]) => `--${name.replaceAll("_", "-")}=${value}`),
  ];
}

/**
 * Starts mariadbd and waits until it takes connections.
 * @throws {StartRefused} with its own last words when it ends before
 */
export async function startServer(
  guest: Guest,
  config: DatabaseConfig,
  installation: Installation,
  log: Log,
): Promise<RunningDatabase> {
  const child = spawn(installation.server, serverArguments(guest, config, installation), {
    stdio: ["ignore", "ignore", "pipe"],
    cwd: installation.dataDirectory,
    // DOMUS_TAG is how the host finds and ends what belongs to this guest, also after this agent was killed.
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC", DOMUS_TAG: process.env.DOMUS_TAG ?? "" },
  });
  // Bounded and written at once: it is read when something has gone wrong, and a full disk must not end it for good.
  const path = join(guest.data, "mariadb", "server.log");
  const record = new LineLog(path, (says) => log("database log", { says }), { file: 4 * 1024 * 1024, kept: 1 });
  let lastError = "";
  const lines = createInterface({ input: child.stderr! });
  const ready = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      record.write(line);
      record.flush();
      if (line.includes("[ERROR]")) lastError = line.slice(line.indexOf("[ERROR]") + 8);
      if (line.includes("ready for connections")) resolve();
    });
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`mariadbd cannot be started: ${error.message}`));
    child.once("exit", (code, signal) => {
      record.flush();
      resolve(`mariadbd ended (${signal ?? `status ${code}`})${lastError === "" ? "" : `: ${lastError}`}`);
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new StartRefused(`mariadbd was not ready within ${START_TIMEOUT / 1000} s`));
    }, START_TIMEOUT);
  });
  const early = ended.then((says) => {
    throw new StartRefused(says);
  });
  try {
    await Promise.race([ready, early, late]);
  } finally {
    clearTimeout(timer);
    early.catch(() => {});
  }
  return {
    process: child,
    ended,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
