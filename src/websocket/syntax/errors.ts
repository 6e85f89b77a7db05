// Every way in which a peer's bytes are refused: its code, and the close code with which it is told. Made here and nowhere
// else, by parsers (the peer's fault) and writers (ours). What was wrong, those say.

import { LocalProtocolError, ProtocolError, RemoteProtocolError } from "../../wire/errors.ts";

/** Codes of what a peer sent, each with the close code that answers it (RFC 6455 section 7.4.1). */
const CLOSE_BY_CODE = {
  /** RSV1 without compression or on a frame that cannot have it, RSV2, RSV3. RFC 6455 section 5.2; RFC 7692 section 6. */
  ERR_WEBSOCKET_RESERVED_BITS: 1002,
  /** An opcode that is not known: 3 to 7, 11 to 15. RFC 6455 section 5.2. */
  ERR_WEBSOCKET_OPCODE: 1002,
  /** A client's frame is not masked. RFC 6455 section 5.1. */
  ERR_WEBSOCKET_MASK_MISSING: 1002,
  /** A server's frame is masked. RFC 6455 section 5.1. */
  ERR_WEBSOCKET_MASK_UNEXPECTED: 1002,
  /** A length is not written in the fewest bytes, or its highest bit is set. RFC 6455 section 5.2. */
  ERR_WEBSOCKET_LENGTH: 1002,
  /** A control frame in fragments. RFC 6455 section 5.5. */
  ERR_WEBSOCKET_CONTROL_FRAGMENTED: 1002,
  /** A control frame of more than 125 bytes. RFC 6455 section 5.5. */
  ERR_WEBSOCKET_CONTROL_TOO_LONG: 1002,
  /** A continuation of nothing, or a message inside of another one. RFC 6455 section 5.4. */
  ERR_WEBSOCKET_FRAGMENTATION: 1002,
  /** A Close with one byte: half a code. RFC 6455 section 5.5.1. */
  ERR_WEBSOCKET_CLOSE_PAYLOAD: 1002,
  /** A Close with a code that may not be sent. RFC 6455 section 7.4; IANA's registry has more of them. */
  ERR_WEBSOCKET_CLOSE_CODE: 1002,
  /** A text, or the reason of a Close, is no UTF-8. RFC 6455 sections 8.1 and 5.5.1. */
  ERR_WEBSOCKET_UTF8: 1007,
  /** A compressed message that cannot be decompressed. RFC 7692 section 7.2.2. */
  ERR_WEBSOCKET_COMPRESSION: 1007,
  /** A frame over frameBytesMax. RFC 6455 section 10.4. */
  ERR_WEBSOCKET_FRAME_TOO_LARGE: 1009,
  /** A message over messageBytesMax. RFC 6455 section 10.4. */
  ERR_WEBSOCKET_MESSAGE_TOO_LARGE: 1009,
  /** A compressed message becomes more than decompressedBytesMax. RFC 7692 section 8. */
  ERR_WEBSOCKET_DECOMPRESSED_TOO_LARGE: 1009,
  /** The connection has ended without a Close, or broke (`cause`). RFC 6455 section 7.1.5: nobody is left to be told. */
  ERR_WEBSOCKET_UNEXPECTED_END: 1006,
  /** The peer is silent: no pong, no Close, or it does not take what is sent. Of drivers, not of parsers. */
  ERR_WEBSOCKET_PEER_SILENT: 1006,
} as const;

/** The codes of a RemoteProtocolError of WebSocket. */
export type WebSocketRefusal = keyof typeof CLOSE_BY_CODE;

/** Codes of a handshake that is refused, each with the status with which a server answers it. */
const STATUS_BY_CODE = {
  /** Not GET. RFC 6455 section 4.1. */
  ERR_WEBSOCKET_METHOD: 405,
  /** No Upgrade to websocket, or not in HTTP/1.1. RFC 6455 section 4.2.1; RFC 9110 section 15.5.22. */
  ERR_WEBSOCKET_UPGRADE: 426,
  /** Another version than 13. RFC 6455 section 4.4. */
  ERR_WEBSOCKET_VERSION: 426,
  /** Sec-WebSocket-Key is missing, repeated, or no 16 bytes in base64. RFC 6455 section 4.2.1. */
  ERR_WEBSOCKET_KEY: 400,
  /** Sec-WebSocket-Protocol is no list of tokens, has one twice, or one that was not offered. RFC 6455 section 4.1. */
  ERR_WEBSOCKET_PROTOCOL: 400,
  /** Sec-WebSocket-Extensions cannot be read, or has what was not offered. RFC 6455 section 9.1, RFC 7692 section 5. */
  ERR_WEBSOCKET_EXTENSIONS: 400,
  /** The page that asks is not let in. RFC 6455 section 10.2. */
  ERR_WEBSOCKET_ORIGIN: 403,
  /** Of a server's answer: its status is not 101. RFC 6455 section 4.1. */
  ERR_WEBSOCKET_STATUS: 400,
  /** Of a server's answer: Sec-WebSocket-Accept is not the key's. RFC 6455 section 4.1. */
  ERR_WEBSOCKET_ACCEPT: 400,
} as const;

/** The codes of a RemoteProtocolError of the opening handshake. */
export type HandshakeRefusal = keyof typeof STATUS_BY_CODE;

/**
 * The codes of a LocalProtocolError of WebSocket: those of what the peer would refuse, and
 * - ERR_WEBSOCKET_SEQUENCE: not now (state.ts has the order);
 * - ERR_WEBSOCKET_CLOSED: this side has sent its Close, or has ended the connection. Of a RemoteProtocolError: the peer has
 *   closed it before.
 */
export type WebSocketMistake =
  | WebSocketRefusal
  | HandshakeRefusal
  | "ERR_WEBSOCKET_SEQUENCE"
  | "ERR_WEBSOCKET_CLOSED";

/** The peer's bytes are refused, to be thrown. */
export function refusal(
  code: WebSocketRefusal | HandshakeRefusal,
  message: string,
  cause?: unknown,
): RemoteProtocolError {
  return new RemoteProtocolError(code, message, cause === undefined ? undefined : { cause });
}

/** Our own bytes would be refused, to be thrown. */
export function mistake(code: WebSocketMistake, message: string): LocalProtocolError {
  return new LocalProtocolError(code, message);
}

/** The close code that answers a peer whose bytes were refused with this error; 1002 for one that is not of WebSocket. */
export function closeCodeOfRefusal(error: ProtocolError): number {
  return (CLOSE_BY_CODE as Readonly<Record<string, number>>)[error.code] ?? 1002;
}

/** The status that answers a handshake which was refused with this error; 400 for one that is not of a handshake. */
export function statusOfHandshakeRefusal(error: ProtocolError): number {
  return (STATUS_BY_CODE as Readonly<Record<string, number>>)[error.code] ?? 400;
}

/** All codes with which a peer's bytes are refused behind the handshake. */
export const WEBSOCKET_REFUSALS: readonly WebSocketRefusal[] = Object.keys(
  CLOSE_BY_CODE,
) as WebSocketRefusal[];
