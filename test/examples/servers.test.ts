// The examples of servers, with real clients.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectTcp } from "berkeley/stream";
import { ROOT } from "../support/cli.ts";
import { reset } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";

/** Starts an example at a port that the system picks. */
async function example(name: string, ...args: string[]): Promise<Child & { readonly port: string }> {
  const child = start(process.execPath, [`${ROOT}out/examples/${name}.js`, ...args]);
  const [, port] = await child.line(/^listening on \S+ (\d+)$/m);
  return Object.assign(child, { port: port as string });
}

test("serve-lines answers CPython clients at once, and ends with its report at SIGTERM", {
  skip: PYTHON.skip,
}, async () => {
  await using server = await example("serve-lines", "127.0.0.1", "0");
  await using client = python(
    `
conns = [create_connection(("127.0.0.1", int(sys.argv[1]))) for n in range(20)]
for n, conn in enumerate(conns): conn.sendall(b"line %d\\nand a" % n)
for n, conn in enumerate(conns): assert conn.makefile("rb").readline() == b"LINE %d\\n" % n
conns[0].sendall(b"x" * 2000)
assert read_to_end(conns[0]) == b"too long\\n"
say("asked")
for conn in conns: assert read_to_end(conn) == b""
`,
    [server.port],
  );
  await client.line(/^asked$/m);
  server.kill("SIGTERM");
  const { stdout } = await server.succeeded();
  assert.match(stdout.toString(), /^served 20 of 20 connections, \d+ bytes$/m);
  await client.succeeded();
});

test("serve-workers answers from other threads, and goes on when one dies", async () => {
  await using server = await example("serve-workers", "127.0.0.1", "0", "2");
  const ask = async (word: string): Promise<string> => {
    await using client = await connectTcp("127.0.0.1", Number(server.port));
    await client.sendAll(word);
    return (await client.receiveSome()).toString();
  };
  assert.match(await ask("hello"), /^thread [1-9]\d*: hello$/);
  assert.equal(await ask("die"), "");
  await server.line(/^worker [01] died: the worker ended with 1$/m);
  assert.match(await ask("hello again"), /^thread \d+: hello again$/);
  server.kill("SIGTERM");
  assert.match(
    (await server.succeeded()).stdout.toString(),
    /^served 3 connections, workers were started again [01] times$/m,
  );
});

test("restart hands its listener over to the process that is started after it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-restart-"));
  await using first = await example("restart", join(folder, "path"), "127.0.0.1", "0");
  await using client = await connectTcp("127.0.0.1", Number(first.port));
  await client.sendAll("hello");
  assert.equal((await client.receiveSome()).toString(), `process ${first.pid}: hello`);
  await using second = await example("restart", join(folder, "path"));
  assert.equal(second.port, first.port);
  await first.succeeded();
  await using other = await connectTcp("127.0.0.1", Number(second.port));
  await other.sendAll("hello");
  assert.equal((await other.receiveSome()).toString(), `process ${second.pid}: hello`);
  second.kill("SIGTERM");
  await second.succeeded();
  rmSync(folder, { recursive: true });
});

const curl = requirePeer("curl");
test("prometheus tells what the server counts and what happened to sockets", {
  skip: curl.skip,
}, async () => {
  await using server = await example("prometheus", "127.0.0.1", "0", "0");
  const [, port] = await server.line(/^metrics on \S+ (\d+)$/m);
  await using client = await connectTcp("127.0.0.1", Number(server.port));
  await client.sendAll("hello");
  assert.equal((await client.receiveSome()).toString(), "hello");
  await using rude = await connectTcp("127.0.0.1", Number(server.port));
  await rude.sendAll("x");
  await rude.receiveSome();
  reset(rude.socket);
  for (;;) {
    await using child = start(curl.path, ["-s", `http://127.0.0.1:${port}/metrics`]);
    const text = (await child.succeeded()).stdout.toString();
    // One sample a line, as the exposition format has it.
    assert.match(text, /^(?:(?:# TYPE \w+ (?:counter|gauge)|\w+(?:\{(?:\w+="\w*",?)+\})? \d+)\n)+$/);
    if (!text.includes('ended_total{how="failed"} 1')) continue;
    for (const line of [
      "echo_connections_total 2",
      "echo_connections 1",
      'echo_bytes_total{way="in"} 6',
      'socket_errors_total{syscall="recv",code="ECONNRESET"} 1',
    ])
      assert.ok(text.includes(`${line}\n`), `${line}\n${text}`);
    break;
  }
  server.kill("SIGTERM");
  await client.closeWrite();
  await server.succeeded();
});
