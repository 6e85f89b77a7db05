// How much memory is held. It knows how to have the rest of it freed.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** By how much memory of buffers has grown, when what nobody holds is freed, which other threads do in their time. */
export async function grownBy(before: number, enough: number): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let grown = Infinity;
  for (let tries = 0; tries < 50 && grown > enough; tries++) {
    collect();
    await new Promise<void>((resolve) => setImmediate(resolve));
    grown = process.memoryUsage().arrayBuffers - before;
  }
  return grown;
}
