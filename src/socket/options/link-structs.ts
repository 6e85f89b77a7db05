// Values of options of packet, netlink and raw ICMP sockets. packet(7), netlink(7), icmp(7), RFC 3542. Bytes only.

import { i32, octets, optional, u16, u32, u64, viewOf } from "./field.ts";
import { LITTLE_ENDIAN } from "../address/view.ts";
import { checkNumber } from "../address/check.ts";
import { invalidArgument } from "../errors.ts";
import type { Codec, Reader, Writer } from "./struct.ts";
import { one, struct } from "./struct.ts";

/** struct packet_mreq: what an interface shall receive besides its own. */
export interface PacketMembership {
  ifindex: number;
  /** PACKET_MR_PROMISC (everything), PACKET_MR_ALLMULTI, PACKET_MR_MULTICAST or PACKET_MR_UNICAST (that address). */
  type: number;
  /** The link-layer address, for the latter two; at most 8 bytes. */
  address?: Uint8Array;
}

const membership = one(
  struct<{ ifindex: number; type: number; alen: number; address: Uint8Array }>({
    ifindex: i32,
    type: u16,
    alen: u16,
    address: octets(8),
  }),
);

export const packetMembership: Writer<PacketMembership> = {
  encode(value, what) {
    if (typeof value !== "object" || value === null) throw invalidArgument(what, "an object", value);
    const address = value.address ?? new Uint8Array(0);
    return membership.encode(
      { ifindex: value.ifindex, type: value.type, alen: address.length, address },
      what,
    );
  },
};

/** struct tpacket_stats_v3. Reading sets the counters to zero. */
export interface PacketStatistics {
  /** Packets that passed the filter, those dropped included. */
  packets: number;
  /** Packets dropped for want of room in the socket. */
  drops: number;
  /** With TPACKET_V3: how often the ring was full. */
  freeze_q_cnt?: number;
}

export const packetStatistics: Reader<PacketStatistics> = one(
  struct<PacketStatistics>({ packets: u32, drops: u32, freeze_q_cnt: u32 }),
);

/** struct tpacket_rollover_stats. */
export interface RolloverStatistics {
  all: number;
  huge: number;
  failed: number;
}

export const rolloverStatistics: Reader<RolloverStatistics> = one(
  struct<RolloverStatistics>({ all: u64, huge: u64, failed: u64 }),
);

/** struct fanout_args: sockets that share the packets of an interface among them. */
export interface PacketFanout {
  /** The same for all of them. */
  id: number;
  /** PACKET_FANOUT_* mode and flags. */
  type_flags: number;
  /** How many sockets at most; 0 or absent: 256. */
  max_num_members?: number;
}

export const packetFanout: Codec<PacketFanout> = one(
  struct<PacketFanout>(
    LITTLE_ENDIAN
      ? { id: u16, type_flags: u16, max_num_members: optional(u32) }
      : { type_flags: u16, id: u16, max_num_members: optional(u32) },
  ),
);

/** A set of numbers as bits of 32-bit words: bit b of word w stands for 32 w + b + `first`. */
function bitSet(words: number, first: number, inverted: boolean): Codec<readonly number[]> {
  const holds = (bit: boolean): boolean => bit !== inverted;
  return {
    room: words * 4,
    decode(bytes) {
      const view = viewOf(bytes);
      const members: number[] = [];
      for (let at = 0; at + 4 <= bytes.length; at += 4) {
        const word = view.getUint32(at, LITTLE_ENDIAN);
        for (let bit = 0; bit < 32; bit++)
          if (holds(((word >>> bit) & 1) === 1)) members.push(at * 8 + bit + first);
      }
      return members;
    },
    encode(members, what) {
      if (!Array.isArray(members)) throw invalidArgument(what, "an array of numbers", members);
      const bytes = new Uint8Array(words * 4).fill(inverted ? 0xff : 0);
      const view = viewOf(bytes);
      for (const [index, member] of (members as readonly number[]).entries()) {
        const bit = checkNumber(`${what}[${index}]`, member, first, words * 32 - 1 + first) - first;
        const at = (bit >>> 5) * 4;
        const mask = (1 << (bit & 31)) >>> 0;
        const word = view.getUint32(at, LITTLE_ENDIAN);
        view.setUint32(at, (inverted ? word & ~mask : word | mask) >>> 0, LITTLE_ENDIAN);
      }
      return bytes;
    },
  };
}

/** Groups of netlink that a socket listens to, from 1. */
export const netlinkGroups: Codec<readonly number[]> = bitSet(64, 1, false);

/** struct icmp_filter: types 0..31 that pass; those above always pass. A bit that is set blocks. */
export const icmpTypes: Codec<readonly number[]> = bitSet(1, 0, true);

/** struct icmp6_filter: types 0..255 that pass. On Linux a bit that is set blocks. */
export const icmp6Types: Codec<readonly number[]> = bitSet(8, 0, true);
