// IPv4 and IPv6 addresses as text, as inet_pton(3) and inet_ntop(3) of the C library have them, byte for byte:
// four decimal parts without leading zeros; RFC 4291 text, written as RFC 5952 asks. Knows no sockaddr.

import { readU16BE, writeU16BE } from "./view.ts";

const DOT = 46;
const COLON = 58;
const ZERO = 48;

/**
 * Reads "a.b.c.d" strictly.
 *
 * @returns the address as a number in host order, or -1 when the text is not one.
 * @see inet_pton(3)
 */
export function parseIPv4(text: string, from = 0): number {
  let address = 0;
  let part = -1;
  let parts = 0;
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT) {
      if (part < 0 || ++parts > 3) return -1;
      address = address * 256 + part;
      part = -1;
      continue;
    }
    const digit = c - ZERO;
    if (digit < 0 || digit > 9 || part === 0) return -1;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return -1;
  }
  return part < 0 || parts !== 3 ? -1 : address * 256 + part;
}

/** "a.b.c.d" of a number in host order. */
export function formatIPv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

function hexDigit(c: number): number {
  if (c >= ZERO && c <= 57) return c - ZERO;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/**
 * Reads RFC 4291 text (without a zone) into 16 bytes.
 *
 * @returns whether the text was an address; the bytes are only written when it was.
 * @see inet_pton(3)
 */
export function parseIPv6(text: string, into: Uint8Array, at: number): boolean {
  if (text.length < 2 || text.length > 45) return false;
  const words: number[] = [];
  let gap = -1; // index of the word before which "::" stands
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    i = 1;
  }
  while (i < text.length) {
    if (text.charCodeAt(i) === COLON) {
      // Only a second colon in a row gets here: the first one is consumed with its word, or is the leading one.
      if (gap >= 0) return false;
      gap = words.length;
      i++;
      continue;
    }
    let word = 0;
    let end = i;
    for (let digit; end < text.length && (digit = hexDigit(text.charCodeAt(end))) >= 0; end++)
      word = word * 16 + digit;
    const next = text.charCodeAt(end);
    if (next === DOT) {
      const tail = parseIPv4(text, i);
      if (tail < 0 || words.length > 6) return false;
      words.push(tail >>> 16, tail & 0xffff);
      break;
    }
    if (end === i || end - i > 4 || words.length === 8) return false;
    words.push(word);
    if (end === text.length) break;
    if (next !== COLON || end + 1 === text.length) return false;
    i = end + 1;
  }
  if (gap < 0 ? words.length !== 8 : words.length > 7) return false;
  const zeros = 8 - words.length;
  const head = gap < 0 ? 8 : gap;
  for (let index = 0; index < 8; index++) {
    const word = index < head ? words[index] : index < head + zeros ? 0 : words[index - zeros];
    writeU16BE(into, at + index * 2, word as number);
  }
  return true;
}

/**
 * The text of 16 bytes: the longest run of two or more zero words (the first of equals) becomes "::"; ::a.b.c.d and
 * ::ffff:a.b.c.d end in IPv4 text.
 *
 * @see inet_ntop(3)
 */
export function formatIPv6(from: Uint8Array, at: number): string {
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push(readU16BE(from, at + i));
  let gap = -1;
  let zeros = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && words[end] === 0) end++;
    if (end - i > zeros) {
      gap = i;
      zeros = end - i;
    }
    if (end > i) i = end;
  }
  const mapped = gap === 0 && (zeros === 6 || (zeros === 5 && words[5] === 0xffff));
  let text = "";
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      text += i + zeros === 8 ? "::" : ":";
      i += zeros - 1;
      continue;
    }
    if (i > 0) text += ":";
    if (i === 6 && mapped)
      return text + formatIPv4((((words[6] as number) << 16) | (words[7] as number)) >>> 0);
    text += (words[i] as number).toString(16);
  }
  return text;
}
