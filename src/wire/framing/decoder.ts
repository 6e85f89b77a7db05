// What every way of framing has in common: bytes in, whole frames out, a limit, an end, and an error that stays. Pure. How
// a frame is told from the next one, the files beside say.

import { ByteQueue } from "../byte-queue.ts";
import { LocalProtocolError, RemoteProtocolError } from "../errors.ts";
import { invalidArgument, outOfRange } from "../misuse.ts";
import { NEED_DATA } from "../need-data.ts";
import { takeMemory } from "../shared-memory.ts";

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
   * @returns bytes that nobody else writes to. Small ones lie in memory of 32 KiB with others: copy what is kept for long.
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

/** How many bytes a payload has. @throws {LocalProtocolError} ERR_FRAME_TOO_LONG */
function sizeOf(payload: Payload, most: number): number {
  if (typeof payload !== "string" && !(payload instanceof Uint8Array))
    throw invalidArgument("payload", "a string or a Uint8Array", payload);
  const size = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
  if (size > most)
    throw new LocalProtocolError(
      "ERR_FRAME_TOO_LONG",
      `a frame of ${size} bytes is over the limit of ${most}`,
    );
  return size;
}

/** What stands around each payload. */
export interface Around {
  /** Bytes before a payload of so many. @throws {LocalProtocolError}: no payload has so many. */
  sizeBefore(payloadSize: number): number;
  /** Writes them; `size` is what sizeBefore() said. */
  writeBefore(into: Buffer, at: number, size: number, payloadSize: number): void;
  /** What comes behind each. */
  readonly behind: Uint8Array;
  /** Looks at a payload that was written, with what comes behind it. @throws {LocalProtocolError}: the peer cannot tell it apart. */
  check?(written: Buffer, at: number, payloadSize: number): void;
}

/** Writes a payload of so many bytes with what stands around it; where it ends. */
function write(into: Buffer, begin: number, payload: Payload, size: number, around: Around): number {
  const { behind } = around;
  const before = around.sizeBefore(size);
  around.writeBefore(into, begin, before, size);
  const at = begin + before;
  if (typeof payload === "string") into.write(payload, at);
  else into.set(payload, at);
  const end = at + size;
  for (let byte = 0; byte < behind.length; byte++) into[end + byte] = behind[byte] as number;
  around.check?.(into, at, size);
  return end + behind.length;
}

/**
 * One payload or several, with what stands around them, as one piece: each byte is moved once.
 *
 * @throws {LocalProtocolError} ERR_FRAME_TOO_LONG; what `around` refuses.
 */
export function join(payload: Payload | readonly Payload[], most: number, around: Around): Buffer {
  const extra = around.behind.length;
  if (!Array.isArray(payload)) {
    const size = sizeOf(payload as Payload, most);
    const into = takeMemory(around.sizeBefore(size) + size + extra);
    write(into, 0, payload as Payload, size, around);
    return into;
  }
  const sizes = payload.map((each: Payload) => sizeOf(each, most));
  const into = takeMemory(sizes.reduce((total, size) => total + around.sizeBefore(size) + size + extra, 0));
  let at = 0;
  for (const [index, size] of sizes.entries()) at = write(into, at, payload[index] as Payload, size, around);
  return into;
}
