// Time, in both faces: what new and accepted sockets begin with, connecting and accepting that wait for nobody, non-blocking
// calls of every kind, and time that the kernel's own options give.

import assert from "node:assert/strict";
import {
  AF_INET,
  AF_UNIX,
  EAGAIN,
  EINPROGRESS,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ERROR,
  SO_TYPE,
  getdefaulttimeout,
} from "berkeley";
import type { Socket } from "berkeley";
import { anything, codeOf, faceTest, failure } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { deadAddress, fullListener } from "../support/pair.ts";

const listener = (face: Face): Socket => face.create_server(["127.0.0.1", 0]);

faceTest("setdefaulttimeout() is what sockets begin with, none by default", (face) => {
  assert.equal(getdefaulttimeout(), null);
  try {
    for (const seconds of [10, 0.25, 0, null]) {
      face.setdefaulttimeout(seconds);
      assert.equal(face.getdefaulttimeout(), seconds);
      using sock = face.socket();
      assert.deepEqual([sock.gettimeout(), sock.timeout], [seconds, seconds]);
      assert.equal(sock.getblocking(), seconds !== 0);
    }
    for (const wrong of [-1, Number.NaN])
      assert.throws(() => face.setdefaulttimeout(wrong), { code: "ERR_OUT_OF_RANGE" });
    for (const wrong of ["5", undefined, {}])
      assert.throws(() => face.setdefaulttimeout(anything(wrong)), { code: "ERR_INVALID_ARG_TYPE" });
    assert.equal(face.getdefaulttimeout(), null);
  } finally {
    face.setdefaulttimeout(null);
  }
});

faceTest("accept() gives connections the default timeout, not the listener's", async (face) => {
  using server = listener(face);
  server.settimeout(10);
  try {
    for (const seconds of [null, 20]) {
      face.setdefaulttimeout(seconds);
      using client = await face.create_connection(server.getsockname<[string, number]>());
      const [conn] = await server.accept();
      assert.deepEqual([conn.gettimeout(), client.gettimeout(), server.gettimeout()], [seconds, seconds, 10]);
      conn.close();
    }
  } finally {
    face.setdefaulttimeout(null);
  }
});

faceTest("settimeout(), gettimeout(), setblocking() and getblocking() agree", (face) => {
  using sock = face.socket();
  for (const [set, timeout, blocking] of [
    [() => sock.setblocking(false), 0, false],
    [() => sock.setblocking(true), null, true],
    [() => sock.settimeout(0), 0, false],
    [() => sock.settimeout(10), 10, true],
    [() => sock.settimeout(null), null, true],
    [() => sock.settimeout(0.000001), 0.000001, true],
  ] as const) {
    set();
    assert.deepEqual([sock.gettimeout(), sock.timeout, sock.getblocking()], [timeout, timeout, blocking]);
  }
  for (const wrong of [-1, -0.001, Number.NaN])
    assert.throws(() => sock.settimeout(wrong), { code: "ERR_OUT_OF_RANGE" });
  for (const wrong of ["", {}, undefined])
    assert.throws(() => sock.settimeout(anything(wrong)), { code: "ERR_INVALID_ARG_TYPE" });
  assert.equal(sock.gettimeout(), 0.000001);
  sock.close();
  sock.settimeout(5);
  assert.equal(sock.gettimeout(), 5);
});

faceTest(
  "SOCK_NONBLOCK begins with a timeout of 0, SOCK_CLOEXEC with the default, and neither is in the type",
  (face) => {
    for (const [flags, timeout] of [
      [SOCK_NONBLOCK, 0],
      [SOCK_CLOEXEC, null],
      [SOCK_NONBLOCK | SOCK_CLOEXEC, 0],
    ] as const)
      for (const [family, type] of [
        [AF_INET, SOCK_STREAM],
        [AF_INET, SOCK_DGRAM],
        [AF_UNIX, SOCK_SEQPACKET],
      ] as const) {
        using sock = face.socket(family, type | flags);
        assert.deepEqual([sock.type, sock.gettimeout(), sock.get_inheritable()], [type, timeout, false]);
        assert.equal(sock.getsockopt(SOL_SOCKET, SO_TYPE), type);
        sock.setblocking(true);
        assert.deepEqual([sock.type, sock.getblocking()], [type, true]);
      }
  },
);

faceTest("accept() ends by timeout, and says EAGAIN where it may not wait", async (face) => {
  using server = listener(face);
  server.settimeout(0.005);
  const late = await failure(() => server.accept());
  assert.deepEqual([late.name, late.syscall, late.code], ["TimeoutError", "accept", "ETIMEDOUT"]);
  server.settimeout(0);
  assert.equal((await failure(() => server.accept())).errno, EAGAIN);
  using client = await face.create_connection(server.getsockname<[string, number]>());
  assert.ok(client.fileno() > 0);
  server.settimeout(10); // the kernel may need a moment between the two ends
  const [conn, address] = await server.accept();
  assert.deepEqual(address, client.getsockname());
  conn.close();
});

faceTest("connect() to who does not answer ends by timeout; connect_ex() says EAGAIN", async (face) => {
  using full = await fullListener();
  using one = face.socket();
  one.settimeout(0.01);
  const late = await failure(() => one.connect(full.address));
  assert.deepEqual([late.name, late.syscall], ["TimeoutError", "connect"]);
  using other = face.socket();
  other.settimeout(0.01);
  assert.equal(await other.connect_ex(full.address), EAGAIN);
});

faceTest(
  "connect() of a socket that does not block begins: EINPROGRESS, then SO_ERROR tells",
  async (face) => {
    using server = listener(face);
    using sock = face.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    const code = await sock.connect_ex(server.getsockname());
    assert.equal(code, EINPROGRESS);
    server.settimeout(10);
    const [conn] = await server.accept();
    assert.equal(sock.getsockopt(SOL_SOCKET, SO_ERROR), 0);
    assert.deepEqual(sock.getpeername(), server.getsockname());
    conn.close();
    using refused = face.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    assert.ok([EINPROGRESS, 111].includes(await refused.connect_ex(deadAddress())));
  },
);

const RECEIVES: Readonly<Record<string, (sock: Socket) => unknown>> = {
  recv: (sock) => sock.recv(1024),
  recv_into: (sock) => sock.recv_into(Buffer.alloc(9)),
  recvfrom: (sock) => sock.recvfrom(1024),
  recvfrom_into: (sock) => sock.recvfrom_into(Buffer.alloc(9)),
  recvmsg: (sock) => sock.recvmsg(1024),
  recvmsg_into: (sock) => sock.recvmsg_into([Buffer.alloc(9)]),
};
const SENDS: Readonly<Record<string, (sock: Socket, data: Buffer) => unknown>> = {
  send: (sock, data) => sock.send(data),
  sendall: (sock, data) => sock.sendall(data),
  sendmsg: (sock, data) => sock.sendmsg([data]),
};

for (const [name, call] of Object.entries(RECEIVES))
  faceTest(`${name}() waits as long as the timeout says, not less`, async (face) => {
    const [a, b] = face.socketpair();
    b.settimeout(0.02);
    const begun = performance.now();
    assert.equal((await failure(() => call(b))).name, "TimeoutError");
    assert.ok(performance.now() - begun >= 19.9);
    await a.send("x");
    await call(b);
    a.close();
    b.close();
  });

for (const [name, call] of Object.entries(SENDS))
  faceTest(
    `${name}() to who does not read ends by timeout, and says EAGAIN where it may not wait`,
    async (face) => {
      const [a, b] = face.socketpair();
      a.settimeout(0);
      await failure(async () => {
        for (;;) await a.send(Buffer.alloc(1 << 16));
      });
      assert.equal(await codeOf(() => call(a, Buffer.alloc(1 << 20))), "EAGAIN");
      a.settimeout(0.01);
      assert.equal((await failure(() => call(a, Buffer.alloc(1 << 20)))).name, "TimeoutError");
      a.close();
      b.close();
    },
  );

faceTest("MSG_DONTWAIT says EAGAIN whatever the timeout", async (face) => {
  const [a, b] = face.socketpair();
  for (const seconds of [null, 30]) {
    b.settimeout(seconds);
    assert.equal(await codeOf(() => b.recv(1, MSG_DONTWAIT)), "EAGAIN");
    assert.equal(await codeOf(() => b.recvmsg(1, 0, MSG_DONTWAIT)), "EAGAIN");
  }
  a.close();
  b.close();
});
