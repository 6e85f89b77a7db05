// What a parser tells of the bytes of a peer: RFC 9112's messages, taken apart in order. A message is a head, its data
// in pieces, and an end; informational responses are heads alone. Types only: a closed union for each direction.

import type { HttpFields } from "./syntax/fields.ts";

/** The version a message was sent in. */
export type HttpVersion = "1.0" | "1.1";

/** The version that a client speaks with a server. */
export type RequestVersion = HttpVersion | "2.0";

/**
 * How the end of a message's content is told (RFC 9112 section 6.3): a number of bytes, 0 where there is none; chunk by
 * chunk; or by the end of the connection, of responses only.
 */
export type BodyFraming = number | "chunked" | "untilClose";

/** A request up to its content. */
export interface RequestHead {
  readonly type: "request";
  /** As it was sent: methods are case-sensitive tokens, and not all of them are known. */
  readonly method: string;
  /** As it was sent: "/a?b", "http://host/a", "host:443" of CONNECT, or "*" of OPTIONS. */
  readonly target: string;
  /** "2.0": it came over HTTP/2, of which a server tells in the same words; a parser never says so. */
  readonly version: RequestVersion;
  readonly fields: HttpFields;
  /** The host that it is for, with its port if one was named: of the target, else of Host; "": it names none. */
  readonly authority: string;
  readonly body: BodyFraming;
  /** Whether another request may follow on the connection (RFC 9112 section 9.3). */
  readonly keepAlive: boolean;
  /** The sender waits for 100 (Continue) before it sends its content (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** The sender offers to speak another protocol behind this message: by Upgrade, or with CONNECT. */
  readonly upgrade: boolean;
}

/** A final response up to its content; also 101, behind which another protocol begins. */
export interface ResponseHead {
  readonly type: "response";
  /** 200 to 999, or 101. Above 599 it is to be treated as 5xx (RFC 9110 section 15). */
  readonly status: number;
  /** Words for a person; often empty. */
  readonly reason: string;
  readonly version: HttpVersion;
  readonly fields: HttpFields;
  readonly body: BodyFraming;
  /** Whether the connection lives on behind it. */
  readonly keepAlive: boolean;
  /** Another protocol begins behind it: 101, or 2xx to CONNECT. */
  readonly upgrade: boolean;
}

/** A response that comes before the final one (RFC 9110 section 15.2). It has no content and no end of its own. */
export interface InformationalHead {
  readonly type: "informational";
  /** 100, or 102 to 199. */
  readonly status: number;
  readonly reason: string;
  readonly version: HttpVersion;
  readonly fields: HttpFields;
}

/** A piece of the content, without the transfer coding. How it is cut means nothing. */
export interface BodyData {
  readonly type: "data";
  /** At least one; a view of what was received. */
  readonly bytes: Buffer;
}

/** The message is complete. */
export interface MessageEnd {
  readonly type: "end";
  /** Fields behind the content (RFC 9110 section 6.5). They are never merged into the head's. */
  readonly trailers: HttpFields;
}

/** No message follows: the peer ended between two of them, or said that the last one was the last. */
export interface ConnectionEnd {
  readonly type: "closed";
}

/** What a server is told. */
export type RequestEvent = RequestHead | BodyData | MessageEnd | ConnectionEnd;

/** What a client is told. */
export type ResponseEvent = InformationalHead | ResponseHead | BodyData | MessageEnd | ConnectionEnd;
