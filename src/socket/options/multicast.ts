// Requests about multicast groups: who joins what, on which interface, from which source. The kernel has five
// structures for them; here they share one vocabulary. Bytes only.
//
//   group    imr_multiaddr, ipv6mr_multiaddr, gr_group, gsr_group
//   source   imr_sourceaddr, gsr_source
//   ifindex  imr_ifindex, ipv6mr_ifindex, gr_interface, gsr_interface
//   address  imr_address, imr_interface

import { inAddr, in6Addr, hostStorage } from "./addresses.ts";
import { i32, optional, u32 } from "./field.ts";
import type { Codec, Writer } from "./struct.ts";
import { one, struct } from "./struct.ts";
import { checkNumber } from "../address/check.ts";

/** A group, and the interface by number or by one of its IPv4 addresses; without either the routing table chooses. */
export interface MulticastGroup {
  group: string;
  /** The interface's index, as if_nametoindex() has it. */
  ifindex?: number;
  /** An IPv4 address of the interface. */
  address?: string;
}

/** A group and one source in it, and the interface by one of its IPv4 addresses. */
export interface MulticastSource {
  group: string;
  source: string;
  /** An IPv4 address of the interface. */
  address?: string;
}

/** A group of either family, and the interface by number. */
export interface GroupRequest {
  group: string;
  /** The interface's index; 0 or absent: the routing table chooses. */
  ifindex?: number;
}

/** A group of either family and one source in it, and the interface by number. */
export interface GroupSourceRequest extends GroupRequest {
  source: string;
}

/** struct ip_mreqn. ip(7). */
export const group4: Codec<MulticastGroup> = one(
  struct<MulticastGroup>({ group: inAddr, address: optional(inAddr), ifindex: optional(i32) }),
);

/** struct ip_mreq_source. ip(7). */
export const source4: Codec<MulticastSource> = one(
  struct<MulticastSource>({ group: inAddr, address: optional(inAddr), source: inAddr }),
);

/** struct ipv6_mreq. ipv6(7). */
export const group6: Codec<GroupRequest> = one(
  struct<GroupRequest>({ group: in6Addr, ifindex: optional(i32) }),
);

/** struct group_req. RFC 3678 section 5. */
export const groupRequest: Codec<GroupRequest> = one(
  struct<GroupRequest>({ ifindex: optional(u32), group: hostStorage }),
);

/** struct group_source_req. RFC 3678 section 5. */
export const groupSourceRequest: Codec<GroupSourceRequest> = one(
  struct<GroupSourceRequest>({ ifindex: optional(u32), group: hostStorage, source: hostStorage }),
);

/** IP_MULTICAST_IF is set by either, and answers with the address. */
export type OutgoingInterface = string | number;

const byIndex: Writer<{ ifindex: number }> = one(
  struct<{ group?: string; address?: string; ifindex: number }>({
    group: optional(inAddr),
    address: optional(inAddr),
    ifindex: i32,
  }),
);
const address = one(inAddr);

/** struct ip_mreqn with an index, or struct in_addr. ip(7). */
export const outgoingInterface: Codec<OutgoingInterface> = {
  room: address.room,
  decode: (bytes) => address.decode(bytes),
  encode: (value, what) =>
    typeof value === "number"
      ? byIndex.encode({ ifindex: checkNumber(what, value, 0, 2 ** 31 - 1) }, what)
      : address.encode(value, what),
};
