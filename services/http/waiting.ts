/** How long things waited: a histogram of the last minute or two in constant room, for percentiles that are right to a fifth. Pure. */

/** Buckets of each doubling, and how many there are: from a microsecond to an hour. */
const FINENESS = 4;
const BUCKETS = 128;

export class Waiting {
  #now = new Uint32Array(BUCKETS);
  #before = new Uint32Array(BUCKETS);

  /** @param milliseconds that something waited */
  add(milliseconds: number): void {
    const bucket = Math.floor(Math.log2(Math.max(0, milliseconds) * 1000 + 1) * FINENESS);
    this.#now[Math.min(BUCKETS - 1, bucket)]!++;
  }

  /** A minute is over. */
  turn(): void {
    [this.#before, this.#now] = [this.#now, this.#before];
    this.#now.fill(0);
  }

  /**
   * @param part such as 0.99
   * @returns milliseconds, the upper end of the bucket; 0 when nothing waited
   */
  percentile(part: number): number {
    let count = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) count += this.#now[bucket]! + this.#before[bucket]!;
    if (count === 0) return 0;
    let left = Math.ceil(count * part);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#now[bucket]! + this.#before[bucket]!;
      if (left <= 0) return Math.round(2 ** ((bucket + 1) / FINENESS) - 1) / 1000;
    }
    return 0;
  }
}
