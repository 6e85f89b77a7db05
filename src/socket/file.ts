// Files and a socket: makefile, and what it means for the end of the socket; sendfile. What files over a socket do is told
// in makefile/, how a file of the system is read and sent in sendfile.ts.

import { READ, WRITE } from "../engine/descriptor.ts";
import { countProgress } from "../engine/operation.ts";
import type { Operation, Progress } from "../engine/operation.ts";
import { ECANCELED, EOPNOTSUPP, SOCK_STREAM } from "../constants/index.ts";
import { checkInteger } from "./base.ts";
import { BatchSocket } from "./batches.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import { step } from "./face.ts";
import type { Face, FaceOptions, Outcome, Steps } from "./face.ts";
import type { FileClasses, FileIo, Files } from "./makefile/index.ts";
import { bufferSize, parseMode } from "./makefile/mode.ts";
import type { BinaryMode, MakefileOptions, TextMode } from "./makefile/mode.ts";
import { COPY_BYTES, SendFile, isRefusal, openFileIn, openRegular } from "./sendfile.ts";
import type { FileAccess, FileSource, OpenFile } from "./sendfile.ts";
import type { SendAllOptions } from "./transfer.ts";
import { Receive, ReceiveInto } from "./transfers.ts";

/** A socket that files are made from. */
export abstract class FileSocket<F extends Face = "async"> extends BatchSocket<F> {
  /** How many files hold the descriptor, twice; and one more when close() was called. */
  #holds = 0;

  /**
   * Closes the socket. What waits on it fails with ECANCELED first; every call after it fails with EBADF.
   * Files made from it keep it open, as in CPython: the descriptor is closed when the last of them is, and until then
   * everything goes on. Closing again does nothing.
   * With SO_LINGER of more than 0 seconds the thread waits so long for bytes that were not sent.
   *
   * @throws {SocketError} what close(2) reports (EIO, ENOSPC, EDQUOT); ECONNRESET is not an error here, as in CPython.
   * @see close(2)
   */
  override close(): void {
    this.#holds |= 1;
    if (this.#holds === 1) super.close();
  }

  /**
   * Makes an unbuffered file of bytes: each read is one recv(2), each write one send(2).
   *
   * @param mode  "b" with "r", "w" or both; without either it reads.
   */
  makefile(mode: BinaryMode, options: MakefileOptions & { buffering: 0 }): Files<F>["raw"];
  /**
   * Makes a buffered file of bytes: lines, exact counts.
   *
   * @param mode  "b" with "r", "w" or both; without either it reads.
   */
  makefile(mode: BinaryMode, options?: MakefileOptions): Files<F>["binary"];
  /**
   * Makes a file of text.
   *
   * The file holds the socket open until it is closed, whatever order they are closed in. Leave the socket's own recv and
   * send alone meanwhile: what a file has read ahead, recv does not see.
   *
   * @param mode     "r" (default), "w" or "rw".
   * @param options  `buffering`, `encoding`, `errors`, `newline`.
   * @throws {SocketError} EBADF: the socket is closed. @throws {TypeError} ERR_INVALID_ARG_TYPE.
   * @throws {RangeError} ERR_OUT_OF_RANGE: no such mode, encoding, errors or newline; `buffering` 0 for text.
   */
  makefile(mode?: TextMode, options?: MakefileOptions): Files<F>["text"];
  makefile(mode: TextMode | BinaryMode = "r", options: MakefileOptions = {}): Files<F>[keyof Files<F>] {
    const directions = parseMode(mode);
    if (typeof options !== "object" || options === null)
      throw invalidArgument("options", "an object", options);
    const buffering = bufferSize(options.buffering, directions.binary);
    this.open("makefile");
    const { raw, binary, text } = this.fileClasses();
    const io = this.#io();
    const make = (): Files<F>[keyof Files<F>] => {
      if (buffering === 0) return new raw(io, mode, directions);
      if (directions.binary) return new binary(io, mode, directions, buffering);
      return new text(io, mode, directions, buffering, options);
    };
    const file = make();
    this.#holds += 2;
    return file;
  }

  /**
   * Sends a file, or a part of it, without its bytes entering JavaScript: sendfile(2). Where that does not work (the file
   * is a pipe or a device, the system has no such call) it reads and sends; a send that is asked for meanwhile may then
   * come in between.
   *
   * The kernel reads the file while the call lasts: from a slow disk it holds the thread up, half a megabyte at a time.
   * While a pipe is waited for that nobody writes to, a signal ends the call, but neither time nor close() does.
   *
   * @param file    a path; or an open file, as a FileHandle or its descriptor, which stays open. Its position is neither
   *   used nor moved (CPython moves it), unless it is a pipe or the like, which has none and of which what was read and
   *   not sent is gone.
   * @param offset  where in the file to begin. Default 0.
   * @param count   at most so many bytes. Default: to the file's end.
   * @returns how many bytes were sent; fewer than `count` when the file ends before.
   * @throws {SocketError} EOPNOTSUPP: the socket is not of type SOCK_STREAM. Others as sendall(); `bytesSent` says how many
   *   bytes went, so that another call can go on from there.
   * @throws {TimeoutError} ETIMEDOUT: for settimeout's time the peer took nothing; `bytesSent` as above.
   * @throws what node:fs reports: ENOENT, EACCES, EISDIR…
   * @throws {RangeError} ERR_OUT_OF_RANGE: a negative offset, a count below 1. @throws {TypeError} ERR_INVALID_ARG_TYPE.
   * @see sendfile(2)
   */
  sendfile(
    file: FileSource,
    offset: number = 0,
    count?: number | null,
    options?: FaceOptions<F, SendAllOptions>,
  ): Outcome<F, number> {
    try {
      checkInteger("offset", offset, 0, Number.MAX_SAFE_INTEGER);
      const most = count ?? Infinity;
      if (most !== Infinity) checkInteger("count", most, 1, Number.MAX_SAFE_INTEGER);
      const opened = openFileIn(file);
      if (this.type !== SOCK_STREAM)
        throw new SocketError("sendfile", -EOPNOTSUPP, { hint: "it needs a socket of type SOCK_STREAM" });
      const progress = countProgress(options?.progress);
      return this.run(this.#sendfile(opened ?? (file as string), offset, most, progress, options));
    } catch (error) {
      return this.refuse(error);
    }
  }

  *#sendfile(
    file: OpenFile | string,
    offset: number,
    count: number,
    progress: Progress,
    options: FaceOptions<F> | undefined,
  ): Steps<number> {
    const access = this.fileAccess();
    let opened: number | undefined;
    if (typeof file !== "object" || !("fd" in file))
      opened = openRegular(file) ?? (yield* step<F, number>(access.open(file)));
    const source = opened === undefined ? (file as OpenFile) : { fd: opened };
    try {
      const send = new SendFile(this, source, offset, count, progress, this.timeoutMs);
      return yield* step<F, number>(this.wait(WRITE, send, options));
    } catch (error) {
      if (progress.bytes > 0 || !isRefusal(error)) throw error;
      return yield* this.#copyFile(source, offset, count, progress, options);
    } finally {
      if (opened !== undefined) yield* step<F, void>(access.close(opened));
    }
  }

  /** What sendfile(2) does, with read(2) and send(2). */
  *#copyFile(
    source: OpenFile,
    offset: number,
    count: number,
    progress: Progress,
    options: FaceOptions<F> | undefined,
  ): Steps<number> {
    const access = this.fileAccess();
    const memory = Buffer.allocUnsafeSlow(COPY_BYTES);
    let seekable = true;
    for (;;) {
      const into = memory.subarray(0, Math.min(COPY_BYTES, count - progress.bytes));
      if (into.length === 0) return progress.bytes;
      let length: number;
      try {
        length = yield* step<F, number>(
          access.read(source, into, seekable ? offset + progress.bytes : null, options),
        );
      } catch (error) {
        if (!seekable || offset > 0 || (error as NodeJS.ErrnoException).code !== "ESPIPE") throw error;
        seekable = false;
        continue;
      }
      if (length === 0) return progress.bytes;
      const sent: Progress = { bytes: 0 };
      const waiting = { ...options, progress: sent } as FaceOptions<F, SendAllOptions>;
      const before = progress.bytes;
      try {
        yield* step<F, void>(this.sendall(into.subarray(0, length), 0, waiting));
      } catch (error) {
        if (error instanceof SocketError) Object.assign(error, { bytesSent: before + sent.bytes });
        throw error;
      } finally {
        progress.bytes = before + sent.bytes;
      }
    }
  }

  /** The face's files. @internal */
  protected abstract fileClasses(): FileClasses<F>;

  /** How the face opens and reads files of the system. @internal */
  protected abstract fileAccess(): FileAccess<F>;

  #io(): FileIo<F> {
    let receiving: Operation | undefined;
    return {
      receive: (view, flags, options): Outcome<F, number> => {
        const operation = new ReceiveInto(this, view, view.length, flags);
        receiving = operation as Operation;
        return this.wait(READ, operation, options);
      },
      recv: (bufsize, options): Outcome<F, Buffer> => {
        const operation = new Receive(this, bufsize, 0);
        receiving = operation as Operation;
        return this.wait(READ, operation, options);
      },
      send: (bytes, options) => this.send(bytes, 0, options),
      cancelReceive: () => {
        if (receiving !== undefined)
          this.engine.cancel(this.descriptor, READ, receiving, this.failure("recv", -ECANCELED));
      },
      canceled: () => this.failure("recv", -ECANCELED),
      release: () => {
        this.#holds -= 2;
        if (this.#holds === 1) super.close();
      },
      spend: () => void this.engine.credit--,
      fileno: () => this.fileno(),
      done: (value) => this.done(value),
      refuse: (error) => this.refuse(error),
      run: (steps) => this.run(steps),
    };
  }
}
