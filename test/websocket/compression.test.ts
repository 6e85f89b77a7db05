// permessage-deflate at work: Autobahn's families 12 and 13 between our own ends, for every agreement; order where
// compressing takes its time; blocks that say that they are the last.

import assert from "node:assert/strict";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { test } from "node:test";
import type { CompressionOptions } from "berkeley/websocket";
import { Random } from "../support/random.ts";
import { BINARY, TEXT, frame } from "./frames.ts";
import { parse } from "./parsing.ts";
import { echo, serving } from "./serving.ts";

const { Z_SYNC_FLUSH } = constants;
const AGREEMENTS: readonly CompressionOptions[] = [
  {},
  { serverNoContextTakeover: false },
  { clientNoContextTakeover: false },
  { serverNoContextTakeover: false, clientNoContextTakeover: false },
  { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  { serverNoContextTakeover: false, clientNoContextTakeover: false, serverMaxWindowBits: 9 },
];

/** Text that compresses, and bytes that do not. */
function message(random: Random, size: number): string | Buffer {
  if (random.onceIn(3)) return Buffer.from(Array.from({ length: size }, () => random.below(256)));
  return `${random.below(1000)} {"name": "ä€", "value": ${random.below(10)}} `.repeat(Math.ceil(size / 30));
}

for (const agreement of AGREEMENTS)
  test(`Autobahn's families 12 and 13, compressed messages of 0 to 128 KiB, come back in order and whole: ${JSON.stringify(agreement)}`, async () => {
    const random = new Random();
    const compression = { bytesMin: 0, ...agreement };
    await using at = await serving(echo, { compression });
    await using socket = await at.connect({ compression });
    assert.ok(socket.compresses);
    const sent = [0, 16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072, 200, 40_000, 1].map(
      (size) => message(random, size),
    );
    // Many small ones behind each other, as in 12.1.1 to 12.1.4.
    for (const size of [16, 64, 256, 1024])
      for (let count = 0; count < 100; count++) sent.push(message(random, size));
    for (const one of sent) void socket.send(one);
    const back: (string | Buffer)[] = [];
    for await (const one of socket) {
      back.push(one);
      if (back.length === sent.length) break;
    }
    assert.deepEqual(back, sent, `seed ${random.seed}`);
    await socket.close();
    assert.deepEqual(at.errors, []);
  });

test("messages below bytesMin go out as they are, and those above as RSV1 says", async () => {
  await using at = await serving(echo, { compression: true });
  await using raw = await at.raw("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
  assert.match(raw.answer, /permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n/);
  const long = "0123456789".repeat(200);
  await raw.send(frame({ opcode: TEXT, payload: "short" }), frame({ opcode: TEXT, payload: long }));
  const short = frame({ opcode: TEXT, payload: "short", key: false });
  assert.deepEqual(await raw.bytes(short.length), short);
  const head = await raw.bytes(2);
  assert.equal(head[0], 0xc1);
  const smaller = await raw.bytes(head[1] as number);
  const whole = Buffer.concat([smaller, Buffer.from("0000ffff", "hex")]);
  assert.equal(inflateRawSync(whole, { finishFlush: Z_SYNC_FLUSH }).toString(), long);
});

test("with context takeover the same message again is a few bytes", async () => {
  const compression = { serverNoContextTakeover: false, clientNoContextTakeover: false };
  await using at = await serving(echo, { compression });
  await using raw = await at.raw("Sec-WebSocket-Extensions: permessage-deflate\r\n");
  assert.match(raw.answer, /Sec-WebSocket-Extensions: permessage-deflate\r\n/);
  const random = new Random(1);
  const long = Array.from({ length: 2000 }, () => random.below(10)).join("");
  const sizes: number[] = [];
  for (let round = 0; round < 3; round++) {
    await raw.send(frame({ opcode: TEXT, payload: long }));
    const head = await raw.bytes(2);
    const size = head[1] === 126 ? (await raw.bytes(2)).readUInt16BE() : (head[1] as number);
    await raw.bytes(size);
    sizes.push(size);
  }
  assert.ok(
    (sizes[0] as number) > 500 && (sizes[1] as number) < 50 && (sizes[2] as number) < 50,
    sizes.join(),
  );
});

for (const clientNoContextTakeover of [true, false])
  test(`blocks that say they are the last, and messages in fragments, takeover ${!clientNoContextTakeover}`, async () => {
    await using at = await serving(echo, { compression: { clientNoContextTakeover, bytesMin: 1e9 } });
    await using raw = await at.raw("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    // RFC 7692 section 7.2.3: "Hello", compressed; in two fragments; stored; with the bit of the last block, twice.
    const hello = Buffer.from("f248cdc9c90700", "hex");
    const last = Buffer.concat([deflateRawSync("Hello"), Buffer.from([0])]);
    await raw.send(
      frame({ opcode: TEXT, payload: hello, rsv: 4 }),
      frame({ opcode: TEXT, payload: hello.subarray(0, 3), rsv: 4, fin: false }),
      frame({ opcode: 0, payload: hello.subarray(3) }),
      frame({ opcode: TEXT, payload: Buffer.from("000500faff48656c6c6f00", "hex"), rsv: 4 }),
      frame({ opcode: TEXT, payload: last, rsv: 4 }),
      frame({ opcode: TEXT, payload: last, rsv: 4 }),
      frame({ opcode: BINARY, payload: Buffer.from([0]), rsv: 4 }),
      frame({ opcode: 8 }),
    );
    const { told } = parse([await raw.toEnd()], { from: "server" });
    assert.deepEqual(told, [
      ...Array.from({ length: 5 }, () => ({ type: "text", text: "Hello" })),
      { type: "binary", bytes: "" },
      { type: "close", code: 1005, reason: "" },
    ]);
    assert.deepEqual(at.errors, []);
  });

test("compressed text that is no UTF-8 is refused with 1007", async () => {
  await using at = await serving(echo, { compression: true });
  for (const size of [10, 100_000]) {
    await using raw = await at.raw("Sec-WebSocket-Extensions: permessage-deflate\r\n");
    const random = new Random(size);
    const wrong = Buffer.from(Array.from({ length: size }, () => 0x80 | random.below(128)));
    const payload = deflateRawSync(wrong, { finishFlush: Z_SYNC_FLUSH }).subarray(0, -4);
    await raw.send(frame({ opcode: TEXT, payload, rsv: 4 }));
    const { told } = parse([await raw.toEnd(true)], { from: "server" });
    assert.deepEqual(told, [{ type: "close", code: 1007, reason: "ERR_WEBSOCKET_UTF8" }]);
  }
});

test("compression is not agreed on unless both want it", async () => {
  await using without = await serving();
  await using one = await without.connect({ compression: true });
  assert.ok(!one.compresses);
  await using at = await serving(echo, { compression: true });
  await using two = await at.connect();
  assert.ok(!two.compresses);
});
