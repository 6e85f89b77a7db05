// How much of everything a peer may send, in one place: names, defaults, sources. Who enforces them, parser.ts knows; of
// what is decompressed, who decompresses.

import { constants } from "node:buffer";

/** Limits of one connection, in bytes. */
export interface WebSocketLimits {
  /** The payload of one frame, as its head announces it. Default 1 MiB: what Python's websockets takes of a message. */
  readonly frameBytesMax: number;
  /** A whole message, as it is sent: compressed, if it is. Default 1 MiB, likewise. */
  readonly messageBytesMax: number;
  /** A message that was compressed, when it no longer is. Default 1 MiB, likewise: a thousandth of it may have been sent. */
  readonly decompressedBytesMax: number;
}

const MIB = 1_048_576;

/** The defaults. */
export const WEBSOCKET_LIMITS: WebSocketLimits = Object.freeze({
  frameBytesMax: MIB,
  messageBytesMax: MIB,
  decompressedBytesMax: MIB,
});

/** Payload of a control frame. RFC 6455 section 5.5. */
export const CONTROL_BYTES_MAX = 125;

/** Of a Close's payload, two bytes are its code. RFC 6455 section 5.5.1. */
export const REASON_BYTES_MAX = 123;

/** What is given over the defaults; none can be larger than the longest text that the runtime makes. */
export function limitsFrom(given: Partial<WebSocketLimits> | undefined): WebSocketLimits {
  if (given === undefined) return WEBSOCKET_LIMITS;
  const most = constants.MAX_STRING_LENGTH;
  const {
    frameBytesMax = WEBSOCKET_LIMITS.frameBytesMax,
    messageBytesMax = WEBSOCKET_LIMITS.messageBytesMax,
    decompressedBytesMax = WEBSOCKET_LIMITS.decompressedBytesMax,
  } = given;
  return {
    frameBytesMax: Math.min(frameBytesMax, most),
    messageBytesMax: Math.min(messageBytesMax, most),
    decompressedBytesMax: Math.min(decompressedBytesMax, most),
  };
}
