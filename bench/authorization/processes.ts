/** What the kernel says of a process. proc_pid_stat(5). */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, getPriority, setPriority } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Task, TaskReport } from "./client.ts";

const TICKS = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** @returns processor seconds that a process has used, user and system */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** @returns MiB of memory that a process has */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

/**
 * Gives a process that leads its session a priority beside all others of the machine, as far as this user may (sched(7), autogroup).
 * @param nice from -20 (first) to 19 (last)
 */
export function prefer(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
    writeFileSync(`/proc/${pid}/autogroup`, String(nice));
  } catch {
    // Not root, or no such kernel: other work of the machine is then measured too.
  }
}

/** Processors of this machine: with fewer than two nobody can have one of his own. */
export const PROCESSORS = availableParallelism();

/** Keeps a process, all its threads and those it will start on one processor. taskset(1). */
export function pin(pid: number, processor: number): void {
  if (PROCESSORS < 2) return;
  try {
    execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(processor), String(pid)], {
      stdio: "ignore",
    });
  } catch {
    // No taskset here, or the process has gone: then they share.
  }
}

export interface Measured {
  readonly report: TaskReport;
  /** Processor seconds while the client measured, by the names given. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** Runs a client in a process of its own and looks at others while it measures. */
export function runClient(task: Task, watched: Readonly<Record<string, number>> = {}): Promise<Measured> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "client.ts")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // What a call waits for the measuring client's own turn at the processor is not the servers'.
  if (child.pid !== undefined) prefer(child.pid, getPriority() - 5);
  child.stdin.end(JSON.stringify(task));
  const look = () => Object.fromEntries(Object.entries(watched).map(([name, pid]) => [name, cpuSeconds(pid)]));
  return new Promise((resolve, reject) => {
    let before: Record<string, number> = {};
    let result: Measured | null = null;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "begun") {
        before = look();
        return;
      }
      const after = look();
      const cpu = Object.fromEntries(Object.keys(after).map((name) => [name, after[name]! - before[name]!]));
      result = { report: JSON.parse(line) as TaskReport, cpu };
    });
    child.once("close", (code) =>
      result === null ? reject(new Error(`the client ended with ${code}`)) : resolve(result),
    );
  });
}
