/**
 * A placement under construction: who is where, what is used, and how good it is, all kept up to date by two verbs (put, take).
 * Nothing else writes these numbers, so memory cannot be counted twice.
 */
import type { Standing } from "./filters.ts";
import type { Ground, Place } from "./ground.ts";
import { Scale } from "./score.ts";

export class Ledger implements Standing {
  readonly ground: Ground;
  readonly at: Int32Array;
  readonly usedMemory: Float64Array;
  readonly usedCpus: Float64Array;
  readonly scale: Scale;
  readonly nameOf: (want: number) => string;
  readonly #residents: number[][];
  readonly #slot: Int32Array;
  readonly #others: (readonly Place[] | null)[];

  /** @param nameOf names for sentences. */
  constructor(ground: Ground, nameOf: (want: number) => string) {
    this.ground = ground;
    this.nameOf = nameOf;
    this.at = new Int32Array(ground.wants.length).fill(-1);
    this.#others = ground.wants.map(() => null);
    this.#slot = new Int32Array(ground.wants.length);
    this.usedMemory = new Float64Array(ground.places.length);
    this.usedCpus = new Float64Array(ground.places.length);
    this.scale = new Scale(ground);
    this.#residents = ground.places.map(() => []);
  }

  /** @returns indices of the guests on a host; callers that put or take meanwhile must copy it. */
  residents(place: number): readonly number[] {
    return this.#residents[place]!;
  }

  /** @returns the hosts of the other copies of a guest's service; remembered until one of them moves. */
  others(want: number): readonly Place[] {
    let others = this.#others[want];
    if (!others) {
      others = this.scale.others(want, this.at);
      this.#others[want] = others;
    }
    return others;
  }

  #forget(want: number): void {
    for (const copy of this.ground.copies[this.ground.wants[want]!.serviceIndex]!) this.#others[copy] = null;
  }

  put(want: number, place: number): void {
    const one = this.ground.wants[want]!;
    this.#forget(want);
    this.scale.come(want, place, this.at);
    this.at[want] = place;
    this.usedMemory[place]! += one.memory;
    this.usedCpus[place]! += one.cpus;
    this.#slot[want] = this.#residents[place]!.push(want) - 1;
  }

  take(want: number): void {
    const place = this.at[want]!;
    const one = this.ground.wants[want]!;
    this.#forget(want);
    this.scale.go(want, place, this.at);
    this.at[want] = -1;
    this.usedMemory[place]! -= one.memory;
    this.usedCpus[place]! -= one.cpus;
    const residents = this.#residents[place]!;
    const last = residents.pop()!;
    if (last !== want) {
      residents[this.#slot[want]!] = last;
      this.#slot[last] = this.#slot[want]!;
    }
  }

  move(want: number, place: number): void {
    this.take(want);
    this.put(want, place);
  }

  /** A fresh ledger with the same guests on the same hosts. */
  copy(): Ledger {
    const copy = new Ledger(this.ground, this.nameOf);
    this.at.forEach((place, want) => {
      if (place >= 0) copy.put(want, place);
    });
    return copy;
  }
}
