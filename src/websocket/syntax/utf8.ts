// UTF-8 that arrives in pieces, checked as it comes: what is wrong is told with its first wrong byte, not at the end of a
// message (RFC 6455 section 8.1). The middle of each piece is checked by the runtime at memory speed; a character
// that lies across two pieces is followed byte by byte, by the table of the Encoding Standard (section 4.5).

import { constants, isUtf8 } from "node:buffer";
import { refusal } from "./errors.ts";

const LOWER = 0x80;
const UPPER = 0xbf;

/** One text in pieces. */
export class Utf8Checker {
  /** Bytes that the last character still needs, and what the next of them may be. */
  #needed = 0;
  #lower = LOWER;
  #upper = UPPER;

  /** Whether the text may end here: no character is incomplete. */
  get isComplete(): boolean {
    return this.#needed === 0;
  }

  /** Begins a new text. */
  reset(): void {
    this.#needed = 0;
    this.#lower = LOWER;
    this.#upper = UPPER;
  }

  /** @returns false: this is no UTF-8, whatever follows. */
  push(bytes: Buffer): boolean {
    const { length } = bytes;
    let at = 0;
    while (this.#needed > 0 && at < length) if (!this.#step(bytes[at++] as number)) return false;
    const tail = incompleteFrom(bytes, at);
    if (tail > at && !isUtf8(at === 0 && tail === length ? bytes : bytes.subarray(at, tail))) return false;
    for (at = tail; at < length; at++) if (!this.#step(bytes[at] as number)) return false;
    return true;
  }

  #step(byte: number): boolean {
    if (this.#needed > 0) {
      if (byte < this.#lower || byte > this.#upper) return false;
      this.#needed--;
      this.#lower = LOWER;
      this.#upper = UPPER;
      return true;
    }
    if (byte < 0x80) return true;
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    // Longer than needed, a half of a surrogate pair, beyond U+10FFFF.
    if (byte === 0xe0) this.#lower = 0xa0;
    else if (byte === 0xed) this.#upper = 0x9f;
    else if (byte === 0xf0) this.#lower = 0x90;
    else if (byte === 0xf4) this.#upper = 0x8f;
    return true;
  }
}

/** Where the last character begins if more bytes of it must follow; else the end. */
function incompleteFrom(bytes: Buffer, from: number): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && length - back >= from; back++) {
    const byte = bytes[length - back] as number;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return size > back ? length - back : length;
  }
  return length;
}

/**
 * Bytes as text.
 *
 * @throws {RemoteProtocolError} ERR_WEBSOCKET_UTF8: they are no UTF-8; ERR_WEBSOCKET_MESSAGE_TOO_LARGE: more than the
 *   runtime makes a string of.
 */
export function readText(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw notUtf8("a text");
  if (bytes.length > constants.MAX_STRING_LENGTH)
    throw refusal("ERR_WEBSOCKET_MESSAGE_TOO_LARGE", "a text longer than any string");
  return bytes.toString("utf8");
}

/** The refusal of what is no UTF-8, to be thrown. */
export function notUtf8(what: string): Error {
  return refusal("ERR_WEBSOCKET_UTF8", `${what} is no UTF-8`);
}
