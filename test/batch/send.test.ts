// sendmmsg: a queue of datagrams, sent in order and, after an error, from where it stopped. Offload is in
// offload.test.ts, what the system refuses in refused.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET6,
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_ZEROCOPY,
  ReceiveBatch,
  SCM_RIGHTS,
  SOCK_DGRAM,
  SOL_SOCKET,
  SendBatch,
  SocketError,
  socket,
} from "berkeley";
import type { Address } from "berkeley";
import * as sync from "berkeley/sync";
import { watchCalls } from "../support/calls.ts";
import { codeOf } from "../support/errors.ts";
import { folder } from "../support/files.ts";
import { rejection, stillWaits, tcpPair } from "../support/pair.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { deadUdpAddress, udpAt, udpPair, unixPair } from "../support/udp.ts";

/** Every datagram that waits on a socket, in order. */
async function drain(
  sock: Parameters<typeof watchCalls>[0] & { recv(size: number, flags: number): unknown },
): Promise<string[]> {
  const seen: string[] = [];
  for (;;)
    try {
      seen.push(String(await sock.recv(65_536, MSG_DONTWAIT)));
    } catch (error) {
      assert.equal((error as SocketError).code, "EAGAIN");
      return seen;
    }
}

for (const host of ["127.0.0.1", "::1"]) {
  test(`sendmmsg() sends datagrams in order, each to its address, at ${host}`, async () => {
    using pair = udpPair(host);
    using other = udpAt(host);
    const batch = new SendBatch({ family: pair.a.family });
    const [to, there] = [pair.to, other.getsockname()];
    for (const [data, address] of [
      ["one", to],
      ["two", there],
      ["", to],
      ["drei", to],
      [Buffer.from("vier"), there],
    ] as const)
      batch.add(data, address);
    assert.equal(batch.count, 5);
    assert.equal(await pair.a.sendmmsg(batch), 5);
    assert.equal(batch.count, 0);
    assert.deepEqual(await drain(pair.b), ["one", "", "drei"]);
    assert.deepEqual(await drain(other), ["two", "vier"]);
  });
}

test("sendmmsg() makes one call for many datagrams of different sizes", async () => {
  using pair = udpPair();
  const batch = new SendBatch();
  for (let i = 1; i <= 60; i++) batch.add(Buffer.alloc(i), pair.to);
  using watch = watchCalls(pair.a, ["sendmmsg", "sendmsg"]);
  assert.equal(await pair.a.sendmmsg(batch), 60);
  assert.deepEqual(watch.made, [["sendmmsg", 60]]);
});

test("sendmmsg() sends more datagrams than one call takes, in as many calls as it needs", async () => {
  using pair = unixPair();
  const { a, b } = pair;
  const batch = new SendBatch({ family: AF_UNIX, datagramsMax: 3000 });
  for (let i = 0; i < 3000; i++) batch.add(`${i}`);
  const sending = a.sendmmsg(batch); // the peer's queue is shorter: it waits
  await stillWaits(sending);
  for (let i = 0; i < 3000; i++) assert.equal((await b.recv(16)).toString(), `${i}`);
  assert.equal(await sending, 3000);
});

test("sendmmsg() of an empty batch sends nothing", async () => {
  using pair = udpPair();
  assert.equal(await pair.a.sendmmsg(new SendBatch()), 0);
  pair.a.close();
  assert.equal(await codeOf(pair.a.sendmmsg(new SendBatch())), "EBADF");
});

test("sendmmsg() to the peer of a connected socket needs no address", async () => {
  using pair = udpPair();
  await pair.a.connect(pair.to);
  const batch = new SendBatch();
  batch.add("one");
  batch.add("two", null);
  assert.equal(await pair.a.sendmmsg(batch), 2);
  assert.deepEqual(await drain(pair.b), ["one", "two"]);
});

test("sendmmsg() of berkeley/sync sends, and blocks while there is no room", () => {
  const [a, b] = sync.socketpair(AF_UNIX, SOCK_DGRAM);
  a.settimeout(0.01);
  const batch = new sync.SendBatch({ family: AF_UNIX });
  for (let i = 0; i < 1000; i++) batch.add(`${i}`);
  let sent = 0;
  try {
    a.sendmmsg(batch);
    assert.fail("all fitted");
  } catch (error) {
    assert.ok(error instanceof sync.TimeoutError);
    sent = error.datagramsSent as number;
    assert.match(error.message, new RegExp(`^sendmmsg ETIMEDOUT: .*, after ${sent} datagrams were sent`));
  }
  assert.ok(sent > 0 && sent < 1000);
  assert.equal(batch.count, 1000 - sent);
  for (let i = 0; i < sent; i++) assert.equal(b.recv(16).toString(), `${i}`);
  batch.drop(batch.count - 1);
  assert.equal(a.sendmmsg(batch), 1);
  assert.equal(b.recv(16).toString(), "999");
  a.close();
  b.close();
});

test("sendmmsg() stops at a datagram that is too long, tells which, and goes on from there", async () => {
  using pair = udpPair();
  const batch = new SendBatch();
  batch.add("one", pair.to);
  batch.add("two", pair.to);
  batch.add(Buffer.alloc(65_508), pair.to);
  batch.add("three", pair.to);
  for (const before of [2, 0]) {
    const error = await rejection(pair.a.sendmmsg(batch));
    assert.deepEqual([error.code, error.datagramsSent, error.remote], ["EMSGSIZE", before, pair.to]);
    assert.match(error.message, new RegExp(`after ${before} datagrams were sent`));
    assert.equal(batch.count, 2);
  }
  assert.deepEqual(await drain(pair.b), ["one", "two"]);
  assert.equal(batch.drop(), 1);
  assert.equal(await pair.a.sendmmsg(batch), 1);
  assert.deepEqual(await drain(pair.b), ["three"]);
});

test("sendmmsg() tells ECONNREFUSED of an earlier datagram, and what was not sent stays", async () => {
  using a = udpAt();
  await a.connect(deadUdpAddress());
  await a.send("to nobody");
  const batch = new SendBatch();
  batch.add("kept");
  const error = await rejection(a.sendmmsg(batch));
  assert.deepEqual([error.code, error.datagramsSent], ["ECONNREFUSED", 0]);
  assert.equal(batch.count, 1);
  assert.equal(await a.sendmmsg(batch), 1);
});

test("sendmmsg() that is aborted keeps what was not sent, and sends nothing twice", async () => {
  using pair = unixPair();
  const { a, b } = pair;
  const batch = new SendBatch({ family: AF_UNIX });
  for (let i = 0; i < 1000; i++) batch.add(`${i}`);
  const controller = new AbortController();
  const waiting = a.sendmmsg(batch, 0, { signal: controller.signal });
  await stillWaits(waiting);
  assert.throws(() => batch.add("more"), { name: "TypeError", code: "ERR_INVALID_STATE" });
  assert.throws(() => batch.clear(), { code: "ERR_INVALID_STATE" });
  assert.throws(() => batch.drop(), { code: "ERR_INVALID_STATE" });
  await assert.rejects(a.sendmmsg(batch), { code: "ERR_INVALID_STATE" });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  const sent = await drain(b);
  assert.equal(sent.length + batch.count, 1000);
  batch.add("more");
  const rest = a.sendmmsg(batch);
  for (let i = sent.length; i < 1000; i++) assert.equal((await b.recv(16)).toString(), `${i}`);
  assert.equal((await b.recv(16)).toString(), "more");
  assert.equal(await rest, 1001 - sent.length);
});

test("sendmmsg() fails with ECANCELED when the socket is closed meanwhile, and says how many went", async () => {
  using pair = unixPair();
  const { a } = pair;
  const batch = new SendBatch({ family: AF_UNIX });
  for (let i = 0; i < 1000; i++) batch.add(`${i}`);
  const waiting = a.sendmmsg(batch);
  a.close();
  const error = await rejection(waiting);
  assert.equal(error.code, "ECANCELED");
  assert.equal((error.datagramsSent as number) + batch.count, 1000);
});

test("sendmmsg() in non-blocking mode fails with EAGAIN, and says how many went", async () => {
  using pair = unixPair();
  const { a, b } = pair;
  a.setblocking(false);
  const batch = new SendBatch({ family: AF_UNIX });
  for (let i = 0; i < 1000; i++) batch.add(`${i}`);
  const error = await rejection(a.sendmmsg(batch));
  assert.equal(error.code, "EAGAIN");
  assert.equal((error.datagramsSent as number) + batch.count, 1000);
  assert.equal((await drain(b)).length, error.datagramsSent);
});

test("sendmmsg() to a Unix socket whose queue is full goes on when there is room, connected or not", async () => {
  using files = folder();
  using receiver = socket(AF_UNIX, SOCK_DGRAM);
  using sender = socket(AF_UNIX, SOCK_DGRAM);
  receiver.bind(files.path("receiver"));
  const batch = new SendBatch({ family: AF_UNIX });
  for (let i = 0; i < 100; i++) batch.add(`${i}`, files.path("receiver"));
  const sending = sender.sendmmsg(batch);
  await stillWaits(sending);
  const received = new ReceiveBatch({ messagesMax: 7 });
  const seen: string[] = [];
  while (seen.length < 100) {
    const count = await receiver.recvmmsg(received);
    for (let i = 0; i < count; i++) seen.push(received.data(i).toString());
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, i) => `${i}`),
  );
  assert.equal(await sending, 100);
});

test("a datagram of a batch carries descriptors", async () => {
  using pair = unixPair();
  const { a, b } = pair;
  const batch = new SendBatch({ family: AF_UNIX });
  batch.add("with", null, { ancdata: [[SOL_SOCKET, SCM_RIGHTS, Int32Array.of(a.fileno())]] });
  await a.sendmmsg(batch);
  const [data, ancdata] = await b.recvmsg(16, 64);
  assert.equal(data.toString(), "with");
  const fd = ancdata[0]?.[2].readInt32LE() as number;
  using copy = socket(AF_UNIX, SOCK_DGRAM, 0, { fileno: fd });
  await copy.send("by the copy");
  assert.equal((await b.recv(16)).toString(), "by the copy");
});

test("add() copies what it is given: memory and tuple are the caller's again", async () => {
  using pair = udpPair();
  const data = Buffer.from("first");
  const to: [string, number] = [...(pair.to as readonly [string, number])];
  const batch = new SendBatch();
  batch.add(data, to);
  data.write("other");
  to[1] = (deadUdpAddress() as readonly [string, number])[1];
  batch.add(data, to);
  to[1] = pair.to[1];
  batch.add(data, to);
  await pair.a.sendmmsg(batch);
  assert.deepEqual(await drain(pair.b), ["first", "other"]);
});

test("add() refuses what there is no room for, as hasRoom() says, and adds nothing", async () => {
  using pair = udpPair();
  const batch = new SendBatch({ datagramsMax: 3, bytesMax: 10 });
  const full = { name: "RangeError", code: "ERR_OUT_OF_RANGE" };
  assert.ok(batch.hasRoom(10) && !batch.hasRoom(11) && batch.hasRoom(10, 3) && !batch.hasRoom(1, 4));
  assert.throws(() => batch.add(Buffer.alloc(11), pair.to), {
    ...full,
    message: /^data must be at most 3 datagrams with 10 bytes, which is the room left, not/,
  });
  batch.add("123456", pair.to);
  assert.throws(() => batch.add("12345", pair.to), full);
  assert.throws(() => batch.add("123", pair.to, { segmentBytes: 1 }), full);
  batch.add("1234", pair.to);
  batch.add("", pair.to);
  assert.throws(() => batch.add("", pair.to), full);
  assert.equal(await pair.a.sendmmsg(batch), 3);
  batch.add("again", pair.to);
  batch.clear();
  assert.ok(batch.hasRoom(10, 3));
  assert.equal(await pair.a.sendmmsg(batch), 0);
  assert.deepEqual(await drain(pair.b), ["123456", "1234", ""]);
});

test("drop() takes datagrams off the front, one message or many", async () => {
  using pair = udpPair();
  const batch = new SendBatch();
  for (let i = 0; i < 10; i++) batch.add(`${i}`, pair.to); // of one size: one message
  batch.add("long", pair.to);
  batch.add("x", pair.to);
  assert.equal(batch.drop(0), 0);
  assert.equal(batch.drop(3), 3);
  assert.equal(batch.drop(6), 6);
  assert.equal(batch.drop(2), 2);
  await pair.a.sendmmsg(batch);
  assert.deepEqual(await drain(pair.b), ["x"]);
  assert.equal(batch.drop(5), 0);
});

test("sendmmsg(), SendBatch and add() refuse what they cannot use, by its name", async () => {
  using four = udpPair();
  using stream = await tcpPair();
  const TYPE = "ERR_INVALID_ARG_TYPE";
  const RANGE = "ERR_OUT_OF_RANGE";
  await assert.rejects(four.a.sendmmsg({} as never), { code: TYPE, message: /^batch must be a SendBatch/ });
  await assert.rejects(four.a.sendmmsg(new SendBatch(), "x" as never), { code: TYPE, message: /^flags/ });
  await assert.rejects(four.a.sendmmsg(new SendBatch(), MSG_ZEROCOPY), { code: TYPE, message: /^flags/ });
  assert.equal(await codeOf(stream.a.sendmmsg(new SendBatch())), "EOPNOTSUPP");
  const six = new SendBatch({ family: AF_INET6 });
  six.add("x", ["::1", 9]);
  await assert.rejects(four.a.sendmmsg(six), { code: TYPE, message: /^batch\.family/ });
  assert.equal(six.count, 1);
  for (const [options, code, name] of [
    [null, TYPE, /^options must/],
    [{ family: -1 }, RANGE, /^options\.family/],
    [{ datagramsMax: 0 }, RANGE, /^options\.datagramsMax/],
    [{ datagramsMax: 2 ** 21 }, RANGE, /^options\.datagramsMax/],
    [{ bytesMax: -1 }, RANGE, /^options\.bytesMax/],
    [{ gso: "yes" }, TYPE, /^options\.gso/],
  ] as const)
    assert.throws(() => new SendBatch(options as never), { code, message: name });
  const batch = new SendBatch();
  for (const [data, address, code] of [
    [5, ["127.0.0.1", 9], TYPE],
    ["x", "127.0.0.1", TYPE],
    ["x", ["127.0.0.1", 65_536], RANGE],
    ["x", ["localhost", 9], "EAI_NONAME"],
    ["x", ["::1", 9], "EAI_NONAME"],
  ] as const)
    assert.throws(() => batch.add(data as never, address), { code });
  assert.equal(batch.count, 0);
  assert.throws(() => batch.drop(-1), { code: RANGE, message: /^datagrams/ });
});

test("CPython receives what a batch sends, in order and whole", { skip: PYTHON.skip }, async () => {
  await using peer = python(`
s = socket(AF_INET, SOCK_DGRAM)
s.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 22)
s.bind(("127.0.0.1", 0))
say("port", s.getsockname()[1])
digest, sizes = hashlib.sha256(), []
while True:
    data, address = s.recvfrom(65536)
    if data == b"end": break
    sizes.append(len(data))
    digest.update(data)
say("got", len(sizes), sum(sizes), digest.hexdigest(), address[1])
`);
  const to: Address = ["127.0.0.1", await portOf(peer)];
  using client = udpAt();
  const batch = new SendBatch();
  const parts = Array.from({ length: 50 }, (_, i) => Buffer.alloc((i * 37) % 400, i));
  for (const part of [...parts, ...parts.map(() => Buffer.alloc(300, "s"))]) batch.add(part, to);
  batch.add("end", to);
  assert.equal(await client.sendmmsg(batch), 101);
  const all = Buffer.concat([...parts, Buffer.alloc(50 * 300, "s")]);
  const { createHash } = await import("node:crypto");
  const digest = createHash("sha256").update(all).digest("hex");
  await peer.line(new RegExp(`^got 100 ${all.length} ${digest} ${client.getsockname()[1]}$`, "m"));
});
