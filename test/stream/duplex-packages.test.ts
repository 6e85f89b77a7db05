// Packages that want a net.Socket, unchanged, over streams of ours: ws, undici, nodemailer, ioredis.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { Redis } from "ioredis";
import { createTransport } from "nodemailer";
import { Client, Pool } from "undici";
import { WebSocket, WebSocketServer } from "ws";
import { connectTcp, connectUnix, listenTcp, memoryPair, toDuplex } from "berkeley/stream";
import { folder } from "../support/files.ts";
import { pattern } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

/** A ws server that sends back what it gets, on connections of a listener of ours. */
async function webSocketServer(): Promise<AsyncDisposable & { url: string; host: string; port: number }> {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: true });
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  const listener = await listenTcp("127.0.0.1");
  const feeding = (async () => {
    while (!listener.closed)
      await listener.accept().then(
        (stream) => void server.emit("connection", toDuplex(stream)),
        () => undefined,
      );
  })();
  const [host, port] = listener.localAddress as [string, number];
  return {
    url: `ws://${host}:${port}/`,
    host,
    port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await feeding;
      sockets.close();
    },
  };
}

test("ws speaks over toDuplex(), client and server: messages of every size, pings, the closing handshake", async () => {
  await using server = await webSocketServer();
  const { host, port } = server;
  const socket = new WebSocket(server.url, {
    createConnection: () => toDuplex(connectTcp(host, port)) as never,
  });
  await once(socket, "open");
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
    socket.send(pattern(size));
    const [data, binary] = (await once(socket, "message")) as [Buffer, boolean];
    assert.ok(binary && data.equals(pattern(size)), `${size} bytes`);
  }
  socket.ping("are you there");
  assert.equal(String((await once(socket, "pong"))[0]), "are you there");
  socket.close(4000, "done");
  assert.deepEqual(await once(socket, "close").then(([code]) => code as number), 4000);
});

test("ws serves Node's own WebSocket over toDuplex()", {
  skip: typeof globalThis.WebSocket === "undefined" && "this Node has no WebSocket",
}, async () => {
  await using server = await webSocketServer();
  const socket = new globalThis.WebSocket(server.url);
  await once(socket, "open");
  socket.send("hello");
  const [{ data }] = (await once(socket, "message")) as [{ data: unknown }];
  assert.equal(data, "hello");
  socket.close();
  await once(socket, "close");
});

test("undici requests over toDuplex() of TCP, pipelined and pooled", async () => {
  const server = createServer((request, response) => {
    response.setHeader("x-url", request.url ?? "");
    request.pipe(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let connections = 0;
  const pool = new Pool(`http://127.0.0.1:${port}`, {
    connections: 2,
    pipelining: 4,
    connect(_options, callback) {
      connections++;
      const socket = toDuplex(connectTcp("127.0.0.1", port));
      socket.once("connect", () => callback(null, socket as never));
      socket.once("error", (error) => callback(error, null));
    },
  });
  const body = pattern(100_000);
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const answer = await pool.request({ path: `/${index}`, method: "PUT", body });
      assert.equal(answer.headers["x-url"], `/${index}`);
      assert.ok(Buffer.from(await answer.body.arrayBuffer()).equals(body));
    }),
  );
  assert.ok(connections <= 2, `${connections} connections`);
  await pool.close();
  server.close();
});

test("undici requests over toDuplex() of memory", async () => {
  const server = createServer((request, response) => response.end(`you asked for ${request.url}`));
  const client = new Client("http://in.memory", {
    connect(_options, callback) {
      const [near, far] = memoryPair();
      server.emit("connection", toDuplex(far));
      // undici wants its answer later, as of a connect(2).
      setImmediate(() => callback(null, toDuplex(near) as never));
    },
  });
  const hold = setInterval(() => undefined, 1000); // memory holds no process
  const { body } = await client.request({ path: "/a", method: "GET" });
  assert.equal(await body.text(), "you asked for /a");
  await client.close();
  clearInterval(hold);
});

const SMTP = `
import asyncio, sys
from aiosmtpd.smtp import SMTP
class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(envelope.mail_from, *envelope.rcpt_tos, envelope.content.count(b"line"), flush=True)
        return "250 kept"
async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler(), hostname="peer"), "127.0.0.1", 0)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
`;

test("nodemailer sends over toDuplex() to aiosmtpd", { skip: PYTHON.skip }, async () => {
  await using peer = start(PYTHON.path, ["-c", SMTP]);
  const [, port] = await peer.line(/^listening on (\d+)$/m);
  const transport = createTransport({
    host: "127.0.0.1",
    ignoreTLS: true,
    getSocket: (_options: unknown, callback: (error: Error | null, socket?: object) => void) => {
      const connection = toDuplex(connectTcp("127.0.0.1", Number(port)));
      connection.once("connect", () => callback(null, { connection }));
      connection.once("error", callback);
    },
  });
  for (const count of [1, 5000]) {
    const sent = await transport.sendMail({
      from: "a@here.example",
      to: ["b@there.example", "c@there.example"],
      subject: "over a stream",
      text: "line\n".repeat(count),
    });
    assert.equal(sent.response, "250 kept");
    await peer.line(new RegExp(`^a@here.example b@there.example c@there.example ${count}$`, "m"));
  }
  transport.close();
});

const server = requirePeer("redis-server");

test("ioredis speaks over toDuplex() of a Unix socket with redis-server, pipelined, and again after a lost connection", {
  skip: server.skip,
}, async () => {
  using place = folder();
  const path = place.path("redis");
  await using peer = start(server.path, [
    "--port",
    "0",
    "--unixsocket",
    path,
    "--save",
    "",
    "--dir",
    place.path("."),
  ]);
  await peer.line(/ready to accept connections|The server is now ready/i);
  let connections = 0;
  class Connector {
    firstError: Error | undefined = undefined;
    last: ReturnType<typeof toDuplex> | undefined = undefined;
    check(): boolean {
      return true;
    }
    async connect(): Promise<ReturnType<typeof toDuplex>> {
      connections++;
      this.last = toDuplex(await connectUnix(path));
      return this.last;
    }
    disconnect(): void {
      this.last?.end();
    }
  }
  const redis = new Redis({ Connector: Connector as never, retryStrategy: () => 1 });
  redis.on("error", () => undefined);
  after(() => redis.disconnect());
  assert.equal(await redis.set("key", pattern(100_000)), "OK");
  assert.ok((await redis.getBuffer("key"))?.equals(pattern(100_000)));
  const counts = await Promise.all(Array.from({ length: 1000 }, () => redis.incr("count")));
  assert.deepEqual(
    counts,
    Array.from({ length: 1000 }, (_, index) => index + 1),
  );
  await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no").catch(() => undefined);
  assert.equal(await redis.incr("count"), 1001);
  assert.ok(connections >= 2, "the connection was not lost");
  await redis.quit();
});
