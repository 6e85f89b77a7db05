// The stream that a handler is given: the accepted one, watched. It counts bytes, keeps the time in which the peer is
// waited for, and says why the server ended the connection. It knows no server.
//
// Why a stream around the stream, and not a look at the socket from time to time: it is the same for TCP, TLS and memory,
// and it knows whether anybody waits. What it costs is one promise a call; of a socket it holds 200 bytes.

import { bytesOf } from "../socket/bytes.ts";
import type { AnyAddress, Data } from "../index.ts";
import type { ByteStream, StreamOptions } from "../stream/index.ts";
import type { Counters } from "./counters.ts";

/**
 * A send of more is handed on in pieces of so many bytes, and each that is done is a sign of life: a peer that takes less
 * than one in idleTimeoutMs counts as one that takes nothing (at the default, 900 bytes a second).
 */
const PIECE_BYTES = 262_144;

/** What a watched stream tells, and whom. */
export interface Watch {
  readonly counters: Counters;
  /** The peer is waited for (true), or no longer by this call (false); both are signs of life. */
  waits(on: boolean): void;
  /** The peer has ended. */
  ended(): void;
  /** What a call fails with in place of its own error, if the server has ended the connection. */
  explain(error: unknown): unknown;
}

/** The accepted stream, watched. */
export class ServedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #watch: Watch;

  constructor(stream: ByteStream, watch: Watch) {
    this.#stream = stream;
    this.#watch = watch;
  }

  async receiveSome(bytesMax?: number, options?: StreamOptions): Promise<Buffer> {
    const bytes = await this.#watched(this.#stream.receiveSome(bytesMax, options));
    if (bytes.length === 0) this.#watch.ended();
    this.#watch.counters.add("bytesReceived", bytes.length);
    return bytes;
  }

  sendAll(data: Data, options?: StreamOptions): Promise<void> {
    // What is no data has no length, and the stream refuses it.
    const length = typeof data === "string" ? data.length * 3 : data?.byteLength;
    if (!(length > PIECE_BYTES)) return this.#send(data, options);
    let bytes: Uint8Array;
    try {
      bytes = bytesOf("data", data);
    } catch (error) {
      return Promise.reject(error);
    }
    // All at once: the stream sends them in this order, and nothing in between.
    const sends: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      sends.push(this.#send(bytes.subarray(at, at + PIECE_BYTES), options));
    return Promise.all(sends).then(() => undefined);
  }

  async #send(data: Data, options: StreamOptions | undefined): Promise<void> {
    await this.#watched(this.#stream.sendAll(data, options));
    const length = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    this.#watch.counters.add("bytesSent", length);
  }

  closeWrite(options?: StreamOptions): Promise<void> {
    return this.#watched(this.#stream.closeWrite(options));
  }

  async #watched<T>(outcome: Promise<T>): Promise<T> {
    this.#watch.waits(true);
    try {
      return await outcome;
    } catch (error) {
      throw this.#watch.explain(error);
    } finally {
      this.#watch.waits(false);
    }
  }

  close(): void {
    this.#stream.close();
  }

  get closed(): boolean {
    return this.#stream.closed;
  }

  get localAddress(): AnyAddress | undefined {
    return this.#stream.localAddress;
  }

  get remoteAddress(): AnyAddress | undefined {
    return this.#stream.remoteAddress;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}
