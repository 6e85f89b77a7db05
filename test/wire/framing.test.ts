// Every framing: what is encoded comes apart again, however it is cut; limits; lengths that no honest peer sends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { frames, memoryPair } from "berkeley/stream";
import {
  LocalProtocolError,
  NEED_DATA,
  RemoteProtocolError,
  delimited,
  fixedLength,
  lengthPrefixed,
  netstring,
  varintPrefixed,
} from "berkeley/wire";
import type { FrameDecoder, Framing } from "berkeley/wire";
import { askPython, python3 } from "../support/ask-python.ts";
import { pattern, rejection, stillWaits, thrown } from "../support/pair.ts";
import { Random } from "../support/random.ts";
import { deliveries, receiving } from "../support/streams.ts";

const OPTIONS = { frameBytesMax: 70_000 };

/** A framing, and payloads that it can carry. */
const kinds: Readonly<Record<string, { framing: Framing; sizes: readonly number[] }>> = {
  'delimited("\\n")': { framing: delimited("\n", OPTIONS), sizes: [0, 1, 80, 5000, 70_000] },
  'delimited("\\r\\n.\\r\\n")': { framing: delimited("\r\n.\r\n", OPTIONS), sizes: [0, 1, 80, 5000, 70_000] },
  "fixedLength(7)": { framing: fixedLength(7), sizes: [7, 7, 7, 7] },
  "fixedLength(3000)": { framing: fixedLength(3000), sizes: [3000, 3000, 3000] },
  "lengthPrefixed of 1 byte": { framing: lengthPrefixed({ lengthBytes: 1 }), sizes: [0, 1, 128, 255] },
  "lengthPrefixed of 2 bytes": { framing: lengthPrefixed({ lengthBytes: 2 }), sizes: [0, 1, 256, 65_535] },
  "lengthPrefixed of 4 bytes": { framing: lengthPrefixed(OPTIONS), sizes: [0, 1, 256, 65_536, 70_000] },
  "lengthPrefixed of 8 bytes": {
    framing: lengthPrefixed({ ...OPTIONS, lengthBytes: 8 }),
    sizes: [0, 1, 256, 65_536, 70_000],
  },
  "lengthPrefixed of 2 bytes, little endian": {
    framing: lengthPrefixed({ lengthBytes: 2, endian: "little" }),
    sizes: [0, 1, 256, 65_535],
  },
  "lengthPrefixed of 8 bytes, little endian": {
    framing: lengthPrefixed({ ...OPTIONS, lengthBytes: 8, endian: "little" }),
    sizes: [0, 1, 256, 65_536, 70_000],
  },
  varintPrefixed: { framing: varintPrefixed(OPTIONS), sizes: [0, 1, 127, 128, 16_383, 16_384, 70_000] },
  netstring: { framing: netstring(OPTIONS), sizes: [0, 1, 9, 10, 99, 100, 70_000] },
};

/** Bytes without the marks that delimiters are made of. */
const payload = (size: number, seed: number): Buffer =>
  Buffer.from(pattern(size, seed).map((byte) => (byte === 10 || byte === 13 ? 0 : byte)));

/** All frames that are here, copied. */
function drain(decoder: FrameDecoder): Buffer[] {
  const found: Buffer[] = [];
  for (let frame = decoder.next(); frame !== NEED_DATA; frame = decoder.next())
    found.push(Buffer.from(frame));
  return found;
}

/** What a decoder makes of bytes that come in these pieces. */
function decode(framing: Framing, pieces: readonly Buffer[]): Buffer[] {
  const decoder = framing.decoder();
  const found: Buffer[] = [];
  for (const piece of pieces) {
    decoder.receive(Buffer.from(piece));
    found.push(...drain(decoder));
  }
  decoder.end();
  return found;
}

for (const [kind, { framing, sizes }] of Object.entries(kinds))
  for (const [how, cut] of Object.entries(deliveries))
    test(`${kind} takes apart what it put together, delivered ${how}`, () => {
      const random = new Random();
      const small = sizes.filter((size) => size <= 300);
      const payloads = [
        ...sizes,
        ...Array.from({ length: 40 }, () => random.pick(small.length > 0 ? small : sizes)),
      ].map(payload);
      const wire = framing.encode(payloads);
      assert.deepEqual(Buffer.concat(payloads.map((one) => framing.encode(one))), wire);
      const found = decode(framing, cut(wire, random));
      assert.equal(found.length, payloads.length, `seed ${random.seed}`);
      for (const [at, one] of payloads.entries()) assert.ok(one.equals(found[at] as Buffer), `frame ${at}`);
    });

for (const [kind, { framing, sizes }] of Object.entries(kinds)) {
  test(`${kind} says ERR_UNEXPECTED_EOF where the peer ends inside a frame, and nothing between frames`, () => {
    const wire = framing.encode(payload(sizes.find((size) => size > 0 && size < 5000) as number, 1));
    for (let length = 0; length <= wire.length; length += length < 20 ? 1 : wire.length - 20) {
      const decoder = framing.decoder();
      decoder.receive(Buffer.from(wire.subarray(0, length)));
      const whole = drain(decoder).length;
      assert.equal(whole, length === wire.length ? 1 : 0);
      if (length === 0 || whole === 1) decoder.end();
      else {
        const error = thrown(() => decoder.end());
        assert.ok(error instanceof RemoteProtocolError);
        assert.equal(error.code, "ERR_UNEXPECTED_EOF");
      }
    }
  });

  test(`${kind} takes views of any kind and strings`, () => {
    const size = sizes[1] as number;
    const text = "x".repeat(size);
    const view = new Uint8Array(new TextEncoder().encode(`..${text}..`).buffer, 2, size);
    assert.deepEqual(framing.encode(view), framing.encode(text));
    assert.equal(thrown(() => framing.encode(7 as unknown as string)).code, "ERR_INVALID_ARG_TYPE");
  });
}

/** Encoded bytes that a decoder must refuse: as soon as they are there, whole or byte by byte. */
const HOSTILE: readonly [name: string, framing: Framing, bytes: readonly number[] | string, code: string][] =
  [
    ["4 bytes over the limit", lengthPrefixed({ frameBytesMax: 5 }), [0, 0, 0, 6], "ERR_FRAME_TOO_LONG"],
    ["4 bytes of ones (-1)", lengthPrefixed(), [255, 255, 255, 255], "ERR_FRAME_TOO_LONG"],
    ["2^31 (the least negative)", lengthPrefixed(), [128, 0, 0, 0], "ERR_FRAME_TOO_LONG"],
    ["8 bytes: 2^53", lengthPrefixed({ lengthBytes: 8 }), [0, 32, 0, 0, 0, 0, 0, 0], "ERR_FRAME_TOO_LONG"],
    [
      "8 bytes: 2^53 + 1",
      lengthPrefixed({ lengthBytes: 8 }),
      [0, 32, 0, 0, 0, 0, 0, 1],
      "ERR_FRAME_TOO_LONG",
    ],
    ["8 bytes of ones", lengthPrefixed({ lengthBytes: 8 }), Array<number>(8).fill(255), "ERR_FRAME_TOO_LONG"],
    [
      "8 bytes little endian: 2^56",
      lengthPrefixed({ lengthBytes: 8, endian: "little" }),
      [0, 0, 0, 0, 0, 0, 0, 1],
      "ERR_FRAME_TOO_LONG",
    ],
    ["a varint over the limit", varintPrefixed({ frameBytesMax: 299 }), [0xac, 0x02], "ERR_FRAME_TOO_LONG"],
    ["a varint of 2^64 - 1", varintPrefixed(), [...Array<number>(9).fill(255), 1], "ERR_FRAME_TOO_LONG"],
    ["a varint without an end", varintPrefixed(), Array<number>(10).fill(0x80), "ERR_BAD_LENGTH"],
    ["an overlong varint (0 in 2 bytes)", varintPrefixed(), [0x80, 0x00], "ERR_BAD_LENGTH"],
    ["an overlong varint (1 in 3 bytes)", varintPrefixed(), [0x81, 0x80, 0x00], "ERR_BAD_LENGTH"],
    ["a netstring over the limit", netstring({ frameBytesMax: 10 }), "11", "ERR_FRAME_TOO_LONG"],
    ["a netstring of 2^53 bytes", netstring(), "9007199254740992:", "ERR_FRAME_TOO_LONG"],
    ["a netstring of endless digits", netstring(), "9".repeat(400), "ERR_FRAME_TOO_LONG"],
    ["a netstring of endless zeros", netstring(), "0".repeat(400), "ERR_BAD_LENGTH"],
    ["a netstring that begins with a zero", netstring(), "05:hello,", "ERR_BAD_LENGTH"],
    ["a negative netstring", netstring(), "-1:", "ERR_BAD_LENGTH"],
    ["a netstring with a sign", netstring(), "+1:x,", "ERR_BAD_LENGTH"],
    ["a netstring without a length", netstring(), ":,", "ERR_BAD_LENGTH"],
    ["a netstring with a space", netstring(), "5 :hello,", "ERR_BAD_LENGTH"],
    ["a netstring without its comma", netstring(), "5:hello;", "ERR_BAD_FRAME"],
    ["a line over the limit", delimited("\n", { frameBytesMax: 5 }), "123456\n", "ERR_FRAME_TOO_LONG"],
    ["a line without an end", delimited("\r\n", { frameBytesMax: 5 }), "1234567", "ERR_FRAME_TOO_LONG"],
  ];

for (const [name, framing, bytes, code] of HOSTILE)
  for (const how of ["whole", "byte by byte"] as const)
    test(`a decoder refuses ${name} with ${code}, delivered ${how}, and stays refused`, () => {
      const decoder = framing.decoder();
      const error = thrown(() => {
        for (const piece of (deliveries[how] as (whole: Buffer) => Buffer[])(Buffer.from(bytes as string))) {
          decoder.receive(piece);
          assert.equal(decoder.next(), NEED_DATA);
        }
      });
      assert.ok(error instanceof RemoteProtocolError, String(error));
      assert.equal(error.code, code);
      decoder.receive(Buffer.alloc(100));
      assert.equal(
        thrown(() => decoder.next()),
        error,
      );
      assert.equal(
        thrown(() => decoder.end()),
        error,
      );
    });

test("a decoder takes frames of exactly the limit", () => {
  const six = "123456";
  for (const framing of [
    delimited("\r\n", { frameBytesMax: 6 }),
    lengthPrefixed({ frameBytesMax: 6 }),
    varintPrefixed({ frameBytesMax: 6 }),
    netstring({ frameBytesMax: 6 }),
  ])
    for (const cut of Object.values(deliveries))
      assert.equal(String(decode(framing, cut(framing.encode(six)))), six);
});

test("a decoder makes no memory for a length before the bytes are there", () => {
  const framing = lengthPrefixed({ frameBytesMax: 2 ** 32 - 1 });
  const before = process.memoryUsage().arrayBuffers;
  const decoders = Array.from({ length: 50 }, () => {
    const decoder = framing.decoder();
    decoder.receive(Buffer.from([255, 255, 255, 255, 1, 2, 3]));
    assert.equal(decoder.next(), NEED_DATA);
    return decoder;
  });
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000);
  assert.equal(decoders.length, 50);
});

test("encode() refuses what the peer could not tell apart, and says so before anything is encoded", () => {
  const refused: [() => unknown, string][] = [
    [() => delimited("\n").encode(["fine", "a\nb"]), "ERR_DELIMITER_IN_FRAME"],
    [() => delimited("--").encode("a-"), "ERR_DELIMITER_IN_FRAME"],
    [() => delimited("aab").encode("xaab"), "ERR_DELIMITER_IN_FRAME"],
    [() => delimited("aba").encode("ab"), "ERR_DELIMITER_IN_FRAME"],
    [() => fixedLength(3).encode("four"), "ERR_FRAME_LENGTH"],
    [() => fixedLength(3).encode(""), "ERR_FRAME_LENGTH"],
    [() => lengthPrefixed({ lengthBytes: 1 }).encode("x".repeat(256)), "ERR_FRAME_TOO_LONG"],
    [() => varintPrefixed({ frameBytesMax: 2 }).encode("xxx"), "ERR_FRAME_TOO_LONG"],
    [() => netstring({ frameBytesMax: 2 }).encode("xxx"), "ERR_FRAME_TOO_LONG"],
    [() => delimited("\n", { frameBytesMax: 2 }).encode("xxx"), "ERR_FRAME_TOO_LONG"],
  ];
  for (const [encode, code] of refused) {
    const error = thrown(encode);
    assert.ok(error instanceof LocalProtocolError);
    assert.equal(error.code, code);
  }
  assert.equal(String(delimited("--").encode("-a")), "-a--");
});

test("encode() gives bytes that no later frame is written to, and that no transfer of another takes away", () => {
  const framing = lengthPrefixed({ lengthBytes: 2 });
  const random = new Random();
  const encoded = Array.from({ length: 300 }, (_, at) => {
    const one = payload(random.below(at % 10 === 0 ? 20_000 : 600), at);
    return { one, wire: framing.encode(one) };
  });
  try {
    const buffer = encoded[0]?.wire.buffer as ArrayBuffer;
    structuredClone(buffer, { transfer: [buffer] });
  } catch (error) {
    assert.equal((error as Error).name, "DataCloneError"); // newer Nodes say so
  }
  for (const { one, wire } of encoded.slice(1)) {
    assert.equal(wire.readUInt16BE(), one.length);
    assert.deepEqual(wire.subarray(2), one, `seed ${random.seed}`);
  }
});

test("encode() of strings is that of their UTF-8, one or several", () => {
  const texts = ["", "plain", "ünïcode €", "\u{1f600}", "lone \ud800"];
  for (const { framing } of Object.values(kinds).slice(4))
    assert.deepEqual(framing.encode(texts), framing.encode(texts.map((text) => Buffer.from(text))));
});

test("framings refuse options that are none, by name", () => {
  const cases: [() => unknown, RegExp][] = [
    [() => delimited(""), /^delimiter /],
    [() => delimited(7 as unknown as string), /^delimiter /],
    [() => fixedLength(0), /^length /],
    [() => fixedLength(2 ** 20 + 1), /^length /],
    [() => lengthPrefixed({ lengthBytes: 3 as 4 }), /^options\.lengthBytes /],
    [() => lengthPrefixed({ endian: "middle" as "big" }), /^options\.endian /],
    [() => lengthPrefixed({ frameBytesMax: -1 }), /^options\.frameBytesMax /],
    [() => netstring({ frameBytesMax: 2 ** 32 }), /^options\.frameBytesMax /],
    [() => varintPrefixed({ frameBytesMax: 1.5 }), /^options\.frameBytesMax /],
  ];
  for (const [make, message] of cases) assert.match(thrown(make).message, message);
});

test("lengthPrefixed() puts lengths as CPython's struct does", { skip: python3.skip }, () => {
  const formats = {
    ">B": [1, "big"],
    "<H": [2, "little"],
    ">H": [2, "big"],
    ">I": [4, "big"],
    "<Q": [8, "little"],
  };
  const program = `
import struct
print(json.dumps([[struct.pack(f, n).hex() for n in data["sizes"]] for f in data["formats"]]))
`;
  const sizes = [0, 1, 200, 255];
  const answers = askPython(program, { formats: Object.keys(formats), sizes }) as string[][];
  for (const [index, [lengthBytes, endian]] of Object.values(formats).entries()) {
    const framing = lengthPrefixed({ lengthBytes: lengthBytes as 1, endian: endian as "big" });
    const own = sizes.map((size) =>
      framing
        .encode(Buffer.alloc(size))
        .subarray(0, lengthBytes as number)
        .toString("hex"),
    );
    assert.deepEqual(own, answers[index]);
  }
});

for (const [how, cut] of Object.entries(deliveries))
  test(`frames() gives each frame of a stream until its end, delivered ${how}`, async () => {
    const framing = lengthPrefixed();
    const wire = framing.encode(["one", "", "three"]);
    const found: string[] = [];
    for await (const frame of frames(receiving(cut(wire)), framing.decoder())) found.push(frame.toString());
    assert.deepEqual(found, ["one", "", "three"]);
  });

test("frames() fails with ERR_UNEXPECTED_EOF when the peer ends inside a frame", async () => {
  const framing = netstring();
  const stream = receiving([Buffer.from("3:one,5:tw")]);
  const found: string[] = [];
  const all = async (): Promise<void> => {
    for await (const frame of frames(stream, framing.decoder())) found.push(frame.toString());
  };
  assert.equal((await rejection(all())).code, "ERR_UNEXPECTED_EOF");
  assert.deepEqual(found, ["one"]);
});

test("frames() loses nothing when it is left or aborted, and goes on with the same decoder", async () => {
  const [a, b] = memoryPair();
  const framing = netstring();
  const decoder = framing.decoder();
  await b.sendAll(framing.encode(["one", "two"]));
  for await (const frame of frames(a, decoder)) {
    assert.equal(frame.toString(), "one");
    break;
  }
  const stop = new AbortController();
  const rest = frames(a, decoder, { signal: stop.signal });
  assert.equal(String((await rest.next()).value), "two");
  const waiting = rest.next();
  await b.sendAll("5:th");
  await stillWaits(waiting);
  const reason = new Error("enough");
  stop.abort(reason);
  assert.equal(await rejection(waiting), reason);
  await b.sendAll("ree,");
  b.close();
  const found: string[] = [];
  for await (const frame of frames(a, decoder)) found.push(frame.toString());
  assert.deepEqual(found, ["three"]);
});
