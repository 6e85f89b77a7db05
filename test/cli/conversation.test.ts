import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { berkeley, serving } from "../support/cli.ts";
import { nodeConnect, nodeListen, readToEnd, writeUntilHeldBack } from "../support/node-tcp.ts";
import { residentBytes, UNDER_SANITIZERS } from "../support/process.ts";

const ANY = "tcp://127.0.0.1:0";
/** More than the buffers of the kernel and of two processes hold. */
const FLOOD_BYTES = 256 << 20;
/** A process of Node is about 60 MiB; what it may hold of a flood is small. */
const RESIDENT_BYTES_MAX = UNDER_SANITIZERS ? Infinity : 160 << 20;

for (const any of [ANY, "tcp://[::1]:0"])
  test(`connect and listen carry both inputs whole to both outputs at ${any}`, async () => {
    const [up, down] = [randomBytes(3 << 20), randomBytes(2 << 20)];
    await using listener = berkeley(["listen", any], { input: down });
    const port = await serving(listener, "stderr");
    await using client = berkeley(["connect", any.replace(/:0$/, `:${port}`)], { input: up });
    assert.ok((await client.succeeded()).stdout.equals(down));
    assert.ok((await listener.succeeded()).stdout.equals(up));
  });

test("connect passes the end of its input on, and still receives", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["connect", `tcp://127.0.0.1:${server.port}`], { input: "question" });
  const peer = await server.accept();
  assert.equal((await readToEnd(peer)).toString(), "question");
  peer.end("answer");
  assert.equal((await child.succeeded()).stdout.toString(), "answer");
});

test("connect passes the peer's end on to its output, and still sends", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["connect", `tcp://127.0.0.1:${server.port}`]);
  const peer = await server.accept();
  peer.end("last words");
  await once(child.stdout, "end");
  assert.equal(child.output().toString(), "last words");
  child.stdin.end("a late reply");
  assert.equal((await readToEnd(peer)).toString(), "a late reply");
  await child.succeeded();
});

test("connect takes no more from a peer than its output's reader takes, and loses nothing", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["connect", `tcp://127.0.0.1:${server.port}`], {
    input: "",
    readOutput: false,
  });
  const peer = await server.accept();
  const sent = await writeUntilHeldBack(peer, FLOOD_BYTES);
  assert.ok(sent < FLOOD_BYTES, "the peer was held back");
  assert.ok(residentBytes(child.pid) < RESIDENT_BYTES_MAX);
  peer.end();
  let received = 0;
  for await (const data of child.stdout) received += (data as Buffer).length;
  assert.equal(received, sent);
  assert.equal((await child.exited).code, 0);
});

test("connect takes no more of its input than the peer takes, and loses nothing", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["connect", `tcp://127.0.0.1:${server.port}`]);
  const peer = await server.accept();
  const sent = await writeUntilHeldBack(child.stdin as Socket, FLOOD_BYTES);
  assert.ok(sent < FLOOD_BYTES, "the input was held back");
  assert.ok(residentBytes(child.pid) < RESIDENT_BYTES_MAX);
  child.stdin.end();
  assert.equal((await readToEnd(peer)).length, sent);
  peer.end();
  await child.succeeded();
});

test("connect says that the peer reset the connection and ends with 1, after writing what had arrived", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["connect", `tcp://127.0.0.1:${server.port}`]);
  const peer = await server.accept();
  peer.write("before");
  await child.bytes(6);
  peer.resetAndDestroy();
  const { code, stdout, stderr } = await child.exited;
  assert.equal(stdout.toString(), "before");
  assert.match(stderr.toString(), /^berkeley: recv ECONNRESET: connection reset by peer/);
  assert.equal(code, 1);
});

test("connect ends quietly with 141 when the reader of its output has gone", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["connect", `tcp://127.0.0.1:${server.port}`]);
  const peer = await server.accept();
  child.stdout.destroy();
  await once(child.stdout, "close");
  peer.write("for nobody");
  const { code, stderr } = await child.exited;
  assert.equal(code, 141);
  assert.equal(stderr.toString(), "");
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  for (const command of ["connect", "listen"])
    test(`${command} dies of ${signal}, as an unfinished conversation does`, async () => {
      await using server = await nodeListen();
      const url = command === "connect" ? `tcp://127.0.0.1:${server.port}` : ANY;
      await using child = berkeley([command, url]);
      if (command === "connect") await server.accept();
      else await serving(child, "stderr");
      child.kill(signal);
      assert.equal((await child.exited).signal, signal);
    });

test("listen takes one connection and refuses the next", async () => {
  await using child = berkeley(["listen", ANY]);
  const port = await serving(child, "stderr");
  const first = await nodeConnect(port);
  await child.line(/127\.0\.0\.1:\d+ connected\n/, "stderr");
  await assert.rejects(nodeConnect(port), { code: "ECONNREFUSED" });
  child.stdin.end();
  first.end("only me");
  assert.equal((await child.succeeded()).stdout.toString(), "only me");
});

test("listen sends all of its input to a peer that ends before it", async () => {
  const input = randomBytes(1 << 20);
  await using child = berkeley(["listen", ANY], { input });
  const peer = await nodeConnect(await serving(child, "stderr"));
  peer.end();
  assert.ok((await readToEnd(peer)).equals(input));
  await child.succeeded();
});

test("listen --keep takes one peer after another and sends its input to the one that is there", async () => {
  await using child = berkeley(["listen", "--keep", ANY]);
  const port = await serving(child, "stderr");
  for (const name of ["first", "second", "third"]) {
    const peer = await nodeConnect(port);
    child.stdin.write(`to ${name}`);
    assert.equal(String((await once(peer, "data"))[0]), `to ${name}`);
    peer.end(`from ${name};`);
    await readToEnd(peer);
  }
  await child.bytes("from first;from second;from third;".length);
  assert.equal(child.output().toString(), "from first;from second;from third;");
  child.kill("SIGINT");
  await child.succeeded();
});

test("listen --keep ends its side for every peer when its input has ended", async () => {
  await using child = berkeley(["listen", "-k", ANY], { input: "once" });
  const port = await serving(child, "stderr");
  for (const [said, heard] of [
    ["a", "once"],
    ["b", ""],
  ] as const) {
    const peer = await nodeConnect(port);
    assert.equal((await readToEnd(peer)).toString(), heard);
    peer.end(said);
    await once(peer, "close");
  }
  assert.equal((await child.bytes(2)).toString(), "ab");
  child.kill("SIGTERM");
  await child.succeeded();
});

test("listen --keep goes on after a peer's reset, and says so", async () => {
  await using child = berkeley(["listen", "--keep", ANY]);
  const port = await serving(child, "stderr");
  const rude = await nodeConnect(port);
  rude.write("x");
  await child.bytes(1);
  rude.resetAndDestroy();
  await child.line(/failed: recv ECONNRESET/, "stderr");
  (await nodeConnect(port)).end("y");
  assert.equal((await child.bytes(2)).toString(), "xy");
});
