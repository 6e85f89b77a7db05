// The program of blocked.ts: blocks its main thread or a worker with a call, or ends such a worker.
//
//   program main CALL | program worker CALL | program exit CALL | program handled CALL

import { writeSync } from "node:fs";
import { Worker, isMainThread, workerData } from "node:worker_threads";

/** Tells the test; nothing of Node's streams would go out while the thread is blocked. */
function say(text: string): void {
  writeSync(1, `${text}\n`);
}

/** What a worker is told: its call, and the word that it sets when it is about to make it. */
interface Task {
  readonly name: string;
  readonly blocking: Int32Array;
}

type Calls = Readonly<Record<string, () => unknown>>;

function callOf(calls: Calls, name: string | undefined): () => unknown {
  const call = calls[name as string];
  if (call === undefined) throw new Error(`no call ${name}`);
  return call;
}

/** Runs a scenario with one of the calls. `file`: the calling program's own URL. */
export function runBlocked(calls: Calls, file: string): void {
  const [scenario, name] = process.argv.slice(2);
  if (!isMainThread) {
    const { name: given, blocking } = workerData as Task;
    const call = callOf(calls, given);
    Atomics.store(blocking, 0, 1);
    Atomics.notify(blocking, 0);
    say(`over: ${String(call())}`);
  } else if (scenario === "main") {
    const call = callOf(calls, name);
    say("blocking");
    say(`over: ${String(call())}`);
  } else if (scenario === "handled") {
    const call = callOf(calls, name);
    // A handler makes that the signal interrupts the call and does not end the process.
    process.on("SIGUSR2", () => say("handled"));
    say("blocking");
    const begun = performance.now();
    call();
    say(`over: ${performance.now() - begun}`);
    setImmediate(() => setImmediate(() => process.exit()));
  } else {
    void endWorker(file, name as string, scenario === "exit");
  }
}

async function endWorker(file: string, name: string, withProcess: boolean): Promise<void> {
  const blocking = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(file), { workerData: { name, blocking } satisfies Task });
  const begins = Atomics.waitAsync(blocking, 0, 0);
  await begins.value;
  const begun = performance.now();
  if (withProcess) process.exit(7);
  const code = await worker.terminate();
  say(`terminated: ${code} ${performance.now() - begun}`);
}
