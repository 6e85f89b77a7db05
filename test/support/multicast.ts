// Multicast options as bytes, for tests: struct ip_mreqn, ip_mreq_source, ipv6_mreq, group_req, group_source_req.

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_JOIN_GROUP,
  IPV6_LEAVE_GROUP,
  IPV6_MULTICAST_IF,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_IF,
  inet_pton,
} from "berkeley";
import type { Socket } from "berkeley";
import { encodeAddress, makeAddressView } from "#dist/socket/address.js";

export const levelOf = (sock: Socket): number => (sock.family === AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP);

function u32(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer);
}

/** ip_mreqn or ipv6_mreq: a group on an interface. */
function membership(sock: Socket, group: string, index: number): Buffer {
  const address = inet_pton(sock.family, group);
  return sock.family === AF_INET6
    ? Buffer.concat([address, u32(index)])
    : Buffer.concat([address, Buffer.alloc(4), u32(index)]);
}

/** Joins a group on an interface by its index. */
export function join(sock: Socket, group: string, index: number): void {
  const name = sock.family === AF_INET6 ? IPV6_JOIN_GROUP : IP_ADD_MEMBERSHIP;
  sock.setsockopt(levelOf(sock), name, membership(sock, group, index));
}

/** Leaves it. */
export function leave(sock: Socket, group: string, index: number): void {
  const name = sock.family === AF_INET6 ? IPV6_LEAVE_GROUP : IP_DROP_MEMBERSHIP;
  sock.setsockopt(levelOf(sock), name, membership(sock, group, index));
}

/** What it sends to groups goes out by this interface. */
export function sendBy(sock: Socket, index: number): void {
  if (sock.family === AF_INET6) sock.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
  else sock.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, Buffer.concat([Buffer.alloc(8), u32(index)]));
}

/** ip_mreq_source: IPv4 alone; the interface by its address. */
export function sourceMembership(group: string, local: string, source: string): Buffer {
  return Buffer.concat([group, local, source].map((host) => inet_pton(AF_INET, host)));
}

function storage(family: number, host: string): Buffer {
  const view = makeAddressView();
  encodeAddress(family, [host, 0], view);
  return Buffer.from(view.subarray(0, 128));
}

/** group_req, or with a source group_source_req: for MCAST_* of either family. */
export function groupRequest(family: number, index: number, group: string, source?: string): Buffer {
  const parts = [u32(index), Buffer.alloc(4), storage(family, group)];
  if (source !== undefined) parts.push(storage(family, source));
  return Buffer.concat(parts);
}
