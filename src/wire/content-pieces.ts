// What comes in several pieces and is wanted whole: the payload of a message, a content. It knows no protocol: who takes
// messages apart pushes.
//
// Why not a view of each piece. A view keeps the whole receive alive that it lies in, and between pieces of 1 KiB a peer may
// put 63 KiB of something else (pongs, what extends a chunk): a message within its limit would hold 64 times as much. So a
// piece is kept as it is only where it is a good part of its memory; others are copied, one behind the other, into memory of
// ours, which is made as large as what is there already. Whatever the peer does, no more is held than VIEW_PART_MIN times the
// message.

/** Smaller pieces are copied in any case: a view costs as much. And the least memory that is made for copies. */
const VIEW_BYTES_MIN = 1024;
/** The most that is made for copies at a time. */
const BLOCK_BYTES_MAX = 65_536;
/** What is a smaller part of its memory than one of so many is copied, so that it does not keep all of that. */
export const VIEW_PART_MIN = 4;

const NOTHING: Buffer = Buffer.alloc(0);

/** Pieces of one whole, in order. */
export class ContentPieces {
  readonly #pieces: Buffer[] = [];
  #piecesLength = 0;
  /** Memory for copies, and which part of it is filled and not among the pieces yet. */
  #block: Buffer = NOTHING;
  #start = 0;
  #end = 0;

  /** How many bytes there are. */
  get length(): number {
    return this.#piecesLength + this.#end - this.#start;
  }

  /** Adds bytes, which nobody else may write to; @param isLent  unless they are to be copied. */
  push(bytes: Buffer, isLent: boolean = false): void {
    const { length } = bytes;
    if (!isLent && length >= VIEW_BYTES_MIN && length * VIEW_PART_MIN >= bytes.buffer.byteLength) {
      this.#endRun();
      this.#add(bytes);
      return;
    }
    const room = this.#block.length - this.#end;
    const fitting = Math.min(room, length);
    this.#end += bytes.copy(this.#block, this.#end, 0, fitting);
    if (fitting === length) return;
    this.#endRun();
    const size = Math.min(Math.max(this.#piecesLength, length, VIEW_BYTES_MIN), BLOCK_BYTES_MAX);
    this.#block = Buffer.allocUnsafeSlow(Math.max(size, length - fitting));
    this.#start = 0;
    this.#end = bytes.copy(this.#block, 0, fitting);
  }

  /** All of it as one. Nothing may be pushed any more. */
  whole(): Buffer {
    this.#endRun();
    const [first] = this.#pieces;
    // What was copied lies in memory that may be larger.
    if (first !== undefined && this.#pieces.length === 1 && this.#block === NOTHING) return first;
    return Buffer.concat(this.#pieces, this.#piecesLength);
  }

  #endRun(): void {
    if (this.#end === this.#start) return;
    this.#add(this.#block.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }

  #add(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#piecesLength += bytes.length;
  }
}
