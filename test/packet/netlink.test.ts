// Netlink's frames: what is written is read, a kernel's answer is what CPython reads in it, and wrong lengths are refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAttributes, decodeNetlink, encodeAttributes, encodeNetlink } from "berkeley/packet";
import { askPython, python3, random } from "../support/ask-python.ts";

const MESSAGES = [
  { type: 16, flags: 2, sequence: 1, port: 4242, payload: Buffer.from("abcde") },
  { type: 3, flags: 0, sequence: 0xffff_ffff, port: 0, payload: Buffer.alloc(0) },
  { type: 20, flags: 0x301, sequence: 7, port: 1, payload: Buffer.from("12345678") },
];
const ATTRIBUTES = [
  { type: 3, payload: Buffer.from("lo\0") },
  { type: 1, payload: Buffer.alloc(0) },
  { type: 10, payload: Buffer.from([1, 2, 3, 4, 5, 6]) },
];
const DATAGRAM = Buffer.concat(MESSAGES.map((message) => encodeNetlink(message)));

const plain = (list: readonly { readonly payload: Uint8Array }[]): unknown =>
  list.map((each) => ({ ...each, payload: Buffer.from(each.payload) }));

test("decodeNetlink() reads what encodeNetlink() wrote, padding left out", () => {
  assert.deepEqual(plain(decodeNetlink(DATAGRAM)), MESSAGES);
  assert.equal(DATAGRAM.length, 16 + 8 + 16 + 16 + 8);
  assert.deepEqual(decodeNetlink(new Uint8Array(0)), []);
});

test("decodeAttributes() reads what encodeAttributes() wrote, the bits above the type left out", () => {
  assert.deepEqual(plain(decodeAttributes(encodeAttributes(ATTRIBUTES))), ATTRIBUTES);
  const nested = encodeAttributes([{ type: 0x8000 | 18, payload: encodeAttributes(ATTRIBUTES) }]);
  const [outer] = decodeAttributes(nested);
  assert.equal(outer?.type, 18);
  assert.deepEqual(plain(decodeAttributes(outer.payload)), ATTRIBUTES);
});

test("the last message and the last attribute need no padding", () => {
  const [message] = decodeNetlink(encodeNetlink(MESSAGES[0] as (typeof MESSAGES)[0]).subarray(0, 21));
  assert.deepEqual(Buffer.from(message?.payload ?? []), Buffer.from("abcde"));
  const [attribute] = decodeAttributes(encodeAttributes(ATTRIBUTES.slice(0, 1)).subarray(0, 7));
  assert.deepEqual(Buffer.from(attribute?.payload ?? []), Buffer.from("lo\0"));
});

test("encodeNetlink() writes what CPython's struct writes", { skip: python3.skip }, () => {
  const program = `
import struct
out = b""
for m in data:
    body = bytes.fromhex(m["payload"])
    out += (struct.pack("=IHHII", 16 + len(body), m["type"], m["flags"], m["sequence"], m["port"]) + body)
    out += bytes(-len(out) % 4)
print(json.dumps(out.hex()))`;
  const told = MESSAGES.map((message) => ({ ...message, payload: message.payload.toString("hex") }));
  assert.equal(DATAGRAM.toString("hex"), askPython(program, told));
});

const refused = { name: "RemoteProtocolError", code: "ERR_NETLINK_LENGTH" };

test("decodeNetlink() refuses a message that is cut, too short or too long, and says where", () => {
  const word = (length: number): Buffer => {
    const bytes = Buffer.from(DATAGRAM);
    bytes.set(new Uint8Array(Uint32Array.of(length).buffer), 24);
    return bytes;
  };
  for (const length of [0, 15, 41, 0x7fff_ffff, 0xffff_ffff])
    assert.throws(() => decodeNetlink(word(length)), {
      ...refused,
      message: `a netlink message of ${length} bytes at byte 24, where 40 bytes are`,
    });
  for (let cut = 1; cut < DATAGRAM.length; cut++)
    if (![21, 22, 23, 24, 40].includes(cut))
      assert.throws(() => decodeNetlink(DATAGRAM.subarray(0, cut)), refused, `${cut} bytes`);
});

test("decodeAttributes() refuses an attribute that is cut, too short or too long", () => {
  const bytes = Buffer.from(encodeAttributes(ATTRIBUTES));
  for (const length of [0, 3, bytes.length + 1, 0xffff]) {
    const wrong = Buffer.from(bytes);
    wrong.set(new Uint8Array(Uint16Array.of(length).buffer), 0);
    assert.throws(() => decodeAttributes(wrong), refused, `${length}`);
  }
  for (const cut of [1, 3, 6, 9, 13, 21])
    assert.throws(() => decodeAttributes(bytes.subarray(0, cut)), refused, `${cut} bytes`);
});

test("encodeAttributes() refuses what an attribute has no room for", () => {
  assert.equal(encodeAttributes([{ type: 1, payload: new Uint8Array(65_531) }]).length, 65_536);
  assert.throws(() => encodeAttributes([{ type: 1, payload: new Uint8Array(65_532) }]), {
    name: "LocalProtocolError",
    code: "ERR_NETLINK_LENGTH",
  });
});

test("decodeNetlink() and decodeAttributes() end on any bytes, and see nothing outside of them", () => {
  const seed = Date.now() >>> 0;
  const next = random(seed);
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(round % 2 === 0 ? DATAGRAM : Array.from({ length: next(90) }, () => next(256)));
    for (let change = next(4); change > 0 && bytes.length > 0; change--)
      bytes[next(bytes.length)] = next(256);
    for (const decode of [decodeNetlink, decodeAttributes])
      try {
        const found = decode(bytes);
        const seen = found.reduce((sum, { payload }) => sum + payload.length, 0);
        assert.ok(seen <= bytes.length && found.length <= bytes.length / 4);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "ERR_NETLINK_LENGTH", `seed ${seed}, round ${round}`);
      }
  }
});
