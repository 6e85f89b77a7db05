// Bytes that were received and not yet read, and how much of them each kind of read takes. It is asked, and answers or
// says NEED_DATA; whoever asked then receives more, by waiting in whatever way, and asks again. Nothing is taken before
// it can be taken whole, so a wait that fails loses nothing. It knows no socket.

import { checkInteger } from "../base.ts";
import { lengthOf } from "../bytes.ts";
import { FileError } from "./errors.ts";
import { LINE_LIMIT, READ_LIMIT } from "./limits.ts";
import { ownCopy } from "../transfers.ts";

/** The answer cannot be given before more is received. */
export const NEED_DATA: unique symbol = Symbol("NEED_DATA");
export type NeedData = typeof NEED_DATA;

const LF = 10;

/** A count that may be left out or negative for "no limit of the caller's". Infinity is allowed. */
export function checkCount(name: string, count: number | undefined): number | undefined {
  if (count === undefined || count === Infinity) return count;
  return checkInteger(name, count, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) < 0 ? undefined : count;
}

/** Bytes between the kernel and a file of bytes. */
export class ReadBuffer {
  /** The peer's end was met: what is here is all. Reset before each read, for ends may pass (a datagram, a terminal). */
  ended = false;
  /** Bytes asked of the kernel at a time; more while a long read is under way. */
  readonly size: number;
  #memory: Buffer;
  #start = 0;
  #end = 0;
  /** The search for an end of line that began at this byte (counted from #start) … */
  #searchedFrom = 0;
  /** … has met none before this one. */
  #searchedTo = 0;

  constructor(size: number) {
    this.size = size;
    this.#memory = Buffer.allocUnsafeSlow(size);
  }

  /** Bytes received and not read. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Where the next bytes from the kernel go; never empty. */
  room(): Uint8Array {
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
      if (this.#memory.length > 4 * this.size) this.#memory = Buffer.allocUnsafeSlow(this.size);
    }
    if (this.#end === this.#memory.length) this.#makeRoom();
    return this.#memory.subarray(this.#end);
  }

  /** So many bytes were put into room(); 0: the peer has ended. */
  filled(count: number): void {
    if (count === 0) this.ended = true;
    this.#end += count;
  }

  /** read(n): so many bytes, or what there is when the peer has ended; without a count all till then. */
  read(count: number | undefined): Buffer | NeedData {
    const wanted = checkCount("n", count);
    if (this.length >= (wanted ?? Infinity)) return this.#take(wanted as number);
    if (this.ended) return this.#take(this.length);
    if (wanted === undefined && this.length > READ_LIMIT)
      throw new FileError("ERR_READ_TOO_LONG", `${READ_LIMIT} bytes`);
    return NEED_DATA;
  }

  /** read1(n): what is here, or what one receive brings, but at most so many bytes. */
  read1(count: number | undefined): Buffer | NeedData {
    const wanted = checkCount("n", count) ?? Infinity;
    if (this.length === 0 && !this.ended && wanted > 0) return NEED_DATA;
    return this.#take(Math.min(wanted, this.length));
  }

  /** peek(): what is here, or what one receive brings; it stays here. */
  peek(): Buffer | NeedData {
    if (this.length === 0 && !this.ended) return NEED_DATA;
    return ownCopy(this.#view(this.length));
  }

  /** readinto(): fills the view; `once`, readinto1(): with what is here or what one receive brings. */
  readinto(view: ArrayBufferView, once: boolean): number | NeedData {
    const length = lengthOf("buffer", view);
    const target = new Uint8Array(view.buffer, view.byteOffset, length);
    if (this.length < Math.min(once ? 1 : target.length, target.length) && !this.ended) return NEED_DATA;
    const count = Math.min(target.length, this.length);
    target.set(this.#view(count));
    this.#skip(count);
    return count;
  }

  /** readline(limit): up to and with "\n", or so many bytes, or what there is when the peer has ended. */
  readline(limit: number | undefined): Buffer | NeedData {
    const given = checkCount("limit", limit);
    const most = given ?? LINE_LIMIT;
    const end = this.#lineEnd(0, Math.min(most, this.length));
    if (end !== -1) return this.#take(end);
    if (this.length >= most) {
      if (given !== undefined) return this.#take(most);
      throw new FileError("ERR_LINE_TOO_LONG", `${LINE_LIMIT} bytes`);
    }
    return this.ended ? this.#take(this.length) : NEED_DATA;
  }

  /** readlines(hint): lines till their bytes are more than that; without a hint all till the peer has ended. */
  readlines(hint: number | undefined): Buffer[] | NeedData {
    const wanted = (checkCount("hint", hint) || Infinity) + 1;
    const end = this.length < wanted ? -1 : this.#lineEnd(wanted - 1, this.length);
    if (end !== -1) return splitLines(this.#take(end));
    if (this.ended) return splitLines(this.#take(this.length));
    if (this.length - wanted >= LINE_LIMIT) throw new FileError("ERR_LINE_TOO_LONG", `${LINE_LIMIT} bytes`);
    if (hint !== Infinity && wanted === Infinity && this.length > READ_LIMIT)
      throw new FileError("ERR_READ_TOO_LONG", `${READ_LIMIT} bytes`);
    return NEED_DATA;
  }

  /** Behind the first end of line from byte `from` on and before `to`; -1: none. Looks at no byte twice. */
  #lineEnd(from: number, to: number): number {
    if (this.#searchedFrom !== from) this.#searchedFrom = this.#searchedTo = from;
    const begin = this.#searchedTo;
    if (begin >= to) return -1;
    const at = this.#memory.subarray(this.#start + begin, this.#start + to).indexOf(LF);
    if (at !== -1) return begin + at + 1;
    this.#searchedTo = to;
    return -1;
  }

  #view(count: number): Uint8Array {
    return this.#memory.subarray(this.#start, this.#start + count);
  }

  #take(count: number): Buffer {
    if (count > this.size && count === this.length && this.#memory.length < 2 * count) {
      // All of the memory that grew for this read: it goes along, without a copy.
      const taken = this.#memory.subarray(this.#start, this.#end);
      this.#memory = Buffer.allocUnsafeSlow(this.size);
      this.#start = this.#end = this.#searchedFrom = this.#searchedTo = 0;
      return taken;
    }
    const taken = ownCopy(this.#view(count));
    this.#skip(count);
    return taken;
  }

  #skip(count: number): void {
    this.#start += count;
    this.#searchedTo = this.#searchedFrom === 0 ? Math.max(0, this.#searchedTo - count) : 0;
    this.#searchedFrom = 0;
  }

  /** Moves what is here to the front, into twice the memory where it fills more than half. */
  #makeRoom(): void {
    const { length } = this;
    const memory = this.#memory;
    if (length > memory.length / 2) this.#memory = Buffer.allocUnsafeSlow(memory.length * 2);
    memory.copy(this.#memory, 0, this.#start, this.#end);
    this.#start = 0;
    this.#end = length;
  }
}

function splitLines(block: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < block.length; ) {
    const at = block.indexOf(LF, start);
    const end = at === -1 ? block.length : at + 1;
    lines.push(block.subarray(start, end));
    start = end;
  }
  return lines;
}
