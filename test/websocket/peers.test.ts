// Programs that we did not write, on both sides: the package ws, undici's WebSocket, Python's websockets.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket as UndiciWebSocket } from "undici";
import { WebSocket, WebSocketServer } from "ws";
import type { RawData } from "ws";
import { connect } from "berkeley/websocket";
import type { WebSocketConnection } from "berkeley/websocket";
import { PYTHON, portOf, python } from "../support/python.ts";
import { echo, serving } from "./serving.ts";

const MESSAGES: readonly (string | Buffer)[] = [
  "",
  "hello",
  "grüße 🙂".repeat(100),
  Buffer.alloc(126, 1),
  "a longer text ".repeat(5000),
  Buffer.alloc(300_000, "0123456789"),
  "hello",
];

/** Sends all and takes as many. */
async function exchange(socket: WebSocketConnection): Promise<void> {
  for (const message of MESSAGES) void socket.send(message);
  let count = 0;
  for await (const message of socket) {
    assert.deepEqual(message, MESSAGES[count]);
    if (++count === MESSAGES.length) break;
  }
}

const AGREEMENTS = [
  undefined,
  {},
  { serverNoContextTakeover: false, clientNoContextTakeover: false },
  { serverMaxWindowBits: 10, clientMaxWindowBits: 9, clientNoContextTakeover: false },
];

for (const compression of AGREEMENTS) {
  const how = compression === undefined ? "without compression" : JSON.stringify(compression);

  test(`connect() talks with the server of ws, ${how}`, async () => {
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      perMessageDeflate: compression !== undefined,
      handleProtocols: () => "two",
    });
    await once(server, "listening");
    const closes: [number, string][] = [];
    server.on("connection", (peer) => {
      peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary }));
      peer.on("close", (code, reason) => closes.push([code, reason.toString()]));
      peer.on("ping", () => {});
    });
    const { port } = server.address() as AddressInfo;
    {
      await using socket = await connect(`ws://127.0.0.1:${port}/`, {
        protocols: ["one", "two"],
        compression: compression === undefined ? false : { bytesMin: 0, ...compression },
      });
      assert.equal(socket.protocol, "two");
      assert.equal(socket.compresses, compression !== undefined);
      await exchange(socket);
      assert.ok((await socket.ping()) >= 0);
      await socket.close(4000, "done");
      assert.deepEqual(await socket.closed, { code: 4000, reason: "done", isClean: true });
    }
    const [first] = server.clients;
    if (first !== undefined) await once(first, "close");
    assert.deepEqual(closes, [[4000, "done"]]);
    await new Promise((resolve) => server.close(resolve));
  });

  test(`serve() talks with the client of ws, ${how}`, async () => {
    const ended: unknown[] = [];
    await using at = await serving(
      async (socket, request) => {
        await echo(socket, request);
        ended.push(await socket.closed);
      },
      { compression: compression === undefined ? false : { bytesMin: 0, ...compression }, protocols: ["b"] },
    );
    const peer = new WebSocket(at.url, ["a", "b"], {
      perMessageDeflate: compression === undefined ? false : { threshold: 0 },
    });
    await once(peer, "open");
    assert.equal(peer.protocol, "b");
    assert.equal(peer.extensions.includes("permessage-deflate"), compression !== undefined);
    const got: (string | Buffer)[] = [];
    const all = new Promise<void>((resolve) => {
      peer.on("message", (data: RawData, isBinary) => {
        got.push(isBinary ? (data as Buffer) : (data as Buffer).toString());
        if (got.length === MESSAGES.length) resolve();
      });
    });
    for (const message of MESSAGES) peer.send(message);
    // In fragments, with a ping in between.
    await all;
    assert.deepEqual(got, MESSAGES);
    peer.ping("are you there?");
    assert.equal(String((await once(peer, "pong"))[0]), "are you there?");
    const fragmented = once(peer, "message");
    peer.send("frag", { fin: false });
    peer.ping();
    peer.send("ment", { fin: true });
    assert.equal(String((await fragmented)[0]), "fragment");
    peer.close(4001, "bye");
    assert.equal((await once(peer, "close"))[0], 4001);
    while (ended.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ended, [{ code: 4001, reason: "bye", isClean: true }]);
    assert.deepEqual(at.errors, []);
  });
}

test("serve() talks with undici's WebSocket, the web's own", async () => {
  await using at = await serving(echo, { compression: true });
  const peer = new UndiciWebSocket(at.url);
  peer.binaryType = "arraybuffer";
  await once(peer, "open");
  for (const message of MESSAGES) {
    const answered = once(peer, "message");
    peer.send(message);
    const [{ data }] = (await answered) as [{ data: string | ArrayBuffer }];
    assert.deepEqual(typeof data === "string" ? data : Buffer.from(data), message);
  }
  const closed = once(peer, "close");
  peer.close(3001, "bye");
  const [{ code, wasClean }] = (await closed) as [{ code: number; wasClean: boolean }];
  assert.deepEqual([code, wasClean], [3001, true]);
});

const PYTHON_CLIENT = `
import asyncio, websockets
async def main():
    for compression in None, "deflate":
        async with websockets.connect(sys.argv[1], compression=compression, max_size=None) as ws:
            say(compression, [e.name for e in ws.extensions] if hasattr(ws, "extensions") else "")
            for message in "", "gr\\u00fc\\u00dfe " * 1000, b"\\x00\\xff" * 100000, "hello":
                await ws.send(message)
                assert await ws.recv() == message, message[:20]
            await ws.send(iter(["in ", "frag", "ments"]))
            assert await ws.recv() == "in fragments"
            await (await ws.ping())
            await ws.close(3002, "bye")
            say("closed", ws.close_code)
asyncio.run(main())
`;

const PYTHON_SERVER = `
import asyncio, websockets
async def echo(ws, path=None):
    async for message in ws: await ws.send(message)
    say("ended", ws.close_code, ws.close_reason)
async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        say("port", server.sockets[0].getsockname()[1])
        await asyncio.Future()
asyncio.run(main())
`;

test("serve() talks with the client of Python's websockets", { skip: PYTHON.skip }, async (context) => {
  await using at = await serving(echo, { compression: true });
  await using client = python(PYTHON_CLIENT, [at.url]);
  const { code, stdout, stderr } = await client.exited;
  if (/No module named 'websockets'/.test(stderr.toString())) return missing(context);
  assert.equal(code, 0, stderr.toString());
  assert.equal(stdout.toString().match(/closed 3002/g)?.length, 2);
  assert.deepEqual(at.errors, []);
});

test("connect() talks with the server of Python's websockets", { skip: PYTHON.skip }, async (context) => {
  await using server = python(PYTHON_SERVER);
  const started = await Promise.race([portOf(server), server.exited]);
  if (typeof started !== "number") {
    assert.match(started.stderr.toString(), /No module named 'websockets'/);
    return missing(context);
  }
  for (const compression of AGREEMENTS) {
    await using socket = await connect(`ws://127.0.0.1:${started}/`, {
      compression: compression === undefined ? false : { bytesMin: 0, ...compression },
    });
    assert.equal(socket.compresses, compression !== undefined);
    await exchange(socket);
    assert.ok((await socket.ping()) >= 0);
    await socket.close(1001, "bye");
    assert.deepEqual(await socket.closed, { code: 1001, reason: "bye", isClean: true });
    await server.line(/^ended 1001 bye$/m);
  }
});

/** As requirePeer() does: under CI it is a failure. */
function missing(context: { skip(reason: string): void }): void {
  const reason = "python3-websockets is not installed (scripts/peers.sh installs it)";
  if ((process.env["CI"] ?? "") !== "") throw new Error(reason);
  context.skip(reason);
}
