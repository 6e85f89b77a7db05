// A file of text: decodes what it reads, sees lines, encodes what it writes. As CPython's TextIOWrapper.

import type { Face, FaceOptions, Outcome } from "../face.ts";
import { invalidArgument } from "../errors.ts";
import type { SendAllOptions } from "../transfer.ts";
import { SocketFile } from "./base.ts";
import type { FileIo, Receiving } from "./base.ts";
import { encodingOf, makeDecoder } from "./decoders.ts";
import { makeEncoder } from "./encoders.ts";
import { FileError } from "./errors.ts";
import type { Encoder } from "./encoders.ts";
import { checkErrors, checkNewline } from "./mode.ts";
import type { ErrorsMode, FileMode, MakefileOptions, Newline } from "./mode.ts";
import { NewlineReader, writeNewlines } from "./newlines.ts";
import { TextBuffer, characters } from "./text-buffer.ts";
import { Flush, Write, WriteBuffer } from "./write-buffer.ts";
import type { Sending } from "./write-buffer.ts";

/**
 * A file of text. Its counts are characters as CPython counts them: code points, not UTF-16 units.
 */
export abstract class TextFileOf<F extends Face> extends SocketFile<F> {
  /** The encoding, by its chief name. */
  readonly encoding: string;
  /** What happens to what the encoding does not have. */
  readonly errors: ErrorsMode;
  readonly #newline: Newline;
  readonly #encode: Encoder | undefined;
  readonly #incoming: TextBuffer;
  readonly #outgoing: WriteBuffer;
  readonly #receiving: Receiving<F, number>;

  /** @internal */
  constructor(
    io: FileIo<F>,
    mode: string,
    directions: FileMode,
    buffering: number,
    options: MakefileOptions,
  ) {
    super(io, mode, directions);
    this.encoding = encodingOf(options.encoding);
    this.errors = checkErrors(options.errors);
    this.#newline = checkNewline(options.newline);
    this.#encode = directions.writing ? makeEncoder(this.encoding, this.errors) : undefined;
    this.#outgoing = new WriteBuffer(directions.writing ? buffering : 0);
    this.#incoming = new TextBuffer(this.#newline);
    this.#receiving = directions.reading ? this.#decoding(buffering) : { request: refused, accept: refused };
  }

  /**
   * Reads exactly so many characters, waiting for all of them.
   *
   * @param n  how many. Without it: all till the peer has ended, at most READ_LIMIT; Infinity: without that limit.
   * @returns fewer when the peer has ended; "": it had ended before.
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_READABLE; ERR_FILE_TIMED_OUT: an earlier read ran out of time;
   *   ERR_READ_TOO_LONG: no end within READ_LIMIT characters; they stay and can be read in pieces.
   * @throws {UnicodeError} ERR_UNICODE_DECODE: bytes that are no character come next. All before them can be read, and
   *   nothing behind them.
   * @throws {SocketError} as recv(); ECANCELED: the file was closed meanwhile; EAGAIN: non-blocking, and not all is here.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up. As in CPython only what is buffered can be read after it;
   *   unlike there, nothing of that is lost.
   */
  read(n?: number, options?: FaceOptions<F>): Outcome<F, string> {
    return this.pull(() => this.#incoming.read(n), this.#receiving, options);
  }

  /**
   * Reads a line.
   *
   * @param limit  at most so many characters. Without it at most LINE_LIMIT (65536), and an error beyond, where CPython
   *   goes on for as long as the peer likes; Infinity: as CPython.
   * @returns up to and with the end of line; without it: the limit was reached, or the peer has ended. "": the peer has
   *   ended.
   * @throws {FileError} ERR_LINE_TOO_LONG: no end of line within LINE_LIMIT characters; they stay and can be read in
   *   pieces. Others and other errors as read().
   */
  readline(limit?: number, options?: FaceOptions<F>): Outcome<F, string> {
    return this.pull(() => this.#incoming.readline(limit), this.#receiving, options);
  }

  /**
   * Reads lines: with a hint each at most LINE_LIMIT long, without one all of them READ_LIMIT.
   *
   * @param hint  ends with the line that makes it more characters than that. Without it or with 0: all till the peer has
   *   ended, at most READ_LIMIT; Infinity: without that limit.
   * @throws {FileError} ERR_READ_TOO_LONG, ERR_LINE_TOO_LONG; what was received stays. Others and other errors as read().
   */
  readlines(hint?: number, options?: FaceOptions<F>): Outcome<F, string[]> {
    return this.pull(() => this.#incoming.readlines(hint), this.#receiving, options);
  }

  /**
   * Writes text: encoded into the buffer, or to the kernel when there is no room in it. Call flush() to have the buffer
   * sent; read() does not.
   *
   * @returns how many characters: all.
   * @throws {UnicodeError} ERR_UNICODE_ENCODE: a character that the encoding does not have; nothing was written.
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_WRITABLE.
   * @throws {SocketError} as send(); `bytesSent`: how many bytes of the encoded text were taken. What was in the buffer
   *   before is still there. @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; `bytesSent` as above.
   */
  write(text: string, options?: FaceOptions<F, SendAllOptions>): Outcome<F, number> {
    return this.#write("text", text, () => characters(text), options);
  }

  /** Writes one after the other; adds no ends of line. @throws as write(). */
  writelines(lines: Iterable<string>, options?: FaceOptions<F, SendAllOptions>): Outcome<F, void> {
    let text: string;
    try {
      const all = Array.from(lines);
      const other = all.find((line) => typeof line !== "string");
      if (other !== undefined) throw invalidArgument("lines", "strings", other);
      text = all.join("");
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.#write("lines", text, () => undefined, options);
  }

  /**
   * Sends what the buffer has.
   *
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_WRITABLE.
   * @throws {SocketError} as send(). @throws {TimeoutError} ETIMEDOUT: settimeout's time is up. What was not sent is
   *   still there, after either.
   */
  flush(options?: FaceOptions<F>): Outcome<F, void> {
    return this.push(this.flushing(), () => undefined, options);
  }

  #write<T>(
    name: string,
    text: string,
    value: () => T,
    options: FaceOptions<F, SendAllOptions> | undefined,
  ): Outcome<F, T> {
    let job: Sending;
    try {
      if (typeof text !== "string") throw invalidArgument(name, "a string", text);
      const bytes = this.#encode?.(writeNewlines(text, this.#newline)) ?? NO_BYTES;
      job = new Write(this.#outgoing, bytes, options?.progress);
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.push(job, value, options);
  }

  #decoding(buffering: number): Receiving<F, number> {
    const incoming = this.#incoming;
    const memory = Buffer.allocUnsafeSlow(buffering);
    const decoder = makeDecoder(this.encoding, this.errors);
    const newlines = new NewlineReader(this.#newline);
    return {
      request: (options) => this.io.receive(memory, 0, options),
      accept: (count) => {
        const last = count === 0;
        const text = decoder.decode(memory.subarray(0, count), last);
        incoming.push(newlines.read(text, last || decoder.error !== undefined));
        incoming.error = decoder.error;
        incoming.ended = last;
      },
    };
  }

  /** @internal */
  protected flushing(): Sending {
    return new Flush(this.#outgoing);
  }

  /** @internal */
  protected begin(): void {
    this.#incoming.ended = false;
  }
}

const NO_BYTES = new Uint8Array(0);

/** A file that does not read never gets here. */
function refused(): never {
  throw new FileError("ERR_FILE_NOT_READABLE");
}
