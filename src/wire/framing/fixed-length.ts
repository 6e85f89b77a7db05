// Frames that all have the same length. Pure.

import { LocalProtocolError } from "../errors.ts";
import { outOfRange } from "../misuse.ts";
import { NEED_DATA } from "../need-data.ts";
import { FRAME_BYTES_MAX, FrameDecoder, join } from "./decoder.ts";
import type { Around, Framing } from "./decoder.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

class FixedDecoder extends FrameDecoder {
  readonly #length: number;

  constructor(length: number) {
    super();
    this.#length = length;
  }

  protected decode(): Buffer | typeof NEED_DATA {
    if (this.queue.length >= this.#length) return this.queue.take(this.#length);
    return NEED_DATA;
  }
}

/**
 * Frames of exactly so many bytes each.
 *
 * encode() refuses a payload of another length: LocalProtocolError ERR_FRAME_LENGTH.
 *
 * @param length  1 to 1 MiB.
 * @throws {RangeError} ERR_OUT_OF_RANGE.
 */
export function fixedLength(length: number): Framing {
  if (!Number.isInteger(length) || length < 1 || length > FRAME_BYTES_MAX)
    throw outOfRange("length", `a whole number from 1 to ${FRAME_BYTES_MAX}`, length);
  const around: Around = {
    sizeBefore(size) {
      if (size === length) return 0;
      throw new LocalProtocolError("ERR_FRAME_LENGTH", `a frame has ${length} bytes, not ${size}`);
    },
    writeBefore: () => undefined,
    behind: NOTHING,
  };
  return {
    decoder: () => new FixedDecoder(length),
    encode: (payload) => join(payload, FRAME_BYTES_MAX, around),
  };
}
