// Timeouts: the numbers that settimeout() takes, and what a call does when its time is up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EAGAIN, ETIMEDOUT, TimeoutError, create_server, socket } from "berkeley";
import { codeOf, fullListener, rejection, tcpPair, thrown } from "../support/pair.ts";

test("settimeout() takes seconds of any fineness, none, and 0; gettimeout() returns them", () => {
  using end = socket();
  for (const seconds of [0.001, 1, 2.5, 0, 1e-9, 1e9, Infinity, null]) {
    end.settimeout(seconds);
    assert.equal(end.gettimeout(), seconds);
    assert.equal(end.getblocking(), seconds !== 0);
  }
});

test("settimeout() refuses what is no time and changes nothing", () => {
  using end = socket();
  end.settimeout(3);
  for (const value of ["1", undefined, {}, 1n, true])
    assert.equal(thrown(() => end.settimeout(value as never)).code, "ERR_INVALID_ARG_TYPE");
  for (const value of [-1, -1e-9, Number.NaN, -Infinity])
    assert.equal(thrown(() => end.settimeout(value)).code, "ERR_OUT_OF_RANGE");
  assert.equal(end.gettimeout(), 3);
});

test("setblocking() is settimeout() with none or 0", () => {
  using end = socket();
  end.setblocking(false);
  assert.deepEqual([end.gettimeout(), end.getblocking()], [0, false]);
  end.setblocking(true);
  assert.deepEqual([end.gettimeout(), end.getblocking()], [null, true]);
});

test("recv() rejects with a TimeoutError that says call, time and both ends", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  a.settimeout(0.025);
  const begun = performance.now();
  const error = await rejection(a.recv(1));
  assert.ok(performance.now() - begun >= 23, "not before its time, but for the clocks' grain");
  assert.ok(error instanceof TimeoutError);
  assert.deepEqual(
    [error.code, error.errno, error.syscall, error.seconds],
    ["ETIMEDOUT", ETIMEDOUT, "recv", 0.025],
  );
  assert.deepEqual([error.local, error.remote], [a.getsockname(), a.getpeername()]);
  const ends = /^recv ETIMEDOUT: timed out after 0\.025 s \(127\.0\.0\.1:\d+ → 127\.0\.0\.1:\d+\)$/;
  assert.match(error.message, ends);
});

test("recv() with a timeout below a millisecond waits, for that is no non-blocking mode", async () => {
  using pair = await tcpPair();
  pair.a.settimeout(1e-9);
  assert.equal(await codeOf(pair.a.recv(1)), "ETIMEDOUT");
});

test("recv() with a timeout beyond what timers hold waits as without one", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  a.settimeout(1e9);
  const waiting = a.recv(1);
  await new Promise((resolve) => setTimeout(resolve, 5)); // a timer that overflowed would be due in 1 ms
  await b.sendall("x");
  assert.equal((await waiting).toString(), "x");
});

test("settimeout() is for the calls that follow, not for those that wait", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const patient = a.recv(1);
  a.settimeout(0.001);
  assert.equal(await codeOf(a.recv(1)), "ETIMEDOUT");
  a.settimeout(0);
  await b.sendall("x");
  assert.equal((await patient).toString(), "x");
});

test("settimeout() is not for a call in non-blocking mode that waits for the next turn of the loop", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  a.settimeout(0);
  const codes = Array.from({ length: 3000 }, () => codeOf(a.recv(1))); // more than one turn makes
  a.settimeout(null);
  assert.deepEqual(new Set(await Promise.all(codes)), new Set(["EAGAIN"]));
});

test("a TimeoutError says the time that its call was given, whatever was set since", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  a.settimeout(0.005);
  const waiting = rejection(a.recv(1));
  a.settimeout(null);
  const error = await waiting;
  assert.ok(error instanceof TimeoutError);
  assert.equal(error.seconds, 0.005);
  assert.match(error.message, /timed out after 0\.005 s/);
});

test("accept() rejects with a TimeoutError when nobody comes", async () => {
  using server = create_server(["127.0.0.1", 0]);
  server.settimeout(0.01);
  const error = await rejection(server.accept());
  assert.ok(error.message.startsWith("accept ETIMEDOUT: timed out after 0.01 s ("), error.message);
});

test("connect() rejects with a TimeoutError, and connect_ex() resolves with EAGAIN, when nobody answers", async () => {
  using full = await fullListener();
  using late = socket();
  late.settimeout(0.01);
  const error = await rejection(late.connect(full.address));
  assert.deepEqual([error.name, error.code, error.syscall], ["TimeoutError", "ETIMEDOUT", "connect"]);
  assert.equal(await late.connect_ex(full.address), EAGAIN);
});
