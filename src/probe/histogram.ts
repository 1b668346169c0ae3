/** Latencies in bounded memory: buckets that grow by one hundredth, so that any percentile is right to one hundredth. */
const GROWTH = Math.log(1.01);
/** Milliseconds; everything shorter shares the first bucket. */
const LEAST = 0.01;

export interface LatencySummary {
  readonly count: number;
  /** All milliseconds. */
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export class Histogram {
  readonly #buckets: number[] = [];
  #count = 0;
  #sum = 0;
  #max = 0;

  /** @param ms milliseconds, not negative */
  add(ms: number): void {
    const index = ms <= LEAST ? 0 : Math.ceil(Math.log(ms / LEAST) / GROWTH);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count++;
    this.#sum += ms;
    this.#max = Math.max(this.#max, ms);
  }

  /** @returns milliseconds that this share of all stayed below; 0 when there are none */
  percentile(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (const [index, count] of this.#buckets.entries()) {
      left -= count ?? 0;
      if (left <= 0) return this.#count === 0 ? 0 : Math.min(this.#max, LEAST * Math.exp(index * GROWTH));
    }
    return this.#max;
  }

  summary(): LatencySummary {
    const round = (ms: number) => Math.round(ms * 100) / 100;
    return {
      count: this.#count,
      mean: round(this.#count === 0 ? 0 : this.#sum / this.#count),
      p50: round(this.percentile(0.5)),
      p90: round(this.percentile(0.9)),
      p99: round(this.percentile(0.99)),
      p999: round(this.percentile(0.999)),
      max: round(this.#max),
    };
  }
}
