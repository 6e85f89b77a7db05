// Randomness that can be had again: the same seed gives the same numbers on every machine.

/** Numbers from a seed. */
export class Random {
  readonly seed: number;
  #state: number;

  /** @param seed  default: FUZZ_SEED of the environment, or another one each time. */
  constructor(seed: number = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31))) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** Whether something that happens once in `times` happens now. */
  onceIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of them. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}
