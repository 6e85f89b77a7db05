// recvmmsg: many datagrams into memory that is used again, over UDP on loopback and Unix sockets. Offload is in
// offload.test.ts, what the system refuses in refused.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  ReceiveBatch,
  SCM_RIGHTS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOL_SOCKET,
  socket,
  socketpair,
} from "berkeley";
import type { InetAddress, UnixAddress } from "berkeley";
import * as sync from "berkeley/sync";
import { openDescriptors } from "../support/descriptors.ts";
import { codeOf } from "../support/errors.ts";
import { folder } from "../support/files.ts";
import { stillWaits, tcpPair } from "../support/pair.ts";
import { deadUdpAddress, udpAt, udpPair, unixPair } from "../support/udp.ts";

const texts = (batch: ReceiveBatch): string[] =>
  Array.from({ length: batch.count }, (_, i) => batch.data(i).toString());

for (const host of ["127.0.0.1", "::1"]) {
  test(`recvmmsg() receives datagrams in order with their senders at ${host}`, async () => {
    using pair = udpPair(host);
    using other = udpAt(host);
    await pair.a.sendto("one", pair.to);
    await other.sendto("two", pair.to);
    await pair.a.sendto("three", pair.to);
    const batch = new ReceiveBatch();
    assert.equal(await pair.b.recvmmsg(batch), 3);
    assert.deepEqual(texts(batch), ["one", "two", "three"]);
    assert.deepEqual(batch.address(0), pair.from);
    assert.deepEqual(batch.address(1), other.getsockname());
    assert.deepEqual(batch.address(2), pair.from);
    assert.deepEqual([batch.length(2), batch.flags(2)], [5, 0]);
  });

  test(`recvmmsg() of berkeley/sync receives datagrams and blocks for the first at ${host}`, () => {
    const family = host.includes(":") ? sync.AF_INET6 : sync.AF_INET;
    using a = sync.socket(family, SOCK_DGRAM);
    using b = sync.socket(family, SOCK_DGRAM);
    for (const end of [a, b]) end.bind([host, 0]);
    const batch = new sync.ReceiveBatch({ messagesMax: 2 });
    b.settimeout(0.01);
    assert.throws(() => b.recvmmsg(batch), { name: "TimeoutError", code: "ETIMEDOUT" });
    for (const text of ["one", "two", "three"]) a.sendto(text, b.getsockname());
    assert.equal(b.recvmmsg(batch), 2);
    assert.deepEqual(texts(batch), ["one", "two"]);
    assert.equal(b.recvmmsg(batch), 1);
    assert.deepEqual(batch.address(0), a.getsockname());
    b.setblocking(false);
    assert.throws(() => b.recvmmsg(batch), { code: "EAGAIN" });
  });
}

test("recvmmsg() that waits resolves when a datagram arrives", async () => {
  using pair = udpPair();
  const batch = new ReceiveBatch();
  const waiting = pair.b.recvmmsg(batch);
  assert.equal(batch.count, 0);
  await pair.a.sendto(Buffer.alloc(1200, "x"), pair.to);
  assert.equal(await waiting, 1);
  assert.ok(batch.data(0).equals(Buffer.alloc(1200, "x")));
});

test("recvmmsg() takes no more messages than the batch has room for; the rest stays for the next call", async () => {
  using pair = udpPair();
  for (let i = 0; i < 10; i++) await pair.a.sendto(`${i}`, pair.to);
  const batch = new ReceiveBatch({ messagesMax: 4 });
  const seen: string[] = [];
  for (const count of [4, 4, 2]) {
    assert.equal(await pair.b.recvmmsg(batch), count);
    seen.push(...texts(batch));
  }
  assert.equal(seen.join(""), "0123456789");
});

test("recvmmsg() delivers empty datagrams, among others and alone", async () => {
  using pair = udpPair();
  for (const text of ["", "x", "", ""]) await pair.a.sendto(text, pair.to);
  const batch = new ReceiveBatch();
  assert.equal(await pair.b.recvmmsg(batch), 4);
  assert.deepEqual(texts(batch), ["", "x", "", ""]);
  assert.deepEqual([batch.length(3), batch.flags(3), batch.address(3)], [0, 0, pair.from]);
});

test("recvmmsg() reports a datagram that is longer than its room, and those around it are whole", async () => {
  using pair = udpPair();
  for (const text of ["1234", "0123456789", "5678"]) await pair.a.sendto(text, pair.to);
  const batch = new ReceiveBatch({ bytesMax: 4 });
  assert.equal(await pair.b.recvmmsg(batch), 3);
  assert.deepEqual(texts(batch), ["1234", "0123", "5678"]);
  assert.deepEqual(
    [0, 1, 2].map((i) => batch.length(i)),
    [4, 10, 4],
  );
  assert.deepEqual(
    [0, 1, 2].map((i) => batch.flags(i)),
    [0, MSG_TRUNC, 0],
  );
});

test("recvmmsg() overwrites what data() gave of the receive before; all else is kept", async () => {
  using pair = udpPair();
  const batch = new ReceiveBatch();
  await pair.a.sendto("first", pair.to);
  await pair.b.recvmmsg(batch);
  const [view, copy, address] = [batch.data(0), Buffer.from(batch.data(0)), batch.address(0)];
  await pair.a.sendto("other", pair.to);
  await pair.b.recvmmsg(batch);
  assert.equal(view.toString(), "other");
  assert.equal(copy.toString(), "first");
  assert.deepEqual(address, pair.from);
  assert.equal(batch.data(0), view); // of the same size: no new object
  assert.ok(view.buffer === batch.memory.buffer && view.byteOffset === batch.offset(0));
});

test("address() makes one frozen tuple of a peer, whatever batch it comes in", async () => {
  using pair = udpPair();
  using other = udpAt();
  const seen: unknown[] = [];
  for (let time = 0; time < 3; time++) {
    await pair.a.sendto("x", pair.to);
    await other.sendto("x", pair.to);
    const batch = new ReceiveBatch();
    assert.equal(await pair.b.recvmmsg(batch), 2);
    seen.push(batch.address(0), batch.address(1));
  }
  assert.equal(new Set(seen).size, 2);
  assert.ok(seen.every((address) => Object.isFrozen(address)));
});

test("recvmmsg() with MSG_PEEK leaves the datagrams there", async () => {
  using pair = udpPair();
  await pair.a.sendto("x", pair.to);
  const batch = new ReceiveBatch({ messagesMax: 1 });
  assert.equal(await pair.b.recvmmsg(batch, MSG_PEEK), 1);
  assert.equal(await pair.b.recvmmsg(batch), 1);
  assert.equal(await codeOf(pair.b.recvmmsg(batch, MSG_DONTWAIT)), "EAGAIN");
});

test("recvmmsg() on a connected socket tells ECONNREFUSED once, and loses no datagram", async () => {
  using a = udpAt();
  const dead = deadUdpAddress();
  using late = socket(AF_INET, SOCK_DGRAM);
  await a.connect(dead);
  const batch = new ReceiveBatch();
  await a.send("to nobody");
  assert.equal(await codeOf(a.recvmmsg(batch)), "ECONNREFUSED");
  late.bind(dead);
  for (const text of ["one", "two"]) await late.sendto(text, a.getsockname());
  assert.equal(await a.recvmmsg(batch), 2);
  assert.deepEqual(texts(batch), ["one", "two"]);
  assert.deepEqual(batch.address(0), dead);
});

test("recvmmsg() whose time is up loses no datagram", async () => {
  using pair = udpPair();
  pair.b.settimeout(0.01);
  const batch = new ReceiveBatch();
  assert.equal(await codeOf(pair.b.recvmmsg(batch)), "ETIMEDOUT");
  await pair.a.sendto("late", pair.to);
  assert.equal(await pair.b.recvmmsg(batch), 1);
  assert.deepEqual(texts(batch), ["late"]);
});

test("recvmmsg() that is aborted loses no datagram, and its batch is free", async () => {
  using pair = udpPair();
  const batch = new ReceiveBatch();
  const controller = new AbortController();
  const waiting = pair.b.recvmmsg(batch, 0, { signal: controller.signal });
  await stillWaits(waiting);
  controller.abort(new Error("enough"));
  await pair.a.sendto("x", pair.to);
  await assert.rejects(waiting, /enough/);
  assert.equal(await pair.b.recvmmsg(batch), 1);
  assert.deepEqual(texts(batch), ["x"]);
});

test("recvmmsg() fails with ECANCELED when the socket is closed meanwhile, and with EBADF afterwards", async () => {
  const end = udpAt();
  const batch = new ReceiveBatch({ gro: true });
  const waiting = end.recvmmsg(batch);
  end.close();
  assert.equal(await codeOf(waiting), "ECANCELED");
  assert.equal(await codeOf(end.recvmmsg(batch)), "EBADF");
});

test("a batch refuses a second call while one waits with it, and shows nothing meanwhile", async () => {
  using pair = udpPair();
  using other = udpPair();
  const batch = new ReceiveBatch();
  await pair.a.sendto("before", pair.to);
  await pair.b.recvmmsg(batch);
  const waiting = pair.b.recvmmsg(batch);
  assert.throws(() => batch.data(0), { code: "ERR_OUT_OF_RANGE" });
  await assert.rejects(other.b.recvmmsg(batch), { name: "TypeError", code: "ERR_INVALID_STATE" });
  await pair.a.sendto("after", pair.to);
  assert.equal(await waiting, 1);
  assert.deepEqual(texts(batch), ["after"]);
});

test("recvmmsg() fails with EFAULT when the batch's memory was given away, and the datagram stays", async () => {
  using pair = udpPair();
  await pair.a.sendto("x", pair.to);
  for (const part of ["memory", "headers", "control"] as const) {
    const batch = new ReceiveBatch();
    const { buffer } = (batch as unknown as Record<string, Uint8Array<ArrayBuffer>>)[
      part
    ] as Uint8Array<ArrayBuffer>;
    structuredClone(buffer, { transfer: [buffer] });
    assert.equal(await codeOf(pair.b.recvmmsg(batch)), "EFAULT", part);
  }
  assert.equal(await pair.b.recvmmsg(new ReceiveBatch()), 1);
});

test("recvmmsg() of a stream is refused: it has no datagrams", async () => {
  using pair = await tcpPair();
  assert.equal(await codeOf(pair.a.recvmmsg(new ReceiveBatch())), "EOPNOTSUPP");
});

test("recvmmsg() and ReceiveBatch refuse what they cannot use, by its name", async () => {
  using end = udpAt();
  const TYPE = "ERR_INVALID_ARG_TYPE";
  const RANGE = "ERR_OUT_OF_RANGE";
  await assert.rejects(end.recvmmsg({} as never), { code: TYPE, message: /^batch must be a ReceiveBatch/ });
  await assert.rejects(end.recvmmsg(new ReceiveBatch(), 0.5), { code: RANGE, message: /^flags/ });
  for (const [options, code, name] of [
    [null, TYPE, /^options must/],
    [{ messagesMax: 0 }, RANGE, /^options\.messagesMax/],
    [{ messagesMax: 1025 }, RANGE, /^options\.messagesMax/],
    [{ messagesMax: "1" }, TYPE, /^options\.messagesMax/],
    [{ bytesMax: 0 }, RANGE, /^options\.bytesMax/],
    [{ bytesMax: 1.5 }, RANGE, /^options\.bytesMax/],
    [{ bytesMax: 2 ** 30, messagesMax: 2 }, RANGE, /^options\.messagesMax × options\.bytesMax/],
    [{ controlBytesMax: -1 }, RANGE, /^options\.controlBytesMax/],
    [{ controlBytesMax: 65_537 }, RANGE, /^options\.controlBytesMax/],
    [{ gro: 1 }, TYPE, /^options\.gro/],
  ] as const)
    assert.throws(() => new ReceiveBatch(options as never), { code, message: name });
});

test("the accessors of a ReceiveBatch refuse an index that is none, by its name", async () => {
  using pair = udpPair();
  await pair.a.sendto("x", pair.to);
  const batch = new ReceiveBatch();
  const bytes = ["data", "offset", "length", "flags", "address"];
  const accessors = [
    ...bytes,
    "destination",
    "hopLimit",
    "trafficClass",
    "ecn",
    "timestamp",
    "dropped",
    "ancillary",
  ];
  const every = batch as unknown as Record<string, (i: unknown) => unknown>;
  for (const name of accessors) assert.throws(() => every[name]?.(0), { code: "ERR_OUT_OF_RANGE" }, name);
  await pair.b.recvmmsg(batch);
  for (const name of accessors)
    for (const i of [1, -1, 0.5, NaN, Infinity, "x", undefined, {}])
      assert.throws(() => every[name]?.(i), { code: "ERR_OUT_OF_RANGE", message: /^i must be/ }, name);
});

test("recvmmsg() receives Unix datagrams with their senders' names, those that have none too", async () => {
  using files = folder();
  const path = files.path("receiver");
  using receiver = socket(AF_UNIX, SOCK_DGRAM);
  using named = socket(AF_UNIX, SOCK_DGRAM);
  using abstract = socket(AF_UNIX, SOCK_DGRAM);
  using nameless = socket(AF_UNIX, SOCK_DGRAM);
  receiver.bind(path);
  named.bind(files.path("sender-with-an-odd-name"));
  abstract.bind("");
  const batch = new ReceiveBatch();
  for (let time = 0; time < 2; time++) {
    for (const from of [named, abstract, nameless]) await from.sendto("hello", path);
    assert.equal(await receiver.recvmmsg(batch), 3);
    assert.deepEqual(texts(batch), ["hello", "hello", "hello"]);
    assert.equal(batch.address<UnixAddress>(0), files.path("sender-with-an-odd-name"));
    assert.deepEqual(batch.address<UnixAddress>(1), abstract.getsockname<UnixAddress>());
    assert.equal(batch.address<UnixAddress>(2), "");
  }
});

test("recvmmsg() closes descriptors that come with messages, and says MSG_CTRUNC", async () => {
  using pair = unixPair();
  const { a, b } = pair;
  const before = openDescriptors();
  const rights = [SOL_SOCKET, SCM_RIGHTS, Int32Array.of(a.fileno(), b.fileno())] as const;
  await a.sendmsg(["with"], [rights]);
  await a.sendmsg(["without"]);
  const batch = new ReceiveBatch();
  assert.equal(await b.recvmmsg(batch), 2);
  assert.deepEqual(texts(batch), ["with", "without"]);
  assert.deepEqual([batch.flags(0), batch.flags(1)], [MSG_CTRUNC, 0]);
  assert.deepEqual(openDescriptors(), before);
  assert.equal(batch.ancillary(0)[0]?.[1], SCM_RIGHTS);
});

test("recvmmsg() receives Unix datagrams longer than any of UDP, and reports those for which there is no room", async () => {
  using pair = unixPair();
  const { a, b } = pair;
  const long = Buffer.alloc(100_000, "u");
  await a.send(long);
  await a.send(long);
  const cut = new ReceiveBatch({ messagesMax: 1 });
  assert.equal(await b.recvmmsg(cut), 1);
  assert.deepEqual([cut.length(0), cut.data(0).length, cut.flags(0)], [100_000, 2048, MSG_TRUNC]);
  const batch = new ReceiveBatch({ messagesMax: 2, bytesMax: 200_000 });
  assert.equal(await b.recvmmsg(batch), 1);
  assert.ok(batch.data(0).equals(long));
});

test("recvmmsg() keeps the messages of SOCK_SEQPACKET apart; when the peer has ended, all are empty as recv(2) says", async () => {
  const [a, b] = socketpair(AF_UNIX, SOCK_SEQPACKET);
  const batch = new ReceiveBatch({ messagesMax: 4 });
  for (const text of ["one", "two"]) await a.send(text);
  assert.equal(await b.recvmmsg(batch), 2);
  assert.deepEqual(texts(batch), ["one", "two"]);
  await a.send("last");
  a.close();
  assert.equal(await b.recvmmsg(batch), 4);
  assert.deepEqual(texts(batch), ["last", "", "", ""]);
  b.close();
});

test("a batch goes from one socket to another", async () => {
  using four = udpPair();
  using six = udpPair("::1");
  const batch = new ReceiveBatch();
  for (const { a, b, to, from } of [four, six, four]) {
    await a.sendto("x", to);
    assert.equal(await b.recvmmsg(batch), 1);
    assert.deepEqual(batch.address<InetAddress>(0), from);
  }
});
