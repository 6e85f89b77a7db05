// Lines, delimiters and exact counts from a stream: bytes are received ahead and given out in the pieces that a protocol
// has. Nothing is taken before it can be taken whole, so a read that is aborted or fails loses nothing. Each byte is
// searched once. What lines mean it does not know.

import type { ByteStream, StreamOptions } from "./byte-stream.ts";
import { HandedOverStream } from "./handed-over.ts";
import { UnexpectedEofError } from "./errors.ts";
import { Waiter } from "./waiter.ts";
import { checkInteger } from "../socket/base.ts";
import { bytesOf } from "../socket/bytes.ts";
import { invalidArgument } from "../socket/errors.ts";
import { LINE_LIMIT, READ_LIMIT } from "../socket/makefile/limits.ts";
import { ownCopy } from "../socket/transfers.ts";
import { ByteQueue } from "../wire/byte-queue.ts";
import { LocalProtocolError, RemoteProtocolError } from "../wire/errors.ts";

/** Bytes asked of the stream at a time: what a TCP receive brings at most in the usual case. */
const RECEIVE_BYTES = 65_536;
/** Below this size a piece is copied out: a view would hold the memory of all that was received with it. */
const VIEW_BYTES_MIN = 8192;

const LF = 10;
const CR = 13;

/** What a BufferedReader may be told. */
export interface BufferedReaderOptions {
  /** Bytes of a line, or of what readUntil() gives, its end included. Default 65536, the limit of asyncio's streams. */
  lineBytesMax?: number | undefined;
  /** Bytes of what readExactly() and readAll() give. Default 64 MiB; ours: what is larger is better taken in pieces. */
  readBytesMax?: number | undefined;
}

/** What each read takes last. */
export interface ReadOptions extends StreamOptions {
  /** The limit of this read, in place of the reader's. */
  bytesMax?: number | undefined;
}

/** More must be received. */
const NEED_DATA: unique symbol = Symbol("NEED_DATA");

/** A read: asked again each time that something was received. */
type Attempt<T> = () => T | typeof NEED_DATA;

/** A read that waits. */
class Reading extends Waiter<unknown> {
  attempt!: Attempt<unknown>;
}

/** Reads pieces from a stream. From now on receive through it alone; sending and closing stay the stream's. */
export class BufferedReader {
  /** The stream beneath. */
  readonly stream: ByteStream;
  readonly #lineBytesMax: number;
  readonly #readBytesMax: number;
  readonly #queue: ByteQueue = new ByteQueue();
  /** Reads that wait, in the order of their asking. */
  #readings: Reading[] = [];
  #receiving = false;
  #ended = false;
  /** The last search was for this … */
  #sought: number | Uint8Array = LF;
  /** … and has not found it before this byte. */
  #searched = 0;

  /** @throws {RangeError} ERR_OUT_OF_RANGE: a limit is no whole number of 1 or more. */
  constructor(stream: ByteStream, options: BufferedReaderOptions = {}) {
    const { lineBytesMax = LINE_LIMIT, readBytesMax = READ_LIMIT } = options;
    this.stream = stream;
    this.#lineBytesMax = checkLimit("options.lineBytesMax", lineBytesMax);
    this.#readBytesMax = checkLimit("options.readBytesMax", readBytesMax);
  }

  /** Bytes received and not read. */
  get buffered(): number {
    return this.#queue.length;
  }

  /**
   * Reads a line.
   *
   * @returns the line without its end, which is LF or CR LF; undefined: the peer has ended, and all was read.
   * @throws {RemoteProtocolError} ERR_LINE_TOO_LONG: no end within the limit.
   * @throws {UnexpectedEofError} ERR_UNEXPECTED_EOF: the peer ended inside a line. @throws as ByteStream.receiveSome().
   */
  readLine(options?: ReadOptions): Promise<Buffer | undefined> {
    return this.#read(options, this.#lineBytesMax, (most) => {
      const end = this.#find(LF, 1, most, "a line");
      if (typeof end !== "number") return end;
      const cr = end >= 2 && this.#queue.at(end - 2) === CR ? 1 : 0;
      const line = this.#out(this.#queue.peek(end - 1 - cr));
      this.#skip(end);
      return line;
    });
  }

  /**
   * Reads up to and with a delimiter.
   *
   * @param delimiter  a byte's number, or 1 byte or more; a string is sent as UTF-8.
   * @returns undefined: the peer has ended, and all was read.
   * @throws as readLine(). @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE.
   */
  readUntil(delimiter: number | string | Uint8Array, options?: ReadOptions): Promise<Buffer | undefined> {
    let sought: number | Uint8Array;
    try {
      sought = checkDelimiter(delimiter);
    } catch (error) {
      return Promise.reject(error);
    }
    const length = typeof sought === "number" ? 1 : sought.length;
    return this.#read(options, this.#lineBytesMax, (most) => {
      const end = this.#find(sought, length, most, "a delimiter");
      return typeof end === "number" ? this.#take(end) : end;
    });
  }

  /**
   * Reads exactly so many bytes.
   *
   * @throws {UnexpectedEofError} ERR_UNEXPECTED_EOF: the peer ended before. @throws as ByteStream.receiveSome().
   * @throws {RemoteProtocolError} ERR_READ_TOO_LONG: more than the limit; for counts that a peer names.
   * @throws {RangeError} ERR_OUT_OF_RANGE: no whole number of 0 or more.
   */
  readExactly(count: number, options?: ReadOptions): Promise<Buffer> {
    return this.#read(options, this.#readBytesMax, (most) => {
      checkInteger("count", count, 0, Number.MAX_SAFE_INTEGER);
      if (count > most) throw tooLong(most);
      if (this.#queue.length >= count) return this.#take(count);
      if (this.#ended) throw this.#unexpected(`${count} bytes`);
      return NEED_DATA;
    });
  }

  /**
   * Reads everything until the peer ends.
   *
   * @throws {RemoteProtocolError} ERR_READ_TOO_LONG: more than the limit. @throws as ByteStream.receiveSome().
   */
  readAll(options?: ReadOptions): Promise<Buffer> {
    return this.#read(options, this.#readBytesMax, (most) => {
      if (this.#queue.length > most) throw tooLong(most);
      return this.#ended ? this.#take(this.#queue.length) : NEED_DATA;
    });
  }

  /**
   * Reads what is there, waiting for the first of it; at most `bytesMax` bytes.
   *
   * @returns empty: the peer has ended. @throws as ByteStream.receiveSome().
   */
  readSome(bytesMax: number = RECEIVE_BYTES, options?: StreamOptions): Promise<Buffer> {
    return this.#read(options, 0, () => {
      checkInteger("bytesMax", bytesMax, 1, Number.MAX_SAFE_INTEGER);
      if (this.#queue.length === 0 && !this.#ended) return NEED_DATA;
      return this.#take(Math.min(bytesMax, this.#queue.length));
    });
  }

  /**
   * Shows the next bytes and leaves them where they are: `count`, or fewer when the peer ends before.
   *
   * @param count  1 or more, within the limit of readExactly().
   * @throws as readExactly(), but for the end.
   */
  peek(count: number = 1, options?: ReadOptions): Promise<Buffer> {
    return this.#read(options, this.#readBytesMax, (most) => {
      checkInteger("count", count, 1, Number.MAX_SAFE_INTEGER);
      if (count > most) throw tooLong(most);
      return this.#queue.length >= count || this.#ended ? ownCopy(this.#queue.peek(count)) : NEED_DATA;
    });
  }

  /** Lines until the peer ends, each without its end. @throws as readLine(). */
  async *lines(options?: ReadOptions): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const line = await this.readLine(options);
      if (line === undefined) return;
      yield line;
    }
  }

  /** Puts bytes back: the next read begins with them. */
  unread(data: string | Uint8Array): void {
    const rest = this.#queue.take();
    this.#queue.push(ownCopy(bytesOf("data", data)));
    this.#queue.push(rest);
    this.#searched = 0;
    this.#serve();
  }

  /**
   * Takes out what was received and not read, without waiting. Where a protocol changes (STARTTLS) there must be nothing:
   * what a peer has sent in the clear before the change must not count as sent after it (CVE-2011-0411).
   */
  takeBuffered(): Buffer {
    return this.#take(this.#queue.length);
  }

  /**
   * Gives the stream to another protocol: it first gives what is buffered here, then what comes. This reader is of no use
   * any more.
   *
   * @throws {LocalProtocolError} ERR_READ_WAITS: a read waits, or was aborted this very moment.
   */
  handOver(): ByteStream {
    if (this.#readings.length > 0 || this.#receiving)
      throw new LocalProtocolError(
        "ERR_READ_WAITS",
        "a stream from which a read waits cannot be handed over",
      );
    return this.#queue.length === 0 ? this.stream : new HandedOverStream(this.stream, this.takeBuffered());
  }

  #read<T>(
    options: ReadOptions | undefined,
    limit: number,
    ask: (most: number) => T | typeof NEED_DATA,
  ): Promise<T> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const most = options?.bytesMax ?? limit;
    try {
      if (options?.bytesMax !== undefined) checkLimit("options.bytesMax", most);
      if (this.#readings.length === 0) {
        const now = ask(most);
        if (now !== NEED_DATA) return Promise.resolve(now);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    const reading = new Reading(signal, (left) => {
      this.#readings = this.#readings.filter((other) => other !== left);
      this.#serve();
    });
    reading.attempt = (): unknown => ask(most);
    this.#readings.push(reading);
    if (this.#readings.length === 1) this.#receive(reading);
    return reading.promise as Promise<T>;
  }

  /** Whoever can be served is, in order; for the first who cannot more is received. */
  #serve(): void {
    for (;;) {
      const reading = this.#readings[0];
      if (reading === undefined) return;
      try {
        const value = reading.attempt();
        if (value === NEED_DATA) {
          this.#receive(reading);
          return;
        }
        this.#readings.shift();
        reading.resolve(value);
      } catch (error) {
        this.#readings.shift();
        reading.reject(error);
      }
    }
  }

  /** It is the first reading's signal that ends a receive: nothing is received for nobody. */
  #receive(reading: Reading): void {
    if (this.#receiving) return;
    this.#receiving = true;
    const { signal } = reading;
    const receiving = this.stream.receiveSome(RECEIVE_BYTES, signal === undefined ? undefined : { signal });
    receiving.then(this.#arrived, (error: unknown) => this.#failed(reading, error));
  }

  readonly #arrived = (bytes: Buffer): void => {
    this.#receiving = false;
    if (bytes.length === 0) this.#ended = true;
    this.#queue.push(bytes);
    this.#serve();
  };

  #failed(reading: Reading, error: unknown): void {
    this.#receiving = false;
    if (this.#readings[0] === reading) {
      this.#readings.shift();
      reading.reject(error);
    }
    this.#serve();
  }

  /** Behind the first `sought`; undefined: nothing is there, and nothing comes. */
  #find(
    sought: number | Uint8Array,
    length: number,
    most: number,
    what: string,
  ): number | undefined | typeof NEED_DATA {
    if (!isSame(sought, this.#sought)) {
      this.#sought = sought;
      this.#searched = 0;
    }
    const at = this.#queue.indexOf(sought, this.#searched);
    const end = at + length;
    if (at === -1 ? this.#queue.length >= most : end > most)
      throw new RemoteProtocolError("ERR_LINE_TOO_LONG", `${what} is over ${most} bytes`);
    if (at !== -1) return end;
    if (this.#ended) {
      if (this.#queue.length === 0) return undefined;
      throw this.#unexpected(what);
    }
    // The delimiter's first bytes may be the last ones here.
    this.#searched = Math.max(0, this.#queue.length - length + 1);
    return NEED_DATA;
  }

  #take(count: number): Buffer {
    const bytes = this.#out(this.#queue.peek(count));
    this.#skip(count);
    return bytes;
  }

  #out(view: Buffer): Buffer {
    return view.length < VIEW_BYTES_MIN ? ownCopy(view) : view;
  }

  #skip(count: number): void {
    this.#queue.skip(count);
    this.#searched = Math.max(0, this.#searched - count);
  }

  #unexpected(what: string): UnexpectedEofError {
    return new UnexpectedEofError(`the peer ended inside ${what}`, ownCopy(this.#queue.peek()));
  }
}

function checkLimit(name: string, value: number): number {
  return value === Infinity ? value : checkInteger(name, value, 1, Number.MAX_SAFE_INTEGER);
}

function checkDelimiter(delimiter: number | string | Uint8Array): number | Uint8Array {
  if (typeof delimiter === "number") return checkInteger("delimiter", delimiter, 0, 255);
  const bytes = bytesOf("delimiter", delimiter);
  if (bytes.length === 0) throw invalidArgument("delimiter", "1 byte or more", delimiter);
  return bytes.length === 1 ? (bytes[0] as number) : ownCopy(bytes);
}

function isSame(a: number | Uint8Array, b: number | Uint8Array): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a === b || Buffer.compare(a, b) === 0;
}

const tooLong = (most: number): RemoteProtocolError =>
  new RemoteProtocolError("ERR_READ_TOO_LONG", `more is there than ${most} bytes`);
