// pipe() and pipeBoth(): everything and the end arrives, who does not receive is waited for, and what was on the way is
// told when it fails.

import assert from "node:assert/strict";
import { createServer, connect as netConnect } from "node:net";
import type { Socket as NetSocket } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { TimeoutError } from "berkeley";
import type { RelayDirection, RelayReport } from "berkeley";
import { BufferedReader, SocketStream, fromDuplex, memoryPair, pipe, pipeBoth } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { NARROW, TOO_MUCH, codeOf, pattern, rejection, stillWaits, tcpPair } from "../support/pair.ts";

type StreamPair = readonly [ByteStream, ByteStream];

const LINUX = process.platform === "linux";

const tcp = async (): Promise<StreamPair> => {
  const { a, b } = await tcpPair(NARROW);
  return [new SocketStream(a), new SocketStream(b)];
};
const memory = (): StreamPair => memoryPair({ bytesMax: 5000 });
const duplexes = async (): Promise<StreamPair> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const connecting = netConnect(port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [NetSocket];
  server.close();
  return [fromDuplex(connecting), fromDuplex(accepted)];
};
/** Of which the first bytes were received by somebody else, who handed it over. */
const handedOver = async (): Promise<StreamPair> => {
  const [near, far] = await tcp();
  const reader = new BufferedReader(far);
  await near.sendAll("line\n");
  await near.sendAll(pattern(10));
  await reader.readLine();
  await reader.peek(10);
  return [near, reader.handOver()];
};

const kinds: Readonly<
  Record<
    string,
    [near: () => StreamPair | Promise<StreamPair>, far: typeof memory | typeof tcp, first: number]
  >
> = {
  "a socket to a socket": [tcp, tcp, 0],
  "memory to memory": [memory, memory, 0],
  "a socket to memory": [tcp, memory, 0],
  "memory to a socket": [memory, tcp, 0],
  "a Duplex to a socket": [duplexes, tcp, 0],
  "a socket to a Duplex": [tcp, duplexes, 0],
  "a socket that was handed over to a socket": [handedOver, tcp, 10],
};

for (const [kind, [makeNear, makeFar, first]] of Object.entries(kinds)) {
  test(`pipe() carries everything and the end from ${kind}, and leaves both open`, async () => {
    const [client, from] = await makeNear();
    const [to, server] = await makeFar();
    const bytes = pattern(TOO_MUCH);
    const piping = pipe(from, to);
    const sending = client.sendAll(bytes.subarray(first)).then(() => client.closeWrite());
    assert.ok((await new BufferedReader(server).readAll()).equals(bytes));
    await sending;
    const report = await piping;
    assert.equal(report.bytes, bytes.length);
    assert.equal(report.ended, true);
    assert.equal(report.undelivered.length, 0);
    const spliced = LINUX && from instanceof SocketStream && to instanceof SocketStream;
    if (spliced || first > 0) assert.equal(report.method, LINUX ? "splice" : "copy");
    else assert.equal(report.method, "copy");
    assert.deepEqual([from.closed, to.closed], [false, false]);
    await from.sendAll("back");
    assert.equal((await client.receiveSome()).toString(), "back");
    for (const end of [client, from, to, server]) end.close();
  });

  test(`pipe() waits for who does not receive, from ${kind}, and ends with the signal's reason`, async () => {
    const [client, from] = await makeNear();
    const [to, server] = await makeFar();
    const stop = new AbortController();
    const report: Partial<RelayDirection> = {};
    const piping = pipe(from, to, { signal: stop.signal, report });
    const sent = first + TOO_MUCH * 16;
    const sending = client.sendAll(pattern(sent).subarray(first));
    await stillWaits(sending);
    const reason = new Error("enough");
    stop.abort(reason);
    assert.equal(await rejection(piping), reason);
    const { bytes = 0, undelivered = Buffer.alloc(0) } = report;
    assert.equal(report.ended, false);
    // What was delivered, what was on the way, and what is still to be received are all that was sent.
    to.close();
    const received = await new BufferedReader(server).readAll();
    assert.ok(received.equals(pattern(received.length)));
    if (to instanceof SocketStream) {
      assert.equal(received.length, bytes);
      assert.ok(undelivered.equals(pattern(bytes + undelivered.length).subarray(bytes)));
      const rest = new BufferedReader(from, { readBytesMax: Infinity }).readAll();
      const ended = sending.then(() => client.closeWrite());
      const all = Buffer.concat([received, undelivered, await rest]);
      await ended;
      assert.equal(all.length, sent);
      assert.ok(all.equals(pattern(sent)));
    }
    client.close();
    await sending.catch(() => undefined);
    for (const end of [from, server]) end.close();
  });
}

test("pipe() leaves the receiving side's sending open with end: false", async () => {
  for (const make of [tcp, memory]) {
    const [client, from] = await make();
    const [to, server] = await make();
    await client.sendAll("first ");
    await client.closeWrite();
    const report = await pipe(from, to, { end: false });
    assert.equal(report.ended, true);
    await to.sendAll("second");
    to.close();
    assert.equal((await new BufferedReader(server).readAll()).toString(), "first second");
    for (const end of [client, from, server]) end.close();
  }
});

test("pipe() fails as the side that broke, and tells what was not delivered", async () => {
  const [client, from] = memory();
  const [to] = memory();
  const report: Partial<RelayDirection> = {};
  const piping = pipe(from, to, { report });
  to.close();
  await client.sendAll("lost");
  assert.equal(await codeOf(piping), "EBADF");
  assert.equal(report.undelivered?.toString(), "lost");
  assert.equal(report.bytes, 0);
  client.close();
  from.close();
  assert.equal(await codeOf(pipe(from, client)), "EBADF");
});

test("pipe() moves nothing when the signal is aborted already", async () => {
  for (const make of [tcp, memory]) {
    const [client, from] = await make();
    const [to, server] = await make();
    await client.sendAll("kept");
    const reason = new Error("not now");
    assert.equal(await rejection(pipe(from, to, { signal: AbortSignal.abort(reason) })), reason);
    assert.equal(await rejection(pipeBoth(from, to, { signal: AbortSignal.abort(reason) })), reason);
    assert.equal((await from.receiveSome()).toString(), "kept");
    for (const end of [client, from, to, server]) end.close();
  }
});

for (const [kind, [makeNear, makeFar, first]] of Object.entries(kinds))
  test(`pipeBoth() carries both directions and both ends between ${kind}`, async () => {
    const [client, a] = await makeNear();
    const [b, server] = await makeFar();
    const [there, back] = [pattern(TOO_MUCH), pattern(TOO_MUCH, 7)];
    const relaying = pipeBoth(a, b);
    const ends = [
      client.sendAll(there.subarray(first)).then(() => client.closeWrite()),
      server.sendAll(back).then(() => server.closeWrite()),
    ];
    const [arrived, answered] = await Promise.all([
      new BufferedReader(server).readAll(),
      new BufferedReader(client).readAll(),
    ]);
    assert.ok(arrived.equals(there) && answered.equals(back));
    const { forward, backward } = await relaying;
    assert.deepEqual([forward.bytes, backward.bytes], [there.length, back.length]);
    assert.deepEqual([forward.ended, backward.ended], [true, true]);
    await Promise.all(ends);
    for (const end of [client, a, b, server]) end.close();
  });

for (const [kind, make] of Object.entries({ sockets: tcp, memory }))
  test(`pipeBoth() between ${kind} stops both directions when one fails, or nothing has moved for idleTimeoutMs`, async () => {
    const [client, a] = await make();
    const [b, server] = await make();
    const report: Partial<RelayReport> = {};
    const hold = setInterval(() => undefined, 1000); // memory holds no process
    const idle = await rejection(pipeBoth(a, b, { idleTimeoutMs: 20, report }));
    clearInterval(hold);
    assert.ok(idle instanceof TimeoutError);
    assert.equal(report.forward?.ended, false);
    const relaying = pipeBoth(a, b, { report });
    await client.sendAll("x");
    assert.equal((await server.receiveSome()).toString(), "x");
    await stillWaits(relaying);
    a.close();
    assert.equal(await codeOf(relaying), "ECANCELED");
    assert.equal(report.forward?.bytes, 1);
    for (const end of [client, b, server]) end.close();
    assert.equal(await codeOf(pipeBoth(a, b, { idleTimeoutMs: 0 })), "ERR_OUT_OF_RANGE");
  });
