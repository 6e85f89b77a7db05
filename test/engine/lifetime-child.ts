// Programs about how long a process lives. Run by lifetime.test.ts; the first argument says which. The others are what
// it needs of its parent: the port of a listener.

import { once } from "node:events";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { create_connection, create_server } from "berkeley";
import type { Socket } from "berkeley";
import { openSockets, tcpPair } from "../support/pair.ts";

/** How many operations wait in the worker that is ended. */
const MANY = 1000;

const port = Number(process.argv[3]);
const connect = (): Promise<Socket> => create_connection(["127.0.0.1", port]);

/** What a worker is given, and whether it then waits for its end or brings it about. */
type Ending = "terminate" | "exit" | "throw" | "end" | "busy";

/** Runs a worker that leaves a thousand operations waiting, and ends it. */
async function runWorker(ending: Ending): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: ending });
  worker.on("error", () => undefined);
  const exited = new Promise((resolve) => worker.once("exit", resolve));
  if (ending === "terminate" || ending === "busy") {
    await once(worker, "message");
    await worker.terminate();
  }
  await exited;
}

/** What the worker's operations wait on: held, for what is collected is closed with a warning. */
const held: Socket[] = [];

/** In the worker: reads that nobody feeds, writes that nobody reads, and an accept, all waiting. */
async function beWorker(ending: Ending): Promise<void> {
  const much = Buffer.alloc(1 << 25); // more than the buffers of both ends grow to
  for (let at = 0; at < MANY / 10; at++) {
    const { a, b } = await tcpPair();
    const { a: deaf, b: sender } = await tcpPair();
    held.push(a, b, deaf, sender);
    for (let reads = 0; reads < 10; reads++) void a.recv(1);
    a.settimeout(1000);
    void a.recv_into(Buffer.alloc(1), 0, 0, { signal: AbortSignal.timeout(1_000_000) });
    void sender.sendall(much);
    if (ending === "busy") void chat(a, b);
  }
  const server = create_server(["127.0.0.1", 0]);
  held.push(server);
  void server.accept();
  if (ending === "exit") process.exit(7);
  if (ending === "throw") throw new Error("on purpose");
  if (ending === "end") for (const socket of held) socket.unref();
  parentPort?.postMessage("waiting", []);
}

/** Never stops, so that the worker is ended in the midst of it. */
async function chat(a: Socket, b: Socket): Promise<void> {
  for (;;) {
    await a.sendall("x");
    await b.recv(1);
  }
}

const scenarios: Record<string, () => Promise<void>> = {
  async "recv waits"() {
    const end = await connect();
    console.log("waiting");
    console.log((await end.recv(10)).toString());
  },
  async "recv waits with a timeout"() {
    const end = await connect();
    end.settimeout(0.05);
    console.log(await end.recv(10).catch((error: unknown) => (error as Error).name));
  },
  async "accept waits"() {
    const server = create_server(["127.0.0.1", 0]);
    console.log(`port ${server.getsockname()[1]}`);
    const [conn] = await server.accept();
    console.log((await conn.recv(10)).toString());
  },
  async "recv waits again after ref"() {
    const end = (await connect()).unref();
    const waiting = end.recv(10);
    end.ref();
    console.log("waiting");
    console.log((await waiting).toString());
  },
  async "recv waits while another was unreferenced"() {
    const [free, kept] = [await connect(), await connect()];
    void free.unref().recv(1);
    console.log("waiting");
    console.log((await kept.recv(10)).toString());
  },
  async "nothing waits"() {
    await connect();
    create_server(["127.0.0.1", 0]);
    console.log("made");
  },
  async "unreferenced recv"() {
    const end = await connect();
    void end.unref().recv(10);
    console.log("made");
  },
  async "recv unreferenced later"() {
    const end = await connect();
    void end.recv(10);
    void end.recv(10);
    end.unref();
    console.log("made");
  },
  async "unreferenced accept loop"() {
    const server = create_server(["127.0.0.1", 0]).unref();
    void (async () => {
      for await (const [conn] of server) conn.close();
    })();
    console.log("made");
  },
  async "unreferenced recv with a timeout"() {
    const end = (await connect()).unref();
    end.settimeout(1000);
    void end.recv(10, 0, { signal: AbortSignal.timeout(1_000_000) });
    console.log("made");
  },
  async "aborted and timed out"() {
    const end = await connect();
    const controller = new AbortController();
    const waiting = [end.recv(1, 0, { signal: controller.signal }), end.recv(1)];
    end.settimeout(0.001);
    waiting.push(end.recv(1));
    controller.abort();
    end.unref().ref();
    waiting.push(end.recv(1));
    await Promise.allSettled([waiting[0], waiting[2], waiting[3]]);
    end.close();
    await Promise.allSettled(waiting);
    console.log("made");
  },
  /** It is read as fast as it comes although nothing of the socket holds the process; a timer does. */
  async "unreferenced socket with much to read"() {
    const { a, b } = await tcpPair();
    const bytes = 1 << 20;
    void b.unref().sendall(Buffer.alloc(bytes));
    const alive = setInterval(() => undefined, 1_000_000);
    let count = 0;
    a.unref();
    for (const byte = Buffer.alloc(64); count < bytes; ) count += await a.recv_into(byte);
    clearInterval(alive);
    console.log(count);
  },
  /** A peer that never stops does not hold a process by a socket that shall not. */
  async "unreferenced socket that always has data"() {
    const { a, b } = await tcpPair();
    a.unref();
    b.unref();
    void (async () => {
      for (;;) await b.sendall(Buffer.alloc(4096));
    })();
    void (async () => {
      for (;;) await a.recv(64);
    })();
    console.log("made");
  },
  async workers() {
    const before = openSockets().length;
    for (const ending of ["terminate", "busy", "exit", "throw", "end", "terminate"] as const) {
      await runWorker(ending);
      console.log(ending, openSockets().length - before);
    }
  },
  async exit() {
    await beWorker("terminate");
    process.exit(5);
  },
  /** What a tick throws after a wake-up is uncaught there and then, not out of somebody's next call. */
  async "a tick that throws"() {
    const { a, b } = await tcpPair();
    process.on("uncaughtException", (error) => console.log(`uncaught ${error.message}`));
    const waiting = a.recv(1);
    setImmediate(() => void b.sendall("x"));
    await waiting;
    process.nextTick(() => {
      throw new Error("in a tick");
    });
    setImmediate(() => {
      a.close();
      console.log("closed");
      b.close();
    });
  },
};

if (isMainThread) await (scenarios[process.argv[2] as string] as () => Promise<void>)();
else await beWorker(workerData as Ending);
