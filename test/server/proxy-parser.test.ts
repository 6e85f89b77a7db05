// ProxyHeaderParser: sound headers of both versions, and what must not be taken for one; in every delivery. Examples are
// those of the specification's own text where it has some.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ProxyHeaderParser, formatProxyV1, formatProxyV2 } from "berkeley/server";
import type { ProxyHeader } from "berkeley/server";
import { NEED_DATA, RemoteProtocolError } from "berkeley/wire";
import { deliveries } from "../file/deliveries.ts";
import { Random } from "../support/random.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";
const binary = (hex: string): Buffer => Buffer.from(SIGNATURE + hex.replaceAll(" ", ""), "hex");
/** An extension, from its type and value in hex. */
const extension = (type: string, value: string): string =>
  type + (value.length / 2).toString(16).padStart(4, "0") + value;
const text = (words: string): string => Buffer.from(words).toString("hex");

const V4 = "0001c0000201 c6336401 d431 01bb".slice(4); // 192.0.2.1 → 198.51.100.1, 54321 → 443
const FROM4 = { source: ["192.0.2.1", 54_321], destination: ["198.51.100.1", 443] };
const V6 = `20010db8${"0".repeat(22)}01 ${"0".repeat(20)}ffff7f000001 d431 01bb`;
const UNIX = text("/run/client") + "00".repeat(97) + "00" + text("server") + "00".repeat(101);
const plain = { extensions: [], local: false };

const SOUND: Readonly<Record<string, readonly [Buffer, object]>> = {
  "TCP4 of the specification": [
    Buffer.from("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
    {
      ...plain,
      version: 1,
      transport: "stream",
      source: ["255.255.255.255", 65_535],
      destination: ["255.255.255.255", 65_535],
    },
  ],
  "TCP4 of its HTTP example": [
    Buffer.from("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
    {
      ...plain,
      version: 1,
      transport: "stream",
      source: ["192.168.0.1", 56_324],
      destination: ["192.168.0.11", 443],
    },
  ],
  "the longest TCP6": [
    Buffer.from(
      `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"FFFF:".repeat(7)}ffff 65535 0\r\n`.replace(" 0\r", " 65535\r"),
    ),
    {
      ...plain,
      version: 1,
      transport: "stream",
      source: [`${"ffff:".repeat(7)}ffff`, 65_535, 0, 0],
      destination: [`${"ffff:".repeat(7)}ffff`, 65_535, 0, 0],
    },
  ],
  "TCP6, shortened, port 0": [
    Buffer.from("PROXY TCP6 2001:DB8::1 ::ffff:127.0.0.1 0 1\r\n"),
    {
      ...plain,
      version: 1,
      transport: "stream",
      source: ["2001:db8::1", 0, 0, 0],
      destination: ["::ffff:127.0.0.1", 1, 0, 0],
    },
  ],
  "UNKNOWN, short": [
    Buffer.from("PROXY UNKNOWN\r\n"),
    { ...plain, version: 1, transport: undefined, source: undefined, destination: undefined },
  ],
  "UNKNOWN of the longest form": [
    Buffer.from(`PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`),
    { ...plain, version: 1, transport: undefined, source: undefined, destination: undefined },
  ],
  "binary TCP over IPv4": [
    binary(`21 11 000c ${V4}`),
    { ...plain, version: 2, transport: "stream", ...FROM4 },
  ],
  "binary UDP over IPv4": [
    binary(`21 12 000c ${V4}`),
    { ...plain, version: 2, transport: "datagram", ...FROM4 },
  ],
  "binary TCP over IPv6": [
    binary(`21 21 0024 ${V6}`),
    {
      ...plain,
      version: 2,
      transport: "stream",
      source: ["2001:db8::1", 54_321, 0, 0],
      destination: ["::ffff:127.0.0.1", 443, 0, 0],
    },
  ],
  "binary, Unix, a path and an abstract name": [
    binary(`21 31 00d8 ${UNIX}`),
    {
      ...plain,
      version: 2,
      transport: "stream",
      source: "/run/client",
      destination: Buffer.from("\0server"),
    },
  ],
  "binary, Unix, without names": [
    binary(`21 32 00d8 ${"00".repeat(216)}`),
    { ...plain, version: 2, transport: "datagram", source: "", destination: "" },
  ],
  "binary LOCAL": [
    binary("20 00 0000"),
    {
      version: 2,
      local: true,
      transport: undefined,
      source: undefined,
      destination: undefined,
      extensions: [],
    },
  ],
  "binary LOCAL with a family that nobody knows, and anything behind": [
    binary("20 ff 0003 ffffff"),
    {
      version: 2,
      local: true,
      transport: undefined,
      source: undefined,
      destination: undefined,
      extensions: [],
    },
  ],
  "binary of an unspecified family": [
    binary("21 00 0000"),
    { ...plain, version: 2, transport: undefined, source: undefined, destination: undefined },
  ],
  "binary with every extension": [
    withExtensions(
      extension("01", text("h2")),
      extension("02", text("exämple.org")),
      extension("04", "000000"),
      extension("04", ""),
      extension("05", "00ff"),
      extension(
        "20",
        "07 00000000".replace(" ", "") +
          extension("21", text("TLSv1.3")) +
          extension("22", text("Müller")) +
          extension("23", text("AES")) +
          extension("24", text("SHA256")) +
          extension("25", text("RSA2048")) +
          extension("28", "ff"),
      ),
      extension("30", text("blue")),
      extension("ea", "01"),
    ),
    {
      version: 2,
      local: false,
      transport: "stream",
      ...FROM4,
      alpn: Buffer.from("h2"),
      authority: "exämple.org",
      uniqueId: Buffer.from([0, 255]),
      networkNamespace: "blue",
      tls: {
        used: true,
        certificate: true,
        verified: true,
        version: "TLSv1.3",
        commonName: "Müller",
        cipher: "AES",
        signatureAlgorithm: "SHA256",
        keyAlgorithm: "RSA2048",
      },
    },
  ],
  "binary with TLS and no certificate": [
    withExtensions(extension("20", "01 00000000".replace(" ", ""))),
    {
      version: 2,
      local: false,
      transport: "stream",
      ...FROM4,
      tls: { used: true, certificate: false, verified: false },
    },
  ],
  "binary with a certificate that was not verified": [
    withExtensions(extension("20", "05 00000001".replace(" ", ""))),
    {
      version: 2,
      local: false,
      transport: "stream",
      ...FROM4,
      tls: { used: true, certificate: true, verified: false },
    },
  ],
};

function withExtensions(...all: string[]): Buffer {
  const length = 12 + all.join("").length / 2;
  return binary(`21 11 ${length.toString(16).padStart(4, "0")} ${V4} ${all.join("")}`);
}

/** Pieces into a parser; the header as soon as it is there, and what came behind. */
function read(pieces: readonly Buffer[]): { header: ProxyHeader; rest: Buffer } | undefined {
  const parser = new ProxyHeaderParser();
  for (const [at, piece] of pieces.entries()) {
    parser.receive(piece);
    const header = parser.next();
    if (header !== NEED_DATA)
      return { header, rest: Buffer.concat([parser.rest(), ...pieces.slice(at + 1)]) };
  }
  return undefined;
}

for (const [how, cut] of Object.entries(deliveries)) {
  for (const [what, [bytes, expected]] of Object.entries(SOUND))
    test(`ProxyHeaderParser.next() reads ${what}, delivered ${how}`, () => {
      const found = read(cut(Buffer.concat([bytes, Buffer.from("PROXY the rest\r\n")])));
      assert.ok(found !== undefined);
      const { extensions, ...header } = found.header;
      const { extensions: none, ...rest } = expected as { extensions?: readonly unknown[] };
      assert.deepEqual(header, rest);
      if (none !== undefined) assert.deepEqual(extensions, none);
      assert.equal(found.rest.toString(), "PROXY the rest\r\n");
      for (let length = 0; length < bytes.length; length++)
        assert.equal(read(cut(bytes.subarray(0, length))), undefined, `${length} bytes were enough`);
    });
}

/** What is no header, and how many bytes of it may be needed to see it; default: all. */
const HOSTILE: Readonly<Record<string, readonly [string | Buffer, number?]>> = {
  "an HTTP request": ["GET / HTTP/1.1\r\n\r\n", 1],
  "an HTTP request that begins alike": ["PROPFIND / HTTP/1.1\r\n", 4],
  "lower case": ["proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", 1],
  "a space before": [" PROXY UNKNOWN\r\n", 1],
  "PROXY and no space": ["PROXY\r\n", 6],
  "two spaces": ["PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n"],
  "two spaces between addresses": ["PROXY TCP4 1.2.3.4  1.2.3.4 1 1\r\n"],
  "a tab": ["PROXY\tTCP4 1.2.3.4 1.2.3.4 1 1\r\n", 6],
  "a space at the end": ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1 \r\n"],
  "one address more": ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n"],
  "a port less": ["PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"],
  "LF alone": ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n", 31],
  "CR alone": ["PROXY TCP4 1.2.3.4 1.2.3.4 1 1\rX", 32],
  "CR inside": ["PROXY TCP4 1.2.3.4 1.2.3.4\r 1 1\r\n", 28],
  "NUL inside": ["PROXY TCP4 1.2.3.4\0 1.2.3.4 1 1\r\n", 19],
  "a leading zero in an address": ["PROXY TCP4 1.2.3.04 1.2.3.4 1 1\r\n"],
  "an octal address": ["PROXY TCP4 0177.0.0.1 1.2.3.4 1 1\r\n"],
  "a short address": ["PROXY TCP4 127.1 1.2.3.4 1 1\r\n"],
  "256 in an address": ["PROXY TCP4 1.2.3.256 1.2.3.4 1 1\r\n"],
  "a leading zero in a port": ["PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n"],
  "a port with a sign": ["PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n"],
  "port 65536": ["PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n"],
  "no port": ["PROXY TCP4 1.2.3.4 1.2.3.4  1\r\n"],
  "IPv6 as TCP4": ["PROXY TCP4 ::1 ::1 1 1\r\n"],
  "IPv4 as TCP6": ["PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n"],
  "an IPv6 address with a zone": ["PROXY TCP6 fe80::1%1 ::1 1 1\r\n"],
  "an IPv6 address in brackets": ["PROXY TCP6 [::1] ::1 1 1\r\n"],
  "two gaps in an IPv6 address": ["PROXY TCP6 1::2::3 ::1 1 1\r\n"],
  UDP4: ["PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n"],
  "UNKNOWN and more letters": ["PROXY UNKNOWNS\r\n"],
  "an empty line": ["PROXY \r\n"],
  "a line without end": [`PROXY UNKNOWN ${"x".repeat(1000)}`, 107],
  "a line of 108 bytes": [`PROXY UNKNOWN ${"x".repeat(92)}\r\n`, 107],
  "another byte in the signature": [Buffer.from("\r\n\r\n\0\r\nQUIX\n"), 11],
  "the signature's beginning, and a request": ["\r\n\r\nGET / HTTP/1.1\r\n\r\n", 5],
  "version 1 in binary": [binary("11 11 000c"), 13],
  "version 3": [binary("31 11 000c"), 13],
  "another command": [binary("22 11 000c"), 13],
  "another family": [binary("21 41 000c"), 14],
  "another transport": [binary("21 13 000c"), 14],
  "a family without a transport": [binary("21 10 000c"), 14],
  "too short for IPv4": [binary("21 11 000b"), 16],
  "too short for IPv6": [binary("21 21 0023"), 16],
  "too short for Unix": [binary("21 31 00d7"), 16],
  "more than payloadBytesMax": [binary("21 11 1001"), 16],
  "LOCAL with more than payloadBytesMax": [binary("20 00 ffff"), 16],
  "a wrong checksum": [withExtensions(extension("03", "00000000"))],
  "a checksum of 3 bytes": [withExtensions(extension("03", "000000"))],
  "an extension without a length": [withExtensions("ea00")],
  "an extension that is cut off": [withExtensions("ea0002ff")],
  "an authority twice": [withExtensions(extension("02", text("a")), extension("02", text("b")))],
  "an authority that is no text": [withExtensions(extension("02", "ff"))],
  "an authority with a line's end": [withExtensions(extension("02", text("a\nb")))],
  "an authority with NUL": [withExtensions(extension("02", text("a\0b")))],
  "a unique id of 129 bytes": [withExtensions(extension("05", "00".repeat(129)))],
  "an SSL extension of 4 bytes": [withExtensions(extension("20", "01000000"))],
  "an SSL extension with another cut off": [withExtensions(extension("20", "0100000000220005ff"))],
  "a common name twice": [
    withExtensions(extension("20", `0700000000${extension("22", text("a"))}${extension("22", text("b"))}`)),
  ],
};

for (const [how, cut] of Object.entries(deliveries))
  for (const [what, [bytes, enough]] of Object.entries(HOSTILE))
    test(`ProxyHeaderParser.next() refuses ${what}, delivered ${how}, as soon as it is seen`, () => {
      const all = Buffer.from(bytes as string, "latin1");
      assert.throws(() => read(cut(all.subarray(0, enough ?? all.length))), {
        name: "RemoteProtocolError",
        code: "ERR_PROXY_HEADER",
        message: /^PROXY protocol: /,
      });
    });

test("formatProxyV1() and formatProxyV2() write what ProxyHeaderParser reads", () => {
  const random = new Random();
  const byte = (): number => random.below(256);
  const ipv4 = (): [string, number] => [Array.from({ length: 4 }, byte).join("."), random.below(65_536)];
  const ipv6 = (): [string, number, number, number] => [
    Array.from({ length: 8 }, () => (1 + random.below(65_535)).toString(16)).join(":"),
    random.below(65_536),
    0,
    0,
  ];
  for (let round = 0; round < 300; round++) {
    const internet = random.onceIn(2) ? ipv4 : ipv6;
    const ends = { source: internet(), destination: internet() };
    const first = read([formatProxyV1(ends)])?.header;
    assert.deepEqual([first?.source, first?.destination], [ends.source, ends.destination]);
    const extensions = Array.from({ length: random.below(4) }, () => ({
      type: 0xe0 + random.below(16),
      value: Buffer.from(Array.from({ length: random.below(50) }, byte)),
    }));
    const checksum = random.onceIn(2);
    const second = read([formatProxyV2(ends, { extensions, checksum })])?.header;
    assert.deepEqual([second?.source, second?.destination], [ends.source, ends.destination]);
    assert.deepEqual(second?.extensions.slice(0, extensions.length), extensions);
    assert.equal(second.extensions.length, extensions.length + (checksum ? 1 : 0));
  }
  const unix = { source: "/run/client", destination: Buffer.from("\0server") };
  const third = read([formatProxyV2(unix, { transport: "datagram" })])?.header;
  assert.deepEqual(
    [third?.source, third?.destination, third?.transport],
    [...Object.values(unix), "datagram"],
  );
  assert.equal(read([formatProxyV2()])?.header.local, true);
  assert.equal(read([formatProxyV1()])?.header.source, undefined);
});

test("formatProxyV1() and formatProxyV2() refuse what the protocol cannot say", () => {
  const four = ["1.2.3.4", 1] as const;
  const refused = [
    () => formatProxyV1({ source: "/a", destination: "/b" }),
    () => formatProxyV1({ source: four, destination: ["::1", 1] }),
    () => formatProxyV1({ source: ["1.2.3.4\r\nX", 1], destination: four }),
    () => formatProxyV1({ source: ["localhost", 1], destination: four }),
    () => formatProxyV1({ source: ["1.2.3.4", 65_536], destination: four }),
    () => formatProxyV1({ source: ["1.2.3.4", 0.5], destination: four }),
    () => formatProxyV2({ source: four, destination: "/b" }),
    () => formatProxyV2({ source: "x".repeat(109), destination: "/b" }),
    () => formatProxyV2({ source: "a\0b", destination: "/b" }),
    () => formatProxyV2(undefined, { extensions: [{ type: 256, value: Buffer.alloc(0) }] }),
    () => formatProxyV2(undefined, { extensions: [{ type: 1, value: Buffer.alloc(65_536) }] }),
    () => formatProxyV2(undefined, { extensions: [{ type: 1, value: Buffer.alloc(65_535) }] }),
  ];
  for (const call of refused)
    assert.throws(call, { name: "LocalProtocolError", code: "ERR_PROXY_HEADER" }, call.toString());
});

test("ProxyHeaderParser reads damaged headers alike however they are cut, or refuses them alike", () => {
  const random = new Random();
  const sound = Object.values(SOUND).map(([bytes]) => bytes);
  const outcome = (pieces: readonly Buffer[]): unknown => {
    try {
      return read(pieces);
    } catch (error) {
      assert.ok(error instanceof RemoteProtocolError, String(error));
      return error.code;
    }
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.concat([random.pick(sound), Buffer.from("rest")]);
    for (let damage = random.below(4); damage > 0; damage--)
      bytes[random.below(bytes.length)] = random.onceIn(2)
        ? random.below(256)
        : random.pick([10, 13, 32, 48]);
    const [whole, ...cut] = Object.values(deliveries).map((deliver) => outcome(deliver(bytes)));
    for (const other of cut) assert.deepEqual(other, whole, `seed ${random.seed}: ${bytes.toString("hex")}`);
  }
});
