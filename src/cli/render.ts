// Received bytes as one line of text that is safe to print. Pure. UTF-8 is shown as text; what could move a cursor,
// colour a terminal, hide or reorder text, or is not UTF-8 is shown escaped, so the line says exactly what arrived.

/** A line of a log that a person reads: about two terminal rows. */
const LINE_CHARACTERS_MAX = 160;

const NAMED: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
  "\\": "\\\\",
};
/** Controls, formats (bidirectional overrides, zero widths), line separators, private use, unassigned. */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\\]/u;
const UNSAFE_ALL = new RegExp(UNSAFE, "gu");

/**
 * Shows bytes as one line: `hello\n`, `\x1b[31m`, `caf\xc3 … 12 more bytes`.
 *
 * @param charactersMax  width of the shown part; the rest is counted. Default 160.
 * @returns text without control characters; "\\" stands for one backslash.
 */
export function renderBytes(bytes: Uint8Array, charactersMax: number = LINE_CHARACTERS_MAX): string {
  let line = "";
  for (let at = 0; at < bytes.length; ) {
    const size = sequenceLength(bytes, at);
    const piece =
      size === 0
        ? escapeByte(bytes[at] as number)
        : renderCharacter(utf8.decode(bytes.subarray(at, at + size)));
    if (line.length + piece.length > charactersMax) return `${line} … ${bytes.length - at} more bytes`;
    line += piece;
    at += Math.max(size, 1);
  }
  return line;
}

/** Shows a message that tells what a peer said: as it is, but for what renderBytes() escapes. Lines and backslashes stay. */
export function renderMessage(message: string): string {
  return message.replaceAll(UNSAFE_ALL, (character) =>
    character === "\n" || character === "\\" ? character : renderCharacter(character),
  );
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

function renderCharacter(character: string): string {
  if (!UNSAFE.test(character)) return character;
  const named = NAMED[character];
  if (named !== undefined) return named;
  const point = character.codePointAt(0) as number;
  return point < 0x80 ? escapeByte(point) : `\\u{${point.toString(16)}}`;
}

function escapeByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** Length of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  const size =
    lead >= 0xc2 && lead <= 0xdf
      ? 2
      : lead >= 0xe0 && lead <= 0xef
        ? 3
        : lead >= 0xf0 && lead <= 0xf4
          ? 4
          : 0;
  if (size === 0 || at + size > bytes.length) return 0;
  for (let index = 1; index < size; index++) if (((bytes[at + index] as number) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] as number;
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f)) return 0;
  if ((lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f)) return 0;
  return size;
}
