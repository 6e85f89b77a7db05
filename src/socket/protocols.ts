// What a system lacks that refuses to make a socket: the words that errors of socket() end with. Which right a program
// lacks is told in rights.ts.

import {
  ENOPROTOOPT,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
  IPPROTO_DCCP,
  IPPROTO_MPTCP,
  IPPROTO_SCTP,
  IPPROTO_UDPLITE,
} from "../constants/index.ts";

/** Protocols that a kernel may be built without. Modules are loaded by the kernel itself where they are installed. */
const OPTIONAL: ReadonlyMap<number, string> = new Map([
  [IPPROTO_DCCP, "this kernel has no DCCP; Linux dropped it in 6.16"],
  [IPPROTO_MPTCP, "this kernel has no Multipath TCP; Linux may have it since 5.6 (CONFIG_MPTCP)"],
  [IPPROTO_SCTP, "this kernel has no SCTP (its module is sctp)"],
  [IPPROTO_UDPLITE, "this kernel has no UDP-Lite"],
]);

/** What may help against an error of socket(); undefined: nothing is known. */
export function missingProtocol(errno: number, proto: number): string | undefined {
  if (errno === EPROTONOSUPPORT || errno === ESOCKTNOSUPPORT) return OPTIONAL.get(proto);
  if (errno === ENOPROTOOPT && proto === IPPROTO_MPTCP) return "Multipath TCP is off: net.mptcp.enabled";
  return undefined;
}
