// A buffered file of bytes: reads ahead and gives lines and exact counts, holds small writes back until they are worth
// a send(2). As CPython's BufferedReader, BufferedWriter and BufferedRWPair over a SocketIO.

import type { Face, FaceOptions, Outcome } from "../face.ts";
import { bytesOf } from "../bytes.ts";
import type { Data } from "../bytes.ts";
import type { SendAllOptions } from "../transfer.ts";
import { SocketFile } from "./base.ts";
import type { FileIo, Receiving } from "./base.ts";
import type { FileMode } from "./mode.ts";
import { ReadBuffer } from "./read-buffer.ts";
import { Flush, Write, WriteBuffer } from "./write-buffer.ts";
import type { Sending } from "./write-buffer.ts";

/** A buffered file of bytes. */
export abstract class BinaryFileOf<F extends Face> extends SocketFile<F> {
  readonly #incoming: ReadBuffer;
  readonly #outgoing: WriteBuffer;
  readonly #receiving: Receiving<F, number>;

  /** @internal */
  constructor(io: FileIo<F>, mode: string, directions: FileMode, buffering: number) {
    super(io, mode, directions);
    const incoming = new ReadBuffer(directions.reading ? buffering : 1);
    this.#incoming = incoming;
    this.#outgoing = new WriteBuffer(directions.writing ? buffering : 0);
    this.#receiving = {
      request: (options) => io.receive(incoming.room(), 0, options),
      accept: (count) => incoming.filled(count),
    };
  }

  /**
   * Reads exactly so many bytes, waiting for all of them.
   *
   * @param n  how many. Without it: all till the peer has ended, at most READ_LIMIT; Infinity: without that limit.
   * @returns fewer bytes when the peer has ended; empty: it had ended before.
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_READABLE; ERR_FILE_TIMED_OUT: an earlier read ran out of time;
   *   ERR_READ_TOO_LONG: no end within READ_LIMIT bytes; they stay and can be read in pieces.
   * @throws {SocketError} as recv(); ECANCELED: the file was closed meanwhile; EAGAIN: non-blocking, and not all is here.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up. As in CPython only what is buffered can be read after it;
   *   unlike there, nothing of that is lost.
   */
  read(n?: number, options?: FaceOptions<F>): Outcome<F, Buffer> {
    return this.pull(() => this.#incoming.read(n), this.#receiving, options);
  }

  /**
   * Reads what is buffered, or what one receive brings.
   *
   * @param n  at most so many bytes. Without it: all that is there.
   * @returns empty: the peer has ended. @throws as read().
   */
  read1(n?: number, options?: FaceOptions<F>): Outcome<F, Buffer> {
    return this.pull(() => this.#incoming.read1(n), this.#receiving, options);
  }

  /** Looks at what read1() would give, and leaves it there. @throws as read(). */
  peek(options?: FaceOptions<F>): Outcome<F, Buffer> {
    return this.pull(() => this.#incoming.peek(), this.#receiving, options);
  }

  /**
   * Fills the caller's memory, waiting until it is full.
   *
   * @param buffer  filled from byte 0, in one go at the end; yours again when the promise settles.
   * @returns how many bytes: fewer than the buffer has when the peer has ended. @throws as read().
   */
  readinto(buffer: ArrayBufferView, options?: FaceOptions<F>): Outcome<F, number> {
    return this.pull(() => this.#incoming.readinto(buffer, false), this.#receiving, options);
  }

  /** As readinto(), with what is buffered or what one receive brings. @throws as read(). */
  readinto1(buffer: ArrayBufferView, options?: FaceOptions<F>): Outcome<F, number> {
    return this.pull(() => this.#incoming.readinto(buffer, true), this.#receiving, options);
  }

  /**
   * Reads a line.
   *
   * @param limit  at most so many bytes. Without it at most LINE_LIMIT (65536), and an error beyond, where CPython goes on
   *   for as long as the peer likes; Infinity: as CPython.
   * @returns up to and with "\n"; without it: the limit was reached, or the peer has ended. Empty: the peer has ended.
   * @throws {FileError} ERR_LINE_TOO_LONG: no "\n" within LINE_LIMIT bytes; they stay and can be read in pieces. Others
   *   and other errors as read().
   */
  readline(limit?: number, options?: FaceOptions<F>): Outcome<F, Buffer> {
    return this.pull(() => this.#incoming.readline(limit), this.#receiving, options);
  }

  /**
   * Reads lines: with a hint each at most LINE_LIMIT long, without one all of them READ_LIMIT.
   *
   * @param hint  ends with the line that makes it more bytes than that. Without it or with 0: all till the peer has ended, at
   *   most READ_LIMIT; Infinity: without that limit.
   * @throws {FileError} ERR_READ_TOO_LONG, ERR_LINE_TOO_LONG; what was received stays. Others and other errors as read().
   */
  readlines(hint?: number, options?: FaceOptions<F>): Outcome<F, Buffer[]> {
    return this.pull(() => this.#incoming.readlines(hint), this.#receiving, options);
  }

  /**
   * Writes all of the data: into the buffer, or to the kernel when there is no room in it. Call flush() to have the
   * buffer sent; read() does not.
   *
   * @param data  strings as UTF-8. Leave the memory alone until the promise settles.
   * @returns how many bytes: all.
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_WRITABLE.
   * @throws {SocketError} as send(); `bytesSent`: how many bytes of the data were taken. What was in the buffer before is
   *   still there. @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; `bytesSent` as above.
   */
  write(data: Data, options?: FaceOptions<F, SendAllOptions>): Outcome<F, number> {
    let job: Write;
    try {
      job = new Write(this.#outgoing, bytesOf("data", data), options?.progress);
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.push(job, () => job.progress.bytes, options);
  }

  /** Writes one after the other; adds no ends of line. @throws as write(). */
  writelines(lines: Iterable<Data>, options?: FaceOptions<F, SendAllOptions>): Outcome<F, void> {
    let job: Write;
    try {
      const all = Buffer.concat(Array.from(lines, (line) => bytesOf("lines", line)));
      job = new Write(this.#outgoing, all, options?.progress);
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.push(job, () => undefined, options);
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

  /** @internal */
  protected flushing(): Sending {
    return new Flush(this.#outgoing);
  }

  /** @internal */
  protected begin(): void {
    this.#incoming.ended = false;
  }
}
