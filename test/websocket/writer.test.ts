// The writer: its bytes to the letter, its refusals, and that the parser reads what it wrote, for both roles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocketWriter } from "berkeley/websocket";
import type { WebSocketParserOptions } from "berkeley/websocket";
import { LocalProtocolError } from "berkeley/wire";
import { deliveries } from "../support/streams.ts";
import { Random } from "../support/random.ts";
import { BINARY, PING, PONG, TEXT, closeFrame, frame } from "./frames.ts";
import { parse } from "./parsing.ts";
import type { Told } from "./parsing.ts";

const KEY = 0x37_fa_21_3d;
const maskKey = (): number => KEY;

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof LocalProtocolError && error.code === code;

/** Around every way to write a length, and around what is written into shared memory. */
const SIZES = [0, 1, 41, 42, 125, 126, 127, 4078, 4082, 4090, 4095, 4096, 5000, 65_535, 65_536, 200_000];

for (const from of ["client", "server"] as const) {
  const key = from === "client" ? KEY : false;

  test(`WebSocketWriter writes the frames of a ${from} to the letter, of every size`, () => {
    const writer = new WebSocketWriter({ from, maskKey });
    for (const size of SIZES) {
      for (const character of ["a", "ä", "€", "𒍩"]) {
        const text = character.repeat(Math.floor(size / Buffer.byteLength(character)));
        writer.text(text);
        const expected = frame({ opcode: TEXT, payload: text, key });
        assert.equal(writer.length, expected.length);
        assert.ok(expected.equals(writer.take()), `text of ${size}`);
      }
      const bytes = Buffer.alloc(size, "0123456789");
      writer.binary(bytes);
      const expected = frame({ opcode: BINARY, payload: bytes, key });
      assert.equal(writer.length, expected.length);
      assert.ok(expected.equals(Buffer.concat(writer.takePieces())), `binary of ${size}`);
      assert.equal(writer.length, 0);
      assert.ok(bytes.equals(Buffer.alloc(size, "0123456789")), "the program's bytes are as they were");
    }
  });

  test(`WebSocketWriter writes many frames of a ${from} one behind the other, whoever writes in between`, () => {
    const writers = [0, 1].map(() => new WebSocketWriter({ from, maskKey }));
    const expected: Buffer[][] = [[], []];
    const random = new Random();
    for (let round = 0; round < 3000; round++) {
      const which = random.below(2);
      const payload = "x".repeat(random.onceIn(20) ? random.below(9000) : random.below(60));
      writers[which]?.text(payload);
      expected[which]?.push(frame({ opcode: TEXT, payload, key }));
      if (random.onceIn(50)) {
        const taken = writers[which]?.take();
        assert.ok(
          Buffer.concat(expected[which] ?? []).equals(taken ?? Buffer.alloc(0)),
          `seed ${random.seed}`,
        );
        expected[which] = [];
      }
    }
    // What was taken stays as it was when others write.
    const taken = writers.map((writer) => writer.take());
    for (let round = 0; round < 500; round++) writers[0]?.text("overwritten?");
    for (const [which, bytes] of taken.entries())
      assert.ok(Buffer.concat(expected[which] ?? []).equals(bytes), `seed ${random.seed}`);
  });
}

test("WebSocketWriter writes pings, pongs and Closes", () => {
  const writer = new WebSocketWriter({ from: "client", maskKey });
  writer.ping(Buffer.from("a"));
  writer.pong(Buffer.alloc(125, 1));
  writer.ping();
  writer.close(1001, "grüße");
  const expected = [
    frame({ opcode: PING, payload: "a" }),
    frame({ opcode: PONG, payload: Buffer.alloc(125, 1) }),
    frame({ opcode: PING }),
    closeFrame(1001, "grüße"),
  ];
  assert.ok(Buffer.concat(expected).equals(writer.take()));
  const bare = new WebSocketWriter({ from: "server" });
  bare.close(1005);
  assert.ok(closeFrame(undefined, "", false).equals(bare.take()));
});

test("WebSocketWriter refuses what the peer would refuse, and writes none of it", () => {
  const writer = new WebSocketWriter({ from: "client" });
  const long = Buffer.alloc(126);
  assert.throws(() => writer.ping(long), refusedWith("ERR_WEBSOCKET_CONTROL_TOO_LONG"));
  assert.throws(() => writer.pong(long), refusedWith("ERR_WEBSOCKET_CONTROL_TOO_LONG"));
  assert.throws(() => writer.close(1000, "ä".repeat(62)), refusedWith("ERR_WEBSOCKET_CONTROL_TOO_LONG"));
  for (const code of [0, 999, 1004, 1006, 1015, 2999, 5000, 1000.5, NaN])
    assert.throws(() => writer.close(code), refusedWith("ERR_WEBSOCKET_CLOSE_CODE"), String(code));
  assert.throws(() => writer.close(1005, "why"), refusedWith("ERR_WEBSOCKET_CLOSE_CODE"));
  assert.throws(() => writer.compressed(true, long), refusedWith("ERR_WEBSOCKET_COMPRESSION"));
  assert.equal(writer.length, 0);
  writer.fragment("a", false);
  const begun = writer.length;
  assert.throws(() => writer.text("b"), refusedWith("ERR_WEBSOCKET_SEQUENCE"));
  assert.throws(() => writer.binary(long), refusedWith("ERR_WEBSOCKET_SEQUENCE"));
  assert.throws(() => writer.prepared(long), refusedWith("ERR_WEBSOCKET_SEQUENCE"));
  assert.throws(() => writer.fragment("\ud800", false), refusedWith("ERR_WEBSOCKET_UTF8"));
  assert.equal(writer.length, begun);
  writer.close();
  const closed = writer.length;
  for (const act of [
    () => writer.text("a"),
    () => writer.ping(),
    () => writer.pong(),
    () => writer.close(),
    () => writer.fragment("a", true),
    () => writer.prepared(long),
  ])
    assert.throws(act, refusedWith("ERR_WEBSOCKET_CLOSED"));
  assert.equal(writer.length, closed);
});

/** Random messages and what is to be told of them. */
function conversation(random: Random, writer: WebSocketWriter): Told[] {
  const told: Told[] = [];
  const control = (): void => {
    const bytes = Buffer.alloc(random.below(126), random.below(256));
    if (random.onceIn(2)) writer.ping(bytes);
    else writer.pong(bytes);
  };
  for (let count = random.below(6); count > 0; count--) {
    const size = random.onceIn(4) ? random.below(70_000) : random.below(300);
    const text = random.pick(["a", "ß", "€", "𒍩", "a€"]).repeat(Math.ceil(size / 4));
    const isText = random.onceIn(2);
    const data = isText ? text : Buffer.from(text);
    const says: Told = isText
      ? { type: "text", text }
      : { type: "binary", bytes: Buffer.from(text).toString("hex") };
    if (random.onceIn(2)) {
      if (isText) writer.text(text);
      else writer.binary(Buffer.from(text));
      told.push(says);
      continue;
    }
    // In fragments, at characters of two units too.
    let at = 0;
    do {
      let end = Math.min(data.length, at + random.below(data.length + 1));
      if (isText && /[\ud800-\udbff]$/.test(text.slice(at, end))) end++;
      writer.fragment(
        isText ? text.slice(at, end) : Buffer.from(text).subarray(at, end),
        end === data.length,
      );
      at = end;
      if (at < data.length && random.onceIn(3)) {
        const before = writer.length;
        control();
        assert.ok(writer.length > before);
        told.push({ type: "control" });
      }
    } while (at < data.length);
    told.push(says);
  }
  writer.close(1000, "done");
  told.push({ type: "close", code: 1000, reason: "done" });
  return told;
}

const plain = (told: readonly Told[]): Told[] =>
  told.map((one) => (one.type === "ping" || one.type === "pong" ? { type: "control" } : one));

test("WebSocketParser reads what WebSocketWriter wrote, at random cuts, for both roles", () => {
  const random = new Random();
  const cut = deliveries["at random cuts"] as (bytes: Buffer, random: Random) => Buffer[];
  for (let round = 0; round < 150; round++) {
    const from = random.pick(["client", "server"] as const);
    const options: WebSocketParserOptions = { from };
    const writer = new WebSocketWriter({ from });
    const expected = conversation(random, writer);
    const bytes = Buffer.concat(writer.takePieces());
    for (const pieces of [[bytes], cut(bytes, random)]) {
      const { told, error } = parse(pieces, options);
      assert.equal(error, undefined, `seed ${random.seed}`);
      assert.deepEqual(plain(told), expected, `seed ${random.seed}`);
    }
  }
});

test("WebSocketWriter makes keys that differ, four bytes from the system's randomness", () => {
  const writer = new WebSocketWriter({ from: "client" });
  const keys = new Set<number>();
  for (let count = 0; count < 2000; count++) {
    writer.ping();
    keys.add(Buffer.from(writer.take()).readUInt32BE(2));
  }
  assert.ok(keys.size > 1990, `${keys.size} of 2000`);
});

test("take() gives bytes that no transfer of another writer's takes away", () => {
  const [first, second] = [new WebSocketWriter({ from: "server" }), new WebSocketWriter({ from: "server" })];
  first.text("first");
  second.text("second");
  const { buffer } = first.take();
  try {
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  } catch (error) {
    assert.equal((error as Error).name, "DataCloneError"); // newer Nodes say so
  }
  assert.deepEqual(Buffer.from(second.take()), frame({ opcode: TEXT, payload: "second", key: false }));
});
