import assert from "node:assert/strict";
import { test } from "node:test";
import { renderBytes } from "#dist/cli/render.js";

const cases: readonly (readonly [name: string, bytes: Buffer, shown: string])[] = [
  ["nothing for no bytes", Buffer.alloc(0), ""],
  ["text as text", Buffer.from("grüße, 世界 👋"), "grüße, 世界 👋"],
  ["line ends and tabs by name", Buffer.from("a\r\nb\tc\0"), "a\\r\\nb\\tc\\0"],
  ["a backslash doubled", Buffer.from("\\n"), "\\\\n"],
  ["terminal sequences escaped", Buffer.from("\x1b[31mred\x07\x7f"), "\\x1b[31mred\\x07\\x7f"],
  ["C1 controls escaped", Buffer.from("\u009b31m"), "\\u{9b}31m"],
  ["bidirectional overrides escaped", Buffer.from("a\u202eb"), "a\\u{202e}b"],
  ["separators and a byte order mark escaped", Buffer.from("\u2028\ufeff"), "\\u{2028}\\u{feff}"],
  ["bytes that are not UTF-8 in hex", Buffer.from([0xff, 0x41, 0x80]), "\\xffA\\x80"],
  ["a character cut at the end in hex", Buffer.from("é").subarray(0, 1), "\\xc3"],
  ["an overlong form in hex", Buffer.from([0xc0, 0xaf, 0xe0, 0x80, 0xaf]), "\\xc0\\xaf\\xe0\\x80\\xaf"],
  ["a surrogate in hex", Buffer.from([0xed, 0xa0, 0x80]), "\\xed\\xa0\\x80"],
  ["what lies beyond U+10FFFF in hex", Buffer.from([0xf4, 0x90, 0x80, 0x80]), "\\xf4\\x90\\x80\\x80"],
];

for (const [name, bytes, shown] of cases)
  test(`renderBytes() shows ${name}`, () => assert.equal(renderBytes(bytes), shown));

test("renderBytes() shows a bounded part of a long message and counts the rest", () => {
  assert.equal(renderBytes(Buffer.alloc(1000, "x"), 10), "xxxxxxxxxx … 990 more bytes");
  assert.ok(renderBytes(Buffer.alloc(1 << 20, 0)).length < 200);
});

test("renderBytes() prints one line without control characters for every byte", () => {
  for (let byte = 0; byte < 256; byte++) assert.match(renderBytes(Buffer.from([byte])), /^[!-~ ]+$/);
});

test("renderBytes() agrees with TextDecoder on which three-byte sequences are UTF-8", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let lead = 0xe0; lead < 0xf0; lead++)
    for (let second = 0x70; second < 0xd0; second++) {
      const bytes = Buffer.from([lead, second, 0x80]);
      let valid = true;
      try {
        decoder.decode(bytes);
      } catch {
        valid = false;
      }
      assert.equal(renderBytes(bytes).startsWith("\\x"), !valid, bytes.toString("hex"));
    }
});
