// The first two bytes of a frame, and the codes of a Close: RFC 6455 sections 5.2 and 7.4. Numbers and what they may be.

/** The message ends with this frame. */
export const FIN = 0x80;
/** The message is compressed: RFC 7692 section 6. */
export const RSV1 = 0x40;
/** RSV1, RSV2 and RSV3. */
export const RSV = 0x70;
/** Of the second byte: the payload is masked, and the key stands before it. */
export const MASKED = 0x80;

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** Opcodes from here on are control frames. */
export const CONTROL_MIN = 8;

/** A frame's length up to here stands in the second byte; 126 and 127 say that 2 and 8 bytes follow with it. */
export const SHORT_LENGTH_MAX = 125;
export const LENGTH_IN_2 = 126;
export const LENGTH_IN_8 = 127;

/** The most that a head takes: two bytes, eight of length, four of the key. */
export const HEAD_BYTES_MAX = 14;

/** Close codes that this project uses (RFC 6455 section 7.4.1, IANA's registry). */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
/** Never sent: the Close had no code. */
export const CLOSE_NONE = 1005;
/** Never sent: there was no Close. */
export const CLOSE_ABNORMAL = 1006;
/** An error on the server's side. */
export const CLOSE_INTERNAL_ERROR = 1011;
/** Come again later: of a subscriber that is too slow. */
export const CLOSE_TRY_AGAIN = 1013;

/** Whether a Close may have this code: what is registered, and from 3000 on what libraries and programs agree on. */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== CLOSE_NONE && code !== CLOSE_ABNORMAL;
}
