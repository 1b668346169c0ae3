/**
 * Processes of this machine as `/proc` shows them. A process is known by its id *and* start time, since ids are used again; one that
 * ended but was not collected (a zombie) counts as gone. See proc(5).
 */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter of proc(5): R running, S sleeping, D in the kernel, T stopped, Z zombie. */
  readonly state: string;
  /** Clock ticks since boot. */
  readonly startedAt: number;
  /** Clock ticks of user and system time. */
  readonly cpuTicks: number;
  /** Resident pages. */
  readonly residentPages: number;
}

/** Ticks in a second: fixed to 100 on Linux for user space. */
export const TICKS_PER_SECOND = 100;
export const PAGE_SIZE = 4096;

/** @returns the entry, or `null` when there is no such process or it is only a zombie. */
export function readProcess(pid: number): ProcessEntry | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  // The second field is the command in brackets and may itself contain blanks and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const state = fields[0]!;
  if (state === "Z" || state === "X") return null;
  return {
    pid,
    state,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    startedAt: Number(fields[19]),
    residentPages: Number(fields[21]),
  };
}

/**
 * Finds living processes by a variable of the environment they were started with.
 * @param name of the variable
 * @param startsWith what its value begins with
 * @returns entries with the variable's whole value
 */
export function findTagged(name: string, startsWith: string): readonly (ProcessEntry & { readonly tag: string })[] {
  const needle = `\0${name}=${startsWith}`;
  const found: (ProcessEntry & { tag: string })[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    let environment: string;
    try {
      environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`;
    } catch {
      continue;
    }
    const at = environment.indexOf(needle);
    if (at < 0) continue;
    const process = readProcess(pid);
    if (!process) continue;
    const from = at + name.length + 2;
    const end = environment.indexOf("\0", from);
    found.push({ ...process, tag: environment.slice(from, end < 0 ? undefined : end) });
  }
  return found;
}

/** Whatever lives on this machine. */
export function listProcesses(): readonly ProcessEntry[] {
  return readdirSync("/proc").flatMap((entry) => (/^\d+$/.test(entry) ? (readProcess(Number(entry)) ?? []) : []));
}

/** Names this start of the machine: process ids and start times mean nothing in another one. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Sends a signal to one process, or to a group with a negative id. @returns false when it was already gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Processor seconds of the whole machine since it started; of both together there are as many as processors in a second. */
export interface MachineTimes {
  readonly busy: number;
  readonly idle: number;
}

/** Waiting for a disk counts as idle, and time that a hypervisor gave to other machines as busy. proc_stat(5) */
export function machineTimes(): MachineTimes {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n");
  const [user = 0, nice = 0, system = 0, idle = 0, waiting = 0, ...rest] = line.split(/\s+/).slice(1, 9).map(Number);
  const ticks = { busy: rest.reduce((sum, one) => sum + one, user + nice + system), idle: idle + waiting };
  return { busy: ticks.busy / TICKS_PER_SECOND, idle: ticks.idle / TICKS_PER_SECOND };
}

/** @returns seconds since the machine started. */
export function secondsSinceBoot(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}

/** @returns true when a program of this name is on the PATH or where Debian keeps servers. */
export function programPath(name: string): string | null {
  const directories = [
    ...(process.env.PATH ?? "").split(":"),
    "/usr/sbin",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/sbin",
  ];
  for (const directory of directories) {
    if (!directory) continue;
    try {
      const listing = readdirSync(directory);
      if (listing.includes(name)) return `${directory}/${name}`;
    } catch {}
  }
  return null;
}
