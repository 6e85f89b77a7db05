// What every way of framing has in common: bytes in, whole frames out, a limit, an end, and an error that stays. Pure. How
// a frame is told from the next one, the files beside say.

import { ByteQueue } from "../byte-queue.ts";
import { LocalProtocolError, RemoteProtocolError } from "../errors.ts";
import { invalidArgument, outOfRange } from "../misuse.ts";
import { NEED_DATA } from "../need-data.ts";

/** Bytes of a frame unless it is told otherwise: what Python's websockets takes; ours for all that have no limit. */
export const FRAME_BYTES_MAX = 1_048_576;

/** A limit can be no larger: what a length of 4 bytes counts. */
const LIMIT_MAX: number = 2 ** 32 - 1;

/** What a way of framing may be told. */
export interface FramingOptions {
  /** Bytes of a frame's payload. Default 1 MiB. */
  frameBytesMax?: number | undefined;
}

/** What a frame carries. */
export type Payload = string | Uint8Array;

/** A way to tell frames from each other in a stream of bytes. */
export interface Framing {
  /** Takes the frames of one stream apart. */
  decoder(): FrameDecoder;
  /**
   * A frame, or several one behind the other, as one piece to be sent. Strings are UTF-8.
   *
   * @throws {LocalProtocolError} ERR_FRAME_TOO_LONG and others: the peer could not tell it apart. Nothing was encoded.
   */
  encode(payload: Payload | readonly Payload[]): Buffer;
}

/** Takes the frames of one stream apart: give it bytes with receive(), then ask with next() until it needs more. */
export abstract class FrameDecoder {
  /** @internal */
  protected readonly queue: ByteQueue = new ByteQueue();
  #error: Error | undefined = undefined;

  /** Bytes have arrived. They belong to the decoder from now on: leave their memory alone. */
  receive(bytes: Uint8Array): void {
    this.queue.push(bytes);
  }

  /**
   * The next frame's payload.
   *
   * @returns a view of what was received, which nobody writes to any more; copy what is kept for long. NEED_DATA: no
   *   whole frame is here.
   * @throws {RemoteProtocolError} ERR_FRAME_TOO_LONG: over the limit. ERR_BAD_LENGTH, ERR_BAD_FRAME: it is no such frame.
   *   The decoder then is of no use any more, and throws the same again.
   */
  next(): Buffer | typeof NEED_DATA {
    if (this.#error !== undefined) throw this.#error;
    try {
      return this.decode();
    } catch (error) {
      this.#error = error as Error;
      throw error;
    }
  }

  /**
   * The peer has ended, and next() needs data.
   *
   * @throws {RemoteProtocolError} ERR_UNEXPECTED_EOF: inside a frame.
   */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.inside)
      throw new RemoteProtocolError(
        "ERR_UNEXPECTED_EOF",
        `the peer ended inside a frame, after ${this.queue.length} bytes of it`,
      );
  }

  /** Whether a frame has begun and is not whole. @internal */
  protected get inside(): boolean {
    return this.queue.length > 0;
  }

  /** @internal */
  protected abstract decode(): Buffer | typeof NEED_DATA;
}

/** A frame that the peer made too long. */
export function tooLong(most: number, length?: number): RemoteProtocolError {
  const has = length === undefined ? "is longer" : `has ${length} bytes, more`;
  return new RemoteProtocolError("ERR_FRAME_TOO_LONG", `a frame ${has} than ${most} bytes`);
}

/** A length that is none. */
export function badLength(why: string): RemoteProtocolError {
  return new RemoteProtocolError("ERR_BAD_LENGTH", `a frame's length ${why}`);
}

/** @throws {RangeError} ERR_OUT_OF_RANGE */
export function checkFrameLimit(value: number = FRAME_BYTES_MAX, max: number = LIMIT_MAX): number {
  if (!Number.isInteger(value) || value < 0 || value > max)
    throw outOfRange("options.frameBytesMax", `a whole number from 0 to ${max}`, value);
  return value;
}

/** A payload as bytes. @throws {LocalProtocolError} ERR_FRAME_TOO_LONG */
function payloadOf(payload: Payload, most: number): Uint8Array {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "utf8") : payload;
  if (!(bytes instanceof Uint8Array)) throw invalidArgument("payload", "a string or a Uint8Array", bytes);
  if (bytes.length > most)
    throw new LocalProtocolError(
      "ERR_FRAME_TOO_LONG",
      `a frame of ${bytes.length} bytes is over the limit of ${most}`,
    );
  return bytes;
}

/** One payload or several, as bytes. @throws {LocalProtocolError} ERR_FRAME_TOO_LONG */
export function payloadsOf(payload: Payload | readonly Payload[], most: number): readonly Uint8Array[] {
  return Array.isArray(payload)
    ? payload.map((each: Payload) => payloadOf(each, most))
    : [payloadOf(payload as Payload, most)];
}

/** What stands around each payload. */
export interface Around {
  /** Bytes before it. */
  sizeBefore(payload: Uint8Array): number;
  /** Writes them; `size` is what sizeBefore() said. */
  writeBefore(into: Buffer, at: number, size: number, payload: Uint8Array): void;
  /** What comes behind each. */
  readonly behind: Uint8Array;
}

/** Payloads with what stands around them, as one piece: each byte is moved once. */
export function join(payloads: readonly Uint8Array[], around: Around): Buffer {
  const { behind } = around;
  let total = 0;
  for (const payload of payloads) total += around.sizeBefore(payload) + payload.length + behind.length;
  const into = Buffer.allocUnsafe(total);
  let at = 0;
  for (const payload of payloads) {
    const size = around.sizeBefore(payload);
    around.writeBefore(into, at, size, payload);
    at += size;
    into.set(payload, at);
    at += payload.length;
    if (behind.length > 0) into.set(behind, at);
    at += behind.length;
  }
  return into;
}
