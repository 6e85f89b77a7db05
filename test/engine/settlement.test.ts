// Every operation settles exactly once, with a value, an error, an abort or a timeout; a timeout or abort that loses the
// race with arriving bytes delivers the bytes, and whoever wins, no byte is lost.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { MSG_WAITALL, SHUT_WR, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import {
  NARROW,
  TOO_MUCH,
  codeOf,
  computeFor,
  pattern,
  rejection,
  reset,
  settling,
  stillWaits,
  tcpPair,
} from "../support/pair.ts";

/** Rounds of each race. */
const ROUNDS = 200;

test("recv() whose time is up while the thread computes delivers the bytes that came in time", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  a.settimeout(0.005);
  const waiting = a.recv(10);
  await b.sendall("in time");
  computeFor(20); // the timer is due first when the loop comes round
  assert.equal((await waiting).toString(), "in time");
});

test("recv() whose time is up delivers the bytes that came in time even when the turn's work is spent", async () => {
  using pair = await tcpPair();
  using other = await tcpPair();
  const { a, b } = pair;
  a.settimeout(0.005);
  const waiting = a.recv(10);
  await b.sendall("in time");
  const more = Array.from({ length: 3000 }, () => other.a.sendall(".")); // than one turn may do
  computeFor(20);
  assert.equal((await waiting).toString(), "in time");
  await Promise.all(more);
});

test("recv()s that wait in one queue, with and without a timeout, each end as they should", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const patient = a.recv(1);
  a.settimeout(0.001);
  const hasty = a.recv(1);
  a.settimeout(null);
  const last = a.recv(1);
  const error = await rejection(hasty);
  assert.deepEqual([error.name, error.code, error.syscall], ["TimeoutError", "ETIMEDOUT", "recv"]);
  await stillWaits(patient);
  await b.sendall("12");
  assert.deepEqual([(await patient).toString(), (await last).toString()], ["1", "2"]);
});

test("recv() behind another delivers the bytes that came in time for both", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const patient = a.recv(1);
  a.settimeout(0.005);
  const hasty = a.recv(1);
  await b.sendall("12");
  computeFor(20);
  assert.deepEqual([(await patient).toString(), (await hasty).toString()], ["1", "2"]);
});

test("recv() behind others delivers the bytes that came in time for all even when the turn's work is spent", async () => {
  using pair = await tcpPair();
  using other = await tcpPair();
  const { a, b } = pair;
  const patient = [a.recv(1), a.recv(1), a.recv(1)];
  a.settimeout(0.005);
  const hasty = a.recv(1);
  await b.sendall("1234");
  const more = Promise.allSettled(Array.from({ length: 3000 }, () => other.a.sendall("."))); // than one turn may do
  computeFor(20);
  const texts = await Promise.all([...patient, hasty].map(async (each) => (await each).toString()));
  assert.deepEqual(texts, ["1", "2", "3", "4"]);
  await more;
});

test("recv() with MSG_WAITALL whose time is up delivers what came in time even when the turn's work is spent", async () => {
  using pair = await tcpPair();
  using other = await tcpPair();
  const { a, b } = pair;
  a.settimeout(0.005);
  const waiting = a.recv(7, MSG_WAITALL);
  await b.sendall("in time");
  const more = Promise.allSettled(Array.from({ length: 3000 }, () => other.a.sendall(".")));
  computeFor(20);
  assert.equal((await waiting).toString(), "in time");
  await more;
});

test("recv() that is aborted rejects with the signal's reason, and the bytes wait for the next call", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const reason = { any: "value" };
  const controller = new AbortController();
  const waiting = a.recv(10, 0, { signal: controller.signal });
  await b.sendall("kept"); // in the kernel before the abort
  controller.abort(reason);
  assert.equal(await waiting.catch((error: unknown) => error), reason);
  assert.equal((await a.recv(10)).toString(), "kept");
});

test("recv() with an aborted signal rejects before it reads", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await b.sendall("kept");
  await assert.rejects(a.recv(10, 0, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal((await a.recv(10)).toString(), "kept");
});

test("recv() has left the signal when it has settled, however it settled", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const { signal } = new AbortController();
  const served = a.recv(1, 0, { signal });
  await b.sendall("x");
  await served;
  a.settimeout(0.001);
  await rejection(a.recv(1, 0, { signal }));
  a.settimeout(null);
  const closed = a.recv(1, 0, { signal });
  assert.equal(getEventListeners(signal, "abort").length, 1);
  a.close();
  assert.equal(await codeOf(closed), "ECANCELED");
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("close() inside of an abort listener ends what waits once", async () => {
  for (const first of [true, false]) {
    using pair = await tcpPair();
    const { a } = pair;
    const controller = new AbortController();
    const { signal } = controller;
    if (first) signal.addEventListener("abort", () => a.close());
    const ends = [rejection(a.recv(1, 0, { signal })), rejection(a.recv(1, 0, { signal }))];
    if (!first) signal.addEventListener("abort", () => a.close());
    controller.abort();
    const names = (await Promise.all(ends)).map(({ name }) => name);
    const name = first ? "SocketError" : "AbortError";
    assert.deepEqual(names, [name, name]);
  }
});

test("a signal has one listener for all calls that wait with it, and none when they have settled", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = (): number => getEventListeners(signal, "abort").length;
  const served = Array.from({ length: 1000 }, () => a.recv(1, 0, { signal }));
  assert.equal(listeners(), 1);
  await b.sendall(pattern(1000));
  assert.ok(Buffer.concat(await Promise.all(served)).equals(pattern(1000)));
  assert.equal(listeners(), 0);
  const aborted = [a, b].flatMap((end) => Array.from({ length: 1000 }, () => end.recv(1, 0, { signal })));
  const { order, all } = settling(aborted);
  const reason = { any: "value" };
  controller.abort(reason);
  for (const { status, ...rest } of await Promise.allSettled(aborted))
    assert.deepEqual({ status, ...rest }, { status: "rejected", reason });
  await all;
  assert.deepEqual(order, [...order.keys()]);
  assert.equal(listeners(), 0);
});

test("sendall() that is aborted says how many bytes went, and exactly these arrive", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const bytes = pattern(TOO_MUCH);
  const progress = { bytes: -1 };
  const controller = new AbortController();
  const waiting = a.sendall(bytes, 0, { progress, signal: controller.signal });
  await receiveExactly(b, 100_000);
  await turn();
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  const went = progress.bytes;
  assert.ok(went >= 100_000 && went < TOO_MUCH);
  a.shutdown(SHUT_WR);
  assert.ok((await receiveToEnd(b)).equals(bytes.subarray(100_000, went)));
  assert.equal(progress.bytes, went, "an operation that has ended tells no more");
});

test("sendall() whose time is up says how many bytes went, and exactly these arrive", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const bytes = pattern(TOO_MUCH);
  a.settimeout(0.01);
  const error = await rejection(a.sendall(bytes));
  assert.deepEqual([error.name, error.code, error.syscall], ["TimeoutError", "ETIMEDOUT", "sendall"]);
  a.close();
  assert.ok((await receiveToEnd(b)).equals(bytes.subarray(0, error.bytesSent)));
});

test("accept() that is aborted leaves the connection in the queue", async () => {
  using server = create_server(["127.0.0.1", 0]);
  const controller = new AbortController();
  const waiting = server.accept({ signal: controller.signal });
  using client = socket();
  const connected = client.connect(server.getsockname()); // on loopback it is in the queue at once
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  await connected;
  const [conn, address] = await server.accept();
  using _ = conn;
  assert.deepEqual(address, client.getsockname());
});

test("connect() that is aborted can be taken up again", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = socket();
  const controller = new AbortController();
  const waiting = client.connect(server.getsockname(), { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  await client.connect(server.getsockname());
  const [conn] = await server.accept();
  using _ = conn;
  assert.deepEqual(conn.getpeername(), client.getsockname());
});

test("recv() rejects with the error of the call, once: the next one sees the end", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const first = a.recv(1);
  const second = a.recv(1);
  reset(b);
  assert.equal(await codeOf(first), "ECONNRESET");
  assert.equal((await second).length, 0);
});

/** All that arrives at an end whose every receive may end early. */
async function receiveAgainAndAgain(end: Socket, early: () => AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await end.recv(7, 0, { signal: early() }).catch((error: unknown) => {
      const { name } = error as Error;
      assert.ok(name === "TimeoutError" || name === "AbortError", String(error));
      return null;
    });
    if (chunk === null) continue;
    if (chunk.length === 0) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

async function sendInPieces(end: Socket, bytes: Buffer, between: (round: number) => unknown): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await end.sendall(bytes.subarray(round * 10, (round + 1) * 10));
    await between(round);
  }
  end.shutdown(SHUT_WR);
}

test("recv() that races with its timeout loses no byte, whoever wins", async () => {
  using pair = await tcpPair();
  const bytes = pattern(ROUNDS * 10);
  pair.a.settimeout(0.001);
  const received = receiveAgainAndAgain(pair.a, () => undefined);
  await sendInPieces(pair.b, bytes, (round) => {
    computeFor((round % 4) * 0.5); // about when the timer is due
    return turn();
  });
  assert.ok((await received).equals(bytes));
});

test("recv() that races with its signal loses no byte, whoever wins", async () => {
  using pair = await tcpPair();
  const bytes = pattern(ROUNDS * 10);
  let controller = new AbortController();
  const received = receiveAgainAndAgain(pair.a, () => (controller = new AbortController()).signal);
  await sendInPieces(pair.b, bytes, async (round) => {
    if (round % 3 === 0) controller.abort();
    if (round % 3 !== 1) await turn();
    if (round % 3 === 1) controller.abort();
  });
  assert.ok((await received).equals(bytes));
});
