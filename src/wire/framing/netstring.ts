// Netstrings: a length in decimal digits, a colon, the bytes, a comma. Pure.

import { RemoteProtocolError } from "../errors.ts";
import { NEED_DATA } from "../need-data.ts";
import { FrameDecoder, badLength, checkFrameLimit, join, tooLong } from "./decoder.ts";
import type { Around, Framing, FramingOptions } from "./decoder.ts";

const ZERO = 48;
const NINE = 57;
const COLON = 58;
const COMMA = 44;

class NetstringDecoder extends FrameDecoder {
  readonly #most: number;
  /** The length of the frame that is waited for; -1: its length is. */
  #length = -1;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  protected override get inside(): boolean {
    return this.#length >= 0 || super.inside;
  }

  protected decode(): Buffer | typeof NEED_DATA {
    const { queue } = this;
    if (this.#length === -1) this.#length = this.#readLength();
    const length = this.#length;
    if (length === -1) return NEED_DATA;
    if (queue.length <= length) return NEED_DATA;
    if (queue.at(length) !== COMMA)
      throw new RemoteProtocolError("ERR_BAD_FRAME", "a netstring does not end with a comma");
    const frame = queue.take(length);
    queue.skip(1);
    this.#length = -1;
    return frame;
  }

  /** At most as many digits as the limit has are looked at, however often. */
  #readLength(): number {
    const { queue } = this;
    let length = 0;
    for (let at = 0; ; at++) {
      const byte = queue.at(at);
      if (byte === undefined) return -1;
      if (byte === COLON && at > 0) {
        queue.skip(at + 1);
        return length;
      }
      if (byte < ZERO || byte > NINE) throw badLength("has a byte that is no digit");
      if (at > 0 && length === 0) throw badLength("begins with a zero");
      length = length * 10 + (byte - ZERO);
      if (length > this.#most) throw tooLong(this.#most, length);
    }
  }
}

/**
 * Netstrings: `5:hello,`.
 *
 * @throws {RangeError} ERR_OUT_OF_RANGE.
 * @see https://cr.yp.to/proto/netstrings.txt
 */
export function netstring(options: FramingOptions = {}): Framing {
  const most = checkFrameLimit(options.frameBytesMax);
  const around: Around = {
    sizeBefore(length) {
      let size = 2;
      for (let left = length; left >= 10; left = Math.floor(left / 10)) size++;
      return size;
    },
    writeBefore(into, at, size, length) {
      into[at + size - 1] = COLON;
      let left = length;
      for (let digit = size - 2; digit >= 0; digit--) {
        into[at + digit] = ZERO + (left % 10);
        left = Math.floor(left / 10);
      }
    },
    behind: Uint8Array.of(COMMA),
  };
  return {
    decoder: () => new NetstringDecoder(most),
    encode: (payload) => join(payload, most, around),
  };
}
