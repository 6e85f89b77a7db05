// adoptNetSocket() and toNetSocket(): a connection changes hands between Node and us, and no byte is lost.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket as NetSocket, connect, createServer } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { socketpair } from "berkeley";
import type { Socket } from "berkeley";
import {
  BufferedReader,
  SocketStream,
  adoptNetSocket,
  connectTcp,
  listenTcp,
  memoryPair,
  toNetSocket,
} from "berkeley/stream";
import { codeOf, openSockets, pattern, tcpPair, thrown } from "../support/pair.ts";

/** A connection of which one end is Node's and the other ours to speak with. */
async function nodePair(): Promise<[NetSocket, NetSocket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const [client, [accepted]] = await Promise.all([
    Promise.resolve(connect(port, "127.0.0.1")),
    once(server, "connection") as Promise<[NetSocket]>,
  ]);
  server.close();
  return [client, accepted];
}

test("adoptNetSocket() gives a stream that begins with what Node has read, and destroys the net.Socket", async () => {
  const before = openSockets().length;
  const [client, accepted] = await nodePair();
  const bytes = pattern(100_000);
  client.write(bytes.subarray(0, 5000));
  accepted.on("readable", () => undefined);
  while (accepted.readableLength < 5000) await turn();
  const stream = adoptNetSocket(accepted);
  client.end(bytes.subarray(5000));
  assert.equal(accepted.destroyed, true);
  const received = await new BufferedReader(stream).readAll();
  assert.ok(received.equals(bytes));
  await stream.sendAll("still connected");
  assert.equal(String((await once(client, "data"))[0]), "still connected");
  stream.close();
  await once(client, "close");
  assert.equal(openSockets().length, before);
});

test("adoptNetSocket() gives a SocketStream where Node had read nothing", async () => {
  const [client, accepted] = await nodePair();
  const stream = adoptNetSocket(accepted);
  assert.ok(stream instanceof SocketStream);
  assert.deepEqual(stream.remoteAddress, ["127.0.0.1", client.localPort]);
  client.write("hello");
  assert.equal((await stream.receiveSome()).toString(), "hello");
  stream.close();
  client.destroy();
});

test("adoptNetSocket() refuses what is not connected, has bytes to write, or is no net.Socket of bytes", async () => {
  const [client, accepted] = await nodePair();
  assert.equal(thrown(() => adoptNetSocket({} as NetSocket)).code, "ERR_INVALID_ARG_TYPE");
  assert.equal(thrown(() => adoptNetSocket(new NetSocket())).code, "ERR_INVALID_STATE");
  accepted.pause();
  while (client.writableLength === 0) client.write(pattern(1 << 20));
  assert.equal(thrown(() => adoptNetSocket(client)).code, "ERR_INVALID_STATE");
  accepted.setEncoding("utf8");
  assert.equal(thrown(() => adoptNetSocket(accepted)).code, "ERR_INVALID_ARG_TYPE");
  client.destroy();
  accepted.destroy();
  assert.equal(thrown(() => adoptNetSocket(client)).code, "ERR_INVALID_STATE");
});

test("toNetSocket() gives Node the descriptor, and what was buffered first", async () => {
  const before = openSockets().length;
  const { a, b } = await tcpPair();
  const [near, far] = [new SocketStream(a), new SocketStream(b)];
  const reader = new BufferedReader(near);
  await far.sendAll("line\nbuffered ");
  assert.equal(String(await reader.readLine()), "line");
  const waiting = codeOf(near.receiveSome());
  const socket = toNetSocket(reader.handOver(), { allowHalfOpen: true });
  assert.equal(await waiting, "ECANCELED");
  assert.equal(near.closed, true);
  assert.equal(await codeOf(near.receiveSome()), "EBADF");
  await far.sendAll("and more");
  await far.closeWrite();
  assert.equal(socket.allowHalfOpen, true);
  const pieces: unknown[] = [];
  socket.on("data", (piece) => pieces.push(piece));
  await once(socket, "end");
  assert.equal(pieces.join(""), "buffered and more");
  far.close();
  const over = once(socket, "close");
  socket.destroy();
  await over;
  assert.equal(openSockets().length, before);
});

for (const [kind, pair] of Object.entries({
  TCP: async () => Object.values(await tcpPair()) as [Socket, Socket],
  "a Unix socket": () => Promise.resolve(socketpair()),
}))
  test(`toNetSocket() speaks both ways over ${kind}`, async () => {
    const [near, far] = (await pair()).map((end) => new SocketStream(end)) as [SocketStream, SocketStream];
    const socket = toNetSocket(near);
    socket.write("question");
    assert.equal((await far.receiveSome()).toString(), "question");
    await far.sendAll("answer");
    assert.equal(String((await once(socket, "data"))[0]), "answer");
    const over = once(socket, "close");
    far.close();
    await over;
  });

test("toNetSocket() refuses what is no SocketStream, and one that is closed", async () => {
  const [memory] = memoryPair();
  assert.equal(thrown(() => toNetSocket(memory)).code, "ERR_INVALID_ARG_TYPE");
  const { a, b } = await tcpPair();
  b.close();
  a.close();
  assert.equal(thrown(() => toNetSocket(new SocketStream(a))).code, "EBADF");
});

test("a net.Server listens at the descriptor of a SocketListener", async () => {
  const listener = await listenTcp("127.0.0.1");
  const [host, port] = listener.localAddress as [string, number];
  const server = createServer((socket) => socket.end("from Node"));
  server.listen({ fd: listener.socket.detach() });
  await once(server, "listening");
  const stream = await connectTcp(host, port);
  assert.equal((await new BufferedReader(stream).readAll()).toString(), "from Node");
  assert.equal(listener.closed, true);
  stream.close();
  server.close();
  await once(server, "close");
});
