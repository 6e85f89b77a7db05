// Frames from a stream, one at a time: a decoder is fed until it has one. How frames are told apart the decoder knows
// (wire/framing/), which does no input or output.

import type { FrameDecoder } from "../wire/framing/decoder.ts";
import { NEED_DATA } from "../wire/need-data.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";

/**
 * The frames of a stream until the peer ends: `for await (const frame of frames(stream, lengthPrefixed().decoder()))`.
 *
 * A loop that is left, or ended by the signal, loses nothing: another one with the same decoder goes on behind the last
 * frame. Nothing is received that is not asked for. Frames are views of what was received, which nobody writes to any
 * more: copy what is kept for long.
 *
 * @param decoder  of lengthPrefixed(), delimited() and the others in `berkeley/wire`.
 * @throws {RemoteProtocolError} ERR_FRAME_TOO_LONG, ERR_BAD_LENGTH, ERR_BAD_FRAME: what came is no such frame.
 *   ERR_UNEXPECTED_EOF: the peer ended inside a frame. @throws as ByteStream.receiveSome().
 */
export async function* frames(
  stream: ByteStream,
  decoder: FrameDecoder,
  options?: StreamOptions,
): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    for (let frame = decoder.next(); frame !== NEED_DATA; frame = decoder.next()) yield frame;
    const bytes = await stream.receiveSome(undefined, options);
    if (bytes.length === 0) return decoder.end();
    decoder.receive(bytes);
  }
}
