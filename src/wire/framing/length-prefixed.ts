// Frames whose length stands before them, as a number of fixed width or as a varint. Pure. A length is held against the
// limit before a byte of the frame is waited for.

import { invalidArgument, outOfRange } from "../misuse.ts";
import { NEED_DATA } from "../need-data.ts";
import { FrameDecoder, badLength, checkFrameLimit, join, tooLong } from "./decoder.ts";
import type { Around, Framing, FramingOptions } from "./decoder.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** A frame behind its length. */
abstract class LengthDecoder extends FrameDecoder {
  /** The length of the frame that is waited for; -1: its length is. */
  #length = -1;

  protected override get inside(): boolean {
    return this.#length >= 0 || super.inside;
  }

  protected decode(): Buffer | typeof NEED_DATA {
    const { queue } = this;
    if (this.#length === -1) this.#length = this.readLength();
    const length = this.#length;
    if (length === -1) return NEED_DATA;
    if (queue.length < length) return NEED_DATA;
    this.#length = -1;
    return queue.take(length);
  }

  /** Takes the length off the queue; -1: it is not whole yet. @throws when it is over the limit. */
  protected abstract readLength(): number;
}

class PrefixDecoder extends LengthDecoder {
  readonly #width: number;
  readonly #bigEndian: boolean;
  readonly #most: number;

  constructor(width: number, bigEndian: boolean, most: number) {
    super();
    this.#width = width;
    this.#bigEndian = bigEndian;
    this.#most = most;
  }

  protected readLength(): number {
    const { queue } = this;
    const width = this.#width;
    if (queue.length < width) return -1;
    let length = 0;
    // Eight bytes may be more than a number holds exactly; what is that long is over every limit, exact or not.
    for (let at = 0; at < width; at++)
      length = length * 256 + (queue.at(this.#bigEndian ? at : width - 1 - at) as number);
    if (length > this.#most) throw tooLong(this.#most, length);
    queue.skip(width);
    return length;
  }
}

/** Bytes of a varint of 64 bits. */
const VARINT_BYTES_MAX = 10;

class VarintDecoder extends LengthDecoder {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  protected readLength(): number {
    const { queue } = this;
    let length = 0;
    for (let at = 0, weight = 1; at < VARINT_BYTES_MAX; at++, weight *= 128) {
      const byte = queue.at(at);
      if (byte === undefined) return -1;
      length += (byte & 0x7f) * weight;
      if (length > this.#most) throw tooLong(this.#most, length);
      if ((byte & 0x80) !== 0) continue;
      if (byte === 0 && at > 0) throw badLength("is no shortest varint");
      queue.skip(at + 1);
      return length;
    }
    throw badLength(`is a varint of over ${VARINT_BYTES_MAX} bytes`);
  }
}

/** What lengthPrefixed may be told. */
export interface LengthPrefixedOptions extends FramingOptions {
  /** Bytes of the length: 1, 2, 4 or 8. Default 4. */
  lengthBytes?: 1 | 2 | 4 | 8 | undefined;
  /** Which byte of the length comes first: the highest ("big", network order) or the lowest. Default "big". */
  endian?: "big" | "little" | undefined;
}

/**
 * Frames behind their length, an unsigned number of 1, 2, 4 or 8 bytes that does not count itself.
 *
 * @param options  `frameBytesMax`: default 1 MiB, or what the length can count if that is less.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE.
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): Framing {
  const { lengthBytes: width = 4, endian = "big" } = options;
  if (![1, 2, 4, 8].includes(width)) throw outOfRange("options.lengthBytes", "1, 2, 4 or 8", width);
  if (endian !== "big" && endian !== "little")
    throw invalidArgument("options.endian", '"big" or "little"', endian);
  const most = Math.min(checkFrameLimit(options.frameBytesMax), 2 ** (8 * width) - 1);
  const around: Around = {
    sizeBefore: () => width,
    writeBefore(into, at, size, length) {
      let left = length;
      for (let byte = 0; byte < size; byte++) {
        into[endian === "big" ? at + size - 1 - byte : at + byte] = left % 256;
        left = Math.floor(left / 256);
      }
    },
    behind: NOTHING,
  };
  return {
    decoder: () => new PrefixDecoder(width, endian === "big", most),
    encode: (payload) => join(payload, most, around),
  };
}

/**
 * Frames behind their length as a varint: 7 bits a byte, the lowest first, the high bit says that more come. As in streams
 * of Protocol Buffers, but only the shortest form of a number is taken, so that a frame has one encoding.
 *
 * @throws {RangeError} ERR_OUT_OF_RANGE.
 * @see https://protobuf.dev/programming-guides/encoding/#varints
 */
export function varintPrefixed(options: FramingOptions = {}): Framing {
  const most = checkFrameLimit(options.frameBytesMax);
  const around: Around = {
    sizeBefore(length) {
      let size = 1;
      for (let left = length; left >= 128; left = Math.floor(left / 128)) size++;
      return size;
    },
    writeBefore(into, at, size, length) {
      let left = length;
      for (let byte = 0; byte < size; byte++) {
        into[at + byte] = (left % 128) + (byte < size - 1 ? 128 : 0);
        left = Math.floor(left / 128);
      }
    },
    behind: NOTHING,
  };
  return {
    decoder: () => new VarintDecoder(most),
    encode: (payload) => join(payload, most, around),
  };
}
