// AF_INET and AF_INET6 addresses against CPython's socket module, byte for byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AF_INET, AF_INET6 } from "#dist/constants/index.js";
import { decodeAddress, encodeAddress, formatAddress, makeAddressView } from "#dist/socket/address.js";
import type { Address } from "#dist/socket/address.js";
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from "#dist/socket/address/text.js";
import { writeLength } from "#dist/socket/address/view.js";
import { askPython, pick, python3, random } from "../support/ask-python.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function encode(family: number, address: Address): string {
  const view = makeAddressView();
  return hex(view.subarray(0, encodeAddress(family, address, view)));
}

function roundTrip(family: number, address: Address): unknown {
  const view = makeAddressView();
  writeLength(view, encodeAddress(family, address, view));
  return decodeAddress(view);
}

test("encodeAddress() writes sockaddr_in in network order", () => {
  assert.equal(encode(AF_INET, ["127.0.0.1", 0x1234]), "02001234" + "7f000001" + "0000000000000000");
  assert.equal(encode(AF_INET, ["", 0]), "0200" + "00".repeat(14));
  assert.equal(encode(AF_INET, ["<broadcast>", 9]), "02000009" + "ffffffff" + "00".repeat(8));
});

test("encodeAddress() writes sockaddr_in6 with flow information in network order and the scope in the machine's", () => {
  assert.equal(
    encode(AF_INET6, ["fe80::1", 80, 0x12345, 7]),
    "0a000050" + "00012345" + "fe80" + "00".repeat(13) + "01" + "07000000",
  );
  assert.equal(encode(AF_INET6, ["", 1] as Address), "0a000001" + "00".repeat(24));
});

test("encodeAddress() overwrites what an earlier address left in the view", () => {
  const view = makeAddressView();
  view.fill(0xff);
  assert.equal(
    hex(view.subarray(0, encodeAddress(AF_INET, ["1.2.3.4", 5], view))),
    "0200000501020304" + "00".repeat(8),
  );
});

test("decodeAddress() gives back what encodeAddress() wrote", () => {
  for (const address of [
    ["0.0.0.0", 0],
    ["255.255.255.255", 65535],
    ["10.1.2.3", 25],
  ] as const)
    assert.deepEqual(roundTrip(AF_INET, address), address);
  for (const address of [
    ["::", 0, 0, 0],
    ["fe80::1", 65535, 0xfffff, 0xffffffff],
    ["::ffff:1.2.3.4", 25, 1, 2],
  ] as const)
    assert.deepEqual(roundTrip(AF_INET6, address), address);
});

test("decodeAddress() tells apart 20,000 IPv4 hosts, more than are kept", () => {
  const next = random(1);
  for (let i = 0; i < 20_000; i++) {
    const host = formatIPv4(next(2 ** 32));
    assert.deepEqual(roundTrip(AF_INET, [host, i]), [host, i]);
    assert.deepEqual(roundTrip(AF_INET, [host, 0]), [host, 0]);
  }
});

test("decodeAddress() tells apart 5,000 IPv6 hosts, more than are kept", () => {
  const next = random(2);
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 5_000; i++) {
    for (let at = 0; at < 16; at++) bytes[at] = next(256);
    const host = formatIPv6(bytes, 0);
    assert.deepEqual(roundTrip(AF_INET6, [host, i, 0, 0]), [host, i, 0, 0]);
    assert.deepEqual(roundTrip(AF_INET6, [host, 1, 0, 0]), [host, 1, 0, 0]);
  }
});

test("decodeAddress() gives null when the kernel wrote no address", () => {
  assert.equal(decodeAddress<Address | null>(makeAddressView()), null);
});

test("encodeAddress() refuses what is not an address, with a code and the name of the field", () => {
  const refused: [number, unknown, string, RegExp][] = [
    [AF_INET, "127.0.0.1", "ERR_INVALID_ARG_TYPE", /^address must be \[host, port\]/],
    [AF_INET, ["127.0.0.1"], "ERR_INVALID_ARG_TYPE", /^address/],
    [AF_INET, ["127.0.0.1", 1, 0, 0], "ERR_INVALID_ARG_TYPE", /^address/],
    [AF_INET, [1, 1], "ERR_INVALID_ARG_TYPE", /^host must be a string, not number 1$/],
    [AF_INET, ["127.0.0.1", "80"], "ERR_INVALID_ARG_TYPE", /^port must be a number/],
    [
      AF_INET,
      ["127.0.0.1", 65536],
      "ERR_OUT_OF_RANGE",
      /^port must be a whole number from 0 to 65535, not number 65536$/,
    ],
    [AF_INET, ["127.0.0.1", -1], "ERR_OUT_OF_RANGE", /^port/],
    [AF_INET, ["127.0.0.1", 1.5], "ERR_OUT_OF_RANGE", /^port/],
    [AF_INET, ["127.0.0.1", NaN], "ERR_OUT_OF_RANGE", /^port/],
    [AF_INET, ["::1", 1], "EAI_NONAME", /::1/],
    [AF_INET6, ["127.0.0.1", 1], "EAI_NONAME", /127/],
    [AF_INET6, ["::1", 1, 0x100000, 0], "ERR_OUT_OF_RANGE", /^flowinfo/],
    [AF_INET6, ["::1", 1, 0, 2 ** 32], "ERR_OUT_OF_RANGE", /^scope_id/],
    [AF_INET6, ["::1", 1, 0, 0, 0], "ERR_INVALID_ARG_TYPE", /^address/],
    [9999, ["::1", 1], "EAFNOSUPPORT", /9999/],
  ];
  for (const [family, address, code, message] of refused)
    assert.throws(() => encodeAddress(family, address as Address, makeAddressView()), { code, message });
});

test("formatAddress() writes addresses as people do", () => {
  assert.equal(formatAddress(["127.0.0.1", 80]), "127.0.0.1:80");
  assert.equal(formatAddress(["::1", 80, 0, 0]), "[::1]:80");
  assert.equal(formatAddress(["fe80::1", 80, 0, 2]), "[fe80::1%2]:80");
});

test("parseIPv4() agrees with CPython's inet_pton on 20,000 mutated texts", { skip: python3.skip }, () => {
  const next = random(3);
  const parts = [
    "0",
    "1",
    "9",
    "10",
    "99",
    "100",
    "199",
    "255",
    "256",
    "00",
    "01",
    "-1",
    "",
    "0x1",
    " 1",
    "1 ",
    "1e1",
    "٣",
  ];
  const texts: string[] = ["", ".", "...", "1.2.3.4\0", "1.2.3.4 ", "127.1", "4294967295"];
  while (texts.length < 20_000) {
    const count = pick(next, [4, 4, 4, 4, 4, 4, 3, 5]);
    texts.push(
      Array.from({ length: count }, () => (next(3) > 0 ? String(next(260)) : pick(next, parts))).join("."),
    );
  }
  const program = `
def read(text):
    try: return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError): return -1
print(json.dumps([read(t) for t in data]))`;
  const expected = askPython(program, texts) as number[];
  for (const [i, text] of texts.entries()) assert.equal(parseIPv4(text), expected[i], JSON.stringify(text));
});

test("parseIPv6() agrees with CPython's inet_pton on 40,000 mutated texts", { skip: python3.skip }, () => {
  const next = random(4);
  const words = [
    "0",
    "00",
    "0000",
    "00000",
    "1",
    "ffff",
    "FFFF",
    "abcd",
    "10000",
    "g",
    "",
    "",
    "1.2.3.4",
    "1.2.3",
    "::",
    "%1",
  ];
  const texts: string[] = [
    "",
    ":",
    "::",
    ":::",
    "::1",
    "1::",
    "::1:",
    ":1",
    "1:",
    "::1.2.3.4",
    "1.2.3.4",
    "::%1",
    "0::0::0",
  ];
  while (texts.length < 40_000) {
    const count = pick(next, [8, 8, 7, 6, 5, 3, 9, 1, 2]);
    let text = Array.from({ length: count }, () =>
      next(5) > 0 ? next(65536).toString(16) : pick(next, words),
    ).join(":");
    if (next(4) === 0) text = text.replace(/:/, "::");
    if (next(6) === 0) text += ":10.0.0.1";
    if (next(8) === 0) text = `:${text}`;
    texts.push(text);
  }
  const program = `
def read(text):
    try: return socket.inet_pton(socket.AF_INET6, text).hex()
    except (OSError, ValueError): return None
print(json.dumps([read(t) for t in data]))`;
  const expected = askPython(program, texts) as (string | null)[];
  let good = 0;
  for (const [i, text] of texts.entries()) {
    const bytes = new Uint8Array(16);
    assert.equal(parseIPv6(text, bytes, 0) ? hex(bytes) : null, expected[i], JSON.stringify(text));
    if (expected[i] !== null) good++;
  }
  assert.ok(good > 4_000, `only ${good} texts were addresses`);
});

test("formatIPv6() agrees with CPython's inet_ntop on 40,000 addresses full of zeros", {
  skip: python3.skip,
}, () => {
  const next = random(5);
  const addresses: string[] = [];
  while (addresses.length < 40_000) {
    const bytes = new Uint8Array(16);
    for (let word = 0; word < 8; word++) {
      if (next(3) > 0) continue;
      bytes[word * 2] = next(2) * next(256);
      bytes[word * 2 + 1] = next(256);
    }
    if (next(4) === 0) bytes.fill(0, 0, 10);
    if (next(4) === 0) bytes.fill(255, 10, 12);
    addresses.push(hex(bytes));
  }
  const program = `print(json.dumps([socket.inet_ntop(socket.AF_INET6, bytes.fromhex(a)) for a in data]))`;
  const expected = askPython(program, addresses) as string[];
  for (const [i, address] of addresses.entries())
    assert.equal(formatIPv6(Buffer.from(address, "hex"), 0), expected[i], address);
});
