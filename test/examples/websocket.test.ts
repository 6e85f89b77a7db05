// The example of a chat, with curl for its page and clients of our own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "berkeley/websocket";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";

test("websocket-chat has a page, carries what is said to the others of a room, and goes away at SIGTERM", async () => {
  await using server = start(process.execPath, [`${ROOT}out/examples/websocket-chat.js`, "127.0.0.1", "0"]);
  const [, port] = await server.line(/^listening on \S+ (\d+)$/m);
  const page = await fetch(`http://127.0.0.1:${port}/`);
  assert.match(await page.text(), /new WebSocket/);
  await using one = await connect(`ws://127.0.0.1:${port}/room`);
  assert.equal((await one.receive()).value, "somebody comes, 1 are here");
  await using two = await connect(`ws://127.0.0.1:${port}/room`);
  await using elsewhere = await connect(`ws://127.0.0.1:${port}/another`);
  assert.equal((await one.receive()).value, "somebody comes, 2 are here");
  assert.equal((await two.receive()).value, "somebody comes, 2 are here");
  assert.equal((await elsewhere.receive()).value, "somebody comes, 1 are here");
  await one.send("hello");
  await two.send("world");
  assert.equal((await two.receive()).value, "hello");
  assert.equal((await one.receive()).value, "world");
  server.kill("SIGTERM");
  assert.equal((await one.closed).code, 1001);
  await Promise.all([two.closed, elsewhere.closed]);
  await server.succeeded();
});
