// From a connection in the clear to TLS on it: what had come in the clear must not count as sent under TLS. It knows neither
// end of TLS.

import { BufferedReader } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";
import { HandedOverStream } from "../stream/handed-over.ts";
import { invalidArgument } from "../socket/errors.ts";

/** What TLS begins on: a stream, or the reader through which the conversation in the clear was held. */
export type Upgradable = ByteStream | BufferedReader;

// A man in the middle can put a command behind the one that begins TLS, and a program that keeps what it has buffered then
// takes it for a command of the client that it authenticates later (CVE-2011-0411, and many more since: RFC 3207 section 6).
// So what a reader has buffered is thrown away and counted. What a stream gives first (HandedOverStream) is no
// such thing: it was taken off by a protocol beneath, like PROXY's header, and the rest of it is the client's hello.

/**
 * The stream to begin on, and how many buffered bytes were thrown away.
 *
 * @throws {LocalProtocolError} ERR_READ_WAITS: a read of the reader waits. @throws {TypeError} ERR_INVALID_ARG_TYPE.
 */
export function takeOver(from: Upgradable): { readonly stream: ByteStream; readonly discardedBytes: number } {
  if (from instanceof BufferedReader) {
    const given = from.handOver();
    if (given === from.stream) return { stream: given, discardedBytes: 0 };
    const { first, stream } = (given as HandedOverStream).unwrap();
    return { stream, discardedBytes: first.length };
  }
  if (typeof from?.receiveSome !== "function")
    throw invalidArgument("stream", "a ByteStream or a BufferedReader", from);
  return { stream: from, discardedBytes: 0 };
}
