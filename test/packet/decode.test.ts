// decodePacket() and formatPacket() on what is cut, changed and made up: they never throw, never read outside, and end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePacket, formatPacket, hexDump, internetChecksum, transportChecksum } from "berkeley/packet";
import type { Header, Packet } from "berkeley/packet";
import { random } from "../support/ask-python.ts";
import { address, checksumOf, ethernet, FRAMES, icmp, ipv4, ipv6, tcp, udp } from "../support/packets.ts";

/** Decodes and formats; the result is bounded whatever the bytes are. */
function read(bytes: Uint8Array): Packet {
  const packet = decodePacket(bytes);
  const line = formatPacket(packet);
  assert.ok(packet.headers.length <= 16, `${packet.headers.length} headers`);
  assert.ok(line.length <= 4096, `a line of ${line.length} characters`);
  assert.ok(!line.includes("undefined") && !line.includes("NaN"), line);
  assert.match(line, /^[ -~]*$/);
  return packet;
}

const layersOf = ({ headers }: Packet): string => headers.map(({ layer }) => layer).join(" ");

for (const [name, frame] of Object.entries(FRAMES))
  test(`decodePacket() reads every beginning of a frame: ${name}`, () => {
    const whole = layersOf(read(frame));
    for (let cut = 0; cut < frame.length; cut++) {
      const layers = layersOf(read(frame.subarray(0, cut)));
      // A beginning has the whole's headers, up to the one that is cut.
      const kept = layers.replace(/ ?(?:truncated|malformed)$/, "");
      assert.ok(whole.startsWith(kept), `${cut} bytes: ${layers} of ${whole}`);
    }
  });

test("decodePacket() says which header is cut, and how many bytes are missing", () => {
  const frame = FRAMES["TCP data"] as Buffer;
  assert.equal(formatPacket(decodePacket(frame.subarray(0, 10))), "[|ethernet]");
  assert.equal(formatPacket(decodePacket(frame.subarray(0, 20))), "[|ip]");
  assert.equal(
    formatPacket(decodePacket(frame.subarray(0, 40))),
    "IP 10.0.0.1 > 10.0.0.2: [|tcp] (39 bytes missing)",
  );
  assert.match(formatPacket(decodePacket(frame.subarray(0, 70))), /length 13 \(9 bytes missing\)$/);
});

test("decodePacket() tells headers that contradict themselves from those that are cut", () => {
  const cases: [name: string, bytes: Buffer, line: RegExp][] = [
    ["version 5", ethernet(0x0800, Buffer.from(`55${"00".repeat(30)}`, "hex")), /^\[bad ip header\]$/],
    [
      "a header of 16 bytes",
      ethernet(0x0800, Buffer.from(`44${"00".repeat(30)}`, "hex")),
      /^\[bad ip header\]$/,
    ],
    [
      "a total below the header",
      ethernet(0x0800, ipv4(17, udp(Buffer.alloc(4)), { totalBytes: 12 })),
      /^\[bad ip header\]$/,
    ],
    ["IPv6 version 4", ethernet(0x86dd, Buffer.alloc(60, 0x40)), /^\[bad ip6 header\]$/],
    [
      "a TCP header longer than the packet",
      ethernet(
        0x0800,
        ipv4(
          6,
          Buffer.concat([
            tcp(Buffer.alloc(0)).subarray(0, 12),
            Buffer.from("f0020000", "hex"),
            Buffer.alloc(4),
          ]),
        ),
      ),
      /: \[bad tcp header\]$/,
    ],
  ];
  for (const [name, bytes, line] of cases) assert.match(formatPacket(decodePacket(bytes)), line, name);
});

test("decodePacket() reads nothing beyond what IP announces: padding and a following packet", () => {
  const { payload } = decodePacket(FRAMES["UDP padded"] as Buffer);
  assert.equal(Buffer.from(payload).toString(), "x");
  const short = ethernet(0x0800, ipv4(17, udp(Buffer.from("hidden")), { totalBytes: 24 }));
  assert.equal(layersOf(decodePacket(short)), "ethernet ipv4 truncated");
});

test("decodePacket() reads a TCP option list up to a length that does not fit", () => {
  for (const [options, told] of [
    ["0200", "unknown-2 [bad length]"],
    ["0201", "unknown-2 [bad length]"],
    ["010102ff", "nop,nop,unknown-2 [bad length]"],
    ["00ffffff", "eol"],
    ["08020000", "unknown-8,eol"],
    ["0502", "unknown-5"],
  ] as const) {
    const bytes = Buffer.alloc(4);
    Buffer.from(options, "hex").copy(bytes);
    const line = formatPacket(
      decodePacket(ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { options: bytes })))),
    );
    assert.match(line, new RegExp(`options \\[${told.replaceAll(/[[\]]/g, "\\$&")}`));
  }
});

test("decodePacket() ends in tunnels within tunnels, and in errors about errors", () => {
  let packet = udp(Buffer.from("x"));
  packet = ipv4(17, packet);
  for (let depth = 0; depth < 100; depth++) packet = ipv4(4, packet);
  assert.ok(read(ethernet(0x0800, packet)).headers.length <= 16);
  let error = ipv4(17, udp(Buffer.from("x")));
  for (let depth = 0; depth < 100; depth++) error = ipv4(1, icmp(3, 3, 0, error));
  const layers = read(ethernet(0x0800, error)).headers;
  assert.equal(layers.length, 3);
  const original = (layers[2] as Extract<Header, { layer: "icmp" }>).original as Packet;
  assert.equal((original.headers[1] as Extract<Header, { layer: "icmp" }>).original, undefined);
  // Headers after headers of IPv6, each announcing the next.
  const chain = Buffer.concat(Array.from({ length: 200 }, () => Buffer.from([60, 0, 1, 4, 0, 0, 0, 0])));
  read(ethernet(0x86dd, ipv6(60, chain)));
});

test("decodePacket() and formatPacket() never throw on changed frames", () => {
  const seed = Date.now() >>> 0;
  const next = random(seed);
  const frames = Object.values(FRAMES);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(frames[next(frames.length)] as Buffer);
    for (let change = next(6); change >= 0; change--) bytes[next(bytes.length)] = next(256);
    try {
      read(bytes.subarray(0, next(4) === 0 ? next(bytes.length + 1) : bytes.length));
    } catch (error) {
      assert.fail(`seed ${seed}, round ${round}: ${bytes.toString("hex")}: ${String(error)}`);
    }
  }
});

test("decodePacket() never throws on random bytes, wherever it begins", () => {
  const seed = Date.now() >>> 0;
  const next = random(seed);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(Array.from({ length: next(120) }, () => next(256)));
    const etherType = [0x0800, 0x86dd, 0x0806, 0x8035, next(65_536)][next(5)] as number;
    const line = formatPacket(decodePacket(bytes, { etherType }));
    assert.ok(line.length > 0 && line.length <= 4096, `seed ${seed}: ${bytes.toString("hex")}`);
  }
});

test("internetChecksum() is the example of RFC 1071, and agrees with a plain sum", () => {
  // Section 3: the sum of these words is ddf2.
  assert.equal(internetChecksum(Buffer.from("0001f203f4f5f6f7", "hex")), 0xddf2 ^ 0xffff);
  assert.equal(internetChecksum(new Uint8Array(0)), 0xffff);
  const next = random(1);
  for (let length = 0; length < 300; length++) {
    const bytes = Buffer.from(Array.from({ length }, () => next(256)));
    assert.equal(internetChecksum(bytes), checksumOf(bytes));
  }
  assert.equal(internetChecksum(Buffer.alloc(65_535, 0xff)), checksumOf(Buffer.alloc(65_535, 0xff)));
});

test("transportChecksum() covers the pseudo-header of either family", () => {
  for (const [source, destination] of [
    [address("10.0.0.1"), address("10.0.0.2")],
    [address("fd00::1"), address("fd00::2")],
  ] as const) {
    const message = udp(Buffer.from("hello, packet"));
    const length = Buffer.from([0, message.length, 0, 17]);
    const expected = checksumOf(Buffer.concat([source, destination, length, message]));
    assert.equal(transportChecksum(source, destination, 17, message), expected);
    message.writeUInt16BE(expected, 6);
    assert.equal(transportChecksum(source, destination, 17, message), 0);
  }
});

test("hexDump() gives 16 bytes a line, in pairs and as text", () => {
  const bytes = Buffer.concat([
    Buffer.from("ABC xyz~"),
    Buffer.from([0, 127, 255, 10]),
    Buffer.from("0123456"),
  ]);
  assert.deepEqual(hexDump(bytes), [
    "\t0x0000:  4142 4320 7879 7a7e 007f ff0a 3031 3233  ABC.xyz~....0123",
    "\t0x0010:  3435 36                                  456",
  ]);
  assert.deepEqual(hexDump(new Uint8Array(0)), []);
});
