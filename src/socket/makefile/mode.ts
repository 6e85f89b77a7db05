// What the arguments of makefile() say: directions, bytes or text, size of the buffer, encoding, errors, newline.
// It checks and names; it opens nothing.

import { invalidArgument, outOfRange } from "../errors.ts";
import { BUFFER_SIZE_MAX, DEFAULT_BUFFER_SIZE } from "./limits.ts";

/** Modes of files of text. Without "w" a file reads. */
export type TextMode = "" | "r" | "w" | "rw" | "wr";
/** Modes of files of bytes. */
export type BinaryMode = "b" | "rb" | "br" | "wb" | "bw" | "rwb" | "wrb" | "rbw" | "wbr" | "brw" | "bwr";

/** What happens to bytes or characters that the encoding does not have. */
export type ErrorsMode =
  | "strict"
  | "ignore"
  | "replace"
  | "backslashreplace"
  | "surrogateescape"
  | "xmlcharrefreplace";

const ERRORS: readonly unknown[] = [
  "strict",
  "ignore",
  "replace",
  "backslashreplace",
  "surrogateescape",
  "xmlcharrefreplace",
];

/** Which ends of line are seen and made; `null`: all of them are "\n" to the reader. */
export type Newline = null | "" | "\n" | "\r" | "\r\n";

const NEWLINES: readonly unknown[] = [null, "", "\n", "\r", "\r\n"];

/** What makefile() takes last. */
export interface MakefileOptions {
  /**
   * Bytes to read ahead and to hold back, per direction; negative (default): 8192. 0: none, only in binary mode; each
   * read is then one recv(2), each write one send(2).
   */
  buffering?: number | undefined;
  /**
   * Text: "utf-8" (default), "ascii", "latin1", "utf-16le", "utf-16be", or any label that TextDecoder knows; of these
   * only those with one byte a character can be written.
   */
  encoding?: string | undefined;
  /**
   * Text: what happens to what the encoding does not have. "strict" (default) throws; "ignore" leaves it out; "replace"
   * puts U+FFFD (writing: "?"); "backslashreplace" puts its number; "surrogateescape" keeps the bytes, as U+DC80 to
   * U+DCFF; "xmlcharrefreplace", writing only, puts "&#…;".
   */
  errors?: ErrorsMode | undefined;
  /**
   * Text, ends of line. `null` (default): reading, "\r\n" and "\r" become "\n". "": all three end a line and stay as
   * they are. "\n", "\r" or "\r\n": that one ends a line and stays; writing, "\n" becomes that one.
   */
  newline?: Newline | undefined;
}

/** The directions and the kind of a file. */
export interface FileMode {
  readonly reading: boolean;
  readonly writing: boolean;
  readonly binary: boolean;
}

/**
 * What a mode says.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: other letters than r, w and b.
 */
export function parseMode(mode: string): FileMode {
  if (typeof mode !== "string") throw invalidArgument("mode", "a string", mode);
  if (!/^[rwb]*$/.test(mode)) throw outOfRange("mode", 'made of "r", "w" and "b"', mode);
  const writing = mode.includes("w");
  return { reading: mode.includes("r") || !writing, writing, binary: mode.includes("b") };
}

/**
 * The size of the buffers; 0: none.
 *
 * @throws {RangeError} ERR_OUT_OF_RANGE: too large, or 0 in text mode.
 */
export function bufferSize(buffering: number | undefined, binary: boolean): number {
  if (buffering === undefined) return DEFAULT_BUFFER_SIZE;
  if (typeof buffering !== "number") throw invalidArgument("options.buffering", "a number", buffering);
  if (!Number.isInteger(buffering) || buffering > BUFFER_SIZE_MAX)
    throw outOfRange("options.buffering", `a whole number up to ${BUFFER_SIZE_MAX}`, buffering);
  if (buffering === 0 && !binary)
    throw outOfRange("options.buffering", "other than 0 in text mode", buffering);
  return buffering < 0 ? DEFAULT_BUFFER_SIZE : buffering;
}

/** @throws {RangeError} ERR_OUT_OF_RANGE: none of the values of ErrorsMode. */
export function checkErrors(errors: ErrorsMode = "strict"): ErrorsMode {
  if (!ERRORS.includes(errors)) throw outOfRange("options.errors", `one of ${ERRORS.join(", ")}`, errors);
  return errors;
}

/** @throws {RangeError} ERR_OUT_OF_RANGE: none of the values of Newline. */
export function checkNewline(newline: Newline = null): Newline {
  if (!NEWLINES.includes(newline))
    throw outOfRange("options.newline", String.raw`null, "", "\n", "\r" or "\r\n"`, newline);
  return newline;
}
