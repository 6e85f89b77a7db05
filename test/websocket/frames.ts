// Frames for tests, made without the writer under test: any bits, any opcode, any way to write a length. Bytes only.

/** What a frame is made of. */
export interface FrameInit {
  readonly opcode: number;
  readonly payload?: Buffer | string | undefined;
  /** Default true. */
  readonly fin?: boolean | undefined;
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. Default 0. */
  readonly rsv?: number | undefined;
  /** The key, or false: not masked. Default 37 FA 21 3D, of RFC 6455's examples. */
  readonly key?: number | false | undefined;
  /** In how many bytes the length is written behind the second byte: 0, 2 or 8. Default: the fewest. */
  readonly lengthBytes?: 0 | 2 | 8 | undefined;
  /** What the head says; default: what is there. */
  readonly length?: bigint | undefined;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;
/** Of a fragment that is not the first. */
export const CONTINUATION = 0;

const KEY = 0x37_fa_21_3d;

/** A frame of a client, unless `key` is false. */
export function frame(init: FrameInit): Buffer {
  const { opcode, fin = true, rsv = 0, key = KEY } = init;
  const payload = Buffer.from((init.payload ?? "") as string);
  const length = init.length ?? BigInt(payload.length);
  const lengthBytes = init.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes + (key === false ? 0 : 4));
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const short = lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127;
  head[1] = (key === false ? 0 : 0x80) | short;
  if (lengthBytes === 2) head.writeUInt16BE(Number(length), 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(length, 2);
  if (key === false) return Buffer.concat([head, payload]);
  head.writeUInt32BE(key, 2 + lengthBytes);
  const keyBytes = head.subarray(2 + lengthBytes);
  for (let at = 0; at < payload.length; at++)
    payload[at] = (payload[at] as number) ^ (keyBytes[at & 3] as number);
  return Buffer.concat([head, payload]);
}

/** A Close. */
export function closeFrame(code?: number, reason: Buffer | string = "", key?: number | false): Buffer {
  const payload =
    code === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.alloc(2), Buffer.from(reason as string)]);
  if (code !== undefined) payload.writeUInt16BE(code, 0);
  return frame({ opcode: CLOSE, payload, key });
}
