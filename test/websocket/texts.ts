// Family 6 of Autobahn: text that is UTF-8 and text that is not, whole, in fragments and byte by byte. The sequences are
// those of Markus Kuhn's stress test and of the Unicode standard's table 3-7.

import { CONTINUATION, TEXT, frame } from "./frames.ts";

/** A text as frames; value undefined: it is none. */
export interface TextCase {
  readonly name: string;
  readonly frames: readonly Buffer[];
  readonly value: string | undefined;
}

const VALID: readonly string[] = [
  "48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121", // Hello-µ@ßöäüàá-UTF-8!!
  "cebae1bdb9cf83cebcceb5", // κόσμε
  "00",
  "c280",
  "e0a080",
  "f0908080",
  "7f",
  "dfbf",
  "efbfbf",
  "f48fbfbf",
  "ed9fbf",
  "ee8080",
  "efbfbd",
  "f0928da9", // 𒍩
  "efbfbe", // a noncharacter, which is a character to UTF-8
  "f09fbfbe",
];

const INVALID: readonly string[] = [
  "cebae1bdb9cf83cebcceb5eda080656469746564",
  "cebae1bdb9cf83cebcceb5f4908080656469746564",
  "ce", // incomplete
  "cebae1",
  "cebae1bd",
  "80",
  "bf",
  "80bf80bf",
  "c0af", // longer than needed
  "e080af",
  "f08080af",
  "f8808080af",
  "fc80808080af",
  "c1bf",
  "e09fbf",
  "f08fbfbf",
  "c080",
  "f5808080",
  "f4908080", // beyond U+10FFFF
  "eda080", // halves of surrogate pairs
  "edadbf",
  "edaebf",
  "edb080",
  "edbfbf",
  "eda080edb080",
  "fe",
  "ff",
  "fefeffff",
  "f808080808",
  "c020",
  "e0a020",
  "f0908020",
  "f888808080",
  "fc8480808080",
];

/** Frames of one text, cut before each of these bytes. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts, bytes.length];
  let from = 0;
  return ends.map((end, index) => {
    const payload = bytes.subarray(from, end);
    from = end;
    return frame({ opcode: index === 0 ? TEXT : CONTINUATION, payload, fin: index === ends.length - 1 });
  });
}

function waysOf(hex: string, value: string | undefined): TextCase[] {
  const bytes = Buffer.from(hex, "hex");
  const each = Array.from({ length: bytes.length - 1 }, (_, at) => at + 1);
  const half = bytes.length >> 1;
  return [
    { name: `6 ${hex} in one frame`, frames: cut(bytes, []), value },
    { name: `6 ${hex} in two frames`, frames: cut(bytes, [half]), value },
    { name: `6 ${hex} in a frame for each byte`, frames: cut(bytes, each), value },
    // Long enough to be unmasked by words, and not ASCII before it.
    {
      name: `6 ${hex} behind a longer text`,
      frames: cut(Buffer.concat([Buffer.from("ü".repeat(200)), bytes]), [150]),
      value: value === undefined ? undefined : "ü".repeat(200) + value,
    },
  ];
}

/** All of them. */
export function textCases(): TextCase[] {
  const empty = Buffer.alloc(0);
  return [
    { name: "6.1.1 an empty text", frames: cut(empty, []), value: "" },
    { name: "6.1.2 three empty fragments", frames: cut(empty, [0, 0]), value: "" },
    {
      name: "6.1.3 an empty fragment on both sides",
      frames: cut(Buffer.from("middle"), [0, 6]),
      value: "middle",
    },
    ...VALID.flatMap((hex) => waysOf(hex, Buffer.from(hex, "hex").toString())),
    ...INVALID.flatMap((hex) => waysOf(hex, undefined)),
  ];
}
