// socketpair: two connected sockets of each type, and what does not work.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  MSG_DONTWAIT,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SO_TYPE,
  SOL_SOCKET,
  socketpair,
} from "berkeley";
import type { UnixAddress } from "berkeley";
import { isOpen, openDescriptors } from "../support/descriptors.ts";
import { codeOf } from "../support/errors.ts";

test("socketpair() makes two connected Unix streams", async () => {
  const [first, second] = socketpair();
  using a = first;
  using b = second;
  assert.deepEqual([a.family, a.type, a.proto], [AF_UNIX, SOCK_STREAM, 0]);
  assert.equal(a.getsockname<UnixAddress>(), "");
  assert.equal(b.getpeername<UnixAddress>(), "");
  await a.sendall("there");
  assert.equal((await b.recv(64)).toString(), "there");
  await b.sendall("and back");
  assert.equal((await a.recv(64)).toString(), "and back");
  a.shutdown(SHUT_WR);
  assert.equal((await b.recv(64)).length, 0);
});

for (const [kind, type] of Object.entries({ datagram: SOCK_DGRAM, seqpacket: SOCK_SEQPACKET }))
  test(`socketpair() makes two connected Unix sockets that keep boundaries (${kind})`, async () => {
    const [first, second] = socketpair(AF_UNIX, type);
    using a = first;
    using b = second;
    assert.equal(a.getsockopt(SOL_SOCKET, SO_TYPE), type);
    for (const text of ["one", "two", "three"]) await a.send(text);
    for (const text of ["one", "two", "three"]) assert.equal((await b.recv(64)).toString(), text);
    await a.send("0123456789");
    assert.equal((await b.recv(4)).toString(), "0123");
    assert.equal(await codeOf(b.recv(4, MSG_DONTWAIT)), "EAGAIN");
  });

test("recv() of a seqpacket socket tells the peer's end, of a datagram socket an empty message", async () => {
  {
    const [first, second] = socketpair(AF_UNIX, SOCK_SEQPACKET);
    using b = second;
    const waiting = b.recv(64);
    first.close();
    assert.equal((await waiting).length, 0);
    assert.equal((await b.recv(64)).length, 0);
  }
  const [first, second] = socketpair(AF_UNIX, SOCK_DGRAM);
  using a = first;
  using b = second;
  await a.send("");
  await a.send("x");
  assert.equal((await b.recv(64)).length, 0);
  assert.equal((await b.recv(64)).toString(), "x");
});

test("recvfrom() of a socket without a name tells that it has none", async () => {
  const [first, second] = socketpair(AF_UNIX, SOCK_DGRAM);
  using a = first;
  using b = second;
  await a.send("x");
  assert.deepEqual(await b.recvfrom<UnixAddress>(8), [Buffer.from("x"), ""]);
});

test("socketpair() takes SOCK_NONBLOCK and SOCK_CLOEXEC with the type", async () => {
  const [first, second] = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
  using a = first;
  using b = second;
  for (const sock of [a, b]) {
    assert.equal(sock.type, SOCK_STREAM);
    assert.equal(sock.gettimeout(), 0);
    assert.equal(await codeOf(sock.recv(1)), "EAGAIN");
  }
});

test("socketpair() throws EOPNOTSUPP for a family without pairs, and ESOCKTNOSUPPORT for a type that is none", () => {
  const before = openDescriptors();
  assert.throws(() => socketpair(AF_INET), { code: "EOPNOTSUPP", syscall: "socketpair" });
  assert.throws(() => socketpair(AF_UNIX, 77), { code: /^(EINVAL|ESOCKTNOSUPPORT)$/ });
  assert.throws(() => socketpair("x" as never), { code: "ERR_INVALID_ARG_TYPE", message: /^family/ });
  assert.throws(() => socketpair(AF_UNIX, 0.5), { code: "ERR_OUT_OF_RANGE", message: /^type/ });
  assert.deepEqual(openDescriptors(), before);
  assert.ok(SOCK_RAW > 0);
});

test("close() of one of a pair leaves the other open", async () => {
  const [a, b] = socketpair();
  const fd = b.fileno();
  a.close();
  assert.ok(isOpen(fd));
  assert.equal(await codeOf(b.send("x")), "EPIPE");
  b.close();
});

test("send() on a full socket waits until the peer has read, and nothing is lost or out of order", async () => {
  const [first, second] = socketpair(AF_UNIX, SOCK_DGRAM);
  using a = first;
  using b = second;
  const COUNT = 2000;
  const sending = (async (): Promise<void> => {
    for (let number = 0; number < COUNT; number++) await a.send(String(number));
  })();
  for (let number = 0; number < COUNT; number++) assert.equal((await b.recv(16)).toString(), String(number));
  await sending;
});
