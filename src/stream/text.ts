// Text from a stream: decoded as it arrives, a character that is split between two receives whole, lines with a limit. What
// bytes are which characters, socket/makefile/decoders.ts knows.

import { checkInteger } from "../socket/base.ts";
import { encodingOf, makeDecoder } from "../socket/makefile/decoders.ts";
import type { Decoder } from "../socket/makefile/decoders.ts";
import type { UnicodeError } from "../socket/makefile/errors.ts";
import { LINE_LIMIT } from "../socket/makefile/limits.ts";
import { checkErrors } from "../socket/makefile/mode.ts";
import type { ErrorsMode } from "../socket/makefile/mode.ts";
import { Turns } from "../socket/makefile/turns.ts";
import { RemoteProtocolError } from "../wire/errors.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";

/** How text is read. */
export interface TextOptions {
  /** "utf-8" (default), "ascii", "latin1", "utf-16le", "utf-16be", or any label that TextDecoder knows. */
  encoding?: string | undefined;
  /** What becomes of bytes that are no character: as of makefile(). Default "strict": an error, behind all before them. */
  errors?: ErrorsMode | undefined;
  /** UTF-16 units of a line, without its end. Default 65536, the limit of asyncio's streams. */
  lineUnitsMax?: number | undefined;
}

/**
 * Reads text from a stream. From now on receive through it alone. Calls go one after another; one that is aborted loses
 * nothing, of bytes or of text.
 */
export class TextReader implements AsyncIterable<string> {
  readonly #stream: ByteStream;
  readonly #decoder: Decoder;
  readonly #lineUnitsMax: number;
  readonly #turns: Turns = new Turns();
  /** Text in which no end of line was found, in pieces as it came: joined once. */
  #searched: string[] = [];
  #searchedUnits = 0;
  /** Text that comes behind it, from #at on. */
  #text = "";
  #at = 0;
  #ended = false;
  #error: UnicodeError | undefined = undefined;

  /** @throws {RangeError} ERR_OUT_OF_RANGE: no such encoding or errors; lineUnitsMax. @throws {TypeError} */
  constructor(stream: ByteStream, options: TextOptions = {}) {
    const { lineUnitsMax = LINE_LIMIT } = options;
    this.#stream = stream;
    this.#decoder = makeDecoder(encodingOf(options.encoding), checkErrors(options.errors));
    this.#lineUnitsMax = checkInteger("options.lineUnitsMax", lineUnitsMax, 1, Number.MAX_SAFE_INTEGER);
  }

  /**
   * Reads what is there, waiting for the first character.
   *
   * @returns "": the peer has ended.
   * @throws {UnicodeError} ERR_UNICODE_DECODE: bytes that are no character; all before them was given. @throws as
   *   ByteStream.receiveSome().
   */
  read(options?: StreamOptions): Promise<string> {
    return this.#inTurn(options, () => {
      const text = this.#searched.join("") + this.#text.slice(this.#at);
      this.#forget();
      this.#text = "";
      this.#at = 0;
      if (text !== "") return text;
      return this.#complete() ? "" : undefined;
    });
  }

  /**
   * Reads a line.
   *
   * @returns the line without its end, which is LF or CR LF; the last one may have none. Undefined: the peer has ended.
   * @throws {RemoteProtocolError} ERR_LINE_TOO_LONG: no end within the limit; nothing was taken. @throws as read().
   */
  async readLine(options?: StreamOptions): Promise<string | undefined> {
    const line = await this.#inTurn(options, () => this.#line());
    return line ?? undefined;
  }

  /** Text until the peer ends, as it comes. @throws as read(). */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, void> {
    for (;;) {
      const text = await this.read();
      if (text === "") return;
      yield text;
    }
  }

  /** Lines until the peer ends, each without its end. @throws as readLine(). */
  async *lines(options?: StreamOptions): AsyncGenerator<string, void, void> {
    for (;;) {
      const line = await this.readLine(options);
      if (line === undefined) return;
      yield line;
    }
  }

  /** A line; null: there is none any more; undefined: more must come. */
  #line(): string | null | undefined {
    const end = this.#text.indexOf("\n", this.#at);
    if (end === -1) {
      const rest = this.#text.slice(this.#at);
      this.#text = "";
      this.#at = 0;
      if (rest !== "") this.#searched.push(rest);
      this.#searchedUnits += rest.length;
      // A "\r" may be half of the end.
      if (this.#searchedUnits > this.#lineUnitsMax + 1) throw this.#tooLong();
      if (!this.#complete()) return undefined;
      if (this.#searchedUnits === 0) return null;
    }
    const line = this.#searched.join("") + (end === -1 ? "" : this.#text.slice(this.#at, end));
    const units = end !== -1 && line.endsWith("\r") ? line.length - 1 : line.length;
    if (units > this.#lineUnitsMax) throw this.#tooLong();
    this.#forget();
    if (end !== -1) this.#at = end + 1;
    return line.slice(0, units);
  }

  #tooLong(): RemoteProtocolError {
    return new RemoteProtocolError("ERR_LINE_TOO_LONG", `a line is over ${this.#lineUnitsMax} characters`);
  }

  #forget(): void {
    this.#searched = [];
    this.#searchedUnits = 0;
  }

  /** Whether no more will come. @throws {UnicodeError} what ends the text. */
  #complete(): boolean {
    if (this.#error !== undefined) throw this.#error;
    return this.#ended;
  }

  async #inTurn<T>(options: StreamOptions | undefined, take: () => T | undefined): Promise<T> {
    options?.signal?.throwIfAborted();
    const turn = this.#turns.enter(options?.signal);
    if (turn !== undefined) await turn;
    try {
      for (;;) {
        const taken = take();
        if (taken !== undefined) return taken;
        const bytes = await this.#stream.receiveSome(undefined, options);
        this.#ended = bytes.length === 0;
        this.#text = this.#decoder.decode(bytes, this.#ended);
        this.#error = this.#decoder.error;
      }
    } finally {
      this.#turns.leave();
    }
  }
}

/**
 * The text of a stream, as it comes: `for await (const text of textOf(stream))`. No character is split.
 *
 * @throws as TextReader and its read().
 */
export function textOf(stream: ByteStream, options?: TextOptions): TextReader {
  return new TextReader(stream, options);
}

/**
 * The lines of a stream as text, each without its end: `for await (const line of linesOf(stream))`.
 *
 * @throws as TextReader and its readLine().
 */
export function linesOf(
  stream: ByteStream,
  options?: TextOptions & StreamOptions,
): AsyncGenerator<string, void, void> {
  return new TextReader(stream, options).lines(options);
}
