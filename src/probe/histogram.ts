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

/** A histogram on its way from one process to another. */
export interface HistogramValue {
  readonly buckets: readonly (readonly [index: number, count: number])[];
  readonly sum: number;
  readonly max: number;
}

const msOf = (index: number): number => LEAST * Math.exp(index * GROWTH);

export class Histogram {
  readonly #buckets: number[] = [];
  #count = 0;
  #sum = 0;
  #max = 0;

  /**
   * @param ms milliseconds, not negative
   * @param times how often
   */
  add(ms: number, times = 1): void {
    const index = ms <= LEAST ? 0 : Math.ceil(Math.log(ms / LEAST) / GROWTH);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + times;
    this.#count += times;
    this.#sum += ms * times;
    this.#max = Math.max(this.#max, ms);
  }

  /** What another one has counted, too. */
  merge({ buckets, sum, max }: HistogramValue): void {
    for (const [index, count] of buckets) {
      this.#buckets[index] = (this.#buckets[index] ?? 0) + count;
      this.#count += count;
    }
    this.#sum += sum;
    this.#max = Math.max(this.#max, max);
  }

  value(): HistogramValue {
    const buckets = [...this.#buckets.entries()].filter(([, count]) => count !== undefined);
    return { buckets, sum: this.#sum, max: this.#max };
  }

  /**
   * What would have been seen by clients that do not wait for their answers: for each time longer than the interval at which a client meant to
   * ask, those of the questions it did not ask in the meantime. Coordinated omission, as G. Tene named it.
   * @param intervalMs at which each client meant to ask
   */
  corrected(intervalMs: number): Histogram {
    const all = new Histogram();
    all.merge(this.value());
    if (intervalMs <= 0) return all;
    for (const [index, count] of this.#buckets.entries()) {
      if (count === undefined) continue;
      const seen = Math.min(this.#max, msOf(index));
      for (let missed = seen - intervalMs; missed >= intervalMs; missed -= intervalMs) all.add(missed, count);
    }
    return all;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns milliseconds that this share of all stayed below; 0 when there are none */
  percentile(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (const [index, count] of this.#buckets.entries()) {
      left -= count ?? 0;
      if (left <= 0) return this.#count === 0 ? 0 : Math.min(this.#max, msOf(index));
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
