// The addon's functions for messages, called directly with what no sound program passes: every answer is a number,
// nothing is read or written outside of what was given, and the process lives.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as constants from "#dist/constants/index.js";
import { native } from "#dist/native.js";
import { openDescriptors } from "../support/descriptors.ts";

const { AF_UNIX, EBADF, EFAULT, EINVAL, EMSGSIZE, SCM_RIGHTS, SOCK_DGRAM, SOL_SOCKET } = constants;
const functions = native as unknown as Record<string, (...values: unknown[]) => number>;

function detached(): Uint8Array {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  true,
  1.5,
  NaN,
  Infinity,
  -1,
  2 ** 31,
  2 ** 53,
  10n,
  Symbol("x"),
  "x",
  {},
  [],
  [undefined],
  [new Uint8Array(1), 5],
  () => undefined,
  new Uint8Array(0),
  detached(),
  new DataView(new ArrayBuffer(3)),
  new Proxy([], {}),
];

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

const view = (): Uint8Array => new Uint8Array(140);
const SOUND: Readonly<Record<string, (fds: { a: number; b: number }) => unknown[]>> = {
  recvfrom: ({ b }) => [b, Buffer.alloc(8), 0, 8, 0, view()],
  sendto: ({ a }) => [a, Buffer.alloc(8), 0, 8, 0, view(), 0],
  recvmsg: ({ b }) => [b, [Buffer.alloc(8)], view(), new Uint8Array(64), 64, 0],
  sendmsg: ({ a }) => [a, [Buffer.alloc(8)], view(), 0, new Uint8Array(64), 0, 0],
  socketpair: () => [AF_UNIX, SOCK_DGRAM, 0, new Int32Array(2)],
};

test("message functions answer with a number for a hostile value in the place of any argument", () => {
  using fds = pair();
  const before = openDescriptors();
  for (const [name, arguments_] of Object.entries(SOUND)) {
    const call = functions[name] as (...values: unknown[]) => number;
    for (const index of arguments_(fds).keys())
      for (const value of HOSTILE) {
        native.send(fds.a, Buffer.alloc(8), 0, 8, 0);
        const values = arguments_(fds).with(index, value);
        const result = call(...values);
        assert.equal(typeof result, "number", `${name} argument ${index}`);
        if (name === "socketpair" && result === 0) for (const fd of values[3] as Int32Array) native.close(fd);
        while (native.recv(fds.b, Buffer.alloc(8), 0, 8, 0) >= 0);
      }
    assert.ok(call() < 0, `${name} without arguments`);
  }
  assert.deepEqual(openDescriptors(), before);
});

test("message functions keep to the views that they are given", () => {
  using fds = pair();
  native.send(fds.a, Buffer.from("12345678"), 0, 8, 0);
  const small = [view().subarray(0, 131), view().subarray(0, 139), new Uint8Array(0), detached()] as const;
  assert.equal(native.recvfrom(fds.b, Buffer.alloc(8), 0, 8, 0, small[0]), -EFAULT);
  for (const [offset, length] of [
    [0, 9],
    [8, 1],
    [9, 0],
    [-1, 1],
    [0, -1],
    [2 ** 31, 2 ** 31],
  ] as const) {
    assert.equal(native.recvfrom(fds.b, Buffer.alloc(8), offset, length, 0, view()), -EFAULT);
    assert.equal(native.sendto(fds.a, Buffer.alloc(8), offset, length, 0, view(), 0), -EFAULT);
  }
  for (const message of small)
    assert.equal(native.recvmsg(fds.b, [Buffer.alloc(8)], message, new Uint8Array(0), 0, 0), -EFAULT);
  assert.equal(native.recvmsg(fds.b, [], view(), new Uint8Array(8), 9, 0), -EFAULT);
  assert.equal(native.recvmsg(fds.b, [], view(), new Uint8Array(8), -1, 0), -EFAULT);
  assert.equal(native.sendto(fds.a, Buffer.alloc(1), 0, 1, 0, new Uint8Array(2), 3), -EFAULT);
  assert.equal(native.sendmsg(fds.a, [], new Uint8Array(2), 3, new Uint8Array(0), 0, 0), -EFAULT);
  assert.equal(native.sendmsg(fds.a, [], view(), 0, new Uint8Array(2), 3, 0), -EFAULT);
  assert.equal(native.socketpair(AF_UNIX, SOCK_DGRAM, 0, new Int32Array(1)), -EFAULT);
  assert.equal(native.recv(fds.b, Buffer.alloc(8), 0, 8, 0), 8); // nobody has taken it
});

test("recvmsg() and sendmsg() take 1024 views and no more", () => {
  using fds = pair();
  const views = Array.from({ length: 1024 }, () => Buffer.alloc(1, "v"));
  const none = new Uint8Array(0);
  assert.equal(native.sendmsg(fds.a, [...views, none], view(), 0, none, 0, 0), -EMSGSIZE);
  assert.equal(native.sendmsg(fds.a, views, view(), 0, none, 0, 0), 1024);
  assert.equal(native.recvmsg(fds.b, [...views, none], view(), none, 0, 0), -EMSGSIZE);
  assert.equal(native.recvmsg(fds.b, views, view(), none, 0, 0), 1024);
  assert.equal(native.sendmsg(fds.a, { length: 2 ** 32 } as never, view(), 0, none, 0, 0), -EINVAL);
  const sparse = new Array<Uint8Array>(2 ** 31);
  assert.equal(native.sendmsg(fds.a, sparse, view(), 0, none, 0, 0), -EMSGSIZE);
});

test("recvmsg() looks into no view before it has them all: one that detaches another changes nothing", () => {
  using fds = pair();
  native.send(fds.a, Buffer.from("0123456789"), 0, 10, 0);
  const first = new Uint8Array(100);
  const second = new Uint8Array(100);
  const views = [first, second];
  Object.defineProperty(views, 1, {
    get(): Uint8Array {
      structuredClone(first.buffer, { transfer: [first.buffer] });
      return second;
    },
  });
  assert.equal(native.recvmsg(fds.b, views, view(), new Uint8Array(0), 0, 0), 10);
  assert.equal(Buffer.from(second.subarray(0, 10)).toString(), "0123456789");
});

test("recvmsg() answers -EINVAL when taking a view throws, and nothing is thrown", () => {
  using fds = pair();
  const views: Uint8Array[] = [];
  Object.defineProperty(views, 0, {
    get(): never {
      throw new Error("not this time");
    },
  });
  assert.equal(native.recvmsg(fds.b, views, view(), new Uint8Array(0), 0, 0), -EINVAL);
  assert.equal(native.sendmsg(fds.b, views, view(), 0, new Uint8Array(0), 0, 0), -EINVAL);
});

test("sendmsg() passes malformed control data to the kernel, which refuses it", () => {
  using fds = pair();
  const before = openDescriptors();
  for (let length = 1; length <= 64; length++)
    for (const size of [0, 1, 15, 16, 17, 20, 24, 64, 2 ** 31, 2 ** 32 - 1]) {
      const control = new Uint8Array(64);
      const words = new DataView(control.buffer);
      words.setUint32(0, size, true);
      words.setInt32(8, SOL_SOCKET, true);
      words.setInt32(12, SCM_RIGHTS, true);
      words.setInt32(16, 2 ** 30, true); // no such descriptor
      const result = native.sendmsg(fds.a, [Buffer.alloc(1)], view(), 0, control, length, 0);
      assert.equal(typeof result, "number");
      if (result >= 0) assert.equal(native.recv(fds.b, Buffer.alloc(1), 0, 1, 0), 1);
      else assert.ok([-EINVAL, -EBADF].includes(result), `${length} ${size}: ${result}`);
    }
  assert.deepEqual(openDescriptors(), before);
});

test("recvmsg() owns what arrives at any place of the control data, aligned or not", () => {
  using fds = pair();
  const before = openDescriptors();
  const rights = new Uint8Array(24);
  new DataView(rights.buffer).setUint32(0, 20, true);
  new DataView(rights.buffer).setInt32(8, SOL_SOCKET, true);
  new DataView(rights.buffer).setInt32(12, SCM_RIGHTS, true);
  new DataView(rights.buffer).setInt32(16, fds.a, true);
  for (let shift = 0; shift < 16; shift++) {
    assert.equal(native.sendmsg(fds.a, [Buffer.alloc(1)], view(), 0, rights, 24, 0), 1);
    const control = new Uint8Array(64).subarray(shift);
    const message = view();
    assert.equal(native.recvmsg(fds.b, [Buffer.alloc(1)], message, control, 24, 0), 1);
    assert.equal(new DataView(message.buffer).getUint32(136, true), 24);
    const fd = Buffer.from(control.subarray(16, 20)).readInt32LE();
    assert.ok(!before.has(fd));
    assert.equal(native.close(fd), 0);
  }
  assert.deepEqual(openDescriptors(), before);
});
