// What a parser tells of the bytes of a peer: RFC 6455's messages and control frames, in the order in which they are
// complete. Types only: one closed union, the same for both roles.

/** A message of text, whole. */
export interface TextMessage {
  readonly type: "text";
  readonly text: string;
}

/** A message of bytes, whole. */
export interface BinaryMessage {
  readonly type: "binary";
  /** Nobody else writes to them. */
  readonly bytes: Buffer;
}

/** A message as permessage-deflate made it smaller (RFC 7692), whole; told only where that was agreed on. */
export interface CompressedMessage {
  readonly type: "compressed";
  /** What it becomes is text, which must be checked then: readText() does. */
  readonly isText: boolean;
  /** Without the empty block that its sender has left out: 00 00 ff ff. */
  readonly bytes: Buffer;
}

/** A ping: it is to be answered by a pong with the same bytes (RFC 6455 section 5.5.2). */
export interface Ping {
  readonly type: "ping";
  /** 0 to 125. */
  readonly bytes: Buffer;
}

/** A pong: the answer to a ping, or nobody's (RFC 6455 section 5.5.3). */
export interface Pong {
  readonly type: "pong";
  /** 0 to 125. */
  readonly bytes: Buffer;
}

/** The peer says that it sends nothing more (RFC 6455 section 5.5.1). What comes behind it is passed over. */
export interface Close {
  readonly type: "close";
  /** 1005: none was sent. */
  readonly code: number;
  /** For a person who looks for a fault; often empty. */
  readonly reason: string;
}

/** The peer has ended the connection behind its Close. */
export interface ConnectionEnd {
  readonly type: "closed";
}

/** What is told of a peer's bytes. */
export type WebSocketEvent =
  | TextMessage
  | BinaryMessage
  | CompressedMessage
  | Ping
  | Pong
  | Close
  | ConnectionEnd;
