// Options of IPv6: level IPPROTO_IPV6, ipv6(7), RFC 3493, RFC 3542. One line an option; its type says what it takes.

import * as c from "../../constants/ipv6.ts";
import { IPPROTO_ICMPV6, IPPROTO_IPV6 } from "../../constants/protocols.ts";
import type { Action, Fact, Option } from "./definition.ts";
import { action, fact, flag, int, option } from "./definition.ts";
import type { PacketInfo6, PathMtu } from "./ip-structs.ts";
import { packetInfo6, pathMtu, unicastInterface } from "./ip-structs.ts";
import { icmp6Types } from "./link-structs.ts";
import type { GroupRequest } from "./multicast.ts";
import { group6 } from "./multicast.ts";
import { raw } from "./struct.ts";

const L = IPPROTO_IPV6;
const EXTENSION_BYTES = 2048; // RFC 8200: a header of options has at most 2048 bytes

/** IPPROTO_IPV6. */
export class Ipv6Table {
  /** Makes a socket whose peer is an IPv4 one (::ffff:a.b.c.d) an IPv4 socket; the value is AF_INET. */
  readonly IPV6_ADDRFORM: Action<number> = action(L, c.IPV6_ADDRFORM, int);
  /** IPV6_PREFER_SRC_* bits: which source addresses are preferred. */
  readonly IPV6_ADDR_PREFERENCES: Option<number> = option(L, c.IPV6_ADDR_PREFERENCES, int);
  /** Packets carry a flow label of the kernel's making. */
  readonly IPV6_AUTOFLOWLABEL: Option<boolean> = option(L, c.IPV6_AUTOFLOWLABEL, flag);
  /** Raw sockets: where in what is sent the checksum stands, which the kernel fills in and checks; -1: nowhere. */
  readonly IPV6_CHECKSUM: Option<number> = option(L, c.IPV6_CHECKSUM, int);
  /** Packets are not fragmented. */
  readonly IPV6_DONTFRAG: Option<boolean> = option(L, c.IPV6_DONTFRAG, flag);
  /** Destination options of each packet, as RFC 8200 codes them; empty: none. */
  readonly IPV6_DSTOPTS: Option<Uint8Array> = option(L, c.IPV6_DSTOPTS, raw(EXTENSION_BYTES));
  /** recvmsg brings the flow information. */
  readonly IPV6_FLOWINFO: Option<boolean> = option(L, c.IPV6_FLOWINFO, flag);
  /** The flow information of a destination's address is sent. */
  readonly IPV6_FLOWINFO_SEND: Option<boolean> = option(L, c.IPV6_FLOWINFO_SEND, flag);
  /** It may bind to an address that no interface has (yet). */
  readonly IPV6_FREEBIND: Option<boolean> = option(L, c.IPV6_FREEBIND, flag);
  /** What a raw socket sends begins with the IPv6 header. */
  readonly IPV6_HDRINCL: Option<boolean> = option(L, c.IPV6_HDRINCL, flag);
  /** Hop-by-hop options of each packet; empty: none. Needs CAP_NET_RAW. */
  readonly IPV6_HOPOPTS: Option<Uint8Array> = option(L, c.IPV6_HOPOPTS, raw(EXTENSION_BYTES));
  /** Joins an anycast group. Needs CAP_NET_ADMIN. */
  readonly IPV6_JOIN_ANYCAST: Action<GroupRequest> = action(L, c.IPV6_JOIN_ANYCAST, group6);
  /** Joins a multicast group, by interface index. */
  readonly IPV6_JOIN_GROUP: Action<GroupRequest> = action(L, c.IPV6_JOIN_GROUP, group6);
  /** Leaves an anycast group. */
  readonly IPV6_LEAVE_ANYCAST: Action<GroupRequest> = action(L, c.IPV6_LEAVE_ANYCAST, group6);
  /** Leaves a multicast group. */
  readonly IPV6_LEAVE_GROUP: Action<GroupRequest> = action(L, c.IPV6_LEAVE_GROUP, group6);
  /** Packets with a smaller hop limit are dropped. */
  readonly IPV6_MINHOPCOUNT: Option<number> = option(L, c.IPV6_MINHOPCOUNT, int);
  /** Path MTU of a connected socket, bytes; set: an upper bound. */
  readonly IPV6_MTU: Option<number> = option(L, c.IPV6_MTU, int);
  /** IPV6_PMTUDISC_*: whether packets may be fragmented. */
  readonly IPV6_MTU_DISCOVER: Option<number> = option(L, c.IPV6_MTU_DISCOVER, int);
  /** false: only groups that this socket joined. */
  readonly IPV6_MULTICAST_ALL: Option<boolean> = option(L, c.IPV6_MULTICAST_ALL, flag);
  /** Hop limit of multicast, 0..255; -1: 1, the default. */
  readonly IPV6_MULTICAST_HOPS: Option<number> = option(L, c.IPV6_MULTICAST_HOPS, int);
  /** Index of the interface where multicast goes out; 0: the routing table's. */
  readonly IPV6_MULTICAST_IF: Option<number> = option(L, c.IPV6_MULTICAST_IF, int);
  /** Multicast also comes back to this host. */
  readonly IPV6_MULTICAST_LOOP: Option<boolean> = option(L, c.IPV6_MULTICAST_LOOP, flag);
  /** Path MTU of a connected socket. Linux leaves the host out here, and has it in recvmsg's control message. */
  readonly IPV6_PATHMTU: Fact<PathMtu> = fact(L, c.IPV6_PATHMTU, pathMtu);
  /** Source address and interface of every packet. */
  readonly IPV6_PKTINFO: Action<PacketInfo6> = action(L, c.IPV6_PKTINFO, packetInfo6);
  /** recvmsg brings destination options. */
  readonly IPV6_RECVDSTOPTS: Option<boolean> = option(L, c.IPV6_RECVDSTOPTS, flag);
  /** Errors of packets sent come to the error queue. */
  readonly IPV6_RECVERR: Option<boolean> = option(L, c.IPV6_RECVERR, flag);
  /** They bring the extensions of RFC 4884. */
  readonly IPV6_RECVERR_RFC4884: Option<boolean> = option(L, c.IPV6_RECVERR_RFC4884, flag);
  /** recvmsg tells the largest fragment. */
  readonly IPV6_RECVFRAGSIZE: Option<boolean> = option(L, c.IPV6_RECVFRAGSIZE, flag);
  /** recvmsg brings the hop limit. */
  readonly IPV6_RECVHOPLIMIT: Option<boolean> = option(L, c.IPV6_RECVHOPLIMIT, flag);
  /** recvmsg brings hop-by-hop options. */
  readonly IPV6_RECVHOPOPTS: Option<boolean> = option(L, c.IPV6_RECVHOPOPTS, flag);
  /** recvmsg brings the destination before any translation. */
  readonly IPV6_RECVORIGDSTADDR: Option<boolean> = option(L, c.IPV6_RECVORIGDSTADDR, flag);
  /** recvmsg tells of path MTUs that became smaller. */
  readonly IPV6_RECVPATHMTU: Option<boolean> = option(L, c.IPV6_RECVPATHMTU, flag);
  /** recvmsg brings interface and destination (IPV6_PKTINFO). */
  readonly IPV6_RECVPKTINFO: Option<boolean> = option(L, c.IPV6_RECVPKTINFO, flag);
  /** recvmsg brings the routing header. */
  readonly IPV6_RECVRTHDR: Option<boolean> = option(L, c.IPV6_RECVRTHDR, flag);
  /** recvmsg brings the traffic class. */
  readonly IPV6_RECVTCLASS: Option<boolean> = option(L, c.IPV6_RECVTCLASS, flag);
  /** Raw sockets with IPPROTO_RAW: packets with this router-alert value come here; -1: none. */
  readonly IPV6_ROUTER_ALERT: Action<number> = action(L, c.IPV6_ROUTER_ALERT, int);
  /** Routing header of each packet; empty: none. */
  readonly IPV6_RTHDR: Option<Uint8Array> = option(L, c.IPV6_RTHDR, raw(EXTENSION_BYTES));
  /** Destination options before the routing header; empty: none. Needs CAP_NET_RAW. */
  readonly IPV6_RTHDRDSTOPTS: Option<Uint8Array> = option(L, c.IPV6_RTHDRDSTOPTS, raw(EXTENSION_BYTES));
  /** Traffic class: DSCP in the upper six bits, ECN in the lower two; -1: the system's. */
  readonly IPV6_TCLASS: Option<number> = option(L, c.IPV6_TCLASS, int);
  /** It may bind to foreign addresses, for transparent proxies. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly IPV6_TRANSPARENT: Option<boolean> = option(L, c.IPV6_TRANSPARENT, flag);
  /** Hop limit, 0..255; -1: the system's. */
  readonly IPV6_UNICAST_HOPS: Option<number> = option(L, c.IPV6_UNICAST_HOPS, int);
  /** Index of the interface where unicast goes out; 0: the routing table's. */
  readonly IPV6_UNICAST_IF: Option<number> = option(L, c.IPV6_UNICAST_IF, unicastInterface);
  /** No IPv4 through this socket. */
  readonly IPV6_V6ONLY: Option<boolean> = option(L, c.IPV6_V6ONLY, flag);

  /** Raw ICMPv6 sockets: the types 0..255 that arrive. */
  readonly ICMPV6_FILTER: Option<readonly number[]> = option(IPPROTO_ICMPV6, c.ICMPV6_FILTER, icmp6Types);
}
