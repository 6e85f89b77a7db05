// Frames that end with a delimiter: lines, and whatever else has a mark that no payload contains. Pure.

import { LocalProtocolError } from "../errors.ts";
import { invalidArgument } from "../misuse.ts";
import { NEED_DATA } from "../need-data.ts";
import { FrameDecoder, checkFrameLimit, join, tooLong } from "./decoder.ts";
import type { Around, Framing, FramingOptions } from "./decoder.ts";

/** Bytes of a frame with a delimiter unless it is told otherwise: the limit of lines of asyncio's streams. */
const DELIMITED_BYTES_MAX = 65_536;

class DelimiterDecoder extends FrameDecoder {
  readonly #delimiter: Buffer;
  /** One byte is found faster by its number. */
  readonly #sought: number | Buffer;
  readonly #most: number;
  /** The delimiter does not begin before this byte. */
  #searched = 0;

  constructor(delimiter: Buffer, most: number) {
    super();
    this.#delimiter = delimiter;
    this.#sought = delimiter.length === 1 ? (delimiter[0] as number) : delimiter;
    this.#most = most;
  }

  protected decode(): Buffer | typeof NEED_DATA {
    const { queue } = this;
    const at = queue.indexOf(this.#sought, this.#searched);
    if (at === -1) {
      // The delimiter's first bytes may be the last ones here.
      this.#searched = Math.max(0, queue.length - this.#delimiter.length + 1);
      if (this.#searched > this.#most) throw tooLong(this.#most);
      return NEED_DATA;
    }
    if (at > this.#most) throw tooLong(this.#most, at);
    const frame = queue.take(at);
    queue.skip(this.#delimiter.length);
    this.#searched = 0;
    return frame;
  }
}

/**
 * Frames that end with a delimiter, which is no part of them.
 *
 * encode() refuses a payload in which the peer would find the delimiter too early: LocalProtocolError
 * ERR_DELIMITER_IN_FRAME.
 *
 * @param delimiter  1 byte or more; a string is UTF-8.
 * @param options    `frameBytesMax`: default 65536 here.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE.
 */
export function delimited(delimiter: string | Uint8Array, options: FramingOptions = {}): Framing {
  if (typeof delimiter !== "string" && !(delimiter instanceof Uint8Array))
    throw invalidArgument("delimiter", "a string or a Uint8Array", delimiter);
  const mark = Buffer.from(delimiter as Uint8Array); // a copy
  if (mark.length === 0) throw invalidArgument("delimiter", "1 byte or more", delimiter);
  const most = checkFrameLimit(options.frameBytesMax ?? DELIMITED_BYTES_MAX);
  const sought = mark.length === 1 ? (mark[0] as number) : mark;
  const around: Around = {
    sizeBefore: () => 0,
    writeBefore: () => undefined,
    behind: mark,
    // As the peer will search. A payload's end and the mark together may hold the mark earlier: "a-" and "--".
    check(written, at, size) {
      if (written.indexOf(sought, at) !== at + size)
        throw new LocalProtocolError("ERR_DELIMITER_IN_FRAME", "a payload contains the delimiter");
    },
  };
  return {
    decoder: () => new DelimiterDecoder(mark, most),
    encode: (payload) => join(payload, most, around),
  };
}
