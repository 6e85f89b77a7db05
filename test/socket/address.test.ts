// bind, getsockname, getpeername, connect, connect_ex: values, names, errors and their words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  ECONNREFUSED,
  EINPROGRESS,
  EISCONN,
  SOCK_STREAM,
  SocketError,
  create_server,
  fromfd,
  getaddrinfo,
  socket,
} from "berkeley";
import type { Address, Socket } from "berkeley";
import { codeOf, deadAddress, fullListener, rejection, tcpPair, thrown } from "../support/pair.ts";
import { program } from "../support/program.ts";

/** Whether the system's tables know "localhost" in a family; they need not. */
async function knowsLocalhost(family: number, host: string): Promise<boolean> {
  const found = await getaddrinfo("localhost", null, { family }).catch(() => []);
  return found.some(([, , , , [address]]) => address === host);
}

const FAMILIES = [
  { family: AF_INET, name: "IPv4", host: "127.0.0.1", any: "0.0.0.0", rest: [] },
  { family: AF_INET6, name: "IPv6", host: "::1", any: "::", rest: [0, 0] },
] as const;

function anyPortIsFree(): boolean {
  return Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8")) <= 81;
}

for (const { family, name, host, any, rest } of FAMILIES) {
  const skip = !(await knowsLocalhost(family, host)) && `this system has no ${host} for localhost`;

  test(`bind() to port 0 takes a free port, and getsockname() tells it (${name})`, () => {
    using end = socket(family);
    assert.deepEqual(end.getsockname(), [any, 0, ...rest]);
    end.bind([host, 0]);
    const [bound, port, ...more] = end.getsockname() as [string, number];
    assert.deepEqual([bound, more], [host, [...rest]]);
    assert.ok(port > 0 && port < 65_536);
  });

  test(`bind() to "" is every address (${name})`, () => {
    using end = socket(family);
    end.bind(["", 0]);
    assert.equal(end.getsockname()[0], any);
  });

  test(`bind() looks a name up, synchronously (${name})`, { skip }, () => {
    using end = socket(family);
    end.bind(["localhost", 0]);
    assert.equal(end.getsockname()[0], host);
  });

  test(`connect() and getpeername() know both ends (${name})`, async () => {
    using server = create_server([host, 0], { family });
    using client = socket(family);
    assert.equal(await client.connect(server.getsockname()), undefined);
    assert.deepEqual(client.getpeername(), server.getsockname());
    const [conn, address] = await server.accept();
    assert.deepEqual(address, client.getsockname());
    assert.deepEqual(conn.getsockname(), server.getsockname());
    assert.equal(conn.family, family);
    conn.close();
  });

  test(`connect() looks a name up (${name})`, { skip }, async () => {
    using server = create_server([host, 0], { family });
    using client = socket(family);
    await client.connect(["localhost", server.getsockname()[1]]);
    assert.deepEqual(client.getpeername(), server.getsockname());
  });

  test(`connect() to "" is to the local host (${name})`, async () => {
    using server = create_server([host, 0], { family });
    using client = socket(family);
    await client.connect(["", server.getsockname()[1]]);
    assert.deepEqual(client.getpeername(), server.getsockname());
  });

  test(`connect() that is refused rejects with ECONNREFUSED and says where (${name})`, async () => {
    using client = socket(family);
    const address = deadAddress(host);
    const error = await rejection(client.connect(address));
    assert.ok(error instanceof SocketError);
    assert.deepEqual([error.code, error.errno, error.syscall], ["ECONNREFUSED", ECONNREFUSED, "connect"]);
    assert.deepEqual(error.remote, address);
    const where = family === AF_INET ? `${host}:${address[1]}` : `[${host}]:${address[1]}`;
    assert.match(error.message, /^connect ECONNREFUSED: connection refused \(/);
    assert.ok(error.message.endsWith(`→ ${where})`), error.message);
  });

  test(`connect() after a refusal connects to who does listen (${name})`, async () => {
    using server = create_server([host, 0], { family });
    using client = socket(family);
    await rejection(client.connect(deadAddress(host)));
    await client.connect(server.getsockname());
    assert.deepEqual(client.getpeername(), server.getsockname());
  });

  test(`connect_ex() resolves with 0, or with the errno (${name})`, async () => {
    using server = create_server([host, 0], { family });
    using client = socket(family);
    assert.equal(await client.connect_ex(deadAddress(host)), ECONNREFUSED);
    assert.equal(await client.connect_ex(server.getsockname()), 0);
    assert.equal(await client.connect_ex(server.getsockname()), EISCONN);
    using hasty = socket(family);
    hasty.setblocking(false);
    assert.equal(await hasty.connect_ex(server.getsockname()), EINPROGRESS);
  });
}

test("bind() to an address in use throws EADDRINUSE, with the address", () => {
  using first = create_server(["127.0.0.1", 0]);
  using second = socket();
  const address = first.getsockname();
  const error = thrown(() => second.bind(address));
  assert.deepEqual([error.code, error.syscall, error.local], ["EADDRINUSE", "bind", address]);
  assert.equal(error.message, `bind EADDRINUSE: address already in use (127.0.0.1:${address[1]})`);
  second.bind(["127.0.0.1", 0]);
  assert.equal(thrown(() => second.bind(["127.0.0.1", 0])).code, "EINVAL", "it is bound already");
});

test("bind() to an address that is not this machine's throws EADDRNOTAVAIL", () => {
  using end = socket();
  assert.equal(thrown(() => end.bind(["192.0.2.1", 0])).code, "EADDRNOTAVAIL");
});

test("bind() below port 1024 without the right throws EACCES (in a child process)", {
  skip: anyPortIsFree() && "this system lets everybody have every port",
}, async () => {
  await using child = program(import.meta.url, "unprivileged-child");
  const { stdout } = await child.succeeded();
  assert.match(
    stdout.toString(),
    /^bind EACCES: permission denied \(127\.0\.0\.1:81\); .* need CAP_NET_BIND_SERVICE\n$/,
  );
});

test("getpeername() throws ENOTCONN when not connected", () => {
  using end = socket();
  const error = thrown(() => end.getpeername());
  assert.deepEqual([error.code, error.syscall], ["ENOTCONN", "getpeername"]);
});

test("connect() of a connected socket rejects with EISCONN and keeps its peer in messages", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  const error = await rejection(a.connect(["127.0.0.1", 1]));
  assert.equal(error.code, "EISCONN");
  a.setblocking(false);
  assert.deepEqual((await rejection(a.recv(1))).remote, a.getpeername());
});

const NO_ADDRESSES: readonly (readonly [address: unknown, code: string, message: RegExp])[] = [
  [undefined, "ERR_INVALID_ARG_TYPE", /address/],
  ["127.0.0.1:80", "ERR_INVALID_ARG_TYPE", /address/],
  [["127.0.0.1"], "ERR_INVALID_ARG_TYPE", /address/],
  [["127.0.0.1", 1, 2, 3, 4], "ERR_INVALID_ARG_TYPE", /address/],
  [["127.0.0.1", "80"], "ERR_INVALID_ARG_TYPE", /port/],
  [["127.0.0.1", 80n], "ERR_INVALID_ARG_TYPE", /port/],
  [["localhost", "80"], "ERR_INVALID_ARG_TYPE", /port/],
  [[127, 80], "ERR_INVALID_ARG_TYPE", /host/],
  [["127.0.0.1", 65_536], "ERR_OUT_OF_RANGE", /port must be .*65535/],
  [["localhost", 65_536], "ERR_OUT_OF_RANGE", /port must be .*65535/],
  [["127.0.0.1", -1], "ERR_OUT_OF_RANGE", /port/],
  [["127.0.0.1", 0.5], "ERR_OUT_OF_RANGE", /port/],
  [["127.0.0.1", Number.NaN], "ERR_OUT_OF_RANGE", /port/],
];

for (const [address, code, message] of NO_ADDRESSES)
  test(`bind(), connect() and connect_ex() refuse ${JSON.stringify(address, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value))} as an address`, async () => {
    using end = socket();
    const refused = [
      thrown(() => end.bind(address as Address)),
      await rejection(end.connect(address as Address)),
      await rejection(end.connect_ex(address as Address)),
    ];
    for (const error of refused) {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
    }
  });

test("bind() and connect() fail with an AddressError when the name does not resolve", async () => {
  using end = socket();
  for (const host of ["::1", "no such host", "999.1.1.1"]) {
    const refused = [
      thrown(() => end.bind([host, 0])),
      await rejection(end.connect([host, 1])),
      await rejection(end.connect_ex([host, 1])),
    ];
    for (const error of refused) {
      assert.equal(error.name, "AddressError");
      assert.match(error.code, /^EAI_/);
    }
  }
});

for (const call of ["connect", "connect_ex"] as const)
  test(`${call}() rejects with the signal's reason, before and while it waits`, async () => {
    using full = await fullListener();
    using client = socket();
    const reason = new Error(call);
    await assert.rejects(client[call](full.address, { signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = client[call](full.address, { signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await assert.rejects(waiting, reason);
    const none = { signal: {} as AbortSignal };
    assert.equal(await codeOf(client[call](full.address, none)), "ERR_INVALID_ARG_TYPE");
  });

test("connect() of a connected socket whose peer is not known yet rejects with EISCONN, and does not invent one", async () => {
  using pair = await tcpPair();
  using a = fromfd(pair.a.fileno(), AF_INET, SOCK_STREAM);
  assert.equal(await codeOf(a.connect(["127.0.0.1", 1])), "EISCONN");
  await pair.b.sendall("x");
  const [, address] = await a.recvfrom(1);
  assert.deepEqual(address, pair.b.getsockname());
});

test("bind() of an address that closes the socket when it is read rejects with EBADF and binds no other", () => {
  using sock = socket();
  const made: Socket[] = [];
  const address: [string, number] = ["127.0.0.1", 0];
  Object.defineProperty(address, 0, {
    get() {
      sock.close();
      if (made.length === 0) made.push(socket());
      return "127.0.0.1";
    },
  });
  assert.equal(thrown(() => sock.bind(address)).code, "EBADF");
  using heir = made[0] as Socket;
  assert.deepEqual(heir.getsockname(), ["0.0.0.0", 0]);
});

test("a tuple that the program changes after connect() or accept() changes no error's words", async () => {
  using server = create_server(["::1", 0], { family: AF_INET6 });
  using client = socket(AF_INET6);
  const [host, port] = server.getsockname();
  const asked: [string, number] = [host, port];
  await client.connect(asked);
  const [conn, address] = await server.accept();
  const peer = client.getsockname();
  asked[1] = 1;
  (address as [string, number, number, number])[1] = 2;
  for (const end of [client, conn]) end.setblocking(false);
  assert.deepEqual((await rejection(client.recv(1))).remote, [host, port]);
  assert.deepEqual((await rejection(conn.recv(1))).remote, peer);
  conn.close();
});
