/**
 * One guest of the embedded default: a process group, started, watched, ended and started again. All its orders go through one queue,
 * so that two orders for one guest never overlap.
 */
import { spawn } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { Fault, type GuestName } from "../../model/index.ts";
import { modifiedAt, PAGE_SIZE, readProcess, secondsSinceBoot, signal, TICKS_PER_SECOND } from "../../world/index.ts";
import type { GuestOrder, GuestStatistics, GuestStatus, HypervisorEvent } from "../contract.ts";
import { type GuestPlaces, processDocument } from "./definition.ts";
import type { HostDirectory, Leader, Wanted } from "./inventory.ts";

/** Pause before a restart: doubles from the first to the last, milliseconds; forgotten after a good run. */
const FIRST_PAUSE = 200;
const LAST_PAUSE = 10_000;
const GOOD_RUN = 10_000;
/** Octets of a console; when it is longer, its last part is kept aside and it begins anew. */
const LONGEST_CONSOLE = 4 * 1024 * 1024;
const KEPT_CONSOLE = 1024 * 1024;

export interface GuestSurroundings {
  readonly host: string;
  readonly directory: HostDirectory;
  readonly places: Omit<GuestPlaces, "root" | "data" | "tag">;
  readonly emit: (event: HypervisorEvent) => void;
}

export class ProcessGuest {
  readonly name: GuestName;
  order: GuestOrder;
  wanted: Wanted;
  private leader: Leader | null = null;
  private restarts = 0;
  private quickEnds = 0;
  private lastEnd: string | null = null;
  private timer: NodeJS.Timeout | null = null;
  private queue: Promise<unknown> = Promise.resolve();
  /** The last sign of life: the file's time as a mark, and when we saw it change, which no setting of the clock can shift. */
  private aliveSeen = { mtime: 0, ticks: 0, at: performance.now() };
  private lookedAt = performance.now();
  private readonly around: GuestSurroundings;

  constructor(order: GuestOrder, wanted: Wanted, around: GuestSurroundings) {
    this.name = order.name;
    this.order = order;
    this.wanted = wanted;
    this.around = around;
  }

  /** Runs one order after the others of this guest. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(work, work);
    this.queue = turn.catch(() => {});
    return turn;
  }

  get running(): boolean {
    return this.leader !== null;
  }

  status(): GuestStatus {
    const state = this.leader
      ? this.wanted === "suspended"
        ? "suspended"
        : "running"
      : this.wanted === "stopped" || this.order.definition.program.kind === "none"
        ? "stopped"
        : "crashed";
    return {
      name: this.name,
      state,
      digest: this.order.digest,
      address: this.order.address,
      wanted: this.wanted,
      instance: this.leader ? String(this.leader.pid) : null,
      restarts: this.restarts,
      lastEnd: this.lastEnd,
    };
  }

  want(wanted: Wanted): void {
    if (this.wanted === wanted) return;
    this.around.directory.writeWanted(this.name, wanted);
    this.wanted = wanted;
  }

  /** Takes over what already runs (after a crash of the supervisor); ends what has lost its leader. */
  async adopt(): Promise<void> {
    const { directory } = this.around;
    const known = directory.readLeader(this.name);
    const processes = directory.processes(this.name);
    // Without a record the eldest that leads a session: all others descend from it.
    const leader = known
      ? known.lives && known
      : processes.filter((one) => one.pid === one.session).sort((a, b) => a.startedAt - b.startedAt)[0];
    if (leader) {
      this.leader = { pid: leader.pid, startedAt: leader.startedAt };
      this.aliveSeen = { mtime: 0, ticks: 0, at: performance.now() };
      directory.writeLeader(this.name, this.leader);
    } else if (processes.length > 0) await this.endAll();
  }

  async start(): Promise<void> {
    this.clearTimer();
    if (this.leader) return;
    const { directory, places } = this.around;
    const document = processDocument(this.order, {
      ...places,
      root: directory.root(this.name),
      data: directory.data(this.name),
      tag: directory.tag(this.name),
    });
    if (!document) return;
    let log: number | null = null;
    try {
      log = openSync(directory.consoleLog(this.name), "a", 0o600);
      directory.forgetLeader(this.name);
      const child = spawn(document.program, [...document.arguments], {
        cwd: directory.root(this.name),
        env: document.environment,
        detached: true,
        stdio: ["ignore", log, log],
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", (error: NodeJS.ErrnoException) => {
          const reason = error.code === "ENOENT" ? `there is no program ${document.program}` : error.message;
          const remedy =
            error.code === "ENOENT"
              ? { remedy: "Install it on this machine, or mend the command in the site file." }
              : {};
          reject(new Fault("guest.failed", { guest: this.name, host: this.around.host, reason, ...remedy }));
        });
      });
      child.unref();
      child.on("exit", (code, by) => this.ended(child.pid!, by ? `ended by ${by}` : `ended with status ${code}`));
      const entry = readProcess(child.pid!);
      this.leader = { pid: child.pid!, startedAt: entry?.startedAt ?? -1 };
      this.aliveSeen = { mtime: 0, ticks: 0, at: performance.now() };
      directory.writeLeader(this.name, this.leader);
      this.tell("started", `started as process ${child.pid}`);
      if (!entry) this.ended(child.pid!, "ended at once");
    } catch (error) {
      this.lastEnd = error instanceof Error ? error.message : String(error);
      this.quickEnds++;
      if (this.wanted === "running") this.scheduleRestart();
      throw error;
    } finally {
      if (log !== null) closeSync(log);
    }
  }

  /** @param graceSeconds between asking and ending; 0 ends at once. */
  async end(graceSeconds: number): Promise<void> {
    this.clearTimer();
    const leader = this.leader;
    if (leader && graceSeconds > 0) {
      signal(leader.pid, "SIGTERM");
      // A frozen process cannot hear; waking it lets it end well.
      signal(-leader.pid, "SIGCONT");
      const deadline = performance.now() + graceSeconds * 1000;
      while (this.leader && readProcess(leader.pid)?.startedAt === leader.startedAt && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await this.endAll();
    if (leader) {
      this.leader = null;
      this.lastEnd = "stopped as ordered";
      this.tell("stopped", "stopped as ordered");
    }
  }

  freeze(): void {
    if (this.leader) for (const one of this.around.directory.processes(this.name)) signal(one.pid, "SIGSTOP");
  }

  thaw(): void {
    if (this.leader) for (const one of this.around.directory.processes(this.name)) signal(one.pid, "SIGCONT");
  }

  /** Looks whether the leader still lives; called by the host's timer, which also watches processes it did not start itself. */
  watch(): void {
    this.boundConsole();
    if (!this.leader) return;
    const entry = readProcess(this.leader.pid);
    if (entry?.startedAt !== this.leader.startedAt) {
      this.ended(this.leader.pid, "ended by itself");
      return;
    }
    if (!this.order.definition.watchdog) return;
    const mtime = modifiedAt(this.around.directory.aliveFile(this.name)) ?? 0;
    const now = performance.now();
    // It was given between our last look and this one; where in between says the clock, as far as it is to be believed.
    const age = Math.min(Math.max(0, Date.now() - mtime), now - this.lookedAt);
    if (mtime !== this.aliveSeen.mtime) this.aliveSeen = { mtime, ticks: entry.cpuTicks, at: now - age };
    this.lookedAt = now;
  }

  /** What the kernel knows of a guest that has fallen silent; `null` when it does not run. */
  observe(): { readonly state: string; readonly silentFor: number; readonly ticksSinceAlive: number } | null {
    this.watch();
    const entry = this.leader && readProcess(this.leader.pid);
    if (!entry || entry.startedAt !== this.leader?.startedAt) return null;
    return {
      state: entry.state,
      silentFor: performance.now() - this.aliveSeen.at,
      ticksSinceAlive: entry.cpuTicks - this.aliveSeen.ticks,
    };
  }

  statistics(): GuestStatistics {
    const processes = this.around.directory.processes(this.name);
    const started = this.leader?.startedAt ?? 0;
    return {
      cpuSeconds: processes.reduce((sum, one) => sum + one.cpuTicks, 0) / TICKS_PER_SECOND,
      memory: processes.reduce((sum, one) => sum + one.residentPages, 0) * PAGE_SIZE,
      uptimeSeconds: this.leader ? Math.max(0, secondsSinceBoot() - started / TICKS_PER_SECOND) : 0,
      processes: processes.length,
    };
  }

  /** @returns the last `bytes` of its console. */
  console(bytes: number): string {
    const path = this.around.directory.consoleLog(this.name);
    const last = readTail(path, bytes);
    // It has just begun anew: what came before lies aside.
    return Buffer.concat([readTail(`${path}.1`, bytes - last.length), last]).toString("utf8");
  }

  /**
   * Kills every process of the guest until none is left. Looks twice: a process that has just been forked behind our back, or is being
   * replaced by another program, shows no tag for a moment.
   */
  async endAll(): Promise<void> {
    const deadline = performance.now() + 20_000;
    const { leader } = this;
    for (let empty = 0; ; ) {
      // It was ended and has been started anew meanwhile: that one is not meant.
      if (this.leader && this.leader !== leader) return;
      const processes = this.around.directory.processes(this.name);
      empty = processes.length === 0 ? empty + 1 : 0;
      if (empty === 2) return;
      for (const one of processes) signal(one.pid, "SIGKILL");
      if (performance.now() > deadline)
        throw new Fault("guest.failed", {
          guest: this.name,
          host: this.around.host,
          reason: "the kernel does not let it end",
        });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  stopWatching(): void {
    this.clearTimer();
  }

  private ended(pid: number, how: string): void {
    if (this.leader?.pid !== pid) return;
    const uptime = secondsSinceBoot() * 1000 - (this.leader.startedAt / TICKS_PER_SECOND) * 1000;
    this.leader = null;
    this.lastEnd = how;
    if (this.wanted === "stopped") return;
    this.quickEnds = uptime > GOOD_RUN ? 0 : this.quickEnds + 1;
    this.tell("crashed", how);
    this.scheduleRestart();
  }

  private scheduleRestart(): void {
    this.clearTimer();
    const pause = Math.min(LAST_PAUSE, FIRST_PAUSE * 2 ** Math.max(0, this.quickEnds - 1));
    this.timer = setTimeout(() => {
      void this.inTurn(async () => {
        if (this.wanted === "stopped" || this.leader) return;
        await this.endAll();
        this.restarts++;
        if (this.wanted === "suspended") this.want("running");
        await this.start();
      }).catch(() => {});
    }, pause);
  }

  private clearTimer(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Guests write to the file themselves, so a flood is cut here, while they run; what comes between the two steps is lost. */
  private boundConsole(): void {
    const path = this.around.directory.consoleLog(this.name);
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) <= LONGEST_CONSOLE) return;
    try {
      writeFileSync(`${path}.1`, readTail(path, KEPT_CONSOLE), { mode: 0o600 });
    } catch {
      // No room to keep it: the disk matters more than a console.
    }
    try {
      truncateSync(path);
    } catch {
      // Tried again at the next look.
    }
  }

  private tell(kind: HypervisorEvent["kind"], says: string): void {
    this.around.emit({ guest: this.name, kind, says });
  }
}

/** @returns the last octets of a file; nothing when it is not there */
function readTail(path: string, bytes: number): Buffer {
  if (bytes <= 0 || !statSync(path, { throwIfNoEntry: false })) return Buffer.alloc(0);
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(bytes, size));
    return tail.subarray(0, readSync(file, tail, 0, tail.length, size - tail.length));
  } finally {
    closeSync(file);
  }
}
