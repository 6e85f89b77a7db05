// What an error of getsockopt or setsockopt ends with: the option's name, and the right that it needs where one is
// missing. It makes no call.

import { EACCES, ENOENT, EPERM } from "../../constants/index.ts";
import { levelIn } from "./definition.ts";
import { definitions } from "./typed.ts";

/** Capabilities of options, capabilities(7). An option that is not here needs none that its error would tell. */
const RIGHTS: Readonly<Record<string, string>> = {
  SO_ATTACH_REUSEPORT_EBPF: "CAP_BPF",
  SO_BINDTODEVICE: "CAP_NET_RAW where it is bound to one already",
  SO_BINDTOIFINDEX: "CAP_NET_RAW where it is bound to one already",
  SO_BUSY_POLL: "CAP_NET_ADMIN",
  SO_BUSY_POLL_BUDGET: "CAP_NET_ADMIN",
  SO_DEBUG: "CAP_NET_ADMIN",
  SO_MARK: "CAP_NET_ADMIN or CAP_NET_RAW",
  SO_PREFER_BUSY_POLL: "CAP_NET_ADMIN",
  SO_PRIORITY: "CAP_NET_ADMIN or CAP_NET_RAW above 6",
  SO_RCVBUFFORCE: "CAP_NET_ADMIN",
  SO_RESERVE_MEM: "a memory control group with a limit",
  SO_SNDBUFFORCE: "CAP_NET_ADMIN",
  SO_TXTIME: "CAP_NET_ADMIN",
  TCP_CONGESTION: "CAP_NET_ADMIN for an algorithm outside net.ipv4.tcp_allowed_congestion_control",
  TCP_QUEUE_SEQ: "TCP_REPAIR",
  TCP_REPAIR: "CAP_NET_ADMIN",
  TCP_REPAIR_QUEUE: "TCP_REPAIR",
  TCP_REPAIR_WINDOW: "TCP_REPAIR",
  IP_TRANSPARENT: "CAP_NET_ADMIN or CAP_NET_RAW",
  IPV6_TRANSPARENT: "CAP_NET_ADMIN or CAP_NET_RAW",
  IPV6_HOPOPTS: "CAP_NET_RAW",
  IPV6_RTHDRDSTOPTS: "CAP_NET_RAW",
  IPV6_DSTOPTS: "CAP_NET_RAW",
  IPV6_JOIN_ANYCAST: "CAP_NET_ADMIN",
  NETLINK_ADD_MEMBERSHIP: "CAP_NET_ADMIN",
  NETLINK_LISTEN_ALL_NSID: "CAP_NET_BROADCAST",
  SO_J1939_SEND_PRIO: "CAP_NET_ADMIN below 2",
  ALG_SET_DRBG_ENTROPY: "CAP_SYS_ADMIN",
};

function nameOf(family: number, level: number, name: number): string | undefined {
  for (const [known, definition] of definitions)
    if (definition.name === name && levelIn(definition, family) === level) return known;
  return undefined;
}

/** What an error about an option ends with; undefined: the option has no name here. */
export function optionHint(family: number, level: number, name: number, errno: number): string | undefined {
  const known = nameOf(family, level, name);
  if (known === undefined) return undefined;
  if (errno === ENOENT && known === "TCP_ULP")
    return "option TCP_ULP: this kernel has no such protocol (kernel TLS is its module tls)";
  const right = errno === EPERM || errno === EACCES ? RIGHTS[known] : undefined;
  return right === undefined ? `option ${known}` : `option ${known} needs ${right}`;
}
