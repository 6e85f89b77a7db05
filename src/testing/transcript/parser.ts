// The text of a transcript: who said what, line by line, as bytes. It does no input or output, and what becomes of the
// lines it does not know.
//
//   # a comment; lines without anything are left out too
//   S: 220 mail.example ready          CR LF follows each line …
//   C: \x00\x00\x00\x05hello\          … but not one that ends in a backslash
//   S: Date: \*                        any bytes up to the one that is written next: here the CR
//   C ends                             the client has ended its side

/** Whose line it is. */
export type TranscriptSide = "client" | "server";

/** What stands for any bytes in a pattern, up to the byte behind it. */
export const ANY = -1;

/** A line of a transcript. */
export interface TranscriptLine {
  readonly side: TranscriptSide;
  /** Counted from 1, as editors do. */
  readonly number: number;
  /** As it was written. */
  readonly source: string;
  /** Each a byte, or ANY; undefined: that side ends here. */
  readonly pattern: readonly number[] | undefined;
}

/** A transcript was not kept to, or is none. */
export class TranscriptError extends Error {
  static {
    TranscriptError.prototype.name = "TranscriptError";
  }
  /**
   * ERR_TRANSCRIPT_DIFFERS: the peer said something else, ended too early, or did not end. ERR_TRANSCRIPT_SYNTAX: the
   * transcript itself is wrong.
   */
  readonly code: "ERR_TRANSCRIPT_DIFFERS" | "ERR_TRANSCRIPT_SYNTAX";
  /** Where in the transcript, counted from 1; behind its last line: what came after it. */
  readonly line: number;

  /** @internal */
  constructor(code: TranscriptError["code"], line: number, message: string) {
    super(`line ${line} of the transcript: ${message}`);
    this.code = code;
    this.line = line;
  }
}

const SIDES: Readonly<Record<string, TranscriptSide>> = { C: "client", S: "server" };
const ESCAPES: Readonly<Record<string, number>> = { r: 13, n: 10, t: 9, "0": 0, "\\": 92, "*": ANY };

/**
 * Takes a transcript apart.
 *
 * @param lineEnd  what follows each line that does not end in a backslash.
 * @throws {TranscriptError} ERR_TRANSCRIPT_SYNTAX: a line that is none, an unknown escape, no lines at all.
 */
export function parseTranscript(text: string, lineEnd: string): readonly TranscriptLine[] {
  const lines: TranscriptLine[] = [];
  const end = [...Buffer.from(lineEnd)];
  for (const [at, source] of text.split(/\r?\n/).entries()) {
    if (source === "" || source.startsWith("#")) continue;
    const number = at + 1;
    const [, letter, said] = /^([CS])(?:: ?(.*)| ends)$/s.exec(source) ?? [];
    const side = SIDES[letter ?? ""];
    if (side === undefined)
      throw new TranscriptError(
        "ERR_TRANSCRIPT_SYNTAX",
        number,
        'neither "C: …", "S: …", "C ends" nor "S ends"',
      );
    const pattern = said === undefined ? undefined : patternOf(said, number, end);
    lines.push({ side, number, source, pattern });
  }
  if (lines.length === 0) throw new TranscriptError("ERR_TRANSCRIPT_SYNTAX", 1, "nobody says anything");
  return lines;
}

/** The bytes of what was said. */
function patternOf(said: string, number: number, end: readonly number[]): number[] {
  const pattern: number[] = [];
  const joined = /(?<!\\)(?:\\\\)*\\$/.test(said);
  const text = joined ? said.slice(0, -1) : said;
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf("\\", at);
    pattern.push(...Buffer.from(text.slice(at, next === -1 ? undefined : next)));
    if (next === -1) break;
    const [escape, hex] = /^\\(?:x([0-9a-fA-F]{2})|.)/s.exec(text.slice(next)) ?? [""];
    const byte = hex === undefined ? ESCAPES[escape.slice(1)] : Number.parseInt(hex, 16);
    if (byte === undefined)
      throw new TranscriptError("ERR_TRANSCRIPT_SYNTAX", number, `an unknown escape, "${escape}"`);
    pattern.push(byte);
    at = next + escape.length;
  }
  if (!joined) pattern.push(...end);
  for (const [at, byte] of pattern.entries())
    if (byte === ANY && (pattern[at + 1] ?? ANY) === ANY)
      throw new TranscriptError("ERR_TRANSCRIPT_SYNTAX", number, "\\* must have a byte behind it");
  return pattern;
}
