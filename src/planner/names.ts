/**
 * Names of guests, by the documents' scheme: the prefix of the host a guest is born on and the lowest free number there (`fg5x2`), in the
 * order of services in the file. A guest keeps its name when it moves; a number of a living guest is never given twice, not even to
 * replace that guest in the same plan. MAC address and UUID follow from site and name, so that nothing has to be remembered.
 */
import { createHash } from "node:crypto";
import { aliasesOf, type BlueprintGuest, type GuestName, type Site, type SiteName } from "../model/index.ts";
import type { PlanInput } from "./contract.ts";
import type { Ground } from "./ground.ts";

export interface Named {
  /** By index of want; a guest without a host has no name yet. */
  readonly names: readonly (GuestName | null)[];
  readonly refusals: readonly string[];
}

/** @returns a name for each guest that has a host. */
export function nameGuests(
  ground: Ground,
  at: Int32Array,
  input: Pick<PlanInput, "site" | "inventory" | "parent">,
): Named {
  const taken = new Map<string, string>();
  for (const host of input.site.hosts) taken.set(host.name, `host ${host.name}`);
  for (const { service, alias } of aliasesOf(input.site)) taken.set(alias.name, `the alias of ${service.name}`);
  for (const guest of input.parent?.blueprint.guests ?? [])
    taken.set(guest.name, `${guest.service} copy ${guest.copy}`);
  // Without a Blueprint in force, what is observed is this very site from an earlier life; with one, it is a stray about to be retired.
  if (input.parent)
    for (const guest of input.inventory.guests) if (!taken.has(guest.name)) taken.set(guest.name, "a guest that runs");
  const names: (GuestName | null)[] = ground.wants.map((want) => want.held?.name ?? null);
  const refusals: string[] = [];
  const born = ground.wants.filter((want) => names[want.index] === null && at[want.index]! >= 0);
  for (const want of born) {
    if (want.service.slot === null) continue;
    const { host } = ground.places[at[want.index]!]!;
    const name = `${host.prefix}${want.service.slot}`;
    const holder = taken.get(name);
    if (holder !== undefined) {
      refusals.push(`${want.label}: slot ${want.service.slot} on ${host.name} is not free: ${name} is ${holder}`);
    }
    taken.set(name, want.label);
    names[want.index] = name as GuestName;
  }
  const next = new Map<string, number>();
  for (const want of born) {
    if (names[want.index] !== null) continue;
    const { prefix } = ground.places[at[want.index]!]!.host;
    let number = next.get(prefix) ?? 0;
    while (taken.has(`${prefix}${number}`)) number++;
    next.set(prefix, number + 1);
    taken.set(`${prefix}${number}`, want.label);
    names[want.index] = `${prefix}${number}` as GuestName;
  }
  return { names, refusals };
}

function hash(...parts: readonly string[]): Buffer {
  return createHash("sha256").update(parts.join("\0")).digest();
}

/** @returns a UUID in the form of RFC 9562 section 5.5 (version 5), from SHA-256 of site and guest. */
export function uuidOf(site: SiteName, guest: GuestName): string {
  const bytes = hash("uuid", site, guest).subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * MAC addresses, locally administered (52:54:00). Twenty-four bits are few: at some thousand guests two hashes meet, so a guest that comes
 * later takes the next hash, and keeps it because the parent's address is kept.
 * @param names in the order of naming. @returns address by guest.
 */
export function macAddresses(
  site: Site,
  names: readonly GuestName[],
  before: readonly BlueprintGuest[],
): ReadonlyMap<GuestName, string> {
  const wanted = new Set(names);
  const macs = new Map<GuestName, string>();
  const taken = new Set<string>();
  for (const guest of before) {
    if (!wanted.has(guest.name)) continue;
    macs.set(guest.name, guest.mac);
    taken.add(guest.mac);
  }
  for (const name of names) {
    for (let round = 0; !macs.has(name); round++) {
      const tail = hash("mac", site.name, name, `${round}`).subarray(0, 3);
      const mac = ["52", "54", "00", ...[...tail].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
      if (taken.has(mac)) continue;
      taken.add(mac);
      macs.set(name, mac);
    }
  }
  return macs;
}
