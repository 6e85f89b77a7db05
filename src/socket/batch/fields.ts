// What travels beside a datagram, between control data and values: where it went and by which interface, its hop limit
// and traffic class, when the kernel had it. One name for IPv4 and IPv6 each. Bytes and values only: no call is made.
// Layouts: ip(7), ipv6(7), RFC 3542, socket(7), udp(7).

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_TCLASS,
  IP_PKTINFO,
  IP_TOS,
  IP_TTL,
  SCM_TIMESTAMPNS,
  SOL_SOCKET,
  SO_RXQ_OVFL,
  UDP_GRO,
} from "../../constants/index.ts";
import { checkNumber, checkText } from "../address/check.ts";
import { formatIPv4, formatIPv6 } from "../address/text.ts";
import { LITTLE_ENDIAN, readU32, readU32BE, writeU32 } from "../address/view.ts";
import { encodeAncillary, findControl } from "../ancillary.ts";
import type { Ancillary } from "../ancillary.ts";
import { packetInfo4 } from "../ancillary/structs.ts";
import { invalidArgument } from "../errors.ts";
import { packetInfo6 } from "../options/ip-structs.ts";
import { Known } from "./known.ts";

/** An address of this machine and an interface of it. */
export interface PacketInfo {
  /** The address, numeric. */
  readonly addr: string;
  /** The interface's index (if_indextoname). */
  readonly ifindex: number;
}

/** What SendBatch's add() takes last: what a datagram is sent with. Absent: as the socket's own options say. */
export interface DatagramOptions {
  /**
   * The source address and the outgoing interface; either may be left out. What destination() of a received datagram
   * gives can be passed on, to answer from where the question went. IP_PKTINFO, IPV6_PKTINFO.
   */
  source?: { readonly addr?: string | undefined; readonly ifindex?: number | undefined } | undefined;
  /** Traffic class (IPv4: TOS), 0 to 255; ECN is its lowest two bits. IP_TOS, IPV6_TCLASS. */
  trafficClass?: number | undefined;
  /** ECN, 0 to 3 (RFC 3168), in place of the lowest two bits of `trafficClass`. */
  ecn?: number | undefined;
  /** Hop limit (IPv4: TTL), 1 to 255 (IPv6: 0 to 255). IP_TTL, IPV6_HOPLIMIT. */
  hopLimit?: number | undefined;
  /** Cuts the data into datagrams of so many bytes, the last of them as long as what is left. Default: one datagram. */
  segmentBytes?: number | undefined;
  /** More control messages, as sendmsg() takes them; read at once. */
  ancdata?: Iterable<Ancillary> | undefined;
}

// struct in_pktinfo: ipi_ifindex, ipi_spec_dst, ipi_addr (the header's destination).
const PKTINFO_BYTES = 12;
const DESTINATION_AT = 8;
// struct in6_pktinfo: ipi6_addr, ipi6_ifindex.
const PKTINFO6_BYTES = 20;
const IFINDEX6_AT = 16;
const INT_BYTES = 4;
const TIMESPEC_BYTES = 16;

const destinations = new Known<PacketInfo>();
const destinations6 = new Known<PacketInfo>();

/** The destination of a datagram and the interface it came in by; undefined: not told. `words` is the same memory. */
export function destinationIn(
  control: Uint8Array,
  words: Uint32Array,
  from: number,
  to: number,
): PacketInfo | undefined {
  let at = findControl(control, from, to, IPPROTO_IP, IP_PKTINFO, PKTINFO_BYTES);
  if (at >= 0)
    return (
      destinations.find(words, at >> 2, PKTINFO_BYTES) ??
      destinations.keep(
        words,
        at >> 2,
        PKTINFO_BYTES,
        Object.freeze({
          addr: formatIPv4(readU32BE(control, at + DESTINATION_AT)),
          ifindex: readU32(control, at),
        }),
      )
    );
  at = findControl(control, from, to, IPPROTO_IPV6, IPV6_PKTINFO, PKTINFO6_BYTES);
  if (at < 0) return undefined;
  return (
    destinations6.find(words, at >> 2, PKTINFO6_BYTES) ??
    destinations6.keep(
      words,
      at >> 2,
      PKTINFO6_BYTES,
      Object.freeze({ addr: formatIPv6(control, at), ifindex: readU32(control, at + IFINDEX6_AT) }),
    )
  );
}

/** TTL or hop limit; undefined: not told. */
export function hopLimitIn(control: Uint8Array, from: number, to: number): number | undefined {
  let at = findControl(control, from, to, IPPROTO_IP, IP_TTL, INT_BYTES);
  if (at < 0) at = findControl(control, from, to, IPPROTO_IPV6, IPV6_HOPLIMIT, INT_BYTES);
  return at < 0 ? undefined : readU32(control, at) | 0;
}

/** TOS (one byte) or traffic class (an int); undefined: not told. */
export function trafficClassIn(control: Uint8Array, from: number, to: number): number | undefined {
  let at = findControl(control, from, to, IPPROTO_IP, IP_TOS, 1);
  if (at >= 0) return control[at];
  at = findControl(control, from, to, IPPROTO_IPV6, IPV6_TCLASS, INT_BYTES);
  return at < 0 ? undefined : readU32(control, at) & 0xff;
}

/** When the kernel had it, in nanoseconds since 1970; undefined: not told. struct timespec of two 64-bit words. */
export function timestampIn(control: Uint8Array, from: number, to: number): bigint | undefined {
  const at = findControl(control, from, to, SOL_SOCKET, SCM_TIMESTAMPNS, TIMESPEC_BYTES);
  if (at < 0) return undefined;
  return wide(control, at) * 1_000_000_000n + wide(control, at + 8);
}

function wide(control: Uint8Array, at: number): bigint {
  const [low, high] = LITTLE_ENDIAN
    ? [readU32(control, at), readU32(control, at + 4)]
    : [readU32(control, at + 4), readU32(control, at)];
  return (BigInt(high) << 32n) | BigInt(low);
}

/** How many messages the socket's queue had no room for; undefined: not told. A u32 that goes round. */
export function droppedIn(control: Uint8Array, from: number, to: number): number | undefined {
  const at = findControl(control, from, to, SOL_SOCKET, SO_RXQ_OVFL, INT_BYTES);
  return at < 0 ? undefined : readU32(control, at);
}

/** Bytes of each datagram in a message that the kernel put together of several; 0: it is one datagram. */
export function segmentBytesIn(control: Uint8Array, from: number, to: number): number {
  const at = findControl(control, from, to, IPPROTO_UDP, UDP_GRO, INT_BYTES);
  return at < 0 ? 0 : readU32(control, at);
}

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(INT_BYTES);
  writeU32(bytes, 0, value);
  return bytes;
}

function packetInfo(
  family: number,
  { addr, ifindex = 0 }: NonNullable<DatagramOptions["source"]>,
): Ancillary {
  checkNumber("options.source.ifindex", ifindex, 0, 2 ** 31 - 1);
  if (addr !== undefined) checkText("options.source.addr", addr);
  if (family === AF_INET6)
    return [
      IPPROTO_IPV6,
      IPV6_PKTINFO,
      packetInfo6.encode({ addr: addr ?? "::", ifindex }, "options.source"),
    ];
  const info = packetInfo4.encode({ ifindex, spec_dst: addr ?? "0.0.0.0" }, "options.source");
  return [IPPROTO_IP, IP_PKTINFO, info];
}

/** The control data for a datagram's options. Families other than IP have none but `ancdata`. */
export function encodeDatagramOptions(family: number, options: DatagramOptions): Uint8Array {
  if (typeof options !== "object" || options === null) throw invalidArgument("options", "an object", options);
  const { ancdata, ecn, hopLimit, source, trafficClass } = options;
  const items: Ancillary[] = [];
  const isIP = family === AF_INET || family === AF_INET6;
  for (const [name, value] of Object.entries({ ecn, hopLimit, source, trafficClass }))
    if (value !== undefined && !isIP)
      throw invalidArgument(`options.${name}`, "absent: this is no IP socket", value);
  if (source !== undefined) {
    if (typeof source !== "object" || source === null)
      throw invalidArgument("options.source", "an object", source);
    items.push(packetInfo(family, source));
  }
  if (trafficClass !== undefined || ecn !== undefined) {
    let tos = checkNumber("options.trafficClass", trafficClass ?? 0, 0, 255);
    if (ecn !== undefined) tos = (tos & ~3) | checkNumber("options.ecn", ecn, 0, 3);
    // To an IPv4 peer of an IPv6 socket (::ffff:a.b.c.d) the kernel takes the one, to others the other.
    items.push([IPPROTO_IP, IP_TOS, int(tos)]);
    if (family === AF_INET6) items.push([IPPROTO_IPV6, IPV6_TCLASS, int(tos)]);
  }
  if (hopLimit !== undefined) {
    const limit = checkNumber("options.hopLimit", hopLimit, family === AF_INET ? 1 : 0, 255);
    if (family === AF_INET6) items.push([IPPROTO_IPV6, IPV6_HOPLIMIT, int(limit)]);
    if (limit > 0) items.push([IPPROTO_IP, IP_TTL, int(limit)]);
  }
  if (ancdata === undefined) return encodeAncillary(items);
  const others = encodeAncillary(ancdata);
  const own = encodeAncillary(items);
  const all = new Uint8Array(own.length + others.length);
  all.set(own);
  all.set(others, own.length);
  return all;
}

/** Whether both say the same, as far as can be seen: what control messages hold may have changed. */
export function sameOptions(known: DatagramOptions | undefined, asked: DatagramOptions | undefined): boolean {
  if (known === undefined || asked === undefined) return known === asked;
  if (typeof asked !== "object" || asked === null) return false;
  return (
    known.ancdata === undefined &&
    asked.ancdata === undefined &&
    known.trafficClass === asked.trafficClass &&
    known.ecn === asked.ecn &&
    known.hopLimit === asked.hopLimit &&
    known.source?.addr === asked.source?.addr &&
    known.source?.ifindex === asked.source?.ifindex &&
    (known.source === undefined) === (asked.source === undefined)
  );
}
