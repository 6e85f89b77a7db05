// Bytes that were written and not yet sent. A write is a job: it names the next bytes to send, is told how many of them
// went, and ends when the rest fits the buffer. Who sends, and how he waits, it does not know.

import { countProgress } from "../../engine/operation.ts";
import type { Progress } from "../../engine/operation.ts";

/** What is sent on behalf of one call. */
export interface Sending {
  /** What to send next; undefined: nothing more, the call is done. */
  next(): Uint8Array | undefined;
  /** So many bytes of it went. */
  sent(count: number): void;
  /** How many bytes of the call's data were taken, whatever ends it. */
  readonly progress?: Progress;
}

/** Nothing is held back. */
export const NOTHING_TO_SEND: Sending = {
  next: () => undefined,
  sent: () => {},
};

/** Bytes between a file and the kernel. */
export class WriteBuffer {
  readonly size: number;
  readonly #memory: Buffer;
  #start = 0;
  #end = 0;

  constructor(size: number) {
    this.size = size;
    this.#memory = Buffer.allocUnsafeSlow(size);
  }

  /** Bytes written and not sent. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Those bytes. */
  get pending(): Uint8Array {
    return this.#memory.subarray(this.#start, this.#end);
  }

  /** Whether so many bytes more have room. */
  fits(count: number): boolean {
    return this.length + count <= this.size;
  }

  /** Takes bytes that fit. */
  add(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.size) {
      this.#memory.copyWithin(0, this.#start, this.#end);
      this.#end = this.length;
      this.#start = 0;
    }
    this.#memory.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** So many of the pending bytes were sent. */
  sent(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }
}

/** A buffered write: takes all of the data, into the buffer or, when it is larger than that, straight to the kernel. */
export class Write implements Sending {
  readonly progress: Progress;
  readonly #buffer: WriteBuffer;
  readonly #data: Uint8Array;

  constructor(buffer: WriteBuffer, data: Uint8Array, shown?: Progress) {
    this.#buffer = buffer;
    this.#data = data;
    this.progress = countProgress(shown);
  }

  next(): Uint8Array | undefined {
    const taken = this.progress.bytes;
    const rest = taken === 0 ? this.#data : this.#data.subarray(taken);
    if (this.#buffer.fits(rest.length)) {
      this.#buffer.add(rest);
      this.progress.bytes = this.#data.length;
      return undefined;
    }
    return this.#buffer.length > 0 ? this.#buffer.pending : rest;
  }

  sent(count: number): void {
    if (this.#buffer.length > 0) this.#buffer.sent(count);
    else this.progress.bytes += count;
  }
}

/** A write without a buffer: one send of as much as the kernel takes. */
export class WriteOnce implements Sending {
  readonly progress: Progress;
  #data: Uint8Array | undefined;

  constructor(data: Uint8Array, shown?: Progress) {
    this.#data = data;
    this.progress = countProgress(shown);
  }

  next(): Uint8Array | undefined {
    return this.#data;
  }

  sent(count: number): void {
    this.#data = undefined;
    this.progress.bytes = count;
  }
}

/** Sends all that is in the buffer. */
export class Flush implements Sending {
  readonly #buffer: WriteBuffer;

  constructor(buffer: WriteBuffer) {
    this.#buffer = buffer;
  }

  next(): Uint8Array | undefined {
    return this.#buffer.length > 0 ? this.#buffer.pending : undefined;
  }

  sent(count: number): void {
    this.#buffer.sent(count);
  }
}
