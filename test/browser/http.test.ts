// Chromium's fetch(), EventSource, media elements and links against our server of HTTP and the command's.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { serve, staticFiles } from "berkeley/http";
import type { HttpReply, HttpRequest } from "berkeley/http";
import type { Server } from "berkeley/server";
import { CHROMIUM, startChromium, until } from "../support/chromium.ts";
import type { Browsing, Page } from "../support/chromium.ts";
import { berkeley } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import type { Folder } from "../support/files.ts";

const { skip } = CHROMIUM;
const HTML = { "Content-Type": "text/html; charset=utf-8" };

/** A minute of silence, 8 bits, 44100 a second: enough that nobody fetches it whole to play its end. */
function wave(): Buffer {
  const size = 44_100 * 60;
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + size, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(44_100, 24);
  head.writeUInt32LE(44_100, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(size, 40);
  return Buffer.concat([head, Buffer.alloc(size, 128)]);
}

let place: Folder;
let browsing: Browsing;
let server: Server;
let page: Page;
const requests: HttpRequest[] = [];
const sounds: [request: HttpRequest, reply: HttpReply][] = [];
const lastIds: (string | undefined)[] = [];
let release: (() => void) | undefined;

async function events(request: HttpRequest, reply: HttpReply): Promise<void> {
  const last = request.fields.get("last-event-id");
  lastIds.push(last);
  reply.begin(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const from = Number(last ?? 0);
  await reply.write("retry: 1\n\n");
  for (let id = from + 1; id <= from + 2; id++)
    await reply.write(`id: ${id}\r\nevent: count\ndata: number ${id}\ndata: grüße\r\n\r\n`);
  reply.end();
}

async function slow(reply: HttpReply): Promise<void> {
  reply.begin(200, { "Content-Type": "text/plain" });
  await reply.write("first");
  await new Promise<void>((resolve) => (release = resolve));
  await reply.write("second");
  reply.end();
}

before(async () => {
  if (skip !== false) return;
  place = folder();
  writeFileSync(place.path("sound.wav"), wave());
  const files = staticFiles(place.path("."));
  server = await serve({
    compress: true,
    async handle(request, reply) {
      requests.push(request);
      if (request.path === "/") return reply.send(200, HTML, "<!doctype html><title>here</title>");
      if (request.path === "/events") return await events(request, reply);
      if (request.path === "/slow") return await slow(reply);
      if (request.path === "/echo") return reply.send(200, {}, await request.bytes());
      if (request.path === "/long")
        return reply.send(200, { "Content-Type": "text/plain" }, "long ".repeat(50_000));
      if (request.path === "/sound.wav") sounds.push([request, reply]);
      await files(request, reply);
    },
  });
  const [, port] = server.localAddress as [string, number];
  browsing = await startChromium();
  page = await browsing.open(`http://127.0.0.1:${port}/`);
});

after(async () => {
  await browsing?.[Symbol.asyncDispose]();
  await server?.shutdown({ deadlineMs: 0 });
  place?.[Symbol.dispose]();
});

test("write() reaches Chromium's fetch() piece by piece", { skip }, async () => {
  const first = await page.evaluate(`(async () => {
    globalThis.reader = (await fetch("/slow")).body.pipeThrough(new TextDecoderStream()).getReader();
    return (await reader.read()).value;
  })()`);
  assert.equal(first, "first");
  release?.();
  assert.deepEqual(
    await page.evaluate("(async () => [(await reader.read()).value, (await reader.read()).done])()"),
    ["second", true],
  );
});

test("serve() takes what Chromium's fetch() sends, compresses for it, and keeps its connections", {
  skip,
}, async () => {
  const earlier = requests.length;
  const [same, length, coding] = (await page.evaluate(`(async () => {
    const sent = new Uint8Array(1000000).map((_, i) => i * 7);
    const back = new Uint8Array(await (await fetch("/echo", { method: "POST", body: sent })).arrayBuffer());
    const long = await fetch("/long");
    for (let i = 0; i < 20; i++) await (await fetch("/echo", { method: "POST", body: "small" })).text();
    return [back.length === sent.length && back.every((byte, i) => byte === sent[i]), (await long.text()).length,
      long.headers.get("content-encoding")];
  })()`)) as [boolean, number, string];
  assert.deepEqual([same, length], [true, 250_000]);
  assert.match(coding, /^(zstd|br|gzip)$/);
  const ports = new Set(
    requests.slice(earlier).map(({ remoteAddress }) => (remoteAddress as [string, number])[1]),
  );
  assert.equal(requests.length - earlier, 22);
  assert.ok(ports.size <= 6, `${ports.size} connections for 22 requests`);
});

test("serve() gives EventSource events, and those behind the last one when it comes again", {
  skip,
}, async () => {
  const got = await page.evaluate(`new Promise((resolve) => {
    const got = [];
    const source = new EventSource("/events");
    source.addEventListener("count", ({ data, lastEventId }) => {
      got.push([data, lastEventId]);
      if (got.length < 5) return;
      source.close();
      resolve(got);
    });
  })`);
  assert.deepEqual(
    got,
    [1, 2, 3, 4, 5].map((id) => [`number ${id}\ngrüße`, String(id)]),
  );
  assert.deepEqual(lastIds.slice(0, 3), [undefined, "2", "4"]);
});

test("staticFiles() gives Chromium's player the parts that it asks for", { skip }, async () => {
  const duration = await page.evaluate(`new Promise((resolve, reject) => {
    const audio = new Audio("/sound.wav");
    audio.preload = "metadata";
    audio.onerror = () => reject(new Error(audio.error.message));
    audio.onloadedmetadata = () => (audio.currentTime = 55);
    audio.onseeked = () => resolve(audio.duration);
  })`);
  assert.equal(duration, 60);
  for (const [{ fields }, { status }] of sounds)
    if (!fields.has("if-none-match")) assert.equal(status, fields.has("range") ? 206 : 200);
    else assert.ok(status === 304 || status === 206, `${status}`); // of a part that it has already
  assert.ok(sounds.some(([{ fields }]) => /^bytes=[1-9]\d*-/.test(fields.get("range") ?? "")));
});

test("berkeley serve --list shows Chromium a folder, and its links lead to the files", { skip }, async () => {
  using files = folder();
  mkdirSync(files.path("in here"));
  writeFileSync(files.path('in here/<b>&"100%#?.txt'), "found\n");
  writeFileSync(files.path("in here/second.txt"), "second\n");
  await using child = berkeley(["serve", "--list", "--listen", "tcp://127.0.0.1:0", files.path(".")]);
  const [, url = ""] = await child.line(/ on (http:\S+)\n/);
  const there = await browsing.open(url);
  await there.click('a[href*="in"]');
  await until(there, 'document.title.includes("in here") || location.pathname.endsWith("/in%20here/")');
  assert.equal(await there.evaluate('document.querySelector("b") === null'), true);
  const names = (await there.evaluate(
    '[...document.querySelectorAll("a")].map((a) => a.textContent)',
  )) as string[];
  assert.ok(names.includes('<b>&"100%#?.txt'), names.join(" "));
  await there.click('a[href*="100"]');
  await until(there, 'document.body.innerText.includes("found")');
  await there.close();
  child.kill("SIGINT");
  assert.equal((await child.exited).code, 0);
});
