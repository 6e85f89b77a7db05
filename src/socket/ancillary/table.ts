// Control messages by name, as sock.options has options: where each is (level and type), how its value is carried, and
// whether it is received, sent or both. One line a control message. socket(7), unix(7), ip(7), ipv6(7), udp(7), packet(7).

import * as c from "../../constants/index.ts";
import type { Inet6Address, InetAddress } from "../address/types.ts";
import { i32, identity, u16, u32, u32be, u8 } from "../options/field.ts";
import { flag, int, uint } from "../options/definition.ts";
import { packetInfo6, pathMtu } from "../options/ip-structs.ts";
import type { PacketInfo6, PathMtu } from "../options/ip-structs.ts";
import { credentials } from "../options/structs.ts";
import type { Credentials } from "../options/structs.ts";
import { many, one, raw } from "../options/struct.ts";
import type { Reader, Writer } from "../options/struct.ts";
import {
  extendedError,
  inet6Address,
  inetAddress,
  label,
  packetAuxData,
  packetInfo4,
  timespec,
  timestamping,
  timestampingPacketInfo,
  timeval,
} from "./structs.ts";
import type {
  ExtendedError,
  PacketAuxData,
  PacketInfo4,
  Timestamping,
  TimestampingPacketInfo,
} from "./structs.ts";

/** The place of a control message. A number is -1 where this system does not know the name. */
interface Place {
  readonly level: number;
  readonly type: number;
}

/** One that is received. Of less than `bytesMin` it was cut for want of room, and is left out. */
export interface Received<T> extends Place {
  readonly reader: Reader<T>;
  readonly bytesMin: number;
}

/** One that is sent. */
export interface Sent<T> extends Place {
  readonly writer: Writer<T>;
}

const received = <T>(
  level: number,
  type: number,
  reader: Reader<T>,
  bytesMin: number = reader.room,
): Received<T> => ({ level, type, reader, bytesMin });
const sent = <T>(level: number, type: number, writer: Writer<T>): Sent<T> => ({ level, type, writer });
const both = <T, S = T>(
  level: number,
  type: number,
  codec: Reader<T> & Writer<S>,
  bytesMin: number = codec.room,
): Received<T> & Sent<S> => ({ level, type, reader: codec, writer: codec, bytesMin });

const IP = c.IPPROTO_IP;
const IPV6 = c.IPPROTO_IPV6;
const SOCKET = c.SOL_SOCKET;

const DESCRIPTORS_MAX = 253; // SCM_MAX_FD
const OPTIONS_BYTES = 40; // RFC 791
const EXTENSION_BYTES = 2048; // RFC 8200
const descriptors = many(i32, DESCRIPTORS_MAX);
const options = raw(OPTIONS_BYTES);
const extension = raw(EXTENSION_BYTES);

/** Every control message that has a name here. */
export class AncillaryTable {
  /** Descriptors, which are the receiver's to close. unix(7) */
  readonly SCM_RIGHTS: Received<readonly number[]> & Sent<readonly number[]> = both(
    SOCKET,
    c.SCM_RIGHTS,
    descriptors,
    0,
  );
  /** Who sent it, as the kernel vouches: SO_PASSCRED. unix(7) */
  readonly SCM_CREDENTIALS: Received<Credentials> & Sent<Credentials> = both(
    SOCKET,
    c.SCM_CREDENTIALS,
    credentials,
  );
  /** A descriptor for the sender's process, which is the receiver's to close; negative: it is gone. SO_PASSPIDFD, Linux 6.5. */
  readonly SCM_PIDFD: Received<number> = received(SOCKET, c.SCM_PIDFD, int);
  /** The sender's security context: SO_PASSSEC. unix(7) */
  readonly SCM_SECURITY: Received<string> = received(SOCKET, c.SCM_SECURITY, label);
  /** When it arrived, nanoseconds since 1970, to the microsecond: SO_TIMESTAMP. socket(7) */
  readonly SCM_TIMESTAMP: Received<bigint> = received(SOCKET, c.SCM_TIMESTAMP, timeval);
  /** When it arrived, nanoseconds since 1970: SO_TIMESTAMPNS. socket(7) */
  readonly SCM_TIMESTAMPNS: Received<bigint> = received(SOCKET, c.SCM_TIMESTAMPNS, timespec);
  /** When it arrived or, in the error queue, was sent: SO_TIMESTAMPING. */
  readonly SCM_TIMESTAMPING: Received<Timestamping> = received(SOCKET, c.SCM_TIMESTAMPING, timestamping);
  /** Of which packet the device's time is: SOF_TIMESTAMPING_OPT_PKTINFO. */
  readonly SCM_TIMESTAMPING_PKTINFO: Received<TimestampingPacketInfo> = received(
    SOCKET,
    c.SCM_TIMESTAMPING_PKTINFO,
    timestampingPacketInfo,
  );
  /** How the connection fared by then, as netlink attributes: SOF_TIMESTAMPING_OPT_STATS. */
  readonly SCM_TIMESTAMPING_OPT_STATS: Received<Uint8Array> = received(
    SOCKET,
    c.SCM_TIMESTAMPING_OPT_STATS,
    raw(1024),
    0,
  );
  /** Sent: which times to take of this message alone, SOF_TIMESTAMPING_* bits. */
  readonly SO_TIMESTAMPING: Sent<number> = sent(SOCKET, c.SO_TIMESTAMPING, uint);
  /** Sent: the key that times of this message come back with. Linux 6.13. */
  readonly SCM_TS_OPT_ID: Sent<number> = sent(SOCKET, c.SCM_TS_OPT_ID, uint);
  /** Sent: when it shall leave, nanoseconds of SO_TXTIME's clock. */
  readonly SCM_TXTIME: Sent<bigint> = sent(SOCKET, c.SCM_TXTIME, one(identity));
  /** Whether a wireless frame was acknowledged: SO_WIFI_STATUS. */
  readonly SCM_WIFI_STATUS: Received<boolean> = received(SOCKET, c.SCM_WIFI_STATUS, flag);
  /** Bytes that are left: SO_INQ. Linux 6.17. */
  readonly SCM_INQ: Received<number> = received(SOCKET, c.SCM_INQ, int);
  /** Datagrams dropped since the socket was made: SO_RXQ_OVFL. socket(7) */
  readonly SO_RXQ_OVFL: Received<number> = received(SOCKET, c.SO_RXQ_OVFL, uint);
  /** The mark: SO_RCVMARK. Sent: needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly SO_MARK: Received<number> & Sent<number> = both(SOCKET, c.SO_MARK, uint);
  /** The priority: SO_RCVPRIORITY. Linux 6.14. */
  readonly SO_PRIORITY: Received<number> & Sent<number> = both(SOCKET, c.SO_PRIORITY, uint);

  /** Interface and destination: IP_PKTINFO. Sent: interface and source. ip(7) */
  readonly IP_PKTINFO: Received<PacketInfo4> & Sent<Partial<PacketInfo4>> = both(
    IP,
    c.IP_PKTINFO,
    packetInfo4,
  );
  /** Time to live: IP_RECVTTL. ip(7) */
  readonly IP_TTL: Received<number> & Sent<number> = both(IP, c.IP_TTL, int);
  /** Type of service: DSCP in the upper six bits, ECN in the lower two: IP_RECVTOS. ip(7) */
  readonly IP_TOS: Received<number> & Sent<number> = both(IP, c.IP_TOS, int, 1);
  /** Options of the header: IP_RECVOPTS. ip(7) */
  readonly IP_RECVOPTS: Received<Uint8Array> = received(IP, c.IP_RECVOPTS, options, 0);
  /** Options as an answer would carry them: IP_RETOPTS. Sent: those that it carries. ip(7) */
  readonly IP_RETOPTS: Received<Uint8Array> & Sent<Uint8Array> = both(IP, c.IP_RETOPTS, options, 0);
  /** Where it was going before any translation: IP_RECVORIGDSTADDR. ip(7) */
  readonly IP_ORIGDSTADDR: Received<InetAddress> = received(IP, c.IP_ORIGDSTADDR, inetAddress);
  /** The datagram's checksum: IP_CHECKSUM. */
  readonly IP_CHECKSUM: Received<number> = received(IP, c.IP_CHECKSUM, uint);
  /** Bytes of its largest fragment: IP_RECVFRAGSIZE. */
  readonly IP_RECVFRAGSIZE: Received<number> = received(IP, c.IP_RECVFRAGSIZE, int);
  /** A message of the error queue: IP_RECVERR, MSG_ERRQUEUE. ip(7) */
  readonly IP_RECVERR: Received<ExtendedError> = received(IP, c.IP_RECVERR, extendedError);

  /** Interface and destination: IPV6_RECVPKTINFO. Sent: interface and source. RFC 3542 */
  readonly IPV6_PKTINFO: Received<PacketInfo6> & Sent<PacketInfo6> = both(IPV6, c.IPV6_PKTINFO, packetInfo6);
  /** Hop limit: IPV6_RECVHOPLIMIT. RFC 3542 */
  readonly IPV6_HOPLIMIT: Received<number> & Sent<number> = both(IPV6, c.IPV6_HOPLIMIT, int);
  /** Traffic class: IPV6_RECVTCLASS. RFC 3542 */
  readonly IPV6_TCLASS: Received<number> & Sent<number> = both(IPV6, c.IPV6_TCLASS, int);
  /** Flow label and traffic class: IPV6_FLOWINFO. */
  readonly IPV6_FLOWINFO: Received<number> & Sent<number> = both(IPV6, c.IPV6_FLOWINFO, one(u32be));
  /** Hop-by-hop options: IPV6_RECVHOPOPTS. Sent: needs CAP_NET_RAW. RFC 3542 */
  readonly IPV6_HOPOPTS: Received<Uint8Array> & Sent<Uint8Array> = both(IPV6, c.IPV6_HOPOPTS, extension, 0);
  /** Destination options: IPV6_RECVDSTOPTS. RFC 3542 */
  readonly IPV6_DSTOPTS: Received<Uint8Array> & Sent<Uint8Array> = both(IPV6, c.IPV6_DSTOPTS, extension, 0);
  /** The routing header: IPV6_RECVRTHDR. RFC 3542 */
  readonly IPV6_RTHDR: Received<Uint8Array> & Sent<Uint8Array> = both(IPV6, c.IPV6_RTHDR, extension, 0);
  /** Sent: not to be fragmented. RFC 3542 */
  readonly IPV6_DONTFRAG: Sent<boolean> = sent(IPV6, c.IPV6_DONTFRAG, flag);
  /** A path whose MTU became smaller: IPV6_RECVPATHMTU. RFC 3542 */
  readonly IPV6_PATHMTU: Received<PathMtu> = received(IPV6, c.IPV6_PATHMTU, pathMtu);
  /** Where it was going before any translation: IPV6_RECVORIGDSTADDR. */
  readonly IPV6_ORIGDSTADDR: Received<Inet6Address> = received(IPV6, c.IPV6_ORIGDSTADDR, inet6Address);
  /** Bytes of its largest fragment: IPV6_RECVFRAGSIZE. */
  readonly IPV6_RECVFRAGSIZE: Received<number> = received(IPV6, c.IPV6_RECVFRAGSIZE, int);
  /** A message of the error queue: IPV6_RECVERR, MSG_ERRQUEUE. ipv6(7) */
  readonly IPV6_RECVERR: Received<ExtendedError> = received(IPV6, c.IPV6_RECVERR, extendedError);

  /** Bytes of each datagram but the last, of several that are glued together: UDP_GRO. udp(7), Linux 5.0. */
  readonly UDP_GRO: Received<number> = received(c.IPPROTO_UDP, c.UDP_GRO, int);
  /** Sent: bytes of each datagram but the last into which it is cut. udp(7), Linux 4.18. */
  readonly UDP_SEGMENT: Sent<number> = sent(c.IPPROTO_UDP, c.UDP_SEGMENT, one(u16));
  /** Bytes that are left: TCP_INQ. tcp(7) */
  readonly TCP_CM_INQ: Received<number> = received(c.IPPROTO_TCP, c.TCP_CM_INQ, int);
  /** The type of the TLS record. */
  readonly TLS_GET_RECORD_TYPE: Received<number> = received(c.SOL_TLS, c.TLS_GET_RECORD_TYPE, one(u8));
  /** Sent: the type of the TLS record. */
  readonly TLS_SET_RECORD_TYPE: Sent<number> = sent(c.SOL_TLS, c.TLS_SET_RECORD_TYPE, one(u8));
  /** What the link layer knows of a frame: PACKET_AUXDATA. packet(7) */
  readonly PACKET_AUXDATA: Received<PacketAuxData> = received(c.SOL_PACKET, c.PACKET_AUXDATA, packetAuxData);
  /** A message of a packet socket's error queue: SO_TIMESTAMPING. packet(7) */
  readonly PACKET_TX_TIMESTAMP: Received<ExtendedError> = received(
    c.SOL_PACKET,
    c.PACKET_TX_TIMESTAMP,
    extendedError,
  );
  /** A message of a vsock socket's error queue: MSG_ZEROCOPY. Linux 6.7. */
  readonly VSOCK_RECVERR: Received<ExtendedError> = received(c.SOL_VSOCK, c.VSOCK_RECVERR, extendedError);
  /** A message of a J1939 socket's error queue: SO_J1939_ERRQUEUE. */
  readonly SCM_J1939_ERRQUEUE: Received<ExtendedError> = received(
    c.SOL_CAN_J1939,
    c.SCM_J1939_ERRQUEUE,
    extendedError,
  );
  /** The multicast group of a netlink message: NETLINK_PKTINFO. netlink(7) */
  readonly NETLINK_PKTINFO: Received<number> = received(c.SOL_NETLINK, c.NETLINK_PKTINFO, one(u32));
}
