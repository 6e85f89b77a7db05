// ByteQueue: what is pushed comes out as it was, however it was cut, and stays as it was.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteQueue } from "berkeley/wire";
import { Random } from "../support/random.ts";

test("ByteQueue.take() gives what was pushed, in order, when it comes and goes in random pieces", () => {
  const random = new Random();
  for (let round = 0; round < 200; round++) {
    const whole = Buffer.from(Array.from({ length: random.below(2000) }, () => random.below(256)));
    const queue = new ByteQueue();
    const out: { view: Buffer; copy: Buffer }[] = [];
    for (let at = 0; at < whole.length; ) {
      const end = Math.min(whole.length, at + 1 + random.below(random.below(2) === 0 ? 3 : 700));
      queue.push(Buffer.from(whole.subarray(at, end)));
      at = end;
      if (random.below(2) === 0) {
        const view = queue.take(random.below(600));
        out.push({ view, copy: Buffer.from(view) });
      }
    }
    const rest = queue.take();
    assert.deepEqual(Buffer.concat([...out.map(({ copy }) => copy), rest]), whole, `seed ${random.seed}`);
    assert.equal(queue.length, 0);
    for (const { view, copy } of out)
      assert.deepEqual(view, copy, `what was taken changed: seed ${random.seed}`);
  }
});

test("ByteQueue.take() gives the memory that was pushed when nothing was left over", () => {
  const queue = new ByteQueue();
  const bytes = Buffer.from("hello");
  queue.push(bytes);
  assert.equal(queue.take().buffer, bytes.buffer);
});

test("ByteQueue.push() takes a Uint8Array that is no Buffer", () => {
  const queue = new ByteQueue();
  queue.push(new Uint8Array([104, 105]));
  assert.equal(queue.take().toString(), "hi");
});

test("ByteQueue.push() of single bytes moves each byte a bounded number of times", () => {
  const queue = new ByteQueue();
  const memories = new Set<ArrayBufferLike>();
  for (let count = 0; count < 100_000; count++) {
    queue.push(Buffer.of(count & 255));
    memories.add(queue.peek(1).buffer);
  }
  assert.equal(queue.length, 100_000);
  assert.ok(memories.size < 20, `${memories.size} memories`);
});

test("ByteQueue.indexOf() and at() count from the front, past what was taken", () => {
  const queue = new ByteQueue();
  queue.push(Buffer.from("ab\r\ncd"));
  queue.push(Buffer.from("\r\n"));
  assert.equal(queue.indexOf(10), 3);
  queue.skip(4);
  assert.equal(queue.indexOf(Buffer.from("\r\n")), 2);
  assert.equal(queue.indexOf(10, 4), -1);
  assert.equal(queue.at(0), 99);
  assert.equal(queue.at(4), undefined);
});

test("ByteQueue.peek(), take() and skip() take all when asked for more than is queued", () => {
  const queue = new ByteQueue();
  queue.push(Buffer.from("abc"));
  assert.equal(queue.peek(9).toString(), "abc");
  assert.equal(queue.take(9).toString(), "abc");
  queue.skip(3);
  assert.equal(queue.take(1).length, 0);
});
