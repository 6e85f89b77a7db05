// toWeb() and fromWeb(): web streams over a stream, and a stream over web streams.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ReadableStream, TransformStream, WritableStream } from "node:stream/web";
import { SocketStream, fromWeb, memoryPair, toWeb } from "berkeley/stream";
import type { ByteStream, WebStreams } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import type { StreamPair } from "berkeley/testing";
import { codeOf, pattern, rejection, stillWaits, tcpPair, thrown } from "../support/pair.ts";

async function tcp(): Promise<[SocketStream, SocketStream]> {
  const { a, b } = await tcpPair();
  return [new SocketStream(a), new SocketStream(b)];
}

/** Two ends of web streams and nothing else. */
function identity(): [WebStreams, WebStreams] {
  const [there, back] = [
    new TransformStream<Uint8Array, Uint8Array>(),
    new TransformStream<Uint8Array, Uint8Array>(),
  ];
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
}

const pairs: Readonly<Record<string, () => Promise<StreamPair> | StreamPair>> = {
  "fromWeb(toWeb(SocketStream))": async () => {
    const [a, b] = await tcp();
    return [fromWeb(toWeb(a)), b];
  },
  "fromWeb(toWeb(MemoryStream))": () => {
    const [a, b] = memoryPair();
    return [fromWeb(toWeb(a)), b];
  },
};
for (const [kind, makePair] of Object.entries(pairs))
  for (const { name, run } of checkByteStream(makePair)) test(`${kind}: ${name}`, run);

// A TransformStream lets a write be done when the other side reads it, and has no buffers: what ends there ends otherwise.
const OF_CONNECTIONS =
  /peer has closed|let what was sent arrive|goes on after the peer's end|peer's end|waits lets/;
for (const { name, run } of checkByteStream(() => {
  const [one, other] = identity();
  return [fromWeb(one), fromWeb(other)];
}).filter(({ name: promise }) => !OF_CONNECTIONS.test(promise)))
  test(`fromWeb(two TransformStreams): ${name}`, run);

async function receiveAll(stream: ByteStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let bytes = await stream.receiveSome(); bytes.length > 0; bytes = await stream.receiveSome())
    pieces.push(bytes);
  return Buffer.concat(pieces);
}

test("toWeb() gives streams that Response, pipeTo() and pipeThrough() work with", async () => {
  const [near, far] = await tcp();
  const { readable, writable } = toWeb(near);
  const sent = pattern(1_000_000);
  const sending = far.sendAll(sent).then(() => far.closeWrite());
  const echoed = receiveAll(far);
  await Promise.all([readable.pipeTo(writable), sending]);
  assert.ok((await echoed).equals(sent));
  await turn();
  assert.equal(near.closed, true);
  const [other, end] = await tcp();
  await end.sendAll("grün");
  await end.closeWrite();
  const web = toWeb(other);
  assert.equal(await new Response(web.readable as never).text(), "grün");
  const writer = web.writable.getWriter();
  for (const chunk of ["text ", Buffer.from("bytes"), new Uint16Array([0x4241]).buffer])
    await writer.write(chunk as Uint8Array);
  await writer.close();
  assert.equal((await receiveAll(end)).toString(), "text bytesAB");
  assert.equal(other.closed, true);
  for (const stream of [far, end]) stream.close();
});

for (const [kind, make] of Object.entries({ TCP: tcp, memory: () => memoryPair() }))
  test(`toWeb().readable fills memory of the reader's own, over ${kind}`, async () => {
    const [near, far] = await make();
    const reader = toWeb(near).readable.getReader({ mode: "byob" });
    await far.sendAll(pattern(3000));
    let memory: Uint8Array = new Uint8Array(1000);
    const pieces: Buffer[] = [];
    for (let count = 0; count < 3; count++) {
      const { value } = await reader.read(memory);
      pieces.push(Buffer.from(value as Uint8Array));
      memory = new Uint8Array((value as Uint8Array).buffer);
    }
    assert.ok(Buffer.concat(pieces).equals(pattern(3000)));
    far.close();
    const { done } = await reader.read(memory);
    assert.equal(done, true);
    near.close();
  });

test("toWeb().readable gives memory that nobody else has", async () => {
  const [near, far] = memoryPair();
  const reader = toWeb(near).readable.getReader();
  await far.sendAll("one two");
  const { value } = await reader.read();
  await far.sendAll("three");
  structuredClone(value, { transfer: [(value as Uint8Array).buffer as ArrayBuffer] });
  assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), "three");
  near.close();
});

test("toWeb().readable receives nothing that is not asked for", async () => {
  const [near, far] = memoryPair({ bytesMax: 10 });
  toWeb(near);
  const sending = far.sendAll(pattern(11));
  await stillWaits(sending);
  near.close();
  await sending.catch(() => undefined);
});

test("toWeb() closes the stream when both directions are over, and not before", async () => {
  for (const order of ["cancel first", "close first"]) {
    const [near, far] = await tcp();
    const { readable, writable } = toWeb(near);
    const ends = [() => readable.cancel("enough"), () => writable.close()];
    if (order === "close first") ends.reverse();
    await ends[0]?.();
    assert.equal(near.closed, false, order);
    await ends[1]?.();
    assert.equal(near.closed, true, order);
    assert.equal((await far.receiveSome()).length, 0);
    far.close();
  }
});

test("toWeb().writable.abort() closes the stream at once, also while a write waits", async () => {
  const [near, far] = memoryPair({ bytesMax: 10 });
  const { readable, writable } = toWeb(near);
  const writer = writable.getWriter();
  const writing = writer.write(pattern(1000));
  writing.catch(() => undefined);
  const reading = readable.getReader().read();
  reading.catch(() => undefined);
  await turn();
  const reason = new Error("enough");
  await writer.abort(reason);
  assert.equal(await rejection(reading), reason);
  assert.equal(near.closed, true);
  await writing.catch(() => undefined);
  far.close();
});

test("toWeb() fails as the stream does", async () => {
  const [near, far] = await tcp();
  const { readable, writable } = toWeb(near);
  near.socket.close();
  assert.equal(await codeOf(readable.getReader().read()), "EBADF");
  assert.equal(await codeOf(writable.getWriter().write(Buffer.from("x"))), "EBADF");
  far.close();
  const [other] = memoryPair();
  const writer = toWeb(other).writable.getWriter();
  assert.equal(await codeOf(writer.write(7 as unknown as Uint8Array)), "ERR_INVALID_ARG_TYPE");
});

test("fromWeb() fails as its web streams do, and skips empty chunks", async () => {
  const reason = Object.assign(new Error("broken"), { code: "ERR_BROKEN" });
  const chunks: unknown[] = [Buffer.from("first"), new Uint8Array(0), Buffer.from("second")];
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.error(reason);
      else controller.enqueue(chunk as Uint8Array);
    },
  });
  const writable = new WritableStream<Uint8Array>({
    write() {
      throw reason;
    },
  });
  const stream = fromWeb({ readable, writable });
  assert.equal((await stream.receiveSome()).toString(), "first");
  assert.equal((await stream.receiveSome()).toString(), "second");
  assert.equal(await rejection(stream.receiveSome()), reason);
  assert.equal(await rejection(stream.sendAll("x")), reason);
  stream.close();
  const text = new ReadableStream({ start: (controller) => controller.enqueue("no bytes") });
  const wrong = fromWeb({ readable: text as never, writable: new WritableStream() });
  assert.equal(await codeOf(wrong.receiveSome()), "ERR_INVALID_ARG_TYPE");
});

test("fromWeb() gives its sink memory that the sender does not write to again", async () => {
  const kept: Uint8Array[] = [];
  const writable = new WritableStream<Uint8Array>({ write: (chunk) => void kept.push(chunk) });
  const stream = fromWeb({ readable: new ReadableStream(), writable });
  const memory = Buffer.from("first");
  await stream.sendAll(memory);
  memory.fill("x");
  assert.equal(Buffer.from(kept[0] as Uint8Array).toString(), "first");
  stream.close();
});

test("toWeb() and fromWeb() refuse what is no stream, and one that is locked", () => {
  const [one] = identity();
  const cases: [() => unknown, RegExp][] = [
    [() => toWeb({} as ByteStream), /^stream /],
    [() => fromWeb(undefined as unknown as WebStreams), /^streams\.readable /],
    [() => fromWeb({ readable: one.readable } as WebStreams), /^streams\.writable /],
    [() => [one.readable.getReader(), fromWeb(one)], /^streams\.readable /],
  ];
  for (const [make, message] of cases) assert.match(thrown(make).message, message);
});
