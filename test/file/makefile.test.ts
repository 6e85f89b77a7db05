// makefile(): what all its files do, in each kind of buffering and in text; the behaviours that CPython documents for
// socket.makefile() and for the io module under it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BinaryFile, FileError, RawFile, SHUT_WR, SocketError, TextFile, TimeoutError } from "berkeley";
import type { Socket } from "berkeley";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { codeOf, rejection, stillWaits, tcpPair, thrown } from "../support/pair.ts";

/** What all files have, whatever they read. */
interface AnyFile extends AsyncDisposable {
  readonly closed: boolean;
  readonly mode: string;
  read(n?: number): Promise<Buffer | string>;
  readline(limit?: number): Promise<Buffer | string>;
  readlines(hint?: number): Promise<(Buffer | string)[]>;
  write(data: string): Promise<number>;
  flush(): Promise<void>;
  close(): Promise<void>;
  fileno(): number;
  readable(): boolean;
  writable(): boolean;
  [Symbol.asyncIterator](): AsyncIterator<Buffer | string>;
}

/** Every kind of file, made from a socket for reading, writing or both. */
const kinds: Readonly<Record<string, (socket: Socket, mode: "r" | "w" | "rw") => AnyFile>> = {
  buffered: (socket, mode) => socket.makefile(`${mode}b`),
  unbuffered: (socket, mode) => socket.makefile(`${mode}b`, { buffering: 0 }),
  "with a buffer of 1": (socket, mode) => socket.makefile(`${mode}b`, { buffering: 1 }),
  "with a buffer of 2": (socket, mode) => socket.makefile(`${mode}b`, { buffering: 2 }),
  "of text": (socket, mode) => socket.makefile(mode, { newline: "" }),
  "of text with a buffer of 2": (socket, mode) => socket.makefile(mode, { newline: "", buffering: 2 }),
};

const MESSAGE = "Michael Gilfix was here ü\u1234\r\n";
/** Bytes or text, whole. */
const joined = (parts: (Buffer | string)[]): string =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString();

for (const [kind, make] of Object.entries(kinds)) {
  test(`a file ${kind}: read(n) gives exactly so much, and the rest to the next`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.b.sendall(MESSAGE);
    const length = file instanceof TextFile ? MESSAGE.length : Buffer.byteLength(MESSAGE);
    const parts = [await file.read(length - 3), await file.read(3)];
    assert.equal(joined(parts), MESSAGE);
    assert.equal(parts[1]?.length, 3);
  });

  test(`a file ${kind}: read() gives all until the peer has ended, and then nothing`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    const reading = file.read();
    await pair.b.sendall(MESSAGE);
    await stillWaits(reading);
    await pair.b.sendall(MESSAGE);
    pair.b.shutdown(SHUT_WR);
    assert.equal(String(await reading), MESSAGE + MESSAGE);
    for (const again of [file.read(), file.read(5), file.readline()]) assert.equal((await again).length, 0);
    assert.deepEqual(await file.readlines(), []);
  });

  test(`a file ${kind}: read(1) goes through all, character by character or byte by byte`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.b.sendall(MESSAGE);
    pair.b.shutdown(SHUT_WR);
    const read: (Buffer | string)[] = [];
    for (let one = await file.read(1); one.length > 0; one = await file.read(1)) read.push(one);
    assert.equal(joined(read), MESSAGE);
    assert.equal(read.length, typeof read[0] === "string" ? MESSAGE.length : Buffer.byteLength(MESSAGE));
  });

  test(`a file ${kind}: readline() gives line after line, the last without an end`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.b.sendall("one\ntwo\r\n\nlast");
    pair.b.shutdown(SHUT_WR);
    for (const line of ["one\n", "two\r\n", "\n", "last", ""])
      assert.equal(String(await file.readline()), line);
  });

  test(`a file ${kind}: readline(limit) gives at most so much of a line`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.b.sendall("abcdef\ngh");
    pair.b.shutdown(SHUT_WR);
    const lines: string[] = [];
    for (let line = await file.readline(4); line.length > 0; line = await file.readline(4))
      lines.push(String(line));
    assert.deepEqual(lines, ["abcd", "ef\n", "gh"]);
    assert.equal((await file.readline(0)).length, 0);
  });

  test(`a file ${kind}: readline() refuses a line beyond LINE_LIMIT, and what came can still be read`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    const sending = pair.b.sendall(`${"x".repeat(70_000)}\nshort\n`);
    const error = await rejection(file.readline());
    assert.ok(error instanceof FileError);
    assert.equal(error.code, "ERR_LINE_TOO_LONG");
    assert.equal((await file.readline(Infinity)).length, 70_001);
    assert.equal(String(await file.readline()), "short\n");
    await sending;
  });

  test(`a file ${kind}: readlines() gives all lines, readlines(hint) as many as make more than that`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.b.sendall("a\nbb\nccc\ndddd\n");
    pair.b.shutdown(SHUT_WR);
    assert.deepEqual((await file.readlines(3)).map(String), ["a\n", "bb\n"]);
    assert.deepEqual((await file.readlines()).map(String), ["ccc\n", "dddd\n"]);
  });

  test(`a file ${kind}: for await gives its lines until the peer has ended`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.b.sendall("one\ntwo\nthree");
    pair.b.shutdown(SHUT_WR);
    const lines: string[] = [];
    for await (const line of file) lines.push(String(line));
    assert.deepEqual(lines, ["one\n", "two\n", "three"]);
  });

  test(`a file ${kind}: write() and flush() bring the peer all, in order`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "w");
    const count = await file.write(MESSAGE);
    assert.equal(count, file instanceof TextFile ? MESSAGE.length : Buffer.byteLength(MESSAGE));
    await file.write("");
    await file.write("more");
    await file.flush();
    const expected = Buffer.from(`${MESSAGE}more`);
    assert.ok((await receiveExactly(pair.b, expected.length)).equals(expected));
  });

  test(`a file ${kind}: close() flushes, and leaves the socket to its owner`, async () => {
    using pair = await tcpPair();
    const file = make(pair.a, "rw");
    await file.write("last words");
    await file.close();
    assert.equal((await receiveExactly(pair.b, 10)).toString(), "last words");
    await pair.b.sendall("still here");
    assert.equal((await receiveExactly(pair.a, 10)).toString(), "still here");
  });

  test(`a file ${kind}: the socket stays open when it is closed first, until the file is closed too`, async () => {
    using pair = await tcpPair();
    const file = make(pair.a, "rw");
    const fd = pair.a.fileno();
    pair.a.close();
    assert.equal(pair.a.fileno(), fd);
    await pair.b.sendall("line\n");
    assert.equal(String(await file.readline()), "line\n");
    await file.write("answer");
    await file.close();
    assert.equal(pair.a.fileno(), -1);
    assert.equal(await codeOf(pair.a.recv(1)), "EBADF");
    assert.equal((await receiveToEnd(pair.b)).toString(), "answer");
  });

  test(`a file ${kind}: a socket with several files is closed with the last`, async () => {
    using pair = await tcpPair();
    const first = make(pair.a, "r");
    const second = make(pair.a, "w");
    pair.a.close();
    await second.close();
    await second.close();
    assert.notEqual(pair.a.fileno(), -1);
    await first.close();
    assert.equal(pair.a.fileno(), -1);
  });

  test(`a file ${kind}: closed, mode, fileno, readable and writable tell what it is`, async () => {
    using pair = await tcpPair();
    const file = make(pair.a, "r");
    assert.equal(file.closed, false);
    assert.equal(file.mode, file instanceof TextFile ? "r" : "rb");
    assert.equal(file.fileno(), pair.a.fileno());
    assert.deepEqual([file.readable(), file.writable()], [true, false]);
    const both = make(pair.b, "rw");
    assert.deepEqual([both.readable(), both.writable()], [true, true]);
    await both.close();
    await file.close();
    assert.equal(file.closed, true);
    assert.equal(file.fileno(), -1);
  });

  test(`a file ${kind}: calls after close() reject with ERR_FILE_CLOSED`, async () => {
    using pair = await tcpPair();
    const file = make(pair.a, "rw");
    await file.close();
    await file.close();
    for (const call of [file.read(1), file.readline(), file.readlines(), file.write("x"), file.flush()])
      assert.equal(await codeOf(call), "ERR_FILE_CLOSED");
  });

  test(`a file ${kind}: reading one that writes and writing one that reads is refused`, async () => {
    using pair = await tcpPair();
    await using reader = make(pair.a, "r");
    await using writer = make(pair.b, "w");
    for (const call of [writer.read(1), writer.read(), writer.readline(), writer.readlines()])
      assert.equal(await codeOf(call), "ERR_FILE_NOT_READABLE");
    for (const call of [reader.write("x"), reader.flush()])
      assert.equal(await codeOf(call), "ERR_FILE_NOT_WRITABLE");
  });

  test(`a file ${kind}: a read that runs out of time rejects with TimeoutError, and every one after it`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    pair.a.settimeout(0.02);
    await pair.b.sendall("abc");
    assert.equal(String(await file.read(3)), "abc");
    assert.ok((await rejection(file.read(1))) instanceof TimeoutError);
    await pair.b.sendall("late\n");
    for (const call of [file.read(1), file.readline(), file.readlines()])
      assert.equal(await codeOf(call), "ERR_FILE_TIMED_OUT");
    assert.equal((await pair.a.recv(10)).toString(), "late\n");
  });

  test(`a file ${kind}: a read of a non-blocking socket rejects with EAGAIN and loses nothing`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    pair.a.setblocking(false);
    assert.equal(await codeOf(file.readline()), "EAGAIN");
    await pair.b.sendall("half");
    pair.a.setblocking(true);
    assert.equal(String(await file.read(1)), "h");
    pair.a.setblocking(false);
    assert.equal(await codeOf(file.readline()), "EAGAIN");
    await pair.b.sendall(" line\n");
    pair.a.setblocking(true);
    assert.equal(String(await file.readline()), "alf line\n");
  });

  test(`a file ${kind}: an aborted read loses nothing, and the next goes on`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r") as BinaryFile;
    const controller = new AbortController();
    const reading = file.readline(undefined, { signal: controller.signal });
    await pair.b.sendall("begun");
    await stillWaits(reading);
    controller.abort(new Error("enough"));
    assert.equal((await rejection(reading)).message, "enough");
    assert.equal((await rejection(file.read(1, { signal: controller.signal }))).message, "enough");
    await pair.b.sendall(", ended\n");
    assert.equal(String(await file.readline()), "begun, ended\n");
  });

  test(`a file ${kind}: a reset of the connection rejects the read`, async () => {
    using pair = await tcpPair();
    await using file = make(pair.a, "r");
    await pair.a.sendall("unread");
    const reading = file.read(1);
    pair.b.close();
    const error = await rejection(reading);
    assert.ok(error instanceof SocketError);
    assert.equal(error.code, "ECONNRESET");
  });
}

test("makefile() makes a file of text, of bytes or without buffers, as the mode says", async () => {
  using pair = await tcpPair();
  await using text = pair.a.makefile();
  await using binary = pair.a.makefile("rwb");
  await using raw = pair.a.makefile("wb", { buffering: 0 });
  assert.ok(text instanceof TextFile && binary instanceof BinaryFile && raw instanceof RawFile);
  assert.equal(text.mode, "r");
  assert.deepEqual([text.encoding, text.errors], ["utf-8", "strict"]);
  await using named = pair.a.makefile("w", { encoding: "ISO-8859-1", errors: "replace" });
  assert.deepEqual([named.encoding, named.errors], ["latin1", "replace"]);
});

test("makefile() refuses what is no mode, buffering, encoding, errors or newline, and holds nothing", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  const wrong: [call: () => unknown, code: string][] = [
    [() => a.makefile("x" as never), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("rb+" as never), "ERR_OUT_OF_RANGE"],
    [() => a.makefile(3 as never), "ERR_INVALID_ARG_TYPE"],
    [() => a.makefile("r", null as never), "ERR_INVALID_ARG_TYPE"],
    [() => a.makefile("r", { buffering: 0 }), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("rb", { buffering: 1.5 }), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("rb", { buffering: 2 ** 31 }), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("rb", { buffering: "8" as never }), "ERR_INVALID_ARG_TYPE"],
    [() => a.makefile("r", { encoding: "klingon" }), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("w", { encoding: "shift_jis" }), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("r", { errors: "shrug" as never }), "ERR_OUT_OF_RANGE"],
    [() => a.makefile("r", { newline: "\n\n" as never }), "ERR_OUT_OF_RANGE"],
  ];
  for (const [call, code] of wrong) assert.equal(thrown(call).code, code, String(call));
  a.close();
  assert.equal(a.fileno(), -1);
  assert.equal(thrown(() => a.makefile()).code, "EBADF");
});

test("Symbol.dispose of a socket with files closes it with the last file", async () => {
  using pair = await tcpPair();
  let file: BinaryFile;
  {
    using socket = pair.a;
    file = socket.makefile("rb");
  }
  assert.notEqual(pair.a.fileno(), -1);
  await file.close();
  assert.equal(pair.a.fileno(), -1);
});

test("detach() takes the descriptor from a socket with files; their reads reject with EBADF", async () => {
  using pair = await tcpPair();
  const file = pair.a.makefile("rb");
  const waiting = file.read(1);
  await stillWaits(waiting);
  const fd = pair.a.detach();
  assert.equal(await codeOf(waiting), "ECANCELED");
  assert.equal(await codeOf(file.read(1)), "EBADF");
  await file.close();
  const { socket } = await import("berkeley");
  using again = socket(undefined, undefined, undefined, { fileno: fd });
  await pair.b.sendall("x");
  assert.equal((await again.recv(1)).toString(), "x");
});
