// serve() with fetch: Request and Response as the web has them, streams both ways, and Hono as it is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fetch as send } from "berkeley/http";
import type { FetchHandler, FetchInfo } from "berkeley/http";
import { get, post, serving } from "./serving.ts";

test("fetch() is given method, URL, headers and content", async () => {
  const seen: string[] = [];
  await using at = await serving({
    fetch: async (request, info) => {
      assert.ok(request instanceof Request);
      seen.push(request.method, request.url, request.headers.get("x-y") ?? "", await request.text());
      assert.equal((info.remoteAddress as [string])[0], "127.0.0.1");
      assert.equal(info.raw.method, request.method);
      return new Response();
    },
  });
  await using client = await at.connect();
  await client.send(post("höllo", "X-Y: 1\r\nX-Y: 2\r\n", "/a%20b?c=d"));
  assert.equal((await client.answer("POST")).status, 200);
  assert.deepEqual(seen, ["POST", "http://a/a%20b?c=d", "1, 2", Buffer.from("höllo", "latin1").toString()]);
});

for (const [what, request, url] of [
  ["a path", get("//b/c"), "http://a//b/c"],
  ["a whole URI", "GET http://b:8080/c?d HTTP/1.1\r\nHost: b:8080\r\n\r\n", "http://b:8080/c?d"],
  ["an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "http://a/*"],
  ["a port", "GET / HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", "http://[::1]:81/"],
] as const)
  test(`fetch() is given a URL made from ${what}`, async () => {
    await using at = await serving({ fetch: ({ url: found }) => new Response(found) });
    await using client = await at.connect();
    await client.send(request);
    assert.equal((await client.answer()).text, url);
  });

test("fetch() is given a URL of this side's address where no host is named, and https where it is told so", async () => {
  await using at = await serving({ fetch: ({ url }) => new Response(url), scheme: "https" });
  await using client = await at.connect();
  await client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  assert.equal((await client.answer()).text, `https://127.0.0.1:${at.port}/a`);
});

test("serve() answers 501 to methods that no Request can have, and 400 to a host that no URL can have", async () => {
  await using at = await serving({ fetch: () => new Response("no") });
  await using client = await at.connect();
  await client.send(get("/", "", "TRACE"));
  assert.equal((await client.answer("TRACE")).status, 501);
  await client.send("GET / HTTP/1.1\r\nHost: a%00b\r\n\r\n");
  assert.equal((await client.answer()).status, 400);
  await client.send(get("a:1", "", "CONNECT"));
  assert.equal((await client.answer("CONNECT")).status, 501);
});

test("a Response with text goes out with its length, and its headers as they are", async () => {
  await using at = await serving({
    fetch: () => {
      const headers = new Headers([
        ["set-cookie", "a=b"],
        ["set-cookie", "c=d"],
        ["x-y", "\xff"],
        ["transfer-encoding", "chunked"],
        ["keep-alive", "timeout=5"],
      ]);
      return new Response("hellö", { status: 201, statusText: "Made", headers });
    },
  });
  await using client = await at.connect();
  await client.send(get());
  const all = (await client.stream.receiveSome()).toString("latin1");
  assert.match(all, /^HTTP\/1\.1 201 Made\r\n/);
  assert.match(all, /set-cookie: a=b\r\nset-cookie: c=d\r\nx-y: \xff\r\n/);
  assert.match(all, /\r\nContent-Length: 6\r\n\r\nhell\xc3\xb6$/);
  assert.doesNotMatch(all, /encoding|keep-alive/i);
});

test("a Response without a body has the length 0, to HEAD the one it tells, and 204 and 304 none", async () => {
  await using at = await serving({
    fetch: ({ url }) => {
      const status = Number(new URL(url).pathname.slice(1));
      return new Response(null, { status, headers: status === 200 ? { "content-length": "9" } : {} });
    },
  });
  await using client = await at.connect();
  await client.send(get("/404") + get("/200", "", "HEAD") + get("/204") + get("/304") + get("/301"));
  const lengths: unknown[] = [];
  for (const method of ["GET", "HEAD", "GET", "GET", "GET"])
    lengths.push((await client.answer(method)).fields["content-length"]);
  assert.deepEqual(lengths, ["0", "9", undefined, undefined, "0"]);
});

test("a Response to HEAD is not read, and its stream is told so", async () => {
  let cancelled = false;
  await using at = await serving({
    fetch: () => new Response(new ReadableStream({ cancel: () => void (cancelled = true) })),
  });
  await using client = await at.connect();
  await client.send(get("/", "", "HEAD"));
  assert.equal((await client.answer("HEAD")).text, "");
  assert.equal(cancelled, true);
});

test("each piece of a Response's stream goes out when it comes, and the first with the head", async () => {
  let push!: (text: string | undefined) => void;
  await using at = await serving({
    fetch: () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            push = (text) =>
              text === undefined ? controller.close() : controller.enqueue(Buffer.from(text));
            push("one");
          },
        }),
      ),
  });
  await using client = await at.connect();
  await client.send(get());
  assert.match((await client.stream.receiveSome()).toString(), /chunked\r\n\r\n3\r\none\r\n$/);
  push("two");
  assert.equal((await client.stream.receiveSome()).toString(), "3\r\ntwo\r\n");
  push(undefined);
  assert.equal((await client.stream.receiveSome()).toString(), "0\r\n\r\n");
});

test("a Response's stream is pulled no faster than the client reads, and cancelled when it goes", async () => {
  let pulled = 0;
  let cancelled!: (reason: unknown) => void;
  const end = new Promise<unknown>((resolve) => (cancelled = resolve));
  await using at = await serving({
    fetch: () =>
      new Response(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            pulled++;
            controller.enqueue(Buffer.alloc(65_536));
          },
          cancel: (reason) => cancelled(reason),
        }),
      ),
  });
  const client = await at.connect();
  await client.send(get());
  for (let before = -1, same = 0; same < 20; before = pulled) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    same = pulled === before ? same + 1 : 0;
  }
  assert.ok(pulled < 1000, `${pulled} pieces of 64 KiB`);
  client.stream.close();
  assert.ok((await end) instanceof Error);
  assert.deepEqual(at.errors, []);
});

test("a Request's content is received no faster than it is read", async () => {
  let read = 0;
  let go!: () => void;
  const gate = new Promise<void>((resolve) => (go = resolve));
  const LENGTH = 20_000_000;
  await using at = await serving({
    fetch: async (request) => {
      await gate;
      for await (const piece of request.body as ReadableStream<Uint8Array>) read += piece.length;
      return new Response(String(read));
    },
  });
  await using client = await at.connect();
  let sent = false;
  const sending = client.send(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LENGTH}\r\n\r\n${"x".repeat(LENGTH)}`,
  );
  void sending.then(() => (sent = true));
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(sent, false);
  go();
  assert.equal((await client.answer("POST")).text, String(LENGTH));
});

const failing: Readonly<Record<string, FetchHandler>> = {
  throws: () => {
    throw new Error("told to");
  },
  "returns no Response": () => "hello" as never,
  "returns nothing": () => undefined,
  "returns Response.error()": () => Response.error(),
  "returns a stream of no bytes": () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue("text" as never);
        },
      }),
    ),
  "returns a stream that fails at once": () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.error(new Error("told to"));
        },
      }),
    ),
};
for (const [what, fetch] of Object.entries(failing))
  test(`serve() answers 500 when fetch() ${what}`, async () => {
    await using at = await serving({ fetch });
    await using client = await at.connect();
    await client.send(get() + get());
    assert.equal((await client.answer()).status, 500);
    assert.equal((await client.answer()).status, 500);
    assert.equal(at.errors.length, 2);
  });

test("serve() cuts the answer off when a Response's stream fails in the midst", async () => {
  await using at = await serving({
    fetch: () => {
      let count = 0;
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await Promise.resolve();
            if (++count > 2) throw new Error("told to");
            controller.enqueue(Buffer.from("abc"));
          },
        }),
      );
    },
  });
  await using client = await at.connect();
  await client.send(get());
  await assert.rejects(client.answer(), { code: "ERR_HTTP_UNEXPECTED_END" });
  assert.equal(at.errors.length, 1);
});

test("FetchInfo.reply sends 103, and accepts another protocol", async () => {
  await using at = await serving({
    fetch: async (_: Request, { reply }: FetchInfo) => {
      await reply.informational(103, { Link: "a" });
      const stream = await reply.upgrade({ Upgrade: "b" });
      await stream.sendAll("hi");
      return undefined;
    },
  });
  await using client = await at.connect();
  await client.send(get("/", "Connection: upgrade\r\nUpgrade: b\r\n"));
  const answer = await client.answer("GET", true);
  assert.deepEqual([answer.before, answer.status], [[103], 101]);
  assert.equal(await client.rest(), "hi");
});

/** A module of the development's own dependencies, or why it is not there. */
async function installed(
  name: string,
): Promise<{ readonly exports: Record<string, never>; readonly skip: string | false }> {
  try {
    return { exports: (await import(name)) as Record<string, never>, skip: false };
  } catch {
    return { exports: {}, skip: `${name} is not installed (npm ci)` };
  }
}

/** What this test uses of Hono. */
interface HonoContext {
  readonly req: { param(name: string): string; query(name: string): string; json(): Promise<unknown> };
  header(name: string, value: string): void;
  json(value: unknown, status?: number): Response;
  text(value: string, status?: number): Response;
}
type HonoHandler = (context: HonoContext, next: () => Promise<void>) => unknown;
interface HonoApp {
  readonly fetch: FetchHandler;
  use(handler: HonoHandler): void;
  get(path: string, handler: HonoHandler): void;
  post(path: string, handler: HonoHandler): void;
  onError(handler: (error: Error, context: HonoContext) => Response): void;
}
interface HonoEvents {
  writeSSE(event: { readonly data: string }): Promise<void>;
}

const hono = await installed("hono");
for (const lightGlobals of [false, true])
  test(`a form with a file goes out by fetch() and comes in by Request.formData(), ${lightGlobals ? "light" : "Node's own"} Request`, async () => {
    await using at = await serving({
      fetch: async (request) => {
        const asked = lightGlobals ? request : new Request(request);
        const form = await asked.formData();
        const file = form.get("file") as File;
        return Response.json([form.get("name"), file.name, file.type, (await file.bytes()).length]);
      },
    });
    const form = new FormData();
    form.set("name", "grün\r\nX: y");
    form.set("file", new File([Buffer.alloc(200_000, 1)], 'a"b.bin', { type: "application/x-a" }));
    const response = await send(at.url, { method: "POST", body: form });
    assert.deepEqual(await response.json(), ["grün\r\nX: y", 'a"b.bin', "application/x-a", 200_000]);
  });

test("Hono runs as it is: routes, JSON both ways, middleware, streams, errors", {
  skip: hono.skip,
}, async () => {
  const { Hono } = hono.exports as unknown as { readonly Hono: new () => HonoApp };
  const { streamSSE } = (await installed("hono/streaming")).exports as unknown as {
    readonly streamSSE: (context: HonoContext, write: (stream: HonoEvents) => Promise<void>) => Response;
  };
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("x-middleware", "yes");
  });
  app.get("/users/:id", (context) =>
    context.json({ id: context.req.param("id"), q: context.req.query("q") }),
  );
  app.post("/users", async (context) => context.json(await context.req.json(), 201));
  app.get("/events", (context) =>
    streamSSE(context, async (stream) => {
      await stream.writeSSE({ data: "one" });
      await stream.writeSSE({ data: "two" });
    }),
  );
  app.get("/fails", () => {
    throw new Error("told to");
  });
  app.onError((error, context) => context.text(error.message, 500));
  await using at = await serving({ fetch: app.fetch });
  const user = await fetch(`${at.url}/users/7?q=a%20b`);
  assert.deepEqual(await user.json(), { id: "7", q: "a b" });
  assert.equal(user.headers.get("x-middleware"), "yes");
  const made = await fetch(`${at.url}/users`, { method: "POST", body: JSON.stringify({ name: "ü" }) });
  assert.equal(made.status, 201);
  assert.deepEqual(await made.json(), { name: "ü" });
  assert.equal(await (await fetch(`${at.url}/events`)).text(), "data: one\n\ndata: two\n\n");
  assert.equal(await (await fetch(`${at.url}/fails`)).text(), "told to");
  assert.equal((await fetch(`${at.url}/none`)).status, 404);
});
