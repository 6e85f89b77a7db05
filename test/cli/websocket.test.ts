// WebSockets on the command line: echo, connect, listen and relay, with each other and with clients and servers of others.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { connectTcp } from "berkeley/stream";
import { connect } from "berkeley/websocket";
import { berkeley, run, serving } from "../support/cli.ts";
import { bytesOf } from "../support/ws.ts";

test("berkeley echo sends text back as text and bytes as bytes, and prints who said what", async () => {
  await using echo = berkeley(["echo", "ws://127.0.0.1:0/chat"]);
  const port = await serving(echo);
  const peer = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  await once(peer, "open");
  for (const message of ["hello", Buffer.from("bytes"), ""]) {
    const answered = once(peer, "message");
    peer.send(message);
    const [data, isBinary] = await answered;
    assert.equal(String(data), String(message));
    assert.equal(isBinary, typeof message !== "string");
  }
  peer.close();
  await echo.line(/127\.0\.0\.1:\d+ connected\n[^]*sent 5 bytes: hello\n[^]*ended after 10 bytes\n/);
  const elsewhere = await fetch(`http://127.0.0.1:${port}/elsewhere`);
  assert.equal(elsewhere.status, 404);
  assert.equal((await fetch(`http://127.0.0.1:${port}/chat`)).status, 426);
  await using still = await connect(`ws://127.0.0.1:${port}/chat`);
  echo.kill("SIGINT");
  assert.equal((await still.closed).code, 1001);
  assert.equal((await echo.exited).code, 0);
});

test("berkeley connect sends its input as text where it is, and ends when nothing comes any more", async () => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const got: [string, boolean][] = [];
  server.on("connection", (peer) => {
    peer.on("message", (data, isBinary) => {
      got.push([bytesOf(data).toString("latin1"), isBinary]);
      peer.send(`you said ${bytesOf(data).toString()}`);
    });
  });
  const { port } = server.address() as AddressInfo;
  const url = `ws://127.0.0.1:${port}`;
  const text = await run(["connect", "-q", "0.3", url], { input: "hello\n" });
  assert.equal(text.stdout.toString(), "you said hello\n");
  assert.equal(text.code, 0);
  await run(["connect", "-q", "0.3", url], { input: Buffer.from([0xff, 0xfe]) });
  assert.deepEqual(got, [
    ["hello\n", false],
    ["\xff\xfe", true],
  ]);
  await new Promise((resolve) => server.close(resolve));
});

test("berkeley listen takes one WebSocket, and with --keep one after another", async () => {
  await using one = berkeley(["listen", "ws://127.0.0.1:0/"]);
  const url = `ws://127.0.0.1:${await serving(one, "stderr")}/any`;
  await using first = await connect(url);
  await first.send("to standard output\n");
  await one.line(/^to standard output$/m);
  one.stdin.write("from standard input\n");
  assert.deepEqual(await first.receive(), { value: "from standard input\n", done: false });
  await first.close();
  one.stdin.end();
  assert.equal((await one.exited).code, 0);

  await using many = berkeley(["listen", "--keep", "ws://127.0.0.1:0/"]);
  const again = `ws://127.0.0.1:${await serving(many, "stderr")}/`;
  for (const words of ["one", "two"]) {
    await using socket = await connect(again);
    await socket.send(`${words}\n`);
    await many.line(new RegExp(`^${words}$`, "m"));
  }
  many.kill("SIGTERM");
  assert.equal((await many.exited).code, 0);
});

test("berkeley relay offers a TCP service over WebSocket, and the other way round", async () => {
  await using echo = berkeley(["echo", "tcp://127.0.0.1:0"]);
  const tcp = `tcp://127.0.0.1:${await serving(echo)}`;
  await using there = berkeley(["relay", "listen:ws://127.0.0.1:0/echo", tcp]);
  const url = `ws://127.0.0.1:${await serving(there, "stderr")}/echo`;
  await using socket = await connect(url);
  const long = Buffer.alloc(300_000, "0123456789");
  await socket.send(long);
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < long.length) {
    const { value } = await socket.receive();
    assert.ok(Buffer.isBuffer(value));
    pieces.push(value);
    length += value.length;
  }
  assert.ok(Buffer.concat(pieces).equals(long));

  await using back = berkeley(["relay", "listen:tcp://127.0.0.1:0", url]);
  await using stream = await connectTcp("127.0.0.1", await serving(back, "stderr"));
  await stream.sendAll("through three programs");
  let words = "";
  while (words.length < 22) words += (await stream.receiveSome()).toString();
  assert.equal(words, "through three programs");
});

test("berkeley says in one sentence why there is no WebSocket", async () => {
  const refusing = new WebSocketServer({ host: "127.0.0.1", port: 0, verifyClient: () => false });
  await once(refusing, "listening");
  const { port } = refusing.address() as AddressInfo;
  const refused = await run(["connect", `ws://127.0.0.1:${port}/`]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr.toString(), /cannot connect to ws:\S+: the server answered 401, not 101\n$/);
  const inUse = await run(["listen", `ws://127.0.0.1:${port}/`]);
  assert.equal(inUse.code, 1);
  assert.match(inUse.stderr.toString(), /cannot listen on ws:\S+: the port is in use/);
  await new Promise((resolve) => refusing.close(resolve));
  const nobody = await run(["connect", `ws://127.0.0.1:${port}/`]);
  assert.match(nobody.stderr.toString(), /connection refused: nothing listens there\n$/);
  for (const args of [
    ["listen", "--exec", "ws://:0/", "cat"],
    ["echo", "--workers", "2", "ws://:0/"],
  ]) {
    const { code, stderr } = await run(args);
    assert.equal(code, 2);
    assert.match(stderr.toString(), /is not for ws:\/\/|is for streams/);
  }
});
