// serveWorkers(): every worker accepts from one queue, dies alone, is started again, and stops with the others.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { threadId } from "node:worker_threads";
import { IPPROTO_TCP, TCP_NODELAY } from "berkeley";
import { serveWorkers } from "berkeley/server";
import type { ServeWorkersOptions, WorkersServer } from "berkeley/server";
import { connectTcp, connectUnix, listenTcp, listenUnix } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { openSockets } from "../support/pair.ts";
import { readAll, until, warning } from "./support.ts";

const MODULE = new URL("./workers-module.js", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "berkeley-workers-"));
after(() => rmSync(folder, { recursive: true }));

interface Workers extends AsyncDisposable {
  readonly server: WorkersServer;
  connect(): Promise<SocketStream>;
}

async function workers(options: ServeWorkersOptions = {}): Promise<Workers> {
  const server = await serveWorkers(await listenTcp("127.0.0.1"), MODULE, { workers: 2, ...options });
  const [host, port] = server.localAddress as [string, number];
  return {
    server,
    connect: () => connectTcp(host, port),
    [Symbol.asyncDispose]: async () => void (await server.shutdown({ deadlineMs: 0 })),
  };
}

/** Says a word; which thread answered. */
async function ask(stream: ByteStream, word: string): Promise<number> {
  await stream.sendAll(word);
  const answer = (await stream.receiveSome()).toString();
  const [, said, thread] = /^(\S+) (\d+)$/.exec(answer) ?? assert.fail(`answered ${answer}`);
  assert.equal(said, word);
  return Number(thread);
}

/** Connects until a connection is served by another thread than these. */
async function elsewhere(
  at: Workers,
  threads: readonly number[],
  opened: SocketStream[],
): Promise<SocketStream> {
  for (;;) {
    const client = await at.connect();
    opened.push(client);
    if (!threads.includes(await ask(client, "who"))) return client;
  }
}

test("serveWorkers() serves in other threads, in all of them, and counts in one place", async () => {
  const before = openSockets();
  const opened: SocketStream[] = [];
  {
    await using at = await workers({ connectionsMax: 3 });
    const clients = await Promise.all(Array.from({ length: 6 }, () => at.connect()));
    opened.push(...clients);
    const threads = await Promise.all(clients.map((client) => ask(client, "who")));
    assert.equal(new Set(threads).size, 2); // each has no more than 3
    assert.ok(!threads.includes(threadId));
    const stats = at.server.stats();
    assert.deepEqual([stats.accepted, stats.active, stats.workers, stats.restarts], [6, 6, 2, 0]);
    assert.equal(stats.bytesReceived, 18);
    // Counted behind the send, in another thread: the answer may be here first.
    await until(() => at.server.stats().bytesSent >= 30);
    await clients[0]?.closeWrite();
    assert.equal(await readAll(clients[0] as SocketStream), "");
    await until(() => at.server.stats().finished === 1);
    for (const client of opened) client.close();
  }
  assert.deepEqual(openSockets(), before);
});

for (const [word, message] of [
  ["exit", /^the worker ended with 3$/],
  ["throw", /^nobody catches this$/],
] as const)
  test(`a worker that dies (${word}) loses its own connections alone, and is started again`, async () => {
    const deaths: [Error, number][] = [];
    const opened: SocketStream[] = [];
    await using at = await workers({
      onDeath: (...death) => deaths.push(death),
      restartMsMin: 1,
    });
    const first = await at.connect();
    opened.push(first);
    const doomed = await ask(first, "who");
    const other = await elsewhere(at, [doomed], opened);
    const survivor = await ask(other, "who");
    await first.sendAll(word);
    await until(() => deaths.length === 1);
    assert.match(deaths[0]?.[0].message ?? "", message);
    assert.equal(await ask(other, "who"), survivor);
    await until(() => at.server.stats().workers === 2);
    const fresh = await elsewhere(at, [survivor], opened);
    assert.notEqual(await ask(fresh, "who"), doomed);
    const { accepted, active, finished, lost, restarts } = at.server.stats();
    assert.equal(restarts, 1);
    assert.ok(lost >= 1);
    assert.equal(accepted, active + finished + lost);
    for (const client of opened) client.close();
  });

test("nobody is refused or reset who comes after a worker has died", async () => {
  let deaths = 0;
  await using at = await workers({ onDeath: () => deaths++, restartMsMin: 50, restartMsMax: 50 });
  for (let round = 1; round <= 2; round++) {
    // Both are gone for a while: who comes then waits in the kernel's queue.
    const doomed = [await at.connect()];
    const first = await ask(doomed[0] as SocketStream, "who");
    await elsewhere(at, [first], doomed);
    for (const client of [doomed[0], doomed.at(-1)]) await client?.sendAll("exit");
    await until(() => deaths === 2 * round);
    for (let time = 0; time < 20; time++) {
      const client = await at.connect();
      await ask(client, "who");
      client.close();
    }
    for (const client of doomed) client.close();
    await until(() => at.server.stats().workers === 2);
  }
});

test("a worker's death is a process warning", async () => {
  await using at = await workers({ restartMsMin: 1 });
  const warned = warning("BERKELEY_WORKER");
  const client = await at.connect();
  await client.sendAll("exit");
  assert.match((await warned).message, /^worker [01] died: the worker ended with 3$/);
  client.close();
});

test("an onDeath that throws is a process warning, and the worker is started again", async () => {
  await using at = await workers({
    workers: 1,
    restartMsMin: 1,
    onDeath() {
      throw new Error("in onDeath");
    },
  });
  const warned = warning("BERKELEY_WORKER");
  const client = await at.connect();
  await client.sendAll("exit");
  assert.match((await warned).message, /^worker 0 died: in onDeath$/);
  await until(() => at.server.stats().restarts === 1 && at.server.stats().workers === 1);
  client.close();
});

test("the pause before a worker is started again doubles", async () => {
  const at = await workers({ workers: 1, onDeath: () => undefined, restartMsMin: 40, restartMsMax: 100 });
  for (const pauseMs of [40, 80, 100]) {
    const client = await at.connect();
    await client.sendAll("exit");
    await until(() => at.server.stats().workers === 0);
    const died = performance.now();
    await until(() => at.server.stats().workers === 1);
    assert.ok(performance.now() - died >= pauseMs - 2, `a pause of ${pauseMs} ms`);
    client.close();
  }
  await at[Symbol.asyncDispose]();
});

test("an error of a handler is no death of its worker", async () => {
  const deaths: Error[] = [];
  await using at = await workers({ onDeath: (error) => deaths.push(error) });
  const client = await at.connect();
  await client.sendAll("fail");
  assert.equal(await readAll(client), "");
  await until(() => at.server.stats().failed === 1);
  assert.deepEqual(deaths, []);
  client.close();
});

test("shutdown() lets the handlers of all workers finish, and refuses who comes", async () => {
  const at = await workers({ connectionsMax: 2 });
  const clients = await Promise.all(Array.from({ length: 4 }, () => at.connect()));
  for (const client of clients) await client.sendAll("stopping");
  await until(() => at.server.stats().bytesReceived === 32);
  const stopping = at.server.shutdown();
  for (const client of clients) {
    assert.match((await client.receiveSome()).toString(), /^stopping \d+$/);
    await client.closeWrite();
  }
  assert.deepEqual(await stopping, { completed: 4, aborted: 0, abandoned: 0 });
  await at.server.finished;
  await assert.rejects(at.connect(), { code: "ECONNREFUSED" });
  assert.equal(at.server.stats().workers, 0);
  for (const client of clients) client.close();
});

test("shutdown() ends at its deadline connections that go on, and workers that compute", async () => {
  const at = await workers({ connectionsMax: 1 });
  const [idle, busy] = [await at.connect(), await at.connect()];
  await Promise.all([ask(idle, "who"), ask(busy, "who")]);
  await busy.sendAll("block");
  await until(() => at.server.stats().bytesReceived === 11);
  assert.deepEqual(await at.server.shutdown({ deadlineMs: 10 }), { completed: 0, aborted: 1, abandoned: 1 });
  for (const client of [idle, busy]) client.close();
});

test("a worker that still loads when its listener closes accepts from nobody else's", async () => {
  const before = openSockets();
  const gates = await listenTcp("127.0.0.1");
  const [, port] = gates.localAddress as [string, number];
  const starting = workers({
    workers: 1,
    argv: ["wait", String(port)],
    onDeath: () => undefined,
    restartMsMin: 1,
  });
  (await gates.accept()).close();
  const at = await starting;
  const doomed = await at.connect();
  await doomed.sendAll("exit");
  const loading = await gates.accept(); // the next worker
  const stopping = at.server.shutdown({ deadlineMs: 60_000 });
  // Another listener has the descriptor's number now, and somebody waits there.
  const others = await Promise.all([1, 2, 3].map(() => listenTcp("127.0.0.1")));
  const clients = await Promise.all(
    others.map(({ localAddress }) => connectTcp(...(localAddress as [string, number]))),
  );
  loading.close();
  assert.deepEqual(await stopping, { completed: 0, aborted: 0, abandoned: 0 });
  await at.server.finished;
  for (const [index, listener] of others.entries()) {
    const conn = await listener.accept({ signal: AbortSignal.timeout(10_000) });
    assert.deepEqual(conn.remoteAddress, clients[index]?.localAddress);
    conn.close();
  }
  for (const each of [...others, ...clients, gates, doomed]) each.close();
  assert.deepEqual(openSockets(), before);
});

test("a signal shuts all workers down, also one that is aborted already", async () => {
  const at = await workers({ signal: AbortSignal.abort() });
  await at.server.finished;
  const controller = new AbortController();
  const later = await workers({ signal: controller.signal });
  controller.abort();
  await later.server.finished;
});

test("serveWorkers() rejects when the module cannot be loaded, and leaves nothing open", async () => {
  const before = openSockets();
  const listener = await listenTcp("127.0.0.1");
  await assert.rejects(serveWorkers(listener, MODULE, { workers: 2, argv: ["fail"] }), /told to fail/);
  assert.equal(listener.closed, true);
  for (const [module, message] of [
    ["data:text/javascript,export default 5", /has no handler as its default export$/],
    ["data:text/javascript,import 'nowhere'", /nowhere/],
  ] as const)
    await assert.rejects(serveWorkers(await listenTcp("127.0.0.1"), module, { workers: 1 }), { message });
  assert.deepEqual(openSockets(), before);
});

test("serveWorkers() refuses what it cannot use, and names it", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const refused = (code: string, message: RegExp, ...args: unknown[]): Promise<void> =>
    assert.rejects(serveWorkers(...(args as Parameters<typeof serveWorkers>)), { code, message });
  await refused("ERR_INVALID_ARG_TYPE", /^listener /, listener.socket, MODULE);
  await refused("ERR_INVALID_ARG_TYPE", /^module /, listener, () => undefined);
  await refused("ERR_OUT_OF_RANGE", /^options.workers /, listener, MODULE, { workers: 0 });
  await refused("ERR_OUT_OF_RANGE", /^options.restartMsMin /, listener, MODULE, { restartMsMin: 0 });
  await refused("ERR_OUT_OF_RANGE", /^options.connectionsMax /, listener, MODULE, { connectionsMax: 0 });
  assert.equal(listener.closed, false);
});

test("workers serve at a Unix socket, and leave a listener's options as they are", async () => {
  const path = join(folder, "workers");
  {
    await using _ = await serveWorkers(await listenUnix(path), MODULE, { workers: 2 });
    await using client = await connectUnix(path);
    assert.notEqual(await ask(client, "who"), threadId);
  }
  await assert.rejects(connectUnix(path), { code: "ENOENT" });
  const listener = await listenTcp("127.0.0.1", 0, { noDelay: false });
  await using _ = await serveWorkers(listener, MODULE, { workers: 1 });
  assert.equal(listener.socket.getsockopt(IPPROTO_TCP, TCP_NODELAY), 0);
});
