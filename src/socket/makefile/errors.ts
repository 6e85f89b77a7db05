// What goes wrong in a file made from a socket besides the socket's own errors: misuse of the file, limits, and bytes or
// characters that the encoding does not have.

/** What can be wrong with a file, by its code. */
const TEXTS = {
  ERR_FILE_CLOSED: "the file is closed",
  ERR_FILE_NOT_READABLE: "the file is not open for reading",
  ERR_FILE_NOT_WRITABLE: "the file is not open for writing",
  ERR_FILE_TIMED_OUT: "cannot read from a file whose socket timed out",
  ERR_LINE_TOO_LONG: "the line is longer than",
  ERR_READ_TOO_LONG: "more is there than",
} as const;

/**
 * A file cannot do what was asked. `code` is one of
 * - ERR_FILE_CLOSED: it is closed;
 * - ERR_FILE_NOT_READABLE, ERR_FILE_NOT_WRITABLE: its mode has no "r", or no "w";
 * - ERR_FILE_TIMED_OUT: an earlier read ran into the socket's timeout, and what was to be read is not buffered;
 * - ERR_LINE_TOO_LONG: readline() without a limit, and no end of line within LINE_LIMIT; nothing was taken;
 * - ERR_READ_TOO_LONG: read() or readlines() without a count, and no end within READ_LIMIT; nothing was taken.
 */
export class FileError extends Error {
  static {
    FileError.prototype.name = "FileError";
  }
  /** ERR_FILE_…, ERR_LINE_TOO_LONG or ERR_READ_TOO_LONG. */
  readonly code: string;

  /** @param detail  the limit that was reached, appended to the message. */
  constructor(code: keyof typeof TEXTS, detail?: string) {
    super(detail === undefined ? TEXTS[code] : `${TEXTS[code]} ${detail}`);
    this.code = code;
  }
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/**
 * Bytes that are none in the encoding (`code` ERR_UNICODE_DECODE), or a character that the encoding does not have
 * (ERR_UNICODE_ENCODE), with `errors` "strict".
 */
export class UnicodeError extends Error {
  static {
    UnicodeError.prototype.name = "UnicodeError";
  }
  /** ERR_UNICODE_DECODE or ERR_UNICODE_ENCODE. */
  readonly code: string;
  /** The encoding, as the file has it. */
  readonly encoding: string;
  /** Where: byte of all that the file has read, or UTF-16 unit of the text that was written. -1: not known. */
  readonly position: number;
  /** Why: "invalid start byte". */
  readonly reason: string;

  private constructor(code: string, what: string, encoding: string, position: number, reason: string) {
    const where = position < 0 ? "" : ` in position ${position}`;
    super(`${encoding} cannot ${what}${where}: ${reason}`);
    this.code = code;
    this.encoding = encoding;
    this.position = position;
    this.reason = reason;
  }

  /** From bytes that were read. */
  static decoding(encoding: string, bytes: Uint8Array, position: number, reason: string): UnicodeError {
    const shown = Array.from(bytes, (byte) => `0x${hex(byte, 2)}`).join(" ");
    const what = bytes.length === 0 ? "decode the bytes" : `decode ${shown}`;
    return new UnicodeError("ERR_UNICODE_DECODE", what, encoding, position, reason);
  }

  /** From a character that was to be written. */
  static encoding(encoding: string, point: number, position: number, reason: string): UnicodeError {
    const what = `encode U+${hex(point, 4).toUpperCase()}`;
    return new UnicodeError("ERR_UNICODE_ENCODE", what, encoding, position, reason);
  }
}
