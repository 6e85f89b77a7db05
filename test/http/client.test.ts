// request() and HttpClient against our own server, and against a server that a test plays byte by byte: what is sent, what
// the program gets, and what becomes of the connection.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { HttpClient, HttpFields, request, serve } from "berkeley/http";
import type { HttpHandler, RequestOptions } from "berkeley/http";
import { LocalProtocolError, RemoteProtocolError } from "berkeley/wire";
import { gate } from "../server/support.ts";
import { answer, playing } from "./requesting.ts";
import { serving } from "./serving.ts";

/** Answers with what was asked for, as JSON. */
const mirror: HttpHandler = async (asked, reply) => {
  const { method, target } = asked;
  const content = await asked.text();
  const trailers = [...asked.trailers];
  const text = JSON.stringify({ method, target, headers: [...asked.fields], content, trailers });
  reply.send(200, { "Content-Type": "application/json" }, text);
};

interface Mirrored {
  readonly method: string;
  readonly target: string;
  readonly headers: [string, string][];
  readonly content: string;
  readonly trailers: [string, string][];
}

test("request() resolves with status, headers and content of our server's answer", async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(201, { "X-A": ["1", "2"] }, "hello") });
  const response = await request(`${at.url}/a?b#c`);
  assert.equal(response.status, 201);
  assert.equal(response.ok, true);
  assert.equal(response.reason, "Created");
  assert.equal(response.version, "1.1");
  assert.equal(response.url, `${at.url}/a?b`);
  assert.deepEqual(response.headers.getAll("x-a"), ["1", "2"]);
  assert.equal(response.body, 5);
  assert.equal(await response.text(), "hello");
  assert.equal(await response.text(), "", "what was read is gone");
});

const contents: readonly (readonly [string, RequestOptions, string, string])[] = [
  ["a string", { body: "hällo" }, "content-length: 6", "hällo"],
  ["bytes", { body: Buffer.from("hällo") }, "content-length: 6", "hällo"],
  ["a large string", { body: "x".repeat(300_000) }, "content-length: 300000", "x".repeat(300_000)],
  ["an empty string", { body: "" }, "content-length: 0", ""],
  ["an array", { body: ["a", Buffer.from("b"), ""] }, "transfer-encoding: chunked", "ab"],
  [
    "a generator",
    {
      body: (async function* pieces() {
        yield "one ";
        await turn();
        yield Buffer.alloc(100_000, "z");
      })(),
    },
    "transfer-encoding: chunked",
    `one ${"z".repeat(100_000)}`,
  ],
  [
    "an iterable whose length the headers tell",
    { body: ["ab", "c"], headers: { "content-length": "3" } },
    "content-length: 3",
    "abc",
  ],
];
for (const [what, options, line, expected] of contents)
  test(`request() sends ${what} as content`, async () => {
    await using at = await serving({ handle: mirror });
    const response = await request(at.url, { method: "POST", ...options });
    const { method, headers, content } = (await response.json()) as Mirrored;
    assert.equal(method, "POST");
    assert.ok(headers.some(([name, value]) => `${name}: ${value}` === line));
    assert.equal(content, expected);
  });

test("request() writes Host first, and the headers as they are given", async () => {
  await using play = playing();
  const pending = play.client.request("http://[::1]:81/a%20b?c=d", {
    headers: [
      ["X-Second", "ä"],
      ["x-third", ""],
    ],
  });
  const peer = await play.accept();
  assert.equal(
    await peer.answer(answer("")),
    "GET /a%20b?c=d HTTP/1.1\r\nHost: [::1]:81\r\nX-Second: \xe4\r\nx-third: \r\n\r\n",
  );
  assert.equal((await pending).status, 200);
});

test("request() lets the headers name another Host", async () => {
  await using at = await serving({ handle: mirror });
  const response = await request(at.url, { headers: HttpFields.from({ Host: "other" }) });
  const { headers } = (await response.json()) as Mirrored;
  assert.deepEqual(headers, [["host", "other"]]);
});

test("request() sends trailers behind its content", async () => {
  await using at = await serving({ handle: mirror });
  const options = { method: "PUT", body: "abc", trailers: () => ({ "X-Sum": "6" }) };
  const { content, trailers } = (await (await request(at.url, options)).json()) as Mirrored;
  assert.equal(content, "abc");
  assert.deepEqual(trailers, [["x-sum", "6"]]);
});

test("HttpResponse has the trailers when its content was read", async () => {
  await using at = await serving({
    async handle(_, reply) {
      reply.begin(200, {});
      await reply.write("abc");
      reply.end({ "X-Sum": "6" });
    },
  });
  const response = await request(at.url);
  assert.equal(await response.text(), "abc");
  assert.equal(response.trailers.get("x-sum"), "6");
});

test("request() keeps the connection for the next request, and the next one", async () => {
  await using at = await serving({ handle: mirror });
  await using client = new HttpClient();
  for (let count = 0; count < 5; count++) {
    const response = await client.request(`${at.url}/${count}`);
    assert.equal(((await response.json()) as Mirrored).target, `/${count}`);
  }
  assert.equal(at.server.stats().accepted, 1);
  assert.deepEqual(client.stats(), { connections: 1, idle: 1, connecting: 0, waiting: 0 });
});

test("request() opens connectionsMax connections at most, and serves who waits in order", async () => {
  await using play = playing({ connectionsMax: 2 });
  const order: number[] = [];
  const all = [0, 1, 2, 3, 4].map(async (number) => {
    const response = await play.client.request(`http://a/${number}`);
    order.push(number);
    return await response.text();
  });
  const [first, second] = [await play.accept(), await play.accept()];
  assert.match(await first.head(), /^GET \/0 /);
  assert.deepEqual(play.client.stats(), { connections: 2, idle: 0, connecting: 0, waiting: 3 });
  assert.match(await second.answer(answer("1")), /^GET \/1 /);
  assert.match(await second.answer(answer("2")), /^GET \/2 /);
  assert.match(await second.answer(answer("3")), /^GET \/3 /);
  await first.send(answer("0"));
  assert.match(await second.answer(answer("4")), /^GET \/4 /);
  assert.deepEqual(await Promise.all(all), ["0", "1", "2", "3", "4"]);
  assert.deepEqual(order, [1, 2, 3, 0, 4]);
  assert.equal(play.made, 2);
});

test("request() rejects with ERR_HTTP_QUEUE_FULL when queueMax requests wait", async () => {
  await using play = playing({ connectionsMax: 1, queueMax: 1 });
  const first = play.client.request("http://a/");
  const peer = await play.accept();
  const second = play.client.request("http://a/");
  await assert.rejects(play.client.request("http://a/"), { code: "ERR_HTTP_QUEUE_FULL" });
  await peer.answer(answer("1"));
  await peer.answer(answer("2"));
  assert.equal(await (await first).text(), "1");
  assert.equal(await (await second).text(), "2");
});

test("a client closes the connection that is idle for the longest time beyond idleConnectionsMax", async () => {
  await using play = playing({ idleConnectionsMax: 1 });
  const first = play.client.request("http://a/");
  const old = await play.accept();
  await old.answer(answer(""));
  await first;
  const second = play.client.request("http://b/");
  await (await play.accept()).answer(answer(""));
  await second;
  await old.closed();
  assert.deepEqual(play.client.stats(), { connections: 1, idle: 1, connecting: 0, waiting: 0 });
});

for (const [what, head] of [
  ["Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["Keep-Alive: timeout=1", "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok"],
] as const)
  test(`request() closes the connection behind an answer with ${what}`, async () => {
    await using play = playing();
    const pending = play.client.request("http://a/");
    const peer = await play.accept();
    await peer.answer(head);
    assert.equal(await (await pending).text(), "ok");
    await peer.closed();
    assert.deepEqual(play.client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
  });

test("request() closes the connection when its own headers say so", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/", { headers: { connection: "close" } });
  const peer = await play.accept();
  await peer.answer(answer("ok"));
  assert.equal(await (await pending).text(), "ok");
  await peer.closed();
});

for (const [method, head] of [
  ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
  ["HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
] as const)
  test(`an answer to ${method} with ${JSON.stringify(head)} has no content, and the connection lives on`, async () => {
    await using play = playing();
    const pending = play.client.request("http://a/", { method });
    const peer = await play.accept();
    await peer.answer(head);
    const response = await pending;
    assert.equal(response.body, 0);
    assert.equal(await response.read(), undefined);
    const next = play.client.request("http://a/");
    await peer.answer(answer("next"));
    assert.equal(await (await next).text(), "next");
    assert.equal(play.made, 1);
  });

test("request() tells of informational responses and goes on to the final one", async () => {
  await using play = playing();
  const seen: unknown[] = [];
  const pending = play.client.request("http://a/", {
    onInformational: ({ status, fields }) => seen.push([status, fields.get("link")]),
  });
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
  await peer.send(answer("ok"));
  assert.equal(await (await pending).text(), "ok");
  assert.deepEqual(seen, [
    [103, "</a>"],
    [102, undefined],
  ]);
});

test("request() rejects when a server sends informational responses without end", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 102 Processing\r\n\r\n".repeat(101));
  await assert.rejects(pending, { code: "ERR_HTTP_UNEXPECTED_RESPONSE" });
});

test("request() with expectContinue sends the content when the server says 100", async () => {
  await using play = playing({ continueTimeoutMs: Infinity });
  const pending = play.client.request("http://a/", { method: "PUT", body: "abc", expectContinue: true });
  const peer = await play.accept();
  const head = await peer.head();
  assert.match(head, /\r\nExpect: 100-continue\r\n/);
  await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(await peer.bytes(3), "abc");
  await peer.send(answer("ok"));
  assert.equal(await (await pending).text(), "ok");
  assert.equal(play.client.stats().idle, 1);
});

test("request() with expectContinue sends no content when the answer comes first, and closes", async () => {
  await using play = playing({ continueTimeoutMs: Infinity });
  const pending = play.client.request("http://a/", { method: "PUT", body: "abc", expectContinue: true });
  const peer = await play.accept();
  await peer.answer(answer("no", "", "417 Expectation Failed"));
  assert.equal((await pending).status, 417);
  assert.equal((await peer.stream.receiveSome()).length, 0);
});

test("request() with expectContinue sends the content when the server says nothing", async () => {
  await using at = await serving({ handle: mirror });
  await using client = new HttpClient({ continueTimeoutMs: 20 });
  const options = { method: "PUT", body: "abc", expectContinue: true };
  assert.equal(((await (await client.request(at.url, options)).json()) as Mirrored).content, "abc");
  await using play = playing({ continueTimeoutMs: 1 });
  const pending = play.client.request("http://a/", options);
  const peer = await play.accept();
  await peer.head();
  assert.equal(await peer.bytes(3), "abc");
  await peer.send(answer("ok"));
  assert.equal(await (await pending).text(), "ok");
});

test("HttpResponse streams a large content, and the connection lives on behind it", async () => {
  const piece = Buffer.alloc(100_000, "p");
  await using at = await serving({
    async handle(_, reply) {
      reply.begin(200, {});
      for (let count = 0; count < 30; count++) await reply.write(piece);
      reply.end();
    },
  });
  await using client = new HttpClient();
  for (let round = 0; round < 3; round++) {
    let length = 0;
    const response = await client.request(at.url);
    assert.equal(response.body, "chunked");
    for await (const bytes of response) length += bytes.length;
    assert.equal(length, 3_000_000);
    assert.equal((await (await client.request(at.url)).bytes()).length, 3_000_000);
  }
  assert.equal(at.server.stats().accepted, 1);
});

test("request() goes on sending while the answer is read already", async () => {
  await using at = await serving({
    async handle(asked, reply) {
      reply.begin(200, {});
      for await (const piece of asked) await reply.write(piece);
      reply.end();
    },
  });
  await using client = new HttpClient();
  const more = gate();
  const response = await client.request(at.url, {
    method: "POST",
    body: (async function* pieces() {
      yield "first";
      await more.opened;
      yield "second";
    })(),
  });
  assert.equal(String(await response.read()), "first");
  more.open();
  assert.equal(await response.text(), "second");
  assert.equal(client.stats().idle, 1);
});

test("close() of a response drops what little is left, and closes the connection otherwise", async () => {
  await using play = playing({ unreadBytesMax: 10 });
  const first = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nabc");
  const response = await first;
  assert.equal(String(await response.read()), "abc");
  response.close();
  await assert.rejects(response.read(), { code: "ERR_HTTP_SEQUENCE" });
  const second = play.client.request("http://b/");
  await peer.send("defghijkl");
  await (await play.accept()).answer(answer(""));
  await second;
  const third = play.client.request("http://a/");
  await peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
  (await third).close();
  await peer.closed();
});

test("a loop over a response that is left closes it", async () => {
  await using play = playing({ unreadBytesMax: 0 });
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nabc");
  for await (const piece of await pending) {
    assert.equal(piece.toString(), "abc");
    break;
  }
  await peer.closed();
});

test("a chunked content that is left is dropped up to unreadBytesMax", async () => {
  await using play = playing({ unreadBytesMax: 10 });
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  (await pending).close();
  await peer.send("c\r\n0123456789ab\r\n");
  await peer.closed();
});

test("bytes(), text() and json() refuse more than their limit", async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(200, {}, "[1,2,3]") });
  const tooLarge = { name: "LocalProtocolError", code: "ERR_HTTP_BODY_TOO_LARGE" };
  await assert.rejects((await request(at.url)).bytes(6), tooLarge);
  await assert.rejects((await request(at.url)).text(6), tooLarge);
  await assert.rejects((await request(at.url)).json(6), tooLarge);
  assert.deepEqual(await (await request(at.url)).json(7), [1, 2, 3]);
  await using play = playing();
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  await assert.rejects((await pending).text(2), tooLarge);
});

test("request() over a Unix socket writes the URL's host as Host", async () => {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-http-"));
  const path = join(folder, "socket");
  await using server = await serve({ path, handle: mirror });
  const { headers } = (await (await request("http://name/x", { path })).json()) as Mirrored;
  assert.deepEqual(headers, [["host", "name"]]);
  await using client = new HttpClient({ path });
  assert.equal((await client.request("http://other/")).status, 200);
  assert.equal(server.stats().accepted, 2);
  await server.shutdown({ deadlineMs: 0 });
  rmSync(folder, { recursive: true, force: true });
});

test("request() gives the connection when another protocol was accepted", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/", { upgrade: "echo" });
  const peer = await play.accept();
  const head = await peer.answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\nfirst");
  assert.match(head, /\r\nConnection: Upgrade\r\nUpgrade: echo\r\n/);
  const { status, stream } = await pending;
  assert.equal(status, 101);
  assert.ok(stream !== undefined);
  assert.equal(String(await stream.receiveSome()), "first");
  await stream.sendAll("second");
  assert.equal(await peer.bytes(6), "second");
  assert.equal(play.client.stats().connections, 0);
  stream.close();
});

test("close() of a client fails what is under way and what waits, and nothing is sent any more", async () => {
  await using play = playing({ connectionsMax: 1 });
  const closed = { code: "ERR_HTTP_CLIENT_CLOSED" };
  const first = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.head();
  const second = play.client.request("http://a/");
  play.client.close();
  await assert.rejects(first, closed);
  await assert.rejects(second, closed);
  await assert.rejects(play.client.request("http://a/"), closed);
  assert.deepEqual(play.client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
});

const refused: readonly (readonly [string, string, RequestOptions, string])[] = [
  ["CR LF in a header's value", "http://a/", { headers: { "X-A": "b\r\nX-C: d" } }, "ERR_HTTP_FIELD_VALUE"],
  ["LF in a header's value", "http://a/", { headers: [["X-A", "b\nc"]] }, "ERR_HTTP_FIELD_VALUE"],
  ["NUL in a header's value", "http://a/", { headers: [["X-A", "\0"]] }, "ERR_HTTP_FIELD_VALUE"],
  ["CR LF in a header's name", "http://a/", { headers: { "X\r\nA": "b" } }, "ERR_HTTP_FIELD_NAME"],
  ["a character beyond Latin-1 in a value", "http://a/", { headers: { X: "č" } }, "ERR_HTTP_FIELD_VALUE"],
  ["CR LF in the method", "http://a/", { method: "GET /x HTTP/1.1\r\n\r\nGET" }, "ERR_HTTP_METHOD"],
  ["CR LF in the offered protocol", "http://a/", { upgrade: "x\r\nY: z" }, "ERR_HTTP_FIELD_VALUE"],
  ["CONNECT", "http://a/", { method: "CONNECT" }, "ERR_HTTP_TARGET"],
  ["Transfer-Encoding", "http://a/", { headers: { "Transfer-Encoding": "chunked" } }, "ERR_HTTP_FRAMING"],
  ["a wrong length", "http://a/", { body: "abc", headers: { "Content-Length": "2" } }, "ERR_HTTP_FRAMING"],
  ["a length without content", "http://a/", { headers: { "Content-Length": "2" } }, "ERR_HTTP_FRAMING"],
  ["two Hosts", "http://a/", { headers: { Host: ["a", "b"] } }, "ERR_HTTP_HOST"],
  ["another scheme", "ftp://a/", {}, "ERR_HTTP_SCHEME"],
  ["no URL", "a", {}, "ERR_INVALID_URL"],
  ["a user in the URL", "http://u:p@a/", {}, "ERR_INVALID_ARG_TYPE"],
  ["a number as content", "http://a/", { body: 1 as never }, "ERR_INVALID_ARG_TYPE"],
  ["a time of 0", "http://a/", { headTimeoutMs: 0 }, "ERR_OUT_OF_RANGE"],
  ["what is no object as tls", "http://a/", { tls: 1 as never }, "ERR_INVALID_ARG_TYPE"],
  [
    "both transports",
    "http://a/",
    { path: "/a", connect: async () => await never() },
    "ERR_INVALID_ARG_TYPE",
  ],
];
for (const [what, url, options, code] of refused)
  test(`request() refuses ${what} with ${code}, and makes no connection`, async () => {
    await using play = playing();
    await assert.rejects(play.client.request(url, options), { code });
    assert.equal(play.made, 0);
    assert.deepEqual(play.client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
  });

const never = (): Promise<never> => new Promise(() => {});

for (const [what, options, code] of [
  ["of a wrong type", { connectionsMax: "1" as never }, "ERR_INVALID_ARG_TYPE"],
  ["below its least", { connectionsMax: 0 }, "ERR_OUT_OF_RANGE"],
  ["of a limit", { limits: { headerCountMax: -1 } }, "ERR_OUT_OF_RANGE"],
  ["that connects and is no function", { connect: 1 as never }, "ERR_INVALID_ARG_TYPE"],
] as const)
  test(`new HttpClient() refuses an option ${what}`, () => {
    assert.throws(() => new HttpClient(options), { code });
  });

test("a content that fails ends its request with its error, and the connection", async () => {
  await using play = playing();
  const broken = new Error("broken");
  const pending = play.client.request("http://a/", {
    method: "POST",
    body: (async function* pieces() {
      yield "abc";
      await turn();
      throw broken;
    })(),
  });
  const peer = await play.accept();
  await assert.rejects(pending, broken);
  await peer.closed();
});

for (const [what, body] of [
  ["longer", ["abc", "d"]],
  ["shorter", ["ab"]],
] as const)
  test(`a content that is ${what} than its Content-Length fails`, async () => {
    await using play = playing();
    const headers = { "Content-Length": "3" };
    const pending = play.client.request("http://a/", { method: "POST", body, headers });
    const peer = await play.accept();
    await assert.rejects(pending, LocalProtocolError);
    await peer.closed();
  });

test("an answer to a request that is still being sent ends the sending, and the connection", async () => {
  await using play = playing();
  let pulled = 0;
  const more = gate();
  const pending = play.client.request("http://a/", {
    method: "POST",
    body: (async function* pieces() {
      for (;;) {
        pulled++;
        yield "abc";
        await more.opened;
      }
    })(),
  });
  const peer = await play.accept();
  await peer.head();
  assert.equal(await peer.bytes(8), "3\r\nabc\r\n");
  await peer.send(answer("no", "", "413 Content Too Large"));
  const response = await pending;
  assert.equal(response.status, 413);
  assert.equal(await response.text(), "no");
  await peer.closed();
  more.open();
  await turn();
  assert.ok(pulled <= 2);
});

test("read() rejects while another one waits", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  const response = await pending;
  const first = response.read();
  await assert.rejects(response.read(), { code: "ERR_HTTP_SEQUENCE" });
  await peer.send("abc");
  assert.equal(String(await first), "abc");
  assert.equal(await response.read(), undefined);
});

test("a content that is cut off rejects with ERR_HTTP_UNEXPECTED_END, behind what came of it", async () => {
  for (const head of ["Content-Length: 5\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc"]) {
    await using play = playing();
    const pending = play.client.request("http://a/");
    const peer = await play.accept();
    await peer.answer(`HTTP/1.1 200 OK\r\n${head}`);
    peer.stream.close();
    const response = await pending;
    assert.equal(String(await response.read()), "abc");
    await assert.rejects(response.read(), (error) => {
      assert.ok(error instanceof RemoteProtocolError);
      assert.equal(error.code, "ERR_HTTP_UNEXPECTED_END");
      return true;
    });
    await assert.rejects(response.read(), { code: "ERR_HTTP_UNEXPECTED_END" });
  }
});

test("a content without a length ends with the connection", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\n\r\nabc");
  await peer.send("def");
  peer.stream.close();
  const response = await pending;
  assert.equal(response.body, "untilClose");
  assert.equal(await response.text(), "abcdef");
  assert.equal(play.client.stats().connections, 0);
});
