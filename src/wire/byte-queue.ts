// Bytes that have arrived and are not parsed yet, in one piece. It knows neither lines nor frames.
//
// Why one piece. A parser that searches over a list of chunks is either slow or complicated, and Buffer.indexOf runs at
// memory speed. What is mostly the case costs no copy: a chunk that arrives when nothing is left over is taken as it is.
// Otherwise it is appended to memory of our own that doubles, so that each byte is copied a bounded number of times
// however small the chunks are. Memory that was handed out is never written again: what take() gave stays as it was.

const NOTHING: Buffer = Buffer.alloc(0);

/** The least memory that is made to append to. */
const ROOM_BYTES_MIN = 256;

/** A queue of bytes: pushed at the end, taken from the front, searched in between. */
export class ByteQueue {
  /** Bytes from #start to #end are queued; behind #end is room if the memory is ours. */
  #memory: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** The memory was made here, and nobody else writes behind #end. */
  #ours = false;

  /** How many bytes are queued. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** The memory that the queued bytes lie in, for parsers that read it in place: from `start` to before `end`. Look only. */
  get memory(): Buffer {
    return this.#memory;
  }

  /** Where in `memory` the queued bytes begin; push() and take() move it. */
  get start(): number {
    return this.#start;
  }

  /** Where in `memory` the queued bytes end. */
  get end(): number {
    return this.#end;
  }

  /** Appends bytes. They belong to the queue from now on: leave their memory alone. */
  push(bytes: Uint8Array): void {
    const { length } = this;
    const added = bytes.length;
    if (added === 0) return;
    if (length === 0) {
      this.#memory = Buffer.isBuffer(bytes)
        ? bytes
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#start = 0;
      this.#end = added;
      this.#ours = false;
      return;
    }
    if (!this.#ours || this.#end + added > this.#memory.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(ROOM_BYTES_MIN, 2 * (length + added)));
      this.#memory.copy(grown, 0, this.#start, this.#end);
      this.#memory = grown;
      this.#start = 0;
      this.#end = length;
      this.#ours = true;
    }
    this.#memory.set(bytes, this.#end);
    this.#end += added;
  }

  /** The queued byte at `index`, counted from the front; undefined beyond the end. */
  at(index: number): number | undefined {
    return index < this.length ? this.#memory[this.#start + index] : undefined;
  }

  /** Where a byte or a sequence is first found at or after `from`, counted from the front; -1: not there yet. */
  indexOf(what: number | Uint8Array, from: number = 0): number {
    return this.peek().indexOf(what, from);
  }

  /** The first `count` bytes (all, if fewer are queued), which stay queued. */
  peek(count: number = this.length): Buffer {
    return this.#memory.subarray(this.#start, Math.min(this.#start + count, this.#end));
  }

  /** Removes the first `count` bytes (all, if fewer are queued) and gives them: a view that nobody writes to any more. */
  take(count: number = this.length): Buffer {
    const bytes = this.peek(count);
    this.skip(bytes.length);
    return bytes;
  }

  /** Removes the first `count` bytes (all, if fewer are queued). */
  skip(count: number): void {
    this.#start = Math.min(this.#start + count, this.#end);
    if (this.#start < this.#end) return;
    this.#memory = NOTHING;
    this.#start = this.#end = 0;
    this.#ours = false;
  }
}
