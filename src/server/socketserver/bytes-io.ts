// A file in memory: what a datagram handler reads and writes. It grows with what the program writes, and with nothing else.

import { bytesOf } from "../../socket/bytes.ts";
import type { Data } from "../../index.ts";

const LF = 10;

/** Bytes in memory as a file, with one position for reading; writes go to the end. */
export class BytesIO {
  #pieces: Uint8Array[];
  #at = 0;

  constructor(initial?: Data) {
    this.#pieces = initial === undefined ? [] : [Buffer.from(bytesOf("initial", initial))];
  }

  /** All of it, wherever the position is. */
  getvalue(): Buffer {
    if (this.#pieces.length === 1 && Buffer.isBuffer(this.#pieces[0])) return this.#pieces[0];
    const whole = Buffer.concat(this.#pieces);
    this.#pieces = [whole];
    return whole;
  }

  /** The next n bytes; absent or below 0: all that is left. Empty: there is no more. */
  read(n: number = -1): Buffer {
    return this.#take(n < 0 ? Infinity : n);
  }

  /** Up to and including the next line feed, at most `limit` bytes. Empty: there is no more. */
  readline(limit: number = -1): Buffer {
    const end = this.getvalue().indexOf(LF, this.#at);
    const length = end < 0 ? Infinity : end + 1 - this.#at;
    return this.#take(limit < 0 ? length : Math.min(length, limit));
  }

  /** All lines that are left. */
  readlines(): Buffer[] {
    return [...this];
  }

  #take(count: number): Buffer {
    const whole = this.getvalue();
    const bytes = whole.subarray(this.#at, Math.min(whole.length, this.#at + count));
    this.#at += bytes.length;
    return bytes;
  }

  /** Appends; strings as UTF-8. How many bytes. */
  write(data: Data): number {
    const bytes = Buffer.from(bytesOf("data", data));
    this.#pieces.push(bytes);
    return bytes.length;
  }

  *[Symbol.iterator](): Generator<Buffer, void, void> {
    for (let line = this.readline(); line.length > 0; line = this.readline()) yield line;
  }
}
