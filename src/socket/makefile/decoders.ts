// Bytes to text, in pieces as they arrive: a character that is split between two pieces is kept back until it is whole.
// Which bytes are none in an encoding, and what becomes of them, is decided here. It knows no lines and no files.
//
// With "strict" the text before the bad bytes is given out and the error after it, so that what a program reads does not
// depend on how the bytes happened to arrive. (CPython fails for a whole chunk, wherever in it the bad byte is.)
//
// TextDecoder's "latin1" and "ascii" are windows-1252 (Encoding Standard 4.2); CPython's are ISO 8859-1 and ASCII, as
// here. Other labels are TextDecoder's. It does not tell where bytes were bad, but puts U+FFFD there, a character that
// none of these encodings but gb18030 can carry: that is how they are found.

import { isAscii, isUtf8 } from "node:buffer";
import { invalidArgument, outOfRange } from "../errors.ts";
import { UnicodeError } from "./errors.ts";
import type { ErrorsMode } from "./mode.ts";
import { utf16Fault, utf8Complete, utf8Fault } from "./unicode.ts";
import type { Fault } from "./unicode.ts";

/** Bytes to text, in pieces. */
export interface Decoder {
  /** The text of these bytes and of what was kept back before. `last`: no more will come, nothing is kept back. */
  decode(bytes: Uint8Array, last: boolean): string;
  /** With "strict": what ends the text, once it was met. */
  readonly error: UnicodeError | undefined;
}

/** The encodings that are done here; other labels are TextDecoder's. */
export type OwnEncoding = "utf-8" | "utf-16le" | "utf-16be" | "ascii" | "latin1";

const OWN: Readonly<Record<string, OwnEncoding>> = {
  "utf-8": "utf-8",
  utf8: "utf-8",
  u8: "utf-8",
  "utf-16le": "utf-16le",
  "utf-16-le": "utf-16le",
  utf16le: "utf-16le",
  "utf-16be": "utf-16be",
  "utf-16-be": "utf-16be",
  utf16be: "utf-16be",
  ascii: "ascii",
  "us-ascii": "ascii",
  latin1: "latin1",
  "latin-1": "latin1",
  l1: "latin1",
  "iso-8859-1": "latin1",
  "iso8859-1": "latin1",
};

/**
 * An encoding by any of its names: one that is done here, or TextDecoder's name for it.
 *
 * @throws {RangeError} ERR_OUT_OF_RANGE: no encoding, or one without a byte order ("utf-16").
 */
export function encodingOf(label: string = "utf-8"): string {
  if (typeof label !== "string") throw invalidArgument("options.encoding", "a string", label);
  const name = label.toLowerCase().replaceAll("_", "-");
  const own = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
  if (own !== undefined) return own;
  if (name === "utf-16") throw outOfRange("options.encoding", '"utf-16le" or "utf-16be"', label);
  try {
    return new TextDecoder(name).encoding;
  } catch {
    throw outOfRange("options.encoding", "an encoding that TextDecoder knows", label);
  }
}

/** Whether bad bytes of the encoding are single ones from 128 on, which U+DC80 to U+DCFF can stand for. */
export const escapes = (encoding: string): boolean => encoding === "utf-8" || encoding === "ascii";

/** @throws {RangeError} ERR_OUT_OF_RANGE: `errors` is nothing that this encoding can do when decoding. */
export function makeDecoder(encoding: string, errors: ErrorsMode): Decoder {
  if (errors === "xmlcharrefreplace")
    throw outOfRange("options.errors", "another in a file that reads", errors);
  if (errors === "surrogateescape" && !escapes(encoding))
    throw outOfRange("options.errors", `another with ${encoding}`, errors);
  switch (encoding) {
    case "utf-8":
      return new OwnDecoder(encoding, errors, utf8);
    case "utf-16le":
      return new OwnDecoder(encoding, errors, utf16(false));
    case "utf-16be":
      return new OwnDecoder(encoding, errors, utf16(true));
    case "ascii":
      return new OwnDecoder(encoding, errors, ascii);
    case "latin1":
      return new OwnDecoder(encoding, errors, latin1);
    default:
      if (errors === "backslashreplace")
        throw outOfRange("options.errors", `another with ${encoding}`, errors);
      return new LabelDecoder(encoding, errors);
  }
}

/** One encoding: where bytes are bad, how much is whole, the text of what is good. */
interface Scheme {
  /** Whether no bytes are bad; a quick look. Where there is none, fault() tells. */
  sound?(bytes: Uint8Array): boolean;
  /** How many of the bytes can be decoded before more come. */
  complete(bytes: Uint8Array): number;
  /** The first bad bytes; undefined: none. `last`: no others come behind them. */
  fault(bytes: Uint8Array, last: boolean): Fault | undefined;
  text(bytes: Buffer): string;
}

const whole = (bytes: Uint8Array): number => bytes.length;

const utf8: Scheme = {
  complete: utf8Complete,
  sound: isUtf8,
  fault: utf8Fault,
  text: (bytes) => bytes.toString("utf8"),
};

const ascii: Scheme = {
  complete: whole,
  sound: isAscii,
  fault(bytes) {
    const at = bytes.findIndex((byte) => byte > 127);
    return at === -1 ? undefined : { start: at, end: at + 1, reason: "ordinal not in range(128)" };
  },
  text: (bytes) => bytes.toString("latin1"),
};

const latin1: Scheme = {
  complete: whole,
  fault: () => undefined,
  text: (bytes) => bytes.toString("latin1"),
};

function utf16(bigEndian: boolean): Scheme {
  const high = bigEndian ? 0 : 1;
  return {
    complete(bytes) {
      const even = bytes.length & ~1;
      const last = even === 0 ? 0 : (bytes[even - 2 + high] as number);
      // A high surrogate is half a character.
      return last >= 0xd8 && last <= 0xdb ? even - 2 : even;
    },
    fault: (bytes, last) => utf16Fault(bytes, bigEndian, last),
    text: (bytes) => (bigEndian ? Buffer.from(bytes).swap16() : bytes).toString("utf16le"),
  };
}

/** What stands for bad bytes in the text; undefined: the error does. */
const replacements: Readonly<Record<ErrorsMode, ((bytes: Uint8Array) => string) | undefined>> = {
  strict: undefined,
  xmlcharrefreplace: undefined,
  ignore: () => "",
  replace: () => "\ufffd",
  backslashreplace: (bytes) =>
    Array.from(bytes, (byte) => String.raw`\x${byte.toString(16).padStart(2, "0")}`).join(""),
  surrogateescape: (bytes) => Array.from(bytes, (byte) => String.fromCharCode(0xdc00 + byte)).join(""),
};

const NOTHING = Buffer.alloc(0);

class OwnDecoder implements Decoder {
  error: UnicodeError | undefined = undefined;
  readonly #encoding: string;
  readonly #scheme: Scheme;
  readonly #replace: ((bytes: Uint8Array) => string) | undefined;
  /** Bytes of a character that is not whole yet. */
  #kept: Buffer = NOTHING;
  /** Bytes decoded so far. */
  #position = 0;

  constructor(encoding: string, errors: ErrorsMode, scheme: Scheme) {
    this.#encoding = encoding;
    this.#scheme = scheme;
    this.#replace = replacements[errors];
  }

  decode(bytes: Uint8Array, last: boolean): string {
    if (this.error !== undefined) return "";
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.#kept.length > 0) rest = Buffer.concat([this.#kept, rest]);
    const complete = last ? rest.length : this.#scheme.complete(rest);
    this.#kept = complete === rest.length ? NOTHING : Buffer.from(rest.subarray(complete));
    rest = rest.subarray(0, complete);
    let text = "";
    // One quick look at all of it, for there mostly is no fault; then each byte is looked at once more.
    const faultIn = (within: Uint8Array): Fault | undefined => this.#scheme.fault(within, last);
    let fault = this.#scheme.sound?.(rest) === true ? undefined : faultIn(rest);
    while (fault !== undefined) {
      text += this.#scheme.text(rest.subarray(0, fault.start));
      const bad = rest.subarray(fault.start, fault.end);
      if (this.#replace === undefined) {
        this.error = UnicodeError.decoding(this.#encoding, bad, this.#position + fault.start, fault.reason);
        return text;
      }
      text += this.#replace(bad);
      this.#position += fault.end;
      rest = rest.subarray(fault.end);
      fault = faultIn(rest);
    }
    this.#position += rest.length;
    return text + this.#scheme.text(rest);
  }
}

class LabelDecoder implements Decoder {
  error: UnicodeError | undefined = undefined;
  readonly #decoder: InstanceType<typeof TextDecoder>;
  readonly #errors: ErrorsMode;

  constructor(label: string, errors: ErrorsMode) {
    this.#decoder = new TextDecoder(label, { ignoreBOM: true });
    this.#errors = errors;
  }

  decode(bytes: Uint8Array, last: boolean): string {
    if (this.error !== undefined) return "";
    const text = this.#decoder.decode(bytes, { stream: !last });
    const at = this.#errors === "replace" ? -1 : text.indexOf("\ufffd");
    if (at === -1) return text;
    if (this.#errors === "ignore") return text.replaceAll("\ufffd", "");
    this.error = UnicodeError.decoding(this.#decoder.encoding, NOTHING, -1, "no character");
    return text.slice(0, at);
  }
}
