// Text and lines of text: no character is split, however the bytes are cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UnicodeError } from "berkeley";
import { TextReader, linesOf, memoryPair, textOf } from "berkeley/stream";
import type { TextOptions } from "berkeley/stream";
import { RemoteProtocolError } from "berkeley/wire";
import { codeOf, rejection, stillWaits, thrown } from "../support/pair.ts";
import { deliveries, receiving } from "../support/streams.ts";

const TEXT = "grün €5 𝄞 日本語\r\nsecond\n\nlast \r without an end";

async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of of) found.push(each);
  return found;
}

const encodings: Readonly<Record<string, Buffer>> = {
  "utf-8": Buffer.from(TEXT),
  "utf-16le": Buffer.from(TEXT, "utf16le"),
  "utf-16be": Buffer.from(TEXT, "utf16le").swap16(),
};

for (const [encoding, bytes] of Object.entries(encodings))
  for (const [how, cut] of Object.entries(deliveries)) {
    test(`textOf() gives ${encoding} without splitting a character, delivered ${how}`, async () => {
      const pieces = await all(textOf(receiving(cut(bytes)), { encoding }));
      assert.equal(pieces.join(""), TEXT);
      for (const piece of pieces) assert.equal(piece.isWellFormed(), true, piece);
    });

    test(`linesOf() gives lines of ${encoding}, delivered ${how}`, async () => {
      const lines = await all(linesOf(receiving(cut(bytes)), { encoding }));
      assert.deepEqual(lines, ["grün €5 𝄞 日本語", "second", "", "last \r without an end"]);
    });
  }

test("textOf() decodes latin1, and labels of TextDecoder", async () => {
  const decode = async (bytes: Buffer, options: TextOptions): Promise<string> =>
    (await all(textOf(receiving([bytes]), options))).join("");
  assert.equal(await decode(Buffer.from([0xfc, 0x80]), { encoding: "latin1" }), "ü\u0080");
  assert.equal(await decode(Buffer.from([0x83, 0x65]), { encoding: "shift_jis" }), "テ");
});

for (const [how, cut] of Object.entries(deliveries)) {
  test(`textOf() gives all before bad bytes and then fails, delivered ${how}`, async () => {
    const reader = textOf(
      receiving(cut(Buffer.from([...Buffer.from("good "), 0xff, ...Buffer.from("more")]))),
    );
    let text = "";
    const reading = async (): Promise<void> => {
      for await (const piece of reader) text += piece;
    };
    const error = await rejection(reading());
    assert.ok(error instanceof UnicodeError);
    assert.equal(error.code, "ERR_UNICODE_DECODE");
    assert.equal(error.position, 5);
    assert.equal(text, "good ");
    assert.equal(await rejection(reader.read()), error);
  });

  test(`linesOf() fails at its limit, delivered ${how}`, async () => {
    const reader = new TextReader(receiving(cut(Buffer.from("12345\r\n123456\n"))), { lineUnitsMax: 5 });
    assert.equal(await reader.readLine(), "12345");
    const error = await rejection(reader.readLine());
    assert.ok(error instanceof RemoteProtocolError);
    assert.equal(error.code, "ERR_LINE_TOO_LONG");
    assert.equal((await all(reader)).join(""), "123456\n");
  });
}

test('textOf() puts U+FFFD for half a character at the end with errors: "replace"', async () => {
  const half = Buffer.from("€").subarray(0, 2);
  assert.deepEqual(await all(textOf(receiving([half]), { errors: "replace" })), ["\ufffd"]);
});

test("TextReader loses nothing when a read is aborted, half a character neither", async () => {
  const [a, b] = memoryPair();
  const reader = new TextReader(a);
  const euro = Buffer.from("€");
  const stop = new AbortController();
  const waiting = reader.readLine({ signal: stop.signal });
  const behind = reader.readLine();
  await b.sendAll(Buffer.concat([Buffer.from("5 "), euro.subarray(0, 1)]));
  await stillWaits(waiting);
  const reason = new Error("enough");
  stop.abort(reason);
  assert.equal(await rejection(waiting), reason);
  await b.sendAll(Buffer.concat([euro.subarray(1), Buffer.from("\nnext")]));
  assert.equal(await behind, "5 €");
  assert.equal(await reader.read(), "next");
  b.close();
  assert.equal(await reader.read(), "");
  assert.equal(await reader.readLine(), undefined);
});

test("TextReader serves calls in the order in which they were made", async () => {
  const [a, b] = memoryPair();
  const reader = new TextReader(a);
  const lines = Promise.all([reader.readLine(), reader.readLine(), reader.readLine()]);
  await b.sendAll("one\ntwo\nthree\n");
  assert.deepEqual(await lines, ["one", "two", "three"]);
});

test("TextReader refuses encodings, errors and limits that are none, and fails as its stream does", async () => {
  const [a] = memoryPair();
  const cases: [TextOptions, RegExp][] = [
    [{ encoding: "utf-16" }, /^options\.encoding /],
    [{ encoding: "no such" }, /^options\.encoding /],
    [{ errors: "no such" as "strict" }, /errors /],
    [{ lineUnitsMax: 0 }, /^options\.lineUnitsMax /],
  ];
  for (const [options, message] of cases) assert.match(thrown(() => textOf(a, options)).message, message);
  a.close();
  assert.equal(await codeOf(textOf(a).read()), "EBADF");
});
