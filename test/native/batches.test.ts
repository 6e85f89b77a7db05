// recvmmsg and sendmmsg of the addon, called directly with what no sound program passes: every answer is a number,
// nothing is read or written outside of what was given, and no descriptor stays open that nobody knows.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as constants from "#dist/constants/index.js";
import { BATCH_MESSAGES_MAX, OUTGOING_WORDS, RECEIVED_WORDS } from "#dist/native/batches.js";
import { native } from "#dist/native.js";
import { EMPTIED, NEITHER, NO_INTS, OUTSIDE, SOUND, ran } from "../support/addon.ts";
import { isOpen, openDescriptors } from "../support/descriptors.ts";

const { AF_UNIX, EAGAIN, EFAULT, EINVAL, MSG_CTRUNC, SCM_RIGHTS, SOCK_DGRAM, SOL_SOCKET } = constants;
const functions = native as unknown as Record<"recvmmsg" | "sendmmsg", (...values: unknown[]) => number>;

/** A pair of connected datagram sockets, closed when disposed. */
function pair(): Disposable & { readonly a: number; readonly b: number } {
  const fds = new Int32Array(2);
  assert.equal(native.socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
  const [a, b] = [...fds] as [number, number];
  return {
    a,
    b,
    [Symbol.dispose](): void {
      native.close(a);
      native.close(b);
    },
  };
}

const COUNT = 3;
const SIZE = 8;
const CONTROL = 32;
/** Arguments that are sound. */
const sound = {
  recvmmsg: (fd: number): unknown[] => [
    fd,
    new Uint8Array(COUNT * SIZE),
    SIZE,
    new Uint32Array(COUNT * RECEIVED_WORDS),
    new Uint8Array(COUNT * CONTROL),
    CONTROL,
    COUNT,
    0,
  ],
  sendmmsg: (fd: number): unknown[] => [
    fd,
    new Uint8Array(64),
    new Uint8Array(128),
    new Uint8Array(64),
    Uint32Array.from({ length: COUNT * OUTGOING_WORDS }, (_, word) => (word % OUTGOING_WORDS === 1 ? 4 : 0)),
    COUNT,
    0,
  ],
};

function empty(fd: number): void {
  while (native.recv(fd, Buffer.alloc(8), 0, 8, 0) >= 0);
}

for (const name of ["recvmmsg", "sendmmsg"] as const)
  test(`${name} answers with a number for a hostile value in the place of any argument`, () => {
    using fds = pair();
    const before = openDescriptors();
    ran.times = 0;
    const hostile = [...NEITHER, ...NO_INTS, ...OUTSIDE, ...Object.values(EMPTIED).map((make) => make())];
    for (const index of sound[name](fds.a).keys())
      for (const value of hostile) {
        native.send(fds.a, Buffer.alloc(8), 0, 8, 0);
        const values = sound[name](name === "recvmmsg" ? fds.b : fds.a).with(index, value);
        assert.equal(typeof functions[name](...values), "number", `argument ${index}`);
        empty(fds.b);
      }
    assert.ok(functions[name]() < 0);
    assert.equal(ran.times, 0);
    assert.deepEqual(openDescriptors(), before);
  });

test("recvmmsg and sendmmsg take views of every kind", () => {
  using fds = pair();
  for (const make of Object.values(SOUND)) {
    const table = Uint32Array.of(0, 256, 0, 0, 0, 0);
    const [data, names, control] = [make(), make(), make()];
    assert.equal(functions.sendmmsg(fds.a, data, names, control, table, 1, 0), 1);
    assert.equal(functions.recvmmsg(fds.b, make(), 256, make(), make(), 256, 1, 0), 1);
  }
});

test("recvmmsg fails with EFAULT where a view is too small for all messages, and takes none", () => {
  using fds = pair();
  native.send(fds.a, Buffer.alloc(8), 0, 8, 0);
  const given = sound.recvmmsg(fds.b);
  for (const [index, smaller] of [
    [1, new Uint8Array(COUNT * SIZE - 1)],
    [3, new Uint8Array(COUNT * RECEIVED_WORDS * 4 - 1)],
    [4, new Uint8Array(COUNT * CONTROL - 1)],
  ] as const)
    assert.equal(functions.recvmmsg(...given.with(index, smaller)), -EFAULT, `argument ${index}`);
  for (const size of [2 ** 31 - 1, 2 ** 30])
    for (const index of [2, 5]) assert.equal(functions.recvmmsg(...given.with(index, size)), -EFAULT);
  for (const size of [-1, -(2 ** 31)])
    for (const index of [2, 5]) assert.equal(functions.recvmmsg(...given.with(index, size)), -EINVAL);
  for (const count of [0, -1, BATCH_MESSAGES_MAX + 1, 2 ** 31 - 1])
    assert.equal(functions.recvmmsg(...given.with(6, count)), -EINVAL);
  assert.equal(functions.recvmmsg(...given), 1);
  assert.equal(functions.recvmmsg(...given), -EAGAIN);
});

test("recvmmsg takes as many messages as it may at once, with no room for bytes and control data too", () => {
  using fds = pair();
  const headers = new Uint32Array(BATCH_MESSAGES_MAX * RECEIVED_WORDS);
  native.send(fds.a, Buffer.alloc(8), 0, 8, 0);
  const none = new Uint8Array(0);
  assert.equal(functions.recvmmsg(fds.b, none, 0, headers, none, 0, BATCH_MESSAGES_MAX, 0), 1);
});

test("sendmmsg fails with EFAULT where a message lies outside of its view, and sends none", () => {
  using fds = pair();
  const given = sound.sendmmsg(fds.a);
  for (const [word, view] of [
    [0, 64],
    [2, 128],
    [4, 64],
  ] as const)
    for (const [at, length] of [
      [view, 1],
      [0, view + 1],
      [view + 1, 0],
      [2 ** 32 - 1, 1],
      [1, 2 ** 32 - 1],
      [2 ** 32 - 1, 2 ** 32 - 1],
    ] as const)
      for (const message of [0, COUNT - 1]) {
        const table = Uint32Array.from(given[4] as Uint32Array);
        table.set([at, length], message * OUTGOING_WORDS + word);
        assert.equal(functions.sendmmsg(...given.with(4, table)), -EFAULT, `${word} ${at} ${length}`);
      }
  const short = new Uint8Array(COUNT * OUTGOING_WORDS * 4 - 1);
  assert.equal(functions.sendmmsg(...given.with(4, short)), -EFAULT);
  for (const count of [0, -1, BATCH_MESSAGES_MAX + 1, 2 ** 31 - 1])
    assert.equal(functions.sendmmsg(...given.with(5, count)), -EINVAL);
  assert.equal(native.recv(fds.b, Buffer.alloc(8), 0, 8, 0), -EAGAIN);
});

test("sendmmsg passes an address and control data of any length to the kernel, which refuses what is wrong", () => {
  using fds = pair();
  const before = openDescriptors();
  const big = new Uint8Array(4096).fill(0xff);
  for (const length of [1, 2, 15, 16, 109, 110, 111, 128, 129, 4096])
    for (const word of [2, 4]) {
      const table = Uint32Array.of(0, 1, 0, 0, 0, 0);
      table[word + 1] = length;
      const result = functions.sendmmsg(fds.a, big, big, big, table, 1, 0);
      // Less than a header is no control data to it.
      if (word === 4 && length < 16) assert.equal(result, 1);
      else assert.ok(result < 0, `${word} ${length}: ${result}`);
    }
  assert.deepEqual(openDescriptors(), before);
});

test("recvmmsg owns the descriptors of every message, at any place of its control data", () => {
  using fds = pair();
  const before = openDescriptors();
  const rights = new Uint8Array(24);
  const words = new DataView(rights.buffer);
  words.setUint32(0, 20, true);
  words.setInt32(8, SOL_SOCKET, true);
  words.setInt32(12, SCM_RIGHTS, true);
  words.setInt32(16, fds.a, true);
  for (const size of [24, 25, 31, 32]) {
    for (let i = 0; i < COUNT; i++)
      assert.equal(native.sendmsg(fds.a, [Buffer.alloc(1)], rights, 0, rights, 24, 0), 1);
    const control = new Uint8Array(COUNT * size + 1).subarray(1);
    const headers = new Uint32Array(COUNT * RECEIVED_WORDS);
    const data = new Uint8Array(COUNT);
    assert.equal(functions.recvmmsg(fds.b, data, 1, headers, control, size, COUNT, 0), COUNT);
    for (let i = 0; i < COUNT; i++) {
      assert.equal(headers[i * RECEIVED_WORDS + 34], 24);
      assert.equal((headers[i * RECEIVED_WORDS + 33] as number) & MSG_CTRUNC, 0);
      const fd = Buffer.from(control.subarray(i * size + 16, i * size + 20)).readInt32LE();
      assert.ok(!before.has(fd) && isOpen(fd));
      assert.equal(native.close(fd), 0);
    }
  }
  assert.deepEqual(openDescriptors(), before);
});
