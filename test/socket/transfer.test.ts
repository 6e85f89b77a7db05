// recv, recv_into, send, sendall, shutdown: values, ends, memory, misuse.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MSG_OOB,
  MSG_PEEK,
  MSG_WAITALL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOL_SOCKET,
  SO_OOBINLINE,
  socket,
} from "berkeley";
import type { Socket } from "berkeley";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import {
  NARROW,
  TOO_MUCH,
  codeOf,
  pattern,
  rejection,
  reset,
  stillWaits,
  tcpPair,
  thrown,
} from "../support/pair.ts";

for (const host of ["127.0.0.1", "::1"])
  test(`recv() brings what is there, at most what was asked, and then the end (${host})`, async () => {
    using pair = await tcpPair({ host });
    const { a, b } = pair;
    await b.sendall("hello, world");
    b.shutdown(SHUT_WR);
    assert.equal((await a.recv(5)).toString(), "hello");
    assert.equal((await a.recv(1000)).toString(), ", world");
    for (let again = 0; again < 3; again++) assert.deepEqual(await a.recv(1000), Buffer.alloc(0));
  });

test("recv() waits for the first byte, not for all that was asked", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const waiting = a.recv(1_000_000);
  await stillWaits(waiting);
  await b.sendall("x");
  assert.equal((await waiting).toString(), "x");
});

test("recv() and recv_into() of nothing resolve at once, and take nothing", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  assert.equal((await a.recv(0)).length, 0);
  assert.equal(await a.recv_into(Buffer.alloc(0)), 0);
  await b.sendall("x");
  assert.equal((await a.recv(0)).length, 0);
  assert.equal((await a.recv(9)).toString(), "x");
});

/** Sizes around the limits at which recv changes how it gets its memory. */
const SIZES = [1, 63, 64, 65, 100, 4095, 4096, 4097, 16_384, 65_536, 262_143, 262_144, 262_145, 1 << 20];

test("recv() gives each message memory of its own, about as large as what arrived", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const seen = new Set<ArrayBufferLike>();
  for (const size of [...SIZES, ...SIZES.toReversed(), ...SIZES.map(() => 5000)]) {
    const bytes = pattern(size, size);
    const sent = b.sendall(bytes);
    for (let got = 0; got < size; ) {
      const chunk = await a.recv(1 << 24);
      assert.ok(chunk.equals(bytes.subarray(got, got + chunk.length)));
      assert.ok(
        chunk.buffer.byteLength <= chunk.length + 1,
        `${chunk.buffer.byteLength} for ${chunk.length}`,
      );
      assert.equal(seen.has(chunk.buffer), false, "nobody else has this memory");
      seen.add(chunk.buffer);
      got += chunk.length;
    }
    await sent;
  }
});

test("recv() of many small messages pins no more than they are", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const kept: Buffer[] = [];
  for (let at = 0; at < 500; at++) {
    await b.sendall(pattern(20, at));
    kept.push(await receiveSome(a, 20));
  }
  const pinned = new Set(kept.map((chunk) => chunk.buffer));
  assert.equal(pinned.size, kept.length);
  assert.ok(kept.reduce((sum, chunk) => sum + chunk.buffer.byteLength, 0) <= 500 * 21);
  kept.forEach((chunk, at) => assert.ok(chunk.equals(pattern(20, at))));
});

/** One recv that is known to bring so many bytes. */
async function receiveSome(end: Socket, length: number): Promise<Buffer> {
  const chunk = await end.recv(65_536);
  assert.equal(chunk.length, length);
  return chunk;
}

test("recv() with MSG_PEEK leaves the bytes where they are", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await b.sendall("twice");
  assert.equal((await a.recv(10, MSG_PEEK)).toString(), "twice");
  assert.equal((await a.recv(10)).toString(), "twice");
});

test("recv() gets what follows the urgent byte when that was taken before anybody heard of it", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const waiting = a.recv(100);
  await stillWaits(waiting);
  await b.send("before");
  await b.send("!", MSG_OOB);
  await b.send("after");
  assert.equal((await a.recv(1, MSG_OOB)).toString(), "!");
  assert.equal((await waiting).toString(), "before");
  // A timeout would try once more.
  const signal = AbortSignal.timeout(5000);
  assert.equal((await a.recv(100, 0, { signal })).toString(), "after");
});

test("recv() with MSG_OOB takes the urgent byte past the others", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await b.sendall("before");
  await b.send("!", MSG_OOB);
  await b.sendall("after");
  assert.equal((await a.recv(1, MSG_OOB)).toString(), "!");
  assert.equal((await receiveExactly(a, 11)).toString(), "beforeafter");
  a.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1);
  await b.send("?", MSG_OOB);
  await b.sendall("end");
  assert.equal((await receiveExactly(a, 4)).toString(), "?end");
});

test("recv() with MSG_WAITALL resolves with what is there", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await b.sendall("some");
  assert.equal((await a.recv(4, MSG_WAITALL)).toString(), "some");
});

test("recv_into() fills the caller's memory from byte 0, at most nbytes", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await b.sendall("0123456789");
  const buffer = Buffer.alloc(8, ".");
  assert.equal(await a.recv_into(buffer, 4), 4);
  assert.equal(buffer.toString(), "0123....");
  assert.equal(await a.recv_into(buffer.subarray(4)), 4);
  assert.equal(buffer.toString(), "01234567");
  b.shutdown(SHUT_WR);
  assert.equal(await a.recv_into(buffer), 2);
  assert.equal(await a.recv_into(buffer), 0);
});

test("recv_into() fills views of every kind, at their offsets", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const memory = new ArrayBuffer(64);
  const views = [
    new Uint8Array(memory, 3, 8),
    new Int16Array(memory, 16, 4),
    new Float64Array(memory, 32, 1),
    new BigUint64Array(memory, 40, 1),
    new DataView(memory, 51, 8),
    new Uint8Array(new SharedArrayBuffer(16), 4, 8) as unknown as Uint8Array<ArrayBuffer>,
  ];
  for (const [at, view] of views.entries()) {
    await b.sendall(pattern(8, at));
    assert.equal(await a.recv_into(view), 8);
    assert.ok(Buffer.from(view.buffer, view.byteOffset, 8).equals(pattern(8, at)));
  }
  const touched = Buffer.from(memory).filter((byte, at) => byte !== 0 && (at < 3 || at >= 59)).length;
  assert.equal(touched, 0);
});

test("send() takes strings as UTF-8, views of every kind and whole buffers", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const memory = pattern(100).buffer.slice(0, 100);
  const all: readonly (readonly [string | ArrayBufferView<ArrayBuffer> | ArrayBuffer, Uint8Array])[] = [
    ["żółw 🐢", Buffer.from("żółw 🐢")],
    [Buffer.from("buffer"), Buffer.from("buffer")],
    [new Uint16Array(memory, 10, 20), new Uint8Array(memory, 10, 40)],
    [new DataView(memory, 33, 33), new Uint8Array(memory, 33, 33)],
    [memory, new Uint8Array(memory)],
    [pattern(65), pattern(65)],
    [pattern(64), pattern(64)],
  ];
  for (const [data, bytes] of all)
    for (const call of ["send", "sendall"] as const) {
      assert.equal(await a[call](data), call === "send" ? bytes.length : undefined);
      assert.ok((await receiveExactly(b, bytes.length)).equals(bytes));
    }
  assert.equal(await a.send(""), 0);
  assert.equal(await a.sendall(new Uint8Array(0)), undefined);
});

test("send() sends what the kernel takes, and says how much", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const bytes = pattern(TOO_MUCH);
  const count = await a.send(bytes);
  assert.ok(count > 0 && count < TOO_MUCH);
  a.close();
  assert.ok((await receiveToEnd(b)).equals(bytes.subarray(0, count)));
});

test("sendall() tells its progress while it goes on", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const progress = { bytes: -1 };
  const bytes = pattern(TOO_MUCH);
  const sent = a.sendall(bytes, 0, { progress });
  const first = progress.bytes;
  assert.ok(first > 0 && first < TOO_MUCH, "what the kernel took at once");
  assert.ok((await receiveExactly(b, TOO_MUCH / 2)).equals(bytes.subarray(0, TOO_MUCH / 2)));
  assert.ok(progress.bytes >= first && progress.bytes <= TOO_MUCH);
  await receiveExactly(b, TOO_MUCH / 2);
  await sent;
  assert.equal(progress.bytes, TOO_MUCH);
  await a.sendall("again", 0, { progress });
  assert.equal(progress.bytes, 5);
});

test("sendall() that fails says how many bytes went, in the error and in its message", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const progress = { bytes: 0 };
  const failing = rejection(a.sendall(Buffer.alloc(TOO_MUCH), 0, { progress }));
  await receiveExactly(b, 50_000);
  reset(b);
  const error = await failing;
  assert.equal(error.code, "ECONNRESET");
  assert.equal(error.bytesSent, progress.bytes);
  assert.ok(error.bytesSent >= 50_000);
  assert.match(error.message, new RegExp(`, after ${error.bytesSent} bytes were sent \\(`));
});

for (const call of ["send", "sendall"] as const)
  test(`${call}() rejects with ECONNRESET once the peer has reset, then with EPIPE, and raises no signal`, async () => {
    using pair = await tcpPair();
    const { a, b } = pair;
    const told = a.recv(1);
    reset(b);
    assert.equal(await codeOf(told), "ECONNRESET");
    assert.equal(await codeOf(a[call]("x")), "EPIPE");
    using other = await tcpPair();
    const { a: c } = other;
    reset(other.b);
    assert.equal(await codeOf(c[call]("x")), "ECONNRESET");
    assert.equal(await codeOf(c[call]("x")), "EPIPE");
  });

test("recv(), send() and shutdown() fail with ENOTCONN or EPIPE when not connected", async () => {
  using end = socket();
  const error = await rejection(end.recv(1));
  assert.deepEqual([error.name, error.code, error.syscall], ["SocketError", "ENOTCONN", "recv"]);
  assert.equal(await codeOf(end.send("x")), "EPIPE");
  assert.equal(await codeOf(end.sendall("x")), "EPIPE");
  assert.equal(thrown(() => end.shutdown(SHUT_WR)).code, "ENOTCONN");
});

test("shutdown() ends one direction or both", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const waiting = b.recv(1);
  a.shutdown(SHUT_WR);
  assert.equal((await waiting).length, 0);
  assert.equal(await codeOf(a.sendall("x")), "EPIPE");
  await b.sendall("still heard");
  assert.equal((await a.recv(20)).toString(), "still heard");
  const last = a.recv(1);
  a.shutdown(SHUT_RD);
  assert.equal((await last).length, 0, "who waits sees the end");
  b.shutdown(SHUT_RDWR);
  assert.equal((await b.recv(1)).length, 0);
});

test("sendall() that waits rejects with EPIPE when its own side is shut down", async () => {
  using pair = await tcpPair(NARROW);
  const { a } = pair;
  const failing = rejection(a.sendall(Buffer.alloc(TOO_MUCH)));
  a.shutdown(SHUT_WR);
  assert.equal((await failing).code, "EPIPE");
});

test("a hundred thousand receives of all sizes from senders of all sizes bring the stream", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const bytes = pattern(3_000_000);
  const sending = (async () => {
    for (let at = 0, size = 1; at < bytes.length; at += size, size = ((size * 7) % 9001) + 1)
      await b.sendall(bytes.subarray(at, at + size));
    b.shutdown(SHUT_WR);
  })();
  const into = Buffer.alloc(5000);
  let got = 0;
  for (let size = 1; ; size = ((size * 5) % 6007) + 1) {
    const chunk =
      size % 3 === 0 ? into.subarray(0, await a.recv_into(into, 1 + (size % 5000))) : await a.recv(size);
    if (chunk.length === 0) break;
    assert.ok(chunk.equals(bytes.subarray(got, got + chunk.length)));
    got += chunk.length;
  }
  assert.equal(got, bytes.length);
  await sending;
});

test("one signal serves a hundred calls of all kinds without a warning", async () => {
  using pair = await tcpPair(NARROW);
  const { a } = pair;
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  const controller = new AbortController();
  const { signal } = controller;
  const into = Buffer.alloc(1);
  const calls = Array.from({ length: 100 }, (_, at): Promise<unknown> => {
    if (at % 4 === 0) return a.recv(1, 0, { signal });
    if (at % 4 === 1) return a.recv_into(into, 1, 0, { signal });
    return at % 4 === 2 ? a.sendall(Buffer.alloc(TOO_MUCH), 0, { signal }) : a.send("x", 0, { signal });
  });
  const ended = calls.map((call) => rejection(call));
  controller.abort();
  for (const error of await Promise.all(ended)) assert.equal(error.name, "AbortError");
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", note);
  assert.deepEqual(warnings, []);
});
