/**
 * The order of live moves. A guest that moves while it runs takes memory on both hosts until it is over, so moves that look harmless in
 * the plan can be impossible on the way; where two must swap, one is parked on a third host and goes on from there. Nobody moves more
 * than twice. The result is a graph: moves that do not need each other's room may run side by side.
 *
 * Refused: an exact search. Where the four greedy ways fail, the answer names the guests that block, which a person can act on.
 */
import { formatSize, type GuestName, type HostName } from "../model/index.ts";

/** A host's room for guests, in bytes. */
export interface Berth {
  readonly name: HostName;
  readonly memory: number;
}

/** A guest, where it is and where it shall be; both the same for one that only stands there (it may be parked if nothing else helps). */
export interface Carriage {
  readonly guest: GuestName;
  /** Bytes. */
  readonly memory: number;
  readonly from: HostName;
  readonly to: HostName;
  /** Guests of one group (copies of one service) move one after the other. */
  readonly group: string;
}

export interface Move {
  readonly id: string;
  readonly guest: GuestName;
  readonly from: HostName;
  readonly to: HostName;
  /** A stop on a third host: this guest has a second move. */
  readonly parking: boolean;
  /** Moves that must be over before this one begins. */
  readonly after: readonly string[];
  readonly says: string;
}

export type Sequence =
  | { readonly ok: true; readonly moves: readonly Move[] }
  /** Which guests block, and what they lack. */
  | { readonly ok: false; readonly blocked: readonly GuestName[]; readonly says: readonly string[] };

/**
 * May a guest be on a host while its group is where it is? Memory is not asked here.
 * @param others where the other guests of its group are.
 */
export type MayStand = (guest: Carriage, host: HostName, others: readonly HostName[]) => boolean;

interface Way {
  readonly bystanders: boolean;
  readonly parkOn: "roomiest" | "tightest";
}
const WAYS: readonly Way[] = [
  { bystanders: false, parkOn: "roomiest" },
  { bystanders: false, parkOn: "tightest" },
  { bystanders: true, parkOn: "roomiest" },
  { bystanders: true, parkOn: "tightest" },
];

interface Leg {
  readonly carriage: Carriage;
  readonly from: HostName;
  readonly to: HostName;
  readonly because: GuestName | null;
}

/** The yard while guests are carried about in it, one after the other. */
class Yard {
  readonly legs: Leg[] = [];
  readonly #at: Map<Carriage, HostName>;
  readonly #free: Map<HostName, number>;
  readonly #groups: ReadonlyMap<string, readonly Carriage[]>;
  readonly #parked = new Set<Carriage>();
  readonly #may: MayStand;

  constructor(berths: readonly Berth[], carriages: readonly Carriage[], may: MayStand) {
    this.#may = may;
    this.#at = new Map(carriages.map((one) => [one, one.from]));
    this.#groups = Map.groupBy(carriages, (one) => one.group);
    this.#free = new Map(berths.map((berth) => [berth.name, berth.memory]));
    for (const one of carriages) this.#free.set(one.from, this.free(one.from) - one.memory);
  }

  at(one: Carriage): HostName {
    return this.#at.get(one)!;
  }

  free(host: HostName): number {
    return this.#free.get(host) ?? 0;
  }

  parked(one: Carriage): boolean {
    return this.#parked.has(one);
  }

  fits(one: Carriage, host: HostName): boolean {
    if (this.free(host) < one.memory) return false;
    const others = this.#groups.get(one.group)!.filter((other) => other !== one);
    return this.#may(
      one,
      host,
      others.map((other) => this.at(other)),
    );
  }

  go(one: Carriage, to: HostName, because: GuestName | null): void {
    const from = this.at(one);
    this.legs.push({ carriage: one, from, to, because });
    this.#free.set(to, this.free(to) - one.memory);
    this.#free.set(from, this.free(from) + one.memory);
    this.#at.set(one, to);
    if (to !== one.to) this.#parked.add(one);
  }

  /** Takes back the last legs until `length` are left. */
  undo(length: number): void {
    while (this.legs.length > length) {
      const { carriage, from, to } = this.legs.pop()!;
      this.#free.set(to, this.free(to) + carriage.memory);
      this.#free.set(from, this.free(from) - carriage.memory);
      this.#at.set(carriage, from);
      this.#parked.delete(carriage);
    }
  }
}

/**
 * Orders moves so that no host is ever over its memory.
 * @param berths every host, with the bytes it has for guests.
 * @param carriages every guest on these hosts, those that stay included.
 */
export function sequenceMoves(
  berths: readonly Berth[],
  carriages: readonly Carriage[],
  may: MayStand = () => true,
): Sequence {
  let last: Yard | null = null;
  for (const way of WAYS) {
    const yard = new Yard(berths, carriages, may);
    if (carry(yard, berths, carriages, way)) return { ok: true, moves: asGraph(yard.legs, berths, carriages) };
    last = yard;
  }
  const stuck = carriages.filter((one) => last!.at(one) !== one.to);
  return {
    ok: false,
    blocked: stuck.map((one) => one.guest),
    says: stuck.map((one) => {
      const there = carriages.filter((other) => other !== one && last!.at(other) === one.to);
      const waits = there.map((other) => `${other.guest} ${formatSize(other.memory)}`).join(", ") || "nobody";
      const room = `needs ${formatSize(one.memory)} on ${one.to}, ${formatSize(Math.max(0, last!.free(one.to)))} free`;
      return `${one.guest} cannot go from ${last!.at(one)} to ${one.to}: ${room}; in the way: ${waits}; no other host has room to park one of them`;
    }),
  };
}

/** Carries everybody home in one way. @returns whether everybody arrived. */
function carry(yard: Yard, berths: readonly Berth[], carriages: readonly Carriage[], way: Way): boolean {
  for (;;) {
    const pending = carriages.filter((one) => yard.at(one) !== one.to);
    if (pending.length === 0) return true;
    let moved = false;
    for (const one of pending) {
      if (!yard.fits(one, one.to)) continue;
      yard.go(one, one.to, null);
      moved = true;
    }
    if (moved) continue;
    if (!pending.some((one) => park(yard, berths, carriages, way, one))) return false;
  }
}

/** Parks guests of the host where `blocked` wants to go, smallest first, until it fits. */
function park(
  yard: Yard,
  berths: readonly Berth[],
  carriages: readonly Carriage[],
  way: Way,
  blocked: Carriage,
): boolean {
  const start = yard.legs.length;
  const inTheWay = carriages
    .filter((one) => one !== blocked && yard.at(one) === blocked.to && !yard.parked(one))
    // Somebody who is where it belongs came there by its last move, or never moved: only the latter may be parked.
    .filter((one) => one.to !== yard.at(one) || (way.bystanders && one.from === one.to))
    .sort((a, b) => Number(a.from === a.to) - Number(b.from === b.to) || a.memory - b.memory);
  const sign = way.parkOn === "roomiest" ? -1 : 1;
  for (const one of inTheWay) {
    const berth = berths
      .filter((other) => other.name !== yard.at(one) && other.name !== one.to && yard.fits(one, other.name))
      .sort((a, b) => sign * (yard.free(a.name) - yard.free(b.name)))[0];
    if (!berth) continue;
    yard.go(one, berth.name, blocked.guest);
    if (yard.fits(blocked, blocked.to)) return true;
  }
  yard.undo(start);
  return false;
}

/**
 * From one after the other to a graph. A move waits for the moves that left its destination before it (where everything together would
 * not fit there), for its own first leg, and for earlier moves of its group. Then, whichever of the permitted moves run at once, no host
 * holds more than it held at some moment of the sequence.
 */
function asGraph(legs: readonly Leg[], berths: readonly Berth[], carriages: readonly Carriage[]): readonly Move[] {
  const most = new Map<HostName, number>();
  for (const one of carriages) most.set(one.from, (most.get(one.from) ?? 0) + one.memory);
  for (const leg of legs) most.set(leg.to, (most.get(leg.to) ?? 0) + leg.carriage.memory);
  const room = new Map(berths.map((berth) => [berth.name, berth.memory]));
  const departures = new Map<HostName, string[]>();
  const ofGroup = new Map<string, string>();
  return legs.map(({ carriage, from, to, because }) => {
    const parking = to !== carriage.to;
    const id = parking ? `move:${carriage.guest}:park` : `move:${carriage.guest}`;
    const crowded = most.get(to)! > (room.get(to) ?? 0);
    const before = ofGroup.get(carriage.group);
    const after = new Set([...(crowded ? (departures.get(to) ?? []) : []), ...(before ? [before] : [])]);
    departures.set(from, [...(departures.get(from) ?? []), id]);
    ofGroup.set(carriage.group, id);
    const says = parking
      ? `${carriage.guest} waits on ${to} so that ${because} can go to ${from}`
      : `${carriage.guest} goes from ${from} to ${to}`;
    return { id, guest: carriage.guest, from, to, parking, after: [...after], says };
  });
}
