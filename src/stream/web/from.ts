// A pair of web streams as a ByteStream: what fetch(), Deno-style APIs, WebTransport and packages for several runtimes hand
// out. What is on the other side of them it does not know.

import type { ReadableStream, ReadableStreamDefaultReader, WritableStream } from "node:stream/web";
import type { WritableStreamDefaultWriter } from "node:stream/web";
import { invalidArgument } from "../../socket/errors.ts";
import { AdaptedStream, tell } from "../adapted.ts";
import type { Done } from "../adapted.ts";

/** Two web streams, the two directions of one connection. */
export interface WebStreams {
  /** Of Uint8Arrays. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Of Uint8Arrays. */
  readonly writable: WritableStream<Uint8Array>;
}

/** A stream over two web streams. Make one with fromWeb(). */
export class WebStream extends AdaptedStream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #reading = false;
  #arrived: Buffer | undefined = undefined;

  /** @internal */
  constructor({ readable, writable }: WebStreams) {
    super();
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // Who sends learns it by its write.
    this.#writer.closed.catch(() => undefined);
  }

  /** Undefined: web streams have no addresses. */
  get localAddress(): undefined {
    return undefined;
  }

  /** Undefined: web streams have no addresses. */
  get remoteAddress(): undefined {
    return undefined;
  }

  /** A read cannot be taken back: what it brings waits for the next receive. @internal */
  protected read(): Buffer | undefined {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    if (arrived !== undefined || this.#reading) return arrived;
    this.#reading = true;
    this.#reader.read().then(
      ({ done, value }) => this.#came(done ? undefined : value),
      (error: unknown) => this.failed(error),
    );
    return undefined;
  }

  #came(value: Uint8Array | undefined): void {
    this.#reading = false;
    if (value === undefined) this.readEnded();
    else if (!(value instanceof Uint8Array))
      this.failed(invalidArgument("a chunk of readable", "a Uint8Array", value));
    else {
      // An empty chunk is no end.
      if (value.length > 0) this.#arrived = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.deliver();
    }
  }

  /** The sink may keep the memory, or give it away: it gets a copy. @internal */
  protected write(bytes: Uint8Array, done: Done): void {
    tell(this.#writer.write(new Uint8Array(bytes)), done);
  }

  /** @internal */
  protected endWriting(done: Done): void {
    tell(this.#writer.close(), done);
  }

  /** What was written still arrives: abort() would throw away what is queued behind the sink. @internal */
  protected shut(busy: boolean): void {
    const nothing = (): void => undefined;
    this.#reader.cancel().catch(nothing);
    (busy ? this.#writer.abort() : this.#writer.close()).catch(nothing);
  }
}

/**
 * Makes a stream of a readable and a writable web stream, which are locked and belong to it from now on.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no such pair; or one of them is locked already.
 * @see https://streams.spec.whatwg.org/
 */
export function fromWeb(streams: WebStreams): WebStream {
  if (typeof streams?.readable?.getReader !== "function")
    throw invalidArgument("streams.readable", "a ReadableStream", streams?.readable);
  if (typeof streams.writable?.getWriter !== "function")
    throw invalidArgument("streams.writable", "a WritableStream", streams.writable);
  for (const name of ["readable", "writable"] as const)
    if (streams[name].locked)
      throw invalidArgument(`streams.${name}`, "a stream without a lock", streams[name]);
  return new WebStream(streams);
}
