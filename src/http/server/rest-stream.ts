// A stream of which some bytes were received before it was handed out. They come first, then the stream goes on.

import type { AnyAddress, Data } from "../../index.ts";
import type { ByteStream, StreamOptions } from "../../stream/index.ts";

/** A stream behind bytes that were received already. */
export class RestStream implements ByteStream {
  readonly #stream: ByteStream;
  #rest: Buffer;

  constructor(stream: ByteStream, rest: Buffer) {
    this.#stream = stream;
    this.#rest = rest;
  }

  receiveSome(bytesMax: number = Infinity, options?: StreamOptions): Promise<Buffer> {
    const rest = this.#rest;
    // What can be wrong with a call the stream itself says.
    if (rest.length === 0 || this.closed || !(bytesMax >= 1) || options?.signal?.aborted === true)
      return this.#stream.receiveSome(bytesMax === Infinity ? undefined : bytesMax, options);
    this.#rest = rest.subarray(bytesMax);
    return Promise.resolve(rest.subarray(0, bytesMax));
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
