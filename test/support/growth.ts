// Whether work grows with its input or faster, told by time on a machine that others use too: a small input and one of
// 32 times its size, several times in turn. What grows in proportion takes 32 times as long in one round at least; what
// grows with the square takes 1024 times as long in all of them. The limit is far from both: the one may be interrupted and
// pay the collector for all.

import assert from "node:assert/strict";

const GROWTH = 32;
const RATIO_MAX = 256;
const ROUNDS_MAX = 12;
const TIME_MS_MIN = 0.05; // Below it, a time tells more of the clock and of the collector than of the work.

/**
 * Fails unless `work` takes time in proportion to the length of its text. `textOf` makes the text of a size; making it is
 * not part of the work. `size`: one whose work takes about a millisecond, unless the work ends early.
 */
export function assertLinear(
  size: number,
  textOf: (size: number) => string,
  work: (text: string) => void,
): void {
  const [small, large] = [flat(textOf(size)), flat(textOf(GROWTH * size))];
  time(work, small);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const base = Math.max(time(work, small), TIME_MS_MIN);
    const ratio = time(work, large) / base;
    if (ratio < RATIO_MAX) return;
    ratios.push(Math.round(ratio));
  }
  assert.fail(`${GROWTH} times the input took ${ratios.join(", ")} times as long`);
}

function time(work: (text: string) => void, text: string): number {
  const before = performance.now();
  work(text);
  return performance.now() - before;
}

/** The same text in one piece: V8 keeps what repeat() and + make as a tree until somebody looks into it, at its cost. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
