// Autobahn's families that ask a whole server: 9, large messages in all kinds of pieces and small ones one after another,
// and 10, a text in fragments of one size. Raw frames over TCP, and what the server says in answer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BINARY, CONTINUATION, TEXT, closeFrame, frame } from "./frames.ts";
import { parse } from "./parsing.ts";
import { serving } from "./serving.ts";
import type { RawSocket } from "./serving.ts";

const MIB = 1_048_576;
const limits = { frameBytesMax: 16 * MIB, messageBytesMax: 16 * MIB };
const KEY = 0x5a_a5_0f_f0;

/** What an echo server answers a message with: one frame. */
function answerTo(opcode: number, payload: Buffer): Buffer {
  return frame({ opcode, payload, key: false });
}

/** A message in fragments of so many bytes. */
function fragments(opcode: number, payload: Buffer, size: number): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < payload.length; at += size)
    frames.push(
      frame({
        opcode: at === 0 ? opcode : CONTINUATION,
        payload: payload.subarray(at, at + size),
        fin: at + size >= payload.length,
        key: KEY,
      }),
    );
  return frames;
}

async function echoes(
  raw: RawSocket,
  opcode: number,
  payload: Buffer,
  pieces: readonly Buffer[],
): Promise<void> {
  const expected = answerTo(opcode, payload);
  const sending = (async () => {
    for (const piece of pieces) await raw.send(piece);
  })();
  const answer = await raw.bytes(expected.length);
  await sending;
  assert.ok(answer.equals(expected), `${payload.length} bytes in ${pieces.length} pieces`);
}

const ASCII = "*";
const BYTE = 0xfe;

for (const [family, opcode, fill] of [
  ["9.1", TEXT, ASCII],
  ["9.2", BINARY, BYTE],
] as const)
  test(`an echo server answers Autobahn's ${family}: messages of 64 KiB to 16 MiB`, async () => {
    await using at = await serving(undefined, { limits });
    await using raw = await at.raw();
    for (const size of [65_536, 262_144, MIB, 4 * MIB, 8 * MIB, 16 * MIB]) {
      const payload = Buffer.alloc(size, fill);
      await echoes(raw, opcode, payload, [frame({ opcode, payload, key: KEY })]);
    }
  });

for (const [family, opcode, fill] of [
  ["9.3", TEXT, ASCII],
  ["9.4", BINARY, BYTE],
] as const)
  test(`an echo server answers Autobahn's ${family}: 4 MiB in fragments of 64 bytes to 4 MiB`, async () => {
    await using at = await serving(undefined, { limits });
    await using raw = await at.raw();
    const payload = Buffer.alloc(4 * MIB, fill);
    for (const size of [64, 256, 1024, 4096, 16_384, 65_536, 262_144, MIB, 4 * MIB])
      await echoes(raw, opcode, payload, [Buffer.concat(fragments(opcode, payload, size))]);
  });

for (const [family, opcode, fill] of [
  ["9.5", TEXT, ASCII],
  ["9.6", BINARY, BYTE],
] as const)
  test(`an echo server answers Autobahn's ${family}: 1 MiB sent in chops of 64 to 2048 bytes`, async () => {
    await using at = await serving(undefined, { limits });
    await using raw = await at.raw();
    const payload = Buffer.alloc(MIB, fill);
    const whole = frame({ opcode, payload, key: KEY });
    for (const chop of [64, 128, 256, 512, 1024, 2048]) {
      const pieces: Buffer[] = [];
      for (let from = 0; from < whole.length; from += chop) pieces.push(whole.subarray(from, from + chop));
      await echoes(raw, opcode, payload, pieces);
    }
  });

for (const [family, opcode, fill] of [
  ["9.7", TEXT, ASCII],
  ["9.8", BINARY, BYTE],
] as const)
  test(`an echo server answers Autobahn's ${family}: 1000 messages of each small size, one after another`, async () => {
    await using at = await serving();
    await using raw = await at.raw();
    for (const size of [0, 16, 64, 256, 1024, 4096]) {
      const payload = Buffer.alloc(size, fill);
      const asked = frame({ opcode, payload, key: KEY });
      const expected = answerTo(opcode, payload);
      for (let count = 0; count < 1000; count++) {
        await raw.send(asked);
        assert.ok((await raw.bytes(expected.length)).equals(expected));
      }
    }
  });

test("an echo server answers Autobahn's 10.1.1: a text of 64 KiB in fragments of 1300 bytes", async () => {
  await using at = await serving();
  await using raw = await at.raw();
  const payload = Buffer.alloc(65_536, ASCII);
  await raw.send(...fragments(TEXT, payload, 1300), closeFrame(1000));
  const { told } = parse([await raw.toEnd()], { from: "server" });
  assert.deepEqual(told, [
    { type: "text", text: payload.toString() },
    { type: "close", code: 1000, reason: "" },
  ]);
});
