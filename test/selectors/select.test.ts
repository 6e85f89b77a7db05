// select(): what each selector finds ready, and how long it waits.

import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { socket } from "berkeley";
import {
  DefaultSelector,
  EVENT_READ,
  EVENT_WRITE,
  EpollSelector,
  PollSelector,
  SelectSelector,
} from "berkeley/selectors";
import { listenAt } from "../support/berkeley-tcp.ts";
import { Fifo } from "../support/fifo.ts";
import { PYTHON, python } from "../support/python.ts";

const selectors = { EpollSelector, PollSelector, SelectSelector };
const READ_AND_WRITE = EVENT_READ | EVENT_WRITE;

for (const [name, Selector] of Object.entries(selectors)) {
  test(`${name}.select() gives nothing when nothing is registered`, () => {
    using selector = new Selector();
    assert.deepEqual(selector.select(0), []);
    assert.deepEqual(selector.select(-1), []);
    assert.deepEqual(selector.select(0.01), []);
  });

  test(`${name}.select() tells reading and writing apart`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, READ_AND_WRITE);
    assert.deepEqual(selector.select(), [[key, EVENT_WRITE]]);
    fifo.write("x");
    assert.deepEqual(selector.select(), [[key, READ_AND_WRITE]]);
    fifo.fill();
    assert.deepEqual(selector.select(), [[key, EVENT_READ]]);
    fifo.drain();
    assert.deepEqual(selector.select(), [[key, EVENT_WRITE]]);
  });

  test(`${name}.select() is level-triggered: what is not dealt with is ready again`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, EVENT_READ);
    fifo.write("xy");
    for (let time = 0; time < 3; time++) assert.deepEqual(selector.select(0), [[key, EVENT_READ]]);
    fifo.drain();
    assert.deepEqual(selector.select(0), []);
  });

  test(`${name}.select() gives all that are ready, and only those`, () => {
    using selector = new Selector();
    const fifos = Array.from({ length: 20 }, () => new Fifo());
    for (const [index, fifo] of fifos.entries()) {
      selector.register(fifo, EVENT_READ, index);
      if (index % 3 === 0) fifo.write("x");
    }
    const found = selector.select(0).map(([{ data }]) => data as number);
    assert.deepEqual(
      found.toSorted((a, b) => a - b),
      [0, 3, 6, 9, 12, 15, 18],
    );
    for (const fifo of fifos) fifo[Symbol.dispose]();
  });

  test(`${name}.select() waits as long as it was told, and not less`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    for (const seconds of [0.001, 0.02, 0.12]) {
      const begun = performance.now();
      assert.deepEqual(selector.select(seconds), []);
      const took = performance.now() - begun;
      assert.ok(took >= seconds * 1000, `${took} ms of ${seconds * 1000}`);
    }
  });

  test(`${name}.select() refuses a timeout that is no number`, () => {
    using selector = new Selector();
    assert.throws(() => selector.select("1" as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => selector.select(Number.NaN), { code: "ERR_OUT_OF_RANGE" });
  });

  test(`${name}.select() wakes when a CPython peer connects, sends and ends`, {
    skip: PYTHON.skip,
  }, async () => {
    using selector = new Selector<string>();
    using listener = listenAt();
    selector.register(listener.server, EVENT_READ, "listener");
    await using peer = python(
      `
s = create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"hello")
assert s.recv(10) == b"go on"
s.close()
`,
      [listener.port],
    );
    assert.deepEqual(
      selector.select().map(([{ data }, events]) => [data, events]),
      [["listener", EVENT_READ]],
    );
    const conn = await listener.accept();
    const key = selector.register(conn, EVENT_READ, "conn");
    assert.deepEqual(selector.select(), [[key, EVENT_READ]]);
    assert.equal((await conn.recv(100)).toString(), "hello");
    assert.deepEqual(selector.select(0), []);
    await conn.sendall("go on");
    assert.deepEqual(selector.select(), [[key, EVENT_READ]]);
    assert.equal((await conn.recv(100)).length, 0);
    selector.unregister(conn);
    conn.close();
    await peer.succeeded();
  });

  test(`${name}.select() finds a refused connection ready`, async () => {
    using selector = new Selector();
    const gone = listenAt();
    const address = gone.server.getsockname();
    gone[Symbol.dispose]();
    using sock = socket();
    sock.setblocking(false);
    await sock.connect(address).catch(() => undefined);
    selector.register(sock, READ_AND_WRITE);
    assert.deepEqual(
      selector.select().map(([, events]) => events),
      [READ_AND_WRITE],
    );
  });
}

test("EpollSelector.select() gives more than one batch of the kernel's", () => {
  using selector = new EpollSelector<number>();
  using fifo = new Fifo();
  fifo.write("x");
  const descriptors = Array.from({ length: 1300 }, () => openSync(fifo.path, "r+"));
  try {
    for (const fd of descriptors) selector.register(fd, EVENT_READ, fd);
    for (let time = 0; time < 2; time++) {
      const found = selector.select(0).map(([{ data }]) => data);
      assert.deepEqual(
        found.toSorted((a, b) => a - b),
        descriptors.toSorted((a, b) => a - b),
      );
    }
    for (const fd of descriptors.slice(512)) selector.unregister(fd);
    assert.equal(selector.select(0).length, 512);
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
});

test("PollSelector.select() finds a descriptor ready that was closed meanwhile", () => {
  using selector = new PollSelector();
  using fifo = new Fifo();
  selector.register(fifo.fd, READ_AND_WRITE);
  fifo.close();
  assert.deepEqual(
    selector.select().map(([, events]) => events),
    [READ_AND_WRITE],
  );
});

test("SelectSelector.select() says EBADF when a descriptor was closed meanwhile", () => {
  using selector = new SelectSelector();
  using fifo = new Fifo();
  selector.register(fifo.fd, EVENT_READ);
  fifo.close();
  assert.throws(() => selector.select(1), { code: "EBADF", syscall: "select" });
});

test("EpollSelector.select() forgets a descriptor that was closed meanwhile", () => {
  using selector = new EpollSelector();
  using fifo = new Fifo();
  selector.register(fifo.fd, READ_AND_WRITE);
  fifo.close();
  assert.deepEqual(selector.select(0.01), []);
});

test("DefaultSelector keeps the type of its data and objects", () => {
  using selector = new DefaultSelector<(file: Fifo) => string, Fifo>();
  using fifo = new Fifo();
  selector.register(fifo, EVENT_WRITE, (file) => file.path);
  const [[key] = assert.fail("nothing is ready")] = selector.select(0);
  assert.equal(key.data(key.fileobj), fifo.path);
  // @ts-expect-error Data of this type cannot be left out.
  selector.modify(fifo, EVENT_READ);
});
