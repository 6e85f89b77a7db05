// Rounds of faults on a network of their own, many at once: what the network loses is sent again after a while, and in that
// time others go on. Now and then nothing comes through at all. Run by faults.test.ts.
//
//   faults-child NFT FIRST_SEED ROUNDS

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as pass } from "node:timers/promises";
import { promisify } from "node:util";
import { openSockets } from "../support/pair.ts";
import { Random } from "../support/random.ts";
import { faultRound } from "./fault-round.ts";

const AT_ONCE = 50;
/** For so long nothing comes through, at most; shorter than what any timeout here allows to be idle for good. */
const CUT_MS_MAX = 400;

const [nft = "", first, rounds] = process.argv.slice(2);
const [begin, end] = [Number(first), Number(first) + Number(rounds)];
const run = promisify(execFile);

const before = openSockets();
const over = new AbortController();
const random = new Random(begin);
const cutting = (async (): Promise<number> => {
  let cuts = 0;
  for (; !over.signal.aborted; cuts++) {
    await pass(random.below(3000));
    await run(nft, ["add", "rule", "inet", "faults", "cut", "drop"]);
    await pass(random.below(CUT_MS_MAX));
    await run(nft, ["flush", "chain", "inet", "faults", "cut"]);
  }
  return cuts;
})();

const sums: Record<string, number> = {};
let next = begin;
const workers = Array.from({ length: AT_ONCE }, async () => {
  while (next < end) {
    const seed = next++;
    const stats = await faultRound(seed, true).catch((error: unknown) => {
      throw new Error(`FUZZ_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    });
    for (const [name, count] of Object.entries(stats)) sums[name] = (sums[name] ?? 0) + count;
  }
});
await Promise.all(workers);
over.abort();
const cuts = await cutting;
assert.deepEqual(openSockets(), before, "descriptors that are left");
console.log(JSON.stringify({ ...sums, cuts }));
