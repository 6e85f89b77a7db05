// Arguments that are none: each is refused by its name, with a code, before anything happens.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "berkeley";
import { rejection, tcpPair } from "../support/pair.ts";

const MISUSE: Readonly<
  Record<
    string,
    readonly [call: (end: Socket, value: never) => Promise<unknown>, types: unknown[], ranges: number[]]
  >
> = {
  "recv bufsize": [
    (end, value) => end.recv(value),
    ["5", null, undefined, {}, 5n, true],
    [-1, 0.5, Number.NaN, Infinity, 2 ** 53],
  ],
  "recv flags": [
    (end, value) => end.recv(1, value),
    ["5", null, {}, 5n],
    [0.5, Number.NaN, 2 ** 40, -(2 ** 40)],
  ],
  "recv_into buffer": [
    (end, value) => end.recv_into(value),
    ["5", null, undefined, {}, [], new ArrayBuffer(8), new Proxy(new Uint8Array(8), {})],
    [],
  ],
  "recv_into nbytes": [
    (end, value) => end.recv_into(Buffer.alloc(8), value),
    ["5", null, {}, 5n],
    [-1, 0.5, 9, Number.NaN, Infinity],
  ],
  "recv_into flags": [
    (end, value) => end.recv_into(Buffer.alloc(8), 8, value),
    ["5", null, {}],
    [0.5, 2 ** 40],
  ],
  "send data": [
    (end, value) => end.send(value),
    [5, null, undefined, {}, [], new SharedArrayBuffer(8), Symbol("x"), new Proxy(new Uint8Array(8), {})],
    [],
  ],
  "send flags": [(end, value) => end.send("x", value), ["5", null, {}], [0.5, 2 ** 40]],
  "sendall data": [
    (end, value) => end.sendall(value),
    [5, null, undefined, {}, [], new Proxy(new Uint8Array(8), {})],
    [],
  ],
  "sendall flags": [(end, value) => end.sendall("x", value), ["5", null, {}], [0.5, 2 ** 40]],
  "recv options.signal": [
    (end, value) => end.recv(1, 0, { signal: value }),
    [5, null, {}, "x", new EventTarget()],
    [],
  ],
  "recv_into options.signal": [
    (end, value) => end.recv_into(Buffer.alloc(1), 1, 0, { signal: value }),
    [{}],
    [],
  ],
  "send options.signal": [(end, value) => end.send("x", 0, { signal: value }), [{}], []],
  "sendall options.signal": [(end, value) => end.sendall("x", 0, { signal: value }), [{}], []],
  "accept options.signal": [(end, value) => end.accept({ signal: value }), [{}, null, 5], []],
};
for (const [what, [call, types, ranges]] of Object.entries(MISUSE))
  test(`${what.replace(" ", "() refuses ")} that is none, by its name, and does nothing`, async () => {
    using pair = await tcpPair();
    const { a, b } = pair;
    await b.sendall("kept");
    const name = what.split(" ").at(-1) as string;
    for (const [values, kind, code] of [
      [types, "TypeError", "ERR_INVALID_ARG_TYPE"],
      [ranges, "RangeError", "ERR_OUT_OF_RANGE"],
    ] as const)
      for (const value of values) {
        const error = await rejection(call(a, value as never));
        assert.deepEqual([error.name, error.code], [kind, code], error.message);
        assert.ok(error.message.startsWith(`${name} must be `), error.message);
      }
    assert.equal((await a.recv(10)).toString(), "kept");
    a.close();
    assert.equal((await b.recv(10)).length, 0);
  });

test("recv_into(), send() and sendall() refuse a view of memory that was given away before", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  const view = new DataView(new ArrayBuffer(8));
  const { buffer } = view;
  structuredClone(buffer, { transfer: [buffer] });
  for (const call of [
    () => a.recv_into(view),
    () => a.send(view),
    () => a.sendall(view),
    () => a.send(buffer),
  ]) {
    const error = await rejection(call());
    assert.deepEqual([error.name, error.code], ["TypeError", "ERR_INVALID_ARG_TYPE"]);
  }
});
