// Values of IP options that are structures: a packet's interface and address, path MTU, a range of ports, an interface
// by index in network order. ip(7), ipv6(7), RFC 3542. Bytes only.

import { checkNumber } from "../address/check.ts";
import { invalidArgument } from "../errors.ts";
import { in6Addr } from "./addresses.ts";
import { i32, octets, u32, u32be } from "./field.ts";
import type { Codec, Reader } from "./struct.ts";
import { number, one, struct } from "./struct.ts";

/** struct in6_pktinfo: the source address and the outgoing interface. */
export interface PacketInfo6 {
  /** Source address; "::": the system chooses. */
  addr: string;
  /** The interface's index; 0: the system chooses. */
  ifindex: number;
}

export const packetInfo6: Codec<PacketInfo6> = one(struct<PacketInfo6>({ addr: in6Addr, ifindex: i32 }));

/** struct ip6_mtuinfo. */
export interface PathMtu {
  /** The destination. */
  host: string;
  /** Bytes. */
  mtu: number;
}

const mtuInfo = one(
  struct<{ family: Uint8Array; host: string; scope: number; mtu: number }>({
    family: octets(8),
    host: in6Addr,
    scope: u32,
    mtu: u32,
  }),
);

export const pathMtu: Reader<PathMtu> = {
  room: mtuInfo.room,
  decode(bytes) {
    const { host, mtu } = mtuInfo.decode(bytes);
    return { host, mtu };
  },
};

/** Ports that the system may pick from: both ends belong to the range; 0 and 0: the system's own range. */
export interface PortRange {
  low: number;
  high: number;
}

/** IP_LOCAL_PORT_RANGE: the low end in the low half of a number. */
export const portRange: Codec<PortRange> = {
  room: 4,
  decode(bytes) {
    const value = one(u32).decode(bytes);
    return { low: value & 0xffff, high: value >>> 16 };
  },
  encode(value, what) {
    if (typeof value !== "object" || value === null) throw invalidArgument(what, "an object", value);
    const low = checkNumber(`${what}.low`, value.low, 0, 65_535);
    const high = checkNumber(`${what}.high`, value.high, 0, 65_535);
    return one(u32).encode(high * 65_536 + low, what);
  },
};

/** An interface's index in network order, as IP_UNICAST_IF has it. */
export const unicastInterface: Codec<number> = number(u32be);
