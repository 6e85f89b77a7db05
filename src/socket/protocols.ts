// What a system lacks that refuses to make a socket: the words that errors of socket() end with. Which right a program
// lacks is told in rights.ts.

import * as families from "../constants/families.ts";
import {
  EAFNOSUPPORT,
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

function nameOfFamily(family: number): string | undefined {
  const isIt = ([name, number]: readonly [string, number]): boolean =>
    number === family && number > 0 && name.startsWith("AF_");
  return Object.entries<number>(families).find(isIt)?.[0];
}

/** What may help against an error of socket(); undefined: nothing is known. */
export function missingProtocol(
  errno: number,
  { family, proto }: { readonly family: number; readonly proto: number },
): string | undefined {
  if (errno === EAFNOSUPPORT) {
    const name = nameOfFamily(family);
    return name === undefined ? undefined : `this kernel has no ${name}, or its module is not loaded`;
  }
  if (errno === EPROTONOSUPPORT || errno === ESOCKTNOSUPPORT) return OPTIONAL.get(proto);
  if (errno === ENOPROTOOPT && proto === IPPROTO_MPTCP) return "Multipath TCP is off: net.mptcp.enabled";
  return undefined;
}
