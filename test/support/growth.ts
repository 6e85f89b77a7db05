// Whether work grows with its input or faster, told by time on a machine that others use too: a small input and one of
// eight times its size, several times in turn. What grows in proportion takes eight times as long in one round at least;
// what grows with the square takes 64 times as long in all of them, and is far from the limit on both sides.

import assert from "node:assert/strict";

const GROWTH = 8;
const RATIO_MAX = 24;
const ROUNDS_MAX = 12;

/** Fails unless `work` of a size takes time in proportion to it. `size`: one whose work takes about a millisecond. */
export function assertLinear(size: number, work: (size: number) => void): void {
  const time = (of: number): number => {
    const before = performance.now();
    work(of);
    return performance.now() - before;
  };
  time(size);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const small = Math.max(time(size), 0.05);
    const ratio = time(GROWTH * size) / small;
    if (ratio < RATIO_MAX) return;
    ratios.push(Math.round(ratio));
  }
  assert.fail(`${GROWTH} times the input took ${ratios.join(", ")} times as long`);
}
