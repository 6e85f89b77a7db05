// node out/bench/framing.js > bench/results/framing.md: how fast frames are taken out of a stream and put into one, beside
// copies of the same bytes. In this process and without a socket, so it is no question like the others: what counts are the
// ratios. The goal is 0.5 for frames of 1 KiB and more.
//
// Which copy. The plain one is what a receive does: the stream, chunk by chunk, into memory that is there. A decoder gets each
// chunk as it then lies in the cache, as after a receive; the time of the copy is taken off. (Out of memory that nobody has
// just touched, to read a length is to wait for memory, 100 ns for each frame, which no receive leaves to its reader.)
// But a frame that is encoded, or that came in several chunks, needs memory of its own, and to get that (malloc, page
// faults, a Buffer, the collector) takes longer than to fill it. So there is a second copy: the same bytes, in the same
// chunks, each frame's into a new Buffer.

import { NEED_DATA, delimited, fixedLength, lengthPrefixed, netstring, varintPrefixed } from "berkeley/wire";
import type { Framing } from "berkeley/wire";

const STREAM_BYTES = 64 << 20;
const CHUNK_BYTES = 65_536;
/** What is received into, one after the other: enough for a frame of 1 MiB to wait for its end. */
const RECEIVES = 20;
const ROUNDS = 5;
const GIB = 2 ** 30;
const SIZES = [64, 1024, 16_384, 1 << 20];

function framings(size: number): Record<string, Framing> {
  const options = { frameBytesMax: 1 << 20 };
  return {
    "length of 1 byte": lengthPrefixed({ lengthBytes: 1 }),
    "length of 2 bytes": lengthPrefixed({ lengthBytes: 2 }),
    "length of 4 bytes": lengthPrefixed(options),
    "length of 8 bytes": lengthPrefixed({ ...options, lengthBytes: 8 }),
    varint: varintPrefixed(options),
    netstring: netstring(options),
    "fixed length": fixedLength(size),
    "delimiter \\n": delimited("\n", options),
    "delimiter \\r\\n.\\r\\n": delimited("\r\n.\r\n", options),
  };
}

/** Processor seconds of this process that a call took. */
function seconds(call: () => void): number {
  const began = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** Every chunk into memory that is there, and what is done with it. */
function receive(wire: Buffer, memory: readonly Buffer[], done: (chunk: Buffer) => void): void {
  for (let at = 0, turn = 0; at < wire.length; turn++) {
    const into = memory[turn % memory.length] as Buffer;
    const count = wire.copy(into, 0, at, at + CHUNK_BYTES);
    at += count;
    done(count === CHUNK_BYTES ? into : into.subarray(0, count));
  }
}

/** Each frame into a Buffer of its own, which has all of the stream's bytes, marks and lengths among them. */
function copier(size: number): (chunk: Buffer) => void {
  let frame = Buffer.allocUnsafe(size);
  let filled = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      const count = chunk.copy(frame, filled, at, at + size - filled);
      at += count;
      filled += count;
      if (filled < size) continue;
      frame = Buffer.allocUnsafe(size);
      filled = 0;
    }
  };
}

function decode(framing: Framing, wire: Buffer, memory: readonly Buffer[]): number {
  const decoder = framing.decoder();
  let frames = 0;
  receive(wire, memory, (chunk) => {
    decoder.receive(chunk);
    while (decoder.next() !== NEED_DATA) frames++;
  });
  return frames;
}

function row(name: string, framing: Framing, size: number, memory: readonly Buffer[]): string {
  const payload = Buffer.alloc(size, "payload ");
  const count = Math.floor(STREAM_BYTES / size);
  const wire = framing.encode(Array<Buffer>(count).fill(payload));
  // Each round has all of it, so that ratios are of the same moment.
  const rounds = Array.from({ length: ROUNDS }, () => {
    const plain = seconds(() => receive(wire, memory, () => undefined));
    const frames = seconds(() => receive(wire, memory, copier(wire.length / count))) - plain;
    const decoded = seconds(() => {
      if (decode(framing, wire, memory) !== count) throw new Error(`${name} lost frames of ${size}`);
    });
    const news = seconds(() => {
      for (let times = 0; times < count; times++) Buffer.from(payload);
    });
    const encode = seconds(() => {
      for (let times = 0; times < count; times++) framing.encode(payload);
    });
    return { plain, frames, decode: decoded - plain, news, encode };
  });
  type Round = (typeof rounds)[number];
  const shown = (of: (round: Round) => number): string => median(rounds.map(of)).toFixed(2);
  return `| ${[
    size,
    `\`${name}\``,
    shown((round) => wire.length / GIB / round.decode),
    shown((round) => round.plain / round.decode),
    shown((round) => round.frames / round.decode),
    shown((round) => wire.length / GIB / round.encode),
    shown((round) => round.plain / round.encode),
    shown((round) => round.news / round.encode),
  ].join(" | ")} |`;
}

console.log(
  "| frame | framing | decode GiB/s | of a plain copy | of a copy into new frames | encode GiB/s | of a plain copy | of a copy into new frames |",
);
console.log(`|---:|---|${"---:|".repeat(6)}`);
const memory = Array.from({ length: RECEIVES }, () => Buffer.alloc(CHUNK_BYTES, 1));
for (const size of SIZES)
  for (const [name, framing] of Object.entries(framings(size))) {
    const [, bytes = 8] = /of (\d) byte/.exec(name) ?? [];
    if (size >= 2 ** (8 * Number(bytes))) continue; // longer than it can count
    console.log(row(name, framing, size, memory));
  }
