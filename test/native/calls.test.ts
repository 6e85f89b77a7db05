// What the addon's functions touch, and what they keep: no byte outside of what was given, events with their numbers as
// they were given, descriptors closed with the environment that owns them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  AF_INET,
  EAGAIN,
  EALREADY,
  EBADF,
  EEXIST,
  ENOENT,
  EPERM,
  IPPROTO_IP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_MSFILTER,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_TYPE,
} from "berkeley";
import { encodeAddress, makeAddressView } from "#dist/socket/address.js";
import { native } from "#dist/native.js";
import { ADDON, loadOnto } from "../support/addon.ts";
import { UNDER_SANITIZERS } from "../support/process.ts";

const READ = 1;
const WRITE = 2;
const END = 4;

/** A connected pair of bare descriptors; closed when disposed. */
function bareTcpPair(): { a: number; b: number } & Disposable {
  const listener = native.socket(AF_INET, SOCK_STREAM, 0);
  const view = makeAddressView();
  assert.equal(native.bind(listener, view, 0, encodeAddress(AF_INET, ["127.0.0.1", 0], view)), 0);
  assert.equal(native.listen(listener, 1), 0);
  assert.equal(native.getsockname(listener, view), 0);
  const a = native.socket(AF_INET, SOCK_STREAM, 0);
  native.connect(a, view, 0, 16); // begun; on loopback it is done when it returns
  const b = native.accept(listener, view);
  assert.ok(b >= 0);
  native.close(listener);
  return {
    a,
    b,
    [Symbol.dispose]() {
      native.close(a);
      native.close(b);
    },
  };
}

test("recv() and send() touch the bytes that they were given and no other", () => {
  using pair = bareTcpPair();
  const from = Buffer.from("0123456789");
  assert.equal(native.send(pair.a, from, 3, 4, 0), 4);
  const into = Buffer.alloc(16, ".");
  assert.equal(native.recv(pair.b, into.subarray(2, 14), 5, 6, 0), 4);
  assert.equal(into.toString(), ".......3456.....");
  assert.equal(native.recv(pair.b, into, 0, 16, 0), -EAGAIN);
  assert.equal(native.send(pair.a, from, 10, 0, 0), 0);
  assert.equal(native.recv(pair.b, into, 16, 0, 0), -EAGAIN, "as recv(2), whatever length");
});

test("getsockopt() and accept() write no byte more than there is room for", () => {
  using pair = bareTcpPair();
  const into = Buffer.alloc(12, ".");
  assert.equal(native.getsockopt(pair.a, SOL_SOCKET, SO_TYPE, into, 4, 2), 2);
  assert.equal(into.subarray(0, 4).toString() + into.subarray(6).toString(), "..........");
  const around = Buffer.alloc(140, ".");
  assert.equal(native.getpeername(pair.a, around.subarray(4, 136)), 0);
  assert.equal(around.subarray(0, 4).toString() + around.subarray(136).toString(), "........");
  assert.equal(around.readUInt32LE(132), 16, "the length of the address");
});

test("recv() and send() take a view of more than 4 GiB", {
  skip: UNDER_SANITIZERS && "sanitizers hold no such view",
}, () => {
  using pair = bareTcpPair();
  const size = 2 ** 32 + 100;
  const wide = new Uint16Array(size / 2); // the system gives memory only where it is touched
  const end = new Uint8Array(wide.buffer, 2 ** 32);
  end.set([1, 2, 3], 50);
  assert.equal(native.send(pair.a, wide, size - 50, 3, 0), 3);
  assert.equal(native.recv(pair.b, wide, 2 ** 32, 100, 0), 3);
  assert.deepEqual([...end.subarray(0, 3)], [1, 2, 3]);
  assert.equal(native.send(pair.a, Buffer.of(7), 0, 1, 0), 1);
  assert.equal(native.recv(pair.b, wide, 0, size, 0), 1);
  assert.equal(wide[0], 7);
});

/** The events of a poller as [bits, index, generation]. */
function eventsOf(poller: number, room = 16): number[][] {
  const words = new Uint32Array(room * 3);
  const count = native.readiness_wait(poller, words);
  assert.ok(count >= 0);
  return Array.from({ length: count }, (_, at) => [...words.subarray(at * 3, at * 3 + 3)]);
}

test("readiness tells each change once, and what is ready when it is asked anew", () => {
  using pair = bareTcpPair();
  const poller = native.readiness_open();
  assert.equal(native.readiness_watch(poller, pair.a, READ, 4_000_000_000, 2 ** 32 - 1), 0);
  assert.equal(native.readiness_watch(poller, pair.a, READ, 1, 1), -EEXIST);
  assert.deepEqual(eventsOf(poller), []);
  native.send(pair.b, Buffer.from("x"), 0, 1, 0);
  assert.deepEqual(eventsOf(poller), [[READ, 4_000_000_000, 2 ** 32 - 1]]);
  assert.deepEqual(eventsOf(poller), [], "edge-triggered");
  assert.equal(native.readiness_change(poller, pair.a, READ | WRITE, 5, 6), 0);
  assert.deepEqual(eventsOf(poller), [[READ | WRITE, 5, 6]]);
  native.shutdown(pair.b, SHUT_WR);
  assert.deepEqual(eventsOf(poller), [[READ | WRITE | END, 5, 6]]);
  assert.equal(native.readiness_forget(poller, pair.a), 0);
  assert.equal(native.readiness_forget(poller, pair.a), -ENOENT);
  assert.equal(native.readiness_change(poller, pair.a, READ, 5, 6), -ENOENT);
  native.send(pair.b, Buffer.from("x"), 0, 1, 0);
  assert.deepEqual(eventsOf(poller), []);
  native.close(poller);
});

test("readiness_watch() refuses a descriptor that has no readiness, and the poller itself", () => {
  const poller = native.readiness_open();
  const other = native.readiness_open();
  assert.ok([-EPERM, -EBADF].includes(native.readiness_watch(poller, 0x7fff, READ, 1, 1)));
  assert.ok(native.readiness_watch(poller, poller, READ, 1, 1) < 0);
  assert.equal(native.readiness_wait(0x7fff, new Uint32Array(3)), -EBADF);
  native.close(other);
  native.close(poller);
});

test("readiness_wait() fills whole events only, and leaves for the next call what has no room", () => {
  const pairs = Array.from({ length: 5 }, () => bareTcpPair());
  const poller = native.readiness_open();
  pairs.forEach(({ a }, at) => native.readiness_watch(poller, a, WRITE, at, 1));
  const into = Buffer.alloc(2 * 12 + 11, ".");
  assert.equal(native.readiness_wait(poller, into as unknown as Uint32Array), 2);
  assert.equal(into.subarray(24).toString(), ".".repeat(11));
  const seen = [
    into.readUInt32LE(4),
    into.readUInt32LE(16),
    ...eventsOf(poller).map(([, index]) => index as number),
  ];
  assert.deepEqual(new Set(seen), new Set([0, 1, 2, 3, 4]));
  for (const pair of pairs) pair[Symbol.dispose]();
  native.close(poller);
});

test("loop_start() calls back while the descriptor is readable, once an environment", async () => {
  const fresh = {} as typeof native;
  loadOnto(fresh);
  using pair = bareTcpPair();
  let calls = 0;
  await new Promise<void>((resolve) => {
    const started = fresh.loop_start(pair.a, () => {
      calls++;
      native.recv(pair.a, Buffer.alloc(10), 0, 10, 0);
      resolve();
    });
    assert.equal(started, 0);
    assert.equal(
      fresh.loop_start(pair.b, () => undefined),
      -EALREADY,
    );
    assert.equal(fresh.loop_ref(), 0);
    native.send(pair.b, Buffer.from("x"), 0, 1, 0);
  });
  assert.equal(fresh.loop_unref(), 0);
  assert.equal(fresh.loop_unref(), 0);
  assert.equal(calls, 1);
});

/** What a worker does with descriptors before it ends. */
async function inWorker(source: string, fds: readonly number[]): Promise<void> {
  const worker = new Worker(
    `const { workerData: { path, fds } } = require("node:worker_threads");
     const module_ = { exports: {} }; process.dlopen(module_, path); const native = module_.exports; ${source}`,
    { eval: true, workerData: { path: ADDON, fds } },
  );
  await new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", resolve);
  });
}

test("a descriptor that a worker adopted is closed when it ends, one that it gave away is not", async () => {
  using pair = bareTcpPair();
  native.disown(pair.a);
  native.disown(pair.b);
  await inWorker("native.adopt(fds[0]); native.adopt(fds[1]); native.disown(fds[1]);", [pair.a, pair.b]);
  assert.equal(native.get_inheritable(pair.a), -EBADF);
  assert.equal(native.get_inheritable(pair.b), 0);
  assert.equal(native.recv(pair.b, Buffer.alloc(1), 0, 1, 0), 0, "it sees the end of the other");
});

test("a descriptor that was closed is not closed again when its worker ends", async () => {
  const victim = native.socket(AF_INET, SOCK_STREAM, 0);
  const number = victim;
  native.close(victim);
  // The worker opens and closes the same number; then it is ours again, and must outlive the worker.
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { workerData: { path, gate } } = require("node:worker_threads");
     const module_ = { exports: {} }; process.dlopen(module_, path); const native = module_.exports;
     const fd = native.socket(2, 1, 0); native.close(fd); Atomics.store(gate, 1, fd);
     Atomics.store(gate, 0, 1); Atomics.notify(gate, 0); Atomics.wait(gate, 0, 1);`,
    { eval: true, workerData: { path: ADDON, gate } },
  );
  await new Promise((resolve) => worker.once("online", resolve));
  Atomics.wait(gate, 0, 0);
  const taken = Atomics.load(gate, 1);
  const ours: number[] = [];
  while (!ours.includes(taken) && ours.length < 64) ours.push(native.socket(AF_INET, SOCK_STREAM, 0));
  Atomics.store(gate, 0, 2);
  Atomics.notify(gate, 0);
  await new Promise((resolve) => worker.once("exit", resolve));
  assert.ok(ours.includes(taken), `${number} or another number was taken anew`);
  for (const fd of ours) assert.equal(native.close(fd), 0);
});

test("getsockopt() lets the kernel write no more than the view holds, also where a count in it would say so", () => {
  const fd = native.socket(AF_INET, SOCK_DGRAM, 0);
  // struct ip_mreq_source: group, interface, source.
  for (let source = 1; source <= 8; source++) {
    const request = Uint8Array.of(239, 1, 1, 1, 127, 0, 0, 1, 10, 0, 0, source);
    assert.equal(native.setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, request, 0, 12), 0);
  }
  const memory = new Uint8Array(256).fill(0xee);
  // struct ip_msfilter: group, interface, mode, how many sources there is room for.
  memory.set([239, 1, 1, 1, 127, 0, 0, 1]);
  new Uint32Array(memory.buffer, 8, 2).set([1, 32]);
  native.getsockopt(fd, IPPROTO_IP, IP_MSFILTER, memory, 0, 16);
  assert.ok(memory.subarray(16).every((byte) => byte === 0xee));
  native.close(fd);
});
