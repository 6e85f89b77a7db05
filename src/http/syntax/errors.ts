// Every way in which a message is refused: its code, and the status with which a server answers it. Made here and
// nowhere else, by parsers (the peer's fault) and writers (ours). Which byte was wrong, those say.

import { LocalProtocolError, ProtocolError, RemoteProtocolError } from "../../wire/errors.ts";

/** Codes of messages that a peer sent, each with the status that answers it. */
const STATUS_BY_CODE = {
  /** The start line is over startLineBytesMax. RFC 9112 section 3: 414, for nothing but the target makes it long. */
  ERR_HTTP_START_LINE_TOO_LONG: 414,
  /** More than one empty line before a request line. RFC 9112 section 2.2. */
  ERR_HTTP_EMPTY_LINE: 400,
  /** The method is empty, or has a character that no token has. RFC 9110 section 9.1. */
  ERR_HTTP_METHOD: 400,
  /** The request target is empty, has a character that no URI has, or a form that its method does not allow. RFC 9112 section 3.2. */
  ERR_HTTP_TARGET: 400,
  /** Not HTTP/1.0 or HTTP/1.1, to the letter. RFC 9112 section 2.3. */
  ERR_HTTP_VERSION: 505,
  /** The status is not three digits from 100 to 999, or a control stands in the reason. RFC 9112 section 4. */
  ERR_HTTP_STATUS_LINE: 400,
  /** A line ends in LF alone. RFC 9112 section 2.2 lets a recipient take it for an end; two readings are one too many. */
  ERR_HTTP_BARE_LF: 400,
  /** A CR without its LF. RFC 9112 section 2.2. */
  ERR_HTTP_BARE_CR: 400,
  /** A field line begins with a blank: obs-fold, or before the first field. RFC 9112 sections 5.2 and 2.2. */
  ERR_HTTP_OBS_FOLD: 400,
  /** A field name is empty, or has a character that no token has. RFC 9110 section 5.1. */
  ERR_HTTP_FIELD_NAME: 400,
  /** A field line has no colon. RFC 9112 section 5. */
  ERR_HTTP_NO_COLON: 400,
  /** A blank between a field name and its colon. RFC 9112 section 5.1. */
  ERR_HTTP_SPACE_BEFORE_COLON: 400,
  /** NUL or another control in a field value. RFC 9110 section 5.5. */
  ERR_HTTP_FIELD_VALUE: 400,
  /** The head's field lines are over headerBytesMax. RFC 6585 section 5. */
  ERR_HTTP_HEADER_TOO_LARGE: 431,
  /** More field lines than headerCountMax, in a head or in trailers. RFC 6585 section 5. */
  ERR_HTTP_TOO_MANY_FIELDS: 431,
  /** HTTP/1.1 without Host. RFC 9112 section 3.2. */
  ERR_HTTP_HOST_MISSING: 400,
  /** More than one Host. RFC 9112 section 3.2. */
  ERR_HTTP_HOST_REPEATED: 400,
  /** Host, or the authority of the target, is no host with an optional port. RFC 9110 section 7.2. */
  ERR_HTTP_HOST: 400,
  /** Host is another than the target's authority. RFC 9112 section 3.2.2 lets the target win; not everybody does. */
  ERR_HTTP_HOST_MISMATCH: 400,
  /** Content-Length is not digits alone, or too large to count. RFC 9112 section 6.3. */
  ERR_HTTP_CONTENT_LENGTH: 400,
  /** More than one Content-Length, or a list in one, equal or not. RFC 9112 section 6.3. */
  ERR_HTTP_CONTENT_LENGTH_REPEATED: 400,
  /** Content-Length beside Transfer-Encoding. RFC 9112 section 6.3. */
  ERR_HTTP_LENGTH_AND_ENCODING: 400,
  /** Transfer-Encoding is no list of codings, has a parameter, or chunked twice. RFC 9112 section 6.1. */
  ERR_HTTP_TRANSFER_ENCODING: 400,
  /** A transfer coding besides chunked. RFC 9112 section 6.1. */
  ERR_HTTP_TRANSFER_CODING_UNKNOWN: 501,
  /** chunked is not the last transfer coding. RFC 9112 section 6.3. */
  ERR_HTTP_CHUNKED_NOT_LAST: 400,
  /** Transfer-Encoding in HTTP/1.0, which has none. RFC 9112 section 6.1. */
  ERR_HTTP_TRANSFER_ENCODING_IN_1_0: 400,
  /** Framing of content where there is none: CONNECT, 1xx, 204. RFC 9110 sections 8.6, 9.3.6; RFC 9112 section 6.1. */
  ERR_HTTP_UNEXPECTED_CONTENT: 400,
  /** Connection is no list of tokens. RFC 9110 section 7.6.1. */
  ERR_HTTP_CONNECTION: 400,
  /** An expectation besides 100-continue. RFC 9110 section 10.1.1. */
  ERR_HTTP_EXPECTATION: 417,
  /** A chunk's size is not hexadecimal digits alone. RFC 9112 section 7.1. */
  ERR_HTTP_CHUNK_SIZE: 400,
  /** A chunk's size is too large to count. RFC 9112 section 7.1. */
  ERR_HTTP_CHUNK_SIZE_TOO_LARGE: 413,
  /** What follows a chunk's size is no extension. RFC 9112 section 7.1.1. */
  ERR_HTTP_CHUNK_EXTENSION: 400,
  /** A chunk's extensions are over chunkExtensionBytesMax. RFC 9112 section 7.1.1. */
  ERR_HTTP_CHUNK_EXTENSION_TOO_LONG: 400,
  /** No CRLF behind a chunk's data: its size was wrong. RFC 9112 section 7.1. */
  ERR_HTTP_CHUNK_END: 400,
  /** A field that may not stand in trailers. RFC 9110 section 6.5.1. */
  ERR_HTTP_TRAILER_FIELD: 400,
  /** The trailers are over trailerBytesMax. RFC 6585 section 5. */
  ERR_HTTP_TRAILERS_TOO_LARGE: 431,
  /** The content is over bodyBytesMax. RFC 9110 section 15.5.14. */
  ERR_HTTP_BODY_TOO_LARGE: 413,
  /** The peer ended inside a message. RFC 9112 section 8. */
  ERR_HTTP_UNEXPECTED_END: 400,
  /** The content did not come in time: of servers, not of parsers. RFC 9110 section 15.5.9. */
  ERR_HTTP_TOO_SLOW: 408,
  /** A response that no request asked for. RFC 9112 section 9.2. */
  ERR_HTTP_UNEXPECTED_RESPONSE: 400,
  /** A redirection that cannot be followed, or too many: of clients, not of parsers. RFC 9110 section 15.4. */
  ERR_HTTP_REDIRECT: 400,
  /** A content is not what its Content-Encoding says, or cut off: of clients, not of parsers. RFC 9110 section 8.4. */
  ERR_HTTP_CONTENT_CODING: 400,
} as const;

/** The codes of a RemoteProtocolError of HTTP. */
export type HttpRefusal = keyof typeof STATUS_BY_CODE;

/**
 * The codes of a LocalProtocolError of HTTP: those of a part that the peer would refuse, and
 * - ERR_HTTP_STATUS: not a whole number from 100 to 599, or not of this kind of response;
 * - ERR_HTTP_REASON: a control or a character beyond U+00FF in the reason;
 * - ERR_HTTP_FRAMING: a field, or a way of sending the body, that contradicts how the message is framed;
 * - ERR_HTTP_BODY_TOO_LONG, ERR_HTTP_BODY_TOO_SHORT: not the length that was announced;
 * - ERR_HTTP_TRAILERS: trailers where the framing has no place for them;
 * - ERR_HTTP_SCHEME: a URL that is neither http: nor https:;
 * - ERR_HTTP_QUEUE_FULL: a client has queueMax requests that wait for a connection;
 * - ERR_HTTP_CLIENT_CLOSED: a client was closed;
 * - ERR_HTTP_CONTENT_GONE: a redirection wants a content again that can be read once;
 * - ERR_HTTP_SEQUENCE: not now (state.ts has the order).
 */
export type HttpMistake =
  | HttpRefusal
  | "ERR_HTTP_STATUS"
  | "ERR_HTTP_REASON"
  | "ERR_HTTP_FRAMING"
  | "ERR_HTTP_BODY_TOO_LONG"
  | "ERR_HTTP_BODY_TOO_SHORT"
  | "ERR_HTTP_TRAILERS"
  | "ERR_HTTP_SCHEME"
  | "ERR_HTTP_QUEUE_FULL"
  | "ERR_HTTP_CLIENT_CLOSED"
  | "ERR_HTTP_CONTENT_GONE"
  | "ERR_HTTP_SEQUENCE";

/** The peer's message is refused, to be thrown. */
export function refusal(code: HttpRefusal, message: string): RemoteProtocolError {
  return new RemoteProtocolError(code, message);
}

/** Our own message would be refused, to be thrown. */
export function mistake(code: HttpMistake, message: string): LocalProtocolError {
  return new LocalProtocolError(code, message);
}

/** The status that answers a request which was refused with this error; 400 for one that is not of HTTP. */
export function statusOfRefusal(error: ProtocolError): number {
  return (STATUS_BY_CODE as Readonly<Record<string, number>>)[error.code] ?? 400;
}

/** All codes with which a message is refused. */
export const HTTP_REFUSALS: readonly HttpRefusal[] = Object.keys(STATUS_BY_CODE) as HttpRefusal[];

const SHOWN_BYTES_MAX = 32;

/** One byte for a person: "a", or its number where it cannot be seen. */
export function shownByte(byte: number | undefined): string {
  if (byte === undefined) return "the end";
  return byte > 0x20 && byte < 0x7f
    ? JSON.stringify(String.fromCharCode(byte))
    : `byte 0x${byte.toString(16).padStart(2, "0")}`;
}

/** Some bytes for a person, cut short. */
export function shownBytes(bytes: Buffer, start: number, end: number): string {
  const cut = Math.min(end, start + SHOWN_BYTES_MAX);
  return `${JSON.stringify(bytes.toString("latin1", start, cut))}${cut < end ? "…" : ""}`;
}
