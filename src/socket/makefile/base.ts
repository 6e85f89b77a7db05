// What all files made from sockets have in common: their turns, their waits, their end. A read asks its buffer, receives
// while that says NEED_DATA, and asks again; a write sends what its job names. It is written once for both faces
// (../face.ts); which bytes make a line or a character, the buffers know.

import { SocketError, invalidArgument } from "../errors.ts";
import { step } from "../face.ts";
import type { Face, FaceOptions, Outcome, Steps, WaitOptions } from "../face.ts";
import { FileError } from "./errors.ts";
import type { FileMode } from "./mode.ts";
import { NEED_DATA } from "./read-buffer.ts";
import type { NeedData } from "./read-buffer.ts";
import { Turns } from "./turns.ts";
import type { Sending } from "./write-buffer.ts";

/** What a file needs of its socket, and of the face. */
export interface FileIo<F extends Face> {
  /** One recv(2) into the view. */
  receive(view: Uint8Array, flags: number, options: FaceOptions<F> | undefined): Outcome<F, number>;
  /** One recv(2) into new memory. */
  recv(bufsize: number, options: FaceOptions<F> | undefined): Outcome<F, Buffer>;
  /** One send(2). */
  send(bytes: Uint8Array, options: FaceOptions<F> | undefined): Outcome<F, number>;
  /** Ends a receive that waits, with canceled(). */
  cancelReceive(): void;
  /** The error of a read that close() ended. */
  canceled(): Error;
  /** The file needs its socket no more. */
  release(): void;
  /** Some of the work of this turn of the loop is done, with what had been received before. */
  spend(): void;
  fileno(): number;
  done<T>(value: T): Outcome<F, T>;
  refuse(error: unknown): Outcome<F, never>;
  run<T>(steps: Steps<T>): Outcome<F, T>;
}

/** One receive of a read, and what becomes of what it brought. */
export interface Receiving<F extends Face, R> {
  request(options: FaceOptions<F> | undefined): Outcome<F, R>;
  accept(received: R): void;
}

/**
 * So many reads count as much as a call of the kernel's. A peer may send as many lines as bytes, and most of them are read
 * without a call: it would decide how long a turn of the loop is.
 */
const READS_AS_A_CALL = 32;

/** A file made from a socket. */
export abstract class SocketFile<F extends Face> {
  /** As makefile() was given it. */
  readonly mode: string;
  /** @internal */
  protected readonly io: FileIo<F>;
  readonly #directions: FileMode;
  readonly #reads: Turns = new Turns();
  readonly #writes: Turns = new Turns();
  #timedOut = false;
  /** Reads since spend(). */
  #spent = 0;
  #closed = false;
  #closing: Outcome<F, void> | undefined = undefined;

  /** @internal */
  constructor(io: FileIo<F>, mode: string, directions: FileMode) {
    this.io = io;
    this.mode = mode;
    this.#directions = directions;
  }

  /** Whether close() was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether the mode has "r". */
  readable(): boolean {
    return this.#directions.reading;
  }

  /** Whether the mode has "w". */
  writable(): boolean {
    return this.#directions.writing;
  }

  /** The socket's descriptor; -1 once the file is closed. */
  fileno(): number {
    return this.#closed ? -1 : this.io.fileno();
  }

  /**
   * Sends what is held back, and lets the socket go: that is really closed when it and all files made from it are. A read
   * that waits fails with ECANCELED; writes that wait are done first. Closing again does nothing.
   *
   * @throws {SocketError} what the sending met; the file is closed nevertheless, and what was held back is lost.
   * @throws the signal's reason, likewise.
   */
  close(options?: FaceOptions<F>): Outcome<F, void> {
    if (this.#closed) return this.#closing ?? this.io.done(undefined);
    this.#closed = true;
    this.io.cancelReceive();
    return (this.#closing = this.io.run(this.#closeSteps(options)));
  }

  /** What is held back for sending. @internal */
  protected abstract flushing(): Sending;

  /** A read begins: whether the peer has ended is asked anew. @internal */
  protected abstract begin(): void;

  /** Takes what is asked for, after as many receives as that needs, in its turn. @internal */
  protected pull<T, R>(
    take: () => T | NeedData,
    receiving: Receiving<F, R>,
    options: FaceOptions<F> | undefined,
  ): Outcome<F, T> {
    if (++this.#spent === READS_AS_A_CALL) {
      this.#spent = 0;
      this.io.spend();
    }
    try {
      this.#check(this.readable(), "ERR_FILE_NOT_READABLE", options);
      if (this.#reads.free) {
        this.begin();
        const taken = take();
        if (taken !== NEED_DATA) return this.io.done(taken);
      }
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.io.run(this.#pullSteps(take, receiving, options));
  }

  /** Sends what the job names, in its turn. @internal */
  protected push<T>(job: Sending, value: () => T, options: FaceOptions<F> | undefined): Outcome<F, T> {
    try {
      this.#check(this.writable(), "ERR_FILE_NOT_WRITABLE", options);
      if (this.#writes.free && job.next() === undefined) return this.io.done(value());
    } catch (error) {
      return this.io.refuse(error);
    }
    return this.io.run(this.#pushSteps(job, value, options));
  }

  #check(
    able: boolean,
    code: "ERR_FILE_NOT_READABLE" | "ERR_FILE_NOT_WRITABLE",
    options: FaceOptions<F> | undefined,
  ): void {
    if (this.#closed) throw new FileError("ERR_FILE_CLOSED");
    if (!able) throw new FileError(code);
    const signal = signalOf(options);
    if (signal === undefined) return;
    if (!(signal instanceof AbortSignal)) throw invalidArgument("options.signal", "an AbortSignal", signal);
    signal.throwIfAborted();
  }

  *#pullSteps<T, R>(
    take: () => T | NeedData,
    receiving: Receiving<F, R>,
    options: FaceOptions<F> | undefined,
  ): Steps<T> {
    yield this.#reads.enter(signalOf(options));
    try {
      if (!this.#closed) this.begin();
      for (;;) {
        if (this.#closed) throw this.io.canceled();
        const taken = take();
        if (taken !== NEED_DATA) return taken;
        // As in CPython, nothing is received after a receive that ran out of time.
        if (this.#timedOut) throw new FileError("ERR_FILE_TIMED_OUT");
        receiving.accept(yield* step<F, R>(receiving.request(options)));
      }
    } catch (error) {
      if (error instanceof SocketError && error.name === "TimeoutError") this.#timedOut = true;
      throw error;
    } finally {
      this.#reads.leave();
    }
  }

  *#pushSteps<T>(job: Sending, value: () => T, options: FaceOptions<F> | undefined): Steps<T> {
    yield this.#writes.enter(signalOf(options));
    try {
      for (let bytes = job.next(); bytes !== undefined; bytes = job.next())
        job.sent(yield* step<F, number>(this.io.send(bytes, options)));
      return value();
    } catch (error) {
      if (error instanceof SocketError && job.progress !== undefined)
        Object.assign(error, { bytesSent: job.progress.bytes });
      throw error;
    } finally {
      this.#writes.leave();
    }
  }

  *#closeSteps(options: FaceOptions<F> | undefined): Steps<void> {
    try {
      if (this.writable()) yield* this.#pushSteps(this.flushing(), () => undefined, options);
    } finally {
      this.io.release();
    }
  }
}

function signalOf(options: WaitOptions | undefined): AbortSignal | undefined {
  return options?.signal;
}
