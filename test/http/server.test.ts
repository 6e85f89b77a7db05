// serve() with a handler: what it is told, what the client gets, in which order, and what becomes of the connection.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HttpFields, serve } from "berkeley/http";
import type { HttpHandler, HttpReply, HttpRequest, HttpServeOptions } from "berkeley/http";
import { connectUnix, memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { LocalProtocolError, RemoteProtocolError } from "berkeley/wire";
import { RawClient, get, post, serving } from "./serving.ts";

const hello: HttpHandler = (_, reply) => reply.send(200, { "Content-Type": "text/plain" }, "hello");

test("serve() answers with Date, the length and the content, and keeps the connection", async () => {
  await using at = await serving({ handle: hello });
  await using client = await at.connect();
  for (let count = 0; count < 3; count++) {
    await client.send(get());
    const { status, fields, text, keepAlive } = await client.answer();
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(fields), ["content-type", "date", "content-length"]);
    assert.ok(Math.abs(Date.parse(String(fields["date"])) - Date.now()) < 60_000);
    assert.equal(text, "hello");
    assert.equal(keepAlive, true);
  }
});

test("serve() tells a handler the request as it was sent, and both addresses", async () => {
  let seen: HttpRequest | undefined;
  let local: unknown;
  await using at = await serving({
    handle: (request, reply) => {
      seen = request;
      local = request.localAddress;
      reply.send(204);
    },
  });
  await using client = await at.connect();
  await client.send("PURGE /a%20b?c=d?e HTTP/1.0\r\nHost: H:1\r\nX-Y: 1\r\nX-Y: 2\r\n\r\n");
  assert.equal((await client.answer()).keepAlive, false);
  assert.ok(seen !== undefined);
  assert.equal(seen.method, "PURGE");
  assert.equal(seen.target, "/a%20b?c=d?e");
  assert.equal(seen.path, "/a%20b");
  assert.equal(seen.query, "c=d?e");
  assert.equal(seen.version, "1.0");
  assert.equal(seen.authority, "H:1");
  assert.equal(seen.fields.get("x-y"), "1, 2");
  assert.equal(seen.body, 0);
  assert.equal((seen.remoteAddress as [string])[0], "127.0.0.1");
  assert.deepEqual(local, ["127.0.0.1", at.port]);
  await assert.rejects(
    client.stream.sendAll("").then(() => client.answer()),
    /without an answer/,
  );
});

for (const [target, path, query] of [
  ["/a/b?c?d", "/a/b", "c?d"],
  ["//a", "//a", ""],
  ["http://h/a?b", "/a", "b"],
  ["HTTP://H?b", "/", "b"],
  ["http://h", "/", ""],
  ["http://h//a", "//a", ""],
] as const)
  test(`HttpRequest.path is ${path} of ${target}`, async () => {
    await using at = await serving({
      handle: (request, reply) => reply.send(200, {}, `${request.path} ${request.query}`),
    });
    await using client = await at.connect();
    await client.send(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`);
    assert.equal((await client.answer()).text, `${path} ${query}`);
  });

test("serve() answers pipelined requests in order, however long each answer takes", async () => {
  const gates: (() => void)[] = [];
  await using at = await serving({
    handle: async (request, reply) => {
      if (request.path === "/slow") await new Promise<void>((resolve) => gates.push(resolve));
      reply.send(200, {}, request.target);
    },
  });
  await using client = await at.connect();
  await client.send(get("/1") + get("/slow") + get("/3"));
  // What is ready does not wait for what is not.
  assert.equal((await client.answer()).text, "/1");
  gates[0]?.();
  assert.equal((await client.answer()).text, "/slow");
  assert.equal((await client.answer()).text, "/3");
});

test("serve() sends the answers to requests that came together in one call", async () => {
  const [near, far] = memoryPair();
  const sent: number[] = [];
  const sendAll = near.sendAll.bind(near);
  near.sendAll = (data) => {
    sent.push((data as Buffer).length);
    return sendAll(data);
  };
  let given = false;
  const ends = new AbortController();
  await using _ = await serve({
    handle: hello,
    listener: {
      closed: false,
      localAddress: undefined,
      async accept(): Promise<ByteStream> {
        if (given)
          await new Promise((_resolve, reject) => {
            ends.signal.addEventListener("abort", () => reject(new Error("closed")));
          });
        given = true;
        return near;
      },
      close(): void {
        Object.assign(this, { closed: true });
        ends.abort();
      },
      async [Symbol.asyncDispose]() {
        this.close();
      },
    },
  });
  await using client = new RawClient(far);
  await client.send(get().repeat(20));
  for (let count = 0; count < 20; count++) assert.equal((await client.answer()).text, "hello");
  assert.equal(sent.length, 1);
});

const contents: Readonly<Record<string, (content: string) => string>> = {
  "of a length": (content) => post(content),
  chunked: (content) =>
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${content === "" ? "" : `${content.length.toString(16)}\r\n${content}\r\n`}0\r\nX-Sum: 1\r\n\r\n`,
};
for (const [how, make] of Object.entries(contents)) {
  test(`HttpRequest.text() resolves with the whole content, ${how}, and the connection lives on`, async () => {
    await using at = await serving({
      handle: async (request, reply) => {
        reply.send(200, {}, `${await request.text()}|${request.trailers.get("x-sum") ?? ""}`);
      },
    });
    await using client = await at.connect();
    for (const content of ["hello", "", "x".repeat(300_000), "last"]) {
      await client.send(make(content));
      const trailer = how === "chunked" ? "1" : "";
      assert.equal((await client.answer("POST")).text, `${content}|${trailer}`);
    }
  });

  test(`HttpRequest.read() gives the content piece by piece while it comes, ${how}`, async () => {
    const seen: string[] = [];
    await using at = await serving({
      handle: async (request, reply) => {
        reply.begin(200);
        for await (const piece of request) {
          seen.push(piece.toString());
          await reply.write(piece);
        }
        assert.equal(await request.read(), undefined);
        reply.end();
      },
    });
    await using client = await at.connect();
    const whole = make("0123456789");
    const at5 = whole.indexOf("56789");
    await client.send(whole.slice(0, at5));
    client.parser.expect("POST");
    let text = "";
    while (!text.includes("01234")) text += (await client.stream.receiveSome()).toString();
    assert.deepEqual(seen, ["01234"]);
    await client.send(whole.slice(at5));
    while (!text.endsWith("0\r\n\r\n")) text += (await client.stream.receiveSome()).toString();
    assert.match(text, /\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n$/);
  });

  test(`serve() answers 413 when bytes() has a limit that the content is over, ${how}`, async () => {
    await using at = await serving({
      handle: async (request, reply) => reply.send(200, {}, await request.bytes(5)),
    });
    await using client = await at.connect();
    await client.send(make("12345"));
    assert.equal((await client.answer("POST")).text, "12345");
    await client.send(make("123456"));
    assert.equal((await client.answer("POST")).status, 413);
    await client.send(get());
    assert.equal((await client.answer()).status, 200);
    assert.deepEqual(at.errors, []);
  });
}

test("serve() sends 100 (Continue) when the content is asked for, and not before", async () => {
  let asked!: () => void;
  const gate = new Promise<void>((resolve) => (asked = resolve));
  await using at = await serving({
    handle: async (request, reply) => {
      await gate;
      reply.send(200, {}, await request.text());
    },
  });
  await using client = await at.connect();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  asked();
  assert.equal((await client.stream.receiveSome()).toString(), "HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("hello");
  const answer = await client.answer("POST");
  assert.equal(answer.text, "hello");
  assert.equal(answer.keepAlive, true);
});

test("serve() sends no 100 when content came by itself, nor to HTTP/1.0", async () => {
  await using at = await serving({
    handle: async (request, reply) => reply.send(200, {}, await request.text()),
  });
  await using client = await at.connect();
  await client.send(post("hello", "Expect: 100-continue\r\n"));
  assert.deepEqual((await client.answer("POST")).before, []);
  await client.send("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  await client.send("hello");
  assert.deepEqual((await client.answer("POST")).before, []);
});

test("serve() closes behind an answer to a client that waits for 100 and did not get it", async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(403) });
  await using client = await at.connect();
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  const answer = await client.answer("POST");
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.before, []);
  assert.equal(answer.keepAlive, false);
  assert.equal(await client.rest(), "");
});

test("serve() drops content that was not read if it is little, and closes if it is much", async () => {
  await using at = await serving({ handle: hello, unreadBytesMax: 1000 });
  await using client = await at.connect();
  for (const make of Object.values(contents)) {
    await client.send(make("x".repeat(900)) + get());
    assert.equal((await client.answer("POST")).keepAlive, true);
    assert.equal((await client.answer()).text, "hello");
  }
  await client.send(post("x".repeat(1001)));
  assert.equal((await client.answer("POST")).keepAlive, false);
  assert.equal(await client.rest(), "");
  await using other = await at.connect();
  // Of chunked content that is known too late to be said.
  await other.send((contents["chunked"] as (content: string) => string)("x".repeat(5000)) + get());
  assert.equal((await other.answer("POST")).text, "hello");
  assert.equal(await other.rest(), "");
});

test("HttpReply.begin(), write() and end() send pieces as they come, chunked or with a length", async () => {
  await using at = await serving({
    handle: async (request, reply) => {
      reply.begin(200, { A: "b" }, request.path === "/length" ? { length: 6, reason: "Fine" } : {});
      await reply.write("abc");
      await reply.write(new Uint8Array(0));
      await reply.write(Buffer.from("def"));
      reply.end(request.path === "/trailers" ? { "X-Sum": "6" } : undefined);
    },
  });
  await using client = await at.connect();
  await client.send(get("/length") + get("/trailers") + get("/", "", "HEAD"));
  const [first, second] = [await client.answer(), await client.answer()];
  assert.deepEqual([first.text, first.fields["content-length"], first.trailers], ["abcdef", "6", []]);
  assert.deepEqual([second.text, second.trailers], ["abcdef", [["x-sum", "6"]]]);
  const third = await client.answer("HEAD");
  assert.deepEqual([third.text, third.fields["transfer-encoding"], third.keepAlive], ["", undefined, true]);
  // To HTTP/1.0 the end is the close, and trailers have no place.
  await client.send("GET /trailers HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const last = await client.answer();
  assert.deepEqual([last.text, last.keepAlive], ["abcdef", false]);
});

test("HttpReply.informational() goes out before the answer", async () => {
  await using at = await serving({
    handle: async (_, reply) => {
      await reply.informational(103, { Link: "</a>; rel=preload" });
      reply.send(200);
    },
  });
  await using client = await at.connect();
  await client.send(get());
  assert.deepEqual((await client.answer()).before, [103]);
});

test("HttpReply.write() waits for a client that does not read, and has sent everything in the end", async () => {
  const PIECE = 65_536;
  const COUNT = 400;
  let written = 0;
  await using at = await serving({
    handle: async (_, reply) => {
      reply.begin(200, {}, { length: PIECE * COUNT });
      const piece = Buffer.alloc(PIECE, "x");
      for (let count = 0; count < COUNT; count++) {
        await reply.write(piece);
        written++;
      }
      reply.end();
    },
  });
  await using client = await at.connect();
  await client.send(get());
  // The kernel's buffers fill; when nothing moves for some turns of the loop, they are full.
  for (let before = -1, same = 0; same < 20; before = written) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    same = written === before ? same + 1 : 0;
  }
  assert.ok(written < COUNT, `${written} pieces went into the kernel`);
  assert.equal((await client.answer()).text.length, PIECE * COUNT);
  assert.equal(written, COUNT);
});

test("HttpReply.write() keeps the order of pieces that nobody waited for, large ones among them", async () => {
  const pieces = [1_000_000, 3, 700_000, 1, 70_000].map((size, index) =>
    Buffer.alloc(size, String.fromCharCode(97 + index)),
  );
  await using at = await serving({
    handle: async (_, reply) => {
      reply.begin(200);
      const writing = pieces.map((piece) => reply.write(piece));
      await Promise.all(writing);
      reply.end();
    },
  });
  await using client = await at.connect();
  await client.send(get());
  assert.equal((await client.answer()).text, Buffer.concat(pieces).toString());
});

test("serve() lets a client that reads slowly but steadily have a large answer, however long it takes", async () => {
  const LENGTH = 24_000_000;
  await using at = await serving({
    handle: (_, reply) => reply.send(200, {}, Buffer.alloc(LENGTH)),
    sendTimeoutMs: 40,
  });
  await using client = await at.connect();
  await client.send(get());
  let received = 0;
  while (received < LENGTH) {
    const bytes = await client.stream.receiveSome();
    if (bytes.length === 0) break;
    received += bytes.length;
    // Not to wait for anything: it is what makes the client slow.
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
  assert.ok(received > LENGTH, `${received} bytes`);
});

test("serve() moves large contents both ways, whole", async () => {
  const content = Buffer.alloc(3_000_000, "0123456789abcdef");
  await using at = await serving({
    handle: async (request, reply) => reply.send(200, {}, await request.bytes()),
  });
  const response = await fetch(at.url, { method: "POST", body: content });
  assert.ok(content.equals(Buffer.from(await response.arrayBuffer())));
});

const failing: Readonly<Record<string, (request: HttpRequest, reply: HttpReply) => void | Promise<void>>> = {
  "throws at once": () => {
    throw new Error("told to");
  },
  "throws later": async () => {
    await Promise.resolve();
    throw new Error("told to");
  },
  "returns without an answer": () => {},
  "returns later without an answer": async () => {
    await Promise.resolve();
  },
  "sends what cannot be sent": (_, reply) => reply.send(200, { "X\r\n": "1" }, "a"),
  "sends a length that is not the content's": (_, reply) => reply.send(200, { "Content-Length": "9" }, "a"),
};
for (const [what, handle] of Object.entries(failing))
  test(`serve() answers 500 and goes on when a handler ${what}`, async () => {
    await using at = await serving({ handle });
    await using client = await at.connect();
    await client.send(get() + get());
    for (let count = 0; count < 2; count++) {
      const { status, text } = await client.answer();
      assert.deepEqual([status, text], [500, "Internal Server Error\n"]);
    }
    assert.equal(at.errors.length, 2);
  });

const broken: Readonly<Record<string, (request: HttpRequest, reply: HttpReply) => Promise<void>>> = {
  "throws in the midst": async (_, reply) => {
    await reply.write("abc");
    throw new Error("told to");
  },
  "does not end": async (_, reply) => reply.write("abc"),
  "ends too early": async (_, reply) => {
    await reply.write("abc");
    reply.end();
  },
  "writes too much": async (_, reply) => {
    await reply.write("abc");
    await reply.write("x".repeat(99));
  },
};
for (const [what, handle] of Object.entries(broken))
  test(`serve() cuts the answer off when a handler that has begun ${what}`, async () => {
    await using at = await serving({
      handle: (request, reply) => {
        reply.begin(200, {}, { length: 10 });
        return handle(request, reply);
      },
    });
    await using client = await at.connect();
    await client.send(get() + get());
    await assert.rejects(client.answer(), { code: "ERR_HTTP_UNEXPECTED_END" });
    assert.equal(at.errors.length, 1);
  });

test("serve() tells of a failing handler by a process warning unless onError is given", async () => {
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  await using at = await serving({ handle: failing["throws at once"], onError: undefined });
  await using client = await at.connect();
  await client.send(get());
  assert.equal((await client.answer()).status, 500);
  const warning = await warned;
  assert.match(warning.message, /a handler of HTTP failed: Error: told to/);
  assert.equal((warning as Error & { code: string }).code, "BERKELEY_HANDLER");
});

test("serve() refuses what is no request, behind the answers to those before it", async () => {
  await using at = await serving({ handle: hello });
  for (const [text, status, code] of [
    ["GET / HTTP/1.1\r\n\r\n", 400, "ERR_HTTP_HOST_MISSING"],
    ["GET / HTTP/2.0\r\n\r\n", 505, "ERR_HTTP_VERSION"],
    [`GET /${"a".repeat(9000)} HTTP/1.1\r\n`, 414, "ERR_HTTP_START_LINE_TOO_LONG"],
    [get("/", `X: ${"a".repeat(20_000)}\r\n`), 431, "ERR_HTTP_HEADER_TOO_LARGE"],
    [get("/", "Transfer-Encoding: gzip\r\n"), 501, "ERR_HTTP_TRANSFER_CODING_UNKNOWN"],
    [get("/", "Expect: b\r\n"), 417, "ERR_HTTP_EXPECTATION"],
    [get("/", "Content-Length: 999999999\r\n"), 413, "ERR_HTTP_BODY_TOO_LARGE"],
    ["\x16\x03\x01\x02", 400, "ERR_HTTP_METHOD"],
  ] as const) {
    await using client = await at.connect();
    await client.send(get() + text);
    assert.equal((await client.answer()).text, "hello");
    const refused = await client.answer();
    assert.deepEqual([refused.status, refused.text, refused.keepAlive], [status, `${code}\n`, false]);
    assert.equal(await client.rest(), "");
  }
  assert.deepEqual(at.errors, []);
});

test("serve() answers 400 when content turns out to be none, and tells the handler why", async () => {
  let seen: unknown;
  await using at = await serving({
    handle: async (request, reply) => {
      try {
        reply.send(200, {}, await request.bytes());
      } catch (error) {
        seen = error;
        throw error;
      }
    },
  });
  await using client = await at.connect();
  await client.send(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
  );
  const answer = await client.answer("POST");
  assert.deepEqual([answer.status, answer.keepAlive], [400, false]);
  assert.ok(seen instanceof RemoteProtocolError && seen.code === "ERR_HTTP_CHUNK_END");
  assert.deepEqual(at.errors, []);
});

test("serve() gives a client that has ended its side the whole answer", async () => {
  await using at = await serving({
    handle: async (_, reply) => {
      reply.begin(200, {}, { length: 2_000_000 });
      for (let count = 0; count < 20; count++) await reply.write(Buffer.alloc(100_000, "x"));
      reply.end();
    },
  });
  await using client = await at.connect();
  await client.send(get() + get());
  await client.stream.closeWrite();
  assert.equal((await client.answer()).text.length, 2_000_000);
  assert.equal((await client.answer()).text.length, 2_000_000);
  assert.equal(await client.rest(), "");
});

// A moment in which the client's end comes; if it came later, the answer would be no different.
const answerers: Readonly<Record<string, Pick<HttpServeOptions, "fetch" | "handle">>> = {
  "a handler": { handle: (_, reply) => reply.send(200, {}, "hello") },
  "an async handler": {
    handle: async (_, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      reply.send(200, {}, "hello");
    },
  },
  "fetch()": { fetch: () => new Response("hello") },
  "an async fetch()": {
    fetch: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return new Response("hello");
    },
  },
  "a stream that fetch() returns": {
    fetch: () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            controller.enqueue(Buffer.from("hello"));
            controller.close();
          },
        }),
      ),
  },
};
for (const [what, answerer] of Object.entries(answerers))
  test(`serve() gives a client that has ended its side the answer of ${what}`, async () => {
    await using at = await serving(answerer);
    await using client = await at.connect();
    await client.send(get());
    await client.stream.closeWrite();
    assert.equal((await client.answer()).text, "hello");
    assert.equal(await client.rest(), "");
    assert.deepEqual(at.errors, []);
  });

test("serve() says Connection: close with the last of requestsMax answers, and closes", async () => {
  await using at = await serving({ handle: hello, requestsMax: 2 });
  await using client = await at.connect();
  await client.send(get().repeat(3));
  assert.equal((await client.answer()).keepAlive, true);
  assert.equal((await client.answer()).keepAlive, false);
  assert.equal(await client.rest(), "");
});

test("shutdown() closes idle connections at once, and others behind their answer", async () => {
  const gates: (() => void)[] = [];
  await using at = await serving({
    handle: async (request, reply) => {
      if (request.path === "/slow") await new Promise<void>((resolve) => gates.push(resolve));
      reply.send(200, {}, "done");
    },
  });
  await using idle = await at.connect();
  await using fresh = await at.connect();
  await using busy = await at.connect();
  await idle.send(get());
  await idle.answer();
  await busy.send(get("/slow") + get());
  while (gates.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const report = at.server.shutdown();
  assert.equal(await idle.rest(), "");
  assert.equal(await fresh.rest(), "");
  gates[0]?.();
  const answer = await busy.answer();
  assert.deepEqual([answer.text, answer.keepAlive], ["done", false]);
  assert.equal(await busy.rest(), "");
  const { completed, aborted, abandoned } = await report;
  assert.deepEqual([completed, aborted, abandoned], [3, 0, 0]);
  await assert.rejects(at.connect(), { code: "ECONNREFUSED" });
});

test("HttpRequest.signal is aborted when the connection breaks or is ended, and not between requests", async () => {
  const reasons: unknown[] = [];
  await using at = await serving({
    sendTimeoutMs: 100,
    lingerTimeoutMs: 0,
    handle: async (request, reply) => {
      const { signal } = request;
      assert.equal(request.signal, signal);
      if (request.path === "/") {
        reply.send(200);
        return;
      }
      signal.addEventListener("abort", () => reasons.push(signal.reason));
      reply.begin(200);
      if (request.path === "/sleep") {
        await reply.write("a");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      }
      for (;;) await reply.write(Buffer.alloc(65_536));
    },
  });
  await using client = await at.connect();
  for (let count = 0; count < 3; count++) {
    await client.send(get());
    await client.answer();
  }
  // One that goes, one that does not read, one that waits when the server ends.
  const leaving = await at.connect();
  await leaving.send(get("/endless"));
  await leaving.stream.receiveSome();
  leaving.stream.close();
  await using staying = await at.connect();
  await staying.send(get("/endless"));
  await using waiting = await at.connect();
  await waiting.send(get("/sleep"));
  await waiting.stream.receiveSome();
  while (reasons.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  await at.server.shutdown({ deadlineMs: 0 });
  assert.equal(reasons.length, 3);
  for (const reason of reasons) assert.ok(reason instanceof Error);
});

test("HttpRequest.stopping is aborted when the server begins to shut down, so that endless answers end", async () => {
  let begins!: () => void;
  const begun = new Promise<void>((resolve) => (begins = resolve));
  await using at = await serving({
    handle: async (request, reply) => {
      reply.begin(200);
      await reply.write("first ");
      begins();
      await new Promise<void>((resolve) => request.stopping.addEventListener("abort", () => resolve()));
      await reply.write("last");
      reply.end();
    },
  });
  await using client = await at.connect();
  await client.send(get());
  const answer = client.answer();
  await begun;
  const report = await at.server.shutdown();
  assert.equal(report.aborted, 0);
  assert.equal((await answer).text, "first last");
});

test("serve() listens at a Unix socket", async () => {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-http-"));
  try {
    await using _ = await serve({ handle: hello, path: join(folder, "socket") });
    await using client = new RawClient(await connectUnix(join(folder, "socket")));
    await client.send(get());
    assert.equal((await client.answer()).text, "hello");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("HttpReply.upgrade() hands the stream out behind 101, beginning with what came behind the request", async () => {
  await using at = await serving({
    headTimeoutMs: 50,
    keepAliveTimeoutMs: 50,
    handle: async (request, reply) => {
      assert.equal(request.upgrade, true);
      const stream = await reply.upgrade({ Upgrade: "echo" });
      for (;;) {
        const bytes = await stream.receiveSome(3);
        if (bytes.length === 0) return;
        await stream.sendAll(bytes);
      }
    },
  });
  await using client = await at.connect();
  await client.send(`${get("/", "Connection: upgrade\r\nUpgrade: echo\r\n")}early `);
  const answer = await client.answer("GET", true);
  assert.deepEqual(
    [answer.status, answer.fields["upgrade"], answer.fields["connection"]],
    [101, "echo", "Upgrade"],
  );
  // Longer than any timeout of HTTP's.
  await new Promise((resolve) => setTimeout(resolve, 150));
  await client.send("late");
  await client.stream.closeWrite();
  assert.equal(await client.rest(), "early late");
});

test("HttpReply.upgrade() accepts CONNECT with 200, and an Upgrade that is not accepted goes on as HTTP", async () => {
  await using at = await serving({
    handle: async (request, reply) => {
      if (request.target !== "a:2") return reply.send(403, {}, request.target);
      const stream = await reply.upgrade();
      await stream.sendAll("tunnel");
      return undefined;
    },
  });
  await using client = await at.connect();
  await client.send(get("/", "Connection: upgrade\r\nUpgrade: x\r\n"));
  assert.equal((await client.answer()).text, "/");
  await client.send(get("a:2", "", "CONNECT"));
  assert.equal((await client.answer("CONNECT")).status, 200);
  assert.equal(await client.rest(), "tunnel");
});

const misuses: Readonly<Record<string, (request: HttpRequest, reply: HttpReply) => unknown>> = {
  "send() twice": (_, reply) => {
    reply.send(200);
    reply.send(200);
  },
  "begin() behind send()": (_, reply) => {
    reply.send(200);
    reply.begin(200);
  },
  "write() before begin()": (_, reply) => reply.write("a"),
  "end() before begin()": (_, reply) => reply.end(),
  "informational() behind send()": (_, reply) => {
    reply.send(200);
    return reply.informational(103);
  },
  "upgrade() where nothing was offered": (_, reply) => reply.upgrade({ Upgrade: "a" }),
  "upgrade() behind send()": (_, reply) => {
    reply.send(200);
    return reply.upgrade({ Upgrade: "a" });
  },
  "read() while read() waits": (request) => {
    void request.read().catch(() => {});
    return request.read();
  },
};
for (const [what, act] of Object.entries(misuses))
  test(`serve() tells a handler that ${what} is not now, and answers all the same`, async () => {
    let seen: unknown;
    await using at = await serving({
      handle: async (request, reply) => {
        try {
          await act(request, reply);
        } catch (error) {
          seen = error;
        }
        if (!reply.begun) reply.send(200);
      },
    });
    await using client = await at.connect();
    await client.send(
      what.startsWith("read") ? "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n" : get(),
    );
    assert.equal((await client.answer()).status, 200);
    assert.ok(seen instanceof LocalProtocolError && seen.code === "ERR_HTTP_SEQUENCE", String(seen));
  });

test("HttpRequest.read() and HttpReply refuse to go on when the handler has returned", async () => {
  let kept!: readonly [HttpRequest, HttpReply];
  await using at = await serving({
    handle: (request, reply) => {
      kept = [request, reply];
      reply.send(200);
    },
  });
  await using client = await at.connect();
  await client.send(post("hello"));
  await client.answer("POST");
  await client.send(get());
  const [request, reply] = kept;
  await client.answer();
  await assert.rejects(request.read(), { code: "ERR_HTTP_SEQUENCE" });
  assert.throws(() => reply.send(200), { code: "ERR_HTTP_SEQUENCE" });
});

const CRLF = "1\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
const injections: Readonly<Record<string, (reply: HttpReply) => unknown>> = {
  "a value of send()": (reply) => reply.send(200, { X: CRLF }),
  "a name of send()": (reply) => reply.send(200, { [`X: ${CRLF}`]: "1" }),
  "a value of begin()": (reply) => reply.begin(200, { X: CRLF }),
  "the reason of begin()": (reply) => reply.begin(200, {}, { reason: CRLF }),
  "a value of informational()": (reply) => reply.informational(103, { Link: CRLF }),
  "a value of upgrade()": (reply) => reply.upgrade({ Upgrade: CRLF }),
  "HttpFields.from()": () => HttpFields.from([["X", CRLF]]),
  "a value of send() that is cut to CR and LF": (reply) =>
    reply.send(200, { X: "\u010d\u010aX-Injected: 1" }),
  "a trailer": async (reply) => {
    reply.begin(200);
    await reply.write("a");
    reply.end({ X: CRLF });
  },
};
for (const [where, act] of Object.entries(injections))
  test(`HttpReply lets no CR and LF through ${where}`, async () => {
    await using at = await serving({
      handle: async (_, reply) => {
        await act(reply);
      },
    });
    await using client = await at.connect();
    await client.send(get("/", "Connection: upgrade\r\nUpgrade: x\r\n"));
    await client.stream.closeWrite();
    const all = await client.rest();
    assert.ok(!all.includes("Injected"), all);
    assert.equal(at.errors.length, 1);
  });

const wrong: readonly (readonly [Partial<HttpServeOptions> & Record<string, unknown>, RegExp])[] = [
  [{ handle: undefined }, /either fetch or handle/],
  [{ fetch: () => new Response() }, /either fetch or handle/],
  [{ handle: 1 as never }, /options\.handle must be a function/],
  [{ headTimeoutMs: 0 }, /options\.headTimeoutMs must be above 0/],
  [{ bodyTimeoutMs: "1" as never }, /options\.bodyTimeoutMs must be a number/],
  [{ requestsMax: 0 }, /options\.requestsMax must be 1 or more/],
  [{ unreadBytesMax: -1 }, /options\.unreadBytesMax must be 0 or more/],
  [{ limits: { headerBytesMax: Number.NaN } }, /options\.limits\.headerBytesMax must be 0 or more/],
  [{ onError: 1 as never }, /options\.onError must be a function/],
  [{ connectionsMax: 0 }, /options\.connectionsMax/],
];
for (const [options, message] of wrong)
  test(`serve() refuses ${JSON.stringify(Object.keys(options))}: ${message.source}`, async () => {
    await assert.rejects(
      serve({ handle: hello, ...options }),
      (error: unknown) =>
        (error instanceof TypeError || error instanceof RangeError) && message.test(error.message),
    );
  });

test("HttpReply.status is that of the final answer, however it is made", async () => {
  const seen: (number | undefined)[] = [];
  await using at = await serving({
    async handle(request, reply) {
      seen.push(reply.status);
      if (request.path === "/begun") {
        reply.begin(202);
        seen.push(reply.status);
        reply.end();
      } else reply.send(204);
      seen.push(reply.status);
      await Promise.resolve();
    },
  });
  await using client = await at.connect();
  await client.send(get());
  await client.answer();
  await client.send(get("/begun"));
  await client.answer();
  assert.deepEqual(seen, [undefined, 204, undefined, 202, 202]);
});
