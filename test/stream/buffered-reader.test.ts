// BufferedReader: the same pieces however the bytes arrive, limits, ends, aborts that lose nothing, handing over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferedReader, UnexpectedEofError, memoryPair } from "berkeley/stream";
import type { BufferedReaderOptions } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import { ByteQueue, LocalProtocolError, RemoteProtocolError } from "berkeley/wire";
import { codeOf, pattern, rejection, stillWaits, thrown } from "../support/pair.ts";
import { Random } from "../support/random.ts";
import { deliveries, receiving } from "../support/streams.ts";

const reader = (pieces: readonly Uint8Array[], options?: BufferedReaderOptions): BufferedReader =>
  new BufferedReader(receiving(pieces), options);
const of = (text: string, options?: BufferedReaderOptions): BufferedReader =>
  reader([Buffer.from(text)], options);

for (const [how, cut] of Object.entries(deliveries)) {
  test(`BufferedReader reads lines, delimiters, counts and the rest, delivered ${how}`, async () => {
    const text = "EHLO a\r\nplain\n\r\n\n\rkept\rinside\r\none--two----three five bytes and all the rest";
    const input = reader(cut(Buffer.from(text)));
    const lines: unknown[] = [];
    for (let count = 0; count < 5; count++) lines.push((await input.readLine())?.toString());
    assert.deepEqual(lines, ["EHLO a", "plain", "", "", "\rkept\rinside"]);
    assert.equal((await input.readUntil("--"))?.toString(), "one--");
    assert.equal((await input.readUntil("----"))?.toString(), "two----");
    assert.equal((await input.readUntil(32))?.toString(), "three ");
    assert.equal((await input.peek(4)).toString(), "five");
    assert.equal((await input.readExactly(10)).toString(), "five bytes");
    assert.equal((await input.readExactly(0)).length, 0);
    assert.equal((await input.readAll()).toString(), " and all the rest");
    assert.equal(await input.readLine(), undefined);
    assert.equal(await input.readUntil("x"), undefined);
    assert.equal((await input.readAll()).length, 0);
    assert.equal((await input.readSome()).length, 0);
    assert.equal((await input.peek(3)).length, 0);
  });

  test(`BufferedReader gives back random pieces as they were sent, delivered ${how}`, async () => {
    const random = new Random();
    const records = Array.from({ length: 60 }, () => {
      const length = random.below(random.onceIn(4) ? 300 : 20);
      const body = pattern(length, random.below(256)).map((byte) => (byte === 10 || byte === 13 ? 0 : byte));
      return { kind: random.below(3), body: Buffer.from(body) };
    });
    const ends = [Buffer.from("\n"), Buffer.from("\r\n\r\n"), Buffer.alloc(0)];
    const sent = Buffer.concat(records.flatMap(({ kind, body }) => [body, ends[kind] as Buffer]));
    const input = reader(cut(sent, random));
    for (const { kind, body } of records) {
      const read = [
        () => input.readLine(),
        () => input.readUntil("\r\n\r\n"),
        () => input.readExactly(body.length),
      ][kind] as () => Promise<Buffer | undefined>;
      const expected = kind === 1 ? Buffer.concat([body, ends[1] as Buffer]) : body;
      assert.deepEqual(await read(), expected, `seed ${random.seed}`);
    }
    assert.equal((await input.readAll()).length, 0);
  });

  test(`BufferedReader.readLine() fails at its limit and takes nothing, delivered ${how}`, async () => {
    const input = reader(cut(Buffer.from("12345\r\n1234567\nrest")), { lineBytesMax: 7 });
    assert.equal((await input.readLine())?.toString(), "12345");
    const error = await rejection(input.readLine());
    assert.ok(error instanceof RemoteProtocolError);
    assert.equal(error.code, "ERR_LINE_TOO_LONG");
    assert.equal((await input.readLine({ bytesMax: 8 }))?.toString(), "1234567");
    assert.equal((await input.readAll()).toString(), "rest");
  });

  test(`BufferedReader fails with UnexpectedEofError inside a piece, and the piece stays, delivered ${how}`, async () => {
    const input = reader(cut(Buffer.from("half")));
    for (const read of [() => input.readLine(), () => input.readUntil("--"), () => input.readExactly(5)]) {
      const error = await rejection(read());
      assert.ok(error instanceof UnexpectedEofError);
      assert.ok(error instanceof RemoteProtocolError);
      assert.equal(error.code, "ERR_UNEXPECTED_EOF");
      assert.equal(error.name, "UnexpectedEofError");
      assert.equal(error.partial.toString(), "half");
    }
    assert.equal((await input.peek(9)).toString(), "half");
    assert.equal((await input.readAll()).toString(), "half");
    assert.equal((await rejection(input.readExactly(1))).message, "the peer ended inside 1 bytes");
  });
}

test("BufferedReader.readExactly() and readAll() fail at their limit and take nothing", async () => {
  const input = of("0123456789", { readBytesMax: 8 });
  assert.equal(await codeOf(input.readExactly(9)), "ERR_READ_TOO_LONG");
  assert.equal(await codeOf(input.readAll()), "ERR_READ_TOO_LONG");
  assert.equal(await codeOf(input.peek(9)), "ERR_READ_TOO_LONG");
  assert.equal((await input.readExactly(10, { bytesMax: 10 })).toString(), "0123456789");
});

test("BufferedReader.readExactly() makes no memory for a count that a peer names before the bytes are there", async () => {
  const before = process.memoryUsage().arrayBuffers;
  const input = of("few");
  const error = await rejection(input.readExactly(2 ** 40, { bytesMax: Infinity }));
  assert.equal(error.code, "ERR_UNEXPECTED_EOF");
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000);
});

test("BufferedReader reads settle in the order in which they were asked, whatever they wait for", async () => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  const order: string[] = [];
  const reads = [
    input.readExactly(3).then((bytes) => order.push(String(bytes))),
    input.readLine().then((bytes) => order.push(String(bytes))),
    input.readSome().then((bytes) => order.push(String(bytes))),
  ];
  await b.sendAll("abc");
  await b.sendAll("line\nmore");
  await Promise.all(reads);
  assert.deepEqual(order, ["abc", "line", "more"]);
});

test("BufferedReader loses nothing when a read is aborted, and those behind go on", async () => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  const stop = new AbortController();
  const aborted = input.readLine({ signal: stop.signal });
  const behind = input.readLine();
  await b.sendAll("first ");
  await stillWaits(aborted);
  const reason = new Error("enough");
  stop.abort(reason);
  assert.equal(await rejection(aborted), reason);
  await b.sendAll("line\nsecond\n");
  assert.equal((await behind)?.toString(), "first line");
  assert.equal((await input.readLine())?.toString(), "second");
});

test("BufferedReader receives for nobody when the only read was aborted", async () => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  const stop = new AbortController();
  const aborted = input.readLine({ signal: stop.signal });
  stop.abort("enough");
  await aborted.catch(() => undefined);
  await b.sendAll("for the stream");
  assert.equal((await a.receiveSome()).toString(), "for the stream");
  assert.equal(input.buffered, 0);
});

test("BufferedReader rejects with the reason of a signal that is aborted already", async () => {
  const input = of("line\n");
  const reason = new Error("not now");
  assert.equal(await rejection(input.readLine({ signal: AbortSignal.abort(reason) })), reason);
  assert.equal((await input.readLine())?.toString(), "line");
});

test("BufferedReader loses nothing when aborts race with bytes that arrive", async () => {
  const random = new Random();
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  const lines: string[] = [];
  for (let round = 0; round < 100; round++) {
    const stop = new AbortController();
    const reading = input.readLine({ signal: stop.signal }).then(
      (line) => lines.push(String(line)),
      (error: unknown) => assert.equal(error, "raced"),
    );
    const sending = b.sendAll(random.onceIn(2) ? `${round}\n` : `${round}`);
    for (let ticks = random.below(6); ticks > 0; ticks--) await Promise.resolve();
    stop.abort("raced");
    await Promise.all([reading, sending]);
  }
  await b.sendAll("\n");
  b.close();
  for await (const line of input.lines()) lines.push(String(line));
  const digits = Array.from({ length: 100 }, (_, round) => round).join("");
  assert.equal(lines.join(""), digits, `seed ${random.seed}`);
});

test("BufferedReader gives the error of the stream to the read that waits for it", async () => {
  const [a] = memoryPair();
  const input = new BufferedReader(a);
  const waiting = input.readLine();
  a.close();
  assert.equal(await codeOf(waiting), "ECANCELED");
  assert.equal(await codeOf(input.readLine()), "EBADF");
});

test("BufferedReader.lines() gives each line until the end", async () => {
  const lines: string[] = [];
  for await (const line of of("a\nb\r\n\nc\n").lines()) lines.push(line.toString());
  assert.deepEqual(lines, ["a", "b", "", "c"]);
});

test("BufferedReader.unread() puts bytes before everything else", async () => {
  const input = of("two\nthree\n");
  await input.peek(3);
  input.unread("one\nt");
  const lines: string[] = [];
  for await (const line of input.lines()) lines.push(line.toString());
  assert.deepEqual(lines, ["one", "ttwo", "three"]);
});

test("BufferedReader.unread() serves a read that waits", async () => {
  const [a] = memoryPair();
  const input = new BufferedReader(a);
  const waiting = input.readLine();
  input.unread("line\n");
  assert.equal((await waiting)?.toString(), "line");
  a.close();
});

test("BufferedReader.takeBuffered() gives what was sent ahead of a change of protocol", async () => {
  const input = of("STARTTLS\r\ninjected\r\n");
  assert.equal((await input.readLine())?.toString(), "STARTTLS");
  assert.equal(input.buffered, 10);
  assert.equal(input.takeBuffered().toString(), "injected\r\n");
  assert.equal(input.buffered, 0);
  assert.equal(input.takeBuffered().length, 0);
});

test("BufferedReader.handOver() gives the stream itself when nothing is buffered", async () => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  await b.sendAll("line\n");
  await input.readLine();
  assert.equal(input.handOver(), a);
});

test("BufferedReader.handOver() is refused while a read waits", async () => {
  const [a] = memoryPair();
  const input = new BufferedReader(a);
  const waiting = input.readLine();
  const error = thrown(() => input.handOver());
  assert.ok(error instanceof LocalProtocolError);
  assert.equal(error.code, "ERR_READ_WAITS");
  a.close();
  await waiting.catch(() => undefined);
});

test("BufferedReader.handOver() gives a stream that begins with what is buffered", async () => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  await b.sendAll("GET\nbuffered");
  await input.readLine();
  const stream = input.handOver();
  await b.sendAll(" and more");
  b.close();
  assert.equal((await stream.receiveSome(4)).toString(), "buff");
  assert.equal((await new BufferedReader(stream).readAll()).toString(), "ered and more");
});

for (const { name, run } of checkByteStream(async () => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  input.unread("x");
  const stream = input.handOver();
  await stream.receiveSome();
  return [stream, b];
}))
  test(`a stream that was handed over: ${name}`, run);

test("BufferedReader searches each byte once, however often a read is asked again", async (t) => {
  const [a, b] = memoryPair();
  const input = new BufferedReader(a);
  let searched = 0;
  const indexOf = t.mock.method(ByteQueue.prototype, "indexOf");
  for (let count = 0; count < 100; count++) {
    const stop = new AbortController();
    const waiting = input.readLine({ signal: stop.signal });
    await b.sendAll("0123456789");
    stop.abort();
    await waiting.catch(() => undefined);
  }
  for (const {
    arguments: [, from = 0],
  } of indexOf.mock.calls) {
    assert.ok(from >= searched, "a byte was searched again");
    searched = from;
  }
  assert.ok(searched > 500, `it searched from ${searched}`);
});

test("BufferedReader gives small pieces memory of their own", async () => {
  const input = reader([Buffer.alloc(60_000, "line\n")]);
  assert.ok(((await input.readLine())?.buffer.byteLength ?? Infinity) < 1000);
  assert.ok((await input.readExactly(100)).buffer.byteLength < 1000);
});

test("BufferedReader refuses sizes, limits and delimiters that are none, by name", async () => {
  const input = of("x");
  const cases: [() => Promise<unknown>, string, RegExp][] = [
    [() => input.readExactly(-1), "ERR_OUT_OF_RANGE", /^count /],
    [() => input.readExactly(1.5), "ERR_OUT_OF_RANGE", /^count /],
    [() => input.readExactly("1" as unknown as number), "ERR_INVALID_ARG_TYPE", /^count /],
    [() => input.peek(0), "ERR_OUT_OF_RANGE", /^count /],
    [() => input.readSome(0), "ERR_OUT_OF_RANGE", /^bytesMax /],
    [() => input.readLine({ bytesMax: 0 }), "ERR_OUT_OF_RANGE", /^options\.bytesMax /],
    [() => input.readUntil(""), "ERR_INVALID_ARG_TYPE", /^delimiter /],
    [() => input.readUntil(256), "ERR_OUT_OF_RANGE", /^delimiter /],
  ];
  for (const [read, code, message] of cases) {
    const error = await rejection(read());
    assert.equal(error.code, code);
    assert.match(error.message, message);
  }
  assert.equal((await input.readAll()).toString(), "x");
  const [a] = memoryPair();
  for (const options of [{ lineBytesMax: 0 }, { readBytesMax: -1 }])
    assert.equal(thrown(() => new BufferedReader(a, options)).code, "ERR_OUT_OF_RANGE");
});
