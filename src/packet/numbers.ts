// Numbers that stand in packets, as IANA registers them. Not the system's constants: what a packet means does not depend
// on the machine that reads it.

/** IEEE 802 EtherTypes. */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_RARP = 0x8035;
export const ETHERTYPE_VLAN = 0x8100; // 802.1Q
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_QINQ = 0x88a8; // 802.1ad
/** Below it an EtherType is a length, IEEE 802.3. */
export const ETHERTYPE_MIN = 0x0600;

/** IP protocol numbers. */
export const PROTOCOL_HOP_BY_HOP = 0;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_IGMP = 2;
export const PROTOCOL_IPV4 = 4;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_IPV6 = 41;
export const PROTOCOL_ROUTING = 43;
export const PROTOCOL_FRAGMENT = 44;
export const PROTOCOL_AH = 51;
export const PROTOCOL_ICMPV6 = 58;
export const PROTOCOL_NONE = 59;
export const PROTOCOL_DESTINATION = 60;
export const PROTOCOL_SCTP = 132;

/** Names of IP protocols that are printed; others go by their number. */
export const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map([
  [PROTOCOL_ICMP, "icmp"],
  [PROTOCOL_IGMP, "igmp"],
  [PROTOCOL_IPV4, "ipencap"],
  [PROTOCOL_TCP, "tcp"],
  [PROTOCOL_UDP, "udp"],
  [PROTOCOL_IPV6, "ipv6"],
  [47, "gre"],
  [50, "esp"],
  [PROTOCOL_AH, "ah"],
  [PROTOCOL_ICMPV6, "ipv6-icmp"],
  [89, "ospf"],
  [103, "pim"],
  [112, "vrrp"],
  [PROTOCOL_SCTP, "sctp"],
]);
