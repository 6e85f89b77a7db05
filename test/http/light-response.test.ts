// The light Response beside the runtime's own: whatever a program can ask, both answer the same. And what goes over the wire.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Response as LightResponse } from "berkeley/http";
import { get, serving } from "./serving.ts";

const RuntimeResponse = globalThis.Response;
type Make = (Response: typeof globalThis.Response) => Response;

/** What a program can see of a Response, its content last. */
async function seen(make: () => Response): Promise<unknown> {
  try {
    const response = make();
    const { status, ok, statusText, type, url, redirected, bodyUsed } = response;
    const before = { status, ok, statusText, type, url, redirected, bodyUsed };
    const text = await response.text();
    return { ...before, headers: [...response.headers], text, usedThen: response.bodyUsed };
  } catch (error) {
    return (error as Error).name;
  }
}

const headersWithCookies = (): Headers =>
  new Headers([
    ["Set-Cookie", "a=b"],
    ["Set-Cookie", "c=d"],
    ["X-Y", " 1 "],
  ]);

const made: Readonly<Record<string, Make>> = {
  nothing: (Response) => new Response(),
  null: (Response) => new Response(null),
  "an empty text": (Response) => new Response(""),
  "a text": (Response) => new Response("hellö"),
  "a text with a byte order mark": (Response) => new Response("\ufeffa"),
  "a text that is no Unicode": (Response) => new Response("a\ud800b"),
  bytes: (Response) => new Response(Buffer.from("hellö")),
  "no bytes": (Response) => new Response(new Uint8Array()),
  "an ArrayBuffer": (Response) => new Response(new ArrayBuffer(2)),
  "a Blob": (Response) => new Response(new Blob(["a"], { type: "text/x" })),
  URLSearchParams: (Response) => new Response(new URLSearchParams({ a: "b" })),
  "a stream": (Response) =>
    new Response(ReadableStream.from([Buffer.from("ab")]) as ReadableStream<Uint8Array>),
  "a number": (Response) => new Response(7 as never),
  "status and words": (Response) => new Response("a", { status: 404, statusText: "Nöt" }),
  "words with CRLF": (Response) => new Response("a", { statusText: "a\r\nb" }),
  "words beyond U+00FF": (Response) => new Response("a", { statusText: "\u0100" }),
  "status 199": (Response) => new Response("a", { status: 199 }),
  "status 600": (Response) => new Response("a", { status: 600 }),
  "status 200.5": (Response) => new Response("a", { status: 200.5 }),
  "status null": (Response) => new Response("a", { status: null as never }),
  "status 204": (Response) => new Response(null, { status: 204 }),
  "status 204 with a text": (Response) => new Response("a", { status: 204 }),
  "status 304 with an empty text": (Response) => new Response("", { status: 304 }),
  "one header": (Response) => new Response("a", { headers: { "Content-Type": "a/b" } }),
  "a header with blanks around it": (Response) => new Response("a", { headers: { a: " b\t" } }),
  "a header that is empty": (Response) => new Response("a", { headers: { a: "" } }),
  "a header that is a number": (Response) => new Response("a", { headers: { a: 1 } as never }),
  "two headers": (Response) => new Response("a", { headers: { B: "1", a: "2" } }),
  "two headers of one name": (Response) => new Response("a", { headers: { A: "1", a: "2" } }),
  "pairs of headers": (Response) =>
    new Response("a", {
      headers: [
        ["a", "1"],
        ["A", "2"],
      ],
    }),
  "a pair that is none": (Response) => new Response("a", { headers: [["a"]] as never }),
  "Headers with cookies": (Response) => new Response("a", { headers: headersWithCookies() }),
  "a header name with a blank": (Response) => new Response("a", { headers: { "a b": "c" } }),
  "a header with CRLF": (Response) => new Response("a", { headers: { a: "b\r\nc: d" } }),
  "a header beyond U+00FF": (Response) => new Response("a", { headers: { a: "\u0100" } }),
  "headers null": (Response) => new Response("a", { headers: null as never }),
  "an init that is none": (Response) => new Response("a", 7 as never),
  "another Response": (Response) =>
    new Response("a", new Response("b", { status: 201, headers: { a: "b" } })),
  "Response.json()": (Response) => Response.json({ a: "ü" }),
  "Response.json() with headers": (Response) =>
    Response.json([1], { status: 201, headers: { "content-type": "a/b", c: "d" } }),
  "Response.json() of nothing": (Response) => Response.json(undefined),
  "Response.redirect()": (Response) => Response.redirect("http://a/b", 303),
  "Response.error()": (Response) => Response.error(),
  "a clone": (Response) => new Response("a", { headers: { b: "c" } }).clone(),
};
for (const [what, make] of Object.entries(made))
  test(`Response of berkeley/http is what the runtime's is: ${what}`, async () => {
    assert.deepEqual(await seen(() => make(LightResponse)), await seen(() => make(RuntimeResponse)));
  });

/** Things done to a Response, and what comes of them. */
const done: Readonly<Record<string, (response: Response, Response: typeof globalThis.Response) => unknown>> =
  {
    "instanceof the runtime's": (response) => response instanceof RuntimeResponse,
    "instanceof its own": (response, Response) => response instanceof Response,
    "a subclass": (response, Response) => {
      class Mine extends Response {}
      const mine = new Mine("a", { status: 201 });
      return [response instanceof Mine, mine instanceof Mine, mine instanceof Response, mine.status];
    },
    "its tag": (response) => Object.prototype.toString.call(response),
    "headers that are the same each time": (response) => response.headers === response.headers,
    "headers appended, set and deleted": (response) => {
      response.headers.append("x", "1");
      response.headers.append("x", "2");
      response.headers.append("set-cookie", "a");
      response.headers.append("set-cookie", "b");
      response.headers.delete("content-type");
      return [[...response.headers], response.headers.getSetCookie(), [...response.clone().headers]];
    },
    "headers appended behind the first look at the body": (response) => {
      const { headers } = response;
      void response.body;
      headers.append("x", "1");
      return [[...response.headers], [...response.clone().headers], headers === response.headers];
    },
    "text() twice": async (response) => [await response.text(), await response.text()],
    "text() and clone()": async (response) => [await response.text(), response.clone()],
    "text() and body": async (response) => {
      await response.text();
      return response.body?.getReader().read();
    },
    "clone() and text() of both": async (response) => {
      const clone = response.clone();
      return [await clone.text(), response.bodyUsed, await response.text(), response.bodyUsed];
    },
    "json() of what is none": (response) => response.json(),
    "arrayBuffer()": async (response) => Buffer.from(await response.arrayBuffer()).toString(),
    "blob()": async (response) => {
      const blob = await response.blob();
      return [blob.type, await blob.text()];
    },
    "formData() of what is none": (response) => response.formData(),
    "the body as a stream": async (response) => {
      let text = "";
      for await (const piece of response.body as ReadableStream<Uint8Array>)
        text += Buffer.from(piece).toString();
      return [text, response.bodyUsed, response.body?.locked];
    },
    "a body locked by a reader": async (response) => {
      response.body?.getReader();
      return response.text();
    },
    "a body made the body of another": async (response, Response) =>
      new Response(response.body, response).text(),
  };

async function outcome(act: () => unknown): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    return (error as Error).name;
  }
}

for (const [what, act] of Object.entries(done))
  test(`Response of berkeley/http does what the runtime's does: ${what}`, async () => {
    const results: unknown[] = [];
    for (const Response of [LightResponse, RuntimeResponse])
      results.push(await outcome(() => act(new Response("hellö", { headers: { a: "b" } }), Response)));
    assert.deepEqual(results[0], results[1]);
  });

for (const [what, Response] of [
  ["of berkeley/http", LightResponse],
  ["of the runtime", RuntimeResponse],
] as const) {
  test(`a Response ${what} goes out whole: text, bytes, JSON, nothing, with its length`, async () => {
    const answers: Readonly<Record<string, () => Response>> = {
      text: () => new Response("hellö", { status: 201, headers: headersWithCookies() }),
      bytes: () => new Response(Buffer.from("ab"), { headers: { "content-type": "a/b" } }),
      json: () => Response.json({ a: 1 }),
      none: () => new Response(null, { status: 204 }),
      told: () => new Response("abc", { headers: { "content-length": "3" } }),
      words: () => new Response("abc", { statusText: "Fine" }),
      changed: () => {
        const response = new Response("abc", { headers: { a: "b" } });
        response.headers.append("a", "c");
        response.headers.delete("content-type");
        return response;
      },
    };
    await using at = await serving({ fetch: ({ url }) => answers[new URL(url).pathname.slice(1)]?.() });
    await using client = await at.connect();
    await client.send(
      Object.keys(answers)
        .map((name) => get(`/${name}`))
        .join(""),
    );
    const found = [];
    for (const name of Object.keys(answers)) {
      const { status, text, fields } = await client.answer();
      const { date, ...rest } = fields;
      assert.ok(date !== undefined);
      found.push([name, status, text, rest]);
    }
    const plain = { "content-type": "text/plain;charset=UTF-8" };
    assert.deepEqual(found, [
      ["text", 201, "hell\xc3\xb6", { ...plain, "set-cookie": "c=d", "x-y": "1", "content-length": "6" }],
      ["bytes", 200, "ab", { "content-type": "a/b", "content-length": "2" }],
      ["json", 200, '{"a":1}', { "content-type": "application/json", "content-length": "7" }],
      ["none", 204, "", {}],
      ["told", 200, "abc", { ...plain, "content-length": "3" }],
      ["words", 200, "abc", { ...plain, "content-length": "3" }],
      ["changed", 200, "abc", { a: "b, c", "content-length": "3" }],
    ]);
  });

  test(`a Response ${what} is used when it was sent, and cannot be sent again`, async () => {
    const once = new Response("once");
    await using at = await serving({ fetch: () => once });
    await using client = await at.connect();
    await client.send(get());
    assert.equal((await client.answer()).text, "once");
    assert.equal(once.bodyUsed, true);
    await client.send(get());
    assert.equal((await client.answer()).status, 500);
    assert.equal(at.errors.length, 1);
  });

  test(`a Response ${what} whose content was read cannot be sent`, async () => {
    await using at = await serving({
      fetch: async () => {
        const response = new Response("read");
        await response.text();
        return response;
      },
    });
    await using client = await at.connect();
    await client.send(get());
    assert.equal((await client.answer()).status, 500);
  });

  test(`a Response ${what} goes out with as much as its clone has, and 1 MiB of it whole`, async () => {
    const large = Buffer.alloc(1_048_576, "x");
    await using at = await serving({
      fetch: ({ url }) => (url.endsWith("/large") ? new Response(large) : new Response("both").clone()),
    });
    await using client = await at.connect();
    await client.send(get("/") + get("/large"));
    assert.equal((await client.answer()).text, "both");
    const { text, fields } = await client.answer();
    assert.deepEqual([text.length, fields["content-length"]], [1_048_576, "1048576"]);
  });

  test(`a Response ${what} whose Content-Length is wrong is answered with 500, or cut off`, async () => {
    await using at = await serving({
      fetch: () => new Response("abc", { headers: { "content-length": "9" } }),
    });
    await using client = await at.connect();
    await client.send(get());
    await assert.rejects(
      async () => {
        const { status } = await client.answer();
        throw Object.assign(new Error("answered"), {
          code: status === 500 ? "ERR_HTTP_UNEXPECTED_END" : status,
        });
      },
      { code: "ERR_HTTP_UNEXPECTED_END" },
    );
    assert.equal(at.errors.length, 1);
  });

  test(`a Response ${what} to HEAD tells the length of a text, where that can be seen, and sends none`, async () => {
    await using at = await serving({ fetch: () => new Response("abc") });
    await using client = await at.connect();
    await client.send(get("/", "", "HEAD") + get("/", "", "HEAD"));
    for (let turn = 0; turn < 2; turn++) {
      const { text, fields } = await client.answer("HEAD");
      assert.equal(text, "");
      // What the runtime's own was made of is hidden in Node 24 and later.
      const length = fields["content-length"] ?? (Response === RuntimeResponse ? "3" : "none");
      assert.equal(length, "3");
    }
  });
}
