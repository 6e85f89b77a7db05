// The internet checksum (RFC 1071), and the same over the pseudo-headers of TCP, UDP and ICMPv6 (RFC 9293, RFC 768,
// RFC 8200 section 8.1).

import { u16 } from "./bytes.ts";

/** The sum of 16-bit words, carries left in; an odd last byte counts as if a zero followed. */
function sum(bytes: Uint8Array, begin: number): number {
  let total = begin;
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) total += u16(bytes, at);
  if (even < bytes.length) total += (bytes[even] as number) << 8;
  return total;
}

/** Carries back in, and the complement. */
function fold(total: number): number {
  let folded = total;
  while (folded > 0xffff) folded = (folded % 65_536) + Math.floor(folded / 65_536);
  return ~folded & 0xffff;
}

/**
 * The internet checksum. Over data with a correct checksum in it, it is 0.
 *
 * @param bytes  the checksum's own place holds zero when it is being made.
 * @see RFC 1071
 */
export function internetChecksum(bytes: Uint8Array): number {
  return fold(sum(bytes, 0));
}

/**
 * The checksum of a TCP, UDP or ICMPv6 message, its pseudo-header included. A UDP checksum that comes out as 0 is sent
 * as 0xffff, for 0 there means none.
 *
 * @param source       the source address, 4 or 16 bytes, in network order.
 * @param destination  the destination address, as long.
 * @param protocol     6, 17 or 58.
 * @param message      header and data.
 * @see RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1
 */
export function transportChecksum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  message: Uint8Array,
): number {
  const pseudo = protocol + (message.length & 0xffff) + (message.length >>> 16);
  return fold(sum(message, sum(destination, sum(source, pseudo))));
}
