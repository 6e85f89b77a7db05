// Nothing leaks: what fails half-way closes what it opened, and a socket that is collected without close() is closed,
// with a warning that says where it was made. What needs the garbage collector runs in child processes.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  create_connection,
  create_server,
  socket,
} from "berkeley";
import { NARROW, codeOf, openSockets, rejection, tcpPair, thrown } from "../support/pair.ts";
import { program } from "../support/program.ts";

let before: string[] = [];
beforeEach(() => {
  before = openSockets();
});
afterEach(() => {
  assert.deepEqual(openSockets(), before, "no socket is left open");
});

/** A port at which nobody listens. */
function deadPort(): number {
  using end = socket();
  end.bind(["127.0.0.1", 0]);
  return end.getsockname()[1];
}

test("create_connection() that is refused leaves no socket", async () => {
  assert.equal(await codeOf(create_connection(["127.0.0.1", deadPort()])), "ECONNREFUSED");
});

test("create_connection() that every address refuses leaves no socket", async () => {
  const error = await rejection(create_connection(["localhost", deadPort()], { all_errors: true }));
  assert.ok(error instanceof AggregateError);
});

test("create_connection() that is aborted leaves no socket", async () => {
  using server = create_server(["127.0.0.1", 0]);
  before = openSockets();
  const controller = new AbortController();
  const { signal } = controller;
  const connecting = create_connection(server.getsockname() as [string, number], { signal });
  controller.abort();
  await assert.rejects(connecting, { name: "AbortError" });
  assert.deepEqual(openSockets(), before);
  server.close();
  before = before.filter((open) => openSockets().includes(open));
});

test("create_connection() that cannot bind its source address leaves no socket", async () => {
  const port = deadPort();
  const source_address = ["192.0.2.1", 0] as [string, number];
  assert.equal(await codeOf(create_connection(["127.0.0.1", port], { source_address })), "EADDRNOTAVAIL");
});

test("create_connection() with a timeout that is none leaves no socket", async () => {
  assert.equal(
    await codeOf(create_connection(["127.0.0.1", deadPort()], { timeout: -1 })),
    "ERR_OUT_OF_RANGE",
  );
});

test("create_server() at an address in use leaves no socket", () => {
  const server = create_server(["127.0.0.1", 0]);
  const count = openSockets().length;
  assert.equal(thrown(() => create_server(server.getsockname())).code, "EADDRINUSE");
  assert.equal(openSockets().length, count);
  server.close();
});

test("create_server() with a backlog that is none leaves no socket", () => {
  assert.equal(thrown(() => create_server(["127.0.0.1", 0], { backlog: 0.5 })).code, "ERR_OUT_OF_RANGE");
});

test("create_server() at a name that does not resolve leaves no socket", () => {
  assert.equal(thrown(() => create_server(["::1", 0])).name, "AddressError");
  assert.equal(thrown(() => create_server(["127.0.0.1", 0], { family: AF_INET6 })).name, "AddressError");
});

test("socket() that the system refuses leaves no socket", () => {
  assert.equal(thrown(() => socket(12_345)).code, "EAFNOSUPPORT");
  assert.equal(thrown(() => socket(undefined, SOCK_STREAM, IPPROTO_UDP)).code, "EPROTONOSUPPORT");
  assert.equal(thrown(() => socket(AF_UNIX, SOCK_DGRAM, 77)).code, "EPROTONOSUPPORT");
});

test("socket() that cannot adopt a descriptor leaves it to its owner", () => {
  assert.equal(thrown(() => socket(undefined, undefined, undefined, { fileno: 2 ** 31 - 1 })).code, "EBADF");
  const all = [1, 1, 0] as const; // nothing is asked of the descriptor
  assert.equal(thrown(() => socket(...all, { fileno: 2 ** 31 - 1 })).code, "EBADF");
});

test("pairs that end in every way leave no socket", async () => {
  for (let round = 0; round < 20; round++) {
    using pair = await tcpPair(NARROW);
    const { a, b } = pair;
    const ends = [a.recv(1), a.sendall(Buffer.alloc(1 << 20)), b.recv_into(Buffer.alloc(1))];
    (round % 2 === 0 ? a : b).close();
    if (round % 3 === 0) b.close();
    a.close();
    await Promise.allSettled(ends);
  }
});

const CHILDREN: Readonly<Record<string, readonly [scenario: string, output: RegExp]>> = {
  "a socket that is collected is closed, with a warning that says where it was made": [
    "plain",
    /^ResourceWarning BERKELEY_UNCLOSED 0\na socket \(fd \d+\) was .*collected.*\n\s+at .*leaks-child\.js:\d+:\d+/,
  ],
  "a socket is collected with the object that made it and held it": ["held", /^1 0\n$/],
  "an accepted connection that is collected is closed, with a warning": ["accepted", /^0\n1 0\n$/],
  "a call that waits keeps its socket and its buffer": ["waiting", /^8\n0\n$/],
  "a socket that was closed, disposed of or detached is collected without a warning": ["proper", /^0 0\n$/],
  "a worker that ends with open sockets leaves none": ["worker", /^0\n$/],
};
for (const [name, [scenario, output]] of Object.entries(CHILDREN))
  test(`${name} (in a child process)`, async () => {
    const options = { args: [scenario], node: ["--expose-gc"] };
    await using child = program(import.meta.url, "leaks-child", options);
    const { stdout } = await child.succeeded();
    assert.match(stdout.toString(), output);
  });
