// Sending without a copy: what arrives, when the call settles, what is told of it, and what ends it early.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as b from "berkeley";
import * as sync from "berkeley/sync";
import { native } from "#dist/native.js";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";

import { NAMESPACE_SKIP, VETH, nodeInNamespace } from "../support/namespace.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, stillWaits, tcpPair } from "../support/pair.ts";
import { python, PYTHON, portOf } from "../support/python.ts";
import { udpPair } from "../support/udp.ts";

const BYTES = 300_000;

test("send_zerocopy() sends everything to CPython, and says that loopback copied", {
  skip: PYTHON.skip,
}, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
say("got", hashlib.sha256(read_to_end(conn)).hexdigest())`);
  using sock = await b.create_connection(["127.0.0.1", await portOf(peer)]);
  const data = pattern(TOO_MUCH);
  assert.deepEqual(await sock.send_zerocopy(data), { copied: true });
  sock.shutdown(b.SHUT_WR);
  const { createHash } = await import("node:crypto");
  assert.equal((await peer.line(/^got (\w+)$/m))[1], createHash("sha256").update(data).digest("hex"));
});

test("send_zerocopy() settles when the peer has acknowledged, not before", async () => {
  using pair = await tcpPair(NARROW);
  const data = pattern(TOO_MUCH);
  const progress = { bytes: 0 };
  const sending = pair.a.send_zerocopy(data, 0, { progress });
  await stillWaits(sending);
  assert.ok(progress.bytes < data.length);
  assert.ok((await receiveExactly(pair.b, data.length)).equals(data));
  await sending;
  assert.equal(progress.bytes, data.length);
});

test("send_zerocopy() and sendall() of one socket never interleave, and each settles", async () => {
  using pair = await tcpPair(NARROW);
  const parts = [1, 2, 3, 4, 5, 6].map((byte) => Buffer.alloc(BYTES, byte));
  const received = receiveExactly(pair.b, parts.length * BYTES);
  const sent = parts.map((part, index) =>
    index % 2 === 0 ? pair.a.send_zerocopy(part) : pair.a.sendall(part),
  );
  assert.ok((await received).equals(Buffer.concat(parts)));
  await Promise.all(sent);
});

test("send_zerocopy() keeps the books with sends of the program's own, which it leaves to recv_error()", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  a.options.SO_ZEROCOPY = true;
  const received = receiveExactly(pair.b, 4 * BYTES);
  const own = Buffer.alloc(BYTES, 1);
  // Numbers 0, 2…: the program's; what lies between is the call's.
  let numbers = 0;
  for (let sent = 0; sent < BYTES; numbers++) sent += await a.send(own.subarray(sent), b.MSG_ZEROCOPY);
  await a.send_zerocopy(Buffer.alloc(BYTES, 2));
  const second = await a.sendmsg([own.subarray(0, 1000)], [], b.MSG_ZEROCOPY);
  await a.send_zerocopy(Buffer.alloc(BYTES, 3));
  await a.sendall(Buffer.alloc(BYTES - second, 4));
  await received;
  const told = new Set<number>();
  while (told.size < numbers) {
    const { error, data } = await a.recv_error();
    assert.deepEqual([error.origin, error.errno, data.length], [b.SO_EE_ORIGIN_ZEROCOPY, 0, 0]);
    assert.equal(error.code, b.SO_EE_CODE_ZEROCOPY_COPIED);
    for (let number = error.info; number <= error.data; number++) told.add(number);
  }
  for (let number = 0; number < numbers; number++) assert.ok(told.has(number));
});

test("send_zerocopy() leaves other messages of the queue to recv_error(), whoever waits first", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  a.options.SO_TIMESTAMPING =
    b.SOF_TIMESTAMPING_SOFTWARE | b.SOF_TIMESTAMPING_OPT_ID | b.SOF_TIMESTAMPING_OPT_TSONLY;
  const ask = b.encode_ancillary({ SO_TIMESTAMPING: b.SOF_TIMESTAMPING_TX_ACK });
  const received = receiveExactly(pair.b, 2 * BYTES + 2);
  const before = a.recv_error();
  const lent = a.send_zerocopy(Buffer.alloc(BYTES, 1));
  await stillWaits(before);
  await lent;
  await a.sendmsg(["x"], ask);
  assert.equal((await before).error.info, b.SCM_TSTAMP_ACK);
  await a.sendmsg(["y"], ask);
  await a.send_zerocopy(Buffer.alloc(BYTES, 2));
  assert.equal((await a.recv_error()).error.info, b.SCM_TSTAMP_ACK);
  await received;
});

test("send_zerocopy() sends datagrams, the empty one too", async () => {
  using pair = udpPair();
  await pair.a.connect(pair.to);
  const data = pattern(9000);
  await pair.a.send_zerocopy(data);
  assert.ok((await pair.b.recv(65_536)).equals(data));
  await pair.a.send_zerocopy(new Uint8Array(0));
  assert.equal((await pair.b.recv(65_536)).length, 0);
});

test("send_zerocopy() of little, and of nothing, copies", async () => {
  using pair = await tcpPair();
  assert.deepEqual(await pair.a.send_zerocopy(Buffer.from("little")), { copied: true });
  await pair.a.send_zerocopy(new ArrayBuffer(0));
  await pair.a.send_zerocopy(new Uint16Array([0x6161]));
  assert.equal((await receiveExactly(pair.b, 8)).toString(), "littleaa");
});

test("send_zerocopy() copies what may no longer be pinned", async () => {
  using pair = await tcpPair();
  // The kernel says so when net.core.optmem_max is used up, which takes many sends that it cannot put together.
  const send = native.send.bind(native);
  const full = mock.method(native, "send", (...args: Parameters<typeof send>) =>
    (args[4] & b.MSG_ZEROCOPY) === 0 ? send(...args) : -b.ENOBUFS,
  );
  try {
    const data = pattern(10_000);
    assert.deepEqual(await pair.a.send_zerocopy(data), { copied: true });
    assert.ok((await receiveExactly(pair.b, data.length)).equals(data));
  } finally {
    full.mock.restore();
  }
});

test("many send_zerocopy() at once all settle", async () => {
  using pair = await tcpPair();
  const parts = Array.from({ length: 2000 }, (_, index) => Buffer.alloc(100, index));
  const sending = parts.map((part) => pair.a.send_zerocopy(part));
  assert.ok((await receiveExactly(pair.b, parts.length * 100)).equals(Buffer.concat(parts)));
  await Promise.all(sending);
});

test("send_zerocopy() says that nothing was copied where the device reads the memory (in a namespace)", {
  skip: NAMESPACE_SKIP,
}, async () => {
  // A device that takes every packet and, without a carrier, delivers none.
  const setup = `${VETH}
    ip neighbour add 10.9.8.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent
    ip link set v1 down`;
  const program = fileURLToPath(new URL("zerocopy-child.js", import.meta.url));
  await using child = nodeInNamespace(setup, program, ["10.9.8.2"]);
  assert.equal((await child.succeeded()).stdout.toString(), '[{"copied":false},{"copied":false}]\n');
});

test("send_zerocopy() ends by a signal, a timeout and close(), and says how far it came", async () => {
  const ended: ((sock: b.Socket, ending: AbortController) => void)[] = [
    (_, ending) => ending.abort(Object.assign(new Error("enough"), { code: "MINE" })),
    (sock) => sock.close(),
    () => undefined, // the timeout
  ];
  for (const [index, end] of ended.entries()) {
    using pair = await tcpPair(NARROW);
    if (index === 2) pair.a.settimeout(0.02);
    const ending = new AbortController();
    const progress = { bytes: 0 };
    const sending = pair.a.send_zerocopy(pattern(TOO_MUCH), 0, { signal: ending.signal, progress });
    const failing = sending.catch((error: unknown) => error as b.SocketError);
    await turn();
    end(pair.a, ending);
    const error = (await failing) as b.SocketError;
    assert.equal(error.code, ["MINE", "ECANCELED", "ETIMEDOUT"][index]);
    if (index > 0) assert.equal(error.bytesSent, progress.bytes);
    assert.ok(progress.bytes > 0 && progress.bytes < TOO_MUCH);
    if (index === 2) pair.a.shutdown(b.SHUT_WR);
    else pair.a.close();
    // What the kernel had taken arrives whole all the same: the memory is held.
    const arrived = await receiveToEnd(pair.b);
    assert.ok(arrived.equals(pattern(TOO_MUCH).subarray(0, progress.bytes)));
  }
});

test("send_zerocopy() holds memory that the kernel may still read, and lets go of what is back", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const collected = async (memory: WeakRef<Buffer>): Promise<boolean> => {
    for (let turns = 0; turns < 20 && memory.deref() !== undefined; turns++) {
      await turn();
      collect();
    }
    return memory.deref() === undefined;
  };
  using pair = await tcpPair(NARROW);
  const lend = (signal?: AbortSignal): readonly [Promise<unknown>, WeakRef<Buffer>] => {
    const memory = Buffer.alloc(TOO_MUCH);
    return [pair.a.send_zerocopy(memory, 0, { signal }), new WeakRef(memory)];
  };
  const [sending, back] = lend();
  await receiveExactly(pair.b, TOO_MUCH);
  await sending;
  assert.equal(await collected(back), true);
  const ending = new AbortController();
  const [aborted, out] = lend(ending.signal);
  const failing = codeOf(aborted);
  await turn();
  ending.abort(Object.assign(new Error("enough"), { code: "MINE" }));
  assert.equal(await failing, "MINE");
  pair.a.close();
  assert.equal(await collected(out), false);
});

test("send_zerocopy() fails when the peer resets, with what had been sent", async () => {
  using pair = await tcpPair(NARROW);
  const sending = pair.a.send_zerocopy(pattern(TOO_MUCH));
  await turn();
  pair.b.options.SO_LINGER = { onoff: true, linger: 0 };
  pair.b.close();
  await assert.rejects(sending, (error: b.SocketError) => {
    assert.match(error.code, /^(ECONNRESET|EPIPE)$/);
    assert.ok((error.bytesSent as number) > 0);
    return true;
  });
});

test("send_zerocopy() refuses strings, and sockets that cannot", async () => {
  using pair = await tcpPair();
  assert.equal(await codeOf(pair.a.send_zerocopy("text" as never)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(pair.a.send_zerocopy(Buffer.alloc(1), 0.5)), "ERR_OUT_OF_RANGE");
  const [first, second] = b.socketpair();
  using one = first;
  using two = second;
  await assert.rejects(one.send_zerocopy(Buffer.alloc(100)), { code: "EOPNOTSUPP", message: /SO_ZEROCOPY/ });
  assert.equal(two.closed, false);
  pair.a.close();
  assert.equal(await codeOf(pair.a.send_zerocopy(Buffer.alloc(100))), "EBADF");
});

test("send_zerocopy() of berkeley/sync blocks until the memory is back", () => {
  const server = sync.create_server(["127.0.0.1", 0]);
  using sock = sync.create_connection(server.getsockname<sync.InetAddress>());
  const [conn] = server.accept();
  server.close();
  const data = Buffer.alloc(30_000, 5);
  assert.deepEqual(sock.send_zerocopy(data), { copied: true });
  assert.ok(conn.recv(30_000).equals(data));
  conn.close();
});
