// The buffers behind files, without a socket: lines and counts against CPython's io module, in every delivery; limits;
// and that nothing is taken before it can be taken whole.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FileError, LINE_LIMIT, READ_LIMIT } from "berkeley";
import type { Newline } from "#dist/socket/makefile/mode.js";
import { NewlineReader, writeNewlines } from "#dist/socket/makefile/newlines.js";
import { NEED_DATA, ReadBuffer } from "#dist/socket/makefile/read-buffer.js";
import type { NeedData } from "#dist/socket/makefile/read-buffer.js";
import { TextBuffer } from "#dist/socket/makefile/text-buffer.js";
import { askPython, pick, python3, random } from "../support/ask-python.ts";
import { deliveries } from "./deliveries.ts";

const skip = python3.skip;

/** One call of a file and its argument; -1 is CPython's way to leave it out. */
type Call = readonly [name: "read" | "read1" | "readline" | "readlines", n: number];

interface Reading {
  read(n?: number): unknown;
  readline(n?: number): unknown;
  readlines(n?: number): unknown;
}

/** Asks again after each piece, until there is an answer. */
function answer<T>(ask: () => T | NeedData, feed: () => void): T {
  for (;;) {
    const given = ask();
    if (given !== NEED_DATA) return given;
    feed();
  }
}

function textCalls(newline: Newline, pieces: Buffer[], calls: readonly Call[]): unknown[] {
  const buffer = new TextBuffer(newline);
  const newlines = new NewlineReader(newline);
  const decoder = new TextDecoder();
  const waiting = [...pieces];
  return calls.map(([name, n]) => {
    buffer.ended = false;
    return answer<unknown>(
      () => (buffer as unknown as Record<string, (n: number) => unknown>)[name]?.(n),
      () => {
        const piece = waiting.shift();
        const text = piece === undefined ? "" : decoder.decode(piece, { stream: true });
        buffer.push(newlines.read(text, piece === undefined));
        buffer.ended = piece === undefined;
      },
    );
  });
}

function byteCalls(size: number, pieces: Buffer[], calls: readonly Call[]): unknown[] {
  const buffer = new ReadBuffer(size);
  const waiting = [...pieces];
  return calls.map(([name, n]) => {
    buffer.ended = false;
    const given = answer<unknown>(
      () => (buffer as unknown as Record<string, (n: number) => unknown>)[name]?.(n),
      () => {
        const piece = waiting.shift() ?? Buffer.alloc(0);
        const room = buffer.room();
        assert.ok(room.length > 0);
        room.set(piece.subarray(0, room.length));
        buffer.filled(Math.min(piece.length, room.length));
        if (piece.length > room.length) waiting.unshift(piece.subarray(room.length));
      },
    );
    return Array.isArray(given) ? given.map(String) : String(given);
  });
}

const next = random(7);
const PARTS = [
  "a",
  "bc",
  "ü€",
  "𝄞",
  "\n",
  "\r",
  "\r\n",
  "\n\r",
  "\n\n",
  "long line without an end",
  "\r\r\n",
];
const TEXTS = Array.from({ length: 60 }, () =>
  Array.from({ length: next(12) }, () => pick(next, PARTS)).join(""),
);
const CALLS: Call[][] = TEXTS.map(() =>
  Array.from({ length: 30 }, (): Call => {
    const name = pick(next, ["read", "readline", "readline", "readlines"] as const);
    return [name, next(3) === 0 && name !== "read" ? -1 : next(6)];
  }),
);

const ASK_TEXT = `
import io
def run(newline, texts, calls):
    out = []
    for text, todo in zip(texts, calls):
        file = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline=newline)
        out.append([getattr(file, name)(n) for name, n in todo])
    return out
print(json.dumps(run(*data)))`;

for (const newline of [null, "", "\n", "\r", "\r\n"] as const)
  for (const [how, cut] of Object.entries(deliveries))
    test(`a text buffer with newline ${JSON.stringify(newline)} answers as CPython's when delivered ${how}`, {
      skip,
    }, () => {
      const expected = askPython(ASK_TEXT, [newline, TEXTS, CALLS]) as unknown[][];
      for (const [index, text] of TEXTS.entries())
        assert.deepEqual(
          textCalls(newline, cut(Buffer.from(text)), CALLS[index] as Call[]),
          expected[index],
          JSON.stringify([text, CALLS[index]]),
        );
    });

const ASK_BYTES = `
import io
def show(value): return [show(line) for line in value] if isinstance(value, list) else value.decode("utf-8", "replace")
def run(texts, calls):
    out = []
    for text, todo in zip(texts, calls):
        file = io.BufferedReader(io.BytesIO(text.encode()))
        out.append([show(getattr(file, name)(n)) for name, n in todo])
    return out
print(json.dumps(run(*data)))`;

for (const size of [1, 2, 8192])
  for (const [how, cut] of Object.entries(deliveries))
    test(`a read buffer of ${size} bytes answers as CPython's when delivered ${how}`, { skip }, () => {
      const expected = askPython(ASK_BYTES, [TEXTS, CALLS]) as unknown[][];
      for (const [index, text] of TEXTS.entries())
        assert.deepEqual(
          byteCalls(size, cut(Buffer.from(text)), CALLS[index] as Call[]),
          expected[index],
          JSON.stringify([text, CALLS[index]]),
        );
    });

for (const newline of [null, "", "\n", "\r", "\r\n"] as const)
  test(`writeNewlines() with newline ${JSON.stringify(newline)} writes as CPython's TextIOWrapper`, {
    skip,
  }, () => {
    const expected = askPython(
      `
import io
def run(newline, texts):
    for text in texts:
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, "utf-8", newline=newline)
        file.write(text)
        file.flush()
        yield raw.getvalue().decode()
print(json.dumps(list(run(*data))))`,
      [newline, TEXTS],
    );
    assert.deepEqual(
      TEXTS.map((text) => writeNewlines(text, newline)),
      expected,
    );
  });

/** A buffer of each kind with so many bytes in it and no end of line. */
function full(length: number): Record<string, { buffer: Reading; push: (text: string) => void }> {
  const text = new TextBuffer(null);
  const bytes = new ReadBuffer(8192);
  const push = (data: string): void => {
    for (let rest = Buffer.from(data); rest.length > 0; ) {
      const room = bytes.room();
      room.set(rest.subarray(0, room.length));
      bytes.filled(Math.min(room.length, rest.length));
      rest = rest.subarray(room.length);
    }
  };
  push("x".repeat(length));
  text.push("x".repeat(length));
  return { text: { buffer: text, push: (data) => text.push(data) }, bytes: { buffer: bytes, push } };
}

for (const kind of ["text", "bytes"] as const) {
  const make = (length: number): { buffer: Reading; push: (text: string) => void } =>
    full(length)[kind] as never;

  test(`readline() of ${kind} takes a line of LINE_LIMIT, and refuses a longer one without taking it`, () => {
    const exact = make(LINE_LIMIT - 1);
    assert.equal(exact.buffer.readline(), NEED_DATA);
    exact.push("\n");
    assert.equal((exact.buffer.readline() as string).length, LINE_LIMIT);
    const longer = make(LINE_LIMIT);
    assert.throws(
      () => longer.buffer.readline(),
      (error) => error instanceof FileError && error.code === "ERR_LINE_TOO_LONG",
    );
    longer.push("\n");
    assert.throws(() => longer.buffer.readline(), { code: "ERR_LINE_TOO_LONG" });
    assert.equal((longer.buffer.readline(5) as string).length, 5);
    assert.equal((longer.buffer.readline(Infinity) as string).length, LINE_LIMIT - 4);
  });

  test(`readlines() of ${kind} refuses a line beyond LINE_LIMIT behind the hint`, () => {
    const { buffer, push } = make(LINE_LIMIT + 10);
    assert.equal(buffer.readlines(10), NEED_DATA);
    push("x");
    assert.throws(() => buffer.readlines(10), { code: "ERR_LINE_TOO_LONG" });
    push("\nrest");
    assert.deepEqual(
      (buffer.readlines(10) as string[]).map((line) => line.length),
      [LINE_LIMIT + 12],
    );
  });

  test(`read() of ${kind} without a count refuses more than READ_LIMIT and keeps it`, () => {
    const { buffer, push } = make(0);
    const chunk = "x".repeat(1 << 20);
    for (let size = 0; size < READ_LIMIT; size += chunk.length) push(chunk);
    assert.equal(buffer.read(), NEED_DATA);
    push("x");
    for (const call of [() => buffer.read(), () => buffer.read(-1), () => buffer.readlines()])
      assert.throws(call, { code: "ERR_READ_TOO_LONG" });
    assert.equal(buffer.read(Infinity), NEED_DATA);
    assert.equal((buffer.read(READ_LIMIT) as string).length, READ_LIMIT);
    assert.equal((buffer.read(1) as string).length, 1);
  });

  test(`counts of ${kind} are whole numbers`, () => {
    const { buffer } = make(10);
    for (const call of [() => buffer.read(1.5), () => buffer.readline(NaN), () => buffer.readlines(0.5)])
      assert.throws(call, { code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => buffer.read("4" as never), { code: "ERR_INVALID_ARG_TYPE" });
  });
}

test("a read buffer looks at no byte twice while a line arrives byte by byte", () => {
  // 20 000 arrivals of one byte: searched anew each time they would be 200 MB.
  const buffer = new ReadBuffer(8192);
  const begun = process.cpuUsage().user;
  for (let at = 0; at < 60_000; at++) {
    buffer.room()[0] = 120;
    buffer.filled(1);
    assert.equal(buffer.readline(undefined), NEED_DATA);
  }
  assert.ok(process.cpuUsage(undefined).user - begun < 5_000_000);
});
