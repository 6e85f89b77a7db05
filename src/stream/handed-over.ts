// A stream of which some bytes have been received already: it gives them first. For a protocol that follows another one on
// the same connection. It knows neither.

import type { AnyAddress, Data } from "../index.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";
import { RECEIVE_BYTES_MAX, refusedSize } from "./socket-stream.ts";

/** A stream with bytes before it. */
export class HandedOverStream implements ByteStream {
  readonly #stream: ByteStream;
  #first: Buffer;

  /** @param first  bytes that nobody else writes to. */
  constructor(stream: ByteStream, first: Buffer) {
    this.#stream = stream;
    this.#first = first;
  }

  receiveSome(bytesMax: number = RECEIVE_BYTES_MAX, options?: StreamOptions): Promise<Buffer> {
    const first = this.#first;
    if (first.length === 0 || this.closed) return this.#stream.receiveSome(bytesMax, options);
    const refused = refusedSize(bytesMax);
    if (refused !== undefined) return refused;
    if (options?.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
    this.#first = first.subarray(bytesMax);
    return Promise.resolve(first.subarray(0, bytesMax));
  }

  /** The stream itself, with what is to come first still here. @internal */
  get beneath(): ByteStream {
    return this.#stream;
  }

  /** Takes out what was to come first, and gives the stream beneath, which this one then is no more than. @internal */
  unwrap(): { readonly first: Buffer; readonly stream: ByteStream } {
    const first = this.#first;
    this.#first = first.subarray(first.length);
    return { first, stream: this.#stream };
  }

  sendAll(data: Data, options?: StreamOptions): Promise<void> {
    return this.#stream.sendAll(data, options);
  }

  closeWrite(options?: StreamOptions): Promise<void> {
    return this.#stream.closeWrite(options);
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
