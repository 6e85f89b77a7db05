// The bytes of control messages, as cmsg(3) has them, and what becomes of bytes that do not hold together.

import assert from "node:assert/strict";
import { endianness } from "node:os";
import { test } from "node:test";
import { CMSG_LEN, CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET, SO_TIMESTAMP } from "berkeley";
import { decodeAncillary, descriptorsIn, encodeAncillary } from "#dist/socket/ancillary.js";
import { random } from "../support/ask-python.ts";

const little64 = process.arch === "x64" || (process.arch === "arm64" && endianness() === "LE");
const skip = little64 && process.platform === "linux" ? false : "bytes of Linux on 64 bits, little-endian";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

test("encodeAncillary() lays a control message out as struct cmsghdr, padded", { skip }, () => {
  const control = encodeAncillary([[SOL_SOCKET, SCM_RIGHTS, Int32Array.of(5)]]);
  //                          cmsg_len: 20       level    type     data     padding
  assert.equal(hex(control), "1400000000000000 01000000 01000000 05000000 00000000".replaceAll(" ", ""));
  assert.equal(control.length, CMSG_SPACE(4));
});

test("encodeAncillary() lays several control messages out one after the other", { skip }, () => {
  const control = encodeAncillary([
    [1, 2, Buffer.from("abcdefgh")],
    [-1, 2 ** 32 - 1, ""],
    [41, 50, "x"],
  ]);
  assert.equal(
    hex(control),
    [
      "1800000000000000 01000000 02000000 6162636465666768",
      "1000000000000000 ffffffff ffffffff",
      "1100000000000000 29000000 32000000 7800000000000000",
    ]
      .join("")
      .replaceAll(" ", ""),
  );
});

test("encodeAncillary() of nothing is no bytes", () => {
  assert.equal(encodeAncillary([]).length, 0);
});

test("encodeAncillary() refuses what is no control message", () => {
  const wrong = (value: unknown): never => value as never;
  const type = { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" };
  assert.throws(() => encodeAncillary(wrong(5)), type);
  assert.throws(() => encodeAncillary(wrong(null)), type);
  assert.throws(() => encodeAncillary(wrong([5])), type);
  assert.throws(() => encodeAncillary(wrong([[1, 2]])), type);
  assert.throws(() => encodeAncillary(wrong([[1, 2, 3]])), type);
  assert.throws(() => encodeAncillary(wrong([["1", 2, "x"]])), type);
  assert.throws(() => encodeAncillary([[2 ** 32, 2, "x"]]), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
});

const bytesOf = (next: (below: number) => number, most: number): Uint8Array =>
  Uint8Array.from({ length: next(most + 1) }, () => next(256));

test("decodeAncillary() reads what encodeAncillary() wrote, whatever it is", () => {
  for (let seed = 0; seed < 500; seed++) {
    const next = random(seed);
    const int = (): number => next(2 ** 32) - 2 ** 31;
    const items = Array.from({ length: next(8) }, () => [int(), int(), bytesOf(next, 40)] as const);
    const control = encodeAncillary(items);
    assert.deepEqual(
      decodeAncillary(control, control.length),
      items.map(([level, type, data]) => [level, type, Buffer.from(data)]),
      `seed ${seed}`,
    );
  }
});

test("decodeAncillary() gives a message that was cut for want of room what data it has", { skip }, () => {
  // What the kernel writes when 5 of 8 bytes fit: cmsg_len says 21, and that is where the buffer ends.
  const control = unhex("1500000000000000 01000000 02000000 6162636465");
  assert.deepEqual(decodeAncillary(control, control.length), [[1, 2, Buffer.from("abcde")]]);
});

for (const [what, bytes] of Object.entries({
  "is shorter than a header": "1400000000000000 01000000 010000",
  "says to be shorter than its header": "0f00000000000000 01000000 01000000 05000000 00000000",
  "says to be of no length": "0000000000000000 01000000 01000000 05000000 00000000",
  "says to be longer than there is": "1900000000000000 01000000 01000000 05000000 00000000",
  "says to be longer than any memory": "ffffffff00000000 01000000 01000000 05000000 00000000",
}))
  test(`decodeAncillary() ends at a message that ${what}`, { skip }, () => {
    const good = encodeAncillary([[1, SO_TIMESTAMP, "12345678"]]);
    const control = Buffer.concat([good, unhex(bytes)]);
    assert.deepEqual(decodeAncillary(control, control.length), [[1, SO_TIMESTAMP, Buffer.from("12345678")]]);
    assert.deepEqual(descriptorsIn(control, control.length), []);
  });

test("decodeAncillary() and descriptorsIn() look at nothing outside of what was written", () => {
  for (let seed = 0; seed < 5000; seed++) {
    const next = random(seed);
    const control = bytesOf(next, 200);
    // Lengths that could be: most random ones end the list at once.
    for (let at = 0; at + 16 <= control.length; at += 16 + 8 * next(4))
      control.fill(0, at, at + 8)[at] = next(64);
    const length = next(400);
    const room = Math.min(length, control.length);
    const total = decodeAncillary(control, length).reduce((sum, [, , data]) => sum + data.length, 0);
    assert.ok(total <= room, `seed ${seed}`);
    assert.ok(descriptorsIn(control, length).length * 4 <= room, `seed ${seed}`);
  }
});

test("decodeAncillary() gives data that nobody else sees", () => {
  const control = encodeAncillary([[1, 2, "abc"]]);
  const [item] = decodeAncillary(control, control.length);
  control.fill(0);
  assert.equal(item?.[2].toString(), "abc");
  assert.equal(item?.[2].buffer.byteLength, 3);
});

test("descriptorsIn() finds the descriptors of SCM_RIGHTS only, without a remainder", () => {
  const control = encodeAncillary([
    [SOL_SOCKET, SCM_RIGHTS, Int32Array.of(5, 7)],
    [SOL_SOCKET + 1, SCM_RIGHTS, Int32Array.of(8)],
    [SOL_SOCKET, SCM_RIGHTS, Buffer.concat([Buffer.from(Int32Array.of(9).buffer), Buffer.from("xy")])],
    [SOL_SOCKET, SO_TIMESTAMP, Int32Array.of(10)],
  ]);
  assert.deepEqual(descriptorsIn(control, control.length), [5, 7, 9]);
});

test("CMSG_LEN() and CMSG_SPACE() are what encodeAncillary() takes", () => {
  for (let length = 0; length < 20; length++) {
    const one = encodeAncillary([[1, 2, new Uint8Array(length)]]);
    const two = encodeAncillary([
      [1, 2, new Uint8Array(length)],
      [1, 2, new Uint8Array(length)],
    ]);
    assert.equal(one.length, CMSG_SPACE(length));
    assert.ok(CMSG_LEN(length) <= one.length);
    assert.equal(two.length, 2 * CMSG_SPACE(length));
  }
});
