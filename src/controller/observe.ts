/** Looks at the world: what exists on each host, who answers, who holds each alias. Hosts that do not answer are reported, not waited for. */
import type { GuestStatus } from "../hypervisor/index.ts";
import {
  type Blueprint,
  type BlueprintAlias,
  type BlueprintGuest,
  Fault,
  type HostName,
  type Inventory,
  type InventoryHost,
  type ProbeResult,
} from "../model/index.ts";
import { programPath } from "../world/index.ts";
import type { HostPool } from "./hosts.ts";
import { type Ask, aliasProbe } from "./steps.ts";

export interface HostObservation {
  readonly name: HostName;
  readonly state: "up" | "cut" | "down";
  readonly says: string;
  readonly guests: readonly GuestStatus[];
}

export async function observeHost(hosts: HostPool, name: HostName): Promise<HostObservation> {
  try {
    const guests = await (await hosts.connect(name)).list();
    return {
      name,
      state: "up",
      says: `${guests.filter((guest) => guest.state === "running").length} guests run`,
      guests,
    };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { name, state: error.code === "host.cut" ? "cut" : "down", says: error.message, guests: [] };
  }
}

/** What this machine offers to the embedded default. */
export function programsHere(): Inventory["programs"] {
  return { mariadb: programPath("mariadbd") !== null };
}

/**
 * The Inventory that planning reads. Only what was seen counts; a supervisor that does not run is no lost host, since `up` starts it.
 */
export async function takeInventory(
  hosts: HostPool,
  names: readonly HostName[],
  programs: Inventory["programs"],
): Promise<Inventory> {
  const seen = await Promise.all(names.map((name) => observeHost(hosts, name)));
  return {
    hosts: seen
      .filter((host) => host.state === "cut")
      .map((host): InventoryHost => ({ name: host.name, state: "unreachable", memory: null, cpus: null })),
    guests: seen.flatMap((host) =>
      host.guests.map((guest) => ({
        name: guest.name,
        host: host.name,
        running: guest.state === "running",
        digest: guest.digest,
      })),
    ),
    programs,
  };
}

export interface GuestObservation {
  readonly guest: BlueprintGuest;
  readonly status: GuestStatus | null;
  readonly probe: ProbeResult;
}

export interface AliasObservation {
  readonly alias: BlueprintAlias;
  readonly probe: ProbeResult;
}

export interface SiteObservation {
  readonly hosts: readonly HostObservation[];
  readonly guests: readonly GuestObservation[];
  readonly aliases: readonly AliasObservation[];
}

const EMPTY_PLACE: ProbeResult = { outcome: "answers", says: "a reserved, empty place", milliseconds: 0 };

/** Asks everybody once, side by side. */
export async function observeSite(blueprint: Blueprint, hosts: HostPool, ask: Ask): Promise<SiteObservation> {
  const [seenHosts, guests, aliases] = await Promise.all([
    Promise.all(blueprint.hosts.map((host) => observeHost(hosts, host.name))),
    Promise.all(
      blueprint.guests.map(async (guest) => ({
        guest,
        probe:
          guest.definition.program.kind === "none"
            ? EMPTY_PLACE
            : await ask(guest.definition.probe, guest.address, guest.name),
      })),
    ),
    Promise.all(
      blueprint.aliases.map(async (alias) => ({
        alias,
        probe: await ask(aliasProbe(alias), alias.address, alias.name),
      })),
    ),
  ]);
  const statuses = new Map(
    seenHosts.flatMap((host) => host.guests.map((status) => [`${status.name}@${host.name}`, status] as const)),
  );
  return {
    hosts: seenHosts,
    guests: guests.map((one) => ({ ...one, status: statuses.get(`${one.guest.name}@${one.guest.host}`) ?? null })),
    aliases,
  };
}
