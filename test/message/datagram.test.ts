// Datagrams with their addresses: recvfrom, recvfrom_into, sendto, over UDP on loopback.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  AF_INET,
  AF_INET6,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_PEEK,
  MSG_TRUNC,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_BROADCAST,
  SocketError,
  create_connection,
  socket,
} from "berkeley";
import type { Socket } from "berkeley";
import { listenAt } from "../support/berkeley-tcp.ts";
import { codeOf } from "../support/errors.ts";
import { udpAt, udpPair } from "../support/udp.ts";

for (const host of ["127.0.0.1", "::1"]) {
  test(`sendto() sends a datagram and recvfrom() tells its sender at ${host}`, async () => {
    using pair = udpPair(host);
    assert.equal(await pair.a.sendto("hello", pair.to), 5);
    const [data, address] = await pair.b.recvfrom(1024);
    assert.equal(data.toString(), "hello");
    assert.deepEqual(address, pair.from);
    assert.equal(await pair.b.sendto(data, address), 5);
    assert.deepEqual(await pair.a.recvfrom(1024), [Buffer.from("hello"), pair.to]);
  });

  test(`recvfrom() that waits resolves when a datagram arrives at ${host}`, async () => {
    using pair = udpPair(host);
    const waiting = pair.b.recvfrom(2048);
    await pair.a.sendto(Buffer.alloc(1200, "x"), pair.to);
    const [data, address] = await waiting;
    assert.ok(data.equals(Buffer.alloc(1200, "x")));
    assert.deepEqual(address, pair.from);
  });
}

test("recvfrom() keeps the boundaries and the order of datagrams", async () => {
  using pair = udpPair();
  for (let size = 0; size < 100; size++) await pair.a.sendto(Buffer.alloc(size, size), pair.to);
  for (let size = 0; size < 100; size++)
    assert.ok((await pair.b.recvfrom(2000))[0].equals(Buffer.alloc(size, size)), `${size} bytes`);
});

test("recvfrom() resolves with an empty Buffer and the sender when a datagram is empty", async () => {
  using pair = udpPair();
  await pair.a.sendto("", pair.to);
  await pair.a.sendto("next", pair.to);
  assert.deepEqual(await pair.b.recvfrom(16), [Buffer.alloc(0), pair.from]);
  assert.equal((await pair.b.recvfrom(16))[0].toString(), "next");
});

test("recvfrom() with 0 bytes asked takes a datagram, as recvfrom(2)", async () => {
  using pair = udpPair();
  await pair.a.sendto("gone", pair.to);
  await pair.a.sendto("next", pair.to);
  assert.deepEqual(await pair.b.recvfrom(0), [Buffer.alloc(0), pair.from]);
  assert.equal((await pair.b.recvfrom(16))[0].toString(), "next");
});

test("recvfrom() gives each datagram memory of its own, as large as what arrived", async () => {
  using pair = udpPair();
  for (const size of [10, 64, 65, 1200]) {
    await pair.a.sendto(Buffer.alloc(size, 1), pair.to);
    await pair.a.sendto(Buffer.alloc(size, 2), pair.to);
    const [first] = await pair.b.recvfrom(2048);
    const [second] = await pair.b.recvfrom(2048);
    assert.equal(first.buffer.byteLength, size);
    assert.notEqual(first.buffer, second.buffer);
    assert.ok(first.equals(Buffer.alloc(size, 1)));
  }
});

const RECEIVES: Readonly<Record<string, (end: Socket, bufsize: number, flags: number) => Promise<Buffer>>> = {
  recv: (end, bufsize, flags) => end.recv(bufsize, flags),
  recvfrom: async (end, bufsize, flags) => (await end.recvfrom(bufsize, flags))[0],
  recvmsg: async (end, bufsize, flags) => (await end.recvmsg(bufsize, 0, flags))[0],
};
for (const [name, receive] of Object.entries(RECEIVES))
  test(`${name}() of a datagram pins no more than arrived, whatever was asked and however`, async () => {
    using pair = udpPair();
    for (const flags of [0, MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT])
      for (const bufsize of [64, 2048, 65_536, 1 << 20, 1 << 26]) {
        await pair.a.sendto("a few bytes", pair.to);
        const data = await receive(pair.b, bufsize, flags);
        assert.equal(data.toString(), "a few bytes");
        const pinned = data.buffer.byteLength;
        assert.ok(pinned <= data.length + 1, `${pinned} for ${bufsize}, ${flags}`);
        if (flags === MSG_PEEK) await pair.b.recv(64);
      }
  });

test("recvfrom() delivers a datagram of the greatest size whole", async () => {
  using pair = udpPair();
  const data = Buffer.alloc(65_507, "big");
  await pair.a.sendto(data, pair.to);
  assert.ok((await pair.b.recvfrom(1 << 20))[0].equals(data));
});

test("recv() and recvfrom() cut a longer datagram, with MSG_TRUNC without showing other bytes", async () => {
  using pair = udpPair();
  await pair.a.sendto("secret of another socket", pair.to);
  await pair.b.recv(64);
  for (const flags of [0, MSG_TRUNC]) {
    await pair.a.sendto("0123456789", pair.to);
    assert.equal((await pair.b.recv(4, flags)).toString(), "0123");
    await pair.a.sendto("0123456789", pair.to);
    assert.equal((await pair.b.recvfrom(4, flags))[0].toString(), "0123");
  }
});

test("recv() with MSG_TRUNC on TCP shows no bytes of others, whatever the kernel leaves unwritten", async () => {
  using pair = udpPair();
  using listener = listenAt();
  using client = await create_connection(["127.0.0.1", listener.port]);
  using conn = await listener.accept();
  for (const receive of [
    (): Promise<Buffer> => conn.recv(64, MSG_TRUNC),
    async (): Promise<Buffer> => (await conn.recvfrom(64, MSG_TRUNC))[0],
  ]) {
    await pair.a.sendto("secret of another socket", pair.to);
    await pair.b.recv(64);
    await client.sendall("0123456789");
    assert.deepEqual(await receive(), Buffer.alloc(10));
  }
});

test("recvfrom_into() with MSG_TRUNC tells the whole length of a longer datagram", async () => {
  using pair = udpPair();
  const buffer = Buffer.alloc(4);
  await pair.a.sendto("0123456789", pair.to);
  assert.deepEqual(await pair.b.recvfrom_into(buffer, 0, MSG_TRUNC), [10, pair.from]);
  assert.equal(buffer.toString(), "0123");
});

test("recvfrom_into() fills at most nbytes of the buffer", async () => {
  using pair = udpPair();
  const buffer = Buffer.alloc(8, ".");
  await pair.a.sendto("0123456789", pair.to);
  assert.deepEqual(await pair.b.recvfrom_into(buffer, 3), [3, pair.from]);
  assert.equal(buffer.toString(), "012.....");
  await pair.a.sendto("abcdef", pair.to);
  assert.deepEqual(await pair.b.recvfrom_into(new DataView(buffer.buffer, buffer.byteOffset, 8)), [
    6,
    pair.from,
  ]);
  assert.equal(buffer.toString(), "abcdef..");
});

test("recvfrom_into() that waits rejects with EFAULT when the buffer was given away", async () => {
  using pair = udpPair();
  const buffer = new Uint8Array(100);
  const waiting = codeOf(pair.b.recvfrom_into(buffer));
  structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
  await pair.a.sendto("x", pair.to);
  assert.equal(await waiting, "EFAULT");
  assert.equal((await pair.b.recvfrom(10))[0].toString(), "x");
});

test("recvfrom() on a stream tells the peer's address", async () => {
  using listener = listenAt();
  using client = await create_connection(["127.0.0.1", listener.port]);
  using conn = await listener.accept();
  await client.sendall("hello");
  assert.deepEqual(await conn.recvfrom(1024), [Buffer.from("hello"), client.getsockname()]);
  client.close();
  assert.equal((await conn.recvfrom(1024))[0].length, 0);
});

test("sendto() takes flags before the address, as CPython's", async () => {
  using pair = udpPair();
  assert.equal(await pair.a.sendto("flagged", MSG_DONTWAIT, pair.to), 7);
  assert.equal((await pair.b.recvfrom(16))[0].toString(), "flagged");
});

test("sendto() looks a host name up", async () => {
  using pair = udpPair();
  const port = pair.to[1];
  const sent = pair.a.sendto("by name", ["localhost", port]);
  assert.equal(await sent, 7);
  assert.deepEqual(await pair.b.recvfrom(16), [Buffer.from("by name"), pair.from]);
});

test("sendto() reads the address at the call: a tuple that changes later changes nothing", async () => {
  using pair = udpPair();
  using other = udpAt();
  const address: [string, number] = [pair.to[0], pair.to[1]];
  await pair.a.sendto("first", address);
  address[1] = other.getsockname()[1];
  await pair.a.sendto("second", address);
  assert.equal((await pair.b.recvfrom(16))[0].toString(), "first");
  assert.equal((await other.recvfrom(16))[0].toString(), "second");
});

test("sendto() rejects with EMSGSIZE when the datagram is longer than UDP carries, and names the destination", async () => {
  using pair = udpPair();
  const error = await pair.a.sendto(Buffer.alloc(65_508), pair.to).catch((reason: unknown) => reason);
  assert.ok(error instanceof SocketError);
  assert.equal(error.code, "EMSGSIZE");
  assert.equal(error.syscall, "sendto");
  assert.deepEqual(error.remote, pair.to);
});

test("sendto() rejects with EACCES when the address is a broadcast and SO_BROADCAST is off", async () => {
  using all = socket(AF_INET, SOCK_DGRAM);
  all.bind(["", 0]);
  const to = ["127.255.255.255", all.getsockname()[1]] as const;
  using sender = udpAt();
  assert.equal(await codeOf(sender.sendto("to all", to)), "EACCES");
  sender.setsockopt(SOL_SOCKET, SO_BROADCAST, true);
  await sender.sendto("to all", to);
  assert.deepEqual(await all.recvfrom(16), [Buffer.from("to all"), sender.getsockname()]);
});

test("send() and recv() of a connected socket hear only the peer; sendto() still reaches others", async () => {
  using pair = udpPair();
  using stranger = udpAt();
  await pair.a.connect(pair.to);
  assert.deepEqual(pair.a.getpeername(), pair.to);
  await stranger.sendto("from a stranger", pair.from);
  await pair.b.sendto("from the peer", pair.from);
  assert.equal((await pair.a.recv(64)).toString(), "from the peer");
  await pair.a.send("to the peer");
  assert.deepEqual(await pair.b.recvfrom(64), [Buffer.from("to the peer"), pair.from]);
  await pair.a.sendto("to the stranger", stranger.getsockname());
  assert.equal((await stranger.recv(64)).toString(), "to the stranger");
});

for (const call of ["recv", "recvfrom", "send", "sendall", "sendto"] as const)
  test(`${call}() rejects with ECONNREFUSED once when nobody took an earlier datagram`, async () => {
    using sock = udpAt();
    const gone = udpAt();
    const address = gone.getsockname();
    gone.close();
    await sock.connect(address);
    await sock.send("to nobody");
    const again = {
      recv: () => sock.recv(1),
      recvfrom: () => sock.recvfrom(1),
      send: () => sock.send("x"),
      sendall: () => sock.sendall("x"),
      sendto: () => sock.sendto("x", address),
    }[call];
    assert.equal(await codeOf(again()), "ECONNREFUSED");
    assert.equal(await codeOf(sock.recv(1, MSG_DONTWAIT)), "EAGAIN");
  });

test("recvfrom() that waits rejects with ECONNREFUSED when the peer refuses what is sent then", async () => {
  using sock = udpAt();
  const gone = udpAt();
  const address = gone.getsockname();
  gone.close();
  await sock.connect(address);
  const waiting = codeOf(sock.recvfrom(1));
  await sock.send("to nobody");
  assert.equal(await waiting, "ECONNREFUSED");
});

test("disconnect() lets a connected socket hear everybody again", async () => {
  using pair = udpPair();
  using stranger = udpAt();
  await pair.a.connect(pair.to);
  pair.a.disconnect();
  assert.throws(() => pair.a.getpeername(), { code: "ENOTCONN" });
  // Linux lets go of a port that the kernel chose, and keeps one that was bound; here it was bound to 0.
  pair.a.bind(["127.0.0.1", 0]);
  await stranger.sendto("hello", pair.a.getsockname());
  assert.deepEqual(await pair.a.recvfrom(16), [Buffer.from("hello"), stranger.getsockname()]);
});

test("connect() to another peer replaces the first one", async () => {
  using pair = udpPair();
  using other = udpAt();
  await pair.a.connect(pair.to);
  await pair.a.connect(other.getsockname());
  await pair.a.send("to the second");
  assert.equal((await other.recv(64)).toString(), "to the second");
});

test("recvfrom() with MSG_PEEK leaves the datagram where it is", async () => {
  using pair = udpPair();
  await pair.a.sendto("once", pair.to);
  assert.deepEqual(await pair.b.recvfrom(2, MSG_PEEK), [Buffer.from("on"), pair.from]);
  assert.deepEqual(await pair.b.recvfrom(9), [Buffer.from("once"), pair.from]);
});

test("recvfrom() and recv() with MSG_DONTWAIT reject with EAGAIN, and a later one waits", async () => {
  using pair = udpPair();
  assert.equal(await codeOf(pair.b.recvfrom(1, MSG_DONTWAIT)), "EAGAIN");
  assert.equal(await codeOf(pair.b.recv(1, MSG_DONTWAIT)), "EAGAIN");
  assert.equal(await codeOf(pair.b.recvfrom_into(Buffer.alloc(1), 0, MSG_DONTWAIT)), "EAGAIN");
  const waiting = pair.b.recvfrom(9);
  assert.equal(await codeOf(pair.b.recvfrom(1, MSG_DONTWAIT)), "EAGAIN");
  await pair.a.sendto("late", pair.to);
  assert.equal((await waiting)[0].toString(), "late");
});

test("recv() with MSG_ERRQUEUE rejects with EAGAIN at once and keeps nobody from hearing what is there", async () => {
  using pair = udpPair();
  const waiting = pair.b.recv(9);
  assert.equal(await codeOf(pair.b.recv(1, MSG_ERRQUEUE)), "EAGAIN");
  await pair.a.sendto("one", pair.to);
  assert.equal((await waiting).toString(), "one");
  await pair.a.sendto("two", pair.to);
  assert.equal(await codeOf(pair.b.recv(1, MSG_ERRQUEUE)), "EAGAIN");
  assert.equal((await pair.b.recv(9)).toString(), "two");
});

test("recvfrom() in non-blocking mode rejects with EAGAIN, or gives what is there", async () => {
  using pair = udpPair();
  pair.b.setblocking(false);
  assert.equal(await codeOf(pair.b.recvfrom(1)), "EAGAIN");
  await pair.a.sendto("x", pair.to);
  assert.equal((await pair.b.recvfrom(1))[0].toString(), "x");
});

test("recvfrom() rejects with a TimeoutError when nothing comes, and loses nothing that comes later", async () => {
  using pair = udpPair();
  pair.b.settimeout(0.02);
  await assert.rejects(pair.b.recvfrom(16), { name: "TimeoutError", code: "ETIMEDOUT", syscall: "recvfrom" });
  await pair.a.sendto("later", pair.to);
  assert.equal((await pair.b.recvfrom(16))[0].toString(), "later");
});

test("recvfrom() that is aborted rejects with the reason, and the datagram goes to the next one", async () => {
  using pair = udpPair();
  const stop = new AbortController();
  const aborted = pair.b.recvfrom(16, 0, { signal: stop.signal });
  const next = pair.b.recvfrom(16);
  const reason = new Error("enough");
  stop.abort(reason);
  await assert.rejects(aborted, reason);
  await pair.a.sendto("for the next", pair.to);
  assert.equal((await next)[0].toString(), "for the next");
});

test("recvfrom() that waits rejects with ECANCELED when the socket is closed, and with EBADF after it", async () => {
  using pair = udpPair();
  const waiting = codeOf(pair.b.recvfrom(16));
  pair.b.close();
  assert.equal(await waiting, "ECANCELED");
  assert.equal(await codeOf(pair.b.recvfrom(16)), "EBADF");
  assert.equal(await codeOf(pair.b.recvfrom_into(Buffer.alloc(1))), "EBADF");
  assert.equal(await codeOf(pair.b.sendto("x", pair.from)), "EBADF");
  assert.throws(() => pair.b.disconnect(), { code: "EBADF" });
});

test("sendto() and recvfrom() without a wait between them leave the event loop its turns", async () => {
  using pair = udpPair();
  const loop = { turned: false };
  const turn = (async (): Promise<void> => {
    await nextTurn();
    loop.turned = true;
  })();
  for (let count = 0; !loop.turned; count++) {
    assert.ok(count < 1_000_000, "a million datagrams and no turn of the loop");
    await pair.a.sendto("x", pair.to);
    await pair.b.recvfrom(1);
  }
  await turn;
});

test("recvfrom(), recvfrom_into() and sendto() reject arguments of the wrong kind by their names", async () => {
  using sock = udpAt();
  const refused = async (promise: Promise<unknown>, code: string, name: string): Promise<void> =>
    assert.rejects(promise, (error: Error & { code: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, new RegExp(`^${name}`));
      return true;
    });
  const wrong = (value: unknown): never => value as never;
  await refused(sock.recvfrom(-1), "ERR_OUT_OF_RANGE", "bufsize");
  await refused(sock.recvfrom(wrong("1")), "ERR_INVALID_ARG_TYPE", "bufsize");
  await refused(sock.recvfrom(1, 0.5), "ERR_OUT_OF_RANGE", "flags");
  await refused(sock.recvfrom_into(wrong([])), "ERR_INVALID_ARG_TYPE", "buffer");
  await refused(sock.recvfrom_into(Buffer.alloc(2), 3), "ERR_OUT_OF_RANGE", "nbytes");
  await refused(sock.sendto(wrong(5), ["127.0.0.1", 9]), "ERR_INVALID_ARG_TYPE", "data");
  await refused(sock.sendto("x", ["127.0.0.1", 65_536]), "ERR_OUT_OF_RANGE", "port");
  await refused(sock.sendto("x", wrong(["127.0.0.1"])), "ERR_INVALID_ARG_TYPE", "address");
  await refused(sock.sendto("x", wrong(undefined)), "ERR_INVALID_ARG_TYPE", "address");
  await refused(sock.sendto("x", 0, wrong({})), "ERR_INVALID_ARG_TYPE", "address");
  assert.equal(sock.family, AF_INET);
});

test("sendto() on an IPv6 socket takes [host, port] and the tuple of four", async () => {
  using pair = udpPair("::1");
  await pair.a.sendto("two", ["::1", pair.to[1]]);
  await pair.a.sendto("four", ["::1", pair.to[1], 0, 0]);
  assert.equal((await pair.b.recvfrom(9))[0].toString(), "two");
  assert.equal((await pair.b.recvfrom(9))[0].toString(), "four");
  assert.equal(pair.a.family, AF_INET6);
});
