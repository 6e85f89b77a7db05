// What a client does around single requests: redirections, contents that are decoded, cookies, events, and fetch.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { CookieJar as ToughJar } from "tough-cookie";
import { HttpClient, eventSource, eventsOf, fetch, request } from "berkeley/http";
import type { CookieJar, HttpHandler, RequestOptions } from "berkeley/http";
import { RemoteProtocolError } from "berkeley/wire";
import { gate } from "../server/support.ts";
import { answer, playing } from "./requesting.ts";
import { serving } from "./serving.ts";

/** Answers /NUMBER/WHERE with that status and Location, and anything else with what was asked. */
const moving: HttpHandler = async (asked, reply) => {
  const [, status, where] = /^\/(\d{3})\/(.*)$/.exec(asked.path) ?? [];
  const content = await asked.text();
  if (status !== undefined && where !== undefined) {
    reply.send(Number(status), { Location: decodeURIComponent(where) }, "moved");
    return;
  }
  const { method, target, fields } = asked;
  reply.send(200, {}, JSON.stringify({ method, target, content, headers: Object.fromEntries(fields) }));
};

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly content: string;
  readonly headers: Record<string, string>;
}

const FOLLOW: RequestOptions = { redirectsMax: 5 };

test("request() takes a redirection for an answer unless it is told to follow", async () => {
  await using at = await serving({ handle: moving });
  const response = await request(`${at.url}/302/%2Fnext`);
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("location"), "/next");
  assert.equal(await response.text(), "moved");
});

const moved: readonly (readonly [status: number, method: string, then: string, content: string])[] = [
  [301, "GET", "GET", ""],
  [301, "POST", "GET", ""],
  [302, "POST", "GET", ""],
  [302, "PUT", "PUT", "abc"],
  [303, "PUT", "GET", ""],
  [303, "HEAD", "HEAD", ""],
  [307, "POST", "POST", "abc"],
  [308, "PUT", "PUT", "abc"],
];
for (const [status, method, then, content] of moved)
  test(`request() follows ${status} to ${method} with ${then}`, async () => {
    await using at = await serving({ handle: moving });
    await using client = new HttpClient(FOLLOW);
    const body = method === "POST" || method === "PUT" ? "abc" : undefined;
    const headers = { "Content-Type": "text/plain", Authorization: "secret" };
    const response = await client.request(`${at.url}/${status}/%2Fnext%3Fa`, { method, body, headers });
    assert.equal(response.status, 200);
    assert.equal(response.redirects, 1);
    assert.equal(response.url, `${at.url}/next?a`);
    if (method === "HEAD") return;
    const seen = (await response.json()) as Seen;
    assert.deepEqual([seen.method, seen.target, seen.content], [then, "/next?a", content]);
    assert.equal(seen.headers["content-type"], then === method ? "text/plain" : undefined);
    assert.equal(seen.headers["authorization"], "secret");
    assert.equal(client.stats().connections, 1);
  });

test("request() takes no secret along to another origin", async () => {
  await using at = await serving({ handle: moving });
  await using other = await serving({ handle: moving });
  const headers = {
    Authorization: "a",
    Cookie: "b=c",
    "Proxy-Authorization": "d",
    "X-Other": "e",
    Host: "f",
  };
  const response = await request(`${at.url}/307/${encodeURIComponent(`${other.url}/x`)}`, {
    ...FOLLOW,
    headers,
  });
  const seen = (await response.json()) as Seen;
  assert.deepEqual(seen.headers, { host: new URL(other.url).host, "x-other": "e" });
});

for (const [what, where] of [
  ["to another scheme", "ftp://a/"],
  ["to a file", "file:///etc/passwd"],
  ["with a user", "http://u:p@a/"],
  ["that is no URL", "http://["],
] as const)
  test(`request() refuses a redirection ${what} with ERR_HTTP_REDIRECT`, async () => {
    await using at = await serving({ handle: moving });
    await assert.rejects(request(`${at.url}/302/${encodeURIComponent(where)}`, FOLLOW), {
      name: "RemoteProtocolError",
      code: "ERR_HTTP_REDIRECT",
    });
  });

test("request() refuses more redirections than redirectsMax with ERR_HTTP_REDIRECT", async () => {
  let count = 0;
  await using at = await serving({
    handle: (_, reply) => {
      count++;
      reply.send(302, { Location: "/" });
    },
  });
  await assert.rejects(request(at.url, { redirectsMax: 3 }), { code: "ERR_HTTP_REDIRECT" });
  assert.equal(count, 4);
});

test("request() refuses to send a content twice that can be read once", async () => {
  await using at = await serving({ handle: moving });
  const options = { ...FOLLOW, method: "POST", body: ["abc"] };
  await assert.rejects(request(`${at.url}/307/%2F`, options), { code: "ERR_HTTP_CONTENT_GONE" });
  assert.equal((await request(`${at.url}/303/%2F`, options)).status, 200);
});

test("a redirection with CR LF in Location is an address, and nothing more", async () => {
  await using play = playing(FOLLOW);
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.answer(answer("", "Location: /b%0d%0aX:%20y\r\n", "302 Found"));
  assert.match(await peer.answer(answer("ok")), /^GET \/b%0d%0aX:%20y HTTP\/1\.1\r\nHost: a\r\n\r\n$/);
  assert.equal(await (await pending).text(), "ok");
});

test("totalTimeoutMs holds for all redirections together", async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(302, { Location: "/" }) });
  await assert.rejects(request(at.url, { redirectsMax: Infinity, totalTimeoutMs: 50 }), {
    code: "ERR_HTTP_TIMEOUT",
    phase: "total",
  });
});

const TEXT = "berkeley ".repeat(50_000);
const CODED: Record<string, Buffer> = {
  gzip: zlib.gzipSync(TEXT),
  "x-gzip": zlib.gzipSync(TEXT),
  deflate: zlib.deflateSync(TEXT),
  br: zlib.brotliCompressSync(TEXT),
  "gzip, br": zlib.brotliCompressSync(zlib.gzipSync(TEXT)),
  identity: Buffer.from(TEXT),
  unknown: Buffer.from(TEXT),
};
const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (text: string) => Buffer };
if (zstdCompressSync !== undefined) CODED["zstd"] = zstdCompressSync(TEXT);

for (const [coding, bytes] of Object.entries(CODED))
  test(`request() with decompress gives what was sent as ${coding}`, async () => {
    await using at = await serving({
      handle: (asked, reply) => {
        assert.match(asked.fields.get("accept-encoding") ?? "", /gzip, br/);
        reply.send(200, { "Content-Encoding": coding }, bytes);
      },
    });
    await using client = new HttpClient({ decompress: true });
    const response = await client.request(at.url);
    assert.equal(await response.text(), TEXT);
    assert.equal(client.stats().idle, 1);
    assert.deepEqual(
      await (await request(at.url, { headers: { "Accept-Encoding": "gzip, br" } })).bytes(),
      bytes,
    );
  });

test("request() with decompress decodes what our server compresses, piece by piece", async () => {
  const second = gate();
  await using at = await serving({
    compress: { bytesMin: 0 },
    async handle(_, reply) {
      reply.begin(200, { "Content-Type": "text/plain" });
      await reply.write("first ");
      await second.opened;
      await reply.write("second");
      reply.end();
    },
  });
  const response = await request(at.url, { decompress: true });
  assert.equal(String(await response.read()), "first ");
  second.open();
  assert.equal(await response.text(), "second");
});

test("a bomb ends at decodedBytesMax with ERR_HTTP_BODY_TOO_LARGE, whatever reads it", async () => {
  const bomb = zlib.gzipSync(Buffer.alloc(50_000_000));
  await using at = await serving({
    handle: (_, reply) => reply.send(200, { "Content-Encoding": "gzip" }, bomb),
  });
  await using client = new HttpClient({ decompress: true, decodedBytesMax: 1_000_000 });
  const response = await client.request(at.url);
  let length = 0;
  await assert.rejects(
    async () => {
      for await (const piece of response) length += piece.length;
    },
    (error) => {
      assert.ok(error instanceof RemoteProtocolError);
      assert.equal(error.code, "ERR_HTTP_BODY_TOO_LARGE");
      return true;
    },
  );
  assert.ok(length <= 1_000_000);
  const whole = await request(at.url, { decompress: true });
  await assert.rejects(whole.bytes(1_000_000), {
    name: "LocalProtocolError",
    code: "ERR_HTTP_BODY_TOO_LARGE",
  });
});

for (const [what, bytes] of [
  ["is cut off", CODED["gzip"]?.subarray(0, 100)],
  ["is something else", Buffer.from("not compressed at all")],
] as const)
  test(`a content that ${what} rejects with ERR_HTTP_CONTENT_CODING`, async () => {
    await using at = await serving({
      handle: (_, reply) => reply.send(200, { "Content-Encoding": "gzip" }, bytes),
    });
    const response = await request(at.url, { decompress: true });
    await assert.rejects(response.text(), { name: "RemoteProtocolError", code: "ERR_HTTP_CONTENT_CODING" });
  });

test("a coded content whose connection ends early rejects with what ended it", async () => {
  await using play = playing({ decompress: true });
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n");
  const text = (await pending).text();
  peer.stream.close();
  await assert.rejects(text, { code: "ERR_HTTP_UNEXPECTED_END" });
});

test("an answer without content is not decoded", async () => {
  await using at = await serving({
    handle: (_, reply) => reply.send(304, { "Content-Encoding": "gzip" }),
  });
  const response = await request(at.url, { decompress: true });
  assert.equal(await response.text(), "");
});

test("close() of a response that is decoded lets go of its connection", async () => {
  await using play = playing({ decompress: true, unreadBytesMax: 0 });
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n");
  (await pending).close();
  await peer.closed();
});

/** A jar as tough-cookie's, which keeps one line an origin. */
class OneCookie implements CookieJar {
  readonly kept = new Map<string, string>();

  getCookieString(url: string): Promise<string> {
    return Promise.resolve(this.kept.get(new URL(url).origin) ?? "");
  }

  setCookie(line: string, url: string): Promise<void> {
    this.kept.set(new URL(url).origin, line.split(";")[0] as string);
    return Promise.resolve();
  }
}

test("cookies are kept and sent, also along redirections, and given ones go instead", async () => {
  await using at = await serving({
    handle: (asked, reply) =>
      asked.path === "/in"
        ? reply.send(303, { Location: "/", "Set-Cookie": ["a=b; HttpOnly", "c=d"] })
        : reply.send(200, {}, asked.fields.get("cookie") ?? "none"),
  });
  const cookies = new OneCookie();
  await using client = new HttpClient({ cookies, redirectsMax: 5 });
  assert.equal(await (await client.request(at.url)).text(), "none");
  assert.equal(await (await client.request(`${at.url}/in`)).text(), "c=d");
  assert.equal(await (await client.request(at.url, { headers: { Cookie: "e=f" } })).text(), "e=f");
});

test("tough-cookie's CookieJar keeps cookies by host and path, and their attributes", async () => {
  const handle: HttpHandler = (asked, reply) => {
    if (asked.path === "/in")
      reply.send(303, {
        Location: "/",
        "Set-Cookie": [
          "a=b; HttpOnly; Path=/",
          "c=d; Path=/only",
          "e=f; Secure",
          "g=h; Max-Age=0",
          "i=j; Domain=b",
        ],
      });
    else reply.send(200, {}, asked.fields.get("cookie") ?? "none");
  };
  await using at = await serving({ handle });
  await using other = await serving({ handle });
  await using client = new HttpClient({
    cookies: new ToughJar(undefined, { allowSecureOnLocal: false }),
    redirectsMax: 5,
  });
  const text = async (url: string): Promise<string> => (await client.request(url)).text();
  const local = at.url.replace("127.0.0.1", "localhost");
  assert.equal(await text(`${local}/in`), "a=b");
  assert.equal(await text(`${local}/only/here`), "c=d; a=b");
  // Cookies know no ports, but hosts: RFC 6265 section 8.5.
  assert.equal(await text(other.url.replace("127.0.0.1", "localhost")), "a=b");
  assert.equal(await text(other.url), "none");
});

const EVENTS = { "Content-Type": "text/event-stream; charset=utf-8" };

test("eventsOf() gives the events of an answer until it ends", async () => {
  await using at = await serving({
    handle: (_, reply) =>
      reply.send(200, EVENTS, "retry: 1\ndata: one\n\nevent: e\nid: 2\ndata: two\n\ndata: lost"),
  });
  const events: unknown[] = [];
  for await (const { event, data, id } of eventsOf(await request(at.url))) events.push([event, data, id]);
  assert.deepEqual(events, [
    ["message", "one", ""],
    ["e", "two", "2"],
  ]);
});

for (const [what, status, type] of [
  ["another status", 404, "text/event-stream"],
  ["another type", 200, "text/html"],
] as const)
  test(`eventsOf() and eventSource() refuse an answer of ${what} with ERR_EVENT_STREAM`, async () => {
    await using at = await serving({
      handle: (_, reply) => reply.send(status, { "Content-Type": type }, "x"),
    });
    const refused = { name: "EventStreamError", code: "ERR_EVENT_STREAM", status };
    await assert.rejects(eventsOf(await request(at.url)).next(), refused);
    await assert.rejects(eventSource({ request }, at.url).next(), refused);
  });

test("eventSource() asks again behind the last event, and ends with 204", async () => {
  const asked: (string | undefined)[] = [];
  await using at = await serving({
    handle: (ask, reply) => {
      asked.push(ask.fields.get("last-event-id"));
      if (asked.length === 4) reply.send(204);
      else reply.send(200, EVENTS, `retry: 1\nid: ${asked.length}ä\ndata: ${asked.length}\n\n`);
    },
  });
  const events: string[] = [];
  for await (const { data } of eventSource({ request }, at.url, { retryMsMin: 1 })) events.push(data);
  assert.deepEqual(events, ["1", "2", "3"]);
  const sent = (id: string): string => Buffer.from(id).toString("latin1");
  assert.deepEqual(asked, [undefined, sent("1ä"), sent("2ä"), sent("3ä")]);
});

test("eventSource() asks behind the last id that a head can tell", async () => {
  const asked: (string | undefined)[] = [];
  await using at = await serving({
    handle: (ask, reply) => {
      asked.push(ask.fields.get("last-event-id"));
      if (asked.length === 2) reply.send(204);
      else reply.send(200, EVENTS, "retry: 1\nid: a\ndata: 1\n\nid: b\x01\ndata: 2\n\n");
    },
  });
  const ids: string[] = [];
  for await (const { id } of eventSource({ request }, at.url, { retryMsMin: 1 })) ids.push(id);
  assert.deepEqual(ids, ["a", "b\x01"]);
  assert.deepEqual(asked, [undefined, "a"]);
});

test("eventSource() waits for retryMsMin at least, whatever the server says", async () => {
  const times: number[] = [];
  await using at = await serving({
    handle: (_, reply) => {
      times.push(performance.now());
      if (times.length === 3) reply.send(204);
      else reply.send(200, EVENTS, "retry: 0\ndata: a\n\n");
    },
  });
  let count = 0;
  for await (const _ of eventSource({ request }, at.url, { retryMsMin: 60 })) count++;
  assert.equal(count, 2);
  const [first = 0, , last = 0] = times;
  assert.ok(last - first >= 118, `${last - first} ms for two waits`);
});

test("eventSource() goes on when the connection breaks, and its signal ends it", async () => {
  await using play = playing();
  const controller = new AbortController();
  const options = { retryMs: 1, signal: controller.signal };
  const events = eventSource(play.client, "http://a/", options);
  const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
  const first = events.next();
  const peer = await play.accept();
  await peer.answer(`${head}data: one\n\n`);
  assert.equal((await first).value?.data, "one");
  const second = events.next();
  peer.stream.close();
  const next = await play.accept();
  await next.answer(`${head}data: two\n\n`);
  assert.equal((await second).value?.data, "two");
  const third = events.next();
  controller.abort(new Error("enough"));
  await assert.rejects(third, /enough/);
});

test("fetch() has the web's shape: redirections, contents, headers, errors", async () => {
  await using at = await serving({ handle: moving, compress: true });
  const response = await fetch(`${at.url}/302/%2Fnext`, { headers: { "X-A": "b" } });
  assert.ok(response instanceof Response);
  assert.equal(response.url, `${at.url}/next`);
  assert.equal(response.redirected, true);
  const seen = (await response.json()) as Seen;
  assert.equal(seen.headers["x-a"], "b");
  const posted = (await (await fetch(new Request(at.url, { method: "POST", body: "abc" }))).json()) as Seen;
  assert.equal(posted.content, "abc");
  assert.equal(posted.headers["content-type"], "text/plain;charset=UTF-8");
  const form = new URLSearchParams({ a: "b c" });
  const sent = (await (await fetch(at.url, { method: "POST", body: form })).json()) as Seen;
  assert.equal(sent.content, "a=b+c");
  assert.equal(sent.headers["content-length"], "5");
  const stream = new Blob(["streamed"]).stream();
  const streamed = (await (await fetch(at.url, { method: "POST", body: stream })).json()) as Seen;
  assert.equal(streamed.content, "streamed");
  const manual = await fetch(`${at.url}/302/%2F`, { redirect: "manual" });
  assert.equal(manual.status, 302);
  await manual.text();
  await assert.rejects(fetch(`${at.url}/302/%2F`, { redirect: "error" }), TypeError);
  const head = await fetch(at.url, { method: "HEAD" });
  assert.equal(head.body, null);
  await assert.rejects(fetch("ftp://a/"), (error) => {
    assert.ok(error instanceof TypeError && error.message === "fetch failed");
    assert.equal((error.cause as { code?: string }).code, "ERR_HTTP_SCHEME");
    return true;
  });
  await assert.rejects(fetch(at.url, { signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("fetch() gives back the connection of an answer that no Response can be", async () => {
  await using play = playing();
  for (const [line, body] of [
    ["999 Strange", "Content-Length: 3\r\n\r\nabc"],
    ["205 Reset Content", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"],
  ] as const) {
    const pending = play.client.fetch("http://a/");
    const peer = await play.accept();
    await peer.answer(`HTTP/1.1 ${line}\r\nConnection: close\r\n${body}`);
    if (line.startsWith("999"))
      await assert.rejects(pending, (error) => {
        assert.ok(error instanceof TypeError && error.message === "fetch failed");
        return true;
      });
    else assert.equal((await pending).body, null);
    await peer.closed();
    assert.equal(play.client.stats().connections, 0);
  }
});

test("fetch() streams a content, and cancelling it lets go of the connection", async () => {
  await using play = playing();
  const pending = play.client.fetch("http://a/");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\n\r\nabc");
  const response = await pending;
  assert.equal(response.redirected, false);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  assert.equal(String(Buffer.from((await reader.read()).value as Uint8Array)), "abc");
  await reader.cancel();
  await peer.closed();
});
