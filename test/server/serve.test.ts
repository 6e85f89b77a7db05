// serve(): a handler per connection, never more than asked at once, timeouts, errors, the end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { ECANCELED, EINVAL, EMFILE, MSG_PEEK, SocketError } from "berkeley";
import { ServerError, serve } from "berkeley/server";
import type { ListenerOf } from "berkeley/server";
import { connectTcp, listenTcp, memoryPair } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { NEVER } from "#dist/engine/backend.js";
import { currentEngine } from "#dist/engine/current.js";
import { pattern, reset } from "../support/pair.ts";
import { ask, echo, gate, readAll, served, until, warning } from "./support.ts";

/** The ServerError that a promise rejects with. */
async function serverErrorOf(promise: Promise<unknown>): Promise<ServerError> {
  const error: unknown = await promise.then(
    () => assert.fail("resolved"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ServerError, String(error));
  return error;
}

test("serve() runs a handler for each connection and closes it when the handler returns", async () => {
  const ids: number[] = [];
  await using at = await served(async (stream, connection) => {
    ids.push(connection.id);
    assert.deepEqual(stream.remoteAddress, connection.accepted.socket.getpeername());
    assert.deepEqual(stream.localAddress, connection.accepted.socket.getsockname());
    assert.equal(stream.closed, false);
    await stream.sendAll(`${connection.id}: `);
    await stream.sendAll(await stream.receiveSome());
  });
  const clients = [await at.connect(), await at.connect(), await at.connect()];
  await Promise.all(clients.map((client) => client.sendAll("hello")));
  assert.deepEqual(await Promise.all(clients.map(readAll)), ["1: hello", "2: hello", "3: hello"]);
  assert.deepEqual(ids, [1, 2, 3]);
  for (const client of clients) client.close();
});

test("serve() counts connections by how they ended, and their bytes", async () => {
  const errors: unknown[] = [];
  await using at = await served(
    async (stream) => {
      const text = (await stream.receiveSome()).toString();
      if (text === "fail") throw new Error("told to");
      await stream.sendAll(`${text}ö`);
      await echo(stream);
    },
    { onError: (error) => errors.push(error) },
  );
  const [good, bad, idle] = [await at.connect(), await at.connect(), await at.connect()];
  await good.sendAll("hello");
  await good.closeWrite();
  assert.equal(await readAll(good), "helloö");
  await bad.sendAll("fail");
  assert.equal(await readAll(bad), "");
  await until(() => at.server.stats().active === 1);
  assert.deepEqual(at.server.stats(), {
    accepted: 3,
    active: 1,
    finished: 1,
    failed: 1,
    timedOut: 0,
    aborted: 0,
    refused: 0,
    bytesReceived: 9,
    bytesSent: 7,
  });
  assert.deepEqual(
    errors.map((error) => (error as Error).message),
    ["told to"],
  );
  await at.server.shutdown({ deadlineMs: 0 });
  assert.equal(at.server.stats().aborted, 1);
  for (const client of [good, bad, idle]) client.close();
});

test("serve() never has more than connectionsMax handlers at once; the others wait, in order", async () => {
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const gates = [gate(), gate(), gate()];
  await using at = await served(
    async (stream) => {
      most = Math.max(most, ++running);
      const number = Number(await stream.receiveSome());
      order.push(number);
      await gates[Math.floor(number / 5)]?.opened;
      running--;
    },
    { connectionsMax: 5 },
  );
  const clients: SocketStream[] = [];
  for (let number = 0; number < 15; number++) {
    const client = await at.connect();
    await client.sendAll(`${number}`);
    clients.push(client);
  }
  for (const [at5, each] of gates.entries()) {
    await until(() => order.length === 5 * (at5 + 1));
    assert.deepEqual([running, at.server.stats().accepted], [5, 5 * (at5 + 1)]);
    each.open();
  }
  await Promise.all(clients.map(readAll));
  const ascending = order.toSorted((a, b) => a - b);
  for (let at5 = 0; at5 < 15; at5 += 5)
    assert.deepEqual(
      order.slice(at5, at5 + 5).toSorted((a, b) => a - b),
      ascending.slice(at5, at5 + 5),
    );
  assert.equal(most, 5);
  for (const client of clients) client.close();
});

test("an error of a handler is a process warning, and the server goes on", async () => {
  await using at = await served(async (stream) => {
    if ((await stream.receiveSome()).toString() === "fail") throw new Error("a mistake");
    await stream.sendAll("fine");
  });
  const warned = warning("BERKELEY_HANDLER");
  const bad = await at.connect();
  await bad.sendAll("fail");
  assert.equal(await readAll(bad), "");
  const { message, detail } = await warned;
  assert.match(message, /^the handler of 127\.0\.0\.1:\d+ failed: a mistake$/);
  assert.match(detail ?? "", /serve\.test/);
  const good = await at.connect();
  await good.sendAll("x");
  assert.equal(await readAll(good), "fine");
  for (const client of [good, bad]) client.close();
});

test("a handler that throws at once, and an onError that throws, are contained", async () => {
  await using at = await served(
    () => {
      throw new Error("at once");
    },
    {
      onError() {
        throw new Error("in onError");
      },
    },
  );
  const warned = warning("BERKELEY_HANDLER");
  const client = await at.connect();
  assert.equal(await readAll(client), "");
  assert.match((await warned).message, /failed: in onError$/);
  await until(() => at.server.stats().failed === 1);
  client.close();
});

test("a connection that its peer resets is counted as failed, and is no warning", async () => {
  const warnings: string[] = [];
  const listen = ({ message }: Error): number => warnings.push(message);
  process.on("warning", listen);
  const entered = gate();
  await using at = await served(async (stream) => {
    entered.open();
    await echo(stream);
  });
  const client = await at.connect();
  await entered.opened;
  reset(client.socket);
  await until(() => at.server.stats().failed === 1);
  await new Promise((resolve) => setImmediate(resolve)); // a warning is emitted at the next tick
  process.off("warning", listen);
  assert.deepEqual(warnings, []);
});

test("a connection that says nothing is ended after idleTimeoutMs; its handler sees why", async () => {
  const told: { signal?: unknown; call?: ServerError; later?: ServerError } = {};
  await using at = await served(
    async (stream, connection) => {
      connection.signal.addEventListener("abort", () => (told.signal = connection.signal.reason));
      told.call = await serverErrorOf(stream.receiveSome());
      told.later = await serverErrorOf(stream.sendAll("too late"));
    },
    { idleTimeoutMs: 30 },
  );
  const client = await at.connect();
  assert.equal(await readAll(client), "");
  await until(() => at.server.stats().timedOut === 1);
  assert.equal(told.call?.code, "ERR_IDLE_TIMEOUT");
  assert.match(told.call.message, /^idle for 30 ms \(.*127\.0\.0\.1:\d+\)$/);
  assert.equal(told.signal, told.call);
  assert.equal(told.later, told.call);
  client.close();
});

test("a connection that talks lives longer than idleTimeoutMs, and so does one whose handler is busy elsewhere", async () => {
  const idleTimeoutMs = 500;
  await using at = await served(
    async (stream) => {
      await echo(stream);
      await new Promise((resolve) => setTimeout(resolve, 1.5 * idleTimeoutMs));
      await stream.sendAll("after work");
    },
    { idleTimeoutMs },
  );
  const client = await at.connect();
  const end = performance.now() + 1.5 * idleTimeoutMs;
  while (performance.now() < end) assert.equal(await ask(client, "ping"), "ping");
  await client.closeWrite();
  assert.equal(await readAll(client), "after work");
  client.close();
});

test("a peer that does not read what is sent to it is idle", async () => {
  await using at = await served(async (stream) => await stream.sendAll(Buffer.alloc(64 << 20)), {
    idleTimeoutMs: 100,
  });
  const client = await at.connect();
  await until(() => at.server.stats().timedOut === 1);
  client.close();
});

test("a peer that does not read what a handler has left to be sent is idle, and keeps no place", async () => {
  let left: Promise<ServerError> | undefined;
  await using at = await served(
    (stream) => {
      left = serverErrorOf(stream.sendAll(Buffer.alloc(64 << 20)));
    },
    { idleTimeoutMs: 100, connectionsMax: 1 },
  );
  const client = await at.connect();
  await until(() => at.server.stats().timedOut === 1);
  assert.equal((await left)?.code, "ERR_IDLE_TIMEOUT");
  assert.equal(at.server.stats().active, 0);
  client.close();
});

test("a connection is ended after totalTimeoutMs, whatever it does", async () => {
  await using at = await served(echo, { totalTimeoutMs: 100 });
  const client = await at.connect();
  await assert.rejects(async () => {
    for (;;) await ask(client, "ping");
  });
  await until(() => at.server.stats().timedOut === 1);
  client.close();
});

test("a peer gets all that was sent to it, although what it sent was not received", async () => {
  await using at = await served(async (stream) => {
    await stream.receiveSome(1);
    await stream.sendAll("too much");
  });
  const client = await at.connect();
  await client.sendAll(Buffer.alloc(200_000));
  assert.equal((await client.socket.recv(1, MSG_PEEK)).length, 1);
  await client.sendAll(Buffer.alloc(200_000));
  assert.equal(await readAll(client), "too much");
  await client.closeWrite();
  await until(() => at.server.stats().finished === 1);
  client.close();
});

test("a peer that does not end is waited for, if it had sent what was not received, for lingerTimeoutMs", async () => {
  for (const [lingerTimeoutMs, text] of [
    [Infinity, ""],
    [50, "unread"],
    [0, "unread"],
  ] as const) {
    const sent = gate();
    await using at = await served(() => sent.opened, { lingerTimeoutMs });
    const client = await at.connect();
    await client.sendAll(text);
    sent.open();
    await until(() => at.server.stats().finished === 1);
    client.close();
  }
});

test("what a handler has left to be sent arrives whole, also if the peer ended first or lingerTimeoutMs is 0", async () => {
  const data = pattern(8 << 20); // more than the kernel takes at once
  for (const lingerTimeoutMs of [0, 2000])
    for (const endsFirst of [true, false]) {
      let failed: unknown;
      await using at = await served(
        async (stream) => {
          if (endsFirst) await readAll(stream);
          stream.sendAll(data).catch((error: unknown) => (failed = error));
        },
        { lingerTimeoutMs },
      );
      const client = await at.connect();
      if (endsFirst) await client.closeWrite();
      await until(() => at.server.stats().accepted === 1);
      let received = 0;
      for (;;) {
        const bytes = await client.receiveSome();
        if (bytes.length === 0) break;
        assert.ok(bytes.equals(data.subarray(received, (received += bytes.length))));
      }
      assert.deepEqual([received, failed], [data.length, undefined], `${lingerTimeoutMs} ${endsFirst}`);
      client.close();
    }
});

test("a peer that has ended and does not take what a handler left to be sent is timed out, and told of", async () => {
  let failed: unknown;
  await using at = await served(
    async (stream) => {
      await readAll(stream);
      stream.sendAll(pattern(32 << 20)).catch((error: unknown) => (failed = error));
    },
    { idleTimeoutMs: 50 },
  );
  const client = await at.connect();
  await client.closeWrite();
  await until(() => at.server.stats().timedOut === 1);
  assert.equal((failed as ServerError).code, "ERR_IDLE_TIMEOUT");
  client.close();
});

test("a flood of connections that say nothing does not keep others from being served", async () => {
  await using at = await served(echo, { connectionsMax: 10, idleTimeoutMs: 50 });
  const silent = await Promise.all(Array.from({ length: 60 }, () => at.connect()));
  const client = await at.connect();
  assert.equal(await ask(client, "hello"), "hello");
  assert.ok(at.server.stats().timedOut >= 50);
  for (const each of [...silent, client]) each.close();
});

test("shutdown() refuses new connections, and lets handlers finish, who hear of it", async () => {
  const entered = gate();
  const at = await served(async (stream, { stopping, signal }) => {
    entered.open();
    await once(stopping, "abort");
    assert.equal((stopping.reason as ServerError).code, "ERR_SERVER_STOPPED");
    assert.equal(signal.aborted, false);
    await stream.sendAll("goodbye");
  });
  const client = await at.connect();
  await entered.opened;
  assert.deepEqual(await at.server.shutdown(), { completed: 1, aborted: 0, abandoned: 0 });
  assert.equal(await readAll(client), "goodbye");
  await assert.rejects(at.connect(), { code: "ECONNREFUSED" });
  await at.server.finished;
  assert.deepEqual(await at.server.shutdown(), { completed: 0, aborted: 0, abandoned: 0 });
  client.close();
});

test("a handler that waits with `stopping` as its signal finishes when the server stops", async () => {
  const at = await served(async (stream, { stopping }) => {
    for (;;) await stream.sendAll(await stream.receiveSome(100, { signal: stopping }));
  });
  const client = await at.connect();
  assert.equal(await ask(client, "x"), "x");
  assert.deepEqual(await at.server.shutdown(), { completed: 1, aborted: 0, abandoned: 0 });
  assert.equal(at.server.stats().finished, 1);
  client.close();
});

test("shutdown() ends connections at its deadline, and goes on without handlers that do not mind", async () => {
  const entered = gate();
  const release = gate();
  let count = 0;
  const at = await served(async (stream, connection) => {
    const number = ++count;
    if (number === 3) entered.open();
    if (number === 1) await release.opened;
    else if (number === 2) await serverErrorOf(stream.receiveSome());
    else await once(connection.stopping, "abort");
  });
  const clients = [await at.connect(), await at.connect(), await at.connect()];
  await entered.opened;
  const begun = performance.now();
  const report = await at.server.shutdown({ deadlineMs: 50 });
  assert.ok(performance.now() - begun >= 1000);
  assert.deepEqual(report, { completed: 1, aborted: 1, abandoned: 1 });
  assert.equal(at.server.stats().active, 1);
  release.open();
  await at.server.finished;
  assert.deepEqual([at.server.stats().active, at.server.stats().aborted], [0, 2]);
  for (const client of clients) client.close();
});

test("shutdown({ deadlineMs: 0 }) shortens a shutdown that has begun", async () => {
  const at = await served(echo, { drainTimeoutMs: Infinity });
  const client = await at.connect();
  assert.equal(await ask(client, "x"), "x");
  const patient = at.server.shutdown();
  assert.deepEqual(await at.server.shutdown({ deadlineMs: 0 }), { completed: 0, aborted: 1, abandoned: 0 });
  assert.deepEqual(await patient, { completed: 1, aborted: 0, abandoned: 0 });
  client.close();
});

test("a signal shuts the server down, also one that is aborted already", async () => {
  const controller = new AbortController();
  const at = await served(echo, { signal: controller.signal });
  const client = await at.connect();
  assert.equal(await ask(client, "x"), "x");
  controller.abort();
  await client.closeWrite();
  await at.server.finished;
  const late = await served(echo, { signal: controller.signal });
  await late.server.finished;
  client.close();
});

test("a server whose listener is closed by another hand ends when its handlers have", async () => {
  const listener = await listenTcp("127.0.0.1");
  const [, port] = listener.localAddress as [string, number];
  const server = serve(listener, echo);
  const client = await connectTcp("127.0.0.1", port);
  assert.equal(await ask(client, "x"), "x");
  listener.close();
  await client.closeWrite();
  await server.finished;
  assert.deepEqual(server.stats().finished, 1);
  client.close();
});

/** A listener whose accept() does what it is told. */
function scripted(accept: () => ByteStream | Promise<ByteStream> | undefined): ListenerOf<ByteStream> {
  let canceled: (error: Error) => void = () => undefined;
  const never = new Promise<never>((_, reject) => (canceled = reject));
  never.catch(() => undefined);
  let closed = false;
  return {
    accept: async () => accept() ?? (await never),
    close() {
      closed = true;
      canceled(new SocketError("accept", -ECANCELED));
    },
    get closed() {
      return closed;
    },
    localAddress: undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

test("shutdown() ends a connection that was accepted at the very moment", async () => {
  const [near, far] = memoryPair();
  let give: (stream: ByteStream) => void = () => undefined;
  const streams = [new Promise<ByteStream>((resolve) => (give = resolve))];
  const server = serve(
    scripted(() => streams.shift()),
    echo,
  );
  give(near);
  assert.deepEqual(await server.shutdown({ deadlineMs: 0 }), { completed: 0, aborted: 1, abandoned: 0 });
  assert.equal(near.closed, true);
  await server.finished;
  far.close();
});

test("finished rejects when accept() fails for good", async () => {
  const listener = scripted(() => {
    throw new SocketError("accept", -EINVAL);
  });
  await assert.rejects(serve(listener, echo).finished, { code: "EINVAL", syscall: "accept" });
  assert.equal(listener.closed, true);
});

test("a shortage of descriptors makes accept() wait, and a handler that ends makes it go on at once", async () => {
  await using at = await served(echo);
  const streams = [await at.connect(), await at.connect()];
  let tried = 0;
  const listener = scripted(() => {
    if (++tried === 2) throw new SocketError("accept", -EMFILE);
    return streams.shift();
  });
  const warned = warning("BERKELEY_EMFILE");
  const leave = gate();
  const { backend } = currentEngine();
  const setTimer = backend.setTimer.bind(backend);
  backend.setTimer = () => NEVER; // no pause ends by itself
  const server = serve(
    listener,
    async (_, { id }) => {
      if (id === 1) await leave.opened;
    },
    { idleTimeoutMs: Infinity },
  );
  await warned;
  assert.deepEqual([tried, server.stats().accepted], [2, 1]);
  leave.open();
  await until(() => server.stats().finished === 2);
  backend.setTimer = setTimer;
  await server.shutdown();
});

test("a stream that is served sends large data in order, between what was sent before and after", async () => {
  const large = pattern((3 << 20) + 17);
  await using at = await served(async (stream) => {
    await Promise.all([stream.sendAll("before"), stream.sendAll(large), stream.sendAll("after")]);
    await assert.rejects(stream.sendAll(5 as never), { code: "ERR_INVALID_ARG_TYPE" });
    await assert.rejects(stream.sendAll({ byteLength: 1e9 } as never), { code: "ERR_INVALID_ARG_TYPE" });
  });
  const client = await at.connect();
  const chunks: Buffer[] = [];
  for (let bytes = await client.receiveSome(); bytes.length > 0; bytes = await client.receiveSome())
    chunks.push(bytes);
  assert.deepEqual(
    Buffer.concat(chunks),
    Buffer.concat([Buffer.from("before"), large, Buffer.from("after")]),
  );
  assert.equal(at.server.stats().bytesSent, large.length + 11);
  client.close();
});

test("serve() refuses what it cannot use, and names it", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const refused = (code: string, message: RegExp, ...args: unknown[]): void =>
    assert.throws(() => serve(...(args as Parameters<typeof serve>)), { code, message });
  refused("ERR_INVALID_ARG_TYPE", /^listener /, undefined, echo);
  refused("ERR_INVALID_ARG_TYPE", /^handler /, listener, "echo");
  for (const name of ["idleTimeoutMs", "totalTimeoutMs", "drainTimeoutMs"])
    for (const value of [0, -1, Number.NaN])
      refused("ERR_OUT_OF_RANGE", new RegExp(`^options.${name} `), listener, echo, { [name]: value });
  for (const value of [0, 1.5, Infinity])
    refused("ERR_OUT_OF_RANGE", /^options.connectionsMax /, listener, echo, { connectionsMax: value });
  refused("ERR_INVALID_ARG_TYPE", /^options.onError /, listener, echo, { onError: 1 });
  refused("ERR_INVALID_ARG_TYPE", /^options.signal /, listener, echo, { signal: {} });
  assert.equal(listener.closed, false);
});
