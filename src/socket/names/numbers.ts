// Numbers and texts in other forms: addresses packed and as text, network byte order, lengths of control messages.
// Plain functions of their arguments.

import { native } from "../../native.ts";
import { EAFNOSUPPORT, EINVAL } from "../../constants/errors.ts";
import { AF_INET, AF_INET6 } from "../../constants/families.ts";
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from "../address/text.ts";
import { LITTLE_ENDIAN, readU32BE, writeU32BE } from "../address/view.ts";
import { SocketError, invalidArgument, outOfRange } from "../errors.ts";
import { checkRange } from "./arguments.ts";

function illegal(syscall: string, value: string): SocketError {
  return new SocketError(syscall, -EINVAL, { text: "illegal IP address string", hint: value.slice(0, 64) });
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(name, "a string", value);
  return value;
}

function checkPacked(value: unknown, length: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalidArgument("packed_ip", "a Uint8Array", value);
  if (value.length !== length) throw outOfRange("packed_ip", `${length} bytes long`, value.length);
  return value;
}

function pack(address: number): Buffer {
  const packed = Buffer.alloc(4);
  writeU32BE(packed, 0, address);
  return packed;
}

/**
 * Packs an IPv4 address into 4 bytes. Also takes the older forms that inet_aton(3) takes: fewer parts, octal and
 * hexadecimal ones ("127.1", "0x7f.1"). inet_pton() does not.
 *
 * @throws {SocketError} EINVAL: not an address.
 * @see inet_aton(3)
 */
export function inet_aton(ip_string: string): Buffer {
  const text = checkText("ip_string", ip_string);
  // C would end the text at a NUL, and the addon takes at most 255 bytes: neither is an address.
  const address = text.includes("\0") ? -1 : native.inet_aton(text);
  if (address < 0) throw illegal("inet_aton", text);
  return pack(address);
}

/**
 * The text of a packed IPv4 address.
 *
 * @param packed_ip  4 bytes.
 * @throws {RangeError} ERR_OUT_OF_RANGE: not 4 bytes.
 * @see inet_ntoa(3)
 */
export function inet_ntoa(packed_ip: Uint8Array): string {
  return formatIPv4(readU32BE(checkPacked(packed_ip, 4), 0));
}

function family(syscall: string, address_family: number): Error {
  if (typeof address_family !== "number")
    return invalidArgument("address_family", "a number", address_family);
  return new SocketError(syscall, -EAFNOSUPPORT, { hint: `family ${address_family}` });
}

/**
 * Packs an address text into bytes: 4 for AF_INET, 16 for AF_INET6.
 *
 * @throws {SocketError} EINVAL: not an address of that family. EAFNOSUPPORT: another family.
 * @see inet_pton(3); POSIX.1-2024 inet_pton
 */
export function inet_pton(address_family: number, ip_string: string): Buffer {
  const text = checkText("ip_string", ip_string);
  if (address_family === AF_INET) {
    const address = parseIPv4(text);
    if (address < 0) throw illegal("inet_pton", text);
    return pack(address);
  }
  if (address_family !== AF_INET6) throw family("inet_pton", address_family);
  const packed = Buffer.alloc(16);
  if (!parseIPv6(text, packed, 0)) throw illegal("inet_pton", text);
  return packed;
}

/**
 * The text of a packed address.
 *
 * @param packed_ip  4 bytes for AF_INET, 16 for AF_INET6.
 * @throws {RangeError} ERR_OUT_OF_RANGE: another length. @throws {SocketError} EAFNOSUPPORT: another family.
 * @see inet_ntop(3); POSIX.1-2024 inet_ntop; RFC 5952
 */
export function inet_ntop(address_family: number, packed_ip: Uint8Array): string {
  if (address_family === AF_INET) return inet_ntoa(packed_ip);
  if (address_family !== AF_INET6) throw family("inet_ntop", address_family);
  return formatIPv6(checkPacked(packed_ip, 16), 0);
}

function swap16(value: number): number {
  const x = checkRange("x", value, 0, 0xffff);
  return LITTLE_ENDIAN ? ((x & 255) << 8) | (x >>> 8) : x;
}

function swap32(value: number): number {
  const x = checkRange("x", value, 0, 0xffff_ffff);
  if (!LITTLE_ENDIAN) return x;
  return ((x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)) >>> 0;
}

/** A 16-bit number in network byte order. @throws {RangeError} ERR_OUT_OF_RANGE: not 16 bits. @see htons(3) */
export function htons(x: number): number {
  return swap16(x);
}

/** A 16-bit number from network byte order. @throws {RangeError} ERR_OUT_OF_RANGE: not 16 bits. @see ntohs(3) */
export function ntohs(x: number): number {
  return swap16(x);
}

/** A 32-bit number in network byte order. @throws {RangeError} ERR_OUT_OF_RANGE: not 32 bits. @see htonl(3) */
export function htonl(x: number): number {
  return swap32(x);
}

/** A 32-bit number from network byte order. @throws {RangeError} ERR_OUT_OF_RANGE: not 32 bits. @see ntohl(3) */
export function ntohl(x: number): number {
  return swap32(x);
}

/** The longest control message: what a socklen_t holds on systems where it is signed. */
const CONTROL_BYTES_MAX = 2 ** 31 - 1;

/**
 * The bytes of a control message with its header, without the padding after it.
 *
 * @param length  bytes of data.
 * @throws {RangeError} ERR_OUT_OF_RANGE: negative, or too much for a socklen_t.
 * @see cmsg(3); RFC 3542 section 20.3
 */
export function CMSG_LEN(length: number): number {
  return native.cmsg_len(checkRange("length", length, 0, CONTROL_BYTES_MAX - native.cmsg_len(0)));
}

/**
 * The room that a control message takes in a buffer, with its header and padding.
 *
 * @param length  bytes of data.
 * @throws {RangeError} ERR_OUT_OF_RANGE: negative, or too much for a socklen_t.
 * @see cmsg(3); RFC 3542 section 20.2
 */
export function CMSG_SPACE(length: number): number {
  return native.cmsg_space(checkRange("length", length, 0, CONTROL_BYTES_MAX - native.cmsg_space(1)));
}
