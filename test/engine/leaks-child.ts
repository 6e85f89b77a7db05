// Programs about sockets that nobody closes. Run by leaks.test.ts with --expose-gc; the first argument says which.

import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { create_connection, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";
import { openSockets, tcpPair } from "../support/pair.ts";

/** Collects garbage until the check holds; a minute of that is enough for anything that can be collected. */
async function collectUntil(check: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!check()) {
    if (performance.now() > end) throw new Error("it was never collected");
    (globalThis as unknown as { gc: () => void }).gc();
    await turn();
  }
}

/** Collects as often as would be enough for what can be collected. */
async function collect(): Promise<void> {
  const marker = new WeakRef({});
  for (let rounds = 0; rounds < 10 || marker.deref() !== undefined; rounds++) {
    (globalThis as unknown as { gc: () => void }).gc();
    await turn();
  }
}

/** Makes a socket and holds it, as objects of programs do. */
class Holder {
  readonly held: Socket = this.make();
  make(): Socket {
    return socket();
  }
}

const atStart = openSockets().length;
/** Sockets that are open beyond those which the process was born with. */
const extra = (): number => openSockets().length - atStart;

const warnings: (Error & { code?: string })[] = [];
process.on("warning", (warning) => warnings.push(warning));

const scenarios: Record<string, () => Promise<void>> = {
  async plain() {
    socket();
    await collectUntil(() => warnings.length === 1);
    console.log(warnings[0]?.name, warnings[0]?.code, extra());
    console.log(warnings[0]?.message);
  },
  async held() {
    void new Holder();
    await collectUntil(() => warnings.length === 1);
    console.log(warnings.length, extra());
  },
  async accepted() {
    using server = create_server(["127.0.0.1", 0]);
    const client = create_connection(server.getsockname() as [string, number]);
    await server.accept(); // let go at once
    const end = await client;
    await collectUntil(() => warnings.length === 1);
    console.log((await end.recv(1)).length); // the peer's end: it was closed
    end.close();
    console.log(warnings.length, extra() - 1);
  },
  /** Nobody else holds the socket, the buffer or the promise: the call that waits does. */
  async waiting() {
    const pair = await tcpPair();
    const { b } = pair;
    const served = ((end: Socket) => end.recv_into(Buffer.alloc(8)).then((count) => console.log(count)))(
      pair.a,
    );
    (pair as { a?: Socket }).a = undefined as never;
    await collect();
    await b.sendall("12345678");
    await served;
    b.close();
    console.log(warnings.length);
  },
  async proper() {
    await (async () => {
      using closed = socket();
      void closed;
      const given = socket();
      socket(undefined, undefined, undefined, { fileno: given.detach() }).close();
      await using pair = await tcpPair().then(({ a, b }) => (b.close(), a));
      void pair;
    })();
    await collect();
    console.log(warnings.length, extra());
  },
  async worker() {
    const { Worker } = await import("node:worker_threads");
    const source = `import("berkeley").then(({ socket }) => { for (let i = 0; i < 100; i++) globalThis[i] = socket(); })`;
    const worker = new Worker(source, { eval: true });
    await once(worker, "exit");
    console.log(extra());
  },
};

await (scenarios[process.argv[2] as string] as () => Promise<void>)();
