// Values of control messages that are more than a number: extended errors, times, where a datagram was going. socket(7),
// ip(7), ipv6(7), packet(7), Documentation/networking/timestamping.rst. Bytes only.

import { AF_INET, AF_INET6 } from "../../constants/families.ts";
import { decodeInet } from "../address/inet.ts";
import { decodeInet6 } from "../address/inet6.ts";
import type { Inet6Address, InetAddress } from "../address/types.ts";
import { LITTLE_ENDIAN, readFamily } from "../address/view.ts";
import { inAddr } from "../options/addresses.ts";
import { i32, optional, u16, u32, viewOf } from "../options/field.ts";
import { one, struct } from "../options/struct.ts";
import type { Reader, Writer } from "../options/struct.ts";

/** struct in_pktinfo: how an IPv4 datagram came, or is to leave. ip(7). */
export interface PacketInfo4 {
  /** The interface's index; sent, 0 or absent: the routing table chooses. */
  ifindex: number;
  /** The address of this machine that it came to; sent: the source address; absent: the system chooses. */
  spec_dst: string;
  /** The destination in the header, also a broadcast or multicast address; means nothing where it is sent. */
  addr: string;
}

export const packetInfo4: Reader<PacketInfo4> & Writer<Partial<PacketInfo4>> = one(
  struct<PacketInfo4>({ ifindex: optional(i32), spec_dst: optional(inAddr), addr: optional(inAddr) }),
);

/** struct sockaddr_in or sockaddr_in6, whatever there is of it; `null`: neither. */
function inetAddressIn(bytes: Uint8Array): InetAddress | Inet6Address | null {
  const family = bytes.length < 16 ? -1 : readFamily(bytes);
  if (family === AF_INET) return decodeInet(bytes);
  return family === AF_INET6 && bytes.length >= 28 ? decodeInet6(bytes) : null;
}

/** An address of IPv4. */
export const inetAddress: Reader<InetAddress> = { room: 16, decode: (bytes) => decodeInet(bytes) };
/** An address of IPv6. */
export const inet6Address: Reader<Inet6Address> = { room: 28, decode: (bytes) => decodeInet6(bytes) };

/**
 * struct sock_extended_err and the address behind it: a message of the error queue. ip(7), IP_RECVERR.
 *
 * Not only errors come so: with `origin` SO_EE_ORIGIN_ZEROCOPY (`errno` 0) it says which sends with MSG_ZEROCOPY are
 * done, with SO_EE_ORIGIN_TIMESTAMPING (`errno` ENOMSG) when something was sent.
 */
export interface ExtendedError {
  /** The errno, positive, as a constant of that name: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE … */
  errno: number;
  /** SO_EE_ORIGIN_*: who says so. SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6: somebody on the way. */
  origin: number;
  /** The type of the ICMP message. */
  type: number;
  /** Its code; of SO_EE_ORIGIN_ZEROCOPY: SO_EE_CODE_ZEROCOPY_COPIED, the kernel copied after all. */
  code: number;
  /**
   * EMSGSIZE: the path MTU, bytes. SO_EE_ORIGIN_ZEROCOPY: the first send that is done, counted from 0.
   * SO_EE_ORIGIN_TIMESTAMPING: SCM_TSTAMP_*, what the time is of.
   */
  info: number;
  /**
   * SO_EE_ORIGIN_ZEROCOPY: the last send that is done. SO_EE_ORIGIN_TIMESTAMPING: the key of what was sent
   * (SOF_TIMESTAMPING_OPT_ID). With IP_RECVERR_RFC4884: struct sock_ee_data_rfc4884.
   */
  data: number;
  /** Who said so: the address of the host that sent the ICMP message, its port 0. `null`: nobody, or not known. */
  offender: InetAddress | Inet6Address | null;
}

const EXTENDED_ERROR_BYTES = 16;

export const extendedError: Reader<ExtendedError> = {
  room: EXTENDED_ERROR_BYTES,
  decode(bytes) {
    const view = viewOf(bytes);
    return {
      errno: view.getUint32(0, LITTLE_ENDIAN),
      origin: view.getUint8(4),
      type: view.getUint8(5),
      code: view.getUint8(6),
      info: view.getUint32(8, LITTLE_ENDIAN),
      data: view.getUint32(12, LITTLE_ENDIAN),
      offender: inetAddressIn(bytes.subarray(EXTENDED_ERROR_BYTES)),
    };
  },
};

const BILLION = 1_000_000_000n;

/** Two words of time: seconds, and the rest in units of `unit` nanoseconds. Words are of 8 bytes, or of 4 on old systems. */
function timeAt(view: DataView, at: number, wordBytes: number, unit: bigint): bigint {
  const word = (from: number): bigint =>
    wordBytes === 8 ? view.getBigInt64(from, LITTLE_ENDIAN) : BigInt(view.getInt32(from, LITTLE_ENDIAN));
  return word(at) * BILLION + word(at + wordBytes) * unit;
}

const time = (unit: bigint): Reader<bigint> => ({
  room: 8,
  decode: (bytes) => timeAt(viewOf(bytes), 0, bytes.length >= 16 ? 8 : 4, unit),
});

/** struct timeval in nanoseconds since 1970. */
export const timeval: Reader<bigint> = time(1000n);
/** struct timespec in nanoseconds since 1970. */
export const timespec: Reader<bigint> = time(1n);

/** struct scm_timestamping: times in nanoseconds; one that was not taken is absent. */
export interface Timestamping {
  /** The kernel's time, since 1970. */
  software?: bigint;
  /** The device's time, by a clock of its own. */
  hardware?: bigint;
}

export const timestamping: Reader<Timestamping> = {
  room: 24,
  decode(bytes) {
    const view = viewOf(bytes);
    const wordBytes = bytes.length >= 48 ? 8 : 4;
    const times: Timestamping = {};
    const software = timeAt(view, 0, wordBytes, 1n);
    const hardware = timeAt(view, 4 * wordBytes, wordBytes, 1n); // the one between is no longer used
    if (software !== 0n) times.software = software;
    if (hardware !== 0n) times.hardware = hardware;
    return times;
  },
};

/** struct scm_ts_pktinfo: what a device's time is of. */
export interface TimestampingPacketInfo {
  /** The interface that has the clock; 0: not known. */
  ifindex: number;
  /** Bytes of the packet, the link's header included. */
  length: number;
}

const packetOfTime = one(struct<TimestampingPacketInfo>({ ifindex: u32, length: u32 }));
export const timestampingPacketInfo: Reader<TimestampingPacketInfo> = {
  room: packetOfTime.room,
  decode: (bytes) => packetOfTime.decode(bytes),
};

/** struct tpacket_auxdata: what the link layer knows of a frame. packet(7). */
export interface PacketAuxData {
  /** TP_STATUS_* bits. */
  status: number;
  /** Bytes of the frame. */
  len: number;
  /** Bytes of it that are here. */
  snaplen: number;
  /** Where the link's header begins. */
  mac: number;
  /** Where the network's header begins. */
  net: number;
  vlan_tci: number;
  vlan_tpid: number;
}

export const packetAuxData: Reader<PacketAuxData> = one(
  struct<PacketAuxData>({
    status: u32,
    len: u32,
    snaplen: u32,
    mac: u16,
    net: u16,
    vlan_tci: u16,
    vlan_tpid: u16,
  }),
);

/** A text up to its NUL, if there is one. */
export const label: Reader<string> = {
  room: 1,
  decode(bytes) {
    const end = bytes.indexOf(0);
    return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString("utf8");
  },
};
