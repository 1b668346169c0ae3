/**
 * For each lost host: which of its guests could be restarted where, in the room that is left. They are packed together, not each alone:
 * two guests that both fit into the same last gap do not fit. A reserved empty place counts as room, and so does a spare host: that is
 * what they are for.
 */
import {
  type BlueprintGuest,
  formatSize,
  type HostName,
  type Proof,
  type Service,
  type ServiceName,
} from "../model/index.ts";
import { isReserve, type Place } from "./ground.ts";
import type { ProofInput } from "./prove.ts";

interface Refugee {
  readonly guest: BlueprintGuest;
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

type Rule = readonly [name: string, allows: (gaps: Gaps, refugee: Refugee, place: Place) => boolean];

/** The hard rules once more, for a guest that has lost its host. Room comes last: it is what can be bought. */
const RULES: readonly Rule[] = [
  ["unreachable", (_, __, place) => place.reachable],
  ["pinned elsewhere", (_, { service }, place) => service.hosts.length === 0 || service.hosts.includes(place.name)],
  ["forbidden", (_, { service }, place) => !service.forbid.includes(place.name)],
  [
    "another copy is too near",
    (gaps, refugee, place) =>
      !gaps.joined(refugee, place) &&
      !refugee.others.some(
        (other) =>
          other.index === place.index || other.domains[refugee.service.apart] === place.domains[refugee.service.apart],
      ),
  ],
  ["too little memory", (gaps, { guest }, place) => gaps.memory(place) >= guest.definition.memory],
  ["too few CPUs", (gaps, { guest }, place) => gaps.cpus(place) + 1e-9 >= guest.definition.cpus],
];

/** @returns for each host in use and each of its guests, where it could restart; `onto: null` says what is missing. */
export function proveRestarts(input: ProofInput): Proof["restarts"] {
  const { places, guests } = input;
  const services = new Map(input.site.services.map((service) => [service.name, service]));
  const placeOf = new Map(places.map((place) => [place.name, place]));
  const memory = new Map(places.map((place) => [place.name, place.memory]));
  const cpus = new Map(places.map((place) => [place.name, place.cpus]));
  const copies = new Map<ServiceName, BlueprintGuest[]>();
  const onHost = new Map<HostName, BlueprintGuest[]>();
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
  return places.flatMap((lost) => {
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
    return best.entries;
  });
}

/** Seats refugees one after the other on the first host of the order that may take them. */
function pack(
  refugees: readonly Refugee[],
  lost: Place,
  order: readonly Place[],
  gaps: Gaps,
): { readonly entries: Proof["restarts"]; readonly homeless: number } {
  let homeless = 0;
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
    const onto = order.find((place) => place !== lost && RULES.every(([, allows]) => allows(gaps, refugee, place)));
    if (!onto) {
      homeless++;
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
  return { entries, homeless };
}

/** Why no host takes it, counted by rule, with the nearest miss in memory. */
function missing(refugee: Refugee, lost: Place, order: readonly Place[], gaps: Gaps): string {
  const reasons = new Map<string, Place[]>();
  for (const place of order) {
    if (place === lost) continue;
    const rule = RULES.find(([, allows]) => !allows(gaps, refugee, place))!;
    reasons.set(rule[0], [...(reasons.get(rule[0]) ?? []), place]);
  }
  if (reasons.size === 0) return "there is no other host";
  return RULES.flatMap(([name]) => {
    const places = reasons.get(name);
    if (!places) return [];
    const where = places.length > 3 ? `${places.length} hosts` : places.map((place) => place.name).join(", ");
    if (name !== "too little memory") return [`${name}: ${where}`];
    const most = Math.max(...places.map((place) => gaps.memory(place)));
    return [`${name}: ${where} (at least ${formatSize(refugee.guest.definition.memory - most)} missing)`];
  }).join("; ");
}
