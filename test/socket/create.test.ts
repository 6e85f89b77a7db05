// create_connection and create_server: several addresses, all their errors, options, misuse.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  AddressError,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SocketError,
  create_connection,
  create_server,
  getaddrinfo,
  getdefaulttimeout,
  setdefaulttimeout,
} from "berkeley";
import type { Address, Socket } from "berkeley";
import { codeOf, deadAddress, fullListener, openSockets, rejection, thrown } from "../support/pair.ts";

function portOf(end: Socket): number {
  return end.getsockname()[1];
}

for (const [host, family] of [
  ["127.0.0.1", AF_INET],
  ["::1", AF_INET6],
] as const)
  test(`create_connection() connects to a host by number (${host})`, async () => {
    using server = create_server([host, 0], { family });
    using client = await create_connection([host, portOf(server)]);
    assert.deepEqual([client.family, client.getpeername()], [family, server.getsockname()]);
    assert.equal(client.gettimeout(), getdefaulttimeout());
  });

test("create_connection() connects to a host by name, and to a port by its number in words", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = await create_connection(["localhost", String(portOf(server))]);
  assert.deepEqual(client.getpeername(), server.getsockname());
});

test("create_connection() to null is to the local host", async () => {
  const [[family, , , , [host]] = [] as never] = await getaddrinfo(null, 1);
  using server = create_server([host, 0], { family });
  using client = await create_connection([null, portOf(server)]);
  assert.deepEqual(client.getpeername(), server.getsockname());
});

// The name of both families: getaddrinfo gives ::1 before 127.0.0.1 for null (no AI_PASSIVE), where the system has both.
const both = (await getaddrinfo(null, 1, { type: SOCK_STREAM })).map(([family]) => family);
const skip = !(both.includes(AF_INET) && both.includes(AF_INET6)) && "this system has one family only";

test("create_connection() goes on to the next address when one is refused", { skip }, async () => {
  using server = create_server(["127.0.0.1", 0]); // of the two addresses of null, one listens
  using client = await create_connection([null, portOf(server)]);
  assert.deepEqual(client.getpeername(), server.getsockname());
});

test("create_connection() rejects with the last error when all addresses fail", { skip }, async () => {
  const [, port] = deadAddress() as [string, number];
  const error = await rejection(create_connection([null, port]));
  assert.ok(error instanceof SocketError);
  assert.deepEqual([error.code, error.syscall], ["ECONNREFUSED", "connect"]);
});

test("create_connection() with all_errors rejects with every error when all addresses fail", {
  skip,
}, async () => {
  const [, port] = deadAddress() as [string, number];
  const error = await rejection(create_connection([null, port], { all_errors: true }));
  assert.ok(error instanceof AggregateError);
  const errors = error.errors as SocketError[];
  assert.equal(errors.length, both.length);
  for (const one of errors) assert.equal(one.code, "ECONNREFUSED");
});

test("create_connection() binds to source_address first", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = await create_connection(["127.0.0.1", portOf(server)], { source_address: ["127.0.0.9", 0] });
  assert.equal(client.getsockname()[0], "127.0.0.9");
  const [conn, address] = await server.accept();
  assert.equal(address[0], "127.0.0.9");
  conn.close();
});

test("create_connection() sets the timeout it is given, and it ends the connecting", async () => {
  using server = create_server(["127.0.0.1", 0]);
  const at = server.getsockname() as [string, number];
  for (const timeout of [1.5, null]) {
    using client = await create_connection(at, { timeout });
    assert.equal(client.gettimeout(), timeout);
  }
  using full = await fullListener();
  const error = await rejection(create_connection(full.address as [string, number], { timeout: 0.01 }));
  assert.deepEqual([error.name, error.code, error.syscall], ["TimeoutError", "ETIMEDOUT", "connect"]);
  try {
    setdefaulttimeout(0.01);
    assert.equal(await codeOf(create_connection(full.address as [string, number])), "ETIMEDOUT");
  } finally {
    setdefaulttimeout(null);
  }
});

test("create_connection() with timeout 0 rejects with EINPROGRESS", async () => {
  using server = create_server(["127.0.0.1", 0]);
  const at = server.getsockname() as [string, number];
  assert.equal(await codeOf(create_connection(at, { timeout: 0 })), "EINPROGRESS");
});

test("create_connection() rejects with the signal's reason, while it looks up and while it connects", async () => {
  using full = await fullListener();
  const before = openSockets();
  const reason = new Error("enough");
  for (const host of ["127.0.0.1", "localhost"]) {
    for (const when of ["before", "at once", "later"]) {
      const controller = new AbortController();
      if (when === "before") controller.abort(reason);
      const connecting = create_connection([host, full.address[1]], { signal: controller.signal });
      if (when === "at once") controller.abort(reason);
      if (when === "later") setTimeout(() => controller.abort(reason), 5);
      await assert.rejects(connecting, reason);
    }
  }
  assert.deepEqual(openSockets(), before);
});

test("create_connection() rejects with an AddressError when the name does not resolve", async () => {
  const error = await rejection(create_connection(["no such host", 1]));
  assert.ok(error instanceof AddressError);
});

test("create_connection() refuses what is no address", async () => {
  for (const address of [undefined, null, "127.0.0.1:80", {}, [1, 80], ["127.0.0.1", {}]])
    assert.equal(await codeOf(create_connection(address as never)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(create_connection(["127.0.0.1", 65_536])), "ERR_OUT_OF_RANGE");
});

test("create_server() listens, with SO_REUSEADDR, so that a port is free again at once", async () => {
  using server = create_server(["127.0.0.1", 0]);
  assert.equal(server.getsockopt(SOL_SOCKET, SO_REUSEADDR), 1);
  assert.equal(server.getsockopt(SOL_SOCKET, SO_REUSEPORT), 0);
  const address = server.getsockname();
  using client = await create_connection(address as [string, number]);
  const [conn] = await server.accept();
  conn.close(); // the server's side ends first, and the pair of addresses stays a while in TIME_WAIT
  assert.equal((await client.recv(1)).length, 0);
  client.close();
  server.close();
  create_server(address).close();
});

test("create_server() with reuse_port shares a port between listeners", () => {
  using first = create_server(["127.0.0.1", 0], { reuse_port: true });
  using second = create_server(first.getsockname(), { reuse_port: true });
  assert.deepEqual(second.getsockname(), first.getsockname());
  assert.equal(thrown(() => create_server(first.getsockname())).code, "EADDRINUSE");
});

test("create_server() for IPv6 takes IPv4 only with dualstack_ipv6", async () => {
  using only6 = create_server(["::", 0], { family: AF_INET6 });
  assert.equal(only6.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY), 1);
  assert.equal(await codeOf(create_connection(["127.0.0.1", portOf(only6)])), "ECONNREFUSED");
  using dual = create_server(["::", 0], { family: AF_INET6, dualstack_ipv6: true });
  assert.equal(dual.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY), 0);
  using client = await create_connection(["127.0.0.1", portOf(dual)]);
  const [conn, address] = await dual.accept();
  assert.deepEqual(address, ["::ffff:127.0.0.1", portOf(client), 0, 0]);
  conn.close();
});

test("create_server() refuses options that do not fit, and addresses that are none", () => {
  assert.equal(thrown(() => create_server(["", 0], { dualstack_ipv6: true })).code, "ERR_INVALID_ARG_TYPE");
  for (const address of [undefined, "127.0.0.1:80", ["127.0.0.1"], ["127.0.0.1", "80"]])
    assert.equal(thrown(() => create_server(address as unknown as Address)).code, "ERR_INVALID_ARG_TYPE");
  for (const port of [-1, 65_536, 0.5])
    assert.equal(thrown(() => create_server(["127.0.0.1", port])).code, "ERR_OUT_OF_RANGE");
});

test("create_server() listens at a name, and at every address", () => {
  using named = create_server(["localhost", 0]);
  assert.equal(named.getsockname()[0], "127.0.0.1");
  using every = create_server(["", 0]);
  assert.equal(every.getsockname()[0], "0.0.0.0");
});
