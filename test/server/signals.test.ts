// shutdownOnSignals(): what the first, the second and no signal does, in a process of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connectTcp } from "berkeley/stream";
import type { SocketStream } from "berkeley/stream";
import type { Child } from "../support/process.ts";
import { program } from "../support/program.ts";
import { ask, readAll } from "./support.ts";

async function connected(child: Child): Promise<SocketStream> {
  const [, port] = await child.line(/^port (\d+)$/m);
  const client = await connectTcp("127.0.0.1", Number(port));
  assert.equal(await ask(client, "hello"), "hello");
  return client;
}

for (const signal of ["SIGTERM", "SIGINT"] as const)
  test(`shutdownOnSignals() lets handlers finish at ${signal} (in a child process)`, async () => {
    await using child = program(import.meta.url, "signals-child");
    await using client = await connected(child);
    child.kill(signal);
    while (await accepts(client)) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await ask(client, "still here"), "still here");
    await client.closeWrite();
    assert.equal(await readAll(client), "");
    await child.line(/^finished /m);
    await child.succeeded();
  });

/** Whether the server of a connection still takes others. */
async function accepts(client: SocketStream): Promise<boolean> {
  const [, port] = client.remoteAddress as [string, number];
  try {
    (await connectTcp("127.0.0.1", port)).close();
    return true;
  } catch {
    return false;
  }
}

test("shutdownOnSignals() ends connections at the second signal (in a child process)", async () => {
  await using child = program(import.meta.url, "signals-child");
  await using client = await connected(child);
  child.kill("SIGTERM");
  while (await accepts(client)) await new Promise((resolve) => setImmediate(resolve));
  child.kill("SIGINT");
  assert.equal(await readAll(client), "");
  await child.line(/^finished .*"aborted":[1-9]/m);
  await child.succeeded();
});

test("shutdownOnSignals() takes no signal any more once it is disposed (in a child process)", async () => {
  await using child = program(import.meta.url, "signals-child", { args: ["disposed"] });
  await using _ = await connected(child);
  child.kill("SIGTERM");
  assert.equal((await child.exited).signal, "SIGTERM");
});
