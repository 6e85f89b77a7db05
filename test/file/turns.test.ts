// Files under several calls at once: order, closing, what a failed write tells, memory of the caller's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SHUT_WR, TimeoutError, UnicodeError } from "berkeley";
import type { SocketError } from "berkeley";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, rejection, stillWaits, tcpPair } from "../support/pair.ts";

test("reads of one file settle in the order in which they were asked", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("r");
  const settled: string[] = [];
  const reads = [file.read(2), file.readline(), file.read(1), file.readlines(0), file.read(3)].map(
    (read, index) =>
      Promise.resolve(read as Promise<unknown>).then((value) => settled.push(`${index} ${String(value)}`)),
  );
  for (const part of ["a", "bc\nd", "e\nf", "\n", "ghi"]) await pair.b.sendall(part);
  pair.b.shutdown(SHUT_WR);
  await Promise.all(reads);
  assert.deepEqual(settled, ["0 ab", "1 c\n", "2 d", "3 e\n,f\n,ghi", "4 "]);
});

test("writes of one file go out in the order in which they were asked, before what close() flushes", async () => {
  using pair = await tcpPair(NARROW);
  const file = pair.a.makefile("wb", { buffering: 100 });
  const expected: Buffer[] = [];
  for (let size = 0; size < 40; size++) {
    const data = pattern(size * 700, size);
    expected.push(data);
    void file.write(data);
  }
  const closing = file.close();
  assert.equal(file.closed, true);
  const all = Buffer.concat(expected);
  assert.ok((await receiveExactly(pair.b, all.length)).equals(all));
  await closing;
});

test("close() ends a read that waits with ECANCELED, and those behind it, and takes nothing from the socket", async () => {
  using pair = await tcpPair();
  const file = pair.a.makefile("rb");
  const first = file.read(4);
  const second = file.readline();
  await stillWaits(first);
  const codes = Promise.all([codeOf(first), codeOf(second)]);
  await file.close();
  assert.deepEqual(await codes, ["ECANCELED", "ECANCELED"]);
  await pair.b.sendall("kept");
  assert.equal((await pair.a.recv(10)).toString(), "kept");
});

test("a signal ends a read that waits for its turn, and only that", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("rb");
  const controller = new AbortController();
  const first = file.read(2);
  const second = file.read(2, { signal: controller.signal });
  const third = file.read(2);
  controller.abort(new Error("not you"));
  assert.equal((await rejection(second)).message, "not you");
  await pair.b.sendall("abcd");
  assert.deepEqual([String(await first), String(await third)], ["ab", "cd"]);
});

test("a write larger than the buffer waits for the peer; the next waits behind it", async () => {
  using pair = await tcpPair(NARROW);
  await using file = pair.a.makefile("wb");
  const data = pattern(TOO_MUCH);
  await file.write("head");
  const large = file.write(data);
  const small = file.write("tail");
  await stillWaits(large);
  await stillWaits(small);
  const received = receiveExactly(pair.b, 4 + TOO_MUCH);
  assert.equal(await large, TOO_MUCH);
  await small;
  await file.flush();
  const all = await received;
  assert.equal(all.subarray(0, 4).toString(), "head");
  assert.ok(all.subarray(4).equals(data));
  assert.equal((await receiveExactly(pair.b, 4)).toString(), "tail");
});

for (const [how, end] of Object.entries({
  "runs out of time": { seconds: 0.05, signalAfterMs: undefined },
  "is aborted": { seconds: null, signalAfterMs: 50 },
}))
  test(`a write that ${how} tells how many bytes of its data were taken, and the rest can follow`, async () => {
    using pair = await tcpPair(NARROW);
    await using file = pair.a.makefile("wb");
    const data = pattern(TOO_MUCH);
    await file.write("head");
    pair.a.settimeout(end.seconds);
    const progress = { bytes: -1 };
    const signal = end.signalAfterMs === undefined ? undefined : AbortSignal.timeout(end.signalAfterMs);
    const error = await rejection(file.write(data, { progress, signal }));
    if (signal === undefined) {
      assert.ok(error instanceof TimeoutError);
      assert.equal(error.bytesSent, progress.bytes);
    } else {
      assert.equal(error, signal.reason);
    }
    assert.ok(progress.bytes > 0 && progress.bytes < data.length);
    pair.a.settimeout(null);
    const received = receiveExactly(pair.b, 4 + data.length);
    await file.write(data.subarray(progress.bytes));
    await file.flush();
    assert.ok((await received).equals(Buffer.concat([Buffer.from("head"), data])));
  });

test("flush() that runs out of time keeps what was not sent, and the next goes on", async () => {
  using pair = await tcpPair(NARROW);
  await using file = pair.a.makefile("wb", { buffering: TOO_MUCH });
  const data = pattern(TOO_MUCH);
  assert.equal(await file.write(data), TOO_MUCH);
  pair.a.settimeout(0.05);
  assert.ok((await rejection(file.flush())) instanceof TimeoutError);
  pair.a.settimeout(null);
  const received = receiveExactly(pair.b, data.length);
  await file.flush();
  assert.ok((await received).equals(data));
});

test("close() that cannot flush rejects, and the file and the socket are closed nevertheless", async () => {
  using pair = await tcpPair(NARROW);
  const file = pair.a.makefile("wb", { buffering: TOO_MUCH });
  await file.write(pattern(TOO_MUCH));
  pair.a.settimeout(0.02);
  pair.a.close();
  const closing = file.close();
  assert.equal(file.close(), closing);
  assert.ok((await rejection(closing)) instanceof TimeoutError);
  assert.equal(pair.a.fileno(), -1);
  await file.close().catch(() => {});
});

test("write() to a peer that has gone rejects with EPIPE or ECONNRESET", async () => {
  using pair = await tcpPair();
  const file = pair.a.makefile("wb");
  pair.b.close();
  await assert.rejects(
    async () => {
      for (;;) {
        await file.write(Buffer.alloc(10_000));
        await file.flush();
      }
    },
    (error: SocketError) => error.code === "EPIPE" || error.code === "ECONNRESET",
  );
  await file.close().catch(() => {});
});

test("write() copies what it holds back: the caller's memory is his again", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("wb");
  const data = Buffer.from("first");
  await file.write(data);
  data.fill("x");
  await file.write(new Uint16Array([0x6262]));
  await file.write(Uint8Array.from([99]).buffer);
  await file.flush();
  assert.equal((await receiveExactly(pair.b, 8)).toString(), "firstbbc");
});

test("writelines() writes one after the other and adds no ends of line", async () => {
  using pair = await tcpPair();
  await using bytes = pair.a.makefile("wb");
  await using text = pair.b.makefile("w", { newline: "\r\n" });
  await bytes.writelines(["a\n", Buffer.from("b"), "c\n"]);
  await bytes.flush();
  await text.writelines(new Set(["ä\n", "b", "c\n"]));
  await text.flush();
  assert.equal((await receiveExactly(pair.b, 5)).toString(), "a\nbc\n");
  assert.equal((await receiveExactly(pair.a, 8)).toString(), "ä\r\nbc\r\n");
  assert.equal(await codeOf(text.writelines(["a", 5 as never])), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(text.write(5 as never)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(bytes.write({} as never)), "ERR_INVALID_ARG_TYPE");
});

test("readinto() fills the caller's memory whole, readinto1() with what is there", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("rb");
  const buffer = Buffer.alloc(6, "-");
  const whole = file.readinto(buffer);
  await pair.b.sendall("abc");
  await stillWaits(whole);
  assert.equal(buffer.toString(), "------");
  await pair.b.sendall("defgh");
  assert.equal(await whole, 6);
  assert.equal(buffer.toString(), "abcdef");
  assert.equal(await file.readinto1(buffer), 2);
  assert.equal(buffer.toString(), "ghcdef");
  pair.b.shutdown(SHUT_WR);
  assert.equal(await file.readinto(new DataView(buffer.buffer, buffer.byteOffset, 6)), 0);
  assert.equal(await codeOf(file.readinto("no" as never)), "ERR_INVALID_ARG_TYPE");
});

test("readinto() into memory that was detached meanwhile rejects with a TypeError and loses nothing", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("rb");
  const memory = new Uint8Array(4);
  const reading = file.readinto(memory);
  structuredClone(memory.buffer, { transfer: [memory.buffer] });
  await pair.b.sendall("abcd");
  assert.ok((await rejection(reading)) instanceof TypeError);
  assert.equal((await file.read(4)).toString(), "abcd");
});

test("read1() and peek() give what one receive brings", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("rb");
  const reading = file.read1();
  await pair.b.sendall("abc");
  assert.equal((await reading).toString(), "abc");
  await pair.b.sendall("defghi");
  assert.equal((await file.peek()).toString(), "defghi");
  assert.equal((await file.read1(2)).toString(), "de");
  assert.equal((await file.read1(0)).length, 0);
  assert.equal((await file.read1()).toString(), "fghi");
  pair.b.shutdown(SHUT_WR);
  assert.equal((await file.peek()).length, 0);
  assert.equal((await file.read1()).length, 0);
});

test("read(n) of megabytes gives them whole, and Buffers that share no memory with the file", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("rb");
  const data = pattern(3 << 20);
  const sending = pair.b.sendall(Buffer.concat([data, Buffer.from("tail")]));
  const read = await file.read(data.length);
  assert.ok(read.equals(data));
  const tail = await file.read(4);
  assert.equal(tail.toString(), "tail");
  assert.notEqual(tail.buffer, read.buffer);
  await sending;
});

test("an unbuffered file leaves in the socket what it was not asked for", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("rb", { buffering: 0 });
  await pair.b.sendall("GET / HTTP/1.0\r\nHost: a\r\n\r\nbody");
  assert.equal((await file.readline()).toString(), "GET / HTTP/1.0\r\n");
  assert.equal((await pair.a.recv(4)).toString(), "Host");
  assert.equal((await file.read(2)).toString(), ": ");
  const into = new Uint8Array(2);
  assert.equal(await file.readinto(into), 2);
  assert.equal(Buffer.from(into).toString(), "a\r");
  assert.equal((await pair.a.recv(100)).toString(), "\n\r\nbody");
});

test("an unbuffered file reads and writes what one call brings and takes", async () => {
  using pair = await tcpPair(NARROW);
  await using file = pair.a.makefile("rwb", { buffering: 0 });
  await pair.b.sendall("abc");
  assert.equal((await file.read(100)).toString(), "abc");
  const count = await file.write(pattern(TOO_MUCH));
  assert.ok(count > 0 && count < TOO_MUCH);
  assert.ok((await receiveExactly(pair.b, count)).equals(pattern(TOO_MUCH).subarray(0, count)));
  pair.a.shutdown(SHUT_WR);
  assert.equal((await receiveToEnd(pair.b)).length, 0);
});

test("a file of text delivers what comes before bad bytes, then rejects, and gives nothing behind them", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("r");
  await pair.b.sendall(Buffer.from("fine\nhalf\xff more\n", "latin1"));
  assert.equal(await file.readline(), "fine\n");
  const error = await rejection(file.readline());
  assert.ok(error instanceof UnicodeError);
  assert.deepEqual([error.code, error.encoding, error.position], ["ERR_UNICODE_DECODE", "utf-8", 9]);
  assert.equal(await file.read(4), "half");
  assert.equal(await codeOf(file.read(1)), "ERR_UNICODE_DECODE");
});

test("a file of text rejects a write of what the encoding does not have, and writes nothing of it", async () => {
  using pair = await tcpPair();
  await using file = pair.a.makefile("w", { encoding: "ascii" });
  await file.write("plain ");
  const error = await rejection(file.write("naïve"));
  assert.ok(error instanceof UnicodeError);
  assert.equal(error.message, "ascii cannot encode U+00EF in position 2: no such character");
  await file.write("text");
  await file.flush();
  assert.equal((await receiveExactly(pair.b, 10)).toString(), "plain text");
});
