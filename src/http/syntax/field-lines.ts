// One field line from bytes into a table of places: RFC 9112 section 5. Nothing is decoded; what a value is worth is
// decided by who asks for it. It knows the table's layout, and fields.ts reads it.

import { FIELD_VALUE, TOKEN_LOWER } from "../../wire/characters.ts";
import { refusal, shownByte, shownBytes } from "./errors.ts";
import { idOf } from "./names.ts";
import { INCOMPLETE, bareCr, bareLf } from "./start-lines.ts";

/** Numbers of one line in the table: its name's id, then where name and value begin and where the value ends. */
export const LINE_WORDS = 4;
/** Where in a line's numbers each of them lies; places are counted from a base, for the bytes may move. */
export const NAME_ID = 0;
export const NAME_START = 1;
export const VALUE_START = 2;
export const VALUE_END = 3;

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/**
 * Reads the field line that begins at `start`, and appends its numbers to the table.
 *
 * @param end   where the bytes end, or the limit.
 * @param base  from where places are counted.
 * @returns where the next line begins, or INCOMPLETE, and then nothing was appended.
 */
export function readFieldLine(
  bytes: Buffer,
  start: number,
  end: number,
  base: number,
  table: number[],
): number {
  let at = start;
  while (at < end && TOKEN_LOWER[bytes[at] as number] !== 0) at++;
  if (at >= end) return INCOMPLETE;
  if (bytes[at] !== COLON || at === start) throw badName(bytes, start, at);
  const nameEnd = at++;
  while (at < end && (bytes[at] === SP || bytes[at] === TAB)) at++;
  const valueStart = at;
  while (at < end && FIELD_VALUE[bytes[at] as number] !== 0) at++;
  if (at >= end) return INCOMPLETE;
  if (bytes[at] !== CR) throw badValue(bytes[at]);
  if (at + 1 >= end) return INCOMPLETE;
  if (bytes[at + 1] !== LF) throw bareCr();
  let valueEnd = at;
  while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
  table.push(idOf(bytes, start, nameEnd), start - base, valueStart - base, valueEnd - base);
  return at + 2;
}

function badName(bytes: Buffer, start: number, at: number): Error {
  const byte = bytes[at];
  const name = shownBytes(bytes, start, at);
  if (at === start) {
    if (byte === SP || byte === TAB) return refusal("ERR_HTTP_OBS_FOLD", "a field line begins with a blank");
    if (byte === LF) return bareLf();
    return refusal("ERR_HTTP_FIELD_NAME", `a field name cannot begin with ${shownByte(byte)}`);
  }
  if (byte === SP || byte === TAB)
    return refusal("ERR_HTTP_SPACE_BEFORE_COLON", `a blank behind the field name ${name}`);
  if (byte === CR || byte === LF) return refusal("ERR_HTTP_NO_COLON", `no colon behind ${name}`);
  return refusal("ERR_HTTP_FIELD_NAME", `${shownByte(byte)} in the field name ${name}`);
}

function badValue(byte: number | undefined): Error {
  return byte === LF ? bareLf() : refusal("ERR_HTTP_FIELD_VALUE", `${shownByte(byte)} in a field value`);
}
