// permessage-deflate at work, by node:zlib: RFC 7692 section 7.2. It knows what was agreed on, and neither frames nor who
// waits: each message in, each message out, in order.
//
// Why two ways. A message that is compressed by itself (no context takeover) needs no stream that lives on: one call makes
// it, on the spot where it is small, since handing it to another thread and back takes longer than the work. With
// context takeover a stream is held for the connection, and works on Node's own threads.

import * as zlib from "node:zlib";
import { RemoteProtocolError } from "../wire/errors.ts";
import type { DeflateAgreement, DeflateWishes } from "./syntax/deflate.ts";
import { refusal } from "./syntax/errors.ts";

/** How messages are compressed. */
export interface CompressionOptions extends DeflateWishes {
  /** Smaller messages go out as they are. Default 1024, as in ws: they fit into one packet either way. */
  readonly bytesMin?: number | undefined;
  /** zlib's level, 1 to 9. Default 3: twice as fast as 6, for a tenth more bytes. */
  readonly level?: number | undefined;
}

const BYTES_MIN = 1024;
const LEVEL = 3;
/** What is no larger is made on the spot: in a millisecond at most. */
const SYNCHRONOUS_BYTES_MAX = 16_384;
/** A sync flush ends in this empty block, which is left out (RFC 7692 section 7.2.1). */
const TAIL: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff]);

const { Z_SYNC_FLUSH } = zlib.constants;

/** A stream of zlib's that lives as long as its connection. */
class Context {
  readonly #make: () => zlib.DeflateRaw | zlib.InflateRaw;
  #stream: zlib.DeflateRaw | zlib.InflateRaw | undefined;
  #pieces: Buffer[] = [];
  #length = 0;
  readonly #bytesMax: number;
  #settle: ((error: Error | undefined) => void) | undefined;

  constructor(make: () => zlib.DeflateRaw | zlib.InflateRaw, bytesMax: number) {
    this.#make = make;
    this.#bytesMax = bytesMax;
  }

  /** One message through it. One at a time. */
  run(pieces: readonly Uint8Array[]): Promise<Buffer> {
    const stream = (this.#stream ??= this.#open());
    return new Promise((resolve, reject) => {
      this.#settle = (error): void => {
        this.#settle = undefined;
        const made = this.#pieces;
        this.#pieces = [];
        this.#length = 0;
        if (error === undefined) resolve(Buffer.concat(made));
        else reject(error);
      };
      for (const piece of pieces) stream.write(piece);
      stream.flush(Z_SYNC_FLUSH, () => this.#settle?.(undefined));
    });
  }

  close(): void {
    this.#stream?.destroy();
    this.#stream = undefined;
  }

  #open(): zlib.DeflateRaw | zlib.InflateRaw {
    const stream = this.#make();
    stream.on("data", (piece: Buffer) => {
      this.#length += piece.length;
      if (this.#length > this.#bytesMax) {
        this.close();
        this.#settle?.(tooLarge(this.#bytesMax));
      } else this.#pieces.push(piece);
    });
    stream.on("error", (error) => this.#settle?.(error));
    // A block that says that it is the last one (section 7.2.3.4): what follows begins anew.
    stream.on("end", () => {
      this.close();
      this.#settle?.(undefined);
    });
    return stream;
  }
}

/** Compresses and decompresses for one connection. */
export class Deflate {
  /** What is smaller is better left alone. */
  readonly bytesMin: number;
  /** Whether messages may be sent that were compressed without this connection, with a window of 2^15. */
  readonly takesShared: boolean;
  readonly #options: zlib.ZlibOptions;
  readonly #bytesMax: number;
  readonly #outgoing: Context | undefined;
  readonly #incoming: Context | undefined;

  /** @param bytesMax  of a message that was decompressed. */
  constructor(
    role: "client" | "server",
    agreement: DeflateAgreement,
    { bytesMin = BYTES_MIN, level = LEVEL }: CompressionOptions,
    bytesMax: number,
  ) {
    const isServer = role === "server";
    const { serverNoContextTakeover: serverNo, clientNoContextTakeover: clientNo } = agreement;
    const windowBits = isServer ? agreement.serverMaxWindowBits : agreement.clientMaxWindowBits;
    this.bytesMin = bytesMin;
    this.#bytesMax = bytesMax;
    this.#options = { level, windowBits, finishFlush: Z_SYNC_FLUSH };
    const forgetsOwn = isServer ? serverNo : clientNo;
    this.takesShared = forgetsOwn && windowBits === SHARED_WINDOW_BITS;
    if (!forgetsOwn) this.#outgoing = new Context(() => zlib.createDeflateRaw(this.#options), Infinity);
    if (!(isServer ? clientNo : serverNo))
      this.#incoming = new Context(() => zlib.createInflateRaw(), bytesMax);
  }

  /** A message made smaller, without its tail. */
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    if (this.#outgoing !== undefined) return this.#outgoing.run([bytes]).then(withoutTail);
    if (bytes.length <= SYNCHRONOUS_BYTES_MAX) return withoutTail(zlib.deflateRawSync(bytes, this.#options));
    return new Promise((resolve, reject) => {
      zlib.deflateRaw(bytes, this.#options, (error, made) => {
        if (error === null) resolve(withoutTail(made));
        else reject(error);
      });
    });
  }

  /**
   * A message as it was before.
   *
   * @throws {RemoteProtocolError} ERR_WEBSOCKET_COMPRESSION: it is none. ERR_WEBSOCKET_DECOMPRESSED_TOO_LARGE.
   */
  decompress(bytes: Uint8Array): Buffer | Promise<Buffer> {
    if (this.#incoming !== undefined)
      return this.#incoming.run([bytes, TAIL]).catch((error: unknown) => {
        throw refusalOf(error, this.#bytesMax);
      });
    const whole = Buffer.concat([bytes, TAIL]);
    const options = { finishFlush: Z_SYNC_FLUSH, maxOutputLength: Math.max(this.#bytesMax, 1) };
    if (bytes.length <= SYNCHRONOUS_BYTES_MAX)
      try {
        return zlib.inflateRawSync(whole, options);
      } catch (error) {
        throw refusalOf(error, this.#bytesMax);
      }
    return new Promise((resolve, reject) => {
      zlib.inflateRaw(whole, options, (error, made) => {
        if (error === null) resolve(made);
        else reject(refusalOf(error, this.#bytesMax));
      });
    });
  }

  /** Lets go of what is held between messages. */
  close(): void {
    this.#outgoing?.close();
    this.#incoming?.close();
  }
}

const SHARED_WINDOW_BITS = 15;

/** A message made smaller for everybody whose connection `takesShared`. */
export function compressShared(bytes: Uint8Array): Uint8Array {
  return withoutTail(
    zlib.deflateRawSync(bytes, { level: LEVEL, windowBits: SHARED_WINDOW_BITS, finishFlush: Z_SYNC_FLUSH }),
  );
}

/** From which size on that is worth the work. */
export const SHARED_BYTES_MIN: number = BYTES_MIN;

function withoutTail(made: Buffer): Buffer {
  return made.subarray(0, made.length - TAIL.length);
}

function tooLarge(bytesMax: number): RemoteProtocolError {
  return refusal("ERR_WEBSOCKET_DECOMPRESSED_TOO_LARGE", `a message becomes more than ${bytesMax} bytes`);
}

function refusalOf(error: unknown, bytesMax: number): Error {
  if (error instanceof RemoteProtocolError) return error;
  if ((error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return tooLarge(bytesMax);
  return refusal("ERR_WEBSOCKET_COMPRESSION", "a compressed message cannot be decompressed");
}
