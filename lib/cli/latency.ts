/**
 * Latencies in buckets that are 1.6 % wide at most, so that any number of them takes the same memory. Node's histogram
 * (`perf_hooks`) has percentiles too, but does not tell how many values lie in a range, which the drawing needs.
 */

/** Buckets for each power of two. */
const subBits = 6;
const ticksOfMs = 10_000;
/** 215 seconds; more counts as so much. */
const maxTicks = 2 ** 31 - 1;

/** How many latencies lie from `from` to `to` milliseconds. */
export interface LatencyRange {
  from: number;
  to: number;
  count: number;
}

export class Latencies {
  readonly #buckets = new Float64Array((31 - subBits + 2) << subBits);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /** @param latency milliseconds */
  record(latency: number): void {
    const ticks = Math.min(Math.max(Math.round(latency * ticksOfMs), 0), maxTicks);
    const shift = Math.max(31 - Math.clz32(ticks) - subBits, 0);
    this.#buckets[(shift << subBits) + (ticks >>> shift)]++;
    this.#count++;
    this.#sum += latency;
    if (latency < this.#min) this.#min = latency;
    if (latency > this.#max) this.#max = latency;
  }

  get count(): number {
    return this.#count;
  }

  /** Milliseconds, as all that follow; 0 when nothing was recorded. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  get max(): number {
    return this.#max;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /** @param percent 0 to 100 */
  percentile(percent: number): number {
    let left = Math.max(Math.ceil((percent / 100) * this.#count), 1);
    for (let index = 0; index < this.#buckets.length; index++) {
      left -= this.#buckets[index];
      if (left <= 0) return Math.min(Math.max(middleOf(index), this.min), this.#max);
    }
    return this.#max;
  }

  /** Ranges of round numbers that hold everything recorded: at most so many, each about as much wider than the last. */
  ranges(most: number): LatencyRange[] {
    if (this.#count === 0) return [];
    const choices = [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];
    for (const steps of choices) {
      const ranges = this.#rangesOf(steps);
      if (ranges.length <= most || steps.length === 1) return ranges;
    }
    return [];
  }

  #rangesOf(steps: readonly number[]): LatencyRange[] {
    const bounds = Array.from({ length: 11 }, (_, power) => steps.map((step) => step * 10 ** (power - 4))).flat();
    const ranges: LatencyRange[] = bounds.map((to, index) => ({
      from: index === 0 ? 0 : bounds[index - 1],
      to,
      count: 0,
    }));
    let at = 0;
    for (let index = 0; index < this.#buckets.length; index++) {
      if (this.#buckets[index] === 0) continue;
      while (at < ranges.length - 1 && middleOf(index) >= ranges[at].to) at++;
      ranges[at].count += this.#buckets[index];
    }
    const first = ranges.findIndex(({ count }) => count > 0);
    const last = ranges.findLastIndex(({ count }) => count > 0);
    return ranges.slice(first, last + 1);
  }
}

/** Milliseconds in the middle of a bucket. */
function middleOf(index: number): number {
  const shift = Math.max((index >> subBits) - 1, 0);
  const first = (index - (shift << subBits)) * 2 ** shift;
  return (first + (2 ** shift - 1) / 2) / ticksOfMs;
}
