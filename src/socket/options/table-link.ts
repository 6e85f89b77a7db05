// Options of packet and netlink sockets. packet(7), netlink(7). One line an option; its type says what it takes.

import * as p from "../../constants/packet.ts";
import * as n from "../../constants/netlink.ts";
import { SOL_NETLINK, SOL_PACKET } from "../../constants/levels.ts";
import type { Action, Fact, Option } from "./definition.ts";
import { action, fact, flag, int, option, uint } from "./definition.ts";
import type { PacketFanout, PacketMembership, PacketStatistics, RolloverStatistics } from "./link-structs.ts";
import {
  netlinkGroups,
  packetFanout,
  packetMembership,
  packetStatistics,
  rolloverStatistics,
} from "./link-structs.ts";

const P = SOL_PACKET;
const N = SOL_NETLINK;

/** SOL_PACKET. */
export class PacketTable {
  /** Makes an interface receive more: everything (PACKET_MR_PROMISC), or an address. Ends with the socket. */
  readonly PACKET_ADD_MEMBERSHIP: Action<PacketMembership> = action(
    P,
    p.PACKET_ADD_MEMBERSHIP,
    packetMembership,
  );
  /** recvmsg brings lengths, VLAN tag and status of each packet (struct tpacket_auxdata). */
  readonly PACKET_AUXDATA: Option<boolean> = option(P, p.PACKET_AUXDATA, flag);
  /** With a ring: longer packets also come to the socket's queue. */
  readonly PACKET_COPY_THRESH: Action<number> = action(P, p.PACKET_COPY_THRESH, int);
  /** Takes a membership back. */
  readonly PACKET_DROP_MEMBERSHIP: Action<PacketMembership> = action(
    P,
    p.PACKET_DROP_MEMBERSHIP,
    packetMembership,
  );
  /** Sockets with one id share the packets among them; set after bind(). */
  readonly PACKET_FANOUT: Option<PacketFanout> = option(P, p.PACKET_FANOUT, packetFanout);
  /** Packets that go out are not seen. Linux 4.20. */
  readonly PACKET_IGNORE_OUTGOING: Option<boolean> = option(P, p.PACKET_IGNORE_OUTGOING, flag);
  /** With a ring for sending: packets with errors are dropped. */
  readonly PACKET_LOSS: Option<boolean> = option(P, p.PACKET_LOSS, flag);
  /** The address says the interface where a packet came in, not the one above it. */
  readonly PACKET_ORIGDEV: Option<boolean> = option(P, p.PACKET_ORIGDEV, flag);
  /** What is sent goes past the traffic control of the interface. */
  readonly PACKET_QDISC_BYPASS: Option<boolean> = option(P, p.PACKET_QDISC_BYPASS, flag);
  /** Room left free before each packet of a ring, bytes. */
  readonly PACKET_RESERVE: Option<number> = option(P, p.PACKET_RESERVE, uint);
  /** Packets that PACKET_FANOUT_FLAG_ROLLOVER moved to another socket. */
  readonly PACKET_ROLLOVER_STATS: Fact<RolloverStatistics> = fact(
    P,
    p.PACKET_ROLLOVER_STATS,
    rolloverStatistics,
  );
  /** Packets received and dropped since it was last read. */
  readonly PACKET_STATISTICS: Fact<PacketStatistics> = fact(P, p.PACKET_STATISTICS, packetStatistics);
  /** SOF_TIMESTAMPING_* bits: which clock stamps packets. */
  readonly PACKET_TIMESTAMP: Option<number> = option(P, p.PACKET_TIMESTAMP, int);
  /** With a ring for sending: each packet says where it begins. */
  readonly PACKET_TX_HAS_OFF: Option<boolean> = option(P, p.PACKET_TX_HAS_OFF, flag);
  /** TPACKET_*: layout of rings. */
  readonly PACKET_VERSION: Option<number> = option(P, p.PACKET_VERSION, int);
  /** Each packet begins with a struct virtio_net_hdr. */
  readonly PACKET_VNET_HDR: Option<boolean> = option(P, p.PACKET_VNET_HDR, flag);
}

/** SOL_NETLINK. */
export class NetlinkTable {
  /** Joins a multicast group, by number. */
  readonly NETLINK_ADD_MEMBERSHIP: Action<number> = action(N, n.NETLINK_ADD_MEMBERSHIP, int);
  /** send() tells when a message did not reach every listener. */
  readonly NETLINK_BROADCAST_ERROR: Option<boolean> = option(N, n.NETLINK_BROADCAST_ERROR, flag);
  /** Acknowledgements do not repeat the request. */
  readonly NETLINK_CAP_ACK: Option<boolean> = option(N, n.NETLINK_CAP_ACK, flag);
  /** Leaves a multicast group. */
  readonly NETLINK_DROP_MEMBERSHIP: Action<number> = action(N, n.NETLINK_DROP_MEMBERSHIP, int);
  /** Errors come with a text. */
  readonly NETLINK_EXT_ACK: Option<boolean> = option(N, n.NETLINK_EXT_ACK, flag);
  /** The kernel checks requests for dumps strictly. */
  readonly NETLINK_GET_STRICT_CHK: Option<boolean> = option(N, n.NETLINK_GET_STRICT_CHK, flag);
  /** Messages of all network namespaces that have a number here. Needs CAP_NET_BROADCAST. */
  readonly NETLINK_LISTEN_ALL_NSID: Option<boolean> = option(N, n.NETLINK_LISTEN_ALL_NSID, flag);
  /** The groups that it joined. */
  readonly NETLINK_LIST_MEMBERSHIPS: Fact<readonly number[]> = fact(
    N,
    n.NETLINK_LIST_MEMBERSHIPS,
    netlinkGroups,
  );
  /** recv() does not fail with ENOBUFS when messages were lost. */
  readonly NETLINK_NO_ENOBUFS: Option<boolean> = option(N, n.NETLINK_NO_ENOBUFS, flag);
  /** recvmsg brings the group. */
  readonly NETLINK_PKTINFO: Option<boolean> = option(N, n.NETLINK_PKTINFO, flag);
}
