/**
 * Local search over a legal placement: single moves and exchanges, each judged by the score alone and only where every hard rule allows.
 * Bounded by the number of candidates looked at, never by time, so that a slow machine makes the same plan.
 */
import { objection } from "./filters.ts";
import type { Ledger } from "./ledger.ts";
import { type Mover, SCORE_GRAIN } from "./score.ts";

/** Candidates looked at, at most, in one search. */
const CANDIDATES = 6_000_000;
/** A guest that runs moves only for at least this gain of score, and an exchange of two for twice of it: hysteresis. */
export const GAIN_FOR_A_MOVE = 0.001;

interface Better {
  readonly gain: number;
  readonly movers: readonly number[];
  readonly apply: () => void;
}

/** The best single move of one guest, if it gains more than `least`. */
function bestMove(ledger: Ledger, index: number, least: number): Better | null {
  const { wants, places } = ledger.ground;
  const want = wants[index]!;
  const from = ledger.at[index]!;
  const others = ledger.others(index);
  const before = ledger.scale.total();
  let best = -1;
  let gain = least;
  for (const place of places) {
    if (place.index === from) continue;
    const won = before - ledger.scale.ifMoved(index, from, place.index, others);
    if (won > gain + SCORE_GRAIN && objection(ledger, want, place) === null) {
      best = place.index;
      gain = won;
    }
  }
  return best < 0 ? null : { gain, movers: [index], apply: () => ledger.move(index, best) };
}

/** May two guests change places? Both are off the books while it is asked. */
function mayExchange(ledger: Ledger, one: number, two: number): boolean {
  const { wants, places } = ledger.ground;
  const here = places[ledger.at[one]!]!;
  const there = places[ledger.at[two]!]!;
  const a = wants[one]!;
  const b = wants[two]!;
  // Room first: it is cheap and decides most cases.
  if (ledger.usedMemory[there.index]! - b.memory + a.memory > there.memory) return false;
  if (ledger.usedMemory[here.index]! - a.memory + b.memory > here.memory) return false;
  ledger.take(one);
  ledger.take(two);
  const fits = objection(ledger, a, there) === null && objection(ledger, b, here) === null;
  ledger.put(one, here.index);
  ledger.put(two, there.index);
  return fits;
}

function mover(ledger: Ledger, want: number): Mover {
  return { want, at: ledger.at[want]!, others: ledger.others(want) };
}

/** The best exchange of one guest with a later one of the list. */
function bestExchange(
  ledger: Ledger,
  list: readonly number[],
  position: number,
  least: number,
  spend: () => boolean,
): Better | null {
  const { wants } = ledger.ground;
  const one = list[position]!;
  const before = ledger.scale.total();
  let best = -1;
  let gain = least;
  for (let next = position + 1; next < list.length && spend(); next++) {
    const two = list[next]!;
    if (ledger.at[one] === ledger.at[two] || wants[one]!.serviceIndex === wants[two]!.serviceIndex) continue;
    if (
      wants[one]!.memory === wants[two]!.memory &&
      wants[one]!.cpus === wants[two]!.cpus &&
      wants[one]!.disk === wants[two]!.disk
    )
      continue;
    const won = before - ledger.scale.ifSwapped(mover(ledger, one), mover(ledger, two));
    if (won > gain + SCORE_GRAIN && mayExchange(ledger, one, two)) {
      best = two;
      gain = won;
    }
  }
  if (best < 0) return null;
  return {
    gain,
    movers: [one, best],
    apply: () => {
      const here = ledger.at[one]!;
      const there = ledger.at[best]!;
      ledger.take(one);
      ledger.take(best);
      ledger.put(one, there);
      ledger.put(best, here);
    },
  };
}

/** Improves where guests that are not built yet will be born; whoever runs already is left alone. */
export function improve(ledger: Ledger, fresh: readonly number[]): void {
  let left = CANDIDATES;
  const spend = (): boolean => left-- > 0;
  for (let again = true; again && left > 0; ) {
    again = false;
    fresh.forEach((index, position) => {
      left -= ledger.ground.places.length;
      if (left <= 0) return;
      const better = bestMove(ledger, index, SCORE_GRAIN) ?? bestExchange(ledger, fresh, position, SCORE_GRAIN, spend);
      if (!better) return;
      better.apply();
      again = true;
    });
  }
}

/**
 * Moves running guests for a better score: the largest gain first, until no move is worth it. Data that is nowhere else stays. Gains are
 * remembered and worked out again only for the guest that comes next; all of them anew when none of those remembered is worth it any more.
 * @returns what each guest's moves gained; of an exchange each has half.
 */
export function rebalance(ledger: Ledger): ReadonlyMap<number, number> {
  const gains = new Map<number, number>();
  const movable = ledger.ground.wants.filter((want) => !want.anchored && want.held !== null).map((want) => want.index);
  let left = CANDIDATES;
  const spend = (): boolean => left-- > 0;
  const look = (position: number): Better | null => {
    left -= ledger.ground.places.length;
    const move = bestMove(ledger, movable[position]!, GAIN_FOR_A_MOVE);
    const exchange = bestExchange(ledger, movable, position, 2 * GAIN_FOR_A_MOVE, spend);
    // An exchange is two moves, so its gain counts half.
    const half = exchange && { ...exchange, gain: exchange.gain / 2 };
    return half && half.gain > (move?.gain ?? 0) ? half : move;
  };
  const known: (Better | null)[] = movable.map(() => null);
  for (let fresh = false; left > 0; ) {
    const next = largest(known);
    if (next < 0) {
      if (fresh) return gains;
      for (let position = 0; position < movable.length && left > 0; position++) known[position] = look(position);
      fresh = true;
      continue;
    }
    const now = look(next);
    known[next] = null;
    const rival = known[largest(known)]?.gain ?? 0;
    if (now && now.gain >= rival) {
      now.apply();
      for (const index of now.movers) gains.set(index, (gains.get(index) ?? 0) + now.gain);
      fresh = false;
    } else known[next] = now;
  }
  return gains;
}

/** Position of the largest gain, the first of equals; -1 when there is none. */
function largest(known: readonly (Better | null)[]): number {
  let best = -1;
  for (let position = 0; position < known.length; position++) {
    if ((known[position]?.gain ?? 0) > (known[best]?.gain ?? 0)) best = position;
  }
  return best;
}
