// The addon's poll and select, called directly with what no sound program passes: every answer is a value or -errno, and
// nothing is read or written outside of what was given. None of these calls is let wait.

import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { EBADF, EFAULT, EINVAL, POLLIN, POLLNVAL } from "#dist/constants/index.js";
import { native } from "#dist/native.js";

const { poll, select } = native as unknown as Record<"poll" | "select", (...values: unknown[]) => number>;

function detached(bytes: number): Uint8Array {
  const view = new Uint8Array(bytes);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

test("poll() refuses what is no view and no number", () => {
  for (const fds of [undefined, null, 1, "x", {}, new ArrayBuffer(8)]) assert.equal(poll(fds, 0), -EINVAL);
  for (const ms of [undefined, null, "0", 0.5, NaN, 2 ** 31])
    assert.equal(poll(new Int32Array(2), ms), -EINVAL);
  assert.equal(poll(), -EINVAL);
});

test("poll() of a view that is empty, detached or not whole looks at nothing more than is there", () => {
  assert.equal(poll(new Uint8Array(0), 0), 0);
  assert.equal(poll(detached(8), 0), 0);
  const words = new Int32Array([1 << 20, POLLIN, 1 << 20]);
  assert.equal(poll(words, 0), 1);
  assert.equal(words[1], POLLIN | (POLLNVAL << 16));
  assert.equal(words[2], 1 << 20);
  assert.equal(poll(new Uint8Array(words.buffer, 1, 9), 0) >= 0, true, "not aligned");
});

test("poll() of a million descriptors is refused by the system, or answered", () => {
  const result = poll(new Int32Array(2_000_000).fill(-1), 0);
  assert.ok(result === 0 || result === -EINVAL, String(result));
});

test("select() refuses sets that are no views, or too small, and counts and times out of range", () => {
  const sets = (): Uint8Array[] => [new Uint8Array(128), new Uint8Array(128), new Uint8Array(128)];
  assert.equal(select(0, ...sets(), 0), 0);
  for (const bad of [undefined, null, 1, "x".repeat(200), {}, new ArrayBuffer(128)])
    for (let at = 0; at < 3; at++) assert.equal(select(0, ...sets().with(at, bad as never), 0), -EINVAL);
  for (const small of [new Uint8Array(127), detached(128)])
    for (let at = 0; at < 3; at++) assert.equal(select(0, ...sets().with(at, small), 0), -EFAULT);
  for (const count of [-1, 1025, 2 ** 31, 0.5, "1"]) assert.equal(select(count, ...sets(), 0), -EINVAL);
  for (const ms of [-1, 0.5, 2 ** 31, undefined]) assert.equal(select(0, ...sets(), ms), -EINVAL);
});

test("select() of a descriptor that is not open is EBADF, and leaves the sets alone", () => {
  // Just closed: of numbers that no descriptor ever had Linux's select(2) takes no notice (its BUGS tell).
  const fd = openSync("/dev/null", "r");
  closeSync(fd);
  const read = new Uint8Array(128);
  read[fd >> 3] = 1 << (fd & 7);
  assert.equal(select(fd + 1, read, new Uint8Array(128), new Uint8Array(128), 0), -EBADF);
  assert.equal(read[fd >> 3], 1 << (fd & 7));
});
