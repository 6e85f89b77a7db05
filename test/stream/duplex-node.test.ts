// node:http and node:http2, client and server, over streams of ours instead of node:net, unchanged.

import assert from "node:assert/strict";
import { once } from "node:events";
import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connectTcp, listenTcp, memoryPair, toDuplex } from "berkeley/stream";
import type { ByteStream, SocketListener } from "berkeley/stream";
import { requirePeer } from "../support/peers.ts";
import { pattern } from "../support/pair.ts";
import { start } from "../support/process.ts";

const curl = requirePeer("curl");

/** Gives a server its connections from a listener of ours, until that is closed. */
async function feed(server: http.Server | http2.Http2Server, listener: SocketListener): Promise<void> {
  for (;;) {
    let stream: ByteStream;
    try {
      stream = await listener.accept();
    } catch (error) {
      if (listener.closed) return;
      throw error;
    }
    server.emit("connection", toDuplex(stream));
  }
}

/** Answers with what it was sent, and where from. */
const echo: http.RequestListener = (message, response) => {
  response.setHeader("x-port", String(message.socket.remotePort));
  response.setHeader("x-url", String(message.url));
  message.pipe(response);
};

interface Answer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

async function request(options: http.RequestOptions, body?: Buffer): Promise<Answer> {
  const sending = http.request({ method: body === undefined ? "GET" : "POST", ...options });
  sending.end(body);
  const [response] = (await once(sending, "response")) as [http.IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) };
}

test("http.request() speaks over toDuplex() with a node:http server, kept alive, one after the other", async () => {
  const server = http.createServer(echo).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let connections = 0;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => {
    connections++;
    return toDuplex(connectTcp("127.0.0.1", port));
  };
  const body = pattern(300_000);
  const ports = new Set<unknown>();
  for (let count = 0; count < 5; count++) {
    const answer = await request({ agent, path: `/${count}`, timeout: 60_000 }, body);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["x-url"], `/${count}`);
    assert.ok(answer.body.equals(body));
    ports.add(answer.headers["x-port"]);
  }
  assert.equal(connections, 1);
  assert.equal(ports.size, 1);
  agent.destroy();
  server.close();
});

test("http.request() over toDuplex() fails as it does over node:net when the server goes away", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const [host, port] = listener.localAddress as [string, number];
  const sending = http.request({ createConnection: () => toDuplex(connectTcp(host, port)) });
  sending.end();
  const accepted = await listener.accept();
  await accepted.receiveSome();
  accepted.close();
  const [error] = (await once(sending, "error")) as [Error & { code: string }];
  assert.equal(error.code, "ECONNRESET");
  assert.equal(error.message, "socket hang up");
});

test("http.request() over toDuplex() emits its timeout and can be aborted", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const [host, port] = listener.localAddress as [string, number];
  const stop = new AbortController();
  const createConnection = (): ReturnType<typeof toDuplex> => toDuplex(connectTcp(host, port));
  const sending = http.request({ createConnection, signal: stop.signal });
  sending.setTimeout(20);
  sending.end();
  await using accepted = await listener.accept();
  await once(sending, "timeout");
  stop.abort();
  const [error] = (await once(sending, "error")) as [Error & { code: string }];
  assert.equal(error.code, "ABORT_ERR");
  while ((await accepted.receiveSome()).length > 0);
});

test("a node:http server serves toDuplex() connections: node:http, fetch() and curl", {
  skip: curl.skip,
}, async () => {
  const server = http.createServer(echo);
  await using listener = await listenTcp("127.0.0.1");
  const feeding = feed(server, listener);
  const [host, port] = listener.localAddress as [string, number];
  const body = pattern(300_000);
  const agent = new http.Agent({ keepAlive: true });
  for (let count = 0; count < 3; count++) {
    const answer = await request({ host, port, agent, path: "/node" }, body);
    assert.ok(answer.body.equals(body));
  }
  agent.destroy();
  const fetched = await fetch(`http://${host}:${port}/fetch`, { method: "POST", body: "text" });
  assert.equal(fetched.headers.get("x-url"), "/fetch");
  assert.equal(await fetched.text(), "text");
  await using child = start(curl.path, [
    "--silent",
    "--data-binary",
    "from curl",
    `http://${host}:${port}/one`,
    "--next",
    "--silent",
    "--data-binary",
    " twice",
    `http://${host}:${port}/two`,
  ]);
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString(), "from curl twice");
  listener.close();
  await feeding;
  server.closeAllConnections();
});

/** Memory holds no process. */
function hold(): Disposable {
  const timer = setInterval(() => undefined, 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

test("a node:http server answers requests that were sent at once, and ends what it was told to", async () => {
  const server = http.createServer((message, response) => {
    if (message.url === "/last") response.setHeader("connection", "close");
    response.end(message.url);
  });
  using _ = hold();
  const [near, far] = memoryPair();
  server.emit("connection", toDuplex(near));
  await far.sendAll(
    ["/one", "/two", "/last"].map((url) => `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""),
  );
  let text = "";
  for (let bytes = await far.receiveSome(); bytes.length > 0; bytes = await far.receiveSome())
    text += bytes.toString();
  assert.deepEqual(text.match(/\/\w+$|\/\w+(?=HTTP\/1.1 200)/gm), ["/one", "/two", "/last"]);
  far.close();
});

test("a node:http server lets a connection upgrade over toDuplex()", async () => {
  const server = http.createServer();
  server.on("upgrade", (message, socket, head) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${message.headers.upgrade}\r\nConnection: Upgrade\r\n\r\n`,
    );
    socket.write(head);
    socket.pipe(socket);
  });
  using _ = hold();
  const [near, far] = memoryPair();
  server.emit("connection", toDuplex(near));
  const upgrading = http.request({
    createConnection: () => toDuplex(far),
    headers: { connection: "Upgrade", upgrade: "echo" },
  });
  upgrading.end();
  const [, socket, head] = (await once(upgrading, "upgrade")) as [
    unknown,
    ReturnType<typeof toDuplex>,
    Buffer,
  ];
  socket.unshift(head);
  socket.write("after the change");
  assert.equal(String((await once(socket, "data"))[0]), "after the change");
  const over = once(socket, "close");
  socket.end();
  socket.resume();
  await over;
});

for (const [kind, ends] of Object.entries({
  "over TCP": ["client", "server"],
  "over TCP, the client alone": ["client"],
  "over TCP, the server alone": ["server"],
}))
  test(`node:http2 speaks over toDuplex() ${kind}: many streams at once, large bodies`, async () => {
    const server = http2.createServer();
    server.on("stream", (stream, headers) => {
      stream.respond({ ":status": 200, "x-path": headers[":path"] });
      stream.pipe(stream);
    });
    const listener = await listenTcp("127.0.0.1");
    let [host, port] = listener.localAddress as [string, number];
    let feeding: Promise<void> | undefined;
    if (ends.includes("server")) feeding = feed(server, listener);
    else {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      port = (server.address() as AddressInfo).port;
    }
    const authority = `http://${host}:${port}`;
    const client = ends.includes("client")
      ? http2.connect(authority, { createConnection: () => toDuplex(connectTcp(host, port)) })
      : http2.connect(authority);
    const body = pattern(200_000);
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const stream = client.request({ ":method": "POST", ":path": `/${index}` });
        stream.end(body);
        const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
        assert.equal(headers["x-path"], `/${index}`);
        const pieces: Buffer[] = [];
        for await (const piece of stream) pieces.push(piece as Buffer);
        assert.ok(Buffer.concat(pieces).equals(body));
      }),
    );
    client.close();
    await once(client, "close");
    listener.close();
    await feeding;
    server.close();
  });
