// Arguments that are none: each is refused by its name, with a code, before anything happens.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as berkeley from "berkeley";
import type { Socket } from "berkeley";
import * as sync from "berkeley/sync";
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

/** Calls that take neither of these, and what they name. */
const NOT_THESE: Readonly<Record<string, (value: never) => unknown>> = {
  buffers: (value) => berkeley.socket(berkeley.AF_UNIX, berkeley.SOCK_DGRAM).recvmsg_into(value),
  ancdata: (value) => berkeley.encode_ancillary({}).concat(berkeley.decode_ancillary(value) as never),
  sock: (value) => berkeley.send_fds(value, ["x"], []),
  "sock (recv)": (value) => berkeley.recv_fds(value, 1, 1),
  "sock (sync)": (value) => sync.send_fds(value, ["x"], []),
  "sock (sync recv)": (value) => sync.recv_fds(value, 1, 1),
  address_family: (value) => berkeley.inet_ntop(value, Buffer.alloc(4)),
  "address_family (pton)": (value) => berkeley.inet_pton(value, "127.0.0.1"),
  path: (value) => berkeley.unlink_stale(value),
  address: (value) => berkeley.socket(berkeley.AF_UNIX, berkeley.SOCK_DGRAM).connect(value),
  "options (server)": (value) => berkeley.create_server(["127.0.0.1", 0], value),
  "options (connection)": (value) => berkeley.create_connection(["127.0.0.1", 1], value),
};
for (const [what, call] of Object.entries(NOT_THESE))
  test(`${what} that is null, a symbol or another object is refused by its name`, async () => {
    const values = [null, Symbol("x"), ...(what.startsWith("options") ? [] : [{ [Symbol.iterator]: 5 }])];
    for (const value of values) {
      const error = await rejection((async () => call(value as never))());
      assert.deepEqual([error.name, error.code], ["TypeError", "ERR_INVALID_ARG_TYPE"], error.message);
      assert.ok(error.message.includes(what.replace(/ .*/, "")), error.message);
    }
  });

test("send(), sendall(), sendto() and bind() refuse a Uint8Array whose memory was given away before", async () => {
  const gone = new Uint8Array(8);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  const [one, other] = berkeley.socketpair(berkeley.AF_UNIX, berkeley.SOCK_DGRAM);
  for (const call of [
    () => one.send(gone),
    () => one.sendall(gone),
    () => one.sendto(gone, "/nowhere"),
    () => one.sendmsg([gone]),
    () => one.sendto("x", gone),
    async () => one.bind(gone),
  ])
    assert.equal((await rejection(call())).code, "ERR_INVALID_ARG_TYPE");
  for (const end of [one, other]) end.close();
});
