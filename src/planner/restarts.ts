/**
 * For each lost host: which of its guests could be restarted where, in the room that is left. They are packed together, not each alone:
 * two guests that both fit into the same last gap do not fit. A reserved empty place counts as room, and so does a spare host: that is
 * what they are for.
 */
import {
  type BlueprintGuest,
  formatSize,
  type GuestName,
  type HostName,
  type Proof,
  type Service,
  type ServiceName,
} from "../model/index.ts";
import { isReserve, type Place } from "./ground.ts";
import type { ProofInput } from "./proof-input.ts";

/** What the proof must know of a guest: those of a Blueprint are such, and so are those that somebody only thinks of. */
export type Restartable = Pick<BlueprintGuest, "name" | "service" | "copy" | "host"> & {
  readonly definition: Pick<BlueprintGuest["definition"], "memory" | "cpus" | "data">;
};

interface Refugee {
  readonly guest: Restartable;
  readonly service: Service;
  readonly others: readonly Place[];
}

/** How much each host still gives while one case is worked out. */
class Gaps {
  readonly #memory: ReadonlyMap<HostName, number>;
  readonly #cpus: ReadonlyMap<HostName, number>;
  readonly #taken = new Map<HostName, { memory: number; cpus: number }>();
  readonly #newcomers = new Map<HostName, Refugee[]>();

  constructor(memory: ReadonlyMap<HostName, number>, cpus: ReadonlyMap<HostName, number>) {
    this.#memory = memory;
    this.#cpus = cpus;
  }

  memory(place: Place): number {
    return this.#memory.get(place.name)! - (this.#taken.get(place.name)?.memory ?? 0);
  }

  cpus(place: Place): number {
    return this.#cpus.get(place.name)! - (this.#taken.get(place.name)?.cpus ?? 0);
  }

  put(refugee: Refugee, place: Place): void {
    const taken = this.#taken.get(place.name) ?? { memory: 0, cpus: 0 };
    taken.memory += refugee.guest.definition.memory;
    taken.cpus += refugee.guest.definition.cpus;
    this.#taken.set(place.name, taken);
    this.#newcomers.set(place.name, [...(this.#newcomers.get(place.name) ?? []), refugee]);
  }

  /** Has this host taken another copy of the same service in this case? */
  joined(refugee: Refugee, place: Place): boolean {
    return this.#newcomers.get(place.name)?.some((one) => one.service === refugee.service) ?? false;
  }
}

interface Rule {
  readonly name: string;
  /** Is it room that is missing: what can be bought? */
  readonly room: boolean;
  readonly allows: (gaps: Gaps, refugee: Refugee, place: Place) => boolean;
}

interface Packing {
  readonly entries: Proof["restarts"];
  readonly homeless: number;
  /** Guests that only lack room. */
  readonly cramped: readonly GuestName[];
}

/** The hard rules once more, for a guest that has lost its host. */
const RULES: readonly Rule[] = [
  { name: "unreachable", room: false, allows: (_, __, place) => place.reachable },
  {
    name: "pinned elsewhere",
    room: false,
    allows: (_, { service, guest }, place) => {
      const own = service.hosts[guest.copy];
      return own === undefined ? service.hosts.length === 0 || service.hosts.includes(place.name) : own === place.name;
    },
  },
  { name: "forbidden", room: false, allows: (_, { service }, place) => !service.forbid.includes(place.name) },
  {
    name: "another copy is too near",
    room: false,
    allows: (gaps, refugee, place) => {
      const { apart } = refugee.service;
      if (gaps.joined(refugee, place)) return false;
      return !refugee.others.some((other) => other === place || other.zones[apart] === place.zones[apart]);
    },
  },
  {
    name: "too little memory",
    room: true,
    allows: (gaps, { guest }, place) => gaps.memory(place) >= guest.definition.memory,
  },
  {
    name: "too few CPUs",
    room: true,
    allows: (gaps, { guest }, place) => gaps.cpus(place) + 1e-9 >= guest.definition.cpus,
  },
];

/** The first rule that keeps a guest from a host. */
function barred(gaps: Gaps, refugee: Refugee, place: Place): Rule | undefined {
  return RULES.find((rule) => !rule.allows(gaps, refugee, place));
}

/** @returns for each host in use and each of its guests, where it could restart; `onto: null` says what is missing. */
export function proveRestarts(input: {
  readonly site: Pick<ProofInput["site"], "services">;
  readonly places: readonly Place[];
  readonly guests: readonly Restartable[];
}): {
  readonly restarts: Proof["restarts"];
  readonly warnings: readonly string[];
  /** Who only lacks room, by lost host: `fermigrid5/fg5x2`. */
  readonly cramped: ReadonlySet<string>;
} {
  const crampedAll = new Set<string>();
  const warnings: string[] = [];
  const { places, guests } = input;
  const services = new Map(input.site.services.map((service) => [service.name, service]));
  const placeOf = new Map(places.map((place) => [place.name, place]));
  const memory = new Map(places.map((place) => [place.name, place.memory]));
  const cpus = new Map(places.map((place) => [place.name, place.cpus]));
  const copies = new Map<ServiceName, Restartable[]>();
  const onHost = new Map<HostName, Restartable[]>();
  for (const guest of guests) {
    if (isReserve(services.get(guest.service)!)) continue;
    memory.set(guest.host, memory.get(guest.host)! - guest.definition.memory);
    cpus.set(guest.host, cpus.get(guest.host)! - guest.definition.cpus);
    copies.set(guest.service, [...(copies.get(guest.service) ?? []), guest]);
    onHost.set(guest.host, [...(onHost.get(guest.host) ?? []), guest]);
  }
  // Spread them first; where somebody is left over, fill the smallest gaps first instead.
  const gap = (place: Place): number => memory.get(place.name)!;
  const roomiest = [...places].sort((a, b) => gap(b) - gap(a) || a.index - b.index);
  const tightest = [...places].sort((a, b) => gap(a) - gap(b) || a.index - b.index);
  const restarts = places.flatMap((lost) => {
    const refugees = (onHost.get(lost.name) ?? []).map((guest): Refugee => {
      const others = (copies.get(guest.service) ?? []).filter((other) => other !== guest && other.host !== lost.name);
      return { guest, service: services.get(guest.service)!, others: others.map((other) => placeOf.get(other.host)!) };
    });
    // Who has no other copy comes first, then who is hardest to seat.
    refugees.sort((a, b) => a.others.length - b.others.length || b.guest.definition.memory - a.guest.definition.memory);
    let best = pack(refugees, lost, roomiest, new Gaps(memory, cpus));
    if (best.homeless > 0) {
      const other = pack(refugees, lost, tightest, new Gaps(memory, cpus));
      if (other.homeless < best.homeless) best = other;
    }
    for (const guest of best.cramped) crampedAll.add(`${lost.name}/${guest}`);
    if (best.cramped.length > 0) {
      const names = best.cramped.slice(0, 6).join(", ");
      const others = best.cramped.length > 6 ? ` and ${best.cramped.length - 6} more` : "";
      warnings.push(`without ${lost.name} there is no room to restart ${names}${others}`);
    }
    return best.entries;
  });
  return {
    restarts,
    cramped: crampedAll,
    warnings:
      warnings.length > 8 ? [...warnings.slice(0, 8), `and ${warnings.length - 8} more hosts like that`] : warnings,
  };
}

/** Seats refugees one after the other on the first host of the order that may take them. */
function pack(refugees: readonly Refugee[], lost: Place, order: readonly Place[], gaps: Gaps): Packing {
  let homeless = 0;
  const cramped: GuestName[] = [];
  const entries = refugees.map((refugee): Proof["restarts"][number] => {
    const { guest } = refugee;
    const who = `${guest.name} (${guest.service} copy ${guest.copy})`;
    if (guest.definition.data === "local") {
      homeless++;
      return {
        host: lost.name,
        guest: guest.name,
        onto: null,
        says: `${who} cannot restart: its data is on ${lost.name}`,
      };
    }
    const onto = order.find((place) => place !== lost && !barred(gaps, refugee, place));
    if (!onto) {
      homeless++;
      if (order.some((place) => place !== lost && barred(gaps, refugee, place)?.room)) cramped.push(guest.name);
      return {
        host: lost.name,
        guest: guest.name,
        onto: null,
        says: `${who} cannot restart: ${missing(refugee, lost, order, gaps)}`,
      };
    }
    gaps.put(refugee, onto);
    const room = `${formatSize(gaps.memory(onto))} stay free`;
    return { host: lost.name, guest: guest.name, onto: onto.name, says: `${who} can restart on ${onto.name}; ${room}` };
  });
  return { entries, homeless, cramped };
}

/** Why no host takes it, counted by rule, with the nearest miss in memory. */
function missing(refugee: Refugee, lost: Place, order: readonly Place[], gaps: Gaps): string {
  const reasons = new Map<string, Place[]>();
  for (const place of order) {
    if (place === lost) continue;
    const { name } = barred(gaps, refugee, place)!;
    reasons.set(name, [...(reasons.get(name) ?? []), place]);
  }
  if (reasons.size === 0) return "there is no other host";
  return RULES.flatMap(({ name }) => {
    const places = reasons.get(name);
    if (!places) return [];
    const where = places.length > 3 ? `${places.length} hosts` : places.map((place) => place.name).join(", ");
    if (name !== "too little memory") return [`${name}: ${where}`];
    const most = Math.max(...places.map((place) => gaps.memory(place)));
    return [`${name}: ${where} (at least ${formatSize(refugee.guest.definition.memory - most)} missing)`];
  }).join("; ");
}
