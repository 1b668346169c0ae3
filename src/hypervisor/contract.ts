/**
 * The virtualization engine's one interface (V1). A driver is one folder with the same file names as every other:
 * `driver.ts`, `definition.ts`, `capabilities.ts`, `inventory.ts`. Goals are states, not commands: stopping what is stopped is no error.
 */
import type { GuestDefinition, GuestFile, GuestName, HostName, SiteName } from "../model/index.ts";
import type { Capabilities } from "./capabilities.ts";

export type GuestState =
  | "running"
  | "suspended"
  | "stopped"
  /** Ended by itself and waits for its next start (the host restarts it with growing pauses). */
  | "crashed"
  /** Its memory lies on disk; `restore` goes on from there. */
  | "saved";

/** Everything a host needs to run a guest: a BlueprintGuest with the secrets' values, rendered for nobody in particular. */
export interface GuestOrder {
  readonly site: SiteName;
  readonly name: GuestName;
  readonly uuid: string;
  readonly mac: string;
  readonly address: string;
  readonly definition: GuestDefinition;
  /** File name of its program in the host's bundle store; `null` when it brings its own. */
  readonly bundle: string | null;
  readonly files: readonly GuestFile[];
  /** Same, mode 0600 and never printed: certificates, keys, tokens. */
  readonly secretFiles: readonly GuestFile[];
  /** Whoever shows this key may have this guest ended when it hangs, and nothing else. */
  readonly peerKey: string | null;
  readonly autostart: boolean;
  /** Names the definition: equal digests are equal guests. */
  readonly digest: string;
}

export interface GuestStatus {
  readonly name: GuestName;
  readonly state: GuestState;
  readonly digest: string;
  readonly address: string;
  /** What the host wants it to be: a crashed guest that should run is restarted by the host. */
  readonly wanted: "running" | "stopped" | "suspended";
  /** Leader process or domain id; `null` when it does not run. */
  readonly instance: string | null;
  /** Times the host has started it again since it was last ordered to start. */
  readonly restarts: number;
  /** The last reason it ended, in one sentence. */
  readonly lastEnd: string | null;
}

export interface GuestStatistics {
  readonly cpuSeconds: number;
  /** Resident bytes. */
  readonly memory: number;
  readonly uptimeSeconds: number;
  readonly processes: number;
}

export interface HostReport {
  readonly host: HostName;
  readonly driver: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly kernel: string;
}

export interface HypervisorEvent {
  readonly guest: GuestName;
  readonly kind:
    | "defined"
    | "undefined"
    | "started"
    | "stopped"
    | "crashed"
    | "suspended"
    | "resumed"
    | "saved"
    | "ended-by-peer";
  readonly says: string;
}

/** What a copy of a guest gets that the original must keep for itself. */
export interface CloneIdentity {
  readonly name: GuestName;
  readonly uuid: string;
  readonly mac: string;
  readonly address: string;
}

export interface Hypervisor {
  readonly capabilities: Capabilities;
  report(): Promise<HostReport>;
  list(): Promise<readonly GuestStatus[]>;
  /** Same digest: nothing happens. A guest that runs under another definition is refused (`guest.wrong-state`). */
  define(order: GuestOrder): Promise<void>;
  /** Forgets a stopped guest. Its data stays unless `destroyData`. An unknown guest is no error. */
  undefine(name: GuestName, options: { readonly destroyData: boolean }): Promise<void>;
  start(name: GuestName): Promise<void>;
  /** Asks it to end, then ends it after `graceSeconds`. */
  stop(name: GuestName, options: { readonly graceSeconds: number }): Promise<void>;
  /** Ends it at once, as a power switch would. */
  destroy(name: GuestName): Promise<void>;
  reboot(name: GuestName): Promise<void>;
  suspend(name: GuestName): Promise<void>;
  resume(name: GuestName): Promise<void>;
  save(name: GuestName): Promise<void>;
  restore(name: GuestName): Promise<void>;
  snapshot(name: GuestName, label: string): Promise<void>;
  /** A stopped guest's definition, files and data under another identity. Secrets are not copied: they name their holder. */
  clone(name: GuestName, identity: CloneIdentity): Promise<void>;
  /** The last `bytes` of what it printed. */
  console(name: GuestName, bytes: number): Promise<string>;
  statistics(name: GuestName): Promise<GuestStatistics>;
  /** @returns a function that ends the subscription. */
  events(listener: (event: HypervisorEvent) => void): Promise<() => void>;
  close(): Promise<void>;
}

/** Operations that travel over a wire with plain values, in one list so that both ends agree. */
export const OPERATIONS = [
  "report",
  "list",
  "define",
  "undefine",
  "start",
  "stop",
  "destroy",
  "reboot",
  "suspend",
  "resume",
  "save",
  "restore",
  "snapshot",
  "clone",
  "console",
  "statistics",
] as const satisfies readonly (keyof Hypervisor)[];
export type Operation = (typeof OPERATIONS)[number];
