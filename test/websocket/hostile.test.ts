// Peers that do harm or are gone: Autobahn's cases over TCP, silence, half-open connections, who never reads, who floods,
// bombs. Each against a server that runs, or a client.

import assert from "node:assert/strict";
import { deflateRawSync, constants } from "node:zlib";
import { test } from "node:test";
import { WebSocketParser, acceptOf, closeCodeOfRefusal, connect } from "berkeley/websocket";
import type { WebSocketConnection } from "berkeley/websocket";
import type { ByteStream } from "berkeley/stream";
import { NEED_DATA, RemoteProtocolError } from "berkeley/wire";
import { CASES } from "./cases.ts";
import { BINARY, CLOSE, CONTINUATION, PING, TEXT, closeFrame, frame } from "./frames.ts";
import type { Told } from "./parsing.ts";
import { parse } from "./parsing.ts";
import { memorySockets, rawServer, serving, turns, untilClosed } from "./serving.ts";

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof RemoteProtocolError && error.code === code;

/** What an echo server says to a case. */
function expected(told: readonly Told[], refused: string | undefined): Told[] {
  const says: Told[] = [];
  for (const one of told) {
    if (one.type === "ping") says.push({ ...one, type: "pong" });
    else if (one.type === "close") says.push({ type: "close", code: one["code"], reason: "" });
    else if (one.type !== "pong") says.push(one);
  }
  if (refused !== undefined) {
    const code = closeCodeOfRefusal(new RemoteProtocolError(refused, ""));
    says.push({ type: "close", code, reason: refused });
  }
  return says;
}

test("an echo server answers each of Autobahn's cases, and closes with the code that fits", async () => {
  await using at = await serving();
  for (const { name, bytes, told, refused } of CASES) {
    await using raw = await at.raw();
    // It may be refused before all of it has been sent.
    await raw.send(bytes).catch(() => {});
    const answer = parse([await raw.toEnd(true)], { from: "server" });
    assert.equal(answer.error, undefined, name);
    assert.deepEqual(answer.told, expected(told, refused), name);
  }
  assert.deepEqual(at.errors, []);
});

/** A server in raw bytes whose handshake is done. */
function afterHandshake(talk: (stream: ByteStream) => Promise<void>): ReturnType<typeof rawServer> {
  return rawServer(async (stream, request) => {
    const key = /Sec-WebSocket-Key: (\S+)/.exec(request)?.[1] ?? "";
    await stream.sendAll(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptOf(key)}\r\n\r\n`,
    );
    await talk(stream);
  });
}

/** Receives until the end and tells what came. */
async function listen(stream: ByteStream, answers: (opcode: string) => Buffer | undefined): Promise<Told[]> {
  const parser = new WebSocketParser({ from: "client" });
  const told: Told[] = [];
  for (;;) {
    const bytes = await stream.receiveSome();
    if (bytes.length === 0) return told;
    parser.receive(bytes);
    for (let event = parser.next(); event !== NEED_DATA; event = parser.next()) {
      told.push({ ...event });
      const answer = answers(event.type);
      if (answer !== undefined) await stream.sendAll(answer);
    }
  }
}

test("a client pings a silent peer, and ends the connection when no sign of life comes", async () => {
  let told: Promise<Told[]> | undefined;
  await using server = await afterHandshake(async (stream) => {
    told = listen(stream, () => undefined);
    await told;
  });
  await using socket = await connect(server.url, { pingIntervalMs: 30, pongTimeoutMs: 30 });
  await assert.rejects(socket.receive(), refusedWith("ERR_WEBSOCKET_PEER_SILENT"));
  assert.deepEqual(await socket.closed, { code: 1006, reason: "", isClean: false });
  assert.ok((await told)?.some(({ type }) => type === "ping"));
});

test("a client keeps a peer that is silent and answers pings", async () => {
  let pings = 0;
  let enough!: () => void;
  const pinged = new Promise<void>((resolve) => (enough = resolve));
  await using server = await afterHandshake(async (stream) => {
    await listen(stream, (type) => {
      if (type !== "ping") return type === "close" ? closeFrame(1000, "", false) : undefined;
      if (++pings === 4) enough();
      return frame({ opcode: 10, key: false });
    });
  });
  const socket = await connect(server.url, { pingIntervalMs: 20, pongTimeoutMs: 5000 });
  await pinged;
  assert.ok(socket.isOpen);
  const closing = socket.close();
  await turns();
  socket.terminate();
  await closing;
});

test("a program that does not take its messages is no silent peer", async () => {
  await using at = await memorySockets(
    async (socket) => {
      await socket.send("untaken");
      await socket.closed;
    },
    { pingIntervalMs: 20, pongTimeoutMs: 20 },
  );
  // Longer than both, by the clock that the deadlines go by.
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual(await at.client.receive(), { value: "untaken", done: false });
});

test("a peer that does not take what it is sent is ended after sendTimeoutMs", async () => {
  await using at = await serving(
    async (socket) => {
      for (;;) await socket.send(Buffer.alloc(1_000_000));
    },
    { sendTimeoutMs: 50 },
  );
  await using raw = await at.raw();
  while (at.server.stats().active > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await raw.toEnd(true);
});

test("a peer that does not answer a Close is ended after closeTimeoutMs", async () => {
  await using server = await afterHandshake(async (stream) => {
    await listen(stream, () => undefined);
  });
  await using socket = await connect(server.url, { closeTimeoutMs: 30 });
  await socket.close();
  assert.deepEqual(await socket.closed, { code: 1006, reason: "", isClean: false });
});

test("a peer that ends without a Close is told apart from one that closes", async () => {
  await using server = await afterHandshake(async (stream) => {
    await stream.sendAll(frame({ opcode: TEXT, payload: "last words", key: false }));
    await stream.closeWrite();
    while ((await stream.receiveSome()).length > 0);
  });
  await using socket = await connect(server.url);
  assert.deepEqual(await socket.receive(), { value: "last words", done: false });
  await assert.rejects(socket.receive(), refusedWith("ERR_WEBSOCKET_UNEXPECTED_END"));
  await assert.rejects(socket.send("a"), refusedWith("ERR_WEBSOCKET_UNEXPECTED_END"));
});

test("a client refuses a server's frames that it must, and says why", async () => {
  for (const [wrong, code, closeCode] of [
    [frame({ opcode: TEXT, payload: "masked" }), "ERR_WEBSOCKET_MASK_UNEXPECTED", 1002],
    [frame({ opcode: CONTINUATION, key: false }), "ERR_WEBSOCKET_FRAGMENTATION", 1002],
    [frame({ opcode: TEXT, payload: Buffer.from([0xff]), key: false }), "ERR_WEBSOCKET_UTF8", 1007],
    [frame({ opcode: BINARY, length: 2n ** 40n, key: false }), "ERR_WEBSOCKET_FRAME_TOO_LARGE", 1009],
  ] as const) {
    let told: Promise<Told[]> | undefined;
    await using server = await afterHandshake(async (stream) => {
      await stream.sendAll(wrong);
      told = listen(stream, () => undefined);
      await told;
      await stream.closeWrite();
    });
    await using socket = await connect(server.url);
    await assert.rejects(socket.receive(), refusedWith(code));
    await server.talked;
    assert.deepEqual(await told, [{ type: "close", code: closeCode, reason: code }]);
  }
});

test("a client that floods with pings and reads no pongs is read no further", async () => {
  let server: WebSocketConnection | undefined;
  await using at = await memorySockets((socket) => {
    server = socket;
    return untilClosed(socket);
  });
  // Its own client stands aside: these frames go beneath it.
  at.near.receiveSome = () => new Promise(() => {});
  const flood = Buffer.concat(
    Array.from({ length: 100 }, () => frame({ opcode: PING, payload: "*".repeat(125) })),
  );
  let sent = 0;
  const flooding = (async () => {
    for (; sent < 1000; sent++) await at.near.sendAll(flood);
  })();
  flooding.catch(() => {});
  await turns(200);
  assert.ok(sent < 50, `${sent * flood.length} bytes of pings were taken`);
  assert.ok(server !== undefined && server.bufferedBytes < 2 * 65_536 + 20_000);
});

const bomb = (size: number): Buffer =>
  deflateRawSync(Buffer.alloc(size), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

for (const takeover of [false, true])
  test(`a deflate bomb is refused with 1009, context takeover ${takeover ? "" : "not "}agreed on`, async () => {
    const compression = { clientNoContextTakeover: !takeover };
    await using at = await serving(undefined, { compression });
    for (const [size, code] of [
      [1_048_576, undefined],
      [1_048_577, 1009],
      [50_000_000, 1009],
    ] as const) {
      await using raw = await at.raw("Sec-WebSocket-Extensions: permessage-deflate\r\n");
      await raw.send(frame({ opcode: BINARY, payload: bomb(size), rsv: 4 }), closeFrame(1000));
      const bytes = await raw.toEnd(true);
      const { told, error } = parse([bytes], { from: "server", compression: true });
      assert.equal(error, undefined);
      const close = told.at(-1);
      assert.equal(close?.["code"], code ?? 1000, `${size} bytes`);
      if (code !== undefined) assert.equal(close?.["reason"], "ERR_WEBSOCKET_DECOMPRESSED_TOO_LARGE");
    }
    await using raw = await at.raw("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    await raw.send(frame({ opcode: TEXT, payload: Buffer.from("ffffffff", "hex"), rsv: 4 }));
    const { told } = parse([await raw.toEnd(true)], { from: "server" });
    assert.deepEqual(told, [{ type: "close", code: 1007, reason: "ERR_WEBSOCKET_COMPRESSION" }]);
    assert.deepEqual(at.errors, []);
  });

test("control frames of any announced size and any number of fragments hold no memory", async () => {
  await using at = await serving();
  await using big = await at.raw();
  await big.send(frame({ opcode: CLOSE, length: 2n ** 40n }));
  const { told } = parse([await big.toEnd(true)], { from: "server" });
  assert.deepEqual(told, [{ type: "close", code: 1002, reason: "ERR_WEBSOCKET_CONTROL_TOO_LONG" }]);
  await using many = await at.raw();
  const nothing = frame({ opcode: CONTINUATION, fin: false });
  await many.send(
    frame({ opcode: TEXT, payload: "a", fin: false }),
    Buffer.concat(Array.from({ length: 50_000 }, () => nothing)),
    frame({ opcode: CONTINUATION, payload: "b" }),
    closeFrame(1000),
  );
  assert.deepEqual(parse([await many.toEnd()], { from: "server" }).told[0], { type: "text", text: "ab" });
});
