// The Forking servers: each request in a thread of its own, which may block, throw and die.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { threadId } from "node:worker_threads";
import { AF_UNIX, SOCK_DGRAM, create_connection, socket } from "berkeley";
import type { Socket } from "berkeley";
import {
  ForkingTCPServer,
  ForkingUDPServer,
  ForkingUnixDatagramServer,
  ForkingUnixStreamServer,
} from "berkeley/socketserver";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import { openSockets } from "../support/pair.ts";

const MODULE = new URL("./handlers-module.js", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "berkeley-forking-"));
after(() => rmSync(folder, { recursive: true }));

async function ask(client: Socket, word: string): Promise<string> {
  await client.sendall(word);
  return (await receiveToEnd(client)).toString();
}

class Server extends ForkingTCPServer {
  readonly errors: (Error & { code?: string })[] = [];
  override handle_error(_request: Socket, _address: unknown, error: unknown): void {
    this.errors.push(error as Error);
  }
}

test("ForkingTCPServer handles requests in other threads, also while one blocks its own", async () => {
  const before = openSockets();
  {
    await using server = new Server(["127.0.0.1", 0], MODULE);
    const address = server.server_address as [string, number];
    const serving = server.serve_forever();
    using blocked = await create_connection(address);
    await blocked.sendall("block");
    assert.equal((await blocked.recv(100)).toString(), "blocked");
    for (let time = 0; time < 3; time++) {
      using client = await create_connection(address);
      const answer = await ask(client, "hello");
      const [, id, at] = /^hello in (\d+) of (.*)$/.exec(answer) ?? assert.fail(answer);
      assert.notEqual(Number(id), threadId);
      assert.equal(at, address.join(","));
    }
    assert.match(await ask(blocked, "go on"), /^block in /);
    await server.shutdown();
    await serving;
  }
  assert.deepEqual(openSockets(), before);
});

test("ForkingTCPServer tells handle_error what a handler threw, and that its thread died, and goes on", async () => {
  const before = openSockets();
  {
    await using server = new Server(["127.0.0.1", 0], MODULE);
    void server.serve_forever();
    for (const word of ["throw", "die", "hello"]) {
      using client = await create_connection(server.server_address as [string, number]);
      const answer = await ask(client, word);
      assert.ok(word === "hello" ? answer.startsWith("hello in ") : answer === "", answer);
    }
    const [thrown, died] = server.errors;
    assert.deepEqual([thrown?.message, thrown?.code], ["told to throw", "ERR_TOLD"]);
    assert.match(thrown?.stack ?? "", /handlers-module/);
    assert.equal(died?.message, "the thread of the request ended with 3");
    assert.equal(server.errors.length, 2);
  }
  assert.deepEqual(openSockets(), before);
});

test("ForkingTCPServer has no more requests at once than max_children", async () => {
  class Two extends ForkingTCPServer {
    static override max_children = 2;
  }
  await using server = new Two(["127.0.0.1", 0], MODULE);
  void server.serve_forever();
  const clients: Socket[] = [];
  for (let number = 0; number < 3; number++) {
    const client = await create_connection(server.server_address as [string, number]);
    await client.sendall("block");
    clients.push(client);
  }
  const [first, second, third] = clients as [Socket, Socket, Socket];
  for (const client of [first, second]) assert.equal((await client.recv(100)).toString(), "blocked");
  const waiting = third.recv(100);
  assert.match(await ask(second, "go on"), /^block in /);
  assert.equal((await waiting).toString(), "blocked");
  for (const client of [first, third]) assert.match(await ask(client, "go on"), /^block in /);
  for (const client of clients) client.close();
});

test("a module without a handler class is an error of each request", async () => {
  await using server = new Server(["127.0.0.1", 0], new URL("data:text/javascript,export default 5"));
  void server.serve_forever();
  using client = await create_connection(server.server_address as [string, number]);
  assert.equal(await ask(client, "hello"), "");
  assert.match(server.errors[0]?.message ?? "", /has no class as its default export$/);
});

test("ForkingUDPServer answers datagrams from other threads", async () => {
  await using server = new ForkingUDPServer(["127.0.0.1", 0], MODULE);
  void server.serve_forever();
  using client = socket(undefined, SOCK_DGRAM);
  await client.sendto("grüße", server.server_address);
  assert.match((await client.recv(100)).toString(), /^grüße in \d+$/);
});

test("ForkingUnixStreamServer and ForkingUnixDatagramServer serve at paths and abstract names", async () => {
  await using stream = new ForkingUnixStreamServer(join(folder, "stream"), MODULE);
  void stream.serve_forever();
  using client = socket(AF_UNIX);
  await client.connect(join(folder, "stream"));
  assert.match(await ask(client, "hello"), /^hello in \d+ of .*stream$/);

  await using datagrams = new ForkingUnixDatagramServer("", MODULE);
  void datagrams.serve_forever();
  using sender = socket(AF_UNIX, SOCK_DGRAM);
  sender.bind(""); // an abstract name that the system picks: bytes
  await sender.sendto("hello", datagrams.server_address);
  assert.match((await sender.recv(100)).toString(), /^hello in \d+$/);
});

test("server_close() ends threads that are idle", async () => {
  const server = new Server(["127.0.0.1", 0], MODULE);
  void server.serve_forever();
  using client = await create_connection(server.server_address as [string, number]);
  await ask(client, "hello");
  await server.server_close();
  assert.equal(server.fileno(), -1);
});
