// Ancillary data between its tuples and the bytes of control messages: struct cmsghdr, cmsg(3). Bytes and tuples only:
// no call is made here, and what a control message means is not known, but for those that carry descriptors.

import { SCM_PIDFD, SCM_RIGHTS, SOL_SOCKET } from "../constants/index.ts";
import { LITTLE_ENDIAN, readU32, writeU32 } from "./address/view.ts";
import { checkInt } from "./base.ts";
import { invalidArgument } from "./errors.ts";
import { CMSG_LEN, CMSG_SPACE } from "./names/numbers.ts";
import { bytesOf, isList } from "./bytes.ts";
import type { Data } from "./bytes.ts";
import { ownCopy } from "./transfers.ts";

/** One control message to send: `[SOL_SOCKET, SCM_RIGHTS, Int32Array.of(fd)]`. */
export type Ancillary = readonly [level: number, type: number, data: Data];

/** One control message that came. */
export type ReceivedAncillary = [level: number, type: number, data: Buffer];

/** struct cmsghdr: cmsg_len (a size_t on Linux, a u32 elsewhere), cmsg_level, cmsg_type; then the data. */
const HEADER_BYTES = CMSG_LEN(0);
const LEVEL_AT = HEADER_BYTES - 8;
const TYPE_AT = HEADER_BYTES - 4;
/** Where in a cmsg_len of 8 bytes its lower 4 lie. */
const LENGTH_AT = LEVEL_AT === 8 && !LITTLE_ENDIAN ? 4 : 0;
const ALIGNMENT = CMSG_SPACE(1) - CMSG_LEN(0);

const NOTHING = new Uint8Array(0);

/** The bytes that control messages of these data take. */
function align(bytes: number): number {
  return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
}

/**
 * Lays control messages out as the kernel takes them, in their order.
 *
 * @param ancdata  `[level, type, data]` each.
 * @returns the control buffer; its length is msg_controllen.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: not such tuples. @throws {RangeError} ERR_OUT_OF_RANGE: not C ints.
 * @see cmsg(3)
 */
export function encodeAncillary(ancdata: Iterable<Ancillary>): Uint8Array {
  if (!isList(ancdata)) throw invalidArgument("ancdata", "an iterable of [level, type, data]", ancdata);
  const items: { level: number; type: number; data: Uint8Array }[] = [];
  let size = 0;
  for (const item of ancdata) {
    if (!Array.isArray(item) || item.length !== 3)
      throw invalidArgument("ancdata", "[level, type, data] each", item);
    const [level, type, data] = item as Ancillary;
    const bytes = bytesOf("ancdata's data", data);
    items.push({
      level: checkInt("ancdata's level", level),
      type: checkInt("ancdata's type", type),
      data: bytes,
    });
    size += align(HEADER_BYTES + bytes.length);
  }
  if (size === 0) return NOTHING;
  const control = new Uint8Array(size);
  let at = 0;
  for (const { level, type, data } of items) {
    at = writeControl(control, at, level, type, data);
  }
  return control;
}

/** Writes one control message into zeroed memory; where the next one begins. */
export function writeControl(
  control: Uint8Array,
  at: number,
  level: number,
  type: number,
  data: Uint8Array,
): number {
  writeU32(control, at + LENGTH_AT, HEADER_BYTES + data.length);
  writeU32(control, at + LEVEL_AT, level);
  writeU32(control, at + TYPE_AT, type);
  control.set(data, at + HEADER_BYTES);
  return at + align(HEADER_BYTES + data.length);
}

/**
 * Where the data of the first control message of a kind begins that has at least `bytes` of it; -1: there is none.
 * Nothing outside of `from` to `to` is looked at.
 */
export function findControl(
  control: Uint8Array,
  from: number,
  to: number,
  level: number,
  type: number,
  bytes: number,
): number {
  for (let at = from; at + HEADER_BYTES <= to; ) {
    const size = readU32(control, at + LENGTH_AT);
    if (size < HEADER_BYTES || size > to - at) return -1;
    if (
      (readU32(control, at + LEVEL_AT) | 0) === level &&
      (readU32(control, at + TYPE_AT) | 0) === type &&
      size >= HEADER_BYTES + bytes
    )
      return at + HEADER_BYTES;
    at += align(size);
  }
  return -1;
}

/**
 * Calls back with each control message in what the kernel wrote. What does not hold together ends it: nothing outside
 * of the given bytes is looked at.
 */
export function visitAncillary(
  control: Uint8Array,
  length: number,
  each: (level: number, type: number, from: number, to: number) => void,
): void {
  const end = Math.min(length, control.length);
  for (let at = 0; at + HEADER_BYTES <= end; ) {
    const size = readU32(control, at + LENGTH_AT);
    if (size < HEADER_BYTES || size > end - at) return;
    each(
      readU32(control, at + LEVEL_AT) | 0,
      readU32(control, at + TYPE_AT) | 0,
      at + HEADER_BYTES,
      at + size,
    );
    at += align(size);
  }
}

/**
 * The control messages that the kernel wrote, in their order; one that was cut for want of room (MSG_CTRUNC) with the
 * data that it has.
 *
 * @param control  the control buffer.
 * @param length   msg_controllen after the call.
 */
export function decodeAncillary(control: Uint8Array, length: number): ReceivedAncillary[] {
  const items: ReceivedAncillary[] = [];
  visitAncillary(control, length, (level, type, from, to) => {
    items.push([level, type, ownCopy(control.subarray(from, to))]);
  });
  return items;
}

/** Descriptors in the data of a control message; a remainder that is none is left out. */
export function decodeDescriptors(data: Uint8Array): number[] {
  const descriptors: number[] = [];
  for (let at = 0; at + 4 <= data.length; at += 4) descriptors.push(readU32(data, at) | 0);
  return descriptors;
}

/** Every descriptor that came with a message: SCM_RIGHTS, and SCM_PIDFD of SO_PASSPIDFD. */
export function descriptorsIn(control: Uint8Array, length: number): number[] {
  const descriptors: number[] = [];
  visitAncillary(control, length, (level, type, from, to) => {
    if (level === SOL_SOCKET && (type === SCM_RIGHTS || type === SCM_PIDFD))
      for (const fd of decodeDescriptors(control.subarray(from, to))) if (fd >= 0) descriptors.push(fd);
  });
  return descriptors;
}
