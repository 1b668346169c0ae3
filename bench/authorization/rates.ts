/** How many calls a processor second of each server gives: rounds in which all rows take turns, so that a busy minute hurts all alike. */
import { median } from "../verdict.ts";
import type { Task } from "./client.ts";
import { type House, PATHS, QUERIES, SERVICES, type ServiceName } from "./house.ts";
import { runClient } from "./processes.ts";

type To = ServiceName | "bare";
type Way = "direct" | "front end";

interface Row {
  readonly to: To;
  readonly mode: "kept" | "new";
  readonly way: Way;
  /** As what it is asked; JSON when silent. */
  readonly as?: "xacml";
}

const ROWS: readonly Row[] = [
  { to: "bare", mode: "kept", way: "direct" },
  { to: "gums", mode: "kept", way: "direct" },
  { to: "saz", mode: "kept", way: "direct" },
  { to: "gums", mode: "kept", way: "front end" },
  { to: "saz", mode: "kept", way: "front end" },
  { to: "bare", mode: "kept", way: "direct", as: "xacml" },
  { to: "gums", mode: "kept", way: "direct", as: "xacml" },
  { to: "saz", mode: "kept", way: "direct", as: "xacml" },
  { to: "bare", mode: "new", way: "direct" },
  { to: "gums", mode: "new", way: "direct" },
  { to: "saz", mode: "new", way: "direct" },
  { to: "gums", mode: "new", way: "front end" },
  { to: "saz", mode: "new", way: "front end" },
];
const CONNECTIONS = { kept: 32, new: 16 } as const;

export interface Sample {
  readonly callsPerSecond: number;
  readonly failed: number;
  /** Calls per processor second of the server. */
  readonly perCpuSecond: number;
  readonly serverCpu: number;
  readonly directorCpu: number | null;
  readonly clientCpu: number;
  readonly p99: number;
}

export interface Rate extends Row, Sample {
  /** Calls per CPU-second against the bare server's of the same round, median. */
  readonly ratio: number;
}

export async function taskFor(house: House, row: Row, milliseconds: number): Promise<Task> {
  const service = row.to === "bare" ? "gums" : row.to;
  const { path, post } = QUERIES[service];
  return {
    mode: row.mode,
    target: await house.target(row.to, row.way),
    ...(row.as === "xacml" ? { paths: [path], post } : { paths: PATHS[service] }),
    connections: CONNECTIONS[row.mode],
    rate: 0,
    warmupMs: 500,
    milliseconds,
  };
}

async function sample(house: House, row: Row, milliseconds: number): Promise<Sample> {
  const { report, cpu } = await runClient(await taskFor(house, row, milliseconds), house.processes(row.to, row.way));
  const failed = Object.entries(report.outcomes).reduce((sum, [outcome, n]) => sum + (outcome === "200" ? 0 : n), 0);
  return {
    callsPerSecond: report.good.count / report.seconds,
    failed,
    perCpuSecond: report.good.count / cpu.server!,
    serverCpu: cpu.server! / report.seconds,
    directorCpu: cpu.director === undefined ? null : cpu.director / report.seconds,
    clientCpu: report.cpuSeconds / report.seconds,
    p99: report.good.p99,
  };
}

/** @param only rows by number, for looking at one closely */
export async function measureRates(house: House, rounds: number, milliseconds: number): Promise<readonly Rate[]> {
  const samples: Sample[][] = ROWS.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, row] of ROWS.entries()) samples[index]!.push(await sample(house, row, milliseconds));
  const bareOf = ({ mode, as }: Row): Sample[] =>
    samples[ROWS.findIndex((row) => row.to === "bare" && row.mode === mode && row.as === as)]!;
  const middle = (list: readonly Sample[], of: (one: Sample) => number): number => median(list.map(of));
  return ROWS.map((row, index) => {
    const own = samples[index]!;
    const bare = bareOf(row);
    return {
      ...row,
      callsPerSecond: middle(own, (one) => one.callsPerSecond),
      failed: own.reduce((sum, one) => sum + one.failed, 0),
      perCpuSecond: middle(own, (one) => one.perCpuSecond),
      serverCpu: middle(own, (one) => one.serverCpu),
      directorCpu: own[0]!.directorCpu === null ? null : middle(own, (one) => one.directorCpu!),
      clientCpu: middle(own, (one) => one.clientCpu),
      p99: middle(own, (one) => one.p99),
      ratio: median(own.map((one, round) => one.perCpuSecond / bare[round]!.perCpuSecond)),
    };
  });
}

export interface Both {
  readonly callsPerSecond: Readonly<Record<ServiceName, number>>;
  readonly failed: number;
  readonly p99: Readonly<Record<ServiceName, number>>;
  readonly clientCpu: number;
}

/** GUMS and SAZ at once, a new connection for each call, through the front end. */
export async function measureBoth(house: House, rounds: number, milliseconds: number): Promise<Both> {
  const found: Sample[][] = [];
  for (let round = 0; round < rounds; round++)
    found.push(
      await Promise.all(SERVICES.map((to) => sample(house, { to, mode: "new", way: "front end" }, milliseconds))),
    );
  const of = (service: number, what: (one: Sample) => number): number =>
    median(found.map((pair) => what(pair[service]!)));
  return {
    callsPerSecond: { gums: of(0, (one) => one.callsPerSecond), saz: of(1, (one) => one.callsPerSecond) },
    p99: { gums: of(0, (one) => one.p99), saz: of(1, (one) => one.p99) },
    failed: found.flat().reduce((sum, one) => sum + one.failed, 0),
    clientCpu: of(0, (one) => one.clientCpu) + of(1, (one) => one.clientCpu),
  };
}
