// Netlink's messages and their attributes, between bytes and fields: the frame that all of its families share, netlink(7),
// rtnetlink(7). What a message of some type means is not known here, and nothing is sent. Numbers are in the machine's
// order, for both ends are one machine.

import { readU16, readU32, writeU16, writeU32 } from "../socket/address/view.ts";
import { LocalProtocolError, RemoteProtocolError } from "../wire/errors.ts";

/** struct nlmsghdr: length, type, flags, sequence, port. */
const HEADER_BYTES = 16;
/** struct nlattr and struct rtattr: length and type. */
const ATTRIBUTE_BYTES = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER stand above the type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const U16_MAX = 0xffff;

/** NLMSG_ALIGN, NLA_ALIGN. */
const aligned = (bytes: number): number => (bytes + 3) & ~3;

/** One message. */
export interface NetlinkMessage {
  /** NLMSG_* below 16, above them what the family has: RTM_NEWLINK. */
  readonly type: number;
  /** NLM_F_* bits. */
  readonly flags: number;
  /** What the request was numbered with. */
  readonly sequence: number;
  /** Of whom it is, or for whom; 0: the kernel. */
  readonly port: number;
  /** What follows the header: often a structure and attributes behind it. */
  readonly payload: Uint8Array;
}

/** An attribute of a message. */
export interface NetlinkAttribute {
  /** As the message's type numbers them: IFLA_IFNAME. Without the bits for nesting and byte order. */
  readonly type: number;
  /** Its value; of a nested one attributes again. */
  readonly payload: Uint8Array;
}

function malformed(what: string, length: number, at: number, there: number): RemoteProtocolError {
  const problem = `a ${what} of ${length} bytes at byte ${at}, where ${there} bytes are`;
  return new RemoteProtocolError("ERR_NETLINK_LENGTH", problem);
}

/**
 * The messages of one datagram.
 *
 * @param bytes  a datagram, whole: one that was cut (MSG_TRUNC) is refused here.
 * @returns messages with views of the datagram.
 * @throws {RemoteProtocolError} ERR_NETLINK_LENGTH: a message is shorter than its header, or longer than what is there.
 * @see netlink(7), NLMSG_NEXT
 */
export function decodeNetlink(bytes: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < bytes.length; ) {
    const there = bytes.length - at;
    const length = there < HEADER_BYTES ? there : readU32(bytes, at);
    if (length < HEADER_BYTES || length > there) throw malformed("netlink message", length, at, there);
    messages.push({
      type: readU16(bytes, at + 4),
      flags: readU16(bytes, at + 6),
      sequence: readU32(bytes, at + 8),
      port: readU32(bytes, at + 12),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/**
 * The attributes in a message's payload, or in a nested attribute.
 *
 * @param bytes  from the first attribute on: behind the structure that the message's type begins with.
 * @returns attributes in their order, with views of the bytes.
 * @throws {RemoteProtocolError} ERR_NETLINK_LENGTH: one is shorter than its header, or longer than what is there.
 * @see rtnetlink(3), RTA_NEXT
 */
export function decodeAttributes(bytes: Uint8Array): NetlinkAttribute[] {
  const attributes: NetlinkAttribute[] = [];
  for (let at = 0; at < bytes.length; ) {
    const there = bytes.length - at;
    const length = there < ATTRIBUTE_BYTES ? there : readU16(bytes, at);
    if (length < ATTRIBUTE_BYTES || length > there) throw malformed("netlink attribute", length, at, there);
    attributes.push({
      type: readU16(bytes, at + 2) & ATTRIBUTE_TYPE_MASK,
      payload: bytes.subarray(at + ATTRIBUTE_BYTES, at + length),
    });
    at += aligned(length);
  }
  return attributes;
}

/** A request, to be sent to `[0, 0]`: the kernel. What is absent is 0. */
export function encodeNetlink(message: Partial<NetlinkMessage> & Pick<NetlinkMessage, "type">): Uint8Array {
  const { flags = 0, payload = new Uint8Array(0), port = 0, sequence = 0, type } = message;
  const length = HEADER_BYTES + payload.length;
  const bytes = new Uint8Array(aligned(length));
  writeU32(bytes, 0, length);
  writeU16(bytes, 4, type);
  writeU16(bytes, 6, flags);
  writeU32(bytes, 8, sequence);
  writeU32(bytes, 12, port);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/**
 * Attributes, for a request's payload or for a nested attribute.
 *
 * @throws {LocalProtocolError} ERR_NETLINK_LENGTH: a payload does not fit into an attribute, which has at most 65535
 *   bytes with its header.
 */
export function encodeAttributes(attributes: Iterable<NetlinkAttribute>): Uint8Array {
  const list = [...attributes];
  const bytes = new Uint8Array(
    list.reduce((sum, { payload }) => sum + aligned(ATTRIBUTE_BYTES + payload.length), 0),
  );
  let at = 0;
  for (const { payload, type } of list) {
    const length = ATTRIBUTE_BYTES + payload.length;
    if (length > U16_MAX)
      throw new LocalProtocolError(
        "ERR_NETLINK_LENGTH",
        `a netlink attribute has at most ${U16_MAX} bytes, not ${length} (type ${type})`,
      );
    writeU16(bytes, at, length);
    writeU16(bytes, at + 2, type);
    bytes.set(payload, at + ATTRIBUTE_BYTES);
    at += aligned(length);
  }
  return bytes;
}
