// register, unregister, modify, get_key, get_map, close: what each selector keeps, and what it refuses.

import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { socket } from "berkeley";
import type { Socket } from "berkeley";
import {
  BaseSelector,
  DefaultSelector,
  EVENT_READ,
  EVENT_WRITE,
  EpollSelector,
  KqueueSelector,
  PollSelector,
  SelectSelector,
  SelectorError,
  SocketError,
} from "berkeley/selectors";
import { Fifo } from "../support/fifo.ts";

const selectors = { EpollSelector, PollSelector, SelectSelector };

test("DefaultSelector is EpollSelector on Linux", { skip: process.platform !== "linux" }, () => {
  assert.equal(DefaultSelector, EpollSelector);
});

test("KqueueSelector says that Linux has no kqueue", { skip: process.platform !== "linux" }, () => {
  assert.throws(() => new KqueueSelector(), {
    code: "ERR_UNSUPPORTED_PLATFORM",
    message: /linux has no kqueue/,
  });
});

for (const [name, Selector] of Object.entries(selectors)) {
  test(`${name}.register() returns the key with object, descriptor, events and data`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, EVENT_READ, "mine");
    assert.deepEqual({ ...key }, { fileobj: fifo, fd: fifo.fd, events: EVENT_READ, data: "mine" });
    assert.ok(selector instanceof BaseSelector);
  });

  test(`${name}.register() takes a descriptor's number, and null for data that is left out`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo.fd, EVENT_READ | EVENT_WRITE);
    assert.deepEqual({ ...key }, { fileobj: fifo.fd, fd: fifo.fd, events: 3, data: null });
  });

  for (const events of [0, 4, 7, -1, 1.5, Number.NaN])
    test(`${name}.register() and modify() refuse the events ${events}`, () => {
      using selector = new Selector();
      using fifo = new Fifo();
      assert.throws(() => selector.register(fifo, events), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
      selector.register(fifo, EVENT_READ);
      assert.throws(() => selector.modify(fifo, events), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
      assert.equal(selector.get_key(fifo).events, EVENT_READ);
    });

  test(`${name}.register() refuses what has no open descriptor`, () => {
    using selector = new Selector();
    const closed = socket();
    closed.close();
    for (const fileobj of [-1, 1.5, 2 ** 31, { fileno: () => -1 }, closed])
      assert.throws(() => selector.register(fileobj, EVENT_READ), {
        name: "RangeError",
        code: "ERR_OUT_OF_RANGE",
      });
    for (const fileobj of ["1", null, undefined, {}, { fileno: 1 }, { fileno: () => "1" }])
      assert.throws(() => selector.register(fileobj as never, EVENT_READ), {
        name: "TypeError",
        code: "ERR_INVALID_ARG_TYPE",
      });
    assert.equal(selector.get_map()?.size, 0);
  });

  test(`${name}.register() refuses a descriptor that is registered, by whatever object`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    for (const fileobj of [fifo, fifo.fd, { fileno: () => fifo.fd }])
      assert.throws(
        () => selector.register(fileobj, EVENT_READ),
        (error: SelectorError) => {
          assert.ok(error instanceof SelectorError);
          assert.equal(error.code, "ERR_ALREADY_REGISTERED");
          return true;
        },
      );
  });

  test(`${name}.unregister() returns the key, and the object can be registered again`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, EVENT_READ, 1);
    assert.equal(selector.unregister(fifo), key);
    assert.throws(() => selector.unregister(fifo), { code: "ERR_NOT_REGISTERED" });
    selector.register(fifo, EVENT_WRITE, 2);
    assert.deepEqual(
      selector.select(0).map(([{ data }, events]) => [data, events]),
      [[2, EVENT_WRITE]],
    );
  });

  test(`${name}.unregister() takes an object that was closed meanwhile`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const sock: Socket = socket();
    const { fd } = selector.register(sock, EVENT_READ);
    selector.register(fifo, EVENT_READ);
    sock.close();
    fifo.close();
    assert.equal(selector.unregister(sock).fd, fd);
    selector.unregister(fifo);
    assert.equal(selector.get_map()?.size, 0);
  });

  test(`${name}.unregister() after a close does not touch who has the number now`, () => {
    using selector = new Selector();
    using second = new Fifo();
    const first = new Fifo();
    const { fd } = first;
    selector.register(fd, EVENT_READ);
    first[Symbol.dispose]();
    using third = new Fifo();
    assert.equal(third.fd, fd, "the number is taken again");
    selector.unregister(fd);
    selector.register(third, EVENT_READ, "third");
    third.write("x");
    assert.deepEqual(
      selector.select(0).map(([{ data }]) => data),
      ["third"],
    );
    second.close();
  });

  test(`${name}.modify() changes the events`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    assert.deepEqual(selector.select(0), []);
    const key = selector.modify(fifo, EVENT_WRITE, "w");
    assert.deepEqual({ ...key }, { fileobj: fifo, fd: fifo.fd, events: EVENT_WRITE, data: "w" });
    assert.equal(selector.get_key(fifo), key);
    assert.deepEqual(selector.select(0), [[key, EVENT_WRITE]]);
  });

  test(`${name}.modify() changes the data alone`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_WRITE, 1);
    selector.modify(fifo, EVENT_WRITE, 2);
    assert.equal(selector.get_key(fifo).data, 2);
    selector.modify(fifo, EVENT_WRITE);
    assert.equal(selector.get_key(fifo).data, null);
    assert.deepEqual(
      selector.select(0).map(([{ data }]) => data),
      [null],
    );
  });

  test(`${name}.modify() refuses what is not registered`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    assert.throws(() => selector.modify(fifo, EVENT_READ), { code: "ERR_NOT_REGISTERED" });
  });

  test(`${name}.get_key() finds by object and by number, and refuses what is not registered`, () => {
    using selector = new Selector();
    using fifo = new Fifo();
    const key = selector.register(fifo, EVENT_READ, {});
    assert.equal(selector.get_key(fifo), key);
    assert.equal(selector.get_key(fifo.fd), key);
    assert.throws(() => selector.get_key(999_999), { name: "SelectorError", code: "ERR_NOT_REGISTERED" });
  });

  test(`${name}.get_map() has all registrations, always current`, () => {
    using selector = new Selector();
    using first = new Fifo();
    using second = new Fifo();
    const map = selector.get_map();
    assert.ok(map !== null);
    assert.equal(map.size, 0);
    const one = selector.register(first, EVENT_READ, "one");
    const two = selector.register(second, EVENT_READ, "two");
    assert.equal(map.size, 2);
    assert.equal(map.get(first), one);
    assert.equal(map.get(second.fd), two);
    assert.equal(map.get(999_999), undefined);
    assert.ok(map.has(first) && !map.has(999_999));
    assert.deepEqual([...map.keys()], [first, second]);
    assert.deepEqual([...map.values()], [one, two]);
    assert.deepEqual([...map], [...map.entries()]);
    assert.deepEqual(
      [...map],
      [
        [first, one],
        [second, two],
      ],
    );
    selector.unregister(first);
    assert.deepEqual([...map.keys()], [second]);
  });

  test(`${name}.close() ends it, leaves open what was registered, and may be repeated`, () => {
    const selector = new Selector();
    using fifo = new Fifo();
    selector.register(fifo, EVENT_READ);
    const map = selector.get_map();
    selector.close();
    selector.close();
    assert.equal(selector.get_map(), null);
    assert.equal(map?.size, 0);
    assert.equal(map?.get(fifo), undefined);
    for (const call of [
      () => selector.get_key(fifo),
      () => selector.register(fifo, EVENT_READ),
      () => selector.modify(fifo, EVENT_READ),
      () => selector.select(0),
    ])
      assert.throws(call, { code: "ERR_SELECTOR_CLOSED" });
    assert.throws(() => selector.unregister(fifo), { code: "ERR_NOT_REGISTERED" });
    fifo.write("still open");
    assert.equal(fifo.drain(), "still open");
  });

  test(`${name} is closed by using`, () => {
    const kept = ((): InstanceType<typeof Selector> => {
      using selector = new Selector();
      return selector;
    })();
    assert.equal(kept.get_map(), null);
  });
}

test("EpollSelector.fileno() is its epoll descriptor, until close()", () => {
  const selector = new EpollSelector();
  using fifo = new Fifo();
  using outer = new EpollSelector();
  selector.register(fifo, EVENT_READ);
  outer.register(selector, EVENT_READ, "inner");
  assert.deepEqual(outer.select(0), []);
  fifo.write("x");
  assert.deepEqual(
    outer.select(0).map(([{ data }]) => data),
    ["inner"],
  );
  selector.close();
  assert.throws(() => selector.fileno(), { code: "ERR_SELECTOR_CLOSED" });
});

test("EpollSelector.register() says EPERM of a regular file, and does not keep it", () => {
  using selector = new EpollSelector();
  const fd = openSync("/etc/passwd", "r");
  try {
    assert.throws(
      () => selector.register(fd, EVENT_READ),
      (error: SocketError) => {
        assert.ok(error instanceof SocketError);
        assert.equal(error.code, "EPERM");
        assert.match(error.message, /^epoll_ctl EPERM: .*regular file/);
        return true;
      },
    );
    assert.throws(() => selector.get_key(fd), { code: "ERR_NOT_REGISTERED" });
  } finally {
    closeSync(fd);
  }
});

for (const [name, Selector] of Object.entries({ PollSelector, SelectSelector }))
  test(`${name} finds a regular file always ready`, () => {
    using selector = new Selector();
    const fd = openSync("/etc/passwd", "r");
    try {
      selector.register(fd, EVENT_READ | EVENT_WRITE);
      assert.deepEqual(
        selector.select(null).map(([, events]) => events),
        [EVENT_READ | EVENT_WRITE],
      );
    } finally {
      closeSync(fd);
    }
  });

test("EpollSelector.register() says EBADF of a number that is not open", () => {
  using selector = new EpollSelector();
  assert.throws(() => selector.register(999_999, EVENT_READ), { code: "EBADF", syscall: "epoll_ctl" });
});

test("EpollSelector.modify() of a descriptor that was closed meanwhile fails, and forgets it", () => {
  using selector = new EpollSelector();
  using fifo = new Fifo();
  const { fd } = fifo;
  selector.register(fd, EVENT_READ);
  fifo.close();
  assert.throws(() => selector.modify(fd, EVENT_WRITE), { name: "SocketError" });
  assert.throws(() => selector.get_key(fd), { code: "ERR_NOT_REGISTERED" });
});

test("SelectSelector.register() refuses a descriptor that select(2) has no room for", () => {
  using selector = new SelectSelector();
  assert.throws(() => selector.register(1024, EVENT_READ), {
    code: "ERR_OUT_OF_RANGE",
    message: /below 1024/,
  });
  assert.equal(selector.get_map()?.size, 0);
});
