// The line before a chunk's data: its size and its extensions. RFC 9112 section 7.1. Extensions are read to their end and
// forgotten, as a recipient may that knows none of them; what is no extension is refused.

import { FIELD_VALUE, HEX_DIGIT, TOKEN_LOWER } from "../../wire/characters.ts";
import { refusal, shownByte, shownBytes } from "./errors.ts";
import { CHUNK_SIZE_DIGITS_MAX } from "./limits.ts";
import { INCOMPLETE, bareCr, bareLf } from "./start-lines.ts";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const NO_DIGIT = 255;

/** What a chunk's line says; one object is filled again and again. */
export class ChunkLine {
  /** 0: the last chunk. */
  size = 0;
}

/**
 * Reads a chunk's line.
 *
 * @param end           where the bytes end.
 * @param extensionMax  how many bytes may stand between the size and the CRLF.
 * @returns where its data begins, or INCOMPLETE.
 * @throws {RemoteProtocolError} ERR_HTTP_CHUNK_SIZE, ERR_HTTP_CHUNK_SIZE_TOO_LARGE, ERR_HTTP_CHUNK_EXTENSION,
 *   ERR_HTTP_CHUNK_EXTENSION_TOO_LONG, ERR_HTTP_BARE_LF, ERR_HTTP_BARE_CR.
 */
export function readChunkLine(
  bytes: Buffer,
  start: number,
  end: number,
  extensionMax: number,
  into: ChunkLine,
): number {
  let at = start;
  let size = 0;
  for (; at < end; at++) {
    const digit = HEX_DIGIT[bytes[at] as number] as number;
    if (digit === NO_DIGIT) break;
    if (at - start >= CHUNK_SIZE_DIGITS_MAX)
      throw refusal(
        "ERR_HTTP_CHUNK_SIZE_TOO_LARGE",
        `a chunk's size has over ${CHUNK_SIZE_DIGITS_MAX} digits`,
      );
    size = 16 * size + digit;
  }
  if (at >= end) return INCOMPLETE;
  if (at === start) {
    if (bytes[at] === LF) throw bareLf();
    throw refusal("ERR_HTTP_CHUNK_SIZE", `a chunk's size cannot begin with ${shownByte(bytes[at])}`);
  }
  if (bytes[at] !== CR) {
    // One byte beyond the limit must be seen to know that it was passed.
    const limit = at + extensionMax + 1;
    at = readExtensions(bytes, start, at, Math.min(end, limit));
    if (at === INCOMPLETE) {
      if (end >= limit)
        throw refusal(
          "ERR_HTTP_CHUNK_EXTENSION_TOO_LONG",
          `a chunk's extensions are over ${extensionMax} bytes`,
        );
      return INCOMPLETE;
    }
  }
  if (at + 1 >= end) return INCOMPLETE;
  if (bytes[at + 1] !== LF) throw bareCr();
  into.size = size;
  return at + 2;
}

/** *( BWS ";" BWS name [ BWS "=" BWS value ] ) up to the CR. @returns where the CR is, or INCOMPLETE. */
function readExtensions(bytes: Buffer, start: number, from: number, end: number): number {
  let at = from;
  for (;;) {
    const blanksEnd = skipBlanks(bytes, at, end);
    if (blanksEnd >= end) return INCOMPLETE;
    const byte = bytes[blanksEnd];
    if (byte === CR && blanksEnd === at) return at;
    if (byte === LF) throw bareLf();
    if (byte !== SEMICOLON) {
      // Behind the size this is a wrong digit.
      if (at === from && blanksEnd === at)
        throw refusal(
          "ERR_HTTP_CHUNK_SIZE",
          `${shownByte(byte)} in the size ${shownBytes(bytes, start, at)}`,
        );
      throw badExtension(byte);
    }
    at = readWord(bytes, skipBlanks(bytes, blanksEnd + 1, end), end);
    if (at === INCOMPLETE) return INCOMPLETE;
    const equals = skipBlanks(bytes, at, end);
    if (equals >= end) return INCOMPLETE;
    if (bytes[equals] !== EQUALS) continue;
    const value = skipBlanks(bytes, equals + 1, end);
    if (value >= end) return INCOMPLETE;
    at = bytes[value] === QUOTE ? readQuoted(bytes, value + 1, end) : readWord(bytes, value, end);
    if (at === INCOMPLETE) return INCOMPLETE;
  }
}

function skipBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
  return at;
}

function readWord(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && TOKEN_LOWER[bytes[at] as number] !== 0) at++;
  if (at >= end) return INCOMPLETE;
  if (at === from) throw badExtension(bytes[at]);
  return at;
}

/** @returns where the byte behind the closing quote is, or INCOMPLETE. */
function readQuoted(bytes: Buffer, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    let byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      if (++at >= end) return INCOMPLETE;
      byte = bytes[at] as number;
    }
    if (FIELD_VALUE[byte] === 0) throw badExtension(byte);
  }
  return INCOMPLETE;
}

function badExtension(byte: number | undefined): Error {
  if (byte === LF) return bareLf();
  return refusal("ERR_HTTP_CHUNK_EXTENSION", `${shownByte(byte)} in a chunk's extensions`);
}
