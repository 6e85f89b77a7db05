// What a connection does, whatever carries it, in both faces: receiving and sending, memory of the caller's, duplicates,
// halves, ends, refusals.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from "berkeley";
import { DefaultSelector, EVENT_READ, EVENT_WRITE } from "berkeley/selectors";
import type { SelectorKey } from "berkeley/selectors";
import { FACES, anything, codeOf, failure } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { STREAMS, missing } from "../support/kinds.ts";
import type { Ends } from "../support/kinds.ts";

const MESSAGE = "Michael Gilfix was here";

/** Every test with every kind of stream and each face: name → body. */
const TESTS: Readonly<Record<string, (ends: Ends, face: Face) => Promise<void>>> = {
  "recv() with more room than there is gives what came": async ({ a, b }) => {
    await a.sendall(MESSAGE);
    assert.equal((await b.recv(1024)).toString(), MESSAGE);
  },

  "recv() with less room than there is leaves the rest to the next": async ({ a, b }) => {
    await a.sendall(MESSAGE);
    const first = await b.recv(MESSAGE.length - 3);
    const second = await b.recv(1024);
    assert.deepEqual([first.toString(), second.toString()], [MESSAGE.slice(0, -3), MESSAGE.slice(-3)]);
  },

  "recvfrom() gives what came, in pieces too": async ({ a, b }) => {
    await a.sendall(MESSAGE);
    const [first] = await b.recvfrom(7);
    const [second] = await b.recvfrom(1024);
    assert.equal(first.toString() + second.toString(), MESSAGE);
    assert.equal(first.length, 7);
  },

  "sendall() sends more than one receive brings": async ({ a, b }) => {
    const sent = Buffer.alloc(60_000, "f");
    await a.sendall(sent);
    a.shutdown(SHUT_WR);
    const parts: Buffer[] = [];
    for (let part = await b.recv(1024); part.length > 0; part = await b.recv(1024)) parts.push(part);
    assert.ok(Buffer.concat(parts).equals(sent));
    assert.ok(parts.every((part) => part.length <= 1024));
  },

  "send() says how many bytes went, and sends none for none": async ({ a, b }) => {
    assert.equal(await a.send(MESSAGE), MESSAGE.length);
    assert.equal(await a.send(""), 0);
    assert.equal(await a.send(new Uint8Array(0)), 0);
    assert.equal((await b.recv(100)).length, MESSAGE.length);
  },

  "send() and sendall() take strings, buffers and views of any element": async ({ a, b }) => {
    const wide = Uint16Array.of(0x4241, 0x4443);
    await a.sendall("grüße ");
    await a.sendall(Buffer.from("1"));
    await a.sendall(new TextEncoder().encode("2").buffer);
    await a.send(wide.subarray(1));
    await a.sendall(new DataView(wide.buffer, 0, 2));
    const expected = Buffer.concat([Buffer.from("grüße 12"), Buffer.from("CDAB")]);
    assert.deepEqual(await b.recv(expected.length, MSG_WAITALL), expected);
  },

  "recv() with MSG_PEEK shows what the next one takes": async ({ a, b }) => {
    await a.sendall(MESSAGE);
    const seen = await b.recv(MESSAGE.length - 3, MSG_PEEK);
    const taken = await b.recv(1024);
    assert.deepEqual([seen.toString(), taken.toString()], [MESSAGE.slice(0, -3), MESSAGE]);
    assert.equal(await codeOf(() => b.recv(1, MSG_DONTWAIT)), "EAGAIN");
  },

  "recv_into() fills buffers of every kind from their first byte": async ({ a, b }) => {
    const kinds: Record<string, () => ArrayBufferView> = {
      Buffer: () => Buffer.alloc(8),
      Uint8Array: () => new Uint8Array(8),
      Uint16Array: () => new Uint16Array(4),
      DataView: () => new DataView(new ArrayBuffer(8)),
      "a view at an offset": () => new Uint8Array(new ArrayBuffer(20), 5, 8),
      "shared memory": () => new Uint8Array(new SharedArrayBuffer(8)),
    };
    for (const [kind, make] of Object.entries(kinds)) {
      await a.sendall("12345");
      const view = make();
      assert.equal(await b.recv_into(view), 5, kind);
      const bytes = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
      assert.equal(bytes.toString(), "12345\0\0\0", kind);
      await a.sendall("678");
      assert.equal((await b.recvfrom_into(view))[0], 3, kind);
      assert.equal(bytes.toString(), "67845\0\0\0", kind);
    }
  },

  "recv_into() and recvfrom_into() take at most nbytes; 0 is all of the buffer": async ({ a, b }) => {
    await a.sendall("abcdef");
    const view = Buffer.alloc(4, ".");
    assert.equal(await b.recv_into(view, 2), 2);
    assert.equal(view.toString(), "ab..");
    assert.equal((await b.recvfrom_into(view, 1))[0], 1);
    assert.equal(view.toString(), "cb..");
    assert.equal(await b.recv_into(view, 0), 3);
    assert.equal(view.toString(), "def.");
  },

  "recv_into() and recvfrom_into() refuse more bytes than the buffer has, and take nothing": async ({
    a,
    b,
  }) => {
    await a.sendall(MESSAGE);
    for (const view of [new Uint8Array(0), new Uint8Array(8)])
      for (const call of [() => b.recv_into(view, 1024), () => b.recvfrom_into(view, 1024)])
        assert.equal(await codeOf(call), "ERR_OUT_OF_RANGE");
    assert.equal((await b.recv(1024)).toString(), MESSAGE);
  },

  "recv() and its kin refuse sizes, buffers and flags that are none, and take nothing": async ({ a, b }) => {
    await a.sendall("kept");
    const calls: [call: () => unknown, code: string][] = [
      [() => b.recv(-1), "ERR_OUT_OF_RANGE"],
      [() => b.recv(1.5), "ERR_OUT_OF_RANGE"],
      [() => b.recv(anything("1")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recv(anything(undefined)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recv(1, anything("0")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recv(1, 2 ** 40), "ERR_OUT_OF_RANGE"],
      [() => b.recvfrom(-1), "ERR_OUT_OF_RANGE"],
      [() => b.recvfrom(anything(null)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recv_into(anything("text")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recv_into(anything([1, 2])), "ERR_INVALID_ARG_TYPE"],
      [() => b.recv_into(Buffer.alloc(1), -1), "ERR_OUT_OF_RANGE"],
      [() => b.recvfrom_into(anything(undefined)), "ERR_INVALID_ARG_TYPE"],
      [() => b.send(anything(5)), "ERR_INVALID_ARG_TYPE"],
      [() => b.send(anything(null)), "ERR_INVALID_ARG_TYPE"],
      [() => b.sendall(anything(["a"])), "ERR_INVALID_ARG_TYPE"],
      [() => b.sendall("x", anything("flags")), "ERR_INVALID_ARG_TYPE"],
    ];
    for (const [call, code] of calls) assert.equal(await codeOf(call), code, call.toString());
    assert.equal((await b.recv(100)).toString(), "kept");
  },

  "dup() and fromfd() are other ends of the same connection, of the same kind": async ({ a, b }, face) => {
    await a.sendall("one two!");
    using copy = b.dup();
    using other = face.fromfd(b.fileno(), b.family, b.type, b.proto);
    for (const sock of [copy, other]) {
      assert.notEqual(sock.fileno(), b.fileno());
      assert.deepEqual([sock.family, sock.type, sock.proto], [b.family, b.type, b.proto]);
    }
    assert.equal((await copy.recv(4)).toString(), "one ");
    assert.equal((await other.recv(4)).toString(), "two!");
    b.close();
    await copy.sendall("still here");
    assert.equal((await a.recv(100)).toString(), "still here");
  },

  "detach() leaves the connection open, and the socket as closed": async ({ a, b }, face) => {
    const fd = b.fileno();
    assert.equal(b.detach(), fd);
    assert.equal(b.fileno(), -1);
    assert.equal(b.closed, true);
    for (const call of [() => b.recv(1), () => b.send("x"), () => b.getsockname(), () => b.detach()])
      assert.equal(await codeOf(call), "EBADF");
    b.close();
    using again = face.socket(undefined, undefined, undefined, { fileno: fd });
    await a.sendall(MESSAGE);
    assert.equal((await again.recv(1024)).toString(), MESSAGE);
  },

  "shutdown(SHUT_RDWR) ends what the peer reads, and what is written": async ({ a, b }) => {
    await a.send(MESSAGE);
    a.shutdown(SHUT_RDWR);
    assert.equal((await b.recv(1024)).toString(), MESSAGE);
    assert.equal((await b.recv(1024)).length, 0);
    assert.equal(await codeOf(() => a.send("x")), "EPIPE");
  },

  "shutdown(SHUT_WR) leaves the other direction open": async ({ a, b }) => {
    a.shutdown(SHUT_WR);
    assert.equal((await b.recv(1)).length, 0);
    await b.sendall(MESSAGE);
    assert.equal((await a.recv(1024)).toString(), MESSAGE);
  },

  "shutdown(SHUT_RD) ends what is read here": async ({ a }) => {
    a.shutdown(SHUT_RD);
    assert.equal((await a.recv(1)).length, 0);
  },

  "shutdown() refuses what is none of the three, and what is no C int": async ({ a, b }) => {
    assert.equal(await codeOf(() => a.shutdown(7)), "EINVAL");
    assert.equal(await codeOf(() => a.shutdown(2 ** 40)), "ERR_OUT_OF_RANGE");
    assert.equal(await codeOf(() => a.shutdown(anything("SHUT_WR"))), "ERR_INVALID_ARG_TYPE");
    await a.sendall("open");
    assert.equal((await b.recv(10)).toString(), "open");
  },

  "the end of the peer is an empty Buffer, as often as it is asked for": async ({ a, b }) => {
    a.close();
    for (let time = 0; time < 3; time++) assert.equal((await b.recv(1024)).length, 0);
    assert.equal(await b.recv_into(Buffer.alloc(5)), 0);
  },

  "a selector tells of the peer's bytes and of its end": async ({ a, b }) => {
    using selector = new DefaultSelector();
    const key: SelectorKey = selector.register(b, EVENT_READ, "data");
    assert.deepEqual({ ...key }, { fileobj: b, fd: b.fileno(), events: EVENT_READ, data: "data" });
    assert.deepEqual(selector.select(0), []);
    await a.sendall("x");
    assert.equal(selector.select(10)[0]?.[0].fileobj, b);
    await b.recv(1);
    assert.deepEqual(selector.select(0), []);
    a.close();
    assert.equal(selector.select(10)[0]?.[0].fd, b.fileno());
    selector.modify(b, EVENT_READ | EVENT_WRITE);
    assert.equal(selector.select(10)[0]?.[1], EVENT_READ | EVENT_WRITE);
  },

  "close() ends it once; every call after it fails with EBADF": async ({ a }) => {
    const number = a.fileno();
    a.close();
    a.close();
    assert.equal(a.fileno(), -1);
    const calls: Record<string, () => unknown> = {
      recv: () => a.recv(1),
      recv_into: () => a.recv_into(Buffer.alloc(1)),
      recvfrom: () => a.recvfrom(1),
      recvfrom_into: () => a.recvfrom_into(Buffer.alloc(1)),
      recvmsg: () => a.recvmsg(1),
      recvmsg_into: () => a.recvmsg_into([Buffer.alloc(1)]),
      send: () => a.send("x"),
      sendall: () => a.sendall("x"),
      sendmsg: () => a.sendmsg(["x"]),
      accept: () => a.accept(),
      listen: () => a.listen(),
      dup: () => a.dup(),
      makefile: () => a.makefile(),
      getsockname: () => a.getsockname(),
      getpeername: () => a.getpeername(),
      getsockopt: () => a.getsockopt(SOL_SOCKET, SO_ERROR),
      setsockopt: () => a.setsockopt(SOL_SOCKET, SO_ERROR, 0),
      shutdown: () => a.shutdown(SHUT_RDWR),
      get_inheritable: () => a.get_inheritable(),
      set_inheritable: () => a.set_inheritable(true),
    };
    for (const [name, call] of Object.entries(calls)) assert.equal(await codeOf(call), "EBADF", name);
    assert.match(String(a), /^<Socket \[closed\] fd=-1/);
    assert.ok(number > 2);
  },

  "a socket tells its kind: family, type, proto, timeout, blocking": async ({ a, b }) => {
    for (const sock of [a, b]) {
      assert.equal(sock.type, SOCK_STREAM);
      assert.equal(sock.timeout, null);
      assert.equal(sock.gettimeout(), null);
      assert.equal(sock.getblocking(), true);
      sock.settimeout(2.5);
      assert.deepEqual([sock.timeout, sock.getblocking()], [2.5, true]);
      sock.setblocking(false);
      assert.deepEqual([sock.timeout, sock.gettimeout(), sock.getblocking()], [0, 0, false]);
    }
  },

  "recv() and accept() of a socket that does not block say EAGAIN": async ({ b }) => {
    b.setblocking(false);
    for (const call of [() => b.recv(1), () => b.recv_into(Buffer.alloc(1)), () => b.recvmsg(1)])
      assert.equal((await failure(call)).code, "EAGAIN");
  },

  "send() of a socket that does not block says EAGAIN once nothing has room": async ({ a, b }) => {
    a.setblocking(false);
    const much = Buffer.alloc(1 << 20);
    let sent = 0;
    const full = await failure(async () => {
      for (;;) sent += await a.send(much);
    });
    assert.equal(full.code, "EAGAIN");
    let received = 0;
    while (received < sent) received += (await b.recv(1 << 20)).length;
    assert.equal(received, sent);
  },
};

for (const [title, face] of Object.entries(FACES))
  for (const [kind, make] of Object.entries(STREAMS)) {
    const skip = missing(face, kind);
    for (const [name, body] of Object.entries(TESTS))
      test(`${name} (${kind}, ${title})`, { skip }, async () => {
        using ends = await make(face);
        await body(ends, face);
      });
  }
