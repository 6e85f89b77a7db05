// Randomness that can be had again: the same seed gives the same numbers on every machine (mulberry32).

/** Numbers from a seed. */
export class SeededRandom {
  /** What it began with. */
  readonly seed: number;
  #state: number;

  /** @param seed  a whole number from 0 to 2^32 - 1. */
  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below 2^32. */
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number from 0 to below 1. */
  fraction(): number {
    return this.word() / 2 ** 32;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  /** True as often as `probability` (0 to 1) says. */
  chance(probability: number): boolean {
    // Nothing is drawn for what is certain: a network without loss is the same whatever its seed.
    return probability > 0 && (probability >= 1 || this.fraction() < probability);
  }

  /** One of them. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}
