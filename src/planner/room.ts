/**
 * Makes room for a guest that fits nowhere, by sending guests of one host to others: those that are not built yet first, then those that
 * run and may move. Guests whose data is where they are stay. As few as will do; refused: chains of evictions, because a person can no
 * longer follow why.
 */

import { bestPlace } from "./choose.ts";
import { objection } from "./filters.ts";
import type { Place, Want } from "./ground.ts";
import type { Ledger } from "./ledger.ts";

/** How many hosts are tried, most promising first. */
const HOSTS_TRIED = 32;

/** @returns whether the guest now has a host; when not, the ledger is as before. */
export function makeRoom(ledger: Ledger, want: Want): boolean {
  const { places, wants } = ledger.ground;
  const lacking = (place: Place): number => ledger.usedMemory[place.index]! + want.memory - place.memory;
  const candidates = places
    .filter(
      (place) =>
        place.reachable &&
        objection(ledger, want, place, "host") === null &&
        objection(ledger, want, place, "neighbours") === null,
    )
    .sort((a, b) => lacking(a) - lacking(b) || a.index - b.index)
    .slice(0, HOSTS_TRIED);
  for (const running of [false, true]) {
    for (const place of candidates) {
      const leavers = ledger
        .residents(place.index)
        .map((index) => wants[index]!)
        .filter((one) => !one.anchored && (running || one.held === null))
        .sort((a, b) => Number(a.held !== null) - Number(b.held !== null) || a.memory - b.memory || a.index - b.index);
      if (clear(ledger, want, place, leavers)) return true;
    }
  }
  return false;
}

/** Sends leavers away until the guest fits: one that is large enough alone if there is one, else the largest first. */
function clear(ledger: Ledger, want: Want, place: Place, leavers: readonly Want[]): boolean {
  const short = Math.max(0, ledger.usedMemory[place.index]! + want.memory - place.memory);
  const shortCpus = Math.max(0, ledger.usedCpus[place.index]! + want.cpus - place.cpus);
  const alone = leavers.filter((one) => one.memory >= short && one.cpus >= shortCpus);
  for (const order of [alone.map((one) => [one]), [[...leavers].reverse()]].flat()) {
    const moved: { readonly index: number; readonly from: number }[] = [];
    for (const leaver of order) {
      if (objection(ledger, want, place) === null) break;
      ledger.take(leaver.index);
      const to = bestPlace(ledger, leaver, "tightest", place.index);
      if (to < 0) ledger.put(leaver.index, place.index);
      else {
        ledger.put(leaver.index, to);
        moved.push({ index: leaver.index, from: place.index });
      }
    }
    if (objection(ledger, want, place) === null) {
      ledger.put(want.index, place.index);
      return true;
    }
    for (const one of moved.reverse()) ledger.move(one.index, one.from);
  }
  return false;
}
