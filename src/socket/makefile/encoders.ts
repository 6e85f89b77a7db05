// Text to bytes. Which characters an encoding does not have, and what becomes of them, is decided here. Of TextDecoder's
// encodings those with one byte a character are written by turning their table round; JavaScript has no encoder for the
// others. It knows no lines and no files.

import { outOfRange } from "../errors.ts";
import { escapes } from "./decoders.ts";
import { UnicodeError } from "./errors.ts";
import type { ErrorsMode } from "./mode.ts";

/**
 * Text to bytes; each call is for itself.
 *
 * @throws {UnicodeError} ERR_UNICODE_ENCODE: a character that the encoding does not have, with "strict".
 */
export type Encoder = (text: string) => Uint8Array;

/** Turns well-formed text to bytes; undefined: something in it has none. */
type Attempt = (text: string) => Uint8Array | undefined;

const attempts: Readonly<Record<string, Attempt>> = {
  "utf-8": (text) => (text.isWellFormed() ? Buffer.from(text, "utf8") : undefined),
  "utf-16le": (text) => (text.isWellFormed() ? Buffer.from(text, "utf16le") : undefined),
  "utf-16be": (text) => (text.isWellFormed() ? Buffer.from(text, "utf16le").swap16() : undefined),
  // oxlint-disable-next-line no-control-regex -- ASCII begins with them
  ascii: (text) => (/^[\0-\x7f]*$/.test(text) ? Buffer.from(text, "latin1") : undefined),
  // oxlint-disable-next-line no-control-regex -- as above
  latin1: (text) => (/^[\0-\xff]*$/.test(text) ? Buffer.from(text, "latin1") : undefined),
};

/** @throws {RangeError} ERR_OUT_OF_RANGE: an encoding that can only be read, or `errors` that it cannot do. */
export function makeEncoder(encoding: string, errors: ErrorsMode): Encoder {
  if (errors === "surrogateescape" && !escapes(encoding))
    throw outOfRange("options.errors", `another with ${encoding}`, errors);
  const attempt = Object.hasOwn(attempts, encoding) ? attempts[encoding] : tableAttempt(encoding);
  if (attempt === undefined)
    throw outOfRange("options.encoding", "one that can be written, with one byte a character", encoding);
  return (text) => attempt(text) ?? encodeParts(text, encoding, errors, attempt);
}

/** The table of a TextDecoder encoding, turned round; undefined: its characters have more than one byte. */
function tableAttempt(encoding: string): Attempt | undefined {
  const bytes = new Map<string, number>();
  for (let byte = 0; byte < 256; byte++) {
    const character = new TextDecoder(encoding, { ignoreBOM: true }).decode(Uint8Array.of(byte));
    if (character.length !== 1) return undefined;
    if (character !== "\ufffd") bytes.set(character, byte);
  }
  // Lead bytes of longer characters decode to U+FFFD when alone, half of them and more; tables have a few gaps.
  if (bytes.size < GAPLESS_BYTES_MIN) return undefined;
  return (text) => {
    const encoded = Buffer.allocUnsafeSlow(text.length);
    for (let at = 0; at < text.length; at++) {
      const byte = bytes.get(text.charAt(at));
      if (byte === undefined) return undefined;
      encoded[at] = byte;
    }
    return encoded;
  };
}

/** ISO 8859-8 assigns 220 bytes, the fewest of the tables; EUC-KR, Big5 and the others leave 128 or fewer alone. */
const GAPLESS_BYTES_MIN = 200;

/** Character by character, with what `errors` puts for those that have no bytes. */
function encodeParts(text: string, encoding: string, errors: ErrorsMode, attempt: Attempt): Uint8Array {
  const parts: Uint8Array[] = [];
  let sound = "";
  let position = 0;
  for (const character of text) {
    if (attempt(character) === undefined) {
      const bytes = instead(character, encoding, errors, position, attempt);
      parts.push(attempt(sound) as Uint8Array, bytes);
      sound = "";
    } else {
      sound += character;
    }
    position += character.length;
  }
  parts.push(attempt(sound) as Uint8Array);
  return Buffer.concat(parts);
}

function instead(
  character: string,
  encoding: string,
  errors: ErrorsMode,
  position: number,
  attempt: Attempt,
): Uint8Array {
  const point = character.codePointAt(0) as number;
  const ascii = (text: string): Uint8Array => attempt(text) as Uint8Array;
  switch (errors) {
    case "ignore":
      return ascii("");
    case "replace":
      return ascii("?");
    case "backslashreplace":
      return ascii(escaped(point));
    case "xmlcharrefreplace":
      return ascii(`&#${point};`);
    case "surrogateescape":
      if (point >= 0xdc80 && point <= 0xdcff) return Uint8Array.of(point - 0xdc00);
      break;
    case "strict":
      break;
    default:
      errors satisfies never;
  }
  const reason = point >= 0xd800 && point <= 0xdfff ? "surrogates not allowed" : "no such character";
  throw UnicodeError.encoding(encoding, point, position, reason);
}

/** As Python writes it: \xff, \uffff, \U0010ffff. */
function escaped(point: number): string {
  if (point <= 0xff) return String.raw`\x${point.toString(16).padStart(2, "0")}`;
  if (point <= 0xffff) return String.raw`\u${point.toString(16).padStart(4, "0")}`;
  return String.raw`\U${point.toString(16).padStart(8, "0")}`;
}
