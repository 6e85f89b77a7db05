// What would break out of a line is refused by everything that writes one, whatever it is called: with a code, before a byte
// of it has left. U+010A and U+0100 become LF and NUL where somebody cuts characters to bytes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpFields, RequestWriter, Response as LightResponse, ResponseWriter } from "berkeley/http";
import type { HttpReply } from "berkeley/http";
import { connect, serve as serveSockets } from "berkeley/websocket";
import { Played, playing } from "./requesting.ts";
import { get, serving } from "./serving.ts";

const BREAKS: Readonly<Record<string, string>> = {
  CR: "a\rb",
  LF: "a\nb",
  "CR LF": "a\r\nX-Injected: b",
  NUL: "a\0b",
  "U+010A": "a\u010ab",
  "U+0100": "a\u0100b",
  "U+0D0A": "a\u0d0ab",
};

const TO = { method: "GET", version: "1.1", keepAlive: true } as const;

/** Writers that are pure: each is to throw, and to have written nothing of it. */
const writers: Readonly<Record<string, (text: string) => void>> = {
  "a request's method": (method) => request({ method }),
  "a request's target": (target) => request({ target: `/${target}` }),
  "a request's host": (host) => request({ host, fields: {} }),
  "a request's field": (value) => request({ fields: { Host: "a", "X-A": value } }),
  "a request's field name": (name) => request({ fields: { Host: "a", [name]: "b" } }),
  "a request's cookie": (value) => request({ fields: { Host: "a", Cookie: value } }),
  "a request's trailer": (value) => {
    const writer = new RequestWriter();
    writer.head({ method: "POST", target: "/", fields: { Host: "a" }, body: "chunked" });
    writer.take();
    untouched(writer, () => writer.end({ "X-T": value }));
  },
  "a reason": (reason) => response((writer) => writer.head({ status: 200, reason }, TO)),
  "a response's field": (value) =>
    response((writer) => writer.head({ status: 200, fields: { "X-A": value } }, TO)),
  "a response's field name": (name) =>
    response((writer) => writer.head({ status: 200, fields: { [name]: "b" } }, TO)),
  "a response's Location": (value) =>
    response((writer) => writer.head({ status: 302, fields: { Location: value } }, TO)),
  "a response's Set-Cookie": (value) =>
    response((writer) => writer.head({ status: 200, fields: { "Set-Cookie": ["x=y", value] } }, TO)),
  "an informational response's field": (value) =>
    response((writer) => writer.informational(103, TO, { Link: value })),
  "a response's trailer": (value) => {
    const writer = new ResponseWriter();
    writer.head({ status: 200, body: "chunked" }, TO);
    writer.take();
    untouched(writer, () => writer.end({ "X-T": value }));
  },
  "HttpFields.from()": (value) => HttpFields.from([["X-A", value]]),
};

interface Taking {
  take(): Buffer;
}

/** Throws what it throws, if nothing was written. */
function untouched(writer: Taking, write: () => void): void {
  try {
    write();
  } finally {
    assert.equal(writer.take().toString("latin1"), "");
  }
}

function request(init: Partial<Parameters<RequestWriter["head"]>[0]>): void {
  const writer = new RequestWriter();
  untouched(writer, () => writer.head({ method: "GET", target: "/", fields: { Host: "a" }, ...init }));
}

function response(write: (writer: ResponseWriter) => void): void {
  const writer = new ResponseWriter();
  untouched(writer, () => write(writer));
}

for (const [what, write] of Object.entries(writers))
  test(`${what} is refused with CR, LF, NUL or what becomes one`, () => {
    for (const [name, text] of Object.entries(BREAKS))
      assert.throws(() => write(text), { name: "LocalProtocolError", code: /^ERR_HTTP_/ }, name);
  });

/** Requests of the client: none is to make a connection. */
const requests: Readonly<Record<string, (text: string) => Record<string, unknown>>> = {
  method: (method) => ({ method }),
  headers: (value) => ({ headers: { "X-A": value } }),
  "headers' names": (name) => ({ headers: { [name]: "b" } }),
  "headers' pairs": (value) => ({ headers: [["Cookie", value]] }),
  upgrade: (upgrade) => ({ upgrade }),
  cookies: (value) => ({
    cookies: { getCookieString: () => Promise.resolve(value), setCookie: () => Promise.resolve() },
  }),
};
for (const [what, options] of Object.entries(requests))
  test(`HttpClient.request() refuses CR, LF, NUL or what becomes one in ${what}, and connects to nobody`, async () => {
    await using play = playing();
    for (const [name, text] of Object.entries(BREAKS))
      await assert.rejects(play.client.request("http://a/", options(text)), { code: /^ERR_/ }, name);
    assert.equal(play.made, 0);
  });

test("HttpClient.request() writes a URL with CR, LF or NUL in it without them", async () => {
  await using play = playing();
  for (const text of Object.values(BREAKS)) {
    const asking = play.client.request(`http://a/${text}?${text}`).catch(() => undefined);
    const peer: Played = await play.accept();
    const head = await peer.answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    assert.match(head, /^GET \/[!-~]* HTTP\/1\.1\r\nHost: a\r\n\r\n$/);
    await asking;
  }
});

test("HttpClient.request() refuses trailers that break out of their line, and the request ends unfinished", async () => {
  await using play = playing();
  const trailers = (): Record<string, string> => ({ "X-T": BREAKS["CR LF"] as string });
  const asking = play.client.request("http://a/", { method: "POST", body: "a", trailers });
  asking.catch(() => undefined);
  const peer = await play.accept();
  assert.doesNotMatch(await peer.head().catch(() => ""), /Injected/);
  await assert.rejects(asking, { code: "ERR_HTTP_FIELD_VALUE" });
});

/** What a handler of the server may say. */
const replies: Readonly<Record<string, (reply: HttpReply, text: string) => unknown>> = {
  "send()": (reply, text) => reply.send(200, { "X-A": text }),
  "begin()": (reply, text) => reply.begin(200, { [text]: "b" }),
  "begin() with a reason": (reply, reason) => reply.begin(200, {}, { reason }),
  "informational()": (reply, text) => reply.informational(103, { Link: text }),
  "upgrade()": (reply, text) => reply.upgrade({ Upgrade: text }),
};
for (const [what, say] of Object.entries(replies))
  test(`HttpReply.${what} refuses CR, LF, NUL or what becomes one, and another answer may be given`, async () => {
    for (const [name, text] of Object.entries(BREAKS)) {
      let code: unknown;
      await using at = await serving({
        handle: async (_, reply) => {
          try {
            await say(reply, text);
          } catch (error) {
            ({ code } = error as { code: unknown });
          }
          reply.send(200, {}, "fine");
        },
      });
      await using client = await at.connect();
      await client.send(get("/", "Connection: upgrade\r\nUpgrade: x\r\n"));
      assert.equal((await client.answer()).text, "fine", name);
      assert.match(String(code), /^ERR_HTTP_/, name);
    }
  });

test("a Response takes no header and no reason that break out of their line", () => {
  for (const Made of [Response, LightResponse])
    for (const [name, text] of Object.entries(BREAKS)) {
      assert.throws(() => new Made("", { headers: { "X-A": text } }), TypeError, name);
      assert.throws(() => new Made("", { statusText: text }), TypeError, name);
    }
});

test("connect() and serve() of berkeley/websocket refuse protocols and headers that break out of their line", async () => {
  for (const [name, text] of Object.entries(BREAKS)) {
    const refused = { code: /^ERR_/ };
    await assert.rejects(connect("ws://127.0.0.1:9/", { protocols: [text] }), refused, name);
    await assert.rejects(connect("ws://127.0.0.1:9/", { headers: { "X-A": text } }), refused, name);
    const handle = (): void => undefined;
    await assert.rejects(serveSockets({ handle, protocols: [text] }), refused, name);
    await assert.rejects(serveSockets({ handle, headers: { "X-A": text } }), refused, name);
  }
});
