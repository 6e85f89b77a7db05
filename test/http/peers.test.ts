// Clients that we did not write: curl, CPython's http.client, wrk, Node's fetch (undici), and nginx as a proxy in front.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { serve } from "berkeley/http";
import type { HttpHandler } from "berkeley/http";
import { connectUnix } from "berkeley/stream";
import { NGINX, nginxFolder, startNginx } from "../support/nginx.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";
import { RawClient, get, serving } from "./serving.ts";

const curl = requirePeer("curl");
const wrk = requirePeer("wrk");

/** Tells what it was sent: content as it is, everything else as JSON. */
const mirror: HttpHandler = async (request, reply) => {
  if (request.path === "/stream") {
    reply.begin(200);
    for (const piece of ["one ", "two ", "three"]) await reply.write(piece);
    reply.end({ "X-Trailer": "yes" });
  } else if (request.body === 0) {
    reply.send(200, { "Content-Type": "application/json" }, JSON.stringify([request.method, request.target]));
  } else reply.send(200, {}, await request.bytes());
};

async function curlOutput(...args: string[]): Promise<string> {
  const child = start(curl.path, ["-sS", "--max-time", "30", ...args], { input: "hello" });
  return (await child.succeeded()).stdout.toString("latin1");
}

test("curl: requests on one connection, HEAD, content with and without a length, 100, trailers", {
  skip: curl.skip,
}, async () => {
  await using at = await serving({ handle: mirror });
  const { url } = at;
  assert.equal(await curlOutput(`${url}/a`, `${url}/b`), '["GET","/a"]["GET","/b"]');
  assert.equal(at.server.stats().accepted, 1);
  assert.match(
    await curlOutput("-I", `${url}/a`),
    /^HTTP\/1\.1 200 OK\r\n[^]*\r\nContent-Length: 13\r\n\r\n$/,
  );
  assert.equal(await curlOutput("-d", "hello", url), "hello");
  assert.equal(await curlOutput("-T", "-", "-H", "Transfer-Encoding: chunked", `${url}/put`), "hello");
  const long = "x".repeat(70_000);
  const child = start(curl.path, ["-sSv", "-H", "Expect: 100-continue", "--data-binary", "@-", url], {
    input: long,
  });
  const { stdout, stderr } = await child.succeeded();
  assert.equal(stdout.toString(), long);
  assert.match(stderr.toString(), /HTTP\/1\.1 100 Continue/);
  assert.match(
    await curlOutput("-i", `${url}/stream`),
    /chunked\r\n\r\none two three(?:X-Trailer: yes\r\n)?/,
  );
  assert.equal(await curlOutput("-0", `${url}/stream`), "one two three");
  assert.deepEqual(at.errors, []);
});

const CLIENT = `
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
def ask(*args, **more):
    connection.request(*args, **more)
    response = connection.getresponse()
    print(response.status, response.version, response.read().decode("latin1"))
ask("GET", "/a?b")
ask("POST", "/", body=b"hello")
ask("POST", "/", body=iter([b"one", b"two"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
ask("HEAD", "/")
ask("GET", "/stream")
ask("DELETE", "/c")
`;

test("CPython's http.client: one connection, content with a length and in chunks, HEAD, chunks back", {
  skip: PYTHON.skip,
}, async () => {
  await using at = await serving({ handle: mirror });
  const child = start(PYTHON.path, ["-c", CLIENT, String(at.port)]);
  assert.deepEqual((await child.succeeded()).stdout.toString().trimEnd().split("\n"), [
    '200 11 ["GET","/a?b"]',
    "200 11 hello",
    "200 11 onetwo",
    "200 11 ",
    "200 11 one two three",
    '200 11 ["DELETE","/c"]',
  ]);
  assert.equal(at.server.stats().accepted, 1);
});

test("wrk: 64 connections at once, without an error", { skip: wrk.skip }, async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(200, {}, "hello"), requestsMax: 50 });
  const child = start(wrk.path, ["-t1", "-c64", "-d1s", at.url]);
  const output = (await child.succeeded()).stdout.toString();
  assert.match(output, /[1-9]\d* requests in/);
  assert.doesNotMatch(output, /Socket errors|Non-2xx/);
  assert.deepEqual(at.errors, []);
});

test("Node's fetch: streams both ways at once, and many at a time", async () => {
  await using at = await serving({
    handle: async (request, reply) => {
      reply.begin(200);
      for await (const piece of request) await reply.write(piece);
      reply.end();
    },
  });
  const content = randomBytes(1_000_000);
  const echoed = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const body = new Blob([content]).stream();
      const response = await fetch(at.url, { method: "POST", body, duplex: "half" });
      return Buffer.from(await response.arrayBuffer());
    }),
  );
  for (const one of echoed) assert.ok(content.equals(one));
});

const PROXY = `
  client_max_body_size 0;
  location / {
    proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Front yes;
    proxy_ignore_client_abort on; proxy_request_buffering off; proxy_buffering off;
  }`;

test("nginx in front: keep-alive to us, content both ways, streams, and a client that is cut off", {
  skip: NGINX.skip,
}, async () => {
  const made = nginxFolder();
  const errors: unknown[] = [];
  await using server = await serve({
    path: made.back,
    handle: mirror,
    onError: (error) => errors.push(error),
  });
  await using nginx = await startNginx(PROXY, made, "upstream back { server unix:BACK; keepalive 4; }");
  await using client = new RawClient(await connectUnix(nginx.front));
  for (let count = 0; count < 5; count++) {
    await client.send(get(`/${count}`));
    assert.equal((await client.answer()).text, `["GET","/${count}"]`);
  }
  assert.equal(server.stats().accepted, 1);
  const long = "x".repeat(500_000);
  await client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${long.length}\r\n\r\n${long}`);
  assert.equal((await client.answer("POST")).text, long);
  await client.send(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n",
  );
  assert.equal((await client.answer("POST")).text, "hello world");
  await client.send(get("/stream"));
  assert.equal((await client.answer()).text, "one two three");
  assert.deepEqual(errors, []);
});

test("nginx in front: what it takes for one request we never take for two", {
  skip: NGINX.skip,
}, async () => {
  const made = nginxFolder();
  // nginx marks what it takes for a request.
  const seen: string[] = [];
  const unmarked: string[] = [];
  await using _ = await serve({
    path: made.back,
    handle: async (request, reply) => {
      (request.fields.get("x-front") === "yes" ? seen : unmarked).push(request.path);
      reply.send(200, {}, await request.text());
    },
  });
  await using nginx = await startNginx(PROXY, made, "upstream back { server unix:BACK; keepalive 4; }");
  const inner = get("/smuggled");
  const lines = [
    "Content-Length: 4\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 4",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\x0bchunked",
    " Transfer-Encoding: chunked",
    "X: y\r\n Transfer-Encoding: chunked",
    "Transfer_Encoding: chunked",
    "Content-Length: 0\r\nContent-Length: 5",
    "Content-Length: 0, 5",
    "Content-Length: +5",
    "Content-Length: 5\nTransfer-Encoding: chunked",
    "Content-Length: 5\rTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\nX: y",
    "[Content-Length: 5",
    "Content-Length\x00: 5",
    "Expect: 100-continue\r\nContent-Length: 5",
    "Connection: Content-Length\r\nContent-Length: 5",
    "Host: b\r\nContent-Length: 5",
    "Content-Length: 05",
    "Content-Length: 5 5",
    "Content-Length: 0x5",
    "Content-Length: 5,",
    "Transfer-Encoding: CHUNKED",
    "Transfer-Encoding:\tchunked\t",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: chunked, chunked",
    'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: chunked;a=b",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
  ];
  for (const line of lines)
    for (const content of [
      `0\r\n\r\n${inner}`,
      `5;a\nhello\r\n0\r\n\r\n${inner}`,
      `5\nhello\n0\n\n${inner}`,
      `5;a="\r\nhello\r\n0\r\n\r\n${inner}"\r\nhello\r\n0\r\n\r\n`,
      `5;a\n${inner}\r\nhello\r\n0\r\n\r\n`,
      `0x5\r\nhello\r\n0\r\n\r\n${inner}`,
      `+5\r\nhello\r\n0\r\n\r\n${inner}`,
      ` 5 \r\nhello\r\n0\r\n\r\n${inner}`,
      `5\r\nhelloX\r\n0\r\n\r\n${inner}`,
    ]) {
      await using client = new RawClient(await connectUnix(nginx.front));
      await client.send(`POST /outer HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n${content}`);
      await client.stream.closeWrite();
      await client.rest(true);
      assert.deepEqual(unmarked, [], `${JSON.stringify(line)} ${JSON.stringify(content)}`);
    }
  assert.ok(seen.length > 0);
});
