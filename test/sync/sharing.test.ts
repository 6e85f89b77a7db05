// Sockets between the faces and between threads, as docs/sync.md has it: by their number; who shares one ends the other's call
// by shutdown(), and not by close().

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import * as promises from "berkeley";
import * as values from "berkeley/sync";
import type { Given } from "./sharing-child.ts";

/** Starts the thread and waits until it is about to block: how the call ends then. */
async function thread(given: Omit<Given, "blocking">): Promise<{ readonly answer: Promise<string> }> {
  const blocking = new Int32Array(new SharedArrayBuffer(4));
  const workerData: Given = { ...given, blocking };
  const worker = new Worker(new URL("sharing-child.js", import.meta.url), { workerData });
  const answer = once(worker, "message").then(([text]) => String(text));
  await Atomics.waitAsync(blocking, 0, 0).value;
  return { answer };
}

test("a socket goes from one face to the other and back by detach() and fileno", async () => {
  const [a, b] = promises.socketpair();
  const now = values.socket(undefined, undefined, undefined, { fileno: a.detach() });
  assert.deepEqual([now.family, now.type], [values.AF_UNIX, values.SOCK_STREAM]);
  now.sendall("blocking");
  assert.equal((await b.recv(100)).toString(), "blocking");
  using later = promises.socket(undefined, undefined, undefined, { fileno: now.detach() });
  const receiving = later.recv(100);
  await b.sendall("not blocking");
  assert.equal((await receiving).toString(), "not blocking");
  b.close();
});

for (const take of ["fileno", "fromfd"] as const)
  test(`a thread that blocks in recv() receives what the main thread sends beside its own work (${take})`, async () => {
    const [a, b] = promises.socketpair();
    const { answer } = await thread({ fd: take === "fileno" ? b.detach() : b.fileno(), take, call: "recv" });
    await a.sendall("hello");
    assert.equal(await answer, "got hello");
    a.close();
    b.close();
  });

test("a thread that blocks in accept() serves a client of the main thread", async () => {
  const server = promises.create_server(["127.0.0.1", 0]);
  const address = server.getsockname<[string, number]>();
  const { answer } = await thread({ fd: server.detach(), take: "fileno", call: "accept" });
  using client = await promises.create_connection(address);
  await client.sendall("served");
  assert.equal(await answer, "got served");
});

test("shutdown() by who shares the socket ends a call that blocks in another thread", async () => {
  const [a, b] = promises.socketpair();
  const { answer } = await thread({ fd: b.fileno(), take: "fromfd", call: "recv" });
  b.shutdown(promises.SHUT_RD);
  assert.equal(await answer, "got ");
  a.close();
  b.close();
});

test("close() by who shares the socket does not end a call that blocks in another thread", async () => {
  const [a, b] = promises.socketpair();
  const { answer } = await thread({ fd: b.fileno(), take: "fromfd", call: "recv" });
  b.close();
  await a.sendall("still there");
  assert.equal(await answer, "got still there");
  a.close();
});
