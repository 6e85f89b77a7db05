// node out/bench/framing.js: how fast frames are taken out of a stream and put into one, beside a plain copy of the whole
// stream, all at once and into memory that is there. In this process and without a socket, so it is no question like the
// others: what counts is the ratio to the copy. The goal for taking apart is 0.5 for frames of 1 KiB and more.

import { NEED_DATA, delimited, fixedLength, lengthPrefixed, netstring, varintPrefixed } from "berkeley/wire";
import type { Framing } from "berkeley/wire";

const STREAM_BYTES = 64 << 20;
const CHUNK_BYTES = 65_536;
const ROUNDS = 5;
const GIB = 2 ** 30;

/** Processor seconds of this process that a call took, in the middle of all rounds. */
function seconds(call: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const began = process.cpuUsage();
    call();
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1e6;
  }).toSorted((a, b) => a - b);
  return times[ROUNDS >> 1] as number;
}

function framings(size: number): Record<string, Framing> {
  const options = { frameBytesMax: 1 << 20 };
  return {
    "length of 4 bytes": lengthPrefixed(options),
    varint: varintPrefixed(options),
    netstring: netstring(options),
    "fixed length": fixedLength(size),
    "delimiter \\n": delimited("\n", options),
    "delimiter \\r\\n.\\r\\n": delimited("\r\n.\r\n", options),
  };
}

const target = Buffer.alloc(2 * STREAM_BYTES);
console.log("frame       framing               decode GiB/s  of a copy    encode GiB/s  of a copy");
for (const size of [64, 1024, 16_384, 1 << 20]) {
  const payload = Buffer.alloc(size, "payload ");
  const count = Math.max(1, Math.floor(STREAM_BYTES / size));
  for (const [name, framing] of Object.entries(framings(size))) {
    const wire = framing.encode(Array<Buffer>(count).fill(payload));
    const chunks: Buffer[] = [];
    for (let at = 0; at < wire.length; at += CHUNK_BYTES) chunks.push(wire.subarray(at, at + CHUNK_BYTES));
    const copy = seconds(() => wire.copy(target));
    let frames = 0;
    const decode = seconds(() => {
      const decoder = framing.decoder();
      for (const chunk of chunks) {
        decoder.receive(chunk);
        while (decoder.next() !== NEED_DATA) frames++;
      }
    });
    const encode = seconds(() => {
      for (let times = 0; times < count; times++) framing.encode(payload);
    });
    if (frames === 0) throw new Error("nothing was decoded");
    const shown = (own: number): string =>
      `${(wire.length / GIB / own).toFixed(2).padStart(12)} ${(copy / own).toFixed(2).padStart(10)}`;
    console.log(String(size).padEnd(11), name.padEnd(21), shown(decode), "   ", shown(encode));
  }
}
