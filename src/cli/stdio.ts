// Standard input to pull from and standard output to push to, each with backpressure and an end that can be passed on.
// It knows nothing of sockets that are the peer's. What waits is never more than one chunk of memory.

import { createWriteStream, fstatSync, openSync } from "node:fs";
import { Socket as NodeSocket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { OutputClosedError } from "./failure.ts";

/** Standard input, one chunk at a time, read when asked. */
export class Input implements Disposable {
  readonly #stream: Readable;
  #error: Error | undefined;
  #resume: (() => void) | undefined;
  readonly #wake = (): void => this.#resume?.();

  constructor(stream: Readable = process.stdin) {
    this.#stream = stream;
    stream.on("readable", this.#wake).on("end", this.#wake);
    stream.on("error", (error: Error) => {
      this.#error = error;
      this.#wake();
    });
  }

  /**
   * The next chunk, waiting for it. One wait at a time.
   *
   * @param signal  ends the wait without losing a byte: the next call has what comes.
   * @returns bytes, or undefined at the end of input and after the signal.
   * @throws the system's error for a read that failed.
   */
  async next(signal: AbortSignal): Promise<Uint8Array | undefined> {
    signal.addEventListener("abort", this.#wake);
    for (;;) {
      if (signal.aborted) return undefined;
      const chunk = this.#stream.read() as Uint8Array | null;
      if (chunk !== null) return chunk;
      if (this.#error !== undefined) throw this.#error;
      if (this.#stream.readableEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }

  /** A person types it, and more may come. */
  get isOpenTerminal(): boolean {
    return "isTTY" in this.#stream && this.#stream.isTTY === true && !this.#stream.readableEnded;
  }

  /** Stops reading, so that the process can end although the input has not. */
  close(): void {
    this.#stream.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Standard output: write waits until the system has taken the bytes, end lets the reader see the end. */
export class Output {
  readonly #stream: Writable;
  readonly #canEnd: boolean;

  constructor() {
    const stream = openEndable();
    this.#stream = stream ?? process.stdout;
    this.#canEnd = stream !== undefined;
    // Each write reports its own error; without a listener the stream would end the process with the same one.
    this.#stream.on("error", () => {});
  }

  /**
   * Writes all bytes. They may be reused when the promise settles.
   *
   * @throws {OutputClosedError} the reader has gone.
   */
  write(data: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (error === null || error === undefined) resolve();
        else
          reject(
            hasGone(error) ? new OutputClosedError("standard output is closed", { cause: error }) : error,
          );
      });
    });
  }

  /** Ends the output for its reader, while this process goes on. A terminal has no end to pass on. */
  end(): void {
    if (this.#canEnd) this.#stream.end();
  }
}

function hasGone(error: Error): boolean {
  const code = "code" in error ? error.code : undefined;
  return code === "EPIPE" || code === "ECONNRESET" || code === "ERR_STREAM_DESTROYED";
}

/**
 * Standard output as a stream that can be ended, which process.stdout cannot be: `A | berkeley connect URL | B` must let
 * B see the peer's end while A still sends. Undefined for terminals and devices, which have no end.
 */
function openEndable(): Writable | undefined {
  const kind = fstatSync(1);
  if (kind.isFIFO() || kind.isSocket())
    return new NodeSocket({ fd: 1, readable: false }).once("close", occupyDescriptor);
  if (kind.isFile()) return createWriteStream("", { fd: 1 }).once("close", occupyDescriptor);
  return undefined;
}

/** Descriptor 1 must not become somebody else's when it is closed: the lowest free number is taken next (open(2)). */
function occupyDescriptor(): void {
  openSync("/dev/null", "w");
}

/** Says something to the person at the terminal; standard output belongs to the peer's bytes. */
export function note(text: string): void {
  process.stderr.write(`berkeley: ${text}\n`);
}

/** A person who types into a conversation is told that only their side is open still; other inputs end by themselves. */
export function notePeerEnded(input: Input): void {
  if (input.isOpenTerminal) note("the peer has ended; Ctrl-D ends this side");
}
