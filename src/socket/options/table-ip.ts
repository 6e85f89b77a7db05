// Options of IPv4 and of multicast in either family: level IPPROTO_IP, ip(7), RFC 3678. One line an option; its type
// says what it takes.

import * as c from "../../constants/ipv4.ts";
import { ICMP_FILTER } from "../../constants/ipv6.ts";
import { AF_INET6 } from "../../constants/families.ts";
import { SOL_RAW } from "../../constants/levels.ts";
import { IPPROTO_IP, IPPROTO_IPV6 } from "../../constants/protocols.ts";
import { endpoint } from "./addresses.ts";
import type { Action, Fact, Option } from "./definition.ts";
import { action, fact, flag, int, option } from "./definition.ts";
import type { PortRange } from "./ip-structs.ts";
import { portRange, unicastInterface } from "./ip-structs.ts";
import { icmpTypes } from "./link-structs.ts";
import type {
  GroupRequest,
  GroupSourceRequest,
  MulticastGroup,
  MulticastSource,
  OutgoingInterface,
} from "./multicast.ts";
import { group4, groupRequest, groupSourceRequest, outgoingInterface, source4 } from "./multicast.ts";
import { raw } from "./struct.ts";

const L = IPPROTO_IP;
const OPTIONS_BYTES = 40; // RFC 791: a header has at most 60, 20 of which are its own

const familyLevel = (family: number): number => (family === AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP);

/** IPPROTO_IP. */
export class IpTable {
  /** Joins a multicast group. */
  readonly IP_ADD_MEMBERSHIP: Action<MulticastGroup> = action(L, c.IP_ADD_MEMBERSHIP, group4);
  /** Joins a multicast group for one source. */
  readonly IP_ADD_SOURCE_MEMBERSHIP: Action<MulticastSource> = action(L, c.IP_ADD_SOURCE_MEMBERSHIP, source4);
  /** With a bind to port 0 the port is picked by connect(), which can share it. */
  readonly IP_BIND_ADDRESS_NO_PORT: Option<boolean> = option(L, c.IP_BIND_ADDRESS_NO_PORT, flag);
  /** Stops receiving from one source of a group that was joined. */
  readonly IP_BLOCK_SOURCE: Action<MulticastSource> = action(L, c.IP_BLOCK_SOURCE, source4);
  /** recvmsg brings the datagram's checksum. */
  readonly IP_CHECKSUM: Option<boolean> = option(L, c.IP_CHECKSUM, flag);
  /** Leaves a multicast group. */
  readonly IP_DROP_MEMBERSHIP: Action<MulticastGroup> = action(L, c.IP_DROP_MEMBERSHIP, group4);
  /** Leaves a multicast group for one source. */
  readonly IP_DROP_SOURCE_MEMBERSHIP: Action<MulticastSource> = action(
    L,
    c.IP_DROP_SOURCE_MEMBERSHIP,
    source4,
  );
  /** It may bind to an address that no interface has (yet). */
  readonly IP_FREEBIND: Option<boolean> = option(L, c.IP_FREEBIND, flag);
  /** What a raw socket sends begins with the IP header. */
  readonly IP_HDRINCL: Option<boolean> = option(L, c.IP_HDRINCL, flag);
  /** Ports that the system may pick from. Linux 6.3. */
  readonly IP_LOCAL_PORT_RANGE: Option<PortRange> = option(L, c.IP_LOCAL_PORT_RANGE, portRange);
  /** Packets with a smaller time to live are dropped. */
  readonly IP_MINTTL: Option<number> = option(L, c.IP_MINTTL, int);
  /** Path MTU of a connected socket, bytes. */
  readonly IP_MTU: Fact<number> = fact(L, c.IP_MTU, int);
  /** IP_PMTUDISC_*: whether packets may be fragmented. */
  readonly IP_MTU_DISCOVER: Option<number> = option(L, c.IP_MTU_DISCOVER, int);
  /** false: only groups that this socket joined. */
  readonly IP_MULTICAST_ALL: Option<boolean> = option(L, c.IP_MULTICAST_ALL, flag);
  /** Where multicast goes out: set by the interface's index or by one of its addresses; answers with the address. */
  readonly IP_MULTICAST_IF: Option<OutgoingInterface> = option(L, c.IP_MULTICAST_IF, outgoingInterface);
  /** Multicast also comes back to this host. */
  readonly IP_MULTICAST_LOOP: Option<boolean> = option(L, c.IP_MULTICAST_LOOP, flag);
  /** Time to live of multicast, 0..255; -1: 1, the default. */
  readonly IP_MULTICAST_TTL: Option<number> = option(L, c.IP_MULTICAST_TTL, int);
  /** Raw sockets: packets with headers of their own are not put together for filtering. */
  readonly IP_NODEFRAG: Option<boolean> = option(L, c.IP_NODEFRAG, flag);
  /** Options in the header of each packet, as RFC 791 codes them. */
  readonly IP_OPTIONS: Option<Uint8Array> = option(L, c.IP_OPTIONS, raw(OPTIONS_BYTES));
  /** recvmsg brings the security context. */
  readonly IP_PASSSEC: Option<boolean> = option(L, c.IP_PASSSEC, flag);
  /** recvmsg brings interface and destination (IP_PKTINFO). */
  readonly IP_PKTINFO: Option<boolean> = option(L, c.IP_PKTINFO, flag);
  /** Protocol of a raw socket with IPPROTO_RAW. Linux 6.4. */
  readonly IP_PROTOCOL: Fact<number> = fact(L, c.IP_PROTOCOL, int);
  /** Errors of packets sent come to the error queue. */
  readonly IP_RECVERR: Option<boolean> = option(L, c.IP_RECVERR, flag);
  /** They bring the extensions of RFC 4884. */
  readonly IP_RECVERR_RFC4884: Option<boolean> = option(L, c.IP_RECVERR_RFC4884, flag);
  /** recvmsg tells the largest fragment. */
  readonly IP_RECVFRAGSIZE: Option<boolean> = option(L, c.IP_RECVFRAGSIZE, flag);
  /** recvmsg brings the header's options. */
  readonly IP_RECVOPTS: Option<boolean> = option(L, c.IP_RECVOPTS, flag);
  /** recvmsg brings the destination before any translation. */
  readonly IP_RECVORIGDSTADDR: Option<boolean> = option(L, c.IP_RECVORIGDSTADDR, flag);
  /** recvmsg brings the type of service. */
  readonly IP_RECVTOS: Option<boolean> = option(L, c.IP_RECVTOS, flag);
  /** recvmsg brings the time to live. */
  readonly IP_RECVTTL: Option<boolean> = option(L, c.IP_RECVTTL, flag);
  /** recvmsg brings the options as an answer would carry them. */
  readonly IP_RETOPTS: Option<boolean> = option(L, c.IP_RETOPTS, flag);
  /** Raw sockets: packets with the router-alert option come here (1) or no more (0). */
  readonly IP_ROUTER_ALERT: Action<number> = action(L, c.IP_ROUTER_ALERT, int);
  /** Type of service: DSCP in the upper six bits, ECN in the lower two. */
  readonly IP_TOS: Option<number> = option(L, c.IP_TOS, int);
  /** It may bind to foreign addresses, for transparent proxies. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly IP_TRANSPARENT: Option<boolean> = option(L, c.IP_TRANSPARENT, flag);
  /** Time to live, 1..255; -1: the system's. */
  readonly IP_TTL: Option<number> = option(L, c.IP_TTL, int);
  /** Receives from a blocked source again. */
  readonly IP_UNBLOCK_SOURCE: Action<MulticastSource> = action(L, c.IP_UNBLOCK_SOURCE, source4);
  /** Index of the interface where unicast goes out; 0: the routing table's. */
  readonly IP_UNICAST_IF: Option<number> = option(L, c.IP_UNICAST_IF, unicastInterface);
  /** Where a connection that the firewall redirected was meant to go. */
  readonly SO_ORIGINAL_DST: Fact<readonly [host: string, port: number]> = fact(
    familyLevel,
    c.SO_ORIGINAL_DST,
    endpoint,
  );

  /** Joins a group of either family, by interface index. */
  readonly MCAST_JOIN_GROUP: Action<GroupRequest> = action(familyLevel, c.MCAST_JOIN_GROUP, groupRequest);
  /** Leaves it. */
  readonly MCAST_LEAVE_GROUP: Action<GroupRequest> = action(familyLevel, c.MCAST_LEAVE_GROUP, groupRequest);
  /** Joins it for one source. */
  readonly MCAST_JOIN_SOURCE_GROUP: Action<GroupSourceRequest> = action(
    familyLevel,
    c.MCAST_JOIN_SOURCE_GROUP,
    groupSourceRequest,
  );
  /** Leaves it for one source. */
  readonly MCAST_LEAVE_SOURCE_GROUP: Action<GroupSourceRequest> = action(
    familyLevel,
    c.MCAST_LEAVE_SOURCE_GROUP,
    groupSourceRequest,
  );
  /** Stops receiving from one source of it. */
  readonly MCAST_BLOCK_SOURCE: Action<GroupSourceRequest> = action(
    familyLevel,
    c.MCAST_BLOCK_SOURCE,
    groupSourceRequest,
  );
  /** Receives from that source again. */
  readonly MCAST_UNBLOCK_SOURCE: Action<GroupSourceRequest> = action(
    familyLevel,
    c.MCAST_UNBLOCK_SOURCE,
    groupSourceRequest,
  );

  /** Raw ICMP sockets: the types 0..31 that arrive; those above always do. */
  readonly ICMP_FILTER: Option<readonly number[]> = option(SOL_RAW, ICMP_FILTER, icmpTypes);
}
