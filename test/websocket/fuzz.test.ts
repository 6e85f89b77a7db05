// What is broken at random is told or refused alike however it is cut, nothing but a ProtocolError is thrown, time grows
// with the bytes, and memory stays within the limits. FUZZ_SEED repeats a run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocketParser } from "berkeley/websocket";
import { NEED_DATA } from "berkeley/wire";
import { assertLinear } from "../support/growth.ts";
import { grownBy } from "../support/memory.ts";
import { Random } from "../support/random.ts";
import { deliveries } from "../support/streams.ts";
import { CASES } from "./cases.ts";
import { BINARY, CONTINUATION, PING, PONG, TEXT, frame } from "./frames.ts";
import { parse } from "./parsing.ts";
import type { Outcome } from "./parsing.ts";

function broken(random: Random, bytes: Buffer): Buffer {
  const made = Buffer.from(bytes);
  for (let count = 1 + random.below(4); count > 0 && made.length > 0; count--)
    made[random.below(made.length)] = random.below(256);
  return random.onceIn(3) ? made.subarray(0, random.below(made.length + 1)) : made;
}

const summary = ({ told, error }: Outcome): unknown => ({ told, code: error?.code });

test("WebSocketParser tells or refuses what was broken at random alike, however it is cut", () => {
  const random = new Random();
  const short = CASES.filter(({ bytes }) => bytes.length < 1000);
  let refused = 0;
  const ROUNDS = 3000;
  for (let round = 0; round < ROUNDS; round++) {
    const pieces = [random.pick(short).bytes, random.pick(short).bytes, random.pick(short).bytes];
    const bytes = broken(random, Buffer.concat(pieces));
    const from = random.onceIn(5) ? "server" : "client";
    const compression = random.onceIn(2);
    const ends = random.onceIn(2);
    const outcomes = Object.values(deliveries).map((cut) =>
      parse(cut(bytes, random), { from, compression }, ends),
    );
    const [first, ...others] = outcomes.map(summary);
    for (const other of others)
      assert.deepEqual(other, first, `seed ${random.seed}: ${bytes.toString("hex")}`);
    if (outcomes[0]?.error !== undefined) refused++;
  }
  assert.ok(refused > ROUNDS / 4 && refused < ROUNDS, `${refused} of ${ROUNDS} were refused`);
});

test("WebSocketParser throws nothing but a ProtocolError at bytes that are no frames at all", () => {
  const random = new Random();
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
    if (bytes.length > 1 && random.onceIn(2)) {
      bytes[0] = random.pick([0x81, 0x82, 0x01, 0x80, 0x89, 0x88, 0xc1]);
      bytes[1] = (bytes[1] as number) | 0x80;
    }
    const cut = random.pick(Object.values(deliveries));
    parse(cut(bytes, random), { from: random.pick(["client", "server"] as const), compression: true }, true);
  }
});

/** What is sent, by a size, and in pieces of how many bytes. */
const worst: Readonly<
  Record<string, { readonly frames: (size: number) => Buffer[]; readonly piece: number }>
> = {
  "a message of one frame, byte by byte": {
    frames: (size) => [frame({ opcode: BINARY, payload: Buffer.alloc(size) })],
    piece: 1,
  },
  "a text of fragments of one byte": {
    frames: (size) => [
      frame({ opcode: TEXT, payload: "a", fin: false }),
      ...Array.from({ length: size }, () => frame({ opcode: CONTINUATION, payload: "a", fin: false })),
    ],
    piece: 7,
  },
  "fragments of nothing": {
    frames: (size) => [
      frame({ opcode: TEXT, fin: false }),
      ...Array.from({ length: size }, () => frame({ opcode: CONTINUATION, fin: false })),
    ],
    piece: 65_536,
  },
  "pings of 125": {
    frames: (size) => Array.from({ length: size }, () => frame({ opcode: PING, payload: "*".repeat(125) })),
    piece: 65_536,
  },
  "a text of characters cut in two": {
    frames: (size) => [frame({ opcode: TEXT, payload: "€".repeat(size) })],
    piece: 1,
  },
};

for (const [what, { frames, piece }] of Object.entries(worst))
  test(`WebSocketParser takes time in proportion to its input: ${what}`, () => {
    const textOf = (size: number): string => Buffer.concat(frames(size)).toString("latin1");
    assertLinear(2000, textOf, (text) => {
      const bytes = Buffer.from(text, "latin1");
      const parser = new WebSocketParser({ from: "client" });
      for (let at = 0; at < bytes.length; at += piece) {
        parser.receive(bytes.subarray(at, at + piece));
        while (parser.next() !== NEED_DATA);
      }
    });
  });

test("WebSocketParser sets nothing aside for what a head announces, and keeps no receive alive for a byte of it", () => {
  const limits = { frameBytesMax: 2 ** 28, messageBytesMax: 2 ** 28 };
  const before = process.memoryUsage().arrayBuffers;
  const parsers = Array.from({ length: 50 }, () => new WebSocketParser({ from: "client", limits }));
  for (const parser of parsers) {
    parser.receive(frame({ opcode: BINARY, length: BigInt(2 ** 28) }));
    for (let at = 0; at < 100; at++) {
      parser.receive(Buffer.alloc(1));
      assert.equal(parser.next(), NEED_DATA);
    }
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 8 * 2 ** 20, `${grown} bytes for 5000 bytes of 50 messages`);
  assert.equal(parsers.length, 50);
});

test("WebSocketParser keeps of each receive what is the message's: fragments between pongs hold no more than the message", async () => {
  const RECEIVE_BYTES = 65_536;
  const RECEIVES = 400;
  // Of 1100 bytes: small beside its receive, and large enough to be worth a view.
  const fragment = (opcode: number): Buffer => frame({ opcode, payload: Buffer.alloc(1100), fin: false });
  const pong = frame({ opcode: PONG, payload: Buffer.alloc(125) });
  const pongs = Buffer.concat(
    Array.from({ length: Math.floor((RECEIVE_BYTES - 1200) / pong.length) }, () => pong),
  );
  const before = process.memoryUsage().arrayBuffers;
  const parser = new WebSocketParser({ from: "client" });
  for (let at = 0; at < RECEIVES; at++) {
    const receive = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
    const head = fragment(at === 0 ? BINARY : CONTINUATION);
    head.copy(receive);
    pongs.copy(receive, head.length);
    parser.receive(receive.subarray(0, head.length + pongs.length));
    while (parser.next() !== NEED_DATA);
  }
  const enough = 4 * 1100 * RECEIVES;
  const grown = await grownBy(before, enough);
  assert.ok(grown <= enough, `${grown} bytes for a message of ${1100 * RECEIVES}`);
  assert.equal(parser.side, "message");
});
