// Clients that mean harm: slow ones, ones that never read, ones that send without end. Each is ended in its time, holds
// nothing but its own connection, and others are served meanwhile.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerError } from "berkeley/server";
import type { HttpHandler } from "berkeley/http";
import { get, post, serving } from "./serving.ts";
import type { RawClient, Serving } from "./serving.ts";

const hello: HttpHandler = (_, reply) => reply.send(200, {}, "hello");
const collect: HttpHandler = async (request, reply) => reply.send(200, {}, await request.text());

/** Sends pieces again and again until the server has ended; resolves with all that came. */
async function drip(client: RawClient, piece: string, everyMs: number): Promise<string> {
  const timer = setInterval(() => {
    client.send(piece).catch(() => {}); // The server has closed.
  }, everyMs);
  try {
    return await client.rest(true);
  } finally {
    clearInterval(timer);
  }
}

/** Others are served. */
async function isServing(at: Serving): Promise<void> {
  await using client = await at.connect();
  await client.send(get());
  assert.equal((await client.answer()).status, 200);
}

test("serve() ends a head that comes byte by byte (slowloris) with 408", async () => {
  await using at = await serving({ handle: hello, headTimeoutMs: 150 });
  await using client = await at.connect();
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n");
  const [all] = await Promise.all([drip(client, "X: 1\r\n", 20), isServing(at)]);
  assert.match(all, /^HTTP\/1\.1 408 Request Timeout\r\n.*Connection: close\r\n\r\nRequest Timeout\n$/s);
});

test("serve() ends a second head that comes byte by byte, and not for the first one's time", async () => {
  await using at = await serving({ handle: hello, headTimeoutMs: 150 });
  await using client = await at.connect();
  await client.send(`${get()}G`);
  assert.equal((await client.answer()).text, "hello");
  assert.match(await drip(client, "E", 20), /^HTTP\/1\.1 408/);
});

test("serve() closes a connection on which no request begins, without a word", async () => {
  await using at = await serving({ handle: hello, keepAliveTimeoutMs: 100 });
  await using fresh = await at.connect();
  await using used = await at.connect();
  await used.send(get());
  await used.answer();
  assert.deepEqual(await Promise.all([fresh.rest(), used.rest()]), ["", ""]);
});

test("serve() ends content that does not come with 408", async () => {
  await using at = await serving({ handle: collect, bodyTimeoutMs: 150 });
  await using client = await at.connect();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  const [answer] = await Promise.all([client.answer("POST"), isServing(at)]);
  assert.deepEqual([answer.status, answer.keepAlive], [408, false]);
  assert.equal(await client.rest(), "");
  assert.deepEqual(at.errors, []);
});

test("serve() ends content that comes byte by byte with 408, and lets what comes fast enough through", async () => {
  await using at = await serving({ handle: collect, bodyTimeoutMs: 600, bodyBytesPerSecondMin: 10_000 });
  await using client = await at.connect();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  assert.match(await drip(client, "x", 20), /^HTTP\/1\.1 408/);
  // Twice the time in all, but enough of it each second.
  await using fast = await at.connect();
  await fast.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  let left = 100_000;
  const timer = setInterval(() => {
    left -= 5000;
    if (left >= 0) void fast.send("x".repeat(5000));
  }, 40);
  const answer = await fast.answer("POST");
  clearInterval(timer);
  assert.equal(answer.text.length, 100_000);
});

test("serve() ends unread content that does not come, and the connection with it", async () => {
  await using at = await serving({ handle: hello, bodyTimeoutMs: 100 });
  await using client = await at.connect();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  assert.equal((await client.answer("POST")).text, "hello");
  assert.equal(await client.rest(), "");
});

test("serve() ends a client that never reads its answer, and the handler's write() fails", async () => {
  let failed!: (error: unknown) => void;
  const failure = new Promise<unknown>((resolve) => (failed = resolve));
  await using at = await serving({
    sendTimeoutMs: 150,
    lingerTimeoutMs: 0,
    handle: async (request, reply) => {
      if (request.path === "/") return reply.send(200);
      reply.begin(200);
      try {
        for (;;) await reply.write(Buffer.alloc(65_536));
      } catch (error) {
        failed(error);
        throw error;
      }
    },
  });
  await using client = await at.connect();
  await client.send(get("/endless"));
  assert.equal(((await failure) as { code: string }).code, "ECANCELED");
  await isServing(at);
  assert.deepEqual(at.errors, []);
});

test("serve() receives no more from a client that sends requests and never reads the answers", async () => {
  let answered = 0;
  await using at = await serving({
    sendTimeoutMs: 60_000,
    handle: (_, reply) => {
      answered++;
      reply.send(200, {}, Buffer.alloc(100_000));
    },
  });
  await using client = await at.connect();
  const batch = get().repeat(1000);
  let sent = 0;
  const flood = (async () => {
    for (;;) {
      await client.send(batch);
      sent++;
    }
  })();
  flood.catch(() => {});
  let before = -1;
  for (let same = 0; same < 20; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    same = sent + answered === before ? same + 1 : 0;
    before = sent + answered;
  }
  // What the kernel holds in both directions, and one batch of receives.
  assert.ok(answered < 2000, `${answered} answers of 100 kB were made`);
  assert.ok(process.memoryUsage().arrayBuffers < 200e6);
  await isServing(at);
});

test("serve() refuses content over limits.bodyBytesMax, by its length and by its chunks", async () => {
  await using at = await serving({ handle: collect, limits: { bodyBytesMax: 1000 } });
  await using client = await at.connect();
  await client.send(post("x".repeat(1000)));
  assert.equal((await client.answer("POST")).text.length, 1000);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const all = await drip(client, "80\r\n" + "x".repeat(128) + "\r\n", 1);
  assert.match(all, /^HTTP\/1\.1 413 Content Too Large\r\n/);
});

test("serve() answers requests that are smuggled in content as content, and those behind a refusal not at all", async () => {
  const seen: string[] = [];
  await using at = await serving({
    handle: async (request, reply) => {
      seen.push(request.path);
      reply.send(200, {}, await request.text());
    },
  });
  const inner = get("/smuggled");
  for (const text of [
    post(inner, "", "/outer"),
    `POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    `POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${inner}`,
    `POST /outer HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
    `POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n${inner}`,
    `POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
    `GET /outer HTTP/1.1\r\nHost: a\r\nX: a\nContent-Length: 0\r\n\r\n${inner}`,
    `POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n${inner}`,
    `POST /outer HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
  ]) {
    await using client = await at.connect();
    await client.send(text);
    await client.stream.closeWrite();
    await client.rest();
  }
  assert.deepEqual([...new Set(seen)], ["/outer"]);
});

const declines: readonly (readonly [how: string, handle: HttpHandler])[] = [
  ["refused", (_, reply) => reply.send(403)],
  [
    "refused later, in pieces",
    async (request, reply) => {
      await request.text();
      reply.begin(502);
      await reply.write("no");
      reply.end();
    },
  ],
  ["answered without a tunnel", (_, reply) => reply.send(200)],
];
for (const [how, answer] of declines)
  test(`serve() reads nothing behind a CONNECT that is ${how}: what was sent early is no request`, async () => {
    const seen: string[] = [];
    await using at = await serving({
      handle: (request, reply) => {
        seen.push(request.method);
        return answer(request, reply);
      },
    });
    await using client = await at.connect();
    await client.send(`CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${get("/smuggled")}`);
    assert.match(await client.rest(), /^HTTP\/1\.1 (200|\d+ [^]*Connection: close\r\n)/);
    assert.deepEqual(seen, ["CONNECT"]);
  });

test("shutdown() with a deadline ends what does not end by itself", async () => {
  await using at = await serving({
    handle: async (_, reply) => {
      reply.begin(200);
      for (;;) await reply.write(Buffer.alloc(65_536));
    },
  });
  await using client = await at.connect();
  await client.send(get());
  await client.stream.receiveSome();
  const report = await at.server.shutdown({ deadlineMs: 50 });
  assert.equal(report.aborted, 1);
  assert.ok(!at.errors.some((error) => error instanceof ServerError));
});
