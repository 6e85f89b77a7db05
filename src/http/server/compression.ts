// Answers made smaller: which may be, what their fields say then, and the work itself, by node:zlib on its own threads.
// RFC 9110 sections 8.4 and 12.5.3. When it is done, and who waits for it, reply.ts knows.

import * as zlib from "node:zlib";
import { HttpFields } from "../syntax/fields.ts";
import type { FieldsInit } from "../syntax/fields.ts";
import { pickEncoding } from "../syntax/encodings.ts";

/** Content codings that can be made: zstd where the runtime has it. */
export type Coding = "br" | "gzip" | "zstd";

/** How answers are compressed. */
export interface CompressOptions {
  /** Codings, the best first. Default: zstd where the runtime has it, br, gzip. */
  readonly codings?: readonly Coding[] | undefined;
  /** What is known to be shorter is left alone. Default 1024: it would not fit into fewer packets. */
  readonly bytesMin?: number | undefined;
}

/** All of it, checked. */
export interface Compression {
  readonly codings: readonly Coding[];
  readonly bytesMin: number;
}

const BYTES_MIN = 1024;

type Maker = () => zlib.Gzip | zlib.BrotliCompress;

// Levels that keep up with a network: the highest ones take a hundred times as long for a tenth of the size.
const BROTLI_QUALITY = 4;
const MAKERS: Readonly<Record<Coding, Maker | undefined>> = {
  br: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: () => zlib.createGzip(),
  // Not in the oldest Node, nor in its types.
  zstd: (zlib as unknown as { readonly createZstdCompress?: Maker }).createZstdCompress,
};

/** Codings that this runtime can make, the best first. */
const CODINGS: readonly Coding[] = (["zstd", "br", "gzip"] as const).filter(
  (coding) => MAKERS[coding] !== undefined,
);

/** Fills in what is not given. Codings that the runtime does not have are left out. */
export function compressionOf(options: CompressOptions): Compression {
  const { codings = CODINGS, bytesMin = BYTES_MIN } = options;
  return { codings: codings.filter((coding) => CODINGS.includes(coding)), bytesMin };
}

/** Media types that are text, or nearly: what is compressed already only grows. */
const COMPRESSIBLE =
  /^(?:text\/.+|application\/(?:.+\+)?(?:json|xml|javascript|manifest|wasm|x-ndjson|xhtml|yaml)|image\/(?:svg\+xml|bmp)|font\/(?:ttf|otf))(?:[ \t;]|$)/i;
/** 206 is a part of something that was or was not compressed; the others have no content. */
const NEVER: ReadonlySet<number> = new Set([101, 204, 205, 206, 304]);

/** Whether an answer depends on what codings the client takes. */
function mayCompress(status: number, fields: HttpFields): boolean {
  return (
    !NEVER.has(status) &&
    COMPRESSIBLE.test(fields.get("content-type") ?? "") &&
    !fields.has("content-encoding") &&
    !/\bno-transform\b/i.test(fields.get("cache-control") ?? "")
  );
}

/** What becomes of an answer's fields. */
export interface Encoded {
  readonly fields: FieldsInit;
  /** undefined: it goes out as it is. */
  readonly coding: Coding | undefined;
}

/**
 * Decides about an answer.
 *
 * @param accept  the client's Accept-Encoding.
 * @param length  of the content; undefined: not known.
 * @throws {LocalProtocolError} as HttpFields.from().
 */
export function encode(
  compression: Compression,
  status: number,
  init: FieldsInit,
  length: number | undefined,
  accept: string | undefined,
): Encoded {
  const fields = HttpFields.from(init);
  if ((length !== undefined && length < compression.bytesMin) || !mayCompress(status, fields))
    return { fields, coding: undefined };
  const coding = pickEncoding(accept, compression.codings);
  const changed: [string, string][] = [];
  for (const [name, value] of fields) {
    // Another sequence of bytes, the same meaning: a weak tag (RFC 9110 section 8.8.3.3).
    if (name === "etag" && coding !== undefined && !value.startsWith("W/"))
      changed.push([name, `W/${value}`]);
    else if (name !== "content-length" || coding === undefined) changed.push([name, value]);
  }
  changed.push(["Vary", "Accept-Encoding"]);
  if (coding !== undefined) changed.push(["Content-Encoding", coding]);
  return { fields: changed, coding };
}

/** One content on its way through a coding. */
export class Compressor {
  readonly #stream: zlib.Gzip | zlib.BrotliCompress;
  #pieces: Buffer[] = [];
  #fail: ((error: Error) => void) | undefined;

  constructor(coding: Coding) {
    this.#stream = (MAKERS[coding] as Maker)();
    this.#stream.on("data", (piece: Buffer) => this.#pieces.push(piece));
    this.#stream.on("error", (error) => this.#fail?.(error));
  }

  /** Takes a piece and gives what is to be sent for it, so that the other end can read all of it. */
  write(data: Uint8Array | string): Promise<Buffer> {
    return this.#run((done) => {
      this.#stream.write(data);
      this.#stream.flush(done);
    });
  }

  /** Takes the last piece and gives the rest. */
  end(data: Uint8Array | string): Promise<Buffer> {
    return this.#run((done) => {
      this.#stream.once("end", done);
      this.#stream.end(data);
    });
  }

  /** Lets go of its memory. */
  close(): void {
    this.#stream.destroy();
  }

  #run(act: (done: () => void) => void): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      act(() => {
        const pieces = this.#pieces;
        this.#pieces = [];
        resolve(Buffer.concat(pieces));
      });
    });
  }
}
