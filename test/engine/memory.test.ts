// No pointer outlives the call: whatever a program does with its buffer while an operation waits, the operation ends
// with EFAULT or with the right bytes, and what it did not take is still there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { NARROW, TOO_MUCH, pattern, rejection, tcpPair } from "../support/pair.ts";

const LENGTH = 4096;

/** Memory of so many bytes, and what is done to it while the operation waits. */
interface Mischief {
  readonly view: ArrayBufferView<ArrayBuffer>;
  readonly change: () => void;
}
/** How the operation may end: "any bytes" where the program changed the bytes themselves. */
type Ends = "EFAULT" | "bytes" | "any bytes";

function transferred(view: ArrayBufferView<ArrayBuffer>): Mischief {
  return { view, change: () => void structuredClone(view.buffer, { transfer: [view.buffer] }) };
}

function resized(length: number, offset: number, to: readonly number[], fixed?: number): Mischief {
  const buffer = new ArrayBuffer(offset + length, { maxByteLength: (offset + length) * 2 });
  const view = fixed === undefined ? new Uint8Array(buffer, offset) : new Uint8Array(buffer, offset, fixed);
  return {
    view,
    change() {
      for (const size of to) buffer.resize(size);
    },
  };
}

const MISCHIEF: Readonly<Record<string, readonly [Ends, (length: number) => Mischief]>> = {
  "is transferred by structuredClone()": ["EFAULT", (length) => transferred(new Uint8Array(length))],
  "is transferred under a DataView": [
    "EFAULT",
    (length) => transferred(new DataView(new ArrayBuffer(length))),
  ],
  "is transferred by postMessage()": [
    "EFAULT",
    (length) => {
      const view = new Uint8Array(length);
      const { port1, port2 } = new MessageChannel();
      return {
        view,
        change() {
          port1.postMessage(view.buffer, [view.buffer]);
          port1.close();
          port2.close();
        },
      };
    },
  ],
  "is resized to nothing": ["EFAULT", (length) => resized(length, 0, [0])],
  "shrinks by a byte": ["EFAULT", (length) => resized(length, 0, [length - 1])],
  "shrinks under a view of fixed length": ["EFAULT", (length) => resized(length, 0, [length - 1], length)],
  "shrinks below the view's offset": ["EFAULT", (length) => resized(length, 8, [4], length)],
  grows: ["bytes", (length) => resized(length, 0, [length * 2])],
  "shrinks and grows again": ["any bytes", (length) => resized(length, 0, [0, length])],
  "is a shared one that grows": [
    "bytes",
    (length) => {
      const buffer = new SharedArrayBuffer(length, { maxByteLength: length * 2 });
      const view = new Uint8Array(buffer) as unknown as Uint8Array<ArrayBuffer>;
      return { view, change: () => buffer.grow(length * 2) };
    },
  ],
  "is a WebAssembly memory that grows": [
    "EFAULT",
    (length) => {
      const memory = new WebAssemblyMemory({ initial: (length >> 16) + 1 });
      return { view: new Uint8Array(memory.buffer, 16, length), change: () => void memory.grow(1) };
    },
  ],
  "is filled with other bytes": [
    "any bytes",
    (length) => {
      const view = new Uint8Array(length);
      return { view, change: () => void view.fill(1) };
    },
  ],
};

/** In the global scope of Node, but in no library of TypeScript's without a browser's. */
const WebAssemblyMemory = (
  globalThis as unknown as {
    WebAssembly: {
      Memory: new (pages: { initial: number }) => { buffer: ArrayBuffer; grow: (pages: number) => number };
    };
  }
).WebAssembly.Memory;

function whole(view: ArrayBufferView, length = view.byteLength): Buffer {
  return Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, length);
}

for (const [what, [ends, make]] of Object.entries(MISCHIEF)) {
  test(`recv_into() that waits ends with ${ends} when its buffer ${what}`, async () => {
    using pair = await tcpPair();
    const { a, b } = pair;
    const bytes = pattern(LENGTH);
    const { view, change } = make(LENGTH);
    const waiting = a.recv_into(view);
    change();
    await b.sendall(bytes);
    if (ends === "EFAULT") {
      assert.equal((await rejection(waiting)).code, "EFAULT");
      assert.ok((await receiveExactly(a, LENGTH)).equals(bytes), "they wait for the next call");
    } else {
      const count = await waiting;
      assert.ok(whole(view, count).equals(bytes.subarray(0, count)));
      assert.ok((await receiveExactly(a, LENGTH - count)).equals(bytes.subarray(count)));
    }
  });

  test(`sendall() that waits ends with ${ends} when its buffer ${what}`, async () => {
    using pair = await tcpPair(NARROW);
    const { a, b } = pair;
    const bytes = pattern(TOO_MUCH);
    const { view, change } = make(TOO_MUCH);
    whole(view).set(bytes);
    const waiting = a.sendall(view);
    change();
    const received = receiveToEnd(b);
    let went: number | undefined = TOO_MUCH;
    if (ends === "EFAULT") {
      const error = await rejection(waiting);
      assert.equal(error.code, "EFAULT");
      went = error.bytesSent;
    } else await waiting;
    a.close();
    const arrived = await received;
    assert.equal(arrived.length, went);
    if (ends !== "any bytes") assert.ok(arrived.equals(bytes.subarray(0, went)));
  });

  test(`send() that waits ends with ${ends} when its buffer ${what}`, async () => {
    using pair = await tcpPair(NARROW);
    const { a, b } = pair;
    const bytes = pattern(LENGTH);
    const { view, change } = make(LENGTH);
    whole(view).set(bytes);
    const ahead = a.sendall(Buffer.alloc(TOO_MUCH));
    const waiting = a.send(view);
    change();
    const received = receiveToEnd(b);
    await ahead;
    let went = 0;
    if (ends === "EFAULT") assert.equal((await rejection(waiting)).code, "EFAULT");
    else went = await waiting;
    a.close();
    const arrived = await received;
    assert.equal(arrived.length, TOO_MUCH + went);
    if (ends === "bytes") assert.ok(arrived.subarray(TOO_MUCH).equals(bytes.subarray(0, went)));
  });
}
