/**
 * How well guests are spread, as a table: weight, name, statistic, scope; lower is better. The weights are those of the peer that has
 * balanced sites for longest (docs of Ganeti's htools); rows it measures and Domus does not yet (spindles, dynamic load, memory reserved
 * by secondaries) are absent rather than guessed. Kept incrementally: a candidate costs a few multiplications, whatever the size of the
 * site. Values are centred on their expected mean, so that sums of squares lose no digits near perfect balance.
 */
import type { FailureDomain } from "../model/index.ts";
import type { Ground, Place, Want } from "./ground.ts";

export interface SpreadRow {
  readonly name: string;
  readonly weight: number;
  /** Standard deviation over the hosts in use. */
  readonly statistic: "spread";
  readonly scope: "hosts";
  readonly load: (want: Want) => number;
  /** What a host's load is divided by. */
  readonly capacity: (place: Place, ground: Ground) => number;
}
export interface CountRow {
  readonly name: string;
  readonly weight: number;
  readonly statistic: "count";
  readonly scope: "guests" | "copies";
  /** How many more there are with this guest on this host; `others` are the hosts of its service's other copies. */
  readonly counts: (place: Place, others: readonly Place[]) => number;
}

export const SPREAD_ROWS: readonly SpreadRow[] = [
  {
    name: "free memory",
    weight: 0.5,
    statistic: "spread",
    scope: "hosts",
    load: (want) => want.memory,
    capacity: (place) => place.memory,
  },
  {
    name: "processors promised",
    weight: 0.5,
    statistic: "spread",
    scope: "hosts",
    load: (want) => want.cpus,
    capacity: (place) => place.cpus,
  },
  {
    name: "data disks",
    weight: 0.5,
    statistic: "spread",
    scope: "hosts",
    load: (want) => want.disk,
    capacity: (_, ground) => ground.wants.reduce((sum, want) => sum + want.disk, 0),
  },
];

/** How many other copies are in the same stated domain. */
function sharing(place: Place, others: readonly Place[], domain: FailureDomain): number {
  if (!place.stated[domain]) return 0;
  let shared = 0;
  for (const other of others) if (other.zones[domain] === place.zones[domain]) shared++;
  return shared;
}

export const COUNT_ROWS: readonly CountRow[] = [
  {
    name: "copies in one rack",
    weight: 2,
    statistic: "count",
    scope: "copies",
    counts: (place, others) => sharing(place, others, "rack"),
  },
  {
    name: "copies in one building",
    weight: 2,
    statistic: "count",
    scope: "copies",
    counts: (place, others) => sharing(place, others, "building"),
  },
  {
    name: "guests on spare hosts",
    weight: 4,
    statistic: "count",
    scope: "guests",
    counts: (place) => (place.spare ? 1 : 0),
  },
  {
    name: "guests on unreachable hosts",
    weight: 16,
    statistic: "count",
    scope: "guests",
    counts: (place) => (place.reachable ? 0 : 1),
  },
];

const ROWS_OF_COPIES = COUNT_ROWS.filter((row) => row.scope === "copies");

/** Differences below this are rounding, and the host first in the file wins. */
export const SCORE_GRAIN = 1e-9;

/** One spread kept as a centred sum and sum of squares. */
class Spread {
  readonly weight: number;
  readonly divisors: Float64Array;
  readonly values: Float64Array;
  readonly loads: Float64Array;
  readonly counted: Uint8Array;
  readonly hosts: number;
  sum = 0;
  squares = 0;

  constructor(row: SpreadRow, ground: Ground) {
    const { places, wants } = ground;
    this.weight = row.weight;
    this.loads = Float64Array.from(wants, row.load);
    this.counted = Uint8Array.from(places, (place) => (place.reachable && !place.spare ? 1 : 0));
    this.hosts = this.counted.reduce((sum, one) => sum + one, 0);
    const first = places[0];
    const shared = first && row.capacity.length > 1 ? row.capacity(first, ground) : null;
    this.divisors = Float64Array.from(places, (place) => shared ?? row.capacity(place, ground));
    let capacity = 0;
    places.forEach((place) => {
      if (this.counted[place.index]) capacity += this.divisors[place.index]!;
    });
    const load = this.loads.reduce((sum, one) => sum + one, 0);
    const centre = capacity > 0 ? load / capacity : 0;
    this.values = Float64Array.from(places, () => -centre);
    for (const place of places) {
      if (!this.counted[place.index]) continue;
      this.sum -= centre;
      this.squares += centre * centre;
    }
  }

  /** Change of a host's value when a guest comes (sign 1) or goes (sign -1). */
  step(want: number, place: number, sign: number): number {
    const divisor = this.divisors[place]!;
    return divisor > 0 ? (sign * this.loads[want]!) / divisor : 0;
  }

  apply(want: number, place: number, sign: number): void {
    const step = this.step(want, place, sign);
    const value = this.values[place]!;
    if (this.counted[place]) {
      this.sum += step;
      this.squares += step * (2 * value + step);
    }
    this.values[place] = value + step;
  }

  /** Weighted deviation if host `to` gained `plus` and host `from` (or -1) gained `minus`. */
  deviation(to: number, plus: number, from: number, minus: number): number {
    if (this.hosts === 0) return 0;
    let sum = this.sum;
    let squares = this.squares;
    if (to >= 0 && this.counted[to]) {
      sum += plus;
      squares += plus * (2 * this.values[to]! + plus);
    }
    if (from >= 0 && this.counted[from]) {
      sum += minus;
      squares += minus * (2 * this.values[from]! + minus);
    }
    const mean = sum / this.hosts;
    const variance = squares / this.hosts - mean * mean;
    return variance > 0 ? this.weight * Math.sqrt(variance) : 0;
  }
}

/** A guest that may go elsewhere: where it is, and where the other copies of its service are. */
export interface Mover {
  readonly want: number;
  readonly at: number;
  readonly others: readonly Place[];
}

/** The score of a placement under construction. */
export class Scale {
  readonly #spreads: readonly Spread[];
  readonly #ground: Ground;
  /** What any guest adds on each host, whoever else is where. */
  readonly #alone: Float64Array;
  #counts = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#spreads = SPREAD_ROWS.map((row) => new Spread(row, ground));
    const alone = COUNT_ROWS.filter((row) => row.scope === "guests");
    this.#alone = Float64Array.from(ground.places, (place) =>
      alone.reduce((sum, row) => sum + row.weight * row.counts(place, []), 0),
    );
  }

  /** The hosts of the other copies of a guest's service. */
  others(want: number, at: Int32Array): readonly Place[] {
    const { places, wants, copies } = this.#ground;
    const others: Place[] = [];
    for (const other of copies[wants[want]!.serviceIndex]!) {
      if (other !== want && at[other]! >= 0) others.push(places[at[other]!]!);
    }
    return others;
  }

  /** Weighted counts that a guest adds on a host when its service's other copies are on `others`. */
  #added(place: number, others: readonly Place[]): number {
    let total = this.#alone[place]!;
    if (others.length === 0) return total;
    for (const row of ROWS_OF_COPIES) total += row.weight * row.counts(this.#ground.places[place]!, others);
    return total;
  }

  come(want: number, place: number, at: Int32Array): void {
    for (const spread of this.#spreads) spread.apply(want, place, 1);
    this.#counts += this.#added(place, this.others(want, at));
  }

  go(want: number, place: number, at: Int32Array): void {
    for (const spread of this.#spreads) spread.apply(want, place, -1);
    this.#counts -= this.#added(place, this.others(want, at));
  }

  total(): number {
    let total = this.#counts;
    for (const spread of this.#spreads) total += spread.deviation(-1, 0, -1, 0);
    return total;
  }

  /** The score if the guest, which is nowhere, were put on the host. */
  ifPut(want: number, place: number, others: readonly Place[]): number {
    let total = this.#counts + this.#added(place, others);
    for (const spread of this.#spreads) total += spread.deviation(place, spread.step(want, place, 1), -1, 0);
    return total;
  }

  /** The score if the guest went from where it is to another host. */
  ifMoved(want: number, from: number, to: number, others: readonly Place[]): number {
    let total = this.#counts - this.#added(from, others) + this.#added(to, others);
    for (const spread of this.#spreads) {
      total += spread.deviation(to, spread.step(want, to, 1), from, spread.step(want, from, -1));
    }
    return total;
  }

  /** The score if two guests of different services changed places. */
  ifSwapped(one: Mover, two: Mover): number {
    const here = one.at;
    const there = two.at;
    let total = this.#counts - this.#added(here, one.others) - this.#added(there, two.others);
    total += this.#added(there, one.others) + this.#added(here, two.others);
    for (const spread of this.#spreads) {
      total += spread.deviation(
        there,
        spread.step(one.want, there, 1) + spread.step(two.want, there, -1),
        here,
        spread.step(two.want, here, 1) + spread.step(one.want, here, -1),
      );
    }
    return total;
  }

  /** Each row of the table with its present value, unweighted. */
  rows(at: Int32Array): readonly { readonly name: string; readonly weight: number; readonly value: number }[] {
    const { places, wants } = this.#ground;
    const spreads = SPREAD_ROWS.map((row, index) => ({
      name: row.name,
      weight: row.weight,
      value: this.#spreads[index]!.deviation(-1, 0, -1, 0) / row.weight,
    }));
    const counts = COUNT_ROWS.map((row) => {
      let value = 0;
      for (const want of wants) {
        if (at[want.index]! < 0) continue;
        const others = this.#ground.copies[want.serviceIndex]!.filter(
          (other) => at[other]! >= 0 && (row.scope === "guests" ? other === want.index : other < want.index),
        );
        value += row.counts(
          places[at[want.index]!]!,
          others.map((other) => places[at[other]!]!),
        );
      }
      return { name: row.name, weight: row.weight, value };
    });
    return [...spreads, ...counts];
  }
}
