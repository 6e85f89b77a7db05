// select_async(), readable() and writable(): waiting while the event loop goes on.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket as NodeSocket } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import {
  EVENT_READ,
  EVENT_WRITE,
  EpollSelector,
  PollSelector,
  SelectSelector,
  readable,
  writable,
} from "berkeley/selectors";
import type { BaseSelector, Ready } from "berkeley/selectors";
import { listenAt } from "../support/berkeley-tcp.ts";
import { Fifo } from "../support/fifo.ts";
import { PYTHON, python } from "../support/python.ts";

const selectors = { EpollSelector, PollSelector, SelectSelector };

/** Whether a promise is still waiting after the event loop has gone round twice. */
async function waits(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await turn();
  await turn();
  return !settled;
}

/** The descriptor of a socket or pipe of Node's, which has no public name. */
const descriptorOf = (stream: object): number =>
  (Reflect.get(stream, "_handle") as { readonly fd: number }).fd;

const data = (ready: readonly Ready[]): unknown[] => ready.map(([key]) => key.data);

for (const [name, Selector] of Object.entries(selectors)) {
  test(`${name}.select_async() resolves at once with what is ready`, async () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, EVENT_READ | EVENT_WRITE);
    assert.deepEqual(await selector.select_async(), [[key, EVENT_WRITE]]);
    fifo.write("x");
    assert.deepEqual(await selector.select_async(0), [[key, EVENT_READ | EVENT_WRITE]]);
  });

  test(`${name}.select_async() resolves when something becomes ready, each time`, async () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, EVENT_READ);
    for (let time = 0; time < 20; time++) {
      const waiting = selector.select_async();
      if (time % 2 === 0) assert.ok(await waits(waiting));
      fifo.write("x");
      assert.deepEqual(await waiting, [[key, EVENT_READ]]);
      assert.deepEqual(await selector.select_async(), [[key, EVENT_READ]], "level-triggered");
      fifo.drain();
      assert.deepEqual(await selector.select_async(0), []);
    }
  });

  test(`${name}.select_async() sees what is registered, changed and unregistered while it waits`, async () => {
    using selector = new Selector();
    using first = new Fifo();
    using second = new Fifo();
    selector.register(first, EVENT_READ, "first");
    const one = selector.select_async();
    assert.ok(await waits(one));
    selector.register(second, EVENT_WRITE, "second");
    assert.deepEqual(data(await one), ["second"]);
    selector.modify(second, EVENT_READ, "second");
    const two = selector.select_async();
    assert.ok(await waits(two));
    selector.modify(second, EVENT_WRITE, "changed");
    assert.deepEqual(data(await two), ["changed"]);
    selector.unregister(second);
    const three = selector.select_async();
    assert.ok(await waits(three));
    selector.unregister(first);
    first.write("x");
    assert.ok(await waits(three));
    selector.register(first, EVENT_READ, "again");
    assert.deepEqual(data(await three), ["again"]);
  });

  test(`${name}.select_async() resolves with nothing when the time is up, and not before`, async () => {
    using selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    assert.deepEqual(await selector.select_async(0), []);
    assert.deepEqual(await selector.select_async(-1), []);
    const begun = performance.now();
    assert.deepEqual(await selector.select_async(0.03), []);
    assert.ok(performance.now() - begun >= 29, "timers of Node round to the millisecond");
    fifo.write("x");
    assert.equal((await selector.select_async(0.03)).length, 1);
  });

  test(`${name}.select_async() rejects with the signal's reason, and loses nothing`, async () => {
    using selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    const reason = new Error("enough");
    await assert.rejects(selector.select_async(null, { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = selector.select_async(null, { signal: controller.signal });
    assert.ok(await waits(waiting));
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(selector.select_async(null, { signal: {} as AbortSignal }), {
      code: "ERR_INVALID_ARG_TYPE",
    });
    const next = selector.select_async();
    fifo.write("x");
    assert.equal((await next).length, 1);
  });

  test(`${name}.close() fails what waits in select_async() with ECANCELED`, async () => {
    const selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    const waiting = [selector.select_async(), selector.select_async(60)];
    assert.ok(await waits(Promise.race(waiting)));
    selector.close();
    for (const one of waiting) await assert.rejects(one, { name: "SocketError", code: "ECANCELED" });
    await assert.rejects(selector.select_async(), { code: "ERR_SELECTOR_CLOSED" });
  });

  test(`${name}.select_async() serves a CPython client beside the event loop`, {
    skip: PYTHON.skip,
  }, async () => {
    using selector: BaseSelector<string> = new Selector<string>();
    using listener = listenAt();
    selector.register(listener.server, EVENT_READ, "listener");
    await using client = python(
      `
with create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    for n in range(50):
        s.sendall(b"%d" % n)
        assert s.recv(100) == b"%d" % n
    s.shutdown(SHUT_WR)
    assert s.recv(1) == b""
`,
      [listener.port],
    );
    for (let open = true; open; )
      for (const [key] of await selector.select_async()) {
        if (key.data === "listener") {
          const conn = await listener.accept();
          selector.register(conn, EVENT_READ, "conn");
          continue;
        }
        const conn = key.fileobj as Awaited<ReturnType<typeof listener.accept>>;
        const received = await conn.recv(100);
        if (received.length > 0) await conn.sendall(received);
        else {
          selector.unregister(conn);
          conn.close();
          open = false;
        }
      }
    await client.succeeded();
  });
}

test("readable() resolves when a pipe has data, at once or later", async () => {
  using fifo = new Fifo();
  fifo.write("x");
  await readable(fifo);
  await readable(fifo.fd);
  fifo.drain();
  for (let time = 0; time < 20; time++) {
    const waiting = readable(fifo);
    if (time % 2 === 0) assert.ok(await waits(waiting));
    fifo.write("x");
    await waiting;
    fifo.drain();
  }
});

test("writable() resolves when a pipe has room, at once or later", async () => {
  using fifo = new Fifo();
  await writable(fifo);
  fifo.fill();
  const waiting = writable(fifo);
  assert.ok(await waits(waiting));
  fifo.drain();
  await waiting;
});

test("readable() resolves when the writer of a pipe has gone", async () => {
  const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
  const fd = descriptorOf(child.stdin);
  const waiting = readable(fd);
  child.kill("SIGKILL");
  await waiting;
  await once(child, "exit");
});

test("readable() and writable() of one descriptor wait side by side, with any number of waiters", async () => {
  using fifo = new Fifo();
  fifo.fill();
  const writers = [writable(fifo), writable(fifo)];
  assert.ok(await waits(Promise.race(writers)));
  fifo.drain();
  await Promise.all(writers);
  const readers = [readable(fifo), readable(fifo), readable(fifo)];
  assert.ok(await waits(Promise.race(readers)));
  fifo.write("x");
  await Promise.all(readers);
});

test("readable() rejects with the signal's reason, and holds no descriptor afterwards", async () => {
  using fifo = new Fifo();
  await readable({ fileno: () => fifo.fd }, { signal: AbortSignal.timeout(1) }).catch(() => undefined);
  const before = readdirSync("/proc/self/fd").length;
  const reason = new Error("enough");
  const controller = new AbortController();
  const waiting = Array.from({ length: 30 }, () => readable(fifo, { signal: controller.signal }));
  assert.ok(await waits(Promise.race(waiting)));
  controller.abort(reason);
  for (const one of waiting) await assert.rejects(one, reason);
  assert.equal(readdirSync("/proc/self/fd").length, before);
  await assert.rejects(readable(fifo, { signal: AbortSignal.abort(reason) }), reason);
});

test("readable() and writable() say EPERM of a regular file", async () => {
  const fd = openSync("/etc/passwd", "r");
  try {
    await assert.rejects(readable(fd), { code: "EPERM", message: /regular file/ });
    await assert.rejects(writable(fd), { code: "EPERM" });
  } finally {
    closeSync(fd);
  }
});

test("readable() refuses what is no open descriptor", async () => {
  await assert.rejects(readable(999_999), { code: "EBADF" });
  await assert.rejects(readable(-1), { code: "ERR_OUT_OF_RANGE" });
  await assert.rejects(readable("0" as never), { code: "ERR_INVALID_ARG_TYPE" });
});

test("readable() watches a Socket that itself waits in recv()", async () => {
  using listener = listenAt();
  const client = connect(listener.port, "127.0.0.1");
  using conn = await listener.accept();
  const received = conn.recv(10);
  const ready = readable(conn);
  assert.ok(await waits(Promise.race([received, ready])));
  client.write("hello");
  assert.equal((await received).toString(), "hello");
  client.write("again");
  await Promise.race([ready, readable(conn)]);
  assert.equal((await conn.recv(10)).toString(), "again");
  client.destroy();
  await readable(conn);
  assert.equal((await conn.recv(10)).length, 0);
  await ready;
});

test("readable() watches the descriptor of a paused net.Socket without disturbing it", async () => {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[NodeSocket]>;
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [conn] = await accepted;
  const fd = descriptorOf(conn);
  const ready = readable(fd);
  assert.ok(await waits(ready));
  client.write("hello");
  await ready;
  const received = once(conn, "data");
  conn.resume();
  assert.equal(String((await received)[0]), "hello");
  client.destroy();
  conn.destroy();
  server.close();
});
