// The case families of the Autobahn test suite as its documentation lists them, made anew as a table: what a client sends,
// and what a server is told of it, or why it refuses. 1 framing, 2 pings and pongs, 3 reserved bits, 4 opcodes, 5
// fragmentation, 7 closing; the texts of 6 are in texts.ts.

import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closeFrame, frame } from "./frames.ts";
import type { Told } from "./parsing.ts";
import { textCases } from "./texts.ts";

/** One case. */
export interface Case {
  /** As Autobahn numbers it. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly told: readonly Told[];
  /** Behind that; undefined: nothing is refused. */
  readonly refused?: string | undefined;
}

const text = (payload: string, fin = true): Buffer => frame({ opcode: TEXT, payload, fin });
const more = (payload: string, fin = false): Buffer => frame({ opcode: CONTINUATION, payload, fin });
const last = (payload: string): Buffer => more(payload, true);
const ping = (payload: Buffer | string = ""): Buffer => frame({ opcode: PING, payload });
const pong = (payload: Buffer | string = ""): Buffer => frame({ opcode: PONG, payload });

const saysText = (value: string): Told => ({ type: "text", text: value });
const saysPing = (value: string): Told => ({ type: "ping", bytes: Buffer.from(value).toString("hex") });
const saysPong = (value: string): Told => ({ type: "pong", bytes: Buffer.from(value).toString("hex") });
const saysClose = (code: number, reason = ""): Told => ({ type: "close", code, reason });

const CLOSING = closeFrame(1000);
const CLOSED = saysClose(1000);

function one(name: string, pieces: readonly Buffer[], told: readonly Told[], code?: string): Case {
  return { name, bytes: Buffer.concat(pieces), told, refused: code };
}

/** What is refused is so whatever follows. */
function refused(name: string, pieces: readonly Buffer[], told: readonly Told[], code: string): Case {
  return one(name, [...pieces, CLOSING], told, code);
}

/** What is taken, and closed in the end. */
function taken(name: string, pieces: readonly Buffer[], told: readonly Told[]): Case {
  return one(name, [...pieces, CLOSING], [...told, CLOSED]);
}

const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536];

const framing: readonly Case[] = SIZES.flatMap((size, index) => [
  taken(`1.1.${index + 1} text of ${size}`, [text("*".repeat(size))], [saysText("*".repeat(size))]),
  taken(
    `1.2.${index + 1} binary of ${size}`,
    [frame({ opcode: BINARY, payload: Buffer.alloc(size, 0xfe) })],
    [{ type: "binary", bytes: "fe".repeat(size) }],
  ),
]);

const hello = text("Hello, world!");
const saysHello = saysText("Hello, world!");

const RAW = "\u0000ÿþýüû\u0000";
const pings: readonly Case[] = [
  taken("2.1 a ping without payload", [ping()], [saysPing("")]),
  taken("2.2 a ping with text", [ping("Hello, world!")], [saysPing("Hello, world!")]),
  taken("2.3 a ping with bytes", [ping(RAW)], [saysPing(RAW)]),
  taken("2.4 a ping of 125", [ping("*".repeat(125))], [saysPing("*".repeat(125))]),
  refused("2.5 a ping of 126", [ping("*".repeat(126))], [], "ERR_WEBSOCKET_CONTROL_TOO_LONG"),
  taken("2.7 a pong nobody asked for", [pong()], [saysPong("")]),
  taken("2.8 the same with payload", [pong("unsolicited")], [saysPong("unsolicited")]),
  taken("2.9 a pong, then a ping", [pong("a"), ping("b")], [saysPong("a"), saysPing("b")]),
  taken(
    "2.6 a ping of 125 behind a text",
    [hello, ping("*".repeat(125))],
    [saysHello, saysPing("*".repeat(125))],
  ),
  taken(
    "2.10 ten pings",
    Array.from({ length: 10 }, (_, n) => ping(`payload-${n}`)),
    Array.from({ length: 10 }, (_, n) => saysPing(`payload-${n}`)),
  ),
];

const RESERVED = "ERR_WEBSOCKET_RESERVED_BITS";
const reserved: readonly Case[] = [
  refused("3.1 RSV 1 on text", [frame({ opcode: TEXT, payload: "a", rsv: 1 })], [], RESERVED),
  ...[2, 3, 4].map((rsv) =>
    refused(
      `3.${rsv} RSV ${rsv} on the second text`,
      [hello, frame({ opcode: TEXT, payload: "a", rsv }), ping()],
      [saysHello],
      RESERVED,
    ),
  ),
  refused("3.5 RSV 5 on binary", [frame({ opcode: BINARY, payload: "a", rsv: 5 })], [], RESERVED),
  refused("3.6 RSV 6 on a ping", [frame({ opcode: PING, rsv: 6 })], [], RESERVED),
  refused("3.7 RSV 7 on a Close", [frame({ opcode: CLOSE, rsv: 7 })], [], RESERVED),
];

const opcodes: readonly Case[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode) => {
  const name = `4.${opcode < 8 ? 1 : 2}.${opcode < 8 ? opcode - 2 : opcode - 10}`;
  return [
    refused(`${name} opcode ${opcode}`, [frame({ opcode })], [], "ERR_WEBSOCKET_OPCODE"),
    refused(
      `${name} opcode ${opcode} with payload, behind a text`,
      [hello, frame({ opcode, payload: "reserved" }), ping()],
      [saysHello],
      "ERR_WEBSOCKET_OPCODE",
    ),
  ];
});

const FRAGMENTATION = "ERR_WEBSOCKET_FRAGMENTATION";
const fragmentation: readonly Case[] = [
  refused(
    "5.1 a ping in fragments",
    [frame({ opcode: PING, payload: "a", fin: false }), last("b")],
    [],
    "ERR_WEBSOCKET_CONTROL_FRAGMENTED",
  ),
  refused(
    "5.2 a pong in fragments",
    [frame({ opcode: PONG, payload: "a", fin: false }), last("b")],
    [],
    "ERR_WEBSOCKET_CONTROL_FRAGMENTED",
  ),
  taken("5.3 text in two fragments", [text("frag", false), last("ment")], [saysText("fragment")]),
  taken(
    "5.6 a ping between two fragments",
    [text("frag", false), ping("in"), last("ment")],
    [saysPing("in"), saysText("fragment")],
  ),
  refused("5.9 a last fragment of nothing", [last("a"), hello], [], FRAGMENTATION),
  refused("5.12 a fragment of nothing", [more("a"), hello], [], FRAGMENTATION),
  refused(
    "5.15 a fragment of nothing behind a message in fragments",
    [text("frag", false), last("ment"), more("a"), hello],
    [saysText("fragment")],
    FRAGMENTATION,
  ),
  refused("5.16 a fragment of nothing, then text", [more("a"), hello, more("b"), hello], [], FRAGMENTATION),
  refused("5.17 a last fragment of nothing, then text", [last("a"), hello, last("b")], [], FRAGMENTATION),
  refused("5.18 a text inside of a text", [text("a", false), text("b")], [], FRAGMENTATION),
  taken(
    "5.19 five fragments, two pings between them",
    [text("1", false), more("2"), ping("a"), more("3"), more("4"), ping("b"), last("5")],
    [saysPing("a"), saysPing("b"), saysText("12345")],
  ),
  taken(
    "5.20 bytes in fragments with a pong between each",
    [frame({ opcode: BINARY, payload: "ab", fin: false }), pong("x"), more("cd"), pong("y"), last("ef")],
    [saysPong("x"), saysPong("y"), { type: "binary", bytes: Buffer.from("abcdef").toString("hex") }],
  ),
];

const CODE = "ERR_WEBSOCKET_CLOSE_CODE";
const closing: readonly Case[] = [
  taken("7.1.1 a message, then a Close", [hello], [saysHello]),
  one("7.1.2 two Closes", [CLOSING, CLOSING], [CLOSED]),
  one("7.1.3 a ping behind the Close", [CLOSING, ping("a")], [CLOSED]),
  one("7.1.4 a text behind the Close", [CLOSING, hello], [CLOSED]),
  one("7.1.5 a Close between two fragments", [text("a", false), CLOSING, last("b")], [CLOSED]),
  one(
    "7.1.6 256 KiB, a Close, a ping",
    [text("b".repeat(262_144)), CLOSING, ping()],
    [saysText("b".repeat(262_144)), CLOSED],
  ),
  one("7.3.1 a Close without payload", [closeFrame()], [saysClose(1005)]),
  one(
    "7.3.2 a Close with one byte",
    [frame({ opcode: CLOSE, payload: "\u0003" })],
    [],
    "ERR_WEBSOCKET_CLOSE_PAYLOAD",
  ),
  one("7.3.3 a Close with a code", [closeFrame(1000)], [CLOSED]),
  one("7.3.4 a Close with a reason", [closeFrame(1000, "Hello")], [saysClose(1000, "Hello")]),
  one(
    "7.3.5 a Close with the longest reason",
    [closeFrame(1000, "*".repeat(123))],
    [saysClose(1000, "*".repeat(123))],
  ),
  one(
    "7.3.6 a Close with a longer one",
    [closeFrame(1000, "*".repeat(124))],
    [],
    "ERR_WEBSOCKET_CONTROL_TOO_LONG",
  ),
  one(
    "7.5.1 a reason that is no UTF-8",
    [closeFrame(1000, Buffer.from("cebae1bdb9cf83cebcceb5eda08065646974", "hex"))],
    [],
    "ERR_WEBSOCKET_UTF8",
  ),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map(
    (code) => one(`7.7 a Close with ${code}`, [closeFrame(code, "a")], [saysClose(code, "a")]),
  ),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999].map((code) =>
    one(`7.9 a Close with ${code}`, [closeFrame(code)], [], CODE),
  ),
  ...[5000, 65_535].map((code) => one(`7.13 a Close with ${code}`, [closeFrame(code)], [], CODE)),
];

/** Not of Autobahn's: what is said twice in the RFC and checked by few. */
const strict: readonly Case[] = [
  refused("no mask", [frame({ opcode: TEXT, payload: "a", key: false })], [], "ERR_WEBSOCKET_MASK_MISSING"),
  refused(
    "a length of 125 in two bytes",
    [frame({ opcode: TEXT, payload: "*".repeat(125), lengthBytes: 2 })],
    [],
    "ERR_WEBSOCKET_LENGTH",
  ),
  refused(
    "a length of 65535 in eight bytes",
    [frame({ opcode: TEXT, payload: "*".repeat(65_535), lengthBytes: 8 })],
    [],
    "ERR_WEBSOCKET_LENGTH",
  ),
  refused(
    "a length with its highest bit set",
    [frame({ opcode: BINARY, length: 2n ** 63n })],
    [],
    "ERR_WEBSOCKET_LENGTH",
  ),
  refused(
    "a length of all the world",
    [frame({ opcode: BINARY, length: 2n ** 62n })],
    [],
    "ERR_WEBSOCKET_FRAME_TOO_LARGE",
  ),
];

/** All of them. */
export const CASES: readonly Case[] = [
  ...framing,
  ...pings,
  ...reserved,
  ...opcodes,
  ...fragmentation,
  ...textCases().map(({ name, frames, value }) =>
    value === undefined
      ? refused(name, frames, [], "ERR_WEBSOCKET_UTF8")
      : taken(name, frames, [saysText(value)]),
  ),
  ...closing,
  ...strict,
];
