// Autobahn's case families against the parser, at every delivery; the sizes of family 9; and the limits by name.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WEBSOCKET_REFUSALS, closeCodeOfRefusal } from "berkeley/websocket";
import type { WebSocketParserOptions } from "berkeley/websocket";
import { deliveries } from "../support/streams.ts";
import { CASES } from "./cases.ts";
import type { Case } from "./cases.ts";
import { BINARY, CONTINUATION, PING, TEXT, closeFrame, frame } from "./frames.ts";
import { parse } from "./parsing.ts";

/** Byte by byte what is long would take the time of a thousand cases, and shows nothing more. */
const EACH_BYTE_MAX = 10_000;

/** As Autobahn calls its families; 8 and 11 were never published, 9 and 10 are in autobahn-echo.test.ts, 12 and 13 in compression.test.ts. */
const FAMILIES: Readonly<Record<string, string>> = {
  1: "1 framing",
  2: "2 pings and pongs",
  3: "3 reserved bits",
  4: "4 opcodes",
  5: "5 fragmentation",
  6: "6 UTF-8",
  7: "7 closing",
  "": "beyond it",
};

const familyOf = ({ name }: Case): string => /^\d+/.exec(name)?.[0] ?? "";

test("the cases are of all of Autobahn's families that a parser can be asked", () => {
  assert.deepEqual(new Set(CASES.map(familyOf)), new Set(Object.keys(FAMILIES)));
});

for (const [family, title] of Object.entries(FAMILIES))
  for (const [how, cut] of Object.entries(deliveries))
    test(`WebSocketParser.next() tells or refuses Autobahn's cases, ${title}, when delivered ${how}`, () => {
      const cases = CASES.filter((one) => familyOf(one) === family);
      for (const { name, bytes, told, refused } of cases) {
        if (how === "byte by byte" && bytes.length > EACH_BYTE_MAX) continue;
        const found = parse(cut(bytes));
        assert.equal(found.error?.code, refused, name);
        assert.deepEqual(found.told, told, name);
      }
    });

test("WebSocketParser.next() refuses again with the same error", () => {
  const bytes = frame({ opcode: 3 });
  const { error } = parse([bytes, frame({ opcode: TEXT, payload: "a" })]);
  assert.equal(error?.code, "ERR_WEBSOCKET_OPCODE");
});

test("WebSocketParser.next() refuses text with its first wrong byte when the frame is not all here", () => {
  const head = frame({ opcode: TEXT, payload: "", length: 21n });
  const key = head.readUInt32BE(2);
  // 6.4: valid, then a byte that no UTF-8 has, then more to come.
  const payload = Buffer.from("cebae1bdb9cf83cebcceb5f4908080", "hex");
  const masked = frame({ opcode: TEXT, payload, key }).subarray(6);
  for (let at = 0; at <= 12; at++) {
    const { error } = parse([head, masked.subarray(0, at)]);
    assert.equal(error?.code, at < 13 ? undefined : "ERR_WEBSOCKET_UTF8", `${at} bytes`);
  }
  // f4 may be followed by 80 to 8f.
  assert.equal(parse([head, masked.subarray(0, 13)]).error?.code, "ERR_WEBSOCKET_UTF8");
});

const MIB = 1_048_576;

test("WebSocketParser.next() gives the messages of Autobahn's family 9, of 64 KiB to 4 MiB, whole, in fragments and in small pieces", () => {
  const limits = { frameBytesMax: 8 * MIB, messageBytesMax: 8 * MIB };
  for (const size of [65_536, 262_144, MIB, 4 * MIB])
    for (const [fragment, chop] of [
      [size, size],
      [size, 997],
      [4096, 65_536],
      [65_536, 64_000],
    ] as const) {
      const payload = Buffer.alloc(size, "0123456789 äöü");
      const frames: Buffer[] = [];
      for (let at = 0; at < size; at += fragment)
        frames.push(
          frame({
            opcode: at === 0 ? BINARY : CONTINUATION,
            payload: payload.subarray(at, at + fragment),
            fin: at + fragment >= size,
          }),
        );
      const bytes = Buffer.concat(frames);
      const pieces: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += chop) pieces.push(bytes.subarray(at, at + chop));
      const { told, error } = parse(pieces, { from: "client", limits });
      assert.equal(error, undefined);
      assert.equal(told.length, 1);
      assert.ok(told[0]?.["bytes"] === payload.toString("hex"), `${size} in ${fragment}, ${chop}`);
    }
});

const limited: WebSocketParserOptions = {
  from: "client",
  limits: { frameBytesMax: 10, messageBytesMax: 15 },
};
const ten = "*".repeat(10);

test("WebSocketParser.next() refuses a frame over frameBytesMax with its head", () => {
  assert.equal(parse([frame({ opcode: TEXT, payload: ten })], limited).told.length, 1);
  const head = frame({ opcode: TEXT, length: 11n });
  assert.equal(parse([head], limited).error?.code, "ERR_WEBSOCKET_FRAME_TOO_LARGE");
});

test("WebSocketParser.next() refuses a message over messageBytesMax with the head of the frame that is too much", () => {
  const first = frame({ opcode: TEXT, payload: ten, fin: false });
  const enough = frame({ opcode: CONTINUATION, payload: "*****" });
  assert.equal(parse([first, enough], limited).told.length, 1);
  const more = frame({ opcode: CONTINUATION, length: 6n });
  assert.equal(parse([first, more], limited).error?.code, "ERR_WEBSOCKET_MESSAGE_TOO_LARGE");
  // What has been counted is not counted again.
  assert.equal(parse([first, enough, first, enough], limited).told.length, 2);
});

test("WebSocketParser.next() refuses a server's frame that is masked, and takes one that is not", () => {
  const plain = frame({ opcode: TEXT, payload: "ä", key: false });
  assert.deepEqual(parse([plain], { from: "server" }).told, [{ type: "text", text: "ä" }]);
  const masked = frame({ opcode: TEXT, payload: "a" });
  assert.equal(parse([masked], { from: "server" }).error?.code, "ERR_WEBSOCKET_MASK_UNEXPECTED");
});

test("WebSocketParser.next() gives compressed messages as they are where compression was agreed on", () => {
  const options: WebSocketParserOptions = { from: "client", compression: true };
  const frames = [
    frame({ opcode: TEXT, payload: "\u0001\u0002", rsv: 4 }),
    frame({ opcode: BINARY, payload: "ab", rsv: 4, fin: false }),
    frame({ opcode: PING }),
    frame({ opcode: CONTINUATION, payload: "cd" }),
    frame({ opcode: TEXT, payload: "plain" }),
  ];
  for (const cut of Object.values(deliveries))
    assert.deepEqual(parse(cut(Buffer.concat(frames)), options).told, [
      { type: "compressed", isText: true, bytes: "0102" },
      { type: "ping", bytes: "" },
      { type: "compressed", isText: false, bytes: "61626364" },
      { type: "text", text: "plain" },
    ]);
  for (const wrong of [
    [frame({ opcode: TEXT, rsv: 2 })],
    [frame({ opcode: PING, rsv: 4 })],
    [frame({ opcode: TEXT, fin: false }), frame({ opcode: CONTINUATION, rsv: 4 })],
  ])
    assert.equal(parse(wrong, options).error?.code, "ERR_WEBSOCKET_RESERVED_BITS");
});

test("WebSocketParser.next() says closed when the peer ends behind its Close, and refuses an end before it", () => {
  assert.deepEqual(parse([closeFrame(1000)], { from: "client" }, true).told, [
    { type: "close", code: 1000, reason: "" },
    { type: "closed" },
  ]);
  for (const pieces of [
    [],
    [frame({ opcode: TEXT, payload: "a" })],
    [frame({ opcode: TEXT, payload: "a", fin: false })],
    [frame({ opcode: TEXT, length: 5n })],
    [frame({ opcode: TEXT, payload: "a" }).subarray(0, 1)],
  ])
    assert.equal(parse(pieces, { from: "client" }, true).error?.code, "ERR_WEBSOCKET_UNEXPECTED_END");
});

test("closeCodeOfRefusal() gives each refusal a code that tells what was wrong", () => {
  const byCode = new Map(WEBSOCKET_REFUSALS.map((code) => [code, 0]));
  for (const { refused, bytes } of CASES) {
    if (refused === undefined) continue;
    const { error } = parse([bytes]);
    assert.ok(error !== undefined);
    const expected =
      refused === "ERR_WEBSOCKET_UTF8" ? 1007 : refused === "ERR_WEBSOCKET_FRAME_TOO_LARGE" ? 1009 : 1002;
    assert.equal(closeCodeOfRefusal(error), expected, refused);
    byCode.set(error.code as never, 1);
  }
  assert.equal([...byCode.values()].filter((seen) => seen === 1).length, 11);
});
