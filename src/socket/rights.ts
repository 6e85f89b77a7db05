// Which right a program lacks when the kernel says EPERM or EACCES: the words that errors end with. Capabilities are
// those of capabilities(7). It knows calls and kinds of sockets; options are told in options/hint.ts.

import { readFileSync } from "node:fs";
import {
  AF_INET,
  AF_INET6,
  AF_KEY,
  AF_NETLINK,
  AF_PACKET,
  AF_VSOCK,
  AF_XDP,
  EACCES,
  EPERM,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  SOCK_DGRAM,
  SOCK_RAW,
} from "../constants/index.ts";

/** A socket's kind, as socket(2) has it. */
interface Kind {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
}

/** Ports below it are reserved, where the system does not say another number. ip(7). */
const UNPRIVILEGED_PORT_START = 1024;
/** AF_VSOCK's last reserved port. vsock(7). */
const VSOCK_RESERVED_PORT_MAX = 1023;

function unprivilegedPortStart(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"), 10);
  } catch {
    return UNPRIVILEGED_PORT_START;
  }
}

const isInternet = (family: number): boolean => family === AF_INET || family === AF_INET6;

function making({ family, type, proto }: Kind): string | undefined {
  if (family === AF_PACKET || family === AF_XDP) return "packet sockets need CAP_NET_RAW";
  if (family === AF_KEY) return "key sockets need CAP_NET_ADMIN";
  if (!isInternet(family)) return undefined;
  if (type === SOCK_RAW) return "raw sockets need CAP_NET_RAW";
  if (type === SOCK_DGRAM && (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6))
    return "ping sockets need a group within net.ipv4.ping_group_range; raw ones need CAP_NET_RAW";
  return undefined;
}

function binding({ family }: Kind, address: unknown): string | undefined {
  const port: unknown = Array.isArray(address) ? address[1] : undefined;
  if (typeof port !== "number") return undefined;
  if (family === AF_VSOCK)
    return port <= VSOCK_RESERVED_PORT_MAX
      ? `ports below ${VSOCK_RESERVED_PORT_MAX + 1} need CAP_NET_BIND_SERVICE`
      : undefined;
  if (!isInternet(family)) return undefined;
  const start = unprivilegedPortStart();
  return port < start
    ? `ports below ${start} (net.ipv4.ip_unprivileged_port_start) need CAP_NET_BIND_SERVICE`
    : undefined;
}

/**
 * What may help against an error, to be appended to its message.
 *
 * @param syscall  the call that failed.
 * @param errno    positive.
 * @param kind     of the socket.
 * @param address  where it was to be bound, of bind.
 * @returns undefined: not a matter of rights, or not known which.
 * @see capabilities(7)
 */
export function missingRight(
  syscall: string,
  errno: number,
  kind: Kind,
  address?: unknown,
): string | undefined {
  if (errno !== EPERM && errno !== EACCES) return undefined;
  if (syscall === "socket") return making(kind);
  if (kind.family === AF_NETLINK) return "this needs CAP_NET_ADMIN";
  if (syscall === "bind") return binding(kind, address);
  if (errno === EACCES && isInternet(kind.family) && /^(?:connect|send)/.test(syscall))
    return "a broadcast address needs SO_BROADCAST";
  return undefined;
}
