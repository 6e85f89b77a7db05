// IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200).

import { formatIPv4, formatIPv6 } from "../socket/address/text.ts";
import { u16, u32 } from "./bytes.ts";
import { internetChecksum } from "./checksum.ts";
import type { Ipv4Header, Ipv6Extension, Ipv6Header } from "./headers.ts";
import {
  PROTOCOL_AH,
  PROTOCOL_DESTINATION,
  PROTOCOL_FRAGMENT,
  PROTOCOL_HOP_BY_HOP,
  PROTOCOL_ROUTING,
} from "./numbers.ts";

const IPV4_BYTES_MIN = 20;
const IPV6_BYTES = 40;
const FRAGMENT_BYTES = 8;
/** RFC 8200 section 4.1 has each kind once, but for one that may come twice. */
const EXTENSIONS_MAX = 16;

/** An IPv4 header and its size; "malformed": it contradicts itself; undefined: it is not all there. */
export function decodeIpv4(bytes: Uint8Array): [header: Ipv4Header, size: number] | "malformed" | undefined {
  if (bytes.length === 0) return undefined;
  const headerBytes = ((bytes[0] as number) & 15) * 4;
  if ((bytes[0] as number) >> 4 !== 4 || headerBytes < IPV4_BYTES_MIN) return "malformed";
  if (bytes.length < headerBytes) return undefined;
  const totalBytes = u16(bytes, 2);
  // 0: the device was to cut it into segments and fill it in.
  if (totalBytes !== 0 && totalBytes < headerBytes) return "malformed";
  const fragment = u16(bytes, 6);
  const header: Ipv4Header = {
    layer: "ipv4",
    headerBytes,
    dscp: (bytes[1] as number) >> 2,
    ecn: (bytes[1] as number) & 3,
    totalBytes: totalBytes === 0 ? bytes.length : totalBytes,
    identification: u16(bytes, 4),
    dontFragment: (fragment & 0x4000) !== 0,
    moreFragments: (fragment & 0x2000) !== 0,
    fragmentOffset: (fragment & 0x1fff) * 8,
    ttl: bytes[8] as number,
    protocol: bytes[9] as number,
    checksum: u16(bytes, 10),
    checksumCorrect: internetChecksum(bytes.subarray(0, headerBytes)) === 0,
    source: formatIPv4(u32(bytes, 12)),
    destination: formatIPv4(u32(bytes, 16)),
    options: bytes.subarray(IPV4_BYTES_MIN, headerBytes),
  };
  return [header, headerBytes];
}

/** The size of an extension header at `at`; 0: the protocol is no extension. */
function extensionBytes(protocol: number, bytes: Uint8Array, at: number): number {
  switch (protocol) {
    case PROTOCOL_HOP_BY_HOP:
    case PROTOCOL_ROUTING:
    case PROTOCOL_DESTINATION:
      return ((bytes[at + 1] as number) + 1) * 8;
    case PROTOCOL_FRAGMENT:
      return FRAGMENT_BYTES;
    case PROTOCOL_AH:
      return ((bytes[at + 1] as number) + 2) * 4; // RFC 4302 section 2.2
    default:
      return 0;
  }
}

const isExtension = (protocol: number): boolean => extensionBytes(protocol, new Uint8Array(2), 0) > 0;

/**
 * An IPv6 header with its extensions, and their size; "malformed": not version 6; undefined: it is not all there. An
 * extension that is cut off ends the list: `protocol` is then its own.
 */
export function decodeIpv6(bytes: Uint8Array): [header: Ipv6Header, size: number] | "malformed" | undefined {
  if (bytes.length === 0) return undefined;
  if ((bytes[0] as number) >> 4 !== 6) return "malformed";
  if (bytes.length < IPV6_BYTES) return undefined;
  const payloadBytes = u16(bytes, 4);
  const end = Math.min(bytes.length, payloadBytes === 0 ? bytes.length : IPV6_BYTES + payloadBytes);
  const extensions: Ipv6Extension[] = [];
  let protocol = bytes[6] as number;
  let size = IPV6_BYTES;
  while (extensions.length < EXTENSIONS_MAX && isExtension(protocol) && size + 2 <= end) {
    const length = extensionBytes(protocol, bytes, size);
    if (size + length > end) break;
    const extension = { protocol, bytes: bytes.subarray(size, size + length) };
    if (protocol === PROTOCOL_FRAGMENT) {
      const word = u16(bytes, size + 2);
      const fragment = {
        offset: word & 0xfff8,
        more: (word & 1) !== 0,
        identification: u32(bytes, size + 4),
      };
      extensions.push({ ...extension, fragment });
    } else extensions.push(extension);
    protocol = bytes[size] as number;
    size += length;
    // What follows in a later fragment is data, whatever its first bytes look like.
    if ((extensions.at(-1)?.fragment?.offset ?? 0) > 0) break;
  }
  const first = u32(bytes, 0);
  const header: Ipv6Header = {
    layer: "ipv6",
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xf_ffff,
    payloadBytes,
    hopLimit: bytes[7] as number,
    source: formatIPv6(bytes, 8),
    destination: formatIPv6(bytes, 24),
    extensions,
    protocol,
  };
  return [header, size];
}
