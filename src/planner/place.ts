/**
 * Where every guest goes. First the guests that may stay stay; then the others are put, largest first, each on the host that leaves the
 * best score; then room is made where something does not fit; then guests that are not built yet are exchanged while that helps. A
 * solver was refused here: it cannot say why, and its answer changes with its version. `size` uses one, for proofs only.
 */
import type { Cause } from "../model/index.ts";
import { bestPlace } from "./choose.ts";
import { objection } from "./filters.ts";
import { type Ground, isReserve, type Place, type Want } from "./ground.ts";
import { improve, rebalance } from "./improve.ts";
import { Ledger } from "./ledger.ts";
import { makeRoom } from "./room.ts";

export interface Placement {
  readonly ledger: Ledger;
  /** Guests without a host. */
  readonly homeless: readonly number[];
  /** Why each guest is not where it was, or why it stays somewhere it should not be; by index. */
  readonly because: ReadonlyMap<number, string>;
  /** Guests that should have gone and could not, in sentences. */
  readonly warnings: readonly string[];
}

/** Ways to try, in order; the first that seats everybody is taken. */
const ATTEMPTS: readonly {
  readonly order: (a: Want, b: Want) => number;
  readonly choose: "balance" | "tightest";
}[] = [
  { order: (a, b) => b.memory - a.memory || b.cpus - a.cpus || a.index - b.index, choose: "balance" },
  { order: (a, b) => b.memory - a.memory || b.cpus - a.cpus || a.index - b.index, choose: "tightest" },
  { order: (a, b) => b.cpus - a.cpus || b.memory - a.memory || a.index - b.index, choose: "tightest" },
  {
    order: (a, b) => b.service.copies - a.service.copies || b.memory - a.memory || a.index - b.index,
    choose: "tightest",
  },
];

/** Why a guest may not stay where it is, or `null`. Room is judged for all together, afterwards. */
function mustGo(ledger: Ledger, want: Want, place: Place, cause: Cause["by"]): string | null {
  if (cause === "healing" && !place.reachable) return `${place.name} is unreachable`;
  const filter = objection(ledger, want, place, "host") ?? objection(ledger, want, place, "neighbours");
  return filter ? filter.says(ledger, want, place) : null;
}

interface Settled {
  readonly ledger: Ledger;
  readonly homeless: readonly number[];
  readonly because: Map<number, string>;
  readonly warnings: string[];
}

/** Leaves everybody where he is who may stay, and says of the others why not. */
function settle(ground: Ground, nameOf: (want: number) => string, cause: Cause["by"]): Settled {
  const ledger = new Ledger(ground, nameOf);
  const because = new Map<number, string>();
  const warnings: string[] = [];
  const homeless: number[] = [];
  const leave = (want: Want, reason: string): void => {
    because.set(want.index, reason);
    homeless.push(want.index);
  };
  // Who cannot move comes first, so that of two copies too close together the other one goes.
  const order = [...ground.wants].sort((a, b) => Number(b.anchored) - Number(a.anchored) || a.index - b.index);
  for (const want of order) {
    const place = ground.places[want.current];
    if (!place) {
      leave(want, want.held ? `${want.held.host} is no longer in the site file` : "it is new");
      continue;
    }
    const reason = mustGo(ledger, want, place, cause);
    if (reason === null) ledger.put(want.index, place.index);
    else if (want.anchored && cause === "healing" && !place.reachable) {
      ledger.put(want.index, place.index);
      warnings.push(
        `${nameOf(want.index)} (${want.label}) stays on the books of ${place.name}, which is unreachable: its data is there`,
      );
    } else leave(want, reason);
  }
  for (const place of ground.places) relieve(ledger, place, leave);
  return { ledger, homeless, because, warnings };
}

/** Sends guests away from a host that has become too small, as few as will do: the smallest that is large enough, else the largest. */
function relieve(ledger: Ledger, place: Place, leave: (want: Want, reason: string) => void): void {
  for (const [used, room, amount, what] of [
    [ledger.usedMemory, place.memory, (want: Want) => want.memory, "memory"],
    [ledger.usedCpus, place.cpus + 1e-9, (want: Want) => want.cpus, "processors"],
  ] as const) {
    while (used[place.index]! > room) {
      const over = used[place.index]! - room;
      const here = ledger
        .residents(place.index)
        .map((index) => ledger.ground.wants[index]!)
        .filter((want) => amount(want) > 0)
        // A place kept empty goes first: nothing is moved with it. Who cannot move is asked last, and is then refused with this reason.
        .sort((a, b) => amount(a) - amount(b) || b.index - a.index);
      const movable = here.filter((want) => !want.anchored);
      const goes =
        movable.find((want) => isReserve(want.service)) ??
        movable.find((want) => amount(want) >= over) ??
        movable.at(-1) ??
        here.at(-1);
      if (!goes) break;
      ledger.take(goes.index);
      leave(goes, `${place.name} no longer has ${what} for all its guests`);
    }
  }
}

/** @returns the placement; `homeless` is empty when everybody has a host. */
export function place(ground: Ground, nameOf: (want: number) => string, cause: Cause["by"]): Placement {
  const settled = settle(ground, nameOf, cause);
  let least: { ledger: Ledger; homeless: readonly number[] } | null = null;
  for (const attempt of ATTEMPTS) {
    const ledger = settled.ledger.copy();
    const homeless: number[] = [];
    const order = settled.homeless.map((index) => ground.wants[index]!);
    // A pinned guest has no choice, and takes its place before those that have.
    order.sort((a, b) => Math.sign(b.service.hosts.length) - Math.sign(a.service.hosts.length) || attempt.order(a, b));
    for (const want of order) {
      // Its data is nowhere else: where it may not stay, there is no other place to try.
      if (want.anchored) {
        homeless.push(want.index);
        continue;
      }
      const host = bestPlace(ledger, want, attempt.choose);
      if (host >= 0) ledger.put(want.index, host);
      else if (!makeRoom(ledger, want)) homeless.push(want.index);
    }
    if (least === null || homeless.length < least.homeless.length) least = { ledger, homeless };
    if (homeless.length === 0) break;
  }
  const { ledger, homeless } = stayAfterAll(least!.ledger, least!.homeless, settled);
  const fresh = ground.wants.filter((want) => want.held === null).map((want) => want.index);
  if (homeless.length === 0) {
    if (cause === "balancing") {
      for (const [index, gain] of rebalance(ledger)) {
        settled.because.set(index, `the site is better balanced so (its score falls by ${gain.toFixed(4)})`);
      }
    }
    improve(ledger, fresh);
    inFileOrder(ledger);
  }
  for (const want of ground.wants) {
    const here = ledger.at[want.index]!;
    if (want.current < 0 || here === want.current || here < 0 || settled.because.has(want.index)) continue;
    settled.because.set(want.index, "another guest needs its room");
  }
  return { ledger, homeless, because: settled.because, warnings: settled.warnings };
}

/** A guest of an unreachable host that fits nowhere else stays on its books: healing must not make a plan impossible. */
function stayAfterAll(
  ledger: Ledger,
  homeless: readonly number[],
  settled: Settled,
): { ledger: Ledger; homeless: number[] } {
  const left: number[] = [];
  for (const index of homeless) {
    const want = ledger.ground.wants[index]!;
    const place = ledger.ground.places[want.current];
    if (place && !place.reachable && objection(ledger, want, place) === null) {
      ledger.put(index, place.index);
      settled.because.delete(index);
      settled.warnings.push(
        `${ledger.nameOf(index)} (${want.label}) stays on the books of ${place.name}, which is unreachable: no other host may take it`,
      );
    } else left.push(index);
  }
  return { ledger, homeless: left };
}

/** Copies that are all new are numbered in the order of their hosts in the file, as people expect; pinned ones are already said. */
function inFileOrder(ledger: Ledger): void {
  const { ground } = ledger;
  for (const copies of ground.copies) {
    const free = copies.every(
      (index) => ground.wants[index]!.held === null && ground.wants[index]!.service.hosts.length === 0,
    );
    if (!free) continue;
    const hosts = copies.map((index) => ledger.at[index]!);
    const sorted = [...hosts].sort((a, b) => a - b);
    if (hosts.every((host, copy) => host === sorted[copy])) continue;
    for (const index of copies) ledger.take(index);
    copies.forEach((index, copy) => {
      ledger.put(index, sorted[copy]!);
    });
  }
}
