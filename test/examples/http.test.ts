// The examples of HTTP: the server with curl, the client by itself.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";

const curl = requirePeer("curl");

test("http-server answers curl with a page, an echo, events and files, and ends at SIGTERM", {
  skip: curl.skip,
}, async () => {
  const args = [`${ROOT}out/examples/http-server.js`, "127.0.0.1", "0", ROOT];
  await using server = start(process.execPath, args);
  const [, port] = await server.line(/^listening on \S+ (\d+)$/m);
  const ask = async (path: string, ...more: string[]): Promise<string> => {
    const child = start(curl.path, ["-sS", "--compressed", ...more, `http://127.0.0.1:${port}${path}`]);
    return (await child.succeeded()).stdout.toString();
  };
  assert.match(await ask("/"), /^hello, curl\//);
  assert.equal(await ask("/echo", "-d", "hello"), "hello");
  assert.equal(await ask("/events"), "data: 1\n\ndata: 2\n\ndata: 3\n\n");
  assert.equal(await ask("/files/package.json"), readFileSync(`${ROOT}package.json`, "utf8"));
  server.kill("SIGTERM");
  await server.succeeded();
});

test("http-client asks its own server over few connections, streams both ways, and loses patience", async () => {
  await using client = start(process.execPath, [`${ROOT}out/examples/http-client.js`]);
  const lines = (await client.succeeded()).stdout.toString().split("\n");
  assert.deepEqual(lines, [
    "ONE TWO THREE FOUR FIVE SIX over 4 connections",
    "received AS ",
    "received IT ",
    "received COMES ",
    "the request took longer than 200 ms (headTimeoutMs)",
    "",
  ]);
});
