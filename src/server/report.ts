// What a server does with an error of its handler when nobody else is told.

import { formatAddress } from "../socket/address/format.ts";
import type { ByteStream } from "../stream/index.ts";
import { RemoteProtocolError } from "../wire/index.ts";

/**
 * A process warning, code BERKELEY_HANDLER, with the stack as its detail. That a connection breaks, or that a peer does not
 * keep to the protocol, is the day's business and can be brought about by anybody: it is counted, and not told.
 */
export function warnOfHandler(error: unknown, stream: ByteStream, peersFault: boolean): void {
  if (peersFault || error instanceof RemoteProtocolError) return;
  const peer = stream.remoteAddress;
  const whom = peer === undefined ? "a connection" : formatAddress(peer);
  const message = error instanceof Error ? error.message : String(error);
  process.emitWarning(`the handler of ${whom} failed: ${message}`, {
    code: "BERKELEY_HANDLER",
    detail: (error instanceof Error ? error.stack : undefined) ?? "",
  });
}
