// Answers compressed: which, what they say then, and that each coding reads back, all at once and piece by piece.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import type { HttpHandler } from "berkeley/http";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { get, serving } from "./serving.ts";
import { latin1 } from "./parsing.ts";

const curl = requirePeer("curl");
const TEXT = "the same words again and again, ".repeat(200);
const HTML = { "Content-Type": "text/html", ETag: '"a"' };

const zstd = (zlib as unknown as { readonly zstdDecompressSync?: (bytes: Buffer) => Buffer })
  .zstdDecompressSync;
const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gunzipSync(bytes),
  br: (bytes) => zlib.brotliDecompressSync(bytes),
  ...(zstd === undefined ? {} : { zstd }),
};

const ways: Readonly<Record<string, HttpHandler>> = {
  "send()": (_, reply) => reply.send(200, HTML, TEXT),
  "write()": async (_, reply) => {
    reply.begin(200, HTML, { length: TEXT.length });
    for (let at = 0; at < TEXT.length; at += 1000) await reply.write(TEXT.slice(at, at + 1000));
    reply.end();
  },
};

for (const [how, handle] of Object.entries(ways))
  for (const [coding, decode] of Object.entries(decoders))
    test(`${how} goes out in ${coding} to a client that takes it, and reads back`, async () => {
      await using at = await serving({ handle, compress: true });
      await using client = await at.connect();
      for (let count = 0; count < 2; count++) {
        await client.send(get("/", `Accept-Encoding: ${coding}\r\n`));
        const { text, fields } = await client.answer();
        assert.equal(fields["content-encoding"], coding);
        assert.equal(fields["vary"], "Accept-Encoding");
        assert.equal(fields["etag"], 'W/"a"');
        assert.ok(text.length < TEXT.length / 4);
        assert.equal(decode(latin1(text)).toString(), TEXT);
      }
    });

test("each piece that is written can be read at once", async () => {
  let next!: () => void;
  const gate = new Promise<void>((resolve) => (next = resolve));
  await using at = await serving({
    compress: { codings: ["gzip"] },
    handle: async (_, reply) => {
      reply.begin(200, { "Content-Type": "text/event-stream" });
      await reply.write("data: one\n\n");
      await gate;
      await reply.write("data: two\n\n");
      reply.end();
    },
  });
  await using client = await at.connect();
  await client.send(get("/", "Accept-Encoding: gzip\r\n"));
  const gunzip = zlib.createGunzip();
  client.parser.expect("GET");
  let text = "";
  gunzip.on("data", (data: Buffer) => (text += data.toString()));
  while (!text.includes("one")) {
    client.parser.receive(await client.stream.receiveSome());
    for (let event = client.parser.next(); typeof event === "object"; event = client.parser.next())
      if (event.type === "data")
        await new Promise<void>((resolve) => gunzip.write(event.bytes, () => resolve()));
  }
  assert.equal(text, "data: one\n\n");
  next();
});

const plain: Readonly<Record<string, readonly [string, HttpHandler]>> = {
  "to a client that takes none": ["", ways["send()"] as HttpHandler],
  "to a client that takes others": ["Accept-Encoding: deflate\r\n", ways["send()"] as HttpHandler],
  "if it is short": ["Accept-Encoding: gzip\r\n", (_, reply) => reply.send(200, HTML, "short")],
  "if it is no text": [
    "Accept-Encoding: gzip\r\n",
    (_, reply) => reply.send(200, { "Content-Type": "image/png" }, TEXT),
  ],
  "if it is encoded already": [
    "Accept-Encoding: gzip\r\n",
    (_, reply) => reply.send(200, { ...HTML, "Content-Encoding": "x" }, TEXT),
  ],
  "if it must not be transformed": [
    "Accept-Encoding: gzip\r\n",
    (_, reply) => reply.send(200, { ...HTML, "Cache-Control": "max-age=1, no-transform" }, TEXT),
  ],
  "if it is a part": ["Accept-Encoding: gzip\r\n", (_, reply) => reply.send(206, HTML, TEXT)],
};
for (const [when, [lines, handle]] of Object.entries(plain))
  test(`an answer goes out as it is ${when}`, async () => {
    await using at = await serving({ handle, compress: true });
    await using client = await at.connect();
    await client.send(get("/", lines));
    const { text, fields } = await client.answer();
    assert.notEqual(fields["content-encoding"], "gzip");
    assert.ok(text === TEXT || text === "short");
    // Whoever keeps it must know that others get another one.
    assert.equal(fields["vary"], when.startsWith("to a client") ? "Accept-Encoding" : undefined);
  });

test("HEAD is told the coding and no length, and HTTP/1.0 gets it too", async () => {
  for (const handle of Object.values(ways)) {
    await using at = await serving({ handle, compress: { codings: ["gzip"] } });
    await using client = await at.connect();
    await client.send(get("/", "Accept-Encoding: gzip\r\n", "HEAD"));
    const head = await client.answer("HEAD");
    assert.deepEqual([head.fields["content-encoding"], head.fields["content-length"]], ["gzip", undefined]);
    assert.equal(head.keepAlive, true);
    await client.send("GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    assert.equal(zlib.gunzipSync(latin1((await client.answer()).text)).toString(), TEXT);
  }
});

test("Responses are compressed too, pipelined answers stay in order, and curl reads them", {
  skip: curl.skip,
}, async () => {
  await using at = await serving({
    compress: true,
    fetch: ({ url }) => {
      const long = new URL(url).pathname === "/long";
      return new Response(long ? TEXT : "short", { headers: { "content-type": "text/plain" } });
    },
  });
  const lines = "Accept-Encoding: gzip\r\n";
  await using client = await at.connect();
  await client.send(get("/long", lines) + get("/short", lines) + get("/long", lines));
  assert.equal(zlib.gunzipSync(latin1((await client.answer()).text)).toString(), TEXT);
  assert.equal((await client.answer()).text, "short");
  assert.equal(zlib.gunzipSync(latin1((await client.answer()).text)).toString(), TEXT);
  const child = start(curl.path, ["-sS", "--compressed", `${at.url}/long`]);
  assert.equal((await child.succeeded()).stdout.toString(), TEXT);
});

test("serve() answers 500 when what is to be compressed cannot be sent, and refuses options that are none", async () => {
  await using at = await serving({
    compress: true,
    handle: (_, reply) => reply.send(200, { ...HTML, "X\r\n": "1" }, TEXT),
  });
  await using client = await at.connect();
  await client.send(get("/", "Accept-Encoding: gzip\r\n"));
  assert.equal((await client.answer()).status, 500);
  await assert.rejects(serving({ handle: () => {}, compress: "gzip" as never }), {
    code: "ERR_INVALID_ARG_TYPE",
  });
});
