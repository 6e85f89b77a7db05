// Time and memory of the parsers over the worst that a peer can send.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PAUSED, RequestParser } from "berkeley/http";
import { NEED_DATA } from "berkeley/wire";
import { assertLinear } from "../support/growth.ts";
import { latin1 } from "./parsing.ts";

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const NO_LIMITS = {
  startLineBytesMax: Infinity,
  headerBytesMax: Infinity,
  headerCountMax: Infinity,
  chunkExtensionBytesMax: Infinity,
  trailerBytesMax: Infinity,
};

/** What is sent, by a size, and in pieces of how many bytes. */
const worst: Readonly<Record<string, { readonly text: (size: number) => string; readonly piece: number }>> = {
  "chunks of one byte": { text: (size) => HEAD + "1\r\na\r\n".repeat(size), piece: 65_536 },
  "chunks of one byte, a byte at a time": { text: (size) => HEAD + "1\r\na\r\n".repeat(size), piece: 1 },
  "one long line, a byte at a time": { text: (size) => `GET /${"a".repeat(6 * size)}`, piece: 1 },
  "one long value, a byte at a time": {
    text: (size) => `GET / HTTP/1.1\r\nX: ${"a".repeat(6 * size)}`,
    piece: 1,
  },
  "one long blank, a byte at a time": {
    text: (size) => `GET / HTTP/1.1\r\nX:${" ".repeat(6 * size)}`,
    piece: 1,
  },
  "many fields, a byte at a time": {
    text: (size) => `GET / HTTP/1.1\r\n${"X: 1\r\n".repeat(size)}`,
    piece: 1,
  },
  "many fields": { text: (size) => `GET / HTTP/1.1\r\n${"X: 1\r\n".repeat(size)}`, piece: 65_536 },
  "one long extension, a byte at a time": { text: (size) => `${HEAD}1;${"a".repeat(6 * size)}`, piece: 1 },
  "many trailers, a byte at a time": { text: (size) => `${HEAD}0\r\n${"X: 1\r\n".repeat(size)}`, piece: 1 },
  "pipelined requests": {
    text: (size) => "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(size / 4),
    piece: 65_536,
  },
};

/** Parses it all and gives the most that was held. */
function parse(text: string, piece: number): number {
  const bytes = latin1(text);
  const parser = new RequestParser(NO_LIMITS);
  let held = 0;
  for (let at = 0; at < bytes.length; at += piece) {
    parser.receive(bytes.subarray(at, at + piece));
    for (;;) {
      const event = parser.next();
      if (event === NEED_DATA || event === PAUSED) break;
    }
    if (parser.pendingBytes > held) held = parser.pendingBytes;
  }
  return held;
}

for (const [what, { text, piece }] of Object.entries(worst))
  test(`next() takes time in proportion to the bytes: ${what}`, () => {
    assertLinear(4000, text, (whole) => parse(whole, piece));
  });

test("RequestParser holds no content: what it has not told of is at most what one receive() brought", () => {
  const held = parse(HEAD + "400\r\n" + "a".repeat(1024) + "\r\n", 100);
  assert.ok(held <= 100, `${held}`);
  assert.equal(
    parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + "a".repeat(1e6), 4096),
    0,
  );
});
