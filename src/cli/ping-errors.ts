// Why a request could not be passed on, in ping(8)'s words: from what ICMP (RFC 792, RFC 1812) or ICMPv6 (RFC 4443) says, or
// the kernel itself. Pure but for the numbers.

import { EMSGSIZE, SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6 } from "../index.ts";

const UNREACHABLE: Readonly<Record<number, string>> = {
  0: "Destination Net Unreachable",
  1: "Destination Host Unreachable",
  2: "Destination Protocol Unreachable",
  3: "Destination Port Unreachable",
  5: "Source Route Failed",
  6: "Destination Net Unknown",
  7: "Destination Host Unknown",
  8: "Source Host Isolated",
  9: "Destination Net Prohibited",
  10: "Destination Host Prohibited",
  11: "Destination Net Unreachable for Type of Service",
  12: "Destination Host Unreachable for Type of Service",
  13: "Packet filtered",
  14: "Precedence Violation",
  15: "Precedence Cutoff",
};

const UNREACHABLE6: Readonly<Record<number, string>> = {
  0: "Destination unreachable: No route",
  1: "Destination unreachable: Administratively prohibited",
  2: "Destination unreachable: Beyond scope of source address",
  3: "Destination unreachable: Address unreachable",
  4: "Destination unreachable: Port unreachable",
  5: "Destination unreachable: Source address failed policy",
  6: "Destination unreachable: Reject route",
};

function describeIcmp4(type: number, code: number, info: number): string {
  switch (type) {
    case 3:
      if (code === 4) return `Frag needed and DF set (mtu = ${info})`;
      return UNREACHABLE[code] ?? `Destination Unreachable, code ${code}`;
    case 4:
      return "Source Quench";
    case 5:
      return "Redirect";
    case 11:
      return code === 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
    case 12:
      return "Parameter problem";
    default:
      return `ICMP type ${type}, code ${code}`;
  }
}

function describeIcmp6(type: number, code: number, info: number): string {
  switch (type) {
    case 1:
      return UNREACHABLE6[code] ?? `Destination unreachable, code ${code}`;
    case 2:
      return `Packet too big: mtu=${info}`;
    case 3:
      return code === 0 ? "Time exceeded: Hop limit" : "Time exceeded: Defragmentation failure";
    case 4:
      return "Parameter problem";
    default:
      return `ICMPv6 type ${type}, code ${code}`;
  }
}

/** What an extended error says, ip(7) IP_RECVERR. */
export function describeIcmp(error: {
  readonly errno: number;
  readonly origin: number;
  readonly type: number;
  readonly code: number;
  readonly info: number;
}): string {
  const { code, errno, info, origin, type } = error;
  if (origin === SO_EE_ORIGIN_ICMP) return describeIcmp4(type, code, info);
  if (origin === SO_EE_ORIGIN_ICMP6) return describeIcmp6(type, code, info);
  if (errno === EMSGSIZE) return `Message too long, mtu=${info}`;
  return `Local error, errno ${errno}`;
}
