// Streams for tests: one whose bytes arrive in pieces that the test has cut, and ways to cut.

import { memoryPair } from "berkeley/stream";
import type { ByteStream, StreamOptions } from "berkeley/stream";
import { Random } from "./random.ts";

/** Every way that tests deliver bytes in, by name. */
export const deliveries: Readonly<Record<string, (bytes: Buffer, random?: Random) => Buffer[]>> = {
  whole: (bytes) => (bytes.length === 0 ? [] : [bytes]),
  "byte by byte": (bytes) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
  "at random cuts": (bytes, random = new Random(bytes.length)) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + 1 + random.below(random.onceIn(3) ? 3 : 50));
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  },
};

/** A stream that receives these pieces, one at a time, and then the end. What it sends nobody receives. */
export function receiving(pieces: readonly Uint8Array[]): ByteStream {
  const [stream, peer] = memoryPair();
  peer.close();
  const left = pieces.map((piece) => Buffer.from(piece));
  stream.receiveSome = async (bytesMax = Infinity, options?: StreamOptions): Promise<Buffer> => {
    options?.signal?.throwIfAborted();
    const piece = left.shift() ?? Buffer.alloc(0);
    if (piece.length > bytesMax) left.unshift(piece.subarray(bytesMax));
    return await Promise.resolve(piece.subarray(0, bytesMax));
  };
  return stream;
}
