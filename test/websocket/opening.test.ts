// Opening: what a server refuses and how it says so, what a client refuses, subprotocols, origins, fields, times.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve as serveHttp } from "berkeley/http";
import { connectTcp, memoryPair } from "berkeley/stream";
import { LocalProtocolError, ProtocolError } from "berkeley/wire";
import { HandshakeError, accept, acceptOf, connect, serve } from "berkeley/websocket";
import { REQUEST, echo, openRaw, rawServer, serving } from "./serving.ts";

const codeIs = (code: string) => (error: unknown) => error instanceof ProtocolError && error.code === code;

/** What a server answers to this head, up to its end. */
async function answerTo(port: number, head: string): Promise<string> {
  await using stream = await connectTcp("127.0.0.1", port);
  await stream.sendAll(head.replace(/\r\n\r\n$/, "\r\nConnection: close\r\n\r\n"));
  await stream.closeWrite();
  let text = "";
  for (;;) {
    const bytes = await stream.receiveSome();
    if (bytes.length === 0) return text;
    text += bytes.toString("latin1");
  }
}

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  [
    "a page",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    /^HTTP\/1\.1 426 [^]*Sec-WebSocket-Version: 13[^]*UPGRADE\n$/,
  ],
  ["POST", `${REQUEST.replace("GET", "POST")}\r\n`, /^HTTP\/1\.1 405 [^]*Allow: GET[^]*METHOD\n$/],
  ["version 8", `${REQUEST.replace(": 13", ": 8")}\r\n`, /^HTTP\/1\.1 426 [^]*Version: 13[^]*VERSION\n$/],
  ["no key", `${REQUEST.replace("Sec-WebSocket-Key", "X-Key")}\r\n`, /^HTTP\/1\.1 400 [^]*KEY\n$/],
  ["protocols", `${REQUEST}Sec-WebSocket-Protocol: a,,b\r\n\r\n`, /^HTTP\/1\.1 400 [^]*PROTOCOL\n$/],
  ["a page's origin", `${REQUEST}Origin: http://evil\r\n\r\n`, /^HTTP\/1\.1 403 [^]*ORIGIN\n$/],
];

test("serve() answers what is no handshake with its status", async () => {
  await using at = await serving(echo, { origins: ["http://good"] });
  for (const [what, head, answer] of REFUSED) assert.match(await answerTo(at.port, head), answer, what);
  await using good = await at.raw("Origin: http://good\r\n");
  assert.match(good.answer, /^HTTP\/1\.1 101 /);
  await using none = await at.raw();
  assert.match(none.answer, /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  assert.deepEqual(at.errors, []);
});

test("accept() opens a WebSocket on a server of HTTP, beside its pages", async () => {
  const errors: unknown[] = [];
  await using server = await serveHttp({
    onError: (error) => errors.push(error),
    async handle(request, reply) {
      if (request.path !== "/socket") return reply.send(200, {}, "a page\n");
      const socket = await accept(request, reply, {
        protocols: ["two", "one"],
        headers: { "Set-Cookie": "a=b" },
        origins: (origin) => origin !== "null",
      });
      if (socket === undefined) return;
      for await (const message of socket) await socket.send(`${socket.protocol}: ${String(message)}`);
    },
  });
  const [, port] = server.localAddress as [string, number];
  assert.match(await answerTo(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), /a page\n$/);
  assert.match(await answerTo(port, "GET /socket HTTP/1.1\r\nHost: a\r\n\r\n"), /^HTTP\/1\.1 426 /);
  const url = `ws://127.0.0.1:${port}/socket?a=b`;
  await using socket = await connect(url, {
    protocols: ["none", "one", "two"],
    headers: { Origin: "http://a" },
  });
  assert.equal(socket.protocol, "one");
  await socket.send("hello");
  assert.deepEqual(await socket.receive(), { value: "one: hello", done: false });
  await using raw = await openRaw(await connectTcp("127.0.0.1", port), "", Buffer.alloc(0)).catch(() => {
    throw new Error("a page was asked for, not a socket");
  });
  assert.match(raw.answer, /^HTTP\/1\.1 200 /);
  // A client that is gone without a Close is no failure of the program's.
  const other = await connect(url);
  other.terminate();
  await socket.close();
  await server.shutdown();
  assert.deepEqual(errors, []);
});

test("connect() says what the server answered instead of 101", async () => {
  await using server = await serveHttp({
    handle: (_, reply) => reply.send(401, { "WWW-Authenticate": "Basic" }, "no\n"),
  });
  const [, port] = server.localAddress as [string, number];
  await assert.rejects(
    connect(`ws://127.0.0.1:${port}/`),
    (error) =>
      error instanceof HandshakeError &&
      error.status === 401 &&
      error.code === "ERR_WEBSOCKET_STATUS" &&
      error.fields.get("www-authenticate") === "Basic",
  );
});

const answer = (key: string, changes: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${
    changes.includes("Accept") ? "" : `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n`
  }${changes}\r\n`;

for (const [changes, code] of [
  [`Sec-WebSocket-Accept: ${acceptOf("another")}\r\n`, "ERR_WEBSOCKET_ACCEPT"],
  ["Sec-WebSocket-Protocol: unasked\r\n", "ERR_WEBSOCKET_PROTOCOL"],
  ["Sec-WebSocket-Extensions: permessage-deflate\r\n", "ERR_WEBSOCKET_EXTENSIONS"],
  ["bad-field\r\n", "ERR_HTTP_NO_COLON"],
] as const)
  test(`connect() refuses an answer with ${code}`, async () => {
    await using server = await rawServer(async (stream, request) => {
      const key = /Sec-WebSocket-Key: (\S+)/.exec(request)?.[1] ?? "";
      await stream.sendAll(answer(key, changes));
      while ((await stream.receiveSome()).length > 0);
    });
    await assert.rejects(connect(server.url), codeIs(code));
  });

test("connect() refuses an end instead of an answer, and gives up after openTimeoutMs or its signal", async () => {
  await using ending = await rawServer((stream) => stream.closeWrite());
  await assert.rejects(connect(ending.url), codeIs("ERR_WEBSOCKET_UNEXPECTED_END"));
  const silent = (): ReturnType<typeof rawServer> =>
    rawServer(async (stream) => {
      while ((await stream.receiveSome()).length > 0);
    });
  await using first = await silent();
  await assert.rejects(connect(first.url, { openTimeoutMs: 20 }), codeIs("ERR_WEBSOCKET_PEER_SILENT"));
  await using second = await silent();
  const stop = new AbortController();
  const connecting = connect(second.url, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(connecting, /enough/);
});

test("connect() refuses URLs that are none, and what would be injected, before it connects", async () => {
  for (const url of ["http://a/", "wss://a/#b", "ws://a/#b", "ws://user@a/", "a", ""])
    await assert.rejects(connect(url), { code: "ERR_INVALID_ARG_TYPE" }, url);
  const nowhere = "ws://127.0.0.1:1/";
  const [stream] = memoryPair();
  const wrong: readonly (readonly [object, string])[] = [
    [{ headers: { Cookie: "a\r\nX: b" } }, "ERR_HTTP_FIELD_VALUE"],
    [{ headers: { "A\r\nB": "c" } }, "ERR_HTTP_FIELD_NAME"],
    [{ headers: { "Sec-WebSocket-Key": "a" } }, "ERR_WEBSOCKET_UPGRADE"],
    [{ headers: { Host: "b" } }, "ERR_HTTP_HOST"],
    [{ protocols: ["a\r\nb"] }, "ERR_WEBSOCKET_PROTOCOL"],
    [{ protocols: ["a", "a"] }, "ERR_WEBSOCKET_PROTOCOL"],
  ];
  for (const [options, code] of wrong)
    await assert.rejects(
      connect(nowhere, { ...options, stream }),
      (error) => error instanceof LocalProtocolError && error.code === code,
      code,
    );
});

test("serve() and connect() refuse options that cannot be", async () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ pingIntervalMs: 0 }, "ERR_OUT_OF_RANGE"],
    [{ closeTimeoutMs: "1" }, "ERR_INVALID_ARG_TYPE"],
    [{ limits: { messageBytesMax: -1 } }, "ERR_OUT_OF_RANGE"],
    [{ compression: { level: 0 } }, "ERR_OUT_OF_RANGE"],
    [{ compression: { serverMaxWindowBits: 8 } }, "ERR_OUT_OF_RANGE"],
    [{ compression: "yes" }, "ERR_INVALID_ARG_TYPE"],
  ];
  for (const [options, code] of wrong) {
    await assert.rejects(connect("ws://127.0.0.1:1/", options), { code });
    await assert.rejects(serve({ handle: echo, ...options }), { code });
  }
  await assert.rejects(serve({ handle: 1 as never }), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(serve({ handle: echo, origins: "a" as never }), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(serve({ handle: echo, headers: { Upgrade: "a" } }), codeIs("ERR_WEBSOCKET_UPGRADE"));
});
