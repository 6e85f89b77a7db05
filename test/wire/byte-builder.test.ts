// ByteBuilder: what was added comes out in order, as bytes, and without a copy where that was promised.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteBuilder } from "berkeley/wire";

test("ByteBuilder.take() gives text and bytes in the order in which they were added", () => {
  const builder = new ByteBuilder();
  builder.latin1("a\xff");
  builder.bytes(new Uint8Array([1, 2]));
  builder.utf8("ü");
  builder.utf8("b");
  builder.bytes(new Uint8Array(0));
  assert.equal(builder.length, 7);
  assert.deepEqual(builder.take(), Buffer.from([0x61, 0xff, 1, 2, 0xc3, 0xbc, 0x62]));
  assert.equal(builder.length, 0);
  assert.equal(builder.take().length, 0);
});

test("ByteBuilder.takePieces() gives the memory that bytes() was given", () => {
  const builder = new ByteBuilder();
  const bytes = Buffer.from("hello");
  builder.latin1("5\r\n");
  builder.bytes(bytes);
  builder.latin1("\r\n");
  const pieces = builder.takePieces();
  assert.equal(pieces.length, 3);
  assert.equal(pieces[1], bytes);
  assert.equal(Buffer.concat(pieces).toString(), "5\r\nhello\r\n");
  assert.deepEqual(builder.takePieces(), []);
});

test("ByteBuilder.take() gives a single piece as it is, and later text in memory of its own", () => {
  const builder = new ByteBuilder();
  const bytes = Buffer.from("hello");
  builder.bytes(bytes);
  assert.equal(builder.take(), bytes);
  builder.latin1("a");
  const first = builder.take();
  builder.latin1("b");
  assert.equal(builder.take().toString(), "b");
  assert.equal(first.toString(), "a");
});
