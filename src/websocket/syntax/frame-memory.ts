// Frames on their way out: small ones are written one behind the other into memory that is made for many of them, large
// ones are kept as they are. It knows no frame: whoever writes asks for room.
//
// Why not a Buffer for each frame, joined later. Making one costs as much as writing a small frame, and joining costs that
// again. Here a batch of frames is one piece of memory from the start. The memory is shared by all connections of a
// thread, as Node's own pool is, so that one which has nothing to send holds none; what was handed out is never written to
// again.

import { makeShared } from "../../wire/shared-memory.ts";

/** Made for so many bytes at a time. A frame that waits to be sent keeps no more than this. */
const ARENA_BYTES = 16_384;
/** What is larger gets memory of its own. */
export const SHARED_BYTES_MAX = 4096;

const NOTHING: Buffer = Buffer.alloc(0);

let arena: Buffer = NOTHING;
/** The arena is free from here on. */
let free = 0;

/** Bytes to be sent, in order. */
export class FrameMemory {
  /** What came before the last run. */
  #pieces: Uint8Array[] | undefined = undefined;
  #piecesLength = 0;
  /** The memory of the last run, and where that lies. */
  memory: Buffer = NOTHING;
  start = 0;
  end = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#piecesLength + this.end - this.start;
  }

  /** Room for `count` bytes (SHARED_BYTES_MAX at most) behind all others: where in `memory` they are to be written, now. */
  reserve(count: number): number {
    // The last run goes on where it ended, unless another connection has written there since.
    if (this.memory !== arena || this.end !== free || free + count > arena.length) {
      this.#endRun();
      if (free + count > arena.length) {
        arena = makeShared(ARENA_BYTES);
        free = 0;
      }
      this.memory = arena;
      this.start = free;
    }
    const at = free;
    free = this.end = at + count;
    return at;
  }

  /** Gives back the last `count` bytes that reserve() gave. */
  giveBack(count: number): void {
    free = this.end -= count;
  }

  /** Adds bytes, without a copy: leave their memory alone until they have been sent. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#endRun();
    (this.#pieces ??= []).push(bytes);
    this.#piecesLength += bytes.length;
  }

  /** Whether all of it lies in `memory`, from `start` to before `end`: it can be sent from there, and removed by clear(). */
  get isRun(): boolean {
    return this.#pieces === undefined;
  }

  /** Removes all. */
  clear(): void {
    this.#pieces = undefined;
    this.#piecesLength = 0;
    this.memory = NOTHING;
    this.start = this.end = 0;
  }

  /** Removes all and gives it in pieces. */
  takePieces(): Uint8Array[] {
    this.#endRun();
    const pieces = this.#pieces ?? [];
    this.#pieces = undefined;
    this.#piecesLength = 0;
    return pieces;
  }

  /** Removes all and gives it as one. It may be the very memory that push() was given. */
  take(): Uint8Array {
    if (this.#pieces === undefined) {
      const run = this.memory.subarray(this.start, this.end);
      this.memory = NOTHING;
      this.start = this.end = 0;
      return run;
    }
    const { length } = this;
    const pieces = this.takePieces();
    return pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces, length);
  }

  #endRun(): void {
    const length = this.end - this.start;
    if (length > 0) {
      (this.#pieces ??= []).push(this.memory.subarray(this.start, this.end));
      this.#piecesLength += length;
    }
    this.memory = NOTHING;
    this.start = this.end = 0;
  }
}
