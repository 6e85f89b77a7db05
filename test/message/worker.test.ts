// A worker that ends with descriptors in its queues and receives under way leaves no descriptor open in the process.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { openDescriptors } from "../support/descriptors.ts";

/** Runs a worker and ends it; what is open then. */
async function afterWorker(): Promise<Set<number>> {
  const worker = new Worker(new URL("worker-child.js", import.meta.url));
  const exited = once(worker, "exit");
  const [message] = (await once(worker, "message")) as [string];
  assert.equal(message, "waiting");
  await worker.terminate();
  await exited;
  return openDescriptors();
}

test("terminate() of a worker with queued descriptors closes them and its sockets", async () => {
  const before = await afterWorker(); // what Node opens with its first worker stays
  for (let round = 0; round < 5; round++) assert.deepEqual(await afterWorker(), before);
});
