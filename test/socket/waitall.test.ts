// MSG_WAITALL: all that was asked for, in whatever pieces it comes, and nothing lost whatever ends it. MSG_MORE and
// TCP_CORK: what is sent in pieces leaves in one. MSG_TRUNC.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as b from "berkeley";
import type { Socket, SocketError } from "berkeley";
import * as sync from "berkeley/sync";
import { TOO_MUCH, codeOf, pattern, rejection, reset, stillWaits, tcpPair } from "../support/pair.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { udpPair } from "../support/udp.ts";

/** Both forms of the call, as one: the bytes. */
const FORMS: Record<
  string,
  (sock: Socket, size: number, options?: { signal?: AbortSignal }) => Promise<Uint8Array>
> = {
  "recv()": (sock, size, options) => sock.recv(size, b.MSG_WAITALL, options),
  "recv_into()": async (sock, size, options) => {
    const into = Buffer.alloc(size + 10);
    return into.subarray(0, await sock.recv_into(into, size, b.MSG_WAITALL, options));
  },
};

for (const [form, receive] of Object.entries(FORMS)) {
  test(`${form} with MSG_WAITALL waits until all is there, in whatever pieces it comes`, async () => {
    using pair = await tcpPair();
    const { a, b: peer } = pair;
    await peer.sendall("th");
    const waiting = receive(a, 10, {});
    for (const piece of ["e", " ", "whole", " and more"]) {
      await stillWaits(waiting);
      await peer.sendall(piece);
    }
    assert.equal(Buffer.from(await waiting).toString(), "the whole ");
    assert.equal((await a.recv(100)).toString(), "and more");
  });

  test(`${form} with MSG_WAITALL takes more than fits into the kernel's buffers`, async () => {
    using pair = await tcpPair();
    const data = pattern(3 * TOO_MUCH);
    const waiting = receive(pair.a, data.length, {});
    await pair.b.sendall(data);
    assert.ok(Buffer.from(await waiting).equals(data));
  });

  test(`${form} with MSG_WAITALL gives what has come when the peer ends`, async () => {
    using pair = await tcpPair();
    await pair.b.sendall("short");
    const waiting = receive(pair.a, 100, {});
    await stillWaits(waiting);
    pair.b.shutdown(b.SHUT_WR);
    assert.equal(Buffer.from(await waiting).toString(), "short");
    assert.equal((await receive(pair.a, 100)).length, 0);
  });

  test(`${form} with MSG_WAITALL that time, a signal or close() ends gives what has come, and fails when nothing has`, async () => {
    for (const way of ["time", "signal", "close"]) {
      using pair = await tcpPair();
      const { a, b: peer } = pair;
      const ending = new AbortController();
      const wait = (): Promise<Uint8Array> => receive(a, 100, { signal: ending.signal });
      if (way === "time") a.settimeout(0.02);
      await peer.sendall("part");
      const first = wait();
      const second = way === "time" ? undefined : wait();
      if (way !== "time") await stillWaits(first);
      if (way === "signal") ending.abort(Object.assign(new Error("enough"), { code: "MINE" }));
      if (way === "close") a.close();
      assert.equal(Buffer.from(await first).toString(), "part");
      const code = { time: "ETIMEDOUT", signal: "MINE", close: "ECANCELED" }[way];
      assert.equal(await codeOf(second ?? wait()), code);
      if (way === "close") continue;
      // Nothing is lost: what comes later is there for the next call.
      await peer.sendall("later");
      a.settimeout(null);
      assert.equal((await a.recv(100)).toString(), "later");
    }
  });

  test(`${form} with MSG_WAITALL that is non-blocking gives what is there`, async () => {
    using pair = await tcpPair();
    await pair.b.sendall("some");
    assert.equal((await pair.a.recv(4, b.MSG_PEEK)).length, 4);
    pair.a.settimeout(0);
    assert.equal(Buffer.from(await receive(pair.a, 100)).toString(), "some");
    assert.equal(await codeOf(receive(pair.a, 100)), "EAGAIN");
  });

  test(`${form} with MSG_WAITALL that fails says what had come`, async () => {
    using pair = await tcpPair();
    await pair.b.sendall("last words");
    const waiting = receive(pair.a, 100, {});
    await stillWaits(waiting);
    reset(pair.b);
    const error = await rejection(waiting);
    assert.equal(error.code, "ECONNRESET");
    assert.equal(error.bytesReceived, 10);
    assert.equal(error.data?.toString(), form === "recv()" ? "last words" : undefined);
  });

  test(`${form} with MSG_WAITALL keeps its place among receives`, async () => {
    using pair = await tcpPair();
    const order: string[] = [];
    const all = receive(pair.a, 6).then((bytes) => order.push(Buffer.from(bytes).toString()));
    const next = pair.a.recv(100).then((bytes) => order.push(bytes.toString()));
    for (const piece of ["abc", "def", "ghi"]) {
      await pair.b.sendall(piece);
      await stillWaits(new Promise(() => undefined));
    }
    await Promise.all([all, next]);
    assert.deepEqual(order, ["abcdef", "ghi"]);
  });
}

test("recv() with MSG_WAITALL of a datagram is one datagram, and with MSG_PEEK what is there", async () => {
  using pair = udpPair();
  await pair.a.sendto("one", pair.to);
  await pair.a.sendto("two", pair.to);
  assert.equal((await pair.b.recv(100, b.MSG_WAITALL)).toString(), "one");
  using streams = await tcpPair();
  await streams.b.sendall("some");
  assert.equal((await streams.a.recv(100, b.MSG_WAITALL | b.MSG_PEEK)).toString(), "some");
  assert.equal((await streams.a.recv(100, b.MSG_WAITALL | b.MSG_DONTWAIT)).toString(), "some");
});

test("recv() with MSG_WAITALL of a Unix stream, and of berkeley/sync, waits for all as well", {
  skip: PYTHON.skip,
}, async () => {
  const [first, second] = b.socketpair();
  using one = first;
  using two = second;
  const waiting = one.recv(6, b.MSG_WAITALL);
  await two.send("abc");
  await stillWaits(waiting);
  await two.send("def");
  assert.equal((await waiting).toString(), "abcdef");
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
for piece in (b"abc", b"def", b"ghi"):
    conn.sendall(piece)
    time.sleep(0.03)
conn.recv(1)`);
  using sock = sync.create_connection(["127.0.0.1", await portOf(peer)]);
  assert.equal(sock.recv(8, sync.MSG_WAITALL).toString(), "abcdefgh");
  sock.settimeout(0.05);
  assert.equal(sock.recv(8, sync.MSG_WAITALL).toString(), "i");
  assert.throws(() => sock.recv(8, sync.MSG_WAITALL), { name: "TimeoutError" });
});

/** Segments with data that have left. */
const segments = (sock: Socket): number => sock.options.TCP_INFO.data_segs_out ?? 0;

test("MSG_MORE and TCP_CORK let what is sent in pieces leave in one segment", async () => {
  using pair = await tcpPair();
  const { a, b: peer } = pair;
  a.options.TCP_NODELAY = true;
  await a.send("he", b.MSG_MORE);
  await a.sendall("l", b.MSG_MORE);
  assert.equal(segments(a), 0);
  await a.send("lo");
  assert.equal((await peer.recv(5, b.MSG_WAITALL)).toString(), "hello");
  assert.equal(segments(a), 1);
  a.options.TCP_CORK = true;
  for (const piece of ["co", "rk", "ed"]) await a.send(piece);
  assert.equal(segments(a), 1);
  a.options.TCP_CORK = false;
  assert.equal((await peer.recv(6, b.MSG_WAITALL)).toString(), "corked");
  assert.equal(segments(a), 2);
});

test("MSG_MORE and UDP_CORK put pieces into one datagram", async () => {
  using pair = udpPair();
  const { a, b: peer, to } = pair;
  await a.connect(to);
  await a.send("one ", b.MSG_MORE);
  await a.send("datagram");
  assert.equal((await peer.recv(100)).toString(), "one datagram");
  a.options.UDP_CORK = true;
  await a.send("another ");
  await a.send("one");
  a.options.UDP_CORK = false;
  assert.equal((await peer.recv(100)).toString(), "another one");
});

test("MSG_TRUNC throws a stream's bytes away, and says how long a datagram was", async () => {
  using pair = await tcpPair();
  await pair.b.sendall("not wanted, wanted");
  const into = Buffer.alloc(12);
  assert.equal(await pair.a.recv_into(into, 12, b.MSG_TRUNC), 12);
  assert.ok(into.every((byte) => byte === 0));
  assert.equal((await pair.a.recv(100)).toString(), "wanted");
  using datagrams = udpPair();
  await datagrams.a.sendto("longer than asked", datagrams.to);
  assert.equal(await datagrams.b.recv_into(into, 4, b.MSG_TRUNC), 17);
  const error: unknown = await datagrams.b.recv(1, b.MSG_DONTWAIT).catch((failure: unknown) => failure);
  assert.equal((error as SocketError).code, "EAGAIN");
});

test("recv_into() with MSG_WAITALL rejects with EFAULT when the buffer is given away or shrunk while it waits", async () => {
  for (const view of [(of: ArrayBuffer) => new Uint8Array(of), (of: ArrayBuffer) => new DataView(of)]) {
    using pair = await tcpPair();
    const memory = new ArrayBuffer(10);
    const waiting = pair.a.recv_into(view(memory), 0, b.MSG_WAITALL);
    await stillWaits(waiting);
    structuredClone(memory, { transfer: [memory] });
    await pair.b.sendall("kept");
    assert.equal(await codeOf(waiting), "EFAULT");
    assert.equal((await pair.a.recv(10)).toString(), "kept");
  }
  using pair = await tcpPair();
  const memory = new ArrayBuffer(10, { maxByteLength: 10 });
  const waiting = pair.a.recv_into(new Uint8Array(memory), 0, b.MSG_WAITALL);
  await pair.b.sendall("in");
  await stillWaits(waiting);
  memory.resize(2);
  await pair.b.sendall("kept");
  const error = await rejection(waiting);
  assert.deepEqual([error.code, error.bytesReceived], ["EFAULT", 2]);
  assert.equal((await pair.a.recv(10)).toString(), "kept");
});
