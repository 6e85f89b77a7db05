// Two streams in memory, each other's peer: for tests of protocols and for layers within one process. What memory-pipe.ts
// does in one direction is put together here to two ends. No socket, no descriptor; what waits holds no process alive.

import { currentEngine } from "../engine/current.ts";
import { EBADF, ECANCELED, EPIPE, SocketError } from "../index.ts";
import type { Data } from "../index.ts";
import { checkInteger } from "../socket/base.ts";
import { bytesOf } from "../socket/bytes.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";
import { MemoryPipe } from "./memory-pipe.ts";
import { RECEIVE_BYTES_MAX, refusedSize } from "./socket-stream.ts";

/** Bytes that one direction holds unless it is told otherwise: what a pipe of the system holds, pipe(7). */
const PIPE_BYTES_MAX = 65_536;

/** What memoryPair takes. */
export interface MemoryPairOptions {
  /** Bytes sent and not yet received, in each direction; sendAll waits while they are more. Default 65536. */
  bytesMax?: number | undefined;
}

/** One end of a pair in memory. */
export class MemoryStream implements ByteStream {
  readonly #incoming: MemoryPipe;
  readonly #outgoing: MemoryPipe;
  #closed = false;

  /** @internal */
  constructor(incoming: MemoryPipe, outgoing: MemoryPipe) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  receiveSome(bytesMax: number = RECEIVE_BYTES_MAX, options?: StreamOptions): Promise<Buffer> {
    if (this.#closed) return Promise.reject(new SocketError("recv", -EBADF));
    return refusedSize(bytesMax) ?? this.#incoming.receive(bytesMax, options?.signal);
  }

  sendAll(data: Data, options?: StreamOptions): Promise<void> {
    if (this.#closed) return Promise.reject(new SocketError("sendall", -EBADF));
    try {
      return this.#outgoing.send(bytesOf("data", data), options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  closeWrite(options?: StreamOptions): Promise<void> {
    if (this.#closed) return Promise.reject(new SocketError("shutdown", -EBADF));
    return this.#outgoing.end(options?.signal);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#incoming.abandon(
      new SocketError("recv", -ECANCELED), // who waits here
      new SocketError("sendall", -EPIPE), // who waits at the other end
    );
    this.#outgoing.finish(new SocketError("sendall", -ECANCELED));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Undefined: memory has no addresses. */
  get localAddress(): undefined {
    return undefined;
  }

  /** Undefined: memory has no addresses. */
  get remoteAddress(): undefined {
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

/**
 * Makes two connected streams in memory. Each direction holds a bounded number of bytes; who sends more waits until the
 * other end receives.
 *
 * @throws {RangeError} ERR_OUT_OF_RANGE: bytesMax is not 1 or more.
 */
export function memoryPair({
  bytesMax = PIPE_BYTES_MAX,
}: MemoryPairOptions = {}): [MemoryStream, MemoryStream] {
  checkInteger("options.bytesMax", bytesMax, 1, 2 ** 31 - 1);
  const engine = currentEngine();
  const [there, back] = [new MemoryPipe(engine, bytesMax), new MemoryPipe(engine, bytesMax)];
  return [new MemoryStream(back, there), new MemoryStream(there, back)];
}
