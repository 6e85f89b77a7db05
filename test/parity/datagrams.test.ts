// Datagrams over UDP, UDP-Lite and Unix sockets in both faces: to an address, to a peer, into memory of the caller's; times
// and refusals. UDP-Lite also with CPython at the other end.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  IPPROTO_UDPLITE,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  SOCK_DGRAM,
  UDPLITE_RECV_CSCOV,
  UDPLITE_SEND_CSCOV,
} from "berkeley";
import type { AnyAddress } from "berkeley";
import { FACES, anything, codeOf, failure } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { DATAGRAMS, missing } from "../support/kinds.ts";
import type { Correspondents } from "../support/kinds.ts";
import { PYTHON, portOf, python } from "../support/python.ts";

const MESSAGE = "Michael Gilfix was here";

const TESTS: Readonly<Record<string, (way: Correspondents) => Promise<void>>> = {
  "sendto() says how many bytes went, and recv() receives them": async ({ a, b, to }) => {
    assert.equal(await a.sendto(MESSAGE, to), MESSAGE.length);
    assert.equal((await b.recv(1024)).toString(), MESSAGE);
  },
  "recvfrom() tells the sender, who can be answered": async ({ a, b, to, from }) => {
    await a.sendto(MESSAGE, to);
    const [data, address] = await b.recvfrom<AnyAddress>(1024);
    assert.deepEqual([data.toString(), address], [MESSAGE, from]);
    await b.sendto("answer", address);
    assert.equal((await a.recv(1024)).toString(), "answer");
  },
  "recvfrom_into() fills the caller's memory and tells the sender": async ({ a, b, to, from }) => {
    await a.sendto(MESSAGE, to);
    const memory = Buffer.alloc(30, ".");
    assert.deepEqual(await b.recvfrom_into<AnyAddress>(memory), [MESSAGE.length, from]);
    assert.equal(memory.toString(), MESSAGE.padEnd(30, "."));
    await a.sendto("abcdef", to);
    assert.equal((await b.recvfrom_into(memory, 3))[0], 3);
    assert.equal(memory.toString("latin1", 0, 5), "abcha");
  },
  "a longer datagram is cut, and MSG_TRUNC tells its length": async ({ a, b, to }) => {
    for (let time = 0; time < 2; time++) await a.sendto(MESSAGE, to);
    assert.equal((await b.recv(7)).toString(), "Michael");
    assert.equal((await b.recvfrom_into(Buffer.alloc(7), 0, MSG_TRUNC))[0], MESSAGE.length);
    assert.equal(await codeOf(() => b.recv(1, MSG_DONTWAIT)), "EAGAIN");
  },
  "MSG_PEEK leaves a datagram, and its sender": async ({ a, b, to, from }) => {
    await a.sendto(MESSAGE, to);
    assert.deepEqual(await b.recvfrom(1024, MSG_PEEK), [Buffer.from(MESSAGE), from]);
    assert.deepEqual(await b.recvfrom(1024), [Buffer.from(MESSAGE), from]);
  },
  "sendto() takes flags before the address": async ({ a, b, to }) => {
    assert.equal(await a.sendto(MESSAGE, 0, to), MESSAGE.length);
    assert.equal(await a.sendto(MESSAGE, MSG_DONTWAIT, to), MESSAGE.length);
    for (let time = 0; time < 2; time++) assert.equal((await b.recv(1024)).toString(), MESSAGE);
  },
  "an empty datagram is one": async ({ a, b, to, from }) => {
    assert.equal(await a.sendto("", to), 0);
    await a.sendto("next", to);
    const [data, address] = await b.recvfrom<AnyAddress>(1024);
    assert.deepEqual([data.length, address], [0, from]);
    assert.equal((await b.recv(1024)).toString(), "next");
  },
  "connect() lets send() and recv() do, and hears only the peer": async ({ a, b, to, from }) => {
    await a.connect(to);
    assert.deepEqual(a.getpeername(), to);
    assert.equal(await a.send(MESSAGE), MESSAGE.length);
    await a.sendall("all");
    assert.equal((await b.recv(1024)).toString(), MESSAGE);
    assert.equal((await b.recvfrom(1024))[0].toString(), "all");
    await b.sendto("back", from);
    assert.equal((await a.recv(1024)).toString(), "back");
  },
  "send() without a peer says so": async ({ a }) => {
    assert.equal(await codeOf(() => a.send("x")), a.family === 1 ? "ENOTCONN" : "EDESTADDRREQ");
    assert.equal(await codeOf(() => a.getpeername()), "ENOTCONN");
  },
  "sizes, buffers, flags and addresses that are none are refused, and nothing is taken": async ({
    a,
    b,
    to,
  }) => {
    await a.sendto("kept", to);
    const wrong: [call: () => unknown, code: string][] = [
      [() => b.recvfrom(-1), "ERR_OUT_OF_RANGE"],
      [() => b.recvfrom(anything("1")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvfrom(1, anything({})), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvfrom_into(new Uint8Array(0), 16), "ERR_OUT_OF_RANGE"],
      [() => b.recvfrom_into(new Uint8Array(8), 16), "ERR_OUT_OF_RANGE"],
      [() => b.recvfrom_into(new Uint8Array(8), -1), "ERR_OUT_OF_RANGE"],
      [() => a.sendto(anything(undefined), to), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendto(anything(5), to), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendto("x", anything(undefined)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendto("x", anything(null)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendto("x", anything("0"), anything(to)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendto("x", 0, anything(null)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendto("x", 2 ** 40, to), "ERR_OUT_OF_RANGE"],
    ];
    if (a.family === AF_INET)
      wrong.push(
        [() => a.sendto("x", ["127.0.0.1", -1]), "ERR_OUT_OF_RANGE"],
        [() => a.sendto("x", ["127.0.0.1", 65_536]), "ERR_OUT_OF_RANGE"],
        [() => a.sendto("x", anything(["127.0.0.1", "80"])), "ERR_INVALID_ARG_TYPE"],
        [() => a.sendto("x", anything(["127.0.0.1"])), "ERR_INVALID_ARG_TYPE"],
        [() => a.sendto("x", anything(["127.0.0.1", 80, 0])), "ERR_INVALID_ARG_TYPE"],
        [() => a.sendto("x", anything([5, 80])), "ERR_INVALID_ARG_TYPE"],
        [() => a.sendto("x", anything("127.0.0.1")), "ERR_INVALID_ARG_TYPE"],
      );
    for (const [call, code] of wrong)
      if (!(a.family === 1 && code === "ERR_INVALID_ARG_TYPE" && /"127/.test(call.toString())))
        assert.equal(await codeOf(call), code, call.toString());
    assert.equal((await b.recv(10)).toString(), "kept");
  },
  "recv() and its kin end by timeout, and say EAGAIN where they may not wait": async ({ a, b, to }) => {
    const calls = [
      () => b.recv(9),
      () => b.recv_into(Buffer.alloc(9)),
      () => b.recvfrom(9),
      () => b.recvfrom_into(Buffer.alloc(9)),
      () => b.recvmsg(9),
      () => b.recvmsg_into([Buffer.alloc(9)]),
    ];
    b.settimeout(0.002);
    for (const call of calls) {
      const error = await failure(call);
      assert.deepEqual([error.name, error.code], ["TimeoutError", "ETIMEDOUT"], call.toString());
    }
    b.settimeout(0);
    for (const call of calls) assert.equal(await codeOf(call), "EAGAIN", call.toString());
    await a.sendto("later", to);
    assert.equal((await b.recv(9)).toString(), "later");
  },
  "close() ends both directions with EBADF": async ({ a, to }) => {
    a.close();
    for (const call of [() => a.sendto("x", to), () => a.recvfrom(1), () => a.recvfrom_into(Buffer.alloc(1))])
      assert.equal(await codeOf(call), "EBADF");
  },
};

for (const [title, face] of Object.entries(FACES))
  for (const [kind, make] of Object.entries(DATAGRAMS)) {
    const skip = missing(face, kind);
    for (const [name, body] of Object.entries(TESTS))
      test(`${name} (${kind}, ${title})`, { skip }, async () => {
        using way = make(face);
        await body(way);
      });
  }

const lite = (face: Face) => {
  const sock = face.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
  sock.bind(["127.0.0.1", 0]);
  return sock;
};

for (const [title, face] of Object.entries(FACES)) {
  const noLite = missing(face, "UDP-Lite over IPv4");

  test(`UDP-Lite drops what covers less than UDPLITE_RECV_CSCOV asks for (${title})`, {
    skip: noLite,
  }, async () => {
    using a = lite(face);
    using b = lite(face);
    b.setsockopt(IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV, 20);
    assert.equal(b.getsockopt(IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV), 20);
    a.setsockopt(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 8);
    assert.equal(a.getsockopt(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV), 8);
    await a.sendto("covered too little", b.getsockname());
    a.setsockopt(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 24);
    await a.sendto("covered enough, and more", b.getsockname());
    assert.equal((await b.recv(100)).toString(), "covered enough, and more");
  });

  test(`UDP-Lite converses with CPython in both directions (${title})`, {
    skip: PYTHON.skip || noLite,
  }, async () => {
    await using peer = python(`
s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE)
s.bind(("127.0.0.1", 0))
s.setsockopt(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 8)
say("port", s.getsockname()[1])
for _ in range(3):
    data, address = s.recvfrom(100)
    s.sendto(data.upper(), address)`);
    using sock = lite(face);
    sock.settimeout(10);
    const port = await portOf(peer);
    for (const word of ["one", "two", "three"]) {
      await sock.sendto(word, ["127.0.0.1", port]);
      assert.deepEqual(await sock.recvfrom(100), [Buffer.from(word.toUpperCase()), ["127.0.0.1", port]]);
    }
    await peer.succeeded();
  });
}
