/**
 * The hard rules, each a tiny filter: may this guest be on this host, and if not, one sentence why. The same sentences are the refusals a
 * person reads, so a rule cannot say no without a reason.
 */
import { formatSize, type HostName } from "../model/index.ts";
import type { Ground, Place, Want } from "./ground.ts";

/** What filters may ask of a placement under construction. */
export interface Standing {
  readonly ground: Ground;
  /** Index of the host of each want; -1 is nowhere. */
  readonly at: Int32Array;
  readonly usedMemory: Float64Array;
  readonly usedCpus: Float64Array;
  /** Names for sentences; a guest not named yet goes by its label. */
  readonly nameOf: (want: number) => string;
  readonly residents: (place: number) => readonly number[];
}

export interface Filter {
  readonly name: string;
  /**
   * `host`: no other guest can change the answer. `neighbours`: other guests are in the way. `room`: other guests take what is missing.
   */
  readonly because: "host" | "neighbours" | "room";
  readonly allows: (standing: Standing, want: Want, place: Place) => boolean;
  readonly says: (standing: Standing, want: Want, place: Place) => string;
}

/** The hosts a copy is pinned to, or `null` when it is free: copy k belongs on hosts[k], further copies on any of them. */
export function pinnedTo(want: Want): readonly HostName[] | null {
  const { hosts } = want.service;
  if (hosts.length === 0) return null;
  const own = hosts[want.copy];
  return own === undefined ? hosts : [own];
}

/** Another copy of the same service in the failure domain the service asks for, or -1. */
export function neighbour(standing: Standing, want: Want, place: Place): number {
  const { ground, at } = standing;
  const apart = want.service.apart;
  const zone = place.zones[apart];
  for (const other of ground.copies[want.serviceIndex]!) {
    if (other === want.index || at[other]! < 0) continue;
    const there = ground.places[at[other]!]!;
    if (there.index === place.index || there.zones[apart] === zone) return other;
  }
  return -1;
}

function crowd(
  standing: Standing,
  place: Place,
  amount: (want: Want) => number,
  show: (amount: number) => string,
): string {
  const big = standing
    .residents(place.index)
    .map((index) => standing.ground.wants[index]!)
    .filter((want) => amount(want) > 0)
    .sort((a, b) => amount(b) - amount(a) || a.index - b.index);
  if (big.length === 0) return "nothing is in the way: the host is too small";
  const named = big.slice(0, 6).map((want) => `${standing.nameOf(want.index)} ${show(amount(want))}`);
  return `in the way: ${named.join(", ")}${big.length > 6 ? ` and ${big.length - 6} more` : ""}`;
}

const count = (amount: number): string => `${Number(amount.toFixed(2))}`;

export const FILTERS: readonly Filter[] = [
  {
    name: "reachable",
    because: "host",
    allows: (_, want, place) => place.reachable || want.current === place.index,
    says: (_, __, place) => `${place.name} is unreachable and gets no new guests`,
  },
  {
    name: "spare",
    because: "host",
    allows: ({ ground }, want, place) => !place.spare || ground.sparesOpen || want.current === place.index,
    says: (_, __, place) => `${place.name} is kept spare until another host is unreachable`,
  },
  {
    name: "pinned",
    because: "host",
    allows: (_, want, place) => pinnedTo(want)?.includes(place.name) ?? true,
    says: (_, want, place) => `${place.name} is not where the file pins it (${pinnedTo(want)?.join(", ")})`,
  },
  {
    name: "forbidden",
    because: "host",
    allows: (_, want, place) => !want.service.forbid.includes(place.name),
    says: (_, __, place) => `${place.name} is forbidden by the file`,
  },
  {
    name: "apart",
    because: "neighbours",
    allows: (standing, want, place) => neighbour(standing, want, place) < 0,
    says: (standing, want, place) => {
      const other = standing.ground.wants[neighbour(standing, want, place)]!;
      const there = standing.ground.places[standing.at[other.index]!]!;
      const who = `copy ${other.copy} (${standing.nameOf(other.index)})`;
      if (there.index === place.index) return `${place.name} already has ${who}`;
      const apart = want.service.apart;
      const known = place.host[apart === "building" ? "building" : "rack"];
      return known === null
        ? `${place.name} states no ${apart}, nor does ${there.name} with ${who}: nobody can say that they are apart`
        : `${place.name} is in ${apart} ${known} with ${who} on ${there.name}`;
    },
  },
  {
    name: "memory",
    because: "room",
    allows: (standing, want, place) => standing.usedMemory[place.index]! + want.memory <= place.memory,
    says: (standing, want, place) => {
      const free = place.memory - standing.usedMemory[place.index]!;
      const room = `needs ${formatSize(want.memory)}, ${formatSize(Math.max(0, free))} of ${formatSize(place.memory)} free`;
      return `${place.name} lacks ${formatSize(want.memory - free)} (${room}; ${crowd(standing, place, (one) => one.memory, formatSize)})`;
    },
  },
  {
    name: "processors",
    because: "room",
    allows: (standing, want, place) => standing.usedCpus[place.index]! + want.cpus <= place.cpus + 1e-9,
    says: (standing, want, place) => {
      const free = place.cpus - standing.usedCpus[place.index]!;
      const room = `needs ${want.cpus}, ${count(Math.max(0, free))} of ${count(place.cpus)} free`;
      return `${place.name} lacks ${count(want.cpus - free)} CPUs (${room}; ${crowd(standing, place, (one) => one.cpus, count)})`;
    },
  },
];

/** @returns the first rule that says no, or `null` when the guest may be there. */
export function objection(standing: Standing, want: Want, place: Place, because?: Filter["because"]): Filter | null {
  for (const filter of FILTERS) {
    if ((because === undefined || filter.because === because) && !filter.allows(standing, want, place)) return filter;
  }
  return null;
}
