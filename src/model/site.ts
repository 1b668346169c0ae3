/**
 * The Site: what people wrote, after reading. Policy only: nothing here says where a guest is or whether it runs.
 * All sizes are bytes, all times are seconds, so that no unit is ever guessed further down.
 */
import type { AliasName, HostName, ServiceName, SiteName } from "./ids.ts";
import type { Probe } from "./probe.ts";

/** The strategies of the documents by their own words; `STRATEGIES` says what each needs. */
export type Strategy =
  | "active-standby"
  | "active-active"
  | "replicated-database"
  | "native"
  | "mirrored"
  | "single"
  | "spare";

export interface StrategyRule {
  readonly copies: number;
  readonly minimum: number;
  readonly maximum: number;
  /** How many copies must be up for the service to answer. */
  readonly quorum: "one" | "none";
  /** May the front end spread calls over the copies? */
  readonly alias: boolean;
  readonly says: string;
}

/** How many copies each strategy has when the file is silent, and which numbers make sense. */
export const STRATEGIES: Readonly<Record<Strategy, StrategyRule>> = {
  "active-standby": {
    copies: 2,
    minimum: 2,
    maximum: 2,
    quorum: "one",
    alias: false,
    says: "one copy works, one waits",
  },
  "active-active": { copies: 2, minimum: 1, maximum: 64, quorum: "one", alias: true, says: "every copy works" },
  "replicated-database": {
    copies: 2,
    minimum: 2,
    maximum: 9,
    quorum: "one",
    alias: true,
    says: "copies replicate to each other",
  },
  native: { copies: 2, minimum: 1, maximum: 64, quorum: "one", alias: true, says: "copies look after themselves" },
  mirrored: {
    copies: 2,
    minimum: 2,
    maximum: 2,
    quorum: "one",
    alias: true,
    says: "one active, one ready on a mirrored disk",
  },
  single: { copies: 1, minimum: 1, maximum: 1, quorum: "one", alias: true, says: "one copy, restarted elsewhere" },
  spare: { copies: 1, minimum: 1, maximum: 64, quorum: "none", alias: false, says: "a reserved, empty place" },
};

/** How far apart two copies of one service must be. */
export type FailureDomain = "host" | "rack" | "building";
/** `appliance`: built by a recipe and replaced when it changes. `kept`: run, moved, backed up, never replaced. */
export type GuestKind = "appliance" | "kept";

export interface Network {
  /** IPv4 network, `a.b.c.d/n`. `null` means: taken from a hash of the site's name, in 127/8 (embedded). */
  readonly cidr: string | null;
  readonly mode: "bridge" | "nat" | "loopback";
  readonly bridge: string | null;
  /** Off in guests unless asked: the documents lost guests to IPv6 packets. */
  readonly ipv6: boolean;
}

export interface Host {
  readonly name: HostName;
  /** Guests born here are named by this prefix and a number: `fg5x` → `fg5x0`. */
  readonly prefix: string;
  /** libvirt-style address of the hypervisor; `null` is the embedded default. */
  readonly hypervisor: string | null;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes that guests never get: the host's own. */
  readonly reserve: number;
  readonly rack: string | null;
  readonly building: string | null;
  readonly address: string | null;
  /** A host kept free of guests unless another is lost (hot spare). */
  readonly spare: boolean;
}

export type Scheduler = "least-connections" | "round-robin";

export interface Alias {
  readonly name: AliasName;
  readonly port: number;
  readonly address: string | null;
  readonly scheduler: Scheduler;
  /** Seconds that one client address stays with one copy; 0 is never. */
  readonly persistence: number;
  /** Most simultaneous connections through this alias, and to one copy. */
  readonly connections: number;
  readonly connectionsPerCopy: number;
}

/** A service that people bring themselves: a program or a static site, files, and a probe. */
export interface OwnService {
  readonly image: string | null;
  readonly packages: readonly string[];
  /** Program and arguments, never a shell line. */
  readonly command: readonly string[] | null;
  /** Served by the house's own static file program: path → content. */
  readonly pages: Readonly<Record<string, string>> | null;
  /** Files put into the guest: path → content. */
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Service {
  readonly name: ServiceName;
  /** What people call it, when a name is not enough: "SAZ (Gatekeepers)". */
  readonly title: string;
  /** Name of a recipe of the house, or `own`. */
  readonly recipe: string;
  readonly strategy: Strategy;
  readonly mode: "circular" | "galera" | null;
  readonly kind: GuestKind;
  readonly copies: number;
  /** Bytes for each guest. */
  readonly memory: number;
  readonly cpus: number;
  /** Bytes of data disk for each guest; 0 is none. */
  readonly disk: number;
  readonly alias: Alias | null;
  /** Of a recipe with a second program in the same guests: the alias of that one. */
  readonly also: Alias | null;
  /** Services that must answer before this one starts. */
  readonly needs: readonly ServiceName[];
  /** When not empty: copy k is pinned to hosts[k]; further copies go to any of these. */
  readonly hosts: readonly HostName[];
  readonly forbid: readonly HostName[];
  /** The guest's number on its birth host, when pinned. */
  readonly slot: number | null;
  readonly apart: FailureDomain;
  readonly probe: Probe | null;
  /** What the recipe itself understands (a policy, a database's settings); checked by the recipe's own table. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly own: OwnService | null;
  /** Where they differ from the site's. */
  readonly objectives?: Partial<Objectives>;
}

/** @returns what a service must keep: its own objectives, the site's, the house's; the site's alone without a service */
export function objectivesOf(site: Pick<Site, "objectives">, service?: Pick<Service, "objectives">): Objectives {
  return { ...OBJECTIVES, ...site.objectives, ...service?.objectives };
}

/** Every alias of a site, the services' own first: who adds a second program moves nobody else's address. */
export function aliasesOf(
  site: Pick<Site, "services">,
): readonly { readonly service: Service; readonly alias: Alias }[] {
  const own = site.services.flatMap((service) => (service.alias ? [{ service, alias: service.alias }] : []));
  const second = site.services.flatMap((service) => (service.also ? [{ service, alias: service.also }] : []));
  return [...own, ...second];
}

/** What people may rely on, as acceptance tests judge it. */
export interface Objectives {
  /** Share of calls, 0 to 1, that may stay without an answer after a client's repetitions. */
  readonly lost: number;
  /** Seconds without service when a copy, a director or a host dies. */
  readonly gap: number;
  /** Seconds until everything that died is whole again, once it has power. */
  readonly whole: number;
  /** Seconds within which 99 of 100 calls are answered. */
  readonly latency: number;
  /** Calls a day that must be possible; `null`: as many as there are. */
  readonly callsPerDay: number | null;
}

/** What holds where the file is silent: nothing lost, and no outage that a person would notice. */
export const OBJECTIVES: Objectives = { lost: 0, gap: 3, whole: 120, latency: 0.5, callsPerDay: null };

export interface PlacementRules {
  /** 1 means memory is never overcommitted. */
  readonly memoryOvercommit: number;
  /** Guest CPUs for each host CPU, at most. */
  readonly cpuRatio: number;
}

export interface Site {
  readonly name: SiteName;
  readonly network: Network;
  readonly hosts: readonly Host[];
  /** In the order of the file: guest numbers follow it. */
  readonly services: readonly Service[];
  readonly rules: PlacementRules;
  /** Where they differ from {@link OBJECTIVES}. */
  readonly objectives?: Partial<Objectives>;
}
