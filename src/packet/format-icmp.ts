// ICMP and ICMPv6 messages in words, in tcpdump's manner. RFC 792, RFC 1812, RFC 4443, RFC 4861, RFC 3810.

import type { Icmp6Message, IcmpMessage, Ipv4Header, Ipv6Header, Packet } from "./headers.ts";
import { PROTOCOL_NAMES } from "./numbers.ts";
import { formatIPv4 } from "../socket/address/text.ts";

/** Whom the original packet was for, as far as it can be read. */
interface Original {
  readonly host: string;
  readonly protocol: number;
  /** "127.0.0.1 udp port 9"; without ports the address alone. */
  readonly port: string;
}

function originalOf(packet: Packet | undefined): Original | undefined {
  const ip = packet?.headers.find(
    (header): header is Ipv4Header | Ipv6Header => header.layer === "ipv4" || header.layer === "ipv6",
  );
  if (ip === undefined) return undefined;
  const { destination: host, protocol } = ip;
  const transport = packet?.headers.find((header) => header.layer === "tcp" || header.layer === "udp");
  // Of a TCP header an error need hold only the first 8 bytes, which have the ports.
  const payload = packet?.payload;
  const port =
    transport !== undefined
      ? transport.destinationPort
      : (protocol === 6 || protocol === 17) && payload !== undefined && payload.length >= 4
        ? (payload[2] as number) * 256 + (payload[3] as number)
        : undefined;
  const name = PROTOCOL_NAMES.get(protocol) ?? `protocol ${protocol}`;
  return { host, protocol, port: port === undefined ? host : `${host} ${name} port ${port}` };
}

function unreachable(code: number, rest: number, original: Original | undefined): string {
  const host = original?.host ?? "?";
  switch (code) {
    case 0:
      return `net ${host} unreachable`;
    case 1:
      return `host ${host} unreachable`;
    case 2:
      return `${host} protocol ${original?.protocol ?? "?"} unreachable`;
    case 3:
      return `${original?.port ?? "?"} unreachable`;
    case 4: {
      const mtu = rest & 0xffff;
      return `${host} unreachable - need to frag${mtu === 0 ? "" : ` (mtu ${mtu})`}`;
    }
    case 5:
      return `${host} unreachable - source route failed`;
    case 6:
      return `net ${host} unreachable - unknown`;
    case 7:
      return `host ${host} unreachable - unknown`;
    case 8:
      return `${host} unreachable - source host isolated`;
    case 9:
      return `net ${host} unreachable - admin prohibited`;
    case 10:
      return `host ${host} unreachable - admin prohibited`;
    case 11:
      return `net ${host} unreachable - tos prohibited`;
    case 12:
      return `host ${host} unreachable - tos prohibited`;
    case 13:
      return `host ${host} unreachable - admin prohibited filter`;
    case 14:
      return `host ${host} unreachable - host precedence violation`;
    case 15:
      return `host ${host} unreachable - precedence cutoff`;
    default:
      return `${host} unreachable - #${code}`;
  }
}

const REDIRECTS = ["net", "host", "tos", "net and tos"];

function aboutIcmp(message: IcmpMessage): string {
  const { code, rest, type } = message;
  const original = originalOf(message.original);
  const echo = `id ${rest >>> 16}, seq ${rest & 0xffff}`;
  switch (type) {
    case 0:
      return `echo reply, ${echo}`;
    case 3:
      return unreachable(code, rest, original);
    case 4:
      return "source quench";
    case 5:
      return `redirect ${original?.host ?? "?"} to ${REDIRECTS[code] ?? `#${code}`} ${formatIPv4(rest)}`;
    case 8:
      return `echo request, ${echo}`;
    case 9:
      return "router advertisement";
    case 10:
      return "router solicitation";
    case 11:
      if (code > 1) return `time exceeded #${code}`;
      return code === 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
    case 12:
      return code === 0 ? `parameter problem - octet ${rest >>> 24}` : `parameter problem - code ${code}`;
    case 13:
      return `time stamp query id ${rest >>> 16} seq ${rest & 0xffff}`;
    case 14:
      return `time stamp reply id ${rest >>> 16} seq ${rest & 0xffff}`;
    default:
      return `type-#${type}`;
  }
}

/** "ICMP echo request, id 1, seq 1, length 64". */
export function formatIcmp(message: IcmpMessage): string {
  return `ICMP ${aboutIcmp(message)}, length ${message.length}`;
}

function unreachable6(code: number, original: Original | undefined): string {
  const host = original?.host ?? "?";
  const words = [
    `unreachable route ${host}`,
    `unreachable prohibited ${host}`,
    `beyond scope ${host}`,
    `unreachable address ${host}`,
    `unreachable port, ${original?.port ?? "?"}`,
  ];
  return `destination unreachable, ${words[code] ?? `unknown unreach code (${code})`}`;
}

function aboutIcmp6(message: Icmp6Message): string {
  const { code, rest, target = "?", type } = message;
  const original = originalOf(message.original);
  const echo = `id ${rest >>> 16}, seq ${rest & 0xffff}`;
  switch (type) {
    case 1:
      return unreachable6(code, original);
    case 2:
      return `packet too big, mtu ${rest}`;
    case 3:
      return code === 0
        ? `time exceeded in-transit for ${original?.host ?? "?"}`
        : "ip6 reassembly time exceeded";
    case 4:
      return `parameter problem, code #${code}`;
    case 128:
      return `echo request, ${echo}`;
    case 129:
      return `echo reply, ${echo}`;
    case 130:
      return "multicast listener query";
    case 131:
      return "multicast listener report";
    case 132:
      return "multicast listener done";
    case 133:
      return "router solicitation";
    case 134:
      return "router advertisement";
    case 135:
      return `neighbor solicitation, who has ${target}`;
    case 136:
      return `neighbor advertisement, tgt is ${target}`;
    case 137:
      return "redirect";
    case 143:
      return `multicast listener report v2, ${rest & 0xffff} group record(s)`;
    default:
      return `type-#${type}`;
  }
}

/** "ICMP6, echo request, id 1, seq 1, length 64". */
export function formatIcmp6(message: Icmp6Message): string {
  return `ICMP6, ${aboutIcmp6(message)}, length ${message.length}`;
}
