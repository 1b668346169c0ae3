/**
 * What waits, in lanes, one for each community or address, served in turn by weight. Surplus round robin (Adiseshu, Parulkar, Varghese,
 * "A Reliable and Scalable Striping Protocol", 1996): a lane is served while it has credit and pays what its items really cost
 * afterwards, so that nobody has to know the cost beforehand. Pure: no clock, no timer.
 *
 * Bounded in each lane and in all. When all is full, a newcomer in a short lane takes the place of the last in the longest one: a crowd
 * of strangers cannot keep a quiet lane out. Refused: one queue with a limit (the loudest fills it), and priorities (the lowest starves).
 */

export interface FairQueueLimits {
  /** Items of one lane. */
  readonly lane: number;
  /** Items in all lanes. */
  readonly all: number;
}

/** `refused`: its lane or everything is full. `displaced` had to give its place to the item that was put in. */
export type Put<Item> =
  | { readonly outcome: "waits" }
  | { readonly outcome: "refused"; readonly full: "lane" | "all" }
  | { readonly outcome: "displaced"; readonly displaced: Item; readonly key: string };

interface Lane<Item> {
  readonly key: string;
  weight: number;
  credit: number;
  /** Items from `head` on; the places before it are empty until the next compaction. */
  items: (Item | undefined)[];
  head: number;
}

const WAITS = { outcome: "waits" } as const;
/** Empty places at the front of a lane before its items are moved down. */
const COMPACT = 64;

const lengthOf = (lane: Lane<unknown>): number => lane.items.length - lane.head;

export class FairQueue<Item> {
  readonly #limits: FairQueueLimits;
  readonly #quantum: number;
  readonly #lanes = new Map<string, Lane<Item>>();
  /** Lanes with items; the one at `#at` is served. */
  readonly #ring: Lane<Item>[] = [];
  #at = 0;
  #size = 0;
  #served: Lane<Item> | null = null;

  /** @param quantum credit that a lane of weight 1 gets in each round, in the unit of the costs: 1 when costs are 1 */
  constructor(limits: FairQueueLimits, quantum = 1) {
    this.#limits = limits;
    this.#quantum = quantum;
  }

  get size(): number {
    return this.#size;
  }

  /** Lanes in which something waits. */
  get lanes(): number {
    return this.#ring.length;
  }

  /** @returns how many wait in one lane */
  waiting(key: string): number {
    const lane = this.#lanes.get(key);
    return lane === undefined ? 0 : lengthOf(lane);
  }

  /** @param weight share of this lane beside the others; the last one told counts */
  put(key: string, weight: number, item: Item): Put<Item> {
    const lane = this.#lanes.get(key);
    const length = lane === undefined ? 0 : lengthOf(lane);
    if (length >= this.#limits.lane) return { outcome: "refused", full: "lane" };
    if (this.#size < this.#limits.all) {
      this.#append(lane, key, weight, item);
      return WAITS;
    }
    const longest = this.#longest();
    if (longest === null || lengthOf(longest) <= length + 1) return { outcome: "refused", full: "all" };
    const displaced = longest.items.pop()!;
    this.#size--;
    this.#append(lane, key, weight, item);
    return { outcome: "displaced", displaced, key: longest.key };
  }

  /**
   * Takes the item whose turn it is. It costs 1 unless {@link charge} says otherwise before the next is taken.
   * @param eligible lanes for which it says no keep their items and their turn
   */
  take(eligible?: (key: string) => boolean): Item | undefined {
    this.#served = null;
    // In one round every lane with items gets credit; who is deep in debt needs more rounds, and is alone with it or behind the others.
    for (let passed = 0; this.#size > 0 && passed <= this.#ring.length; ) {
      if (this.#at >= this.#ring.length) this.#at = 0;
      const lane = this.#ring[this.#at]!;
      if (eligible !== undefined && !eligible(lane.key)) {
        passed++;
        this.#at++;
      } else if (lane.credit > 0) return this.#takeFrom(lane);
      else {
        lane.credit += this.#quantum * lane.weight;
        // Without a limit an item of enormous cost would make us go round for long; its lane's debt is forgiven down to one round.
        if (lane.credit <= 0) lane.credit = Math.max(lane.credit, -this.#quantum * lane.weight * 16);
        this.#at++;
        passed = 0;
      }
    }
    return undefined;
  }

  /** @param cost what the item taken last has really cost, in the unit of the quantum, in place of 1 */
  charge(cost: number): void {
    if (this.#served !== null) this.#served.credit -= cost - 1;
    this.#served = null;
  }

  /** Takes out everything that waits, in no particular order. */
  *drain(): Generator<Item> {
    for (const lane of this.#ring.splice(0)) {
      this.#lanes.delete(lane.key);
      this.#size -= lengthOf(lane);
      for (const item of lane.items.slice(lane.head)) yield item!;
    }
  }

  /** Takes out the items for which `over` says so, looking at each lane from its oldest on and stopping at the first that stays. */
  *expired(over: (item: Item) => boolean): Generator<Item> {
    for (const lane of [...this.#ring]) {
      while (lengthOf(lane) > 0 && over(lane.items[lane.head]!)) yield this.#pull(lane);
      if (lengthOf(lane) === 0) this.#close(lane);
    }
  }

  #append(known: Lane<Item> | undefined, key: string, weight: number, item: Item): void {
    let lane = known;
    if (lane === undefined) {
      // A new lane begins with a round's credit at the end of the round under way.
      lane = { key, weight, credit: 0, items: [], head: 0 };
      this.#lanes.set(key, lane);
      this.#ring.push(lane);
    }
    lane.weight = weight;
    lane.items.push(item);
    this.#size++;
  }

  #takeFrom(lane: Lane<Item>): Item {
    const item = this.#pull(lane);
    lane.credit -= 1;
    this.#served = lane;
    if (lengthOf(lane) === 0) this.#close(lane);
    return item;
  }

  #pull(lane: Lane<Item>): Item {
    const item = lane.items[lane.head]!;
    lane.items[lane.head++] = undefined;
    this.#size--;
    if (lane.head >= COMPACT && lane.head * 2 >= lane.items.length) {
      lane.items = lane.items.slice(lane.head);
      lane.head = 0;
    }
    return item;
  }

  #close(lane: Lane<Item>): void {
    this.#lanes.delete(lane.key);
    const at = this.#ring.indexOf(lane);
    this.#ring.splice(at, 1);
    if (at < this.#at) this.#at--;
  }

  #longest(): Lane<Item> | null {
    let longest: Lane<Item> | null = null;
    for (const lane of this.#ring) if (longest === null || lengthOf(lane) > lengthOf(longest)) longest = lane;
    return longest;
  }
}
