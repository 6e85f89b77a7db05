// How topics and their messages are written for a broker between machines: a name that every broker takes, and in front of
// each message who sent it and whether it is text. Pure: it knows no broker and no connection.

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";

/** Of a sender's mark: random, so that no two of them are alike. */
export const MARK_BYTES = 16;

/** Version 1, text or bytes. Other versions may come. */
const TEXT = 0x10;
const BYTES = 0x11;
const HEAD_BYTES = 1 + MARK_BYTES;
/** A NATS server closes the connection of who sends a line over 4096 bytes (max_control_line), and topics may be a peer's choice. */
const NAME_CHARACTERS_MAX = 200;

/** A message as it came from a broker. */
export interface BusMessage {
  /** The sender's mark. */
  readonly mark: Uint8Array;
  readonly message: string | Uint8Array;
}

/**
 * A topic as one word of ASCII letters, digits, "-", "_" and "=", 201 characters at most: in NATS a space would end the subject, and
 * ".", "*" and ">" mean something. Two topics never share one.
 */
export function busName(topic: string): string {
  // A lone surrogate has no UTF-8: it would become another character, and another topic.
  const name = topic.replaceAll(/[^\w-]/gu, (character) => {
    const code = character.codePointAt(0) as number;
    if (code >= 0xd800 && code <= 0xdfff) return `=u${code.toString(16)}`;
    return [...Buffer.from(character)].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join("");
  });
  if (name === "") return "=";
  if (name.length <= NAME_CHARACTERS_MAX) return name;
  return `=h${createHash("sha256").update(name).digest("hex")}`;
}

/** Writes a message. */
export function writeBusMessage(mark: Uint8Array, message: string | Uint8Array): Buffer {
  const isText = typeof message === "string";
  const length = isText ? Buffer.byteLength(message) : message.length;
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + length);
  bytes[0] = isText ? TEXT : BYTES;
  bytes.set(mark, 1);
  if (isText) bytes.write(message, HEAD_BYTES);
  else bytes.set(message, HEAD_BYTES);
  return bytes;
}

/** Reads a message. @returns undefined: somebody else's bytes. */
export function readBusMessage(bytes: Uint8Array): BusMessage | undefined {
  const [kind] = bytes;
  if (bytes.length < HEAD_BYTES || (kind !== TEXT && kind !== BYTES)) return undefined;
  const mark = bytes.subarray(1, HEAD_BYTES);
  const payload = bytes.subarray(HEAD_BYTES);
  if (kind === BYTES) return { mark, message: payload };
  if (!isUtf8(payload)) return undefined;
  return { mark, message: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString() };
}
