// Median and spread of a handful of rounds. Pure.

/** What several rounds of one figure come to. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle one, or the mean of the two in the middle; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return (low + high) / 2;
}

/** Median, least and greatest; undefined for none. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * The spread of `values[i] / base[i]`. Both were taken in the same round, one after the other, so a
 * machine that is slower in one round than in the next disturbs a ratio less than it does the figures.
 */
export function ratios(values: readonly number[], base: readonly number[]): Spread | undefined {
  const quotients = values.flatMap((value, round) => {
    const other = base[round];
    return other === undefined || other === 0 ? [] : [value / other];
  });
  return spread(quotients);
}
