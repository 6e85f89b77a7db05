// Chromium's own client against our server of WebSockets, in a page that our server of HTTP has sent.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "berkeley/http";
import type { HttpRequest } from "berkeley/http";
import type { Server } from "berkeley/server";
import { listenTcp } from "berkeley/stream";
import { secureListener } from "berkeley/tls";
import { accept } from "berkeley/websocket";
import type { WebSocketConnection } from "berkeley/websocket";
import { certificates, OPENSSL } from "../support/certificates.ts";
import { CHROMIUM, startChromium } from "../support/chromium.ts";
import type { Browsing, Page } from "../support/chromium.ts";

const { skip } = CHROMIUM;
const HTML = { "Content-Type": "text/html; charset=utf-8" };
/** What every page has: a socket that gives its messages one by one. */
const PAGE = `<!doctype html><title>here</title><script>
function open(path, protocols) {
  const socket = new WebSocket(location.origin.replace("http", "ws") + path, protocols);
  socket.binaryType = "arraybuffer";
  const messages = [], waiting = [];
  socket.onmessage = ({ data }) => waiting.length > 0 ? waiting.shift()(data) : messages.push(data);
  socket.next = () => messages.length > 0 ? messages.shift() : new Promise((resolve) => waiting.push(resolve));
  socket.over = new Promise((resolve) => (socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })));
  return new Promise((resolve) => { socket.onopen = () => resolve(socket); socket.onerror = () => resolve(socket); });
}
</script>`;

interface Wanted {
  readonly request: HttpRequest;
  readonly socket: WebSocketConnection;
}

let browsing: Browsing;
let server: Server;
let page: Page;
let wanted: ((wanted: Wanted) => void) | undefined;

async function handle(request: HttpRequest, reply: Parameters<typeof accept>[1]): Promise<void> {
  if (request.path === "/") return reply.send(200, HTML, PAGE);
  if (!request.path.startsWith("/ws")) return reply.send(404);
  const socket = await accept(request, reply, {
    protocols: ["second", "first"],
    compression: request.path === "/ws-deflate",
    limits: { messageBytesMax: 16_777_216, frameBytesMax: 16_777_216, decompressedBytesMax: 16_777_216 },
  });
  if (socket === undefined) return;
  wanted?.({ request, socket });
  if (request.path === "/ws-held") await socket.closed;
  else await socket.each((message) => socket.send(message));
}

/** The next WebSocket that the server accepts. */
function nextSocket(): Promise<Wanted> {
  return new Promise((resolve) => (wanted = resolve));
}

before(async () => {
  if (skip !== false) return;
  server = await serve({ handle });
  const [, port] = server.localAddress as [string, number];
  browsing = await startChromium();
  page = await browsing.open(`http://127.0.0.1:${port}/`);
});

after(async () => {
  await browsing?.[Symbol.asyncDispose]();
  await server?.shutdown({ deadlineMs: 0 });
});

/** Text, bytes, nothing, and more than any frame or buffer holds, there and back; true for each that came back as it was. */
const EXCHANGE = `(async () => {
  const socket = await open(PATH);
  const big = "0123456789abcdef".repeat(262144);
  const messages = ["hello", "", "grüße 🙂".repeat(5000), new Uint8Array(0), new Uint8Array(70000).map((_, i) => i * 7), big, new TextEncoder().encode(big)];
  for (const message of messages) socket.send(message);
  const same = [];
  for (const message of messages) {
    const data = await socket.next();
    if (typeof message === "string") same.push(data === message);
    else {
      const bytes = new Uint8Array(data);
      same.push(bytes.length === message.length && bytes.every((byte, i) => byte === message[i]));
    }
  }
  socket.close(4001, "enough");
  return { same, over: await socket.over, extensions: socket.extensions };
})()`;

for (const [path, extensions] of [
  ["/ws", ""],
  ["/ws-deflate", "permessage-deflate"],
] as const)
  test(`each() and send() echo all that Chromium sends ${extensions === "" ? "as it is" : "compressed"}`, {
    skip,
  }, async () => {
    const socket = nextSocket();
    const said = (await page.evaluate(EXCHANGE.replace("PATH", JSON.stringify(path)))) as {
      same: boolean[];
      over: unknown;
      extensions: string;
    };
    assert.deepEqual(
      said.same,
      Array.from({ length: 7 }, () => true),
    );
    // The code goes back, as RFC 6455 section 5.5.1 has it; the reason was for us.
    assert.deepEqual(said.over, { code: 4001, reason: "", wasClean: true });
    assert.equal(said.extensions.split(";")[0], extensions);
    const closed = await (await socket).socket.closed;
    assert.deepEqual([closed.code, closed.reason], [4001, "enough"]);
  });

test("send() of parts gives Chromium one message, text or bytes", { skip }, async () => {
  const accepted = nextSocket();
  await page.evaluate(`(async () => { globalThis.held = await open("/ws-held"); })()`);
  const { socket } = await accepted;
  await socket.send(["grü", "ße ", "", "🙂"]);
  await socket.send(
    (async function* () {
      for (let piece = 0; piece < 50; piece++) yield Buffer.alloc(3000, piece);
    })(),
  );
  assert.equal(await page.evaluate("held.next()"), "grüße 🙂");
  assert.deepEqual(
    await page.evaluate(`(async () => {
      const bytes = new Uint8Array(await held.next());
      return [bytes.length, bytes[0], bytes[149999], bytes.every((byte, i) => byte === Math.floor(i / 3000))];
    })()`),
    [150_000, 0, 49, true],
  );
  assert.ok((await socket.ping()) >= 0);
  await socket.close(4321, "grüße");
  assert.deepEqual(await page.evaluate("held.over"), { code: 4321, reason: "grüße", wasClean: true });
});

test("accept() takes a subprotocol that Chromium asks for, and refuses a page of another origin", {
  skip,
}, async () => {
  const accepted = nextSocket();
  const protocol = await page.evaluate(`(async () => {
    const socket = await open("/ws", ["first", "second"]);
    socket.close();
    await socket.over;
    return socket.protocol;
  })()`);
  assert.equal(protocol, "first");
  const { request, socket } = await accepted;
  assert.equal(
    request.fields.get("origin"),
    `http://127.0.0.1:${(server.localAddress as [string, number])[1]}`,
  );
  assert.equal(socket.protocol, "first");
  const strict = await serve({
    async handle(asked, reply) {
      const opened = await accept(asked, reply, { origins: ["https://example.org"] });
      await opened?.closed;
    },
  });
  const [, port] = strict.localAddress as [string, number];
  const refused = await page.evaluate(`(async () => {
    const socket = new WebSocket("ws://127.0.0.1:${port}/");
    return await new Promise((resolve) => (socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean })));
  })()`);
  assert.deepEqual(refused, { code: 1006, wasClean: false });
  await strict.shutdown({ deadlineMs: 0 });
});

test("shutdown() closes Chromium's WebSocket with 1001", {
  skip,
}, async () => {
  const other = await serve({ handle });
  const [, port] = other.localAddress as [string, number];
  const there = await browsing.open(`http://127.0.0.1:${port}/`);
  const accepted = nextSocket();
  await there.evaluate(`(async () => { globalThis.held = await open("/ws-held"); })()`);
  await accepted;
  const over = there.evaluate("held.over");
  await other.shutdown({ deadlineMs: 5000 });
  assert.deepEqual(await over, { code: 1001, reason: "", wasClean: true });
  await there.close();
});

test("accept() opens wss:// to Chromium", { skip: skip || OPENSSL.skip }, async () => {
  const { certificate, key } = certificates().server;
  const secure = await serve({
    listener: secureListener(await listenTcp("127.0.0.1", 0), { certificate, key }),
    scheme: "https",
    handle,
  });
  const [, port] = secure.localAddress as [string, number];
  const there = await browsing.open(`https://127.0.0.1:${port}/`);
  const said = (await there.evaluate(EXCHANGE.replace("PATH", '"/ws-deflate"'))) as { same: boolean[] };
  assert.ok(said.same.every(Boolean));
  await there.close();
  await secure.shutdown({ deadlineMs: 0 });
});
