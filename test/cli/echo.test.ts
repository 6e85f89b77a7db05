import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CONNECTIONS_MAX } from "#dist/cli/crowd.js";
import { berkeley, serving } from "../support/cli.ts";
import { nodeConnect, readToEnd } from "../support/node-tcp.ts";

const ANY = "tcp://127.0.0.1:0";

test("echo sends back what arrives, ends when the peer has ended, and prints who and what", async () => {
  await using child = berkeley(["echo", ANY]);
  const client = await nodeConnect(await serving(child));
  const me = `127.0.0.1:${client.localPort}`;
  client.end("hello\n");
  assert.equal((await readToEnd(client)).toString(), "hello\n");
  await child.line(/ended after/);
  const [, ...lines] = child.output().toString().split("\n");
  assert.deepEqual(lines, [
    `${me} connected`,
    `${me} sent 6 bytes: hello\\n`,
    `${me} ended after 6 bytes`,
    "",
  ]);
});

test("echo prints control bytes escaped and long messages cut", async () => {
  await using child = berkeley(["echo", ANY]);
  const client = await nodeConnect(await serving(child));
  client.write("\x1b[2J");
  await child.line(/sent 4 bytes: \\x1b\[2J\n/);
  client.write(Buffer.alloc(20_000, "y"));
  await child.line(/: y{100,} … \d+ more bytes\n/);
  for (const line of child.output().toString().split("\n")) assert.ok(line.length < 300);
  client.destroy();
});

test("echo returns a megabyte whole", async () => {
  await using child = berkeley(["echo", ANY]);
  const client = await nodeConnect(await serving(child));
  const sent = Buffer.alloc(1 << 20, "0123456789abcdef!");
  client.end(sent);
  assert.ok((await readToEnd(client)).equals(sent));
});

test("echo serves several URLs and several peers at once", async () => {
  await using child = berkeley(["echo", ANY, "tcp://[::1]:0"]);
  await child.line(/listening on tcp:\/\/127.*\nlistening on tcp:\/\/\[::1\]/);
  const ports = [
    ...child
      .output()
      .toString()
      .matchAll(/listening on \S+:(\d+)/g),
  ].map((match) => Number(match[1]));
  const clients = await Promise.all([
    nodeConnect(ports[0] as number),
    nodeConnect(ports[0] as number),
    nodeConnect(ports[1] as number, "::1"),
  ]);
  for (const [index, client] of clients.entries()) client.write(`to ${index}`);
  for (const [index, client] of clients.entries())
    assert.equal(String((await once(client, "data"))[0]), `to ${index}`);
  await child.line(/\[::1\]:\d+ connected/);
  for (const client of clients) client.destroy();
});

test("echo at tcp://:0 is reached over IPv4 and over IPv6, and shows the IPv4 peer as one", async () => {
  await using child = berkeley(["echo", "tcp://:0"]);
  const port = await serving(child);
  for (const host of ["127.0.0.1", "::1"]) {
    const client = await nodeConnect(port, host);
    client.end("x");
    assert.equal((await readToEnd(client)).toString(), "x");
  }
  await child.line(/^127\.0\.0\.1:\d+ connected$/m);
  await child.line(/^\[::1\]:\d+ connected$/m);
});

test("echo leaves a peer beyond its limit in the kernel's queue until another has ended", async () => {
  await using child = berkeley(["echo", ANY]);
  const port = await serving(child);
  const first = await nodeConnect(port);
  const others = await Promise.all(Array.from({ length: CONNECTIONS_MAX - 1 }, () => nodeConnect(port)));
  await child.line(new RegExp(`(?:.* connected\\n){${CONNECTIONS_MAX}}`));
  const late = await nodeConnect(port);
  late.write("at last");
  first.write("still");
  assert.equal(String((await once(first, "data"))[0]), "still");
  first.end();
  assert.equal(String((await once(late, "data"))[0]), "at last");
  const output = child.output().toString();
  assert.ok(output.indexOf(`:${first.localPort} ended`) < output.indexOf(`:${late.localPort} connected`));
  for (const client of [late, ...others]) client.destroy();
});

const BURST = 500;
const queueMax = Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"));
const shortQueue = queueMax < BURST ? `net.core.somaxconn is ${queueMax}, below ${BURST}` : false;

test("echo answers every one of many peers that connected while it was busy", {
  skip: shortQueue,
}, async () => {
  await using child = berkeley(["echo", ANY]);
  const port = await serving(child);
  child.kill("SIGSTOP");
  const clients = await Promise.all(Array.from({ length: BURST }, () => nodeConnect(port)));
  child.kill("SIGCONT");
  const answers = clients.map((client) => readToEnd(client));
  for (const [index, client] of clients.entries()) client.end(String(index));
  for (const [index, answer] of answers.entries()) assert.equal((await answer).toString(), String(index));
});

test("echo goes on after a peer's reset, and prints it", async () => {
  await using child = berkeley(["echo", ANY]);
  const port = await serving(child);
  const rude = await nodeConnect(port);
  rude.write("x");
  await once(rude, "data");
  rude.resetAndDestroy();
  await child.line(/failed after 1 byte: .*ECONNRESET/);
  const polite = await nodeConnect(port);
  polite.end("y");
  assert.equal((await readToEnd(polite)).toString(), "y");
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`echo ends with 0 on ${signal} while a peer is connected`, async () => {
    await using child = berkeley(["echo", ANY]);
    const client = await nodeConnect(await serving(child));
    client.on("error", () => {}).resume();
    await child.line(/connected/);
    child.kill(signal);
    const { code, stderr } = await child.exited;
    assert.equal(code, 0);
    assert.equal(stderr.toString(), "");
  });

test("echo ends quietly with 141 when the reader of its output has gone", async () => {
  await using child = berkeley(["echo", ANY]);
  const port = await serving(child);
  child.stdout.destroy();
  await once(child.stdout, "close");
  const client = await nodeConnect(port);
  client.on("error", () => {}).resume();
  const { code, stderr } = await child.exited;
  assert.equal(code, 141);
  assert.equal(stderr.toString(), "");
});
