// HTTP/2: what a client that has chosen it by ALPN gets from the handlers of HTTP/1, and what clients that mean harm do not
// get.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import * as http2 from "node:http2";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import * as tls from "node:tls";
import { Hono } from "hono";
import { serve, staticFiles } from "berkeley/http";
import type { FetchInfo, HttpServeOptions } from "berkeley/http";
import type { Server } from "berkeley/server";
import { listenTls } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { folder } from "../support/files.ts";
import { pattern } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { gate, until } from "../server/support.ts";

const { skip } = OPENSSL;
const CURL = requirePeer("curl");

/** A server that speaks both, and a client of node:http2. */
interface Serving extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  readonly errors: unknown[];
  client(options?: http2.SecureClientSessionOptions): http2.ClientHttp2Session;
}

async function serving(options: Omit<HttpServeOptions, "listener">): Promise<Serving> {
  const alpnProtocols = ["h2", "http/1.1"];
  const listener = await listenTls("127.0.0.1", 0, { ...certificates().server, alpnProtocols });
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const server = await serve({ listener, onError, scheme: "https", ...options });
  const [, port] = server.localAddress as [string, number];
  const url = `https://localhost:${port}`;
  const sessions: http2.ClientHttp2Session[] = [];
  return {
    server,
    port,
    url,
    errors,
    client(clientOptions) {
      const session = http2.connect(url, { ca: certificates().authority.certificate, ...clientOptions });
      session.on("error", () => undefined);
      sessions.push(session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly body: Buffer;
  readonly trailers: http2.IncomingHttpHeaders;
}

async function answerOf(stream: http2.ClientHttp2Stream): Promise<Answer> {
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("trailers", (came: http2.IncomingHttpHeaders) => (trailers = came));
  const [headers] = (await once(stream, "response")) as [Answer["headers"]];
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  return { headers, body: Buffer.concat(pieces), trailers };
}

const ask = (client: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders = {}): Promise<Answer> =>
  answerOf(client.request({ ":path": "/", ...headers }));

test("serve() answers HTTP/2 by fetch, as it answers HTTP/1.1", { skip }, async () => {
  const seen: unknown[] = [];
  await using at = await serving({
    fetch: async (request: Request, info: FetchInfo) => {
      seen.push(request.url, request.method, info.raw.version, request.headers.get("cookie"));
      seen.push(request.headers.get("host"));
      return new Response(`got ${await request.text()}`, { headers: { "X-A": "b", "Set-Cookie": "c=d" } });
    },
  });
  const client = at.client();
  const stream = client.request({ ":path": "/a?b", ":method": "POST", cookie: ["e=f", "g=h"] });
  stream.end("content");
  const { headers, body } = await answerOf(stream);
  assert.deepEqual([headers[":status"], headers["x-a"], headers["set-cookie"]], [200, "b", ["c=d"]]);
  assert.equal(headers["content-length"], "11");
  assert.ok(headers.date);
  assert.equal(body.toString(), "got content");
  assert.deepEqual(seen, [`${at.url}/a?b`, "POST", "2.0", "e=f; g=h", `localhost:${at.port}`]);
  assert.equal(at.server.stats().accepted, 1);
});

test("serve() answers HTTP/1.1 and HTTP/2 to curl at the same port", {
  skip: skip || CURL.skip,
}, async () => {
  await using at = await serving({ handle: (request, reply) => reply.send(200, {}, request.version) });
  for (const [word, version] of [
    ["--http1.1", "1.1"],
    ["--http2", "2.0"],
  ] as const) {
    const ca = certificates().authority.certificatePath;
    await using curl = start(CURL.path, ["-sS", word, "--cacert", ca, `${at.url}/`]);
    assert.equal((await curl.exited).stdout.toString(), version);
  }
});

test("serve() over HTTP/2 moves large contents both ways, many at once", { skip }, async () => {
  await using at = await serving({
    handle: async (request, reply) => {
      reply.begin(200, {}, {});
      for await (const piece of request) await reply.write(piece);
      reply.end({ "X-Sum": "1" });
    },
  });
  const client = at.client();
  const content = pattern(700_000);
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const stream = client.request({ ":path": "/", ":method": "POST" });
      stream.end(content);
      const { body, trailers } = await answerOf(stream);
      assert.ok(body.equals(content));
      assert.equal(trailers["x-sum"], "1");
    }),
  );
  assert.deepEqual(at.errors, []);
});

test("serve() over HTTP/2 sends informational heads, HEAD without content, and trailers of a request", {
  skip,
}, async () => {
  await using at = await serving({
    handle: async (request, reply) => {
      if (request.method === "HEAD") return reply.send(200, {}, "hello");
      await reply.informational(103, { Link: "</a>" });
      await request.bytes();
      return reply.send(200, { Connection: "close" }, request.trailers.get("x-t") ?? "none");
    },
  });
  const client = at.client();
  const head = await ask(client, { ":method": "HEAD" });
  assert.deepEqual([head.headers["content-length"], head.body.length], ["5", 0]);
  const stream = client.request({ ":path": "/", ":method": "POST" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "x-t": "u" }));
  const early = once(stream, "headers");
  stream.end("x");
  const { headers, body } = await answerOf(stream);
  assert.equal(((await early) as [http2.IncomingHttpHeaders])[0].link, "</a>");
  assert.equal(body.toString(), "u");
  assert.equal(headers.connection, undefined);
});

test("staticFiles() serves HTTP/2: whole, parts, conditions, HEAD, and what is not there", {
  skip,
}, async () => {
  using files = folder();
  const content = pattern(300_000);
  writeFileSync(files.path("a.bin"), content);
  await using at = await serving({ handle: staticFiles(files.path("")) });
  const client = at.client();
  const whole = await ask(client, { ":path": "/a.bin" });
  assert.ok(whole.body.equals(content));
  assert.equal(whole.headers["content-length"], "300000");
  const part = await ask(client, { ":path": "/a.bin", range: "bytes=1000-200999" });
  assert.equal(part.headers[":status"], 206);
  assert.ok(part.body.equals(content.subarray(1000, 201_000)));
  const head = await ask(client, { ":path": "/a.bin", ":method": "HEAD" });
  assert.deepEqual([head.headers["content-length"], head.body.length], ["300000", 0]);
  const { etag } = whole.headers;
  const same = await ask(client, { ":path": "/a.bin", "if-none-match": String(etag) });
  assert.deepEqual([same.headers[":status"], same.body.length], [304, 0]);
  for (const path of ["/none", "/../a.bin", "/%2e%2e/a.bin"])
    assert.equal((await ask(client, { ":path": path })).headers[":status"], 404, path);
  assert.deepEqual(at.errors, []);
});

test("serve() compresses over HTTP/2 what is sent at once and what comes in pieces", { skip }, async () => {
  const text = "hello ".repeat(10_000);
  await using at = await serving({
    compress: true,
    handle: async (request, reply) => {
      const type = { "Content-Type": "text/plain" };
      if (request.path === "/none") return reply.send(204);
      if (request.path === "/once") return reply.send(200, type, text);
      reply.begin(200, type);
      for (let from = 0; from < text.length; from += 10_000)
        await reply.write(text.slice(from, from + 10_000));
      return reply.end();
    },
  });
  const client = at.client();
  for (const path of ["/once", "/pieces"]) {
    const { body, headers } = await ask(client, { ":path": path, "accept-encoding": "gzip" });
    assert.equal(headers["content-encoding"], "gzip", path);
    assert.equal(gunzipSync(body).toString(), text, path);
  }
  const none = await ask(client, { ":path": "/none", "accept-encoding": "gzip" });
  assert.deepEqual([none.headers[":status"], none.body.length], [204, 0]);
  assert.deepEqual(at.errors, []);
});

test("Hono runs over HTTP/2 as it is", { skip }, async () => {
  const app = new Hono();
  app.get("/hello/:name", (context) => context.json({ hello: context.req.param("name") }));
  await using at = await serving({ fetch: app.fetch });
  const { body } = await ask(at.client(), { ":path": "/hello/you" });
  assert.deepEqual(JSON.parse(body.toString()), { hello: "you" });
});

test("serve() over HTTP/2 answers what handlers throw with 500, or cuts the answer off", {
  skip,
}, async () => {
  await using at = await serving({
    handle: async (request, reply) => {
      if (request.path === "/begun") {
        reply.begin(200);
        await reply.write("half");
      }
      throw new Error(`told to at ${request.path}`);
    },
  });
  const client = at.client();
  assert.equal((await ask(client)).headers[":status"], 500);
  await assert.rejects(ask(client, { ":path": "/begun" }), { code: "ERR_HTTP2_STREAM_ERROR" });
  assert.deepEqual(at.errors.map(String), ["Error: told to at /", "Error: told to at /begun"]);
});

test("serve() over HTTP/2 refuses content over limits.bodyBytesMax, and content that does not come", {
  skip,
}, async () => {
  await using at = await serving({
    handle: async (request, reply) => reply.send(200, {}, await request.text()),
    limits: { bodyBytesMax: 1000 },
    bodyTimeoutMs: 100,
  });
  const client = at.client();
  const large = client.request({ ":path": "/", ":method": "POST" });
  large.write("x".repeat(2000));
  const slow = client.request({ ":path": "/", ":method": "POST" });
  slow.write("x");
  for (const [stream, status] of [
    [large, 413],
    [slow, 408],
  ] as const) {
    const [headers] = (await once(stream, "response")) as [Answer["headers"]];
    assert.equal(headers[":status"], status);
    stream.resume();
    // What the client has not sent nobody wants.
    await once(stream, "close");
    assert.equal(stream.rstCode, http2.constants.NGHTTP2_NO_ERROR);
  }
  assert.deepEqual(at.errors, []);
});

test("serve() over HTTP/2 ends content that comes byte by byte with 408", { skip }, async () => {
  await using at = await serving({
    handle: async (request, reply) => reply.send(200, {}, await request.text()),
    bodyTimeoutMs: 300,
    bodyBytesPerSecondMin: 10_000,
  });
  const stream = at.client().request({ ":path": "/", ":method": "POST" });
  const drip = setInterval(() => stream.write("x"), 20);
  const [headers] = (await once(stream, "response")) as [Answer["headers"]];
  clearInterval(drip);
  assert.equal(headers[":status"], 408);
});

test("HttpReply.upgrade() is refused over HTTP/2, whose clients ask 100 requests at once", {
  skip,
}, async () => {
  await using at = await serving({
    handle: async (_, reply) => {
      await assert.rejects(reply.upgrade({ Upgrade: "x" }), { code: "ERR_HTTP_SEQUENCE" });
      reply.send(200, {}, "no other protocol");
    },
  });
  const client = at.client();
  assert.equal((await ask(client)).body.toString(), "no other protocol");
  assert.equal(client.remoteSettings.maxConcurrentStreams, 100);
  assert.deepEqual(at.errors, []);
});

test("serve() refuses a request of HTTP/2 that names two hosts", { skip }, async () => {
  let asked = 0;
  await using at = await serving({
    handle: (_, reply) => {
      asked++;
      reply.send(200);
    },
  });
  const client = at.client();
  const named = { ":authority": `localhost:${at.port}` };
  await assert.rejects(ask(client, { ...named, host: "elsewhere" }), { code: "ERR_HTTP2_STREAM_ERROR" });
  assert.equal(asked, 0);
  assert.equal((await ask(client, { ...named, host: named[":authority"] })).headers[":status"], 200);
});

test("request.signal of HTTP/2 is aborted when the client resets the stream", { skip }, async () => {
  const asked = gate();
  const aborted: unknown[] = [];
  await using at = await serving({
    handle: async ({ signal }) => {
      asked.open();
      await once(signal, "abort");
      aborted.push((signal.reason as { code: string }).code);
    },
  });
  const client = at.client();
  const stream = client.request({ ":path": "/" });
  stream.on("error", () => undefined);
  await asked.opened;
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await until(() => aborted.length > 0);
  assert.deepEqual(aborted, ["ERR_HTTP_UNEXPECTED_END"]);
  assert.deepEqual(at.errors, []);
});

test("serve() ends a connection of HTTP/2 that resets what it asks, again and again", { skip }, async () => {
  let running = 0;
  let most = 0;
  const released = gate();
  await using at = await serving({
    handle: async (_, reply) => {
      most = Math.max(most, ++running);
      await released.opened;
      running--;
      reply.send(200);
    },
  });
  const client = at.client();
  await once(client, "connect");
  const flood = setInterval(() => {
    for (let count = 0; count < 50 && !client.destroyed && !client.closed; count++) {
      const stream = client.request({ ":path": "/" });
      stream.on("error", () => undefined);
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
  }, 1);
  await until(() => most > 0 && at.server.stats().active === 0);
  clearInterval(flood);
  assert.ok(most <= 200, `${most} handlers at once`);
  released.open();
  // Others are served.
  assert.equal((await ask(at.client())).headers[":status"], 200);
});

test("serve() cancels the stream of a client of HTTP/2 that takes no answer", { skip }, async () => {
  const failures: unknown[] = [];
  await using at = await serving({
    sendTimeoutMs: 100,
    handle: async (_, reply) => {
      reply.begin(200);
      try {
        for (;;) await reply.write(Buffer.alloc(65_536));
      } catch (error) {
        failures.push(error);
        throw error;
      }
    },
  });
  const stream = at.client().request({ ":path": "/" });
  stream.pause();
  stream.on("error", () => undefined);
  await until(() => failures.length > 0);
  assert.match((failures[0] as { code: string }).code, /^ERR_HTTP_/);
  assert.deepEqual(at.errors, []);
});

test("serve() ends a connection of HTTP/2 that asks for nothing, whatever else it sends", {
  skip,
}, async () => {
  await using at = await serving({
    keepAliveTimeoutMs: 100,
    handle: (_, reply) => reply.send(200, {}, "hello"),
  });
  const client = at.client();
  assert.equal((await ask(client)).body.toString(), "hello");
  const pings = setInterval(() => {
    if (!client.destroyed) client.ping(() => undefined);
  }, 10);
  await once(client, "close");
  clearInterval(pings);
});

test("serve() refuses a head of HTTP/2 over limits.headerBytesMax, and answers the next", {
  skip,
}, async () => {
  let asked = 0;
  await using at = await serving({
    handle: (_, reply) => {
      asked++;
      reply.send(200);
    },
  });
  const client = at.client({ maxSendHeaderBlockLength: 1_000_000 });
  assert.equal((await ask(client, { "x-long": "a".repeat(30_000) })).headers[":status"], 431);
  assert.equal(asked, 0);
  assert.equal((await ask(client)).headers[":status"], 200);
  // As many as these nghttp2 does not even keep.
  const many = Object.fromEntries(
    Array.from({ length: 2000 }, (_, count) => [`x-${count}`, "a".repeat(100)]),
  );
  await assert.rejects(ask(client, many), { code: /^ERR_HTTP2_/ });
  assert.equal(asked, 1);
  assert.equal((await ask(at.client())).headers[":status"], 200);
});

test("shutdown() lets answers of HTTP/2 finish, and ends the connection behind them", { skip }, async () => {
  const asked = gate();
  const released = gate();
  await using at = await serving({
    handle: async (_, reply) => {
      asked.open();
      await released.opened;
      reply.send(200, {}, "finished");
    },
  });
  const client = at.client();
  const answering = ask(client);
  await asked.opened;
  const goaway = once(client, "goaway");
  const down = at.server.shutdown();
  await goaway;
  released.open();
  assert.equal((await answering).body.toString(), "finished");
  await down;
});

test("serve() over HTTP/2 sends a field twice of which node:http2 would have one only", {
  skip,
}, async () => {
  await using at = await serving({
    handle: (_, reply) =>
      reply.send(
        200,
        [
          ["ETag", '"a"'],
          ["ETag", '"b"'],
          ["HTTP2-Settings", "AAMAAABk"],
        ],
        "content",
      ),
  });
  const { headers, body } = await ask(at.client());
  assert.deepEqual([headers[":status"], headers.etag, body.toString()], [200, '"a", "b"', "content"]);
  assert.equal(headers["http2-settings"], undefined);
});

test("serve() over HTTP/2 survives trailers of which node:http2 would have one only", { skip }, async () => {
  await using at = await serving({
    handle: async (_, reply) => {
      reply.begin(200, {}, {});
      await reply.write("content");
      reply.end([
        ["Last-Modified", "a"],
        ["Last-Modified", "b"],
      ]);
    },
  });
  const { body, trailers } = await ask(at.client());
  assert.deepEqual([body.toString(), trailers["last-modified"]], ["content", "a, b"]);
});

test("serve() over HTTP/2 ends a connection after requestsMax whose client keeps its half open", {
  skip,
}, async () => {
  await using at = await serving({
    requestsMax: 1,
    keepAliveTimeoutMs: 100,
    handle: (_, reply) => reply.send(200, {}, "content"),
  });
  const options = {
    port: at.port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: certificates().authority.certificate,
    ALPNProtocols: ["h2"],
    allowHalfOpen: true,
  };
  const socket = tls.connect(options);
  socket.on("error", () => undefined);
  socket.resume();
  await once(socket, "secureConnect");
  // The preface, empty SETTINGS, and GET / with https and no authority (indices of RFC 7541 appendix A).
  socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  socket.write(Buffer.from("000000040000000000" + "000003010500000001" + "828784", "hex"));
  await once(socket, "end");
  await until(() => at.server.stats().active === 0);
  socket.destroy();
});
