// A program that looks names up while its parent decides how long that takes (slow-resolver.c). Run by
// lookup.test.ts; the first argument says what it does.

import { readFile } from "node:fs/promises";
import { on, once } from "node:events";
import { Worker, isMainThread, parentPort } from "node:worker_threads";

const LOOKUPS = 20;

async function begin(signal?: AbortSignal): Promise<{ begun: Promise<string>[] }> {
  // Loaded only where it is used: the worker's addon is then nobody else's.
  const { getaddrinfo } = await import("#dist/socket/names.js");
  const begun = Array.from({ length: LOOKUPS }, (_, i) =>
    getaddrinfo(`wait-${i}`, 80, { signal }).then(
      () => "found",
      (error: unknown) => (error as { code?: string; name: string }).code ?? (error as Error).name,
    ),
  );
  return { begun };
}

/** Numeric lookups without end. */
async function storm(): Promise<void> {
  const { getaddrinfo } = await import("#dist/socket/names.js");
  const { AI_NUMERICHOST: flags } = await import("#dist/constants/index.js");
  for (;;) {
    await Promise.all(Array.from({ length: 50 }, (_, port) => getaddrinfo("127.0.0.1", port, { flags })));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a MessagePort, not a Window
    parentPort?.postMessage("answered");
  }
}

/** What the parent says, none of it lost. */
const messages = isMainThread ? on(process, "message") : undefined;

async function parentSays(): Promise<void> {
  await messages?.next();
}

const scenarios: Record<string, () => Promise<void>> = {
  /** All wait; the loop and the file system do not; then all are answered, and the process ends by itself. */
  async all() {
    process.disconnect();
    const { begun } = await begin();
    await readFile(process.execPath);
    console.log("read a file");
    console.log((await Promise.all(begun)).join(" "));
  },
  /** All are aborted while they run or are queued; the process ends though threads still wait. */
  async abort() {
    const controller = new AbortController();
    const { begun } = await begin(controller.signal);
    await parentSays();
    process.disconnect();
    controller.abort();
    console.log((await Promise.all(begun)).join(" "));
  },
  /** A worker that alone has loaded the addon ends with its lookups running and queued. */
  async terminate() {
    const worker = new Worker(new URL(import.meta.url), { argv: ["worker"] });
    await parentSays();
    console.log(`terminated ${await worker.terminate()}`);
    await parentSays();
    process.disconnect();
    console.log("alive");
  },
  async exit() {
    await begin();
    await parentSays();
    process.exit(3);
  },
  /** Workers end, one after another, in the middle of answers. */
  async storm() {
    process.disconnect();
    for (let i = 0; i < 20; i++) {
      const worker = new Worker(new URL(import.meta.url), { argv: ["storm"] });
      await once(worker, "message");
      await worker.terminate();
    }
    console.log("alive");
  },
  /** Nothing waits: a lookup that was answered does not hold the process. */
  async idle() {
    process.disconnect();
    const { getaddrinfo } = await import("#dist/socket/names.js");
    const { AI_NUMERICHOST } = await import("#dist/constants/index.js");
    await getaddrinfo("127.0.0.1", 80, { flags: AI_NUMERICHOST });
    console.log("answered");
  },
};

const scenario = process.argv[2] as string;
if (isMainThread) await (scenarios[scenario] as () => Promise<void>)();
else if (scenario === "storm") await storm();
else await Promise.all((await begin()).begun);
