// toDuplex(): what programs expect of a net.Socket, held against a net.Socket where that can be.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, Socket as NetSocket } from "node:net";
import { test } from "node:test";
import { pipeline } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { IPPROTO_TCP, SOL_SOCKET, SO_KEEPALIVE, TCP_KEEPIDLE, TCP_NODELAY } from "berkeley";
import {
  SocketStream,
  connectTcp,
  connectUnix,
  fromDuplex,
  listenTcp,
  listenUnix,
  memoryPair,
  toDuplex,
} from "berkeley/stream";
import type { ByteStream, StreamDuplex, ToDuplexOptions } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import type { StreamPair } from "berkeley/testing";
import { NARROW, TOO_MUCH, deadAddress, pattern, tcpPair, thrown } from "../support/pair.ts";

/** A duplex over TCP and the stream at its other end. */
async function tcp(options?: ToDuplexOptions): Promise<[StreamDuplex, SocketStream]> {
  const { a, b } = await tcpPair();
  return [toDuplex(new SocketStream(a), options), new SocketStream(b)];
}

/** The events that a socket emits, in order. */
function eventsOf(socket: NetSocket | StreamDuplex): string[] {
  const seen: string[] = [];
  for (const name of ["connect", "ready", "end", "finish", "timeout", "close"])
    socket.on(name, (argument: unknown) => seen.push(name === "close" ? `close ${String(argument)}` : name));
  socket.on("error", (error: Error & { code?: string }) => seen.push(`error ${error.code}`));
  return seen;
}

/** Waits for the last of the events that eventsOf() sees. */
async function closed(events: readonly string[]): Promise<void> {
  while (!events.at(-1)?.startsWith("close")) await turn();
}

/** A promise that the test resolves. */
function later<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

const pairs: Readonly<Record<string, () => Promise<StreamPair> | StreamPair>> = {
  "fromDuplex(toDuplex(SocketStream))": async () => {
    const [duplex, peer] = await tcp();
    return [fromDuplex(duplex), peer];
  },
  "fromDuplex(toDuplex(MemoryStream))": () => {
    const [a, b] = memoryPair();
    return [fromDuplex(toDuplex(a)), b];
  },
  "fromDuplex(toDuplex(a promise))": async () => {
    const { a, b } = await tcpPair();
    return [fromDuplex(toDuplex(turn(new SocketStream(a)))), new SocketStream(b)];
  },
};
for (const [kind, makePair] of Object.entries(pairs))
  for (const { name, run } of checkByteStream(makePair)) test(`${kind}: ${name}`, run);

test("toDuplex() carries bytes both ways, with the counts and addresses of a net.Socket", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const [duplex, [accepted]] = await Promise.all([
    connectTcp("127.0.0.1", port).then((stream) => toDuplex(stream)),
    once(server, "connection") as Promise<[NetSocket]>,
  ]);
  server.close();
  duplex.write("question");
  assert.equal(String((await once(accepted, "data"))[0]), "question");
  accepted.write("answer!");
  assert.equal(String((await once(duplex, "data"))[0]), "answer!");
  assert.deepEqual([duplex.bytesWritten, duplex.bytesRead], [accepted.bytesRead, accepted.bytesWritten]);
  assert.deepEqual(
    [duplex.localAddress, duplex.localPort, duplex.localFamily],
    [accepted.remoteAddress, accepted.remotePort, accepted.remoteFamily],
  );
  assert.deepEqual(
    [duplex.remoteAddress, duplex.remotePort, duplex.remoteFamily],
    ["127.0.0.1", port, "IPv4"],
  );
  assert.deepEqual(duplex.address(), { address: "127.0.0.1", family: "IPv4", port: accepted.remotePort });
  for (const socket of [duplex, accepted]) {
    assert.deepEqual([socket.connecting, socket.pending, socket.readyState], [false, false, "open"]);
    assert.equal(socket.allowHalfOpen, false);
  }
  const events = [eventsOf(duplex), eventsOf(accepted)];
  duplex.end();
  accepted.resume();
  duplex.resume();
  await Promise.all(events.map(closed));
  assert.deepEqual(events[0]?.toSorted(), events[1]?.toSorted());
  for (const socket of [duplex, accepted]) assert.equal(socket.readyState, "closed");
});

test("toDuplex() of IPv6 and of a Unix socket tells what Node would", async () => {
  await using six = await listenTcp("::1");
  const [host, port] = six.localAddress as [string, number];
  const duplex = toDuplex(await connectTcp(host, port));
  assert.deepEqual([duplex.remoteAddress, duplex.remotePort, duplex.remoteFamily], ["::1", port, "IPv6"]);
  duplex.destroy();
  await using unix = await listenUnix("");
  const local = toDuplex(await connectUnix(unix.localAddress as Buffer));
  assert.deepEqual([local.remoteAddress, local.remotePort, local.address()], [undefined, undefined, {}]);
  local.destroy();
});

for (const allowHalfOpen of [false, true])
  test(`toDuplex() with allowHalfOpen ${allowHalfOpen} ends as a net.Socket does`, async () => {
    const server = createServer({ allowHalfOpen }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const [peer, [accepted]] = await Promise.all([
      connectTcp("127.0.0.1", port),
      once(server, "connection") as Promise<[NetSocket]>,
    ]);
    server.close();
    const [duplex, other] = await tcp({ allowHalfOpen });
    const told = await Promise.all(
      (
        [
          [accepted, peer],
          [duplex, other],
        ] as const
      )
        .map(async ([socket, far]) => {
          const events = eventsOf(socket);
          socket.resume();
          await far.closeWrite();
          await once(socket, "end");
          await turn();
          const state = [socket.readyState, socket.writable];
          socket.end("last");
          await closed(events);
          const received: string[] = [];
          for (let bytes = await far.receiveSome(); bytes.length > 0; bytes = await far.receiveSome())
            received.push(bytes.toString());
          far.close();
          return { events, state, received };
        })
        .map((each) => each.catch((error: unknown) => error)),
    );
    assert.deepEqual(told[1], told[0]);
  });

test('toDuplex() emits "end" and closes although nobody reads, when nothing came before the end', async () => {
  const [duplex, peer] = await tcp();
  const events = eventsOf(duplex);
  await peer.closeWrite();
  await closed(events);
  assert.deepEqual(events, ["end", "finish", "close false"]);
  peer.close();
});

test('toDuplex().destroy() closes the stream, and "close" says whether there was an error', async () => {
  for (const error of [undefined, Object.assign(new Error("enough"), { code: "ENOUGH" })]) {
    const [duplex, peer] = await tcp();
    const events = eventsOf(duplex);
    duplex.destroy(error);
    await closed(events);
    assert.deepEqual(events, error === undefined ? ["close false"] : ["error ENOUGH", "close true"]);
    assert.equal(duplex.stream?.closed, true);
    assert.equal((await peer.receiveSome()).length, 0);
    peer.close();
  }
});

test("toDuplex().destroy() fails writes that wait", async () => {
  const [duplex, peer] = await tcp();
  const written = new Promise<Error | null | undefined>((resolve) =>
    duplex.write(pattern(32 << 20), resolve),
  );
  assert.equal(duplex.writableNeedDrain, true);
  await turn();
  duplex.destroy();
  assert.ok((await written) instanceof Error);
  peer.close();
});

test("toDuplex().resetAndDestroy() resets the connection", async () => {
  const [duplex, peer] = await tcp();
  const events = eventsOf(duplex);
  const reset = peer.receiveSome().then(
    () => "an end",
    (error: unknown) => (error as { code?: string }).code,
  );
  duplex.resetAndDestroy();
  assert.equal(await reset, "ECONNRESET");
  await closed(events);
  assert.deepEqual(events, ["close false"]);
  peer.close();
});

test("toDuplex() is destroyed with the error when the peer resets", async () => {
  const [duplex, peer] = await tcp();
  const events = eventsOf(duplex);
  toDuplex(peer).resetAndDestroy();
  await closed(events);
  assert.deepEqual(events, ["error ECONNRESET", "close true"]);
});

test("toDuplex().destroySoon() sends everything before it closes", async () => {
  const [duplex, peer] = await tcp();
  const events = eventsOf(duplex);
  const bytes = pattern(4 << 20);
  duplex.write(bytes);
  duplex.destroySoon();
  const received: Buffer[] = [];
  for (let piece = await peer.receiveSome(); piece.length > 0; piece = await peer.receiveSome())
    received.push(piece);
  assert.ok(Buffer.concat(received).equals(bytes));
  await closed(events);
  peer.close();
});

for (const [kind, make] of Object.entries({
  TCP: async (): Promise<[StreamDuplex, ByteStream]> => await tcp(),
  memory: (): [StreamDuplex, ByteStream] => {
    const [a, b] = memoryPair();
    return [toDuplex(a), b];
  },
}))
  test(`toDuplex() sends what was corked whole and in order over ${kind}, few pieces and thousands`, async () => {
    const [duplex, peer] = await make();
    for (const [count, size] of [
      [3, 10],
      [3000, 10],
      [1500, 3000],
      [5, 1_000_000],
    ] as const) {
      const pieces = Array.from({ length: count }, (_, at) => pattern(size, at));
      duplex.cork();
      for (const piece of pieces) duplex.write(piece);
      duplex.write("");
      const drained = new Promise((resolve) => duplex.write("end", resolve));
      duplex.uncork();
      const expected = Buffer.concat([...pieces, Buffer.from("end")]);
      const received: Buffer[] = [];
      for (let left = expected.length; left > 0; ) {
        const piece = await peer.receiveSome(left);
        left -= piece.length;
        received.push(piece);
      }
      assert.ok(Buffer.concat(received).equals(expected), `${count} pieces of ${size}`);
      await drained;
      assert.equal(duplex.writableLength, 0);
    }
    duplex.destroy();
    peer.close();
  });

test("toDuplex() holds a writer back, and a peer from which nobody reads", async () => {
  const [duplex, peer] = await tcp({ highWaterMark: 1000 });
  assert.equal(duplex.writableHighWaterMark, 1000);
  assert.equal(duplex.readableHighWaterMark, 1000);
  let sent = 0;
  const sending = (async () => {
    for (; sent < 1 << 28; sent += 1 << 16) await peer.sendAll(pattern(1 << 16));
  })().catch(() => "stopped");
  for (let before = -1; before !== sent; ) {
    before = sent;
    for (let turns = 0; turns < 100; turns++) await turn();
  }
  assert.ok(duplex.readableLength < 300_000, `${duplex.readableLength} bytes are held`);
  peer.close();
  assert.equal(await sending, "stopped");
  duplex.destroy();
});

test('toDuplex().setTimeout() emits "timeout" when no byte moves, once a callback, and never after 0', async () => {
  const [duplex, peer] = await tcp();
  duplex.resume();
  assert.equal(duplex.timeout, undefined);
  let called = 0;
  const callback = (): void => void called++;
  duplex.setTimeout(20, callback);
  assert.equal(duplex.timeout, 20);
  const hold = setInterval(() => undefined, 1000);
  await once(duplex, "timeout");
  assert.equal(called, 1);
  assert.equal(duplex.destroyed, false);
  // Each byte begins the time anew.
  await peer.sendAll("x");
  await once(duplex, "timeout");
  assert.equal(called, 1);
  clearInterval(hold);
  duplex.setTimeout(0, callback);
  assert.equal(duplex.listenerCount("timeout"), 0);
  duplex.destroy();
  peer.close();
});

test("toDuplex().setTimeout() does not count a long send that goes on as idle", async () => {
  const { a, b } = await tcpPair(NARROW);
  const duplex = toDuplex(new SocketStream(a));
  const events = eventsOf(duplex);
  duplex.setTimeout(200);
  const began = performance.now();
  duplex.write(pattern(TOO_MUCH));
  // Slowly, but with each piece in time: over narrow buffers the send takes more than a second.
  while (duplex.writableLength > 0) {
    await b.recv(16_384);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  assert.ok(performance.now() - began > 400);
  assert.deepEqual(events, []);
  duplex.destroy();
  b.close();
});

test("toDuplex() sets a TCP socket's options, and says nothing where there are none", async () => {
  const [duplex, peer] = await tcp();
  const { socket } = duplex.stream as SocketStream;
  assert.equal(duplex.setNoDelay(), duplex);
  assert.notEqual(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY), 0);
  duplex.setNoDelay(false);
  assert.equal(socket.getsockopt(IPPROTO_TCP, TCP_NODELAY), 0);
  duplex.setKeepAlive(true, 7000);
  assert.notEqual(socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE), 0);
  assert.equal(socket.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE), 7);
  duplex.setKeepAlive();
  assert.equal(socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE), 0);
  duplex.destroy();
  peer.close();
  const [memory] = memoryPair();
  toDuplex(memory).setNoDelay().setKeepAlive(true, 1000).unref().ref().resetAndDestroy();
  assert.equal(memory.closed, true);
});

test("toDuplex().unref() lets the process end, and ref() holds it again", async (t) => {
  const [duplex, peer] = await tcp();
  const { socket } = duplex.stream as SocketStream;
  const [ref, unref] = [t.mock.method(socket, "ref"), t.mock.method(socket, "unref")];
  assert.equal(duplex.unref(), duplex);
  assert.deepEqual([ref.mock.callCount(), unref.mock.callCount()], [0, 1]);
  assert.equal(duplex.ref(), duplex);
  assert.deepEqual([ref.mock.callCount(), unref.mock.callCount()], [1, 1]);
  duplex.destroy();
  peer.close();
});

test("toDuplex() of a promise is connecting until it is there, and does then what was asked before", async () => {
  const { a, b } = await tcpPair();
  const peer = new SocketStream(b);
  const { promise, resolve } = later<ByteStream>();
  const duplex = toDuplex(promise);
  const events = eventsOf(duplex);
  assert.deepEqual([duplex.connecting, duplex.pending, duplex.readyState], [true, true, "opening"]);
  duplex.setKeepAlive(true);
  duplex.write("early ");
  duplex.end("bird");
  duplex.resume();
  await turn();
  resolve(new SocketStream(a));
  await once(duplex, "connect");
  assert.equal(duplex.connecting, false);
  assert.equal(a.getsockopt(SOL_SOCKET, SO_KEEPALIVE), 1);
  const received: string[] = [];
  for (let bytes = await peer.receiveSome(); bytes.length > 0; bytes = await peer.receiveSome())
    received.push(bytes.toString());
  assert.equal(received.join(""), "early bird");
  peer.close();
  await closed(events);
  assert.deepEqual(events, ["connect", "ready", "finish", "end", "close false"]);
});

test("toDuplex() of a promise fails as connecting does, and closes what comes too late", async () => {
  const failing = toDuplex(connectTcp(...(deadAddress() as [string, number])));
  const events = eventsOf(failing);
  await closed(events);
  assert.deepEqual(events, ["error ECONNREFUSED", "close true"]);
  const [late] = memoryPair();
  const { promise, resolve } = later<ByteStream>();
  const duplex = toDuplex(promise);
  const seen = eventsOf(duplex);
  const written: unknown[] = [];
  for (const text of ["first", "second"])
    duplex.write(text, (error) => written.push((error as { code?: string } | null | undefined)?.code));
  duplex.destroy();
  await closed(seen);
  assert.equal(written.length, 2);
  assert.equal(written[0], "ECANCELED");
  resolve(late);
  await turn();
  assert.equal(late.closed, true);
  assert.equal(duplex.connecting, false);
});

test("toDuplex() works with pipeline() and async iteration", async () => {
  const [duplex, peer] = await tcp();
  const [other, far] = await tcp();
  const all = pattern(1 << 20);
  const piped = pipeline(duplex, other);
  const sending = peer.sendAll(all).then(() => peer.closeWrite());
  const received: Buffer[] = [];
  for (let bytes = await far.receiveSome(); bytes.length > 0; bytes = await far.receiveSome())
    received.push(bytes);
  assert.ok(Buffer.concat(received).equals(all));
  await sending;
  far.close();
  other.resume();
  await piped;
  const [third, source] = await tcp();
  await source.sendAll("one");
  source.close();
  const pieces: string[] = [];
  for await (const piece of third) pieces.push(String(piece));
  assert.deepEqual(pieces, ["one"]);
  duplex.destroy();
  peer.close();
});

test("toDuplex() refuses what is no stream, and setTimeout() what is no time", async () => {
  assert.equal(thrown(() => toDuplex({} as ByteStream)).code, "ERR_INVALID_ARG_TYPE");
  assert.equal(thrown(() => toDuplex(undefined as unknown as ByteStream)).code, "ERR_INVALID_ARG_TYPE");
  const [duplex, peer] = await tcp();
  assert.equal(thrown(() => duplex.setTimeout("1" as unknown as number)).code, "ERR_INVALID_ARG_TYPE");
  for (const ms of [-1, Number.NaN])
    assert.equal(thrown(() => duplex.setTimeout(ms)).code, "ERR_OUT_OF_RANGE");
  duplex.setTimeout(Infinity).setTimeout(0);
  duplex.destroy();
  peer.close();
});
