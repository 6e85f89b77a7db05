// The first line of a message, from bytes: RFC 9112 sections 3 and 4. Each reader works on one line from its first byte
// and gives where the next one begins; a line that is not all here is not an error, and nothing of it is kept. Which
// forms of a target go with which method, target.ts knows.

import { FIELD_VALUE, TOKEN_LOWER } from "../../wire/characters.ts";
import { refusal, shownByte, shownBytes } from "./errors.ts";
import type { HttpRefusal } from "./errors.ts";
import { isText, methodOf } from "./names.ts";

/** The line is not all here. */
export const INCOMPLETE = -1;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;

/**
 * Bytes that may stand in a target: what RFC 3986 has, and what the URL Standard leaves as it is in a path or query
 * (browsers send `|` and `{`). No fragment, no quotes, no angle brackets, nothing beyond ASCII.
 */
const TARGET: Uint8Array = new Uint8Array(256).fill(1, 0x21, 0x7f);
for (const character of '"#<>') TARGET[character.charCodeAt(0)] = 0;

/** What a start line says; one object is filled again and again. */
export class StartLine {
  /** Of requests. */
  method = "";
  /** Of requests. */
  target = "";
  /** Of responses. */
  status = 0;
  /** Of responses. */
  reason = "";
  /** HTTP/1.1, not 1.0. */
  is11 = true;
}

const VERSION_LENGTH = 8;
const VERSION = "HTTP/1.";

/** Reads a version; undefined where it is cut short by `end`. @returns whether it is 1.1. */
function readVersion(bytes: Buffer, at: number, end: number): boolean | undefined {
  for (let index = 0; index < VERSION.length; index++) {
    if (at + index >= end) return undefined;
    if (bytes[at + index] !== VERSION.charCodeAt(index)) throw badVersion(bytes, at, end);
  }
  if (at + VERSION_LENGTH > end) return undefined;
  const minor = bytes[at + VERSION_LENGTH - 1];
  if (minor === 0x31) return true;
  if (minor === 0x30) return false;
  throw badVersion(bytes, at, end);
}

function badVersion(bytes: Buffer, at: number, end: number): Error {
  // Whoever wrote the line's end elsewhere hears of that first.
  const cut = Math.min(end, at + VERSION_LENGTH);
  return refusal(
    "ERR_HTTP_VERSION",
    `the version must be HTTP/1.0 or HTTP/1.1, not ${shownBytes(bytes, at, cut)}`,
  );
}

/** Reads a line's end; INCOMPLETE where it is cut short. `code`, `where`: what it means that something else stands here. */
function readLineEnd(bytes: Buffer, at: number, end: number, code: HttpRefusal, where: string): number {
  if (at >= end) return INCOMPLETE;
  const byte = bytes[at];
  if (byte === LF) throw bareLf();
  if (byte !== CR) throw refusal(code, `${shownByte(byte)} ${where}`);
  if (at + 1 >= end) return INCOMPLETE;
  if (bytes[at + 1] !== LF) throw bareCr();
  return at + 2;
}

/** A line that ends in LF alone. */
export function bareLf(): Error {
  return refusal("ERR_HTTP_BARE_LF", "a line ends in LF without CR");
}

/** A CR that ends no line. */
export function bareCr(): Error {
  return refusal("ERR_HTTP_BARE_CR", "a CR is not followed by LF");
}

/** Reads a request line. @returns where the next line begins, or INCOMPLETE. */
export function readRequestLine(bytes: Buffer, start: number, end: number, into: StartLine): number {
  let at = start;
  while (at < end && TOKEN_LOWER[bytes[at] as number] !== 0) at++;
  if (at >= end) return INCOMPLETE;
  if (bytes[at] !== SP || at === start) throw badMethod(bytes, start, at);
  const methodEnd = at;
  const targetStart = ++at;
  while (at < end && TARGET[bytes[at] as number] !== 0) at++;
  if (at >= end) return INCOMPLETE;
  if (bytes[at] !== SP || at === targetStart) throw badTarget(bytes, targetStart, at);
  const targetEnd = at++;
  const is11 = readVersion(bytes, at, end);
  if (is11 === undefined) return INCOMPLETE;
  const next = readLineEnd(bytes, at + VERSION_LENGTH, end, "ERR_HTTP_VERSION", "behind the version");
  if (next === INCOMPLETE) return INCOMPLETE;
  into.is11 = is11;
  if (!isText(bytes, start, methodEnd, into.method)) into.method = methodOf(bytes, start, methodEnd);
  // Who asks again for the same gets the same string.
  if (!isText(bytes, targetStart, targetEnd, into.target))
    into.target = bytes.toString("latin1", targetStart, targetEnd);
  return next;
}

function badMethod(bytes: Buffer, start: number, at: number): Error {
  if (at === start && bytes[at] === LF) return bareLf();
  return refusal(
    "ERR_HTTP_METHOD",
    at === start
      ? `a method cannot begin with ${shownByte(bytes[at])}`
      : `${shownByte(bytes[at])} in the method ${shownBytes(bytes, start, at)}`,
  );
}

function badTarget(bytes: Buffer, start: number, at: number): Error {
  const byte = bytes[at];
  // "GET /" alone is HTTP/0.9, whatever ends the line.
  if ((byte === CR || byte === LF) && at > start)
    return refusal("ERR_HTTP_VERSION", "the request line has no version");
  return refusal(
    "ERR_HTTP_TARGET",
    at === start ? `a target cannot begin with ${shownByte(byte)}` : `${shownByte(byte)} in the target`,
  );
}

/** Reads a status line. The blank before an absent reason may be absent too, as many servers have it. */
export function readStatusLine(bytes: Buffer, start: number, end: number, into: StartLine): number {
  const is11 = readVersion(bytes, start, end);
  if (is11 === undefined) return INCOMPLETE;
  let at = start + VERSION_LENGTH;
  if (at >= end) return INCOMPLETE;
  if (bytes[at] !== SP) throw refusal("ERR_HTTP_VERSION", `${shownByte(bytes[at])} behind the version`);
  let status = 0;
  for (let digits = 0; digits < 3; digits++) {
    if (++at >= end) return INCOMPLETE;
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9 || (digits === 0 && digit === 0))
      throw refusal("ERR_HTTP_STATUS_LINE", `${shownByte(bytes[at])} in the status`);
    status = 10 * status + digit;
  }
  if (++at >= end) return INCOMPLETE;
  const reasonStart = at + 1;
  if (bytes[at] === SP) for (at++; at < end && FIELD_VALUE[bytes[at] as number] !== 0; ) at++;
  const reasonEnd = at;
  const next = readLineEnd(bytes, at, end, "ERR_HTTP_STATUS_LINE", "behind the status");
  if (next === INCOMPLETE) return INCOMPLETE;
  into.is11 = is11;
  into.status = status;
  if (reasonEnd <= reasonStart) into.reason = "";
  else if (!isText(bytes, reasonStart, reasonEnd, into.reason))
    into.reason = bytes.toString("latin1", reasonStart, reasonEnd);
  return next;
}
