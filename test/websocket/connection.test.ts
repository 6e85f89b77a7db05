// Messages over a connection, both roles in one process: order, backpressure, pings, batches, the closing handshake.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { WebSocketConnection } from "berkeley/websocket";
import { LocalProtocolError, RemoteProtocolError } from "berkeley/wire";
import { BINARY, CONTINUATION, PING, PONG, TEXT, closeFrame, frame } from "./frames.ts";
import { echo, memorySockets, rawServer, serving, turns, untilClosed, waits } from "./serving.ts";
import { acceptOf } from "berkeley/websocket";

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof RemoteProtocolError && error.code === code;
const mistakeWith = (code: string) => (error: unknown) =>
  error instanceof LocalProtocolError && error.code === code;

/** So many messages. */
async function take(socket: WebSocketConnection, count: number): Promise<(string | Buffer)[]> {
  const taken: (string | Buffer)[] = [];
  if (count > 0)
    for await (const message of socket) {
      taken.push(message);
      if (taken.length === count) break;
    }
  return taken;
}

const pulling = async (socket: WebSocketConnection): Promise<void> => {
  for await (const message of socket) await socket.send(message);
};

for (const [how, handle] of [
  ["each()", echo],
  ["for await", pulling],
] as const)
  test(`serve() and connect(): text and bytes of every size come back in order, by ${how}`, async () => {
    await using at = await serving(handle);
    await using socket = await at.connect();
    const sent: (string | Buffer)[] = [];
    for (const size of [0, 1, 125, 126, 4096, 5000, 65_535, 65_536, 300_000]) {
      sent.push("€".repeat(size / 3), Buffer.alloc(size, "0123456789"));
      void socket.send(sent.at(-2) as string);
      void socket.send(sent.at(-1) as Buffer);
    }
    assert.deepEqual(await take(socket, sent.length), sent);
    await socket.close(3000, "done");
    assert.deepEqual(await socket.closed, { code: 3000, reason: "", isClean: true });
    await turns();
    assert.equal(at.server.stats().finished, 1);
    assert.deepEqual(at.errors, []);
  });

for (const [how, handle] of [
  ["each()", echo],
  ["for await", pulling],
] as const)
  test(`send() answers frames that came together in one send, by ${how}`, async () => {
    await using at = await memorySockets(handle);
    const sends: number[] = [];
    const sendAll = at.far.sendAll.bind(at.far);
    at.far.sendAll = (data, options) => {
      sends.push((data as Uint8Array).length);
      return sendAll(data, options);
    };
    for (let count = 0; count < 50; count++) void at.client.send(`message ${count}`);
    const answers = await take(at.client, 50);
    assert.equal(answers[49], "message 49");
    assert.equal(sends.length, 1, `sends of ${sends.join(", ")} bytes`);
  });

/** Sizes around each way in which a payload is copied, or is not. */
const SIZES = [0, 1, 63, 64, 65, 125, 126, 191, 192, 200, 1000, 4095, 4096, 20_000, 65_522, 65_536, 200_000];

for (const [how, handle] of [
  ["each()", (keep) => (socket) => socket.each(keep)],
  [
    "for await",
    (keep) => async (socket) => {
      for await (const message of socket) keep(message);
    },
  ],
] as readonly (readonly [
  string,
  (keep: (message: string | Buffer) => void) => (socket: WebSocketConnection) => Promise<void>,
])[])
  test(`messages that a program keeps are its own, whatever comes later, by ${how}`, async () => {
    const kept: (string | Buffer)[] = [];
    await using at = await serving(handle((message) => void kept.push(message)));
    await using raw = await at.raw();
    const payload = (size: number, seed: number): Buffer =>
      Buffer.from(Array.from({ length: size }, (_, index) => (index * 7 + seed) & 0xff));
    const expected: Buffer[] = [];
    for (const alone of [true, false]) {
      const together: Buffer[] = [];
      for (const [seed, size] of SIZES.entries()) {
        const bytes = payload(size, seed);
        const half = size >> 1;
        const frames = [
          frame({ opcode: BINARY, payload: bytes }),
          frame({ opcode: BINARY, payload: bytes.subarray(0, half), fin: false, key: 0x01_02_03_04 }),
          frame({ opcode: PONG, payload: "between" }),
          frame({ opcode: CONTINUATION, payload: bytes.subarray(half) }),
        ];
        expected.push(bytes, bytes);
        if (alone) for (const one of frames) await raw.send(one);
        else together.push(...frames);
      }
      await raw.send(...together);
      while (kept.length < expected.length) await turns(1);
    }
    for (const [index, bytes] of expected.entries())
      assert.ok(bytes.equals(kept[index] as Buffer), `message ${index}`);
    const [first, second] = kept.slice(4) as [Buffer, Buffer];
    first.fill(1);
    assert.ok(second.equals(expected[5] as Buffer));
  });

test("send() waits for a peer that does not read, and goes on when it does", async () => {
  let server: WebSocketConnection | undefined;
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  await using at = await memorySockets((socket) => {
    server = socket;
    return finished;
  });
  const bytes = Buffer.alloc(1000, "x");
  let sent = 0;
  const sending = (async () => {
    for (; sent < 2000; sent++) await at.client.send(bytes);
  })();
  assert.ok(await waits(sending));
  const before = sent;
  // A pipe of 4 KiB, a receive, what is being sent, and 64 KiB behind it.
  assert.ok(before > 60 && before < 400, `${before} messages were taken`);
  assert.ok(at.client.bufferedBytes <= 2 * 65_536 + 2000, `${at.client.bufferedBytes} bytes wait`);
  assert.ok(server !== undefined);
  assert.equal((await take(server, 2000)).length, 2000);
  await sending;
  finish();
});

test("receive() stops receiving while a message is untaken, and pings are answered before that", async () => {
  let server: WebSocketConnection | undefined;
  await using at = await serving((socket) => {
    server = socket;
    return untilClosed(socket);
  });
  await using raw = await at.raw();
  await raw.send(frame({ opcode: PING, payload: "a" }));
  const pong = frame({ opcode: PONG, payload: "a", key: false });
  assert.deepEqual(await raw.bytes(pong.length), pong);
  // Nobody takes the text, so nobody sees the ping behind it.
  await raw.send(frame({ opcode: TEXT, payload: "untaken" }), frame({ opcode: PING, payload: "b" }));
  assert.ok(await waits(raw.bytes(1)));
  assert.ok(server !== undefined);
  assert.deepEqual(await server.receive(), { value: "untaken", done: false });
});

test("each() waits for what its handler returns before the next message", async () => {
  const steps: string[] = [];
  let go!: () => void;
  const gate = new Promise<void>((resolve) => (go = resolve));
  await using at = await memorySockets((socket) =>
    socket.each(async (message) => {
      steps.push(`${String(message)} begins`);
      if (message === "first") await gate;
      steps.push(`${String(message)} ends`);
      await socket.send(message);
    }),
  );
  void at.client.send("first");
  void at.client.send("second");
  await turns();
  assert.deepEqual(steps, ["first begins"]);
  go();
  assert.deepEqual(await take(at.client, 2), ["first", "second"]);
  assert.deepEqual(steps, ["first begins", "first ends", "second begins", "second ends"]);
});

test("each() closes with 1011 and rejects when its handler throws", async () => {
  const bug = new Error("a bug");
  await using at = await serving((socket) =>
    socket.each(() => {
      throw bug;
    }),
  );
  await using socket = await at.connect();
  await socket.send("a");
  assert.equal((await socket.closed).code, 1011);
  await turns();
  assert.deepEqual(at.errors, [bug]);
  // Asynchronously, and beside the loop.
  await using other = await serving(async (one) => {
    await one.receive();
    throw bug;
  });
  await using client = await other.connect();
  await client.send("a");
  assert.equal((await client.closed).code, 1011);
  await turns();
  assert.deepEqual(other.errors, [bug]);
});

test("each() again takes over from the next message on, and both resolve at the end; behind it, at once", async () => {
  const taken: string[] = [];
  const ended: string[] = [];
  await using at = await serving(async (socket) => {
    const first = socket.each((message) => {
      taken.push(`first ${String(message)}`);
      void socket.each((more) => void taken.push(`second ${String(more)}`)).then(() => ended.push("second"));
    });
    await first;
    ended.push("first");
    await socket.each(() => {});
    ended.push("behind");
  });
  await using socket = await at.connect();
  await socket.send("one");
  await socket.send("two");
  await socket.close();
  while (ended.length < 3) await turns(1);
  assert.deepEqual(taken, ["first one", "second two"]);
  assert.deepEqual(new Set(ended), new Set(["first", "second", "behind"]));
});

test("ping() resolves with the time until its pong, both ways", async () => {
  let theirs: Promise<number> | undefined;
  await using at = await serving(async (socket) => {
    theirs = socket.ping();
    await socket.closed;
  });
  await using socket = await at.connect();
  const all = await Promise.all([socket.ping(), socket.ping(), theirs]);
  for (const ms of all) assert.ok(ms !== undefined && ms >= 0);
  await socket.close();
  await assert.rejects(socket.ping(), mistakeWith("ERR_WEBSOCKET_CLOSED"));
});

test("close() is told to the other side with its code and reason, from both sides", async () => {
  let ended: Promise<unknown> | undefined;
  await using at = await serving(async (socket) => {
    ended = socket.closed;
    for await (const message of socket) await socket.close(4001, `you said ${String(message)}`);
  });
  await using one = await at.connect();
  await one.send("bye");
  assert.deepEqual(await take(one, 1), []);
  assert.deepEqual(await one.closed, { code: 4001, reason: "you said bye", isClean: true });
  assert.deepEqual(await ended, { code: 4001, reason: "", isClean: true });
  await using two = await at.connect();
  await two.close(1001, "grüße");
  assert.deepEqual(await ended, { code: 1001, reason: "grüße", isClean: true });
  await two.close();
});

test("send() says who has closed: the peer, or this side", async () => {
  await using at = await serving((socket) => socket.close());
  await using socket = await at.connect();
  assert.deepEqual(await socket.receive(), { value: undefined, done: true });
  await assert.rejects(socket.send("a"), refusedWith("ERR_WEBSOCKET_CLOSED"));
});

test("close() sends what was sent before, and drops what comes behind it", async () => {
  const got: unknown[] = [];
  await using at = await serving(async (socket) => {
    for await (const message of socket) {
      got.push(message);
      void socket.send("too late");
    }
  });
  await using socket = await at.connect();
  void socket.send("a");
  void socket.send(Buffer.alloc(200_000));
  await socket.close();
  assert.equal(got.length, 2);
  assert.deepEqual(await socket.receive(), { value: undefined, done: true });
});

test("send() and close() refuse what is wrong, and what comes too late", async () => {
  await using at = await serving();
  await using socket = await at.connect();
  await assert.rejects(socket.send(1 as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(socket.close(1006), mistakeWith("ERR_WEBSOCKET_CLOSE_CODE"));
  await assert.rejects(socket.close(1000, "x".repeat(124)), mistakeWith("ERR_WEBSOCKET_CONTROL_TOO_LONG"));
  assert.ok(socket.isOpen);
  const closing = socket.close();
  assert.ok(!socket.isOpen);
  await assert.rejects(socket.send("a"), mistakeWith("ERR_WEBSOCKET_CLOSED"));
  void socket.send("who does not wait is not told");
  await closing;
  await assert.rejects(socket.send("a"), mistakeWith("ERR_WEBSOCKET_CLOSED"));
});

test("terminate() ends the connection at once, on both sides", async () => {
  let outcome: Promise<unknown> | undefined;
  await using at = await serving((socket) => {
    outcome = socket.receive();
    outcome.catch(() => {});
    return untilClosed(socket);
  });
  const socket = await at.connect();
  const waiting = socket.receive();
  socket.terminate();
  await assert.rejects(waiting, mistakeWith("ERR_WEBSOCKET_CLOSED"));
  assert.deepEqual(await socket.closed, { code: 1006, reason: "", isClean: false });
  await assert.rejects(async () => outcome, refusedWith("ERR_WEBSOCKET_UNEXPECTED_END"));
});

test("serve() closes with 1001 at a shutdown, and waits for the other side", async () => {
  await using at = await serving();
  const sockets = await Promise.all([at.connect(), at.connect(), at.connect()]);
  const report = await at.server.shutdown();
  assert.deepEqual(report, { completed: 3, aborted: 0, abandoned: 0 });
  for (const socket of sockets) assert.equal((await socket.closed).code, 1001);
});

test("connect() takes frames that come with the answer, and serve() frames that come with the request", async () => {
  await using at = await serving();
  await using raw = await at.raw("", frame({ opcode: TEXT, payload: "early" }));
  const echoed = frame({ opcode: TEXT, payload: "early", key: false });
  assert.deepEqual(await raw.bytes(echoed.length), echoed);

  await using server = await rawServer(async (stream, request) => {
    const key = /Sec-WebSocket-Key: (\S+)/.exec(request)?.[1] ?? "";
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`;
    await stream.sendAll(
      Buffer.concat([
        Buffer.from(head),
        frame({ opcode: BINARY, payload: "early", key: false }),
        closeFrame(1000, "", false),
      ]),
    );
    await stream.closeWrite();
    while ((await stream.receiveSome()).length > 0);
  });
  const { connect } = await import("berkeley/websocket");
  await using socket = await connect(server.url);
  assert.deepEqual(await take(socket, 2), [Buffer.from("early")]);
  assert.deepEqual(await socket.closed, { code: 1000, reason: "", isClean: true });
  await server.talked;
});
