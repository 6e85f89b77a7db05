// Encodings against CPython's: the same bytes decoded, the same text encoded, whole and in pieces.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UnicodeError } from "berkeley";
import { encodingOf, makeDecoder } from "#dist/socket/makefile/decoders.js";
import { makeEncoder } from "#dist/socket/makefile/encoders.js";
import type { ErrorsMode } from "#dist/socket/makefile/mode.js";
import { askPython, pick, python3, random } from "../support/ask-python.ts";
import { assertLinear } from "../support/growth.ts";
import { deliveries } from "./deliveries.ts";

const skip = python3.skip;

/** What decoding gives: the text, and where and why it ended. */
interface Decoded {
  readonly text: string;
  readonly position: number | null;
  readonly reason: string | null;
}

function decode(encoding: string, errors: ErrorsMode, pieces: readonly Buffer[]): Decoded {
  const decoder = makeDecoder(encodingOf(encoding), errors);
  let text = "";
  for (const piece of pieces) text += decoder.decode(piece, false);
  text += decoder.decode(Buffer.alloc(0), true);
  return { text, position: decoder.error?.position ?? null, reason: decoder.error?.reason ?? null };
}

/** Bytes that are interesting to the encodings: good characters of every length, their parts, and nonsense. */
function samples(): Buffer[] {
  const next = random(2026);
  const parts = ["a", "\n", "é", "€", "𝄞", "\u{10ffff}", "\ufffd", "\ufeff"].flatMap((text) => [
    Buffer.from(text, "utf8"),
    Buffer.from(text, "utf16le"),
  ]);
  parts.push(
    ...[
      "c0",
      "c1bf",
      "e080",
      "eda080",
      "edbfbf",
      "f08080",
      "f4908080",
      "f5",
      "ff",
      "fe",
      "80",
      "bf",
      "e282",
      "f09d84",
    ].map((hex) => Buffer.from(hex, "hex")),
    ...["00d8", "00dc", "d800", "dc00", "fdff", "00"].map((hex) => Buffer.from(hex, "hex")),
  );
  return Array.from({ length: 400 }, () =>
    Buffer.concat(
      Array.from({ length: 1 + next(8) }, () =>
        next(3) === 0 ? Buffer.from([next(256)]) : Buffer.from(pick(next, parts)),
      ),
    ),
  );
}

const DECODE = `
def decode(encoding, errors, hexes):
    out = []
    for text in hexes:
        raw = bytes.fromhex(text)
        try: out.append({"text": raw.decode(encoding, errors), "position": None, "reason": None})
        except UnicodeDecodeError as error:
            out.append({"text": raw[:error.start].decode(encoding), "position": error.start, "reason": error.reason})
    return out
print(json.dumps(decode(*data)))`;

for (const encoding of ["utf-8", "utf-16le", "utf-16be", "ascii", "latin1", "windows-1251", "koi8-r"])
  for (const errors of ["strict", "ignore", "replace", "backslashreplace", "surrogateescape"] as const) {
    const label = /1251|koi8/.test(encoding);
    const odd =
      (label && errors !== "ignore" && errors !== "replace") ||
      (encoding.startsWith("utf-16") && errors === "surrogateescape");
    // What TextDecoder makes of unassigned bytes is the Encoding Standard's business, and these tables have none.
    if (odd || (encoding === "latin1" && errors === "surrogateescape")) continue;
    for (const [how, cut] of Object.entries(deliveries))
      test(`a decoder of ${encoding} with "${errors}" gives what CPython gives when delivered ${how}`, {
        skip,
      }, () => {
        const bytes = label
          ? samples().map((sample) => Buffer.from(sample.map((byte) => (byte === 0x98 ? 0x99 : byte))))
          : samples();
        const expected = askPython(DECODE, [
          encoding,
          errors,
          bytes.map((sample) => sample.toString("hex")),
        ]) as Decoded[];
        for (const [index, sample] of bytes.entries())
          assert.deepEqual(decode(encoding, errors, cut(sample)), expected[index], sample.toString("hex"));
      });
  }

const TEXTS = [
  "",
  "plain",
  "grüße",
  "€ 100",
  "Привет",
  "𝄞 clef",
  "a\udc80b",
  "\ud800",
  "ÿ\u0100",
  "\0\x7f\x80",
];
const ENCODE = `
def encode(encoding, errors, texts):
    out = []
    for text in texts:
        try: out.append(text.encode(encoding, errors).hex())
        except UnicodeEncodeError as error: out.append(error.start)
    return out
print(json.dumps(encode(*data)))`;

for (const encoding of [
  "utf-8",
  "utf-16le",
  "utf-16be",
  "ascii",
  "latin1",
  "windows-1251",
  "koi8-r",
  "iso-8859-2",
])
  for (const errors of [
    "strict",
    "ignore",
    "replace",
    "backslashreplace",
    "xmlcharrefreplace",
    "surrogateescape",
  ] as const) {
    if (errors === "surrogateescape" && encoding !== "utf-8" && encoding !== "ascii") continue;
    test(`an encoder of ${encoding} with "${errors}" gives what CPython gives`, { skip }, () => {
      const expected = askPython(ENCODE, [encoding, errors, TEXTS]) as (string | number)[];
      const encode = makeEncoder(encodingOf(encoding), errors);
      for (const [index, text] of TEXTS.entries()) {
        let got: string | number;
        try {
          got = Buffer.from(encode(text)).toString("hex");
        } catch (error) {
          assert.ok(error instanceof UnicodeError);
          assert.equal(error.code, "ERR_UNICODE_ENCODE");
          // Ours counts UTF-16 units, CPython characters; none of these has a surrogate pair before its fault.
          got = error.position;
        }
        assert.equal(got, expected[index], JSON.stringify(text));
      }
    });
  }

test("encodingOf() knows CPython's names and TextDecoder's", () => {
  assert.equal(encodingOf(), "utf-8");
  for (const name of ["UTF8", "utf_8", "U8"]) assert.equal(encodingOf(name), "utf-8");
  for (const name of ["latin-1", "L1", "iso-8859-1"]) assert.equal(encodingOf(name), "latin1");
  assert.equal(encodingOf("US-ASCII"), "ascii");
  assert.equal(encodingOf("utf-16-le"), "utf-16le");
  assert.equal(encodingOf("cp1252"), "windows-1252");
  assert.equal(encodingOf("Shift_JIS"), "shift_jis");
});

test("encodingOf() refuses what is no encoding, and UTF-16 without a byte order", () => {
  for (const name of ["", "klingon", "utf-16", "__proto__", "constructor"])
    assert.throws(() => encodingOf(name), { code: "ERR_OUT_OF_RANGE", name: "RangeError" });
  assert.throws(() => encodingOf(8 as never), { code: "ERR_INVALID_ARG_TYPE" });
});

test("a decoder of a TextDecoder encoding keeps half of a character back", () => {
  const bytes = Buffer.from("93fa967b8cea", "hex");
  for (const [how, cut] of Object.entries(deliveries))
    assert.deepEqual(
      decode("shift_jis", "strict", cut(bytes)),
      { text: "日本語", position: null, reason: null },
      how,
    );
  assert.equal(decode("shift_jis", "strict", [Buffer.from("93fa96", "hex")]).text, "日");
  assert.notEqual(decode("shift_jis", "strict", [Buffer.from("93fa96", "hex")]).position, null);
});

test("makeEncoder() refuses an encoding whose characters have several bytes", () => {
  for (const encoding of ["shift_jis", "euc-jp", "euc-kr", "gbk", "gb18030", "big5", "iso-2022-jp"])
    assert.throws(() => makeEncoder(encodingOf(encoding), "strict"), { code: "ERR_OUT_OF_RANGE" }, encoding);
});

test("makeDecoder() and makeEncoder() refuse errors modes that the encoding cannot do", () => {
  for (const make of [makeDecoder, makeEncoder])
    assert.throws(() => make("utf-16le", "surrogateescape"), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => makeDecoder("utf-8", "xmlcharrefreplace"), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => makeDecoder("koi8-r", "backslashreplace"), { code: "ERR_OUT_OF_RANGE" });
});

test("UnicodeError tells the bytes, the position and the reason", () => {
  const decoder = makeDecoder("utf-8", "strict");
  assert.equal(decoder.decode(Buffer.from("abc"), false), "abc");
  assert.equal(decoder.decode(Buffer.from("d\xe2\x82x", "latin1"), false), "d");
  assert.ok(decoder.error instanceof UnicodeError);
  assert.equal(
    decoder.error.message,
    "utf-8 cannot decode 0xe2 0x82 in position 4: invalid continuation byte",
  );
  assert.equal(decoder.error.code, "ERR_UNICODE_DECODE");
  assert.equal(decoder.decode(Buffer.from("more"), true), "");
});

test("bytes that are all bad are decoded in time that grows with their number", () => {
  for (const encoding of ["utf-8", "ascii"])
    assertLinear(
      32_000,
      (size) => "\u00ff".repeat(size),
      (all) => {
        const { text } = decode(encoding, "replace", [Buffer.from(all, "latin1")]);
        assert.equal(text.length, all.length);
      },
    );
});
