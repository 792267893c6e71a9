/** How long something took, over all of it: milliseconds. A percentile is right to within a fifth. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Each bucket is a fifth wider than the one before; the first ends at a microsecond. */
const growth = Math.log(1.2);
const least = 0.001;
const buckets = 128;

/** Counts in a fixed number of buckets, whatever the number of measurements. */
export class Latency {
  readonly #counts = new Uint32Array(buckets);
  #count = 0;
  #sum = 0;
  #max = 0;

  add(ms: number): void {
    const bucket = ms <= least ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / least) / growth));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sum += ms;
    if (ms > this.#max) this.#max = ms;
  }

  summary(): LatencySummary {
    const mean = this.#count === 0 ? 0 : this.#sum / this.#count;
    return { count: this.#count, mean, p50: this.#at(0.5), p99: this.#at(0.99), max: this.#max };
  }

  /** The upper end of the bucket in which this share of all lies. */
  #at(share: number): number {
    if (this.#count === 0) return 0;
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    for (let bucket = 0; bucket < buckets; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= wanted) return Math.min(this.#max, least * Math.exp(growth * bucket));
    }
    return this.#max;
  }
}
