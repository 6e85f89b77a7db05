// Preloaded (`node --import`) into each process that Node's test runner starts: runs the test file in a worker thread
// of that process instead of its main thread, and ends the process as the worker ended. The runner itself, which has
// no NODE_TEST_CONTEXT, and the workers, which inherit the preload, pass through.

import { isMainThread, Worker } from "node:worker_threads";

if (isMainThread && process.env.NODE_TEST_CONTEXT !== undefined) {
  const worker = new Worker(process.argv[1]);
  const code = await new Promise((resolve) => {
    let failed = 0;
    worker.on("error", (error) => {
      console.error(error);
      failed = 1;
    });
    worker.on("exit", (exitCode) => resolve(exitCode || failed));
  });
  process.exit(code);
}
