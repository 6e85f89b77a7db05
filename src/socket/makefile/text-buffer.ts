// Text that was decoded and not yet read, and how much of it each kind of read takes; what read-buffer.ts is for bytes.
// Counts are characters as CPython counts them: code points, so that no character is cut in two. It knows neither bytes
// nor encodings.

import { FileError } from "./errors.ts";
import type { UnicodeError } from "./errors.ts";
import { LINE_LIMIT, READ_LIMIT } from "./limits.ts";
import type { Newline } from "./mode.ts";
import { lineEnd } from "./newlines.ts";
import { NEED_DATA, checkCount } from "./read-buffer.ts";
import type { NeedData } from "./read-buffer.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** How many characters a text has. */
export function characters(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** How many UTF-16 units the first `count` characters have. */
function unitsOf(text: string, count: number): number {
  if (count >= text.length) return text.length;
  if (!SURROGATE.test(text)) return count;
  let units = 0;
  let left = count;
  for (const character of text) {
    if (left-- === 0) break;
    units += character.length;
  }
  return units;
}

/** Text between a decoder and a file of text: whole lines, and the beginning of one that is not whole yet. */
export class TextBuffer {
  /** The peer's end was met: what is here is all. Reset before each read. */
  ended = false;
  /** What ends the text: thrown when all before it has been read. */
  error: UnicodeError | undefined = undefined;
  readonly #newline: Newline;
  #lines: string[] = [];
  /** Lines before this one have been taken. */
  #first = 0;
  /** The line that is not whole, in pieces as they came: joined once, when its end is here. */
  #tail: string[] = [];
  #lineCharacters = 0;
  #tailCharacters = 0;

  constructor(newline: Newline) {
    this.#newline = newline;
  }

  /** Text was decoded. */
  push(text: string): void {
    let start = 0;
    for (;;) {
      const end = lineEnd(text, start, this.#newline);
      if (end === -1) break;
      this.#tail.push(text.slice(start, end));
      const line = this.#takeTail();
      this.#lines.push(line);
      this.#lineCharacters += characters(line);
      start = end;
    }
    if (start < text.length) this.#pushTail(text.slice(start));
  }

  /** read(n): so many characters, or what there is when the peer has ended; without a count all till then. */
  read(count: number | undefined): string | NeedData {
    const wanted = checkCount("n", count);
    const here = this.#lineCharacters + this.#tailCharacters;
    if (here >= (wanted ?? Infinity)) return this.#take(wanted as number);
    if (this.#complete()) return this.#take(here);
    if (wanted === undefined && here > READ_LIMIT)
      throw new FileError("ERR_READ_TOO_LONG", `${READ_LIMIT} characters`);
    return NEED_DATA;
  }

  /** readline(limit): up to and with the end of line, or so many characters, or what there is at the end. */
  readline(limit: number | undefined): string | NeedData {
    const given = checkCount("limit", limit);
    const most = given ?? LINE_LIMIT;
    const line = this.#lines[this.#first];
    const tooLong =
      line === undefined ? this.#tailCharacters >= most : line.length > most && characters(line) > most;
    if (tooLong) {
      if (given !== undefined) return this.#take(most);
      throw new FileError("ERR_LINE_TOO_LONG", `${LINE_LIMIT} characters`);
    }
    if (line !== undefined) return this.#takeLine();
    return this.#complete() ? this.#takeTail() : NEED_DATA;
  }

  /** readlines(hint): lines till their characters are more than that; without a hint all till the end. */
  readlines(hint: number | undefined): string[] | NeedData {
    const wanted = (checkCount("hint", hint) || Infinity) + 1;
    if (this.#lineCharacters < wanted && !this.#complete()) {
      if (this.#lineCharacters + this.#tailCharacters - wanted >= LINE_LIMIT)
        throw new FileError("ERR_LINE_TOO_LONG", `${LINE_LIMIT} characters`);
      if (
        hint !== Infinity &&
        wanted === Infinity &&
        this.#lineCharacters + this.#tailCharacters > READ_LIMIT
      )
        throw new FileError("ERR_READ_TOO_LONG", `${READ_LIMIT} characters`);
      return NEED_DATA;
    }
    const lines: string[] = [];
    let taken = 0;
    while (taken < wanted && this.#lineCharacters > 0) {
      const line = this.#takeLine();
      taken += characters(line);
      lines.push(line);
    }
    if (taken < wanted && this.#tailCharacters > 0) lines.push(this.#takeTail());
    return lines;
  }

  /** Whether no more will come. @throws {UnicodeError} what ends the text. */
  #complete(): boolean {
    if (this.error !== undefined) throw this.error;
    return this.ended;
  }

  /** The first characters, at most as many as are here. */
  #take(count: number): string {
    let text = "";
    let left = count;
    while (left > 0) {
      const line = this.#lines[this.#first];
      const here = line ?? this.#takeTail();
      const size = characters(here);
      if (size <= left) {
        text += line === undefined ? here : this.#takeLine();
        left -= size;
        continue;
      }
      const cut = unitsOf(here, left);
      text += here.slice(0, cut);
      left = 0;
      if (line === undefined) this.#pushTail(here.slice(cut));
      else this.#cutLine(cut);
    }
    return text;
  }

  /** Takes the first units off the first line. */
  #cutLine(units: number): void {
    let rest = this.#takeLine().slice(units);
    if (lineEnd(rest, 0, this.#newline) === -1) {
      // The cut went through "\r\n": what is left of it belongs to what comes behind.
      if (this.#lineCharacters === 0) {
        this.#tail.unshift(rest);
        this.#tailCharacters += characters(rest);
        return;
      }
      rest += this.#takeLine();
    }
    if (this.#first === 0) this.#lines.unshift(rest);
    else this.#lines[--this.#first] = rest;
    this.#lineCharacters += characters(rest);
  }

  #takeLine(): string {
    const line = this.#lines[this.#first++] as string;
    this.#lineCharacters -= characters(line);
    if (this.#first === this.#lines.length) {
      this.#lines = [];
      this.#first = 0;
    }
    return line;
  }

  #pushTail(text: string): void {
    this.#tail.push(text);
    this.#tailCharacters += characters(text);
  }

  #takeTail(): string {
    const text = this.#tail.length === 1 ? (this.#tail[0] as string) : this.#tail.join("");
    this.#tail = [];
    this.#tailCharacters = 0;
    return text;
  }
}
