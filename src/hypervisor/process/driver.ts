/**
 * The embedded default: each physical host is a supervisor process (it stands for the hardware), each guest a process group with its own
 * loopback address. No privileges, no packages. Limits, stated: no partitions between guests, no kernels of their own.
 * `ProcessHost` is what the supervisor runs; `launch.ts` is how anybody gets one.
 */
import { cpus, release, totalmem } from "node:os";
import { Fault, type GuestName, type HostName } from "../../model/index.ts";
import { cloneOrder } from "../clone.ts";
import type { CloneIdentity, GuestOrder, GuestStatus, HostReport, Hypervisor, HypervisorEvent } from "../contract.ts";
import { PROCESS_CAPABILITIES } from "./capabilities.ts";
import { type GuestSurroundings, ProcessGuest } from "./guest.ts";
import { ENDS, judge } from "./hang.ts";
import type { HostDirectory } from "./inventory.ts";

const WATCH_INTERVAL = 100;

export class ProcessHost implements Hypervisor {
  readonly capabilities = PROCESS_CAPABILITIES;
  private readonly guests = new Map<GuestName, ProcessGuest>();
  private readonly listeners = new Set<(event: HypervisorEvent) => void>();
  private readonly name: HostName;
  private readonly directory: HostDirectory;
  private readonly around: GuestSurroundings;
  private timer: NodeJS.Timeout | null = null;
  private lastTurn = performance.now();
  /** Own delays of the last seconds: whoever was kept waiting cannot judge others. */
  private stalls: { readonly at: number; readonly length: number }[] = [];

  constructor(name: HostName, directory: HostDirectory, places: GuestSurroundings["places"]) {
    this.name = name;
    this.directory = directory;
    this.around = { host: name, directory, places, emit: (event) => this.emit(event) };
  }

  /** Adopts what runs, starts what should run: the host's own duty after a power cut, without Domus. */
  async boot(): Promise<void> {
    this.directory.prepare();
    for (const name of this.directory.defined()) {
      const order = this.directory.readOrder(name);
      if (!order) continue;
      const guest = new ProcessGuest(order, this.directory.readWanted(name), this.around);
      this.guests.set(name, guest);
      await guest.adopt();
    }
    await this.endStrangers();
    this.timer = setInterval(() => this.turn(), WATCH_INTERVAL);
    // One guest that cannot be started is shown as such and tried again; the others start all the same.
    await Promise.allSettled(
      [...this.guests.values()].map((guest) =>
        guest.inTurn(async () => {
          // A suspended guest that is gone has lost its memory: it begins anew.
          if (guest.wanted === "suspended" && !guest.running) guest.want("running");
          if (guest.wanted === "running" && guest.order.autostart) await guest.start();
        }),
      ),
    );
  }

  async report(): Promise<HostReport> {
    return { host: this.name, driver: "process", cpus: cpus().length, memory: totalmem(), kernel: release() };
  }

  async list(): Promise<readonly GuestStatus[]> {
    for (const guest of this.guests.values()) guest.watch();
    return [...this.guests.values()].map((guest) => guest.status()).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async define(order: GuestOrder): Promise<void> {
    const known = this.guests.get(order.name);
    if (known?.order.digest === order.digest) return;
    const guest = known ?? new ProcessGuest(order, "stopped", this.around);
    await guest.inTurn(async () => {
      // Asked in turn: an order to start that came before may only now have been carried out.
      if (guest.running)
        throw new Fault("guest.wrong-state", { guest: order.name, state: "running", action: "change its definition" });
      this.directory.writeGuest(order);
      guest.order = { ...order, secretFiles: [] };
      guest.wanted = "stopped";
      this.guests.set(order.name, guest);
    });
    this.emit({ guest: order.name, kind: "defined", says: "defined" });
  }

  async undefine(name: GuestName, options: { readonly destroyData: boolean }): Promise<void> {
    const guest = this.guests.get(name);
    if (guest) {
      await guest.inTurn(async () => {
        if (guest.running) throw new Fault("guest.wrong-state", { guest: name, state: "running", action: "forget it" });
        guest.stopWatching();
        this.directory.removeGuest(name);
        this.guests.delete(name);
      });
      this.emit({ guest: name, kind: "undefined", says: "forgotten" });
    }
    if (options.destroyData) this.directory.removeData(name);
  }

  start(name: GuestName): Promise<void> {
    return this.order(name, async (guest) => {
      guest.want("running");
      await guest.start();
    });
  }

  stop(name: GuestName, options: { readonly graceSeconds: number }): Promise<void> {
    return this.order(name, async (guest) => {
      guest.want("stopped");
      await guest.end(options.graceSeconds);
    });
  }

  destroy(name: GuestName): Promise<void> {
    return this.stop(name, { graceSeconds: 0 });
  }

  reboot(name: GuestName): Promise<void> {
    return this.order(name, async (guest) => {
      if (!guest.running)
        throw new Fault("guest.wrong-state", { guest: name, state: guest.status().state, action: "reboot" });
      guest.want("running");
      await guest.end(5);
      await guest.start();
    });
  }

  suspend(name: GuestName): Promise<void> {
    return this.order(name, async (guest) => {
      if (!guest.running)
        throw new Fault("guest.wrong-state", { guest: name, state: guest.status().state, action: "suspend" });
      guest.want("suspended");
      guest.freeze();
      this.emit({ guest: name, kind: "suspended", says: "frozen in memory" });
    });
  }

  resume(name: GuestName): Promise<void> {
    return this.order(name, async (guest) => {
      if (!guest.running)
        throw new Fault("guest.wrong-state", { guest: name, state: guest.status().state, action: "resume" });
      guest.want("running");
      guest.thaw();
      this.emit({ guest: name, kind: "resumed", says: "goes on" });
    });
  }

  save(): Promise<void> {
    return this.cannot("save");
  }

  restore(): Promise<void> {
    return this.cannot("restore");
  }

  snapshot(): Promise<void> {
    return this.cannot("snapshot");
  }

  clone(name: GuestName, identity: CloneIdentity): Promise<void> {
    return this.order(name, async (guest) => {
      const order = cloneOrder(guest.order, guest.status().state, identity, this.guests.has(identity.name));
      this.directory.copyGuest(name, order);
      this.guests.set(identity.name, new ProcessGuest(order, "stopped", this.around));
      this.emit({ guest: identity.name, kind: "defined", says: `cloned from ${name}` });
    });
  }

  async console(name: GuestName, bytes: number): Promise<string> {
    return this.known(name).console(Math.min(bytes, 1024 * 1024));
  }

  async statistics(name: GuestName) {
    return this.known(name).statistics();
  }

  async events(listener: (event: HypervisorEvent) => void): Promise<() => void> {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stops watching; the guests live on. */
  async close(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    for (const guest of this.guests.values()) guest.stopWatching();
  }

  /**
   * Ends a guest at the word of its peer, if the peer shows the key and the kernel agrees that it is hung.
   * @param key the token that allows ending this one guest only
   * @returns what was seen and done, for the peer
   */
  async endIfHung(name: GuestName, key: string): Promise<{ ended: boolean; state: string; says: string }> {
    const guest = this.guests.get(name);
    if (!guest?.order.peerKey || !sameText(guest.order.peerKey, key))
      return { ended: false, state: "refused", says: `the key does not open ${name}` };
    // After a stall of our own this question may come before our timer: it must know of the stall.
    this.turn();
    const seen = guest.observe();
    if (!seen) return { ended: true, state: "gone", says: `${name} does not run` };
    const verdict = judge({ ...seen, ownStall: this.longestStall(seen.silentFor) });
    if (!ENDS[verdict]) return { ended: false, state: verdict, says: `${name} is ${verdict}` };
    await guest.endAll();
    this.emit({
      guest: name,
      kind: "ended-by-peer",
      says: `${verdict} for ${Math.round(seen.silentFor)} ms, ended at its peer's word`,
    });
    return { ended: true, state: verdict, says: `${name} was ${verdict} and has been ended` };
  }

  private turn(): void {
    const now = performance.now();
    const late = now - this.lastTurn - WATCH_INTERVAL;
    this.lastTurn = now;
    if (late > 50) this.stalls.push({ at: now, length: late });
    this.stalls = this.stalls.filter((stall) => now - stall.at < 10_000);
    for (const guest of this.guests.values()) guest.watch();
  }

  private longestStall(within: number): number {
    const since = performance.now() - within;
    return this.stalls
      .filter((stall) => stall.at >= since)
      .reduce((longest, stall) => Math.max(longest, stall.length), 0);
  }

  /** A process with this host's tag but no definition was left by a kill in the middle of forgetting it. */
  private async endStrangers(): Promise<void> {
    for (const process of this.directory.processes()) {
      const name = process.tag.split("/")[1] as GuestName;
      if (this.guests.has(name)) continue;
      await new ProcessGuest({ name } as GuestOrder, "stopped", this.around).endAll();
    }
  }

  private order(name: GuestName, work: (guest: ProcessGuest) => Promise<void>): Promise<void> {
    const guest = this.known(name);
    return guest.inTurn(() => work(guest));
  }

  private known(name: GuestName): ProcessGuest {
    const guest = this.guests.get(name);
    if (!guest)
      throw new Fault("guest.unknown", {
        guest: name,
        known: [...this.guests.keys()].join(", ") || "none on this host",
      });
    return guest;
  }

  private async cannot(action: "save" | "restore" | "snapshot"): Promise<never> {
    const capability = this.capabilities[action];
    throw new Fault("hypervisor.cannot", {
      driver: "process",
      action,
      reason: capability === true ? "" : capability.cannot,
    });
  }

  private emit(event: HypervisorEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

/** Compares without telling by time how much was right. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < b.length; at++) difference |= a.charCodeAt(at % a.length) ^ b.charCodeAt(at);
  return difference === 0;
}
