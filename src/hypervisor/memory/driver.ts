/** Hosts that exist in memory only: for tests, and for simulating thousands of hosts. Same interface, same refusals, no processes. */
import { Fault, type GuestName, type HostName } from "../../model/index.ts";
import { cloneOrder } from "../clone.ts";
import type { CloneIdentity, GuestOrder, GuestStatus, HostReport, Hypervisor, HypervisorEvent } from "../contract.ts";
import { MEMORY_CAPABILITIES } from "./capabilities.ts";
import { memoryDocument } from "./definition.ts";
import { type MemoryGuest, type MemoryInventory, statusOf, TRANSITIONS } from "./inventory.ts";

export class MemoryHost implements Hypervisor {
  readonly capabilities = MEMORY_CAPABILITIES;
  readonly name: HostName;
  readonly guests: MemoryInventory = new Map();
  /** Data disks outlive the guests that used them. */
  readonly data = new Map<GuestName, string[]>();
  /** Every order in turn, for tests that count. */
  readonly history: string[] = [];
  private readonly size: { readonly cpus: number; readonly memory: number };
  private readonly listeners = new Set<(event: HypervisorEvent) => void>();
  private instances = 0;

  constructor(name: HostName, size: { readonly cpus: number; readonly memory: number }) {
    this.name = name;
    this.size = size;
  }

  async report(): Promise<HostReport> {
    return { host: this.name, driver: "memory", ...this.size, kernel: "none" };
  }

  async list(): Promise<readonly GuestStatus[]> {
    return [...this.guests].map(([name, guest]) => statusOf(name, guest)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async define(order: GuestOrder): Promise<void> {
    const known = this.guests.get(order.name);
    if (known?.order.digest === order.digest) return;
    if (known && known.state !== "stopped" && known.state !== "crashed")
      throw new Fault("guest.wrong-state", { guest: order.name, state: known.state, action: "change its definition" });
    this.guests.set(order.name, fresh(order));
    if (!this.data.has(order.name)) this.data.set(order.name, []);
    this.tell(order.name, "defined", "defined");
  }

  async undefine(name: GuestName, options: { readonly destroyData: boolean }): Promise<void> {
    const guest = this.guests.get(name);
    if (guest && guest.state !== "stopped" && guest.state !== "crashed")
      throw new Fault("guest.wrong-state", { guest: name, state: guest.state, action: "forget it" });
    if (this.guests.delete(name)) this.tell(name, "undefined", "forgotten");
    if (options.destroyData) this.data.delete(name);
  }

  start(name: GuestName): Promise<void> {
    return this.change(name, "start", "started", (guest) => {
      guest.wanted = "running";
      guest.instance = ++this.instances;
      guest.starts++;
      guest.console += `${name} started\n`;
      this.history.push(`start ${name}`);
    });
  }

  stop(name: GuestName, _options: { readonly graceSeconds: number }): Promise<void> {
    return this.change(name, "stop", "stopped", (guest) => {
      guest.wanted = "stopped";
      guest.instance = null;
      guest.lastEnd = "stopped as ordered";
      this.history.push(`stop ${name}`);
    });
  }

  destroy(name: GuestName): Promise<void> {
    return this.stop(name, { graceSeconds: 0 });
  }

  async reboot(name: GuestName): Promise<void> {
    if (this.known(name).state !== "running")
      throw new Fault("guest.wrong-state", { guest: name, state: this.known(name).state, action: "reboot" });
    await this.destroy(name);
    await this.start(name);
  }

  suspend(name: GuestName): Promise<void> {
    return this.change(name, "suspend", "suspended", (guest) => {
      guest.wanted = "suspended";
    });
  }

  resume(name: GuestName): Promise<void> {
    return this.change(name, "resume", "resumed", (guest) => {
      guest.wanted = "running";
    });
  }

  save(name: GuestName): Promise<void> {
    return this.change(name, "save", "saved", (guest) => {
      guest.instance = null;
    });
  }

  restore(name: GuestName): Promise<void> {
    return this.change(name, "restore", "started", (guest) => {
      guest.instance = ++this.instances;
    });
  }

  async snapshot(name: GuestName, label: string): Promise<void> {
    this.known(name).snapshots.set(label, [...(this.data.get(name) ?? [])]);
  }

  async clone(name: GuestName, identity: CloneIdentity): Promise<void> {
    const guest = this.known(name);
    const order = cloneOrder(guest.order, guest.state, identity, this.guests.has(identity.name));
    this.guests.set(identity.name, fresh(order));
    this.data.set(identity.name, [...(this.data.get(name) ?? [])]);
    this.tell(identity.name, "defined", `cloned from ${name}`);
  }

  async console(name: GuestName, bytes: number): Promise<string> {
    return this.known(name).console.slice(-bytes);
  }

  async statistics(name: GuestName) {
    const guest = this.known(name);
    const up = guest.instance !== null;
    return { cpuSeconds: 0, memory: up ? guest.order.definition.memory : 0, uptimeSeconds: 0, processes: up ? 1 : 0 };
  }

  async events(listener: (event: HypervisorEvent) => void): Promise<() => void> {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {}

  /** What a test does to a guest: it ends by itself, and the host starts it again as a real one would. */
  crash(name: GuestName): void {
    const guest = this.known(name);
    guest.instance = ++this.instances;
    guest.restarts++;
    guest.lastEnd = "crashed";
    this.tell(name, "crashed", "crashed");
  }

  private async change(
    name: GuestName,
    action: keyof typeof TRANSITIONS,
    kind: HypervisorEvent["kind"],
    effect: (guest: MemoryGuest) => void,
  ): Promise<void> {
    const guest = this.known(name);
    const transition = TRANSITIONS[action];
    if ((transition.done as readonly string[]).includes(guest.state)) return;
    if (!(transition.from as readonly string[]).includes(guest.state))
      throw new Fault("guest.wrong-state", { guest: name, state: guest.state, action });
    effect(guest);
    guest.state = transition.to;
    this.tell(name, kind, kind);
  }

  private known(name: GuestName): MemoryGuest {
    const guest = this.guests.get(name);
    if (!guest)
      throw new Fault("guest.unknown", {
        guest: name,
        known: [...this.guests.keys()].join(", ") || "none on this host",
      });
    return guest;
  }

  private tell(guest: GuestName, kind: HypervisorEvent["kind"], says: string): void {
    for (const listener of this.listeners) listener({ guest, kind, says });
  }
}

function fresh(order: GuestOrder): MemoryGuest {
  return {
    ...memoryDocument(order),
    state: "stopped",
    wanted: "stopped",
    lastEnd: null,
    instance: null,
    restarts: 0,
    snapshots: new Map(),
    console: "",
  };
}
