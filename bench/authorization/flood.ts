/**
 * A quiet community beside one that floods, past the front end and through it: how long the quiet one's calls take before and during each kind of
 * flood, what of it is refused, how soon the flood is refused, what memory it costs. And a quiet address that makes new connections.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { median } from "../verdict.ts";
import type { Task } from "./client.ts";
import { type House, PATHS, type ServiceName } from "./house.ts";
import { type Measured, pin, prefer, residentMiB, runClient } from "./processes.ts";
import type { Percentiles } from "./raw-client.ts";

export const FLOODS = {
  kept: { connections: 1000, says: "1,000 kept connections, each asks without a pause" },
  pipelined: { connections: 100, says: "100 connections that do not wait for answers" },
  new: { connections: 512, says: "new connections, 512 at a time" },
  hello: { connections: 256, says: "handshakes begun and left" },
  junk: { connections: 256, says: "random octets" },
} as const;
export type Flood = keyof typeof FLOODS;
export type Way = "direct" | "front end";

/** Last octets of the addresses of the two communities. */
const PLACES = { quiet: 110, flood: 111 } as const;
/** Calls a second of the quiet community, on kept connections. */
const QUIET = { kept: { connections: 8, rate: 400 }, fresh: { connections: 2, rate: 0 } } as const;

/** Milliseconds until a flood is at its height: a thousand handshakes take their time. */
const SETTLE = 2000;

export interface TsunamiReport {
  readonly mode: string;
  readonly seconds: number;
  readonly sent: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly good: Percentiles;
  readonly refused: Percentiles;
  readonly cpuSeconds: number;
}

/** Starts a flood. @returns how to end it and hear what came of it */
export async function startTsunami(
  house: House,
  mode: Flood,
  service: ServiceName,
  way: Way,
  seconds: number,
): Promise<() => Promise<TsunamiReport>> {
  const files = join(house.stage.directory, "tsunami");
  mkdirSync(files, { recursive: true });
  const target = await house.target(service, way, "ce-flood", PLACES.flood);
  for (const part of ["ca", "cert", "key"] as const)
    writeFileSync(join(files, `${part}.pem`), target[part], { mode: 0o600 });
  writeFileSync(join(files, "paths"), PATHS[service].join("\n"));
  const options = {
    address: target.address,
    port: target.port,
    servername: target.servername,
    from: target.from,
    tls: files,
    path: join(files, "paths"),
    mode,
    connections: FLOODS[mode].connections,
    seconds,
  };
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "../tsunami.ts"),
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    { stdio: ["ignore", "pipe", "inherit"], detached: true },
  );
  const lines: string[] = [];
  const begun = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      resolve();
    });
    child.once("exit", () => reject(new Error("the tsunami did not begin")));
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await begun;
  return async () => {
    // With the least priority on a busy machine it would take its time to end.
    prefer(child.pid!, 0);
    child.kill("SIGTERM");
    await ended;
    return JSON.parse(lines[1]!) as TsunamiReport;
  };
}

/** The quiet community asks; the client says what came of it. */
export async function askQuietly(
  house: House,
  service: ServiceName,
  way: Way,
  how: "kept" | "fresh",
  milliseconds: number,
): Promise<Measured> {
  const task: Task = {
    mode: how === "kept" ? "paced" : "new",
    target: await house.target(service, way, "ce-quiet", PLACES.quiet),
    paths: PATHS[service],
    ...QUIET[how],
    warmupMs: 500,
    milliseconds,
  };
  return runClient(task, house.processes(service, way));
}

export interface FloodResult {
  readonly flood: Flood;
  readonly way: Way;
  readonly before: Percentiles;
  readonly during: Percentiles;
  /** Of the rounds' ratios of 99th percentiles, the median. */
  readonly ratio: number;
  readonly quietFailed: number;
  readonly freshBefore: Percentiles;
  readonly freshDuring: Percentiles;
  readonly freshFailed: number;
  readonly tsunami: TsunamiReport;
  readonly serverMiB: readonly [before: number, after: number];
  readonly directorMiB: readonly [before: number, after: number];
  readonly cpu: Readonly<Record<string, number>>;
}

const failedOf = ({ report }: Measured): number =>
  Object.entries(report.outcomes).reduce((sum, [outcome, n]) => sum + (outcome === "200" ? 0 : n), 0);

/** The round of which the 99th percentile is the middle one. */
const middleOf = (list: readonly Measured[]): Percentiles => {
  const p99 = median(list.map(({ report }) => report.good.p99));
  return list.find(({ report }) => report.good.p99 === p99)?.report.good ?? list[0]!.report.good;
};

export async function measureFlood(
  house: House,
  flood: Flood,
  way: Way,
  rounds: number,
  milliseconds: number,
): Promise<FloodResult> {
  const service = "gums";
  const pids = house.processes(service, "front end");
  const memory = (name: string): number => residentMiB(pids[name]!);
  // A copy has a processor of its own, as a guest has: what is measured is how it shares that, not how the machine does.
  for (const pid of [process.pid, ...house.pids()]) pin(pid, pid === pids.server ? 0 : 1);
  const before: Measured[] = [];
  const during: Measured[] = [];
  const freshBefore: Measured[] = [];
  const freshDuring: Measured[] = [];
  const memoryBefore = { server: memory("server"), director: memory("director") };
  let tsunami: TsunamiReport | null = null;
  for (let round = 0; round < rounds; round++) {
    before.push(await askQuietly(house, service, way, "kept", milliseconds));
    freshBefore.push(await askQuietly(house, service, way, "fresh", milliseconds));
    const stop = await startTsunami(house, flood, service, way, 600);
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    during.push(await askQuietly(house, service, way, "kept", milliseconds));
    freshDuring.push(await askQuietly(house, service, way, "fresh", milliseconds));
    tsunami = await stop();
  }
  return {
    flood,
    way,
    before: middleOf(before),
    during: middleOf(during),
    ratio: median(during.map(({ report }, round) => report.good.p99 / before[round]!.report.good.p99)),
    quietFailed: during.reduce((sum, one) => sum + failedOf(one), 0),
    freshBefore: middleOf(freshBefore),
    freshDuring: middleOf(freshDuring),
    freshFailed: freshDuring.reduce((sum, one) => sum + failedOf(one), 0),
    tsunami: tsunami!,
    serverMiB: [memoryBefore.server, memory("server")],
    directorMiB: [memoryBefore.director, memory("director")],
    cpu: Object.fromEntries(
      Object.entries(during[0]!.cpu).map(([name, seconds]) => [name, seconds / during[0]!.report.seconds]),
    ),
  };
}
