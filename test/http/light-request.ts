// What holds for the Request that a fetch handler is given, whether it is light or the runtime's own: tests for both.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { FetchHandler, HttpServeOptions } from "berkeley/http";
import { get, post, serving } from "./serving.ts";

type Asked = (request: Request) => unknown;

/** What a handler made of a request, as JSON. */
const answering =
  (ask: Asked): FetchHandler =>
  async (request) => {
    const named = async (): Promise<unknown> => {
      try {
        return await ask(request);
      } catch (error) {
        return (error as Error).name;
      }
    };
    return new Response(JSON.stringify(await named()));
  };

const CONTENT = '{"a":"ü"}';
/** Each with what it must come to, of a POST of CONTENT. */
const questions: readonly (readonly [string, Asked, unknown])[] = [
  [
    "text(), and is used then",
    async (request) => [request.bodyUsed, await request.text(), request.bodyUsed],
    [false, CONTENT, true],
  ],
  ["json()", (request) => request.json(), { a: "ü" }],
  [
    "arrayBuffer() with memory of its own",
    async (request) => {
      const bytes = await request.arrayBuffer();
      return [bytes.byteLength, Buffer.from(bytes).toString()];
    },
    [10, CONTENT],
  ],
  ["blob()", async (request) => (await (await request.blob()).text()).length, 9],
  ["text() twice: a TypeError", async (request) => [await request.text(), await request.text()], "TypeError"],
  [
    "text() and clone(): a TypeError",
    async (request) => [await request.text(), request.clone()],
    "TypeError",
  ],
  [
    "text() and body: one that is used",
    async (request) => {
      await request.text();
      return [
        request.bodyUsed,
        request.body?.locked === true || (await request.body?.getReader().read())?.done,
      ];
    },
    [true, true],
  ],
  [
    "clone(), and text() of both",
    async (request) => {
      const clone = request.clone();
      return [await clone.text(), request.bodyUsed, await request.text(), request.bodyUsed];
    },
    [CONTENT, false, CONTENT, true],
  ],
  [
    "body as a stream",
    async (request) => {
      let text = "";
      for await (const piece of request.body as ReadableStream<Uint8Array>)
        text += Buffer.from(piece).toString();
      return [text, request.bodyUsed];
    },
    [CONTENT, true],
  ],
  [
    "new Request() of it, with its content",
    async (request) => {
      const other = new Request(request);
      return [other.url, other.method, other.headers.get("x-y"), await other.text(), request.bodyUsed];
    },
    ["http://a/b?c", "POST", "1", CONTENT, true],
  ],
  [
    "new Request() of another URL with it",
    async (request) => {
      const other = new Request("http://z/", request);
      return [other.url, other.method, other.headers.get("x-y"), await other.text()];
    },
    ["http://z/", "POST", "1", CONTENT],
  ],
  [
    "instanceof Request and its tag",
    (request) => [request instanceof Request, Object.prototype.toString.call(request)],
    [true, "[object Request]"],
  ],
  [
    "what else a Request has",
    ({ mode, redirect, destination, keepalive, integrity, referrer, cache, credentials }) => [
      mode,
      redirect,
      destination,
      keepalive,
      integrity,
      referrer,
      cache,
      credentials,
    ],
    ["cors", "follow", "", false, "", "about:client", "default", "same-origin"],
  ],
  [
    "headers: get() and has() in any case, null, and TypeError for no name",
    ({ headers }) => [
      headers.get("X-Y"),
      headers.has("x-y"),
      headers.get("z"),
      headers.has("z"),
      errorOf(() => headers.get("a b")),
    ],
    ["1", true, null, false, "TypeError"],
  ],
  [
    "headers: joined, and cookies in their own way",
    ({ headers }) => [headers.get("x-z"), headers.get("Cookie"), headers.get("cookie")],
    ["1, 2", "a=b; c=d", "a=b; c=d"],
  ],
  [
    "headers: all of them, in order of names",
    ({ headers }) => [...headers],
    [
      ["content-length", "10"],
      ["cookie", "a=b; c=d"],
      ["host", "a"],
      ["x-y", "1"],
      ["x-z", "1, 2"],
    ],
  ],
  [
    "headers: changed, and seen by get(), clone() and new Request()",
    (request) => {
      const { headers } = request;
      headers.append("x-y", "2");
      headers.set("new", "3");
      headers.delete("cookie");
      const other = request.clone();
      headers.append("x-y", "3");
      return [
        headers.get("x-y"),
        other.headers.get("x-y"),
        other.headers.get("new"),
        other.headers.has("cookie"),
        new Headers(headers).get("x-y"),
        request.headers === headers,
        new Request(request).headers.get("x-y"),
      ];
    },
    ["1, 2, 3", "1, 2", "3", false, "1, 2, 3", true, "1, 2, 3"],
  ],
  [
    "signal that is not aborted",
    ({ signal }) => [signal.aborted, signal instanceof AbortSignal],
    [false, true],
  ],
];

function errorOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}

/** Targets, and what a Request made of them has as its URL: as `new URL()` has it, or 400. */
const TARGETS = [
  "/",
  "/a/b",
  "/a?b=c&d=%20",
  "/a/../b",
  "/a/./b",
  "/a/%2e%2E/b",
  "/a/.b/c",
  "/..",
  "//b/c",
  "/a//b",
  "/a'b?c'd",
  "/a|b",
  "/[a]",
  "/a\\b",
  "/a^b`c{d}",
  "/?",
  "/a?",
  "/a?/../b",
  "/%zz",
  "/a;b=c,d",
  "/~a/@b:c",
  "/a*b!c(d)$e+f",
];
const HOSTS = [
  "a",
  "A.example",
  "a:80",
  "a:8080",
  "1.2.3",
  "0x7f.1",
  "[::1]",
  "[::0:1]:80",
  "a..b",
  "a%00b",
  "xn--a",
  "a_b",
  "1.2.3.256",
];

/** The tests of what a fetch handler is given. */
export function requestTests(name: string, options: Pick<HttpServeOptions, "lightGlobals">): void {
  for (const [what, ask, expected] of questions)
    test(`${name}: a Request answers ${what}`, async () => {
      await using at = await serving({ ...options, fetch: answering(ask) });
      await using client = await at.connect();
      const fields = "X-Y: 1\r\nX-Z: 1\r\nX-Z: 2\r\nCookie: a=b\r\nCookie: c=d\r\n";
      await client.send(post(Buffer.from(CONTENT).toString("latin1"), fields, "/b?c"));
      const { text } = await client.answer("POST");
      assert.deepEqual(JSON.parse(Buffer.from(text, "latin1").toString()), expected);
      assert.deepEqual(at.errors, []);
    });

  test(`${name}: a Request without content has no body, and its text is empty each time`, async () => {
    const ask: Asked = async (request) => [
      request.body,
      await request.text(),
      await request.text(),
      request.bodyUsed,
    ];
    await using at = await serving({ ...options, fetch: answering(ask) });
    await using client = await at.connect();
    // What GET brings a Request does not have.
    await client.send(`${get()}GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${post("")}`);
    for (const method of ["GET", "GET", "POST"])
      assert.deepEqual(JSON.parse((await client.answer(method)).text), [null, "", "", false]);
  });

  test(`${name}: a Request has the URL that new URL() makes`, async () => {
    await using at = await serving({ ...options, fetch: ({ url }) => new Response(url) });
    for (const target of TARGETS) {
      await using client = await at.connect();
      await client.send(get(target));
      const { status, text } = await client.answer();
      assert.deepEqual([status, text], [200, new URL(`http://a${target}`).href], target);
    }
    for (const host of HOSTS) {
      const expected = URL.canParse(`http://${host}/a`) ? new URL(`http://${host}/a`).href : "400";
      for (let turn = 0; turn < 2; turn++) {
        await using client = await at.connect();
        await client.send(`GET /a HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
        const { status, text } = await client.answer();
        assert.equal(status === 400 ? "400" : text, expected, host);
      }
    }
  });

  test(`${name}: a Request has its method in upper case where all know it, and TRACE is 501 in any`, async () => {
    await using at = await serving({ ...options, fetch: ({ method }) => new Response(method) });
    await using client = await at.connect();
    const methods = ["GET", "get", "Post", "PATCH", "patch", "PURGE"];
    await client.send(methods.map((method) => get("/", "", method)).join("") + get("/", "", "trace"));
    const found = [];
    for (const method of methods) found.push((await client.answer(method)).text);
    assert.deepEqual(found, ["GET", "GET", "POST", "PATCH", "patch", "PURGE"]);
    assert.equal((await client.answer("trace")).status, 501);
  });

  test(`${name}: fetch() takes the Request, and sends its content on`, async () => {
    await using behind = await serving({
      ...options,
      fetch: async (request) =>
        new Response(`${request.method} ${request.headers.get("x-y")} ${await request.text()}`),
    });
    await using at = await serving({
      ...options,
      fetch: (request) => fetch(new Request(behind.url, request)),
    });
    await using client = await at.connect();
    await client.send(post("hello", "X-Y: 1\r\n"));
    assert.equal((await client.answer("POST")).text, "POST 1 hello");
  });

  test(`${name}: a Request's content that is refused fails its text(), and is answered 400`, async () => {
    let thrown: unknown;
    await using at = await serving({
      ...options,
      fetch: async (request) => {
        try {
          return new Response(await request.text());
        } catch (error) {
          thrown = error;
          throw error;
        }
      },
    });
    await using client = await at.connect();
    await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
    assert.equal((await client.answer("POST")).status, 400);
    assert.equal((thrown as { code?: string }).code, "ERR_HTTP_CHUNK_SIZE");
  });
}
