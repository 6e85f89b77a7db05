// The process lives exactly as long as something waits, ref and unref per socket as in Node, and a worker that is ended
// with a thousand operations waiting neither aborts nor hangs, and leaves no descriptor. All in child processes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create_connection } from "berkeley";
import { listenAt } from "../support/berkeley-tcp.ts";
import type { Listener } from "../support/berkeley-tcp.ts";
import type { Child } from "../support/process.ts";
import { program } from "../support/program.ts";

function run(scenario: string, listener?: Listener): Child {
  const args = [scenario, String(listener?.port ?? 0)];
  return program(import.meta.url, "lifetime-child", { args });
}

for (const scenario of [
  "recv waits",
  "recv waits again after ref",
  "recv waits while another was unreferenced",
])
  test(`a process lives on when ${scenario} (in a child process)`, async () => {
    using listener = listenAt();
    await using child = run(scenario, listener);
    await child.line(/^waiting$/m);
    const last = scenario.includes("another") ? 2 : 1;
    const conns = [];
    for (let at = 0; at < last; at++) conns.push(await listener.accept());
    await conns.at(-1)?.sendall("awake");
    const { stdout } = await child.succeeded();
    assert.equal(stdout.toString(), "waiting\nawake\n");
    for (const conn of conns) conn.close();
  });

test("a process lives on when recv waits with a timeout, and till then (in a child process)", async () => {
  using listener = listenAt();
  await using child = run("recv waits with a timeout", listener);
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString(), "TimeoutError\n");
});

test("a process lives on when accept waits (in a child process)", async () => {
  await using child = run("accept waits");
  const [, port] = await child.line(/^port (\d+)$/m);
  using conn = await create_connection(["127.0.0.1", Number(port)]);
  await conn.sendall("hello");
  const { stdout } = await child.succeeded();
  assert.match(stdout.toString(), /\nhello\n$/);
});

for (const [scenario, output] of Object.entries({
  "nothing waits": "made\n",
  "unreferenced recv": "made\n",
  "recv unreferenced later": "made\n",
  "unreferenced accept loop": "made\n",
  "unreferenced recv with a timeout": "made\n",
  "aborted and timed out": "made\n",
  "unreferenced socket that always has data": "made\n",
  "unreferenced socket with much to read": `${1 << 20}\n`,
}))
  test(`a process ends by itself: ${scenario} (in a child process)`, async () => {
    using listener = listenAt();
    await using child = run(scenario, listener);
    const { stdout } = await child.succeeded();
    assert.equal(stdout.toString(), output);
  });

test("a worker that ends with a thousand operations waiting leaves no descriptor, however it ends (in a child process)", async () => {
  await using child = run("workers");
  const { stdout, stderr } = await child.succeeded();
  assert.equal(stderr.toString(), "");
  assert.equal(stdout.toString(), "terminate 0\nbusy 0\nexit 0\nthrow 0\nend 0\nterminate 0\n");
});

test("process.exit() with a thousand operations waiting ends with its code (in a child process)", async () => {
  await using child = run("exit");
  const { code, signal, stderr } = await child.exited;
  assert.deepEqual([code, signal, stderr.toString()], [5, null, ""]);
});

test("what a tick throws after a wake-up is an uncaught exception at once (in a child process)", async () => {
  await using child = run("a tick that throws");
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString(), "uncaught in a tick\nclosed\n");
});
