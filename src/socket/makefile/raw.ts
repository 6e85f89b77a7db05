// A file of bytes without buffers (`buffering: 0`): each read is one recv(2), each write one send(2), and what the file
// was not asked for stays in the socket, for whoever reads there next. As CPython's SocketIO.

import { MSG_PEEK } from "../../constants/index.ts";
import { checkInteger } from "../base.ts";
import type { Face, FaceOptions, Outcome } from "../face.ts";
import { bytesOf, lengthOf } from "../bytes.ts";
import type { Data } from "../bytes.ts";
import type { SendAllOptions } from "../transfer.ts";
import { SocketFile } from "./base.ts";
import type { Receiving } from "./base.ts";
import { DEFAULT_BUFFER_SIZE, LINE_LIMIT } from "./limits.ts";
import { NEED_DATA, ReadBuffer, checkCount } from "./read-buffer.ts";
import { NOTHING_TO_SEND, WriteOnce } from "./write-buffer.ts";
import type { Sending } from "./write-buffer.ts";

const LF = 10;

/** An unbuffered file of bytes. */
export abstract class RawFileOf<F extends Face> extends SocketFile<F> {
  /** Where readline() and readall() gather; empty between calls, unless one of them failed half-way. */
  readonly #gathered: ReadBuffer = new ReadBuffer(DEFAULT_BUFFER_SIZE);
  readonly #gathering: Receiving<F, number> = {
    request: (options) => this.io.receive(this.#gathered.room(), 0, options),
    accept: (count) => this.#gathered.filled(count),
  };

  /**
   * Receives once. Without a count: as readall().
   *
   * @param n  at most so many bytes.
   * @returns what arrived; empty: the peer has ended.
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_READABLE; ERR_FILE_TIMED_OUT: an earlier read ran out of time.
   * @throws {SocketError} as recv(). @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   */
  read(n?: number, options?: FaceOptions<F>): Outcome<F, Buffer> {
    if (n === undefined || n < 0) return this.readall(options);
    let received: Buffer | undefined;
    return this.pull(
      () => {
        checkInteger("n", n, 0, Number.MAX_SAFE_INTEGER);
        if (this.#gathered.length > 0 || n === 0) return this.#gathered.read1(n);
        return received ?? NEED_DATA;
      },
      {
        request: (waiting) => this.io.recv(n, waiting),
        accept: (data: Buffer) => {
          received = data;
        },
      },
      options,
    );
  }

  /**
   * Receives till the peer has ended.
   *
   * @throws {FileError} ERR_READ_TOO_LONG: no end within READ_LIMIT bytes; they stay and can be read in pieces. Others
   *   as read().
   * @throws {SocketError} as recv(). @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   */
  readall(options?: FaceOptions<F>): Outcome<F, Buffer> {
    return this.pull(() => this.#gathered.read(undefined), this.#gathering, options);
  }

  /**
   * Receives once, into memory of the caller's.
   *
   * @param buffer  filled from byte 0; yours again when the promise settles.
   * @returns how many bytes arrived; 0: the peer has ended.
   * @throws as read().
   */
  readinto(buffer: ArrayBufferView, options?: FaceOptions<F>): Outcome<F, number> {
    let received: number | undefined;
    return this.pull(
      () => {
        if (lengthOf("buffer", buffer) === 0 || this.#gathered.length > 0)
          return this.#gathered.readinto(buffer, true);
        return received ?? NEED_DATA;
      },
      {
        request: (waiting) =>
          this.io.receive(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength), 0, waiting),
        accept: (count: number) => {
          received = count;
        },
      },
      options,
    );
  }

  /**
   * Receives a line and nothing behind it: looks first (MSG_PEEK), then takes so much.
   *
   * @param limit  at most so many bytes. Without it at most LINE_LIMIT, and an error beyond; Infinity: no limit.
   * @returns up to and with "\n"; without it: the limit was reached, or the peer has ended. Empty: the peer has ended.
   * @throws {FileError} ERR_LINE_TOO_LONG: no "\n" within LINE_LIMIT bytes; they stay and can be read in pieces. Others
   *   as read().
   * @throws {SocketError} as recv(). @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   */
  readline(limit?: number, options?: FaceOptions<F>): Outcome<F, Buffer> {
    const gathered = this.#gathered;
    let room: Uint8Array;
    let wanted = 0; // 0: not looked yet
    return this.pull(
      () => gathered.readline(limit),
      {
        request: (waiting) => {
          if (wanted > 0) return this.io.receive(room.subarray(0, wanted), 0, waiting);
          room = gathered.room().subarray(0, (checkCount("limit", limit) ?? LINE_LIMIT) - gathered.length);
          return this.io.receive(room, MSG_PEEK, waiting);
        },
        accept: (count: number) => {
          if (wanted > 0 || count === 0) {
            gathered.filled(count);
            wanted = 0;
          } else {
            wanted = room.subarray(0, count).indexOf(LF) + 1 || count;
          }
        },
      },
      options,
    );
  }

  /**
   * Receives lines.
   *
   * @param hint  ends with the line that makes it more bytes than that; receives more than that only till the end of the
   *   line, but then keeps it for the next read. Without it: till the peer has ended.
   * @throws {FileError} ERR_READ_TOO_LONG, ERR_LINE_TOO_LONG and as read().
   * @throws {SocketError} as recv(). @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   */
  readlines(hint?: number, options?: FaceOptions<F>): Outcome<F, Buffer[]> {
    return this.pull(() => this.#gathered.readlines(hint), this.#gathering, options);
  }

  /**
   * Sends once.
   *
   * @param data  what to send; strings as UTF-8. Leave the memory alone until the promise settles.
   * @returns how many bytes the kernel took.
   * @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_WRITABLE. @throws {SocketError} as send().
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing was sent.
   */
  write(data: Data, options?: FaceOptions<F, SendAllOptions>): Outcome<F, number> {
    let job: WriteOnce;
    try {
      job = new WriteOnce(bytesOf("data", data), options?.progress);
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.push(job, () => job.progress.bytes, options);
  }

  /** Does nothing: nothing is held back. @throws {FileError} ERR_FILE_CLOSED, ERR_FILE_NOT_WRITABLE. */
  flush(options?: FaceOptions<F>): Outcome<F, void> {
    return this.push(NOTHING_TO_SEND, () => undefined, options);
  }

  /** @internal */
  protected flushing(): Sending {
    return NOTHING_TO_SEND;
  }

  /** @internal */
  protected begin(): void {
    this.#gathered.ended = false;
  }
}
