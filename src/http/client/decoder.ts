// Contents made as large again as they were before they were compressed: by node:zlib on its own threads, pulled, and up to
// a limit, for a few bytes can become gigabytes. RFC 9110 section 8.4. It knows codings and no connection.

import { Readable, pipeline } from "node:stream";
import type { Duplex } from "node:stream";
import * as zlib from "node:zlib";
import { parseList } from "../../wire/parameters.ts";
import { refusal } from "../syntax/errors.ts";

type Maker = () => Duplex;

const { createZstdDecompress } = zlib as unknown as { readonly createZstdDecompress?: Maker };

/** By the coding's name; zstd where the runtime has it. */
const MAKERS: Readonly<Record<string, Maker | undefined>> = {
  gzip: () => zlib.createGunzip(),
  // An old name of it (RFC 9110 section 8.4.1.3).
  "x-gzip": () => zlib.createGunzip(),
  deflate: () => zlib.createInflate(),
  br: () => zlib.createBrotliDecompress(),
  zstd: createZstdDecompress,
};

/** What a client that decompresses says it takes. */
export const ACCEPT_ENCODING: string = createZstdDecompress === undefined ? "gzip, br" : "zstd, gzip, br";

/** More than one coding is unheard of; a server could have a content unpacked for ever. */
const CODINGS_MAX = 2;

/**
 * What takes a Content-Encoding back, in the order in which that is done.
 *
 * @returns undefined: there is none, or one that is not known, and the content stays as it is.
 */
function makersOf(encoding: string | undefined): Maker[] | undefined {
  const names = encoding === undefined ? undefined : parseList(encoding)?.map(({ name }) => name);
  const codings = names?.filter((name) => name !== "identity").toReversed() ?? [];
  const makers = codings.map((name) => (Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined));
  if (makers.length === 0 || makers.length > CODINGS_MAX || !makers.every((maker) => maker !== undefined))
    return undefined;
  return makers;
}

/** A content on its way through the codings that it was sent in. */
export class Decoder {
  readonly #pieces: AsyncIterator<Buffer>;
  readonly #last: Duplex;
  readonly #bytesMax: number;
  #bytes = 0;
  /** What the source failed with: not the coding's fault. */
  #sourceFailure: unknown;

  private constructor(source: AsyncIterable<Buffer>, makers: readonly Maker[], bytesMax: number) {
    const streams = makers.map((make) => make());
    this.#last = streams.at(-1) as Duplex;
    this.#bytesMax = bytesMax;
    // Failures come out of the last one.
    pipeline([Readable.from(this.#watch(source), { objectMode: false }), ...streams], () => {});
    this.#pieces = this.#last[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /**
   * @param encoding  Content-Encoding.
   * @param bytesMax  what all of it may become.
   * @returns undefined: there is nothing to decode, or nobody knows how.
   */
  static of(
    source: AsyncIterable<Buffer>,
    encoding: string | undefined,
    bytesMax: number,
  ): Decoder | undefined {
    const makers = makersOf(encoding);
    return makers === undefined ? undefined : new Decoder(source, makers, bytesMax);
  }

  async *#watch(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    try {
      yield* source;
    } catch (error) {
      this.#sourceFailure = error;
      throw error;
    }
  }

  /**
   * The next piece; undefined: that was all.
   *
   * @throws {RemoteProtocolError} ERR_HTTP_BODY_TOO_LARGE: it became larger than it may; ERR_HTTP_CONTENT_CODING: it is not
   *   what its coding says, or cut off. @throws what the source fails with.
   */
  async read(): Promise<Buffer | undefined> {
    let result: IteratorResult<Buffer, unknown>;
    try {
      result = await this.#pieces.next();
    } catch (error) {
      if (this.#sourceFailure !== undefined) throw this.#sourceFailure as Error;
      const words = error instanceof Error ? error.message : String(error);
      throw refusal("ERR_HTTP_CONTENT_CODING", `the content cannot be decoded: ${words}`);
    }
    if (result.done === true) return undefined;
    this.#bytes += result.value.length;
    if (this.#bytes <= this.#bytesMax) return result.value;
    this.close();
    throw refusal(
      "ERR_HTTP_BODY_TOO_LARGE",
      `the content is over ${this.#bytesMax} bytes when it is decoded`,
    );
  }

  /** Lets go of everything; the source is left as a loop is. */
  close(): void {
    this.#last.destroy();
  }
}
