// create_connection and create_server in both faces: addresses tried in turn, times, source addresses, every error; families,
// ports that are shared, both families at one listener.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  ECONNREFUSED,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SocketError,
} from "berkeley";
import type { AddressError, Socket } from "berkeley";
import { anything, codeOf, faceTest, failure } from "../support/faces.ts";
import { deadAddress, fullListener } from "../support/pair.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-creating-"));
after(() => rmSync(folder, { recursive: true }));
let number = 0;

type HostAndPort = [host: string, port: number];
const addressOf = (sock: Socket): HostAndPort => sock.getsockname().slice(0, 2) as HostAndPort;
const dead = (): HostAndPort => deadAddress().slice(0, 2) as HostAndPort;

faceTest("create_connection() makes a connected socket of the address's family", async (face) => {
  for (const [family, host] of [
    [AF_INET, "127.0.0.1"],
    [AF_INET6, "::1"],
  ] as const) {
    using server = face.create_server([host, 0], { family });
    using client = await face.create_connection(addressOf(server));
    const [conn, address] = await server.accept();
    using accepted = conn;
    assert.deepEqual([client.family, client.type, accepted.family], [family, SOCK_STREAM, family]);
    assert.deepEqual(address, client.getsockname());
    assert.deepEqual(client.getpeername(), server.getsockname());
    await client.sendall("hello");
    assert.equal((await accepted.recv(10)).toString(), "hello");
  }
});

faceTest(
  "create_connection() gives the timeout that it is told, none for null, else the default one",
  async (face) => {
    using server = face.create_server(["127.0.0.1", 0]);
    try {
      face.setdefaulttimeout(30);
      for (const [options, expected] of [
        [{}, 30],
        [{ timeout: undefined }, 30],
        [{ timeout: null }, null],
        [{ timeout: 12.5 }, 12.5],
      ] as const) {
        using client = await face.create_connection(addressOf(server), options);
        assert.equal(client.gettimeout(), expected);
      }
    } finally {
      face.setdefaulttimeout(null);
    }
  },
);

faceTest("create_connection() keeps its timeout for what follows", async (face) => {
  using server = face.create_server(["127.0.0.1", 0]);
  using client = await face.create_connection(addressOf(server), { timeout: 0.01 });
  assert.equal((await failure(() => client.recv(5))).name, "TimeoutError");
  const [conn] = await server.accept();
  await conn.sendall("done!");
  client.settimeout(10);
  assert.equal((await client.recv(5)).toString(), "done!");
  conn.close();
});

faceTest("create_connection() binds source_address first", async (face) => {
  using server = face.create_server(["127.0.0.1", 0]);
  const source = dead();
  using client = await face.create_connection(addressOf(server), { source_address: source });
  assert.deepEqual(client.getsockname(), source);
  using other = await face.create_connection(addressOf(server), { source_address: ["127.0.0.9", 0] });
  assert.equal(other.getsockname()[0], "127.0.0.9");
});

faceTest("create_connection() to nobody says ECONNREFUSED, with the peer", async (face) => {
  const address = dead();
  const error = await failure(() => face.create_connection(address));
  assert.ok(error instanceof SocketError);
  assert.deepEqual([error.errno, error.syscall, error.remote], [ECONNREFUSED, "connect", address]);
});

faceTest("create_connection() with all_errors gives every attempt's", async (face) => {
  const [, port] = dead();
  const error: unknown = await failure(() =>
    face.create_connection(["localhost", port], { all_errors: true }),
  );
  assert.ok(error instanceof AggregateError && error.errors.length >= 1);
  for (const each of error.errors) assert.equal((each as SocketError).code, "ECONNREFUSED");
});

faceTest("create_connection() whose time is up says so, and leaves no socket", async (face) => {
  using full = await fullListener();
  const error = await failure(() => face.create_connection(full.address as HostAndPort, { timeout: 0.01 }));
  assert.deepEqual([error.name, error.code], ["TimeoutError", "ETIMEDOUT"]);
});

faceTest("create_connection() refuses what is no address or name", async (face) => {
  const wrong: [address: unknown, code: string][] = [
    [undefined, "ERR_INVALID_ARG_TYPE"],
    ["127.0.0.1:80", "ERR_INVALID_ARG_TYPE"],
    [["127.0.0.1", 70_000], "ERR_OUT_OF_RANGE"],
    [[5, 80], "ERR_INVALID_ARG_TYPE"],
    [["127.0.0.1", "no-such-service"], "EAI_SERVICE"],
    [["has space", 80], "EAI_NONAME"],
  ];
  for (const [address, code] of wrong) {
    const error = (await failure(() => face.create_connection(anything(address)))) as
      | SocketError
      | AddressError;
    assert.equal(error.code, code, JSON.stringify(address));
  }
});

faceTest("create_server() listens with SO_REUSEADDR at IPv4, IPv6 and a path", async (face) => {
  for (const [family, address] of [
    [AF_INET, ["127.0.0.1", 0]],
    [AF_INET6, ["::1", 0]],
    [AF_UNIX, join(folder, `server-${number++}`)],
  ] as const) {
    using server = face.create_server(address, { family });
    assert.deepEqual([server.family, server.type], [family, SOCK_STREAM]);
    assert.equal(server.getsockopt(SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert.notEqual(server.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
    assert.equal(server.getsockopt(SOL_SOCKET, SO_REUSEPORT), 0);
    using client = face.socket(family);
    await client.connect(server.getsockname());
    const [conn] = await server.accept();
    await conn.sendall("foo");
    assert.equal((await client.recv(10)).toString(), "foo");
    conn.close();
  }
});

faceTest("create_server() with port 0 lets the system pick, and with reuse_port shares it", (face) => {
  using first = face.create_server(["127.0.0.1", 0], { reuse_port: true });
  assert.notEqual(first.getsockopt(SOL_SOCKET, SO_REUSEPORT), 0);
  const [host, port] = addressOf(first);
  assert.ok(port > 0);
  using second = face.create_server([host, port], { reuse_port: true });
  assert.deepEqual(second.getsockname(), first.getsockname());
  assert.throws(() => face.create_server([host, port]), { code: "EADDRINUSE", syscall: "bind" });
});

faceTest("create_server() for IPv6 takes IPv6 alone, or both with dualstack_ipv6", async (face) => {
  using alone = face.create_server(["::1", 0], { family: AF_INET6 });
  assert.equal(alone.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY), 1);
  assert.equal(face.has_dualstack_ipv6(), true);
  using both = face.create_server(["", 0], { family: AF_INET6, dualstack_ipv6: true });
  assert.equal(both.getsockopt(IPPROTO_IPV6, IPV6_V6ONLY), 0);
  const [, port] = addressOf(both);
  for (const host of ["127.0.0.1", "::1"]) {
    using client = await face.create_connection([host, port]);
    const [conn, address] = await both.accept();
    assert.equal(address[0], host === "::1" ? "::1" : "::ffff:127.0.0.1");
    await conn.sendall("foo");
    assert.equal((await client.recv(10)).toString(), "foo");
    conn.close();
  }
});

faceTest(
  "create_server() refuses dualstack_ipv6 without IPv6, an address that is none, a backlog that is none",
  async (face) => {
    const calls: [call: () => unknown, code: string][] = [
      [() => face.create_server(["", 0], { dualstack_ipv6: true }), "ERR_INVALID_ARG_TYPE"],
      [() => face.create_server(["127.0.0.1", -1]), "ERR_OUT_OF_RANGE"],
      [() => face.create_server(anything("127.0.0.1")), "ERR_INVALID_ARG_TYPE"],
      [() => face.create_server(["127.0.0.1", 0], { backlog: anything("5") }), "ERR_INVALID_ARG_TYPE"],
      [() => face.create_server(["192.0.2.1", 0]), "EADDRNOTAVAIL"],
      [() => face.create_server(["no such name", 0]), "EAI_NONAME"],
    ];
    for (const [call, code] of calls) assert.equal(await codeOf(call), code, call.toString());
  },
);

faceTest("listen() takes any backlog: none, 0, negative, more than the system has", async (face) => {
  for (const backlog of [undefined, 0, -1, 1, 2 ** 31 - 1]) {
    using server = face.socket();
    server.bind(["127.0.0.1", 0]);
    server.listen(backlog);
    using client = await face.create_connection(addressOf(server));
    const [conn] = await server.accept();
    assert.deepEqual(conn.getpeername(), client.getsockname());
    conn.close();
  }
  using other = face.socket();
  for (const wrong of [2 ** 31, 1.5])
    assert.equal(await codeOf(() => other.listen(wrong)), "ERR_OUT_OF_RANGE");
  assert.equal(await codeOf(() => other.listen(anything("5"))), "ERR_INVALID_ARG_TYPE");
});

faceTest("using closes a server and a connection, and a failure inside of its scope too", async (face) => {
  let kept: Socket | undefined;
  await assert.rejects(async () => {
    using server = face.create_server(["127.0.0.1", 0]);
    using client = await face.create_connection(addressOf(server));
    kept = client;
    throw new Error("inside");
  }, /inside/);
  assert.equal(kept?.closed, true);
});
