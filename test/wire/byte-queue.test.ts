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
    memories.add(queue.peek().buffer);
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

test("ByteQueue answers as one piece of memory would, whatever is pushed, asked and taken", () => {
  const random = new Random();
  for (let round = 0; round < 300; round++) {
    const queue = new ByteQueue();
    let model = Buffer.alloc(0);
    const given: { view: Buffer; copy: Buffer }[] = [];
    for (let step = 0; step < 60; step++) {
      const told = `seed ${random.seed}, round ${round}, step ${step}`;
      const count = random.below(random.onceIn(3) ? 5000 : 20);
      switch (random.below(7)) {
        case 0:
        case 1: {
          // Few values, so that sequences are found, also across the ends of pieces.
          const bytes = Buffer.from(Array.from({ length: count }, () => random.below(3)));
          queue.push(bytes);
          model = Buffer.concat([model, bytes]);
          break;
        }
        case 2: {
          const view = queue.take(count);
          given.push({ view, copy: Buffer.from(view) });
          assert.deepEqual(view, model.subarray(0, count), told);
          model = model.subarray(count);
          break;
        }
        case 3:
          queue.skip(count);
          model = model.subarray(count);
          break;
        case 4:
          assert.equal(queue.at(count), model[count], told);
          break;
        case 5: {
          const what = Buffer.from(Array.from({ length: 1 + random.below(9) }, () => random.below(3)));
          assert.equal(queue.indexOf(what, count), model.indexOf(what, count), told);
          assert.equal(queue.indexOf(2, count), model.indexOf(2, count), told);
          assert.equal(queue.indexOf(9), -1, told);
          break;
        }
        default:
          if (random.onceIn(2)) assert.deepEqual(queue.peek(count), model.subarray(0, count), told);
          else assert.deepEqual(queue.memory.subarray(queue.start, queue.end), model, told);
      }
      assert.equal(queue.length, model.length, told);
    }
    for (const { view, copy } of given)
      assert.deepEqual(view, copy, `seed ${random.seed}: it was written again`);
  }
});

test("ByteQueue.take() across the end of a chunk moves what is taken and not the chunk", () => {
  const queue = new ByteQueue();
  queue.push(Buffer.alloc(100, 1));
  const chunk = Buffer.alloc(65_536, 2);
  queue.push(chunk);
  assert.equal(queue.take(1000).buffer.byteLength, 1000);
  assert.equal(queue.take(1000).buffer, chunk.buffer);
});
