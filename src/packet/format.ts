// One line a packet, in tcpdump's manner (tcpdump -nn -S): who to whom, what, how long. It knows headers and no bytes.

import { formatIcmp, formatIcmp6 } from "./format-icmp.ts";
import type { ArpPacket, Header, Ipv4Header, Ipv6Header, Packet, TcpHeader, TcpOption } from "./headers.ts";
import { hex } from "./bytes.ts";
import * as n from "./numbers.ts";

const FLAGS = ["F", "S", "R", "P", ".", "U", "E", "W", "e"] as const;
const SYN_FIN_RST = 7;
const ACK = 16;
const URG = 32;

function formatOption(option: TcpOption): string {
  switch (option.option) {
    case "end":
      return "eol";
    case "nop":
      return "nop";
    case "mss":
      return `mss ${option.bytes}`;
    case "windowScale":
      return `wscale ${option.shift}`;
    case "sackPermitted":
      return "sackOK";
    case "sack":
      return `sack ${option.blocks.length} ${option.blocks.map(([left, right]) => `{${left}:${right}}`).join("")}`;
    case "timestamps":
      return `TS val ${option.value} ecr ${option.echo}`;
    case "other":
      return `unknown-${option.kind}${option.data.length === 0 ? "" : ` 0x${hex(option.data)}`}`;
    case "malformed":
      return `unknown-${option.kind} [bad length]`;
    default:
      return option satisfies never;
  }
}

function formatTcp(tcp: TcpHeader): string {
  const flags = FLAGS.filter((_, bit) => (tcp.flags & (1 << bit)) !== 0).join("") || "none";
  const parts = [`Flags [${flags}]`];
  const { dataBytes, sequence } = tcp;
  if (dataBytes > 0) parts.push(`seq ${sequence}:${(sequence + dataBytes) % 2 ** 32}`);
  else if ((tcp.flags & SYN_FIN_RST) !== 0) parts.push(`seq ${sequence}`);
  if ((tcp.flags & ACK) !== 0) parts.push(`ack ${tcp.acknowledgment}`);
  parts.push(`win ${tcp.window}`);
  if ((tcp.flags & URG) !== 0) parts.push(`urg ${tcp.urgent}`);
  if (tcp.options.length > 0) parts.push(`options [${tcp.options.map(formatOption).join(",")}]`);
  parts.push(`length ${dataBytes}`);
  return parts.join(", ");
}

function formatArp(arp: ArpPacket): string {
  const { operation, senderProtocol, targetProtocol, targetHardware } = arp;
  const known = /^(?:00:)*00$/.test(targetHardware) ? "" : ` (${targetHardware})`;
  const told =
    operation === 1
      ? `Request who-has ${targetProtocol}${known} tell ${senderProtocol}`
      : operation === 2
        ? `Reply ${senderProtocol} is-at ${arp.senderHardware}`
        : `operation ${operation} ${senderProtocol} > ${targetProtocol}`;
  return `ARP, ${told}, length ${arp.length}`;
}

/** What stands between the addresses and the transport: extensions and fragments, which tcpdump tells tersely. */
function extensionsOf(ip: Ipv6Header): string {
  let text = "";
  for (const { protocol, fragment, bytes } of ip.extensions)
    if (fragment !== undefined) {
      const length =
        ip.payloadBytes - ip.extensions.reduce((sum, extension) => sum + extension.bytes.length, 0);
      text += `frag (${fragment.offset}|${length}) `;
    } else if (protocol === n.PROTOCOL_HOP_BY_HOP) text += "HBH ";
    else if (protocol === n.PROTOCOL_DESTINATION) text += "DSTOPT ";
    else text += protocol === n.PROTOCOL_ROUTING ? `srcrt (len=${bytes[1]}) ` : "AH ";
  return text;
}

const protocolName = (protocol: number): string => n.PROTOCOL_NAMES.get(protocol) ?? `ip-proto-${protocol}`;

/** What an IP header carries, where no header of a transport was decoded. */
function formatBare(ip: Ipv4Header | Ipv6Header, payload: Uint8Array): string {
  if (ip.layer === "ipv4" && ip.fragmentOffset > 0) return protocolName(ip.protocol);
  if (ip.layer === "ipv6") {
    if ((ip.extensions.at(-1)?.fragment?.offset ?? 0) > 0) return "";
    if (ip.protocol === n.PROTOCOL_NONE) return "no next header";
  }
  return `${protocolName(ip.protocol)} ${payload.length}`;
}

function formatEnds(ip: Ipv4Header | Ipv6Header, next: Header | undefined): string {
  const ports = next?.layer === "tcp" || next?.layer === "udp" ? next : undefined;
  const [from, to] = ports === undefined ? ["", ""] : [`.${ports.sourcePort}`, `.${ports.destinationPort}`];
  return `${ip.source}${from} > ${ip.destination}${to}`;
}

function formatIp(packet: Packet, at: number, ip: Ipv4Header | Ipv6Header): string {
  const next = packet.headers[at + 1];
  const name = ip.layer === "ipv4" ? "IP" : "IP6";
  const extensions = ip.layer === "ipv6" ? extensionsOf(ip) : "";
  return `${name} ${formatEnds(ip, next)}: ${extensions}${formatNext(packet, at + 1, ip)}`.trimEnd();
}

function formatNext(packet: Packet, at: number, ip: Ipv4Header | Ipv6Header): string {
  const header = packet.headers[at];
  if (header === undefined) return formatBare(ip, packet.payload);
  switch (header.layer) {
    case "tcp":
      return formatTcp(header);
    case "udp":
      return `UDP, length ${Math.max(0, header.length - 8)}`;
    case "icmp":
      return formatIcmp(header);
    case "icmp6":
      return formatIcmp6(header);
    case "ipv4":
    case "ipv6":
      return formatIp(packet, at, header);
    case "ethernet":
    case "arp":
    case "truncated":
    case "malformed":
      return formatHeader(packet, at);
    default:
      return header satisfies never;
  }
}

function formatHeader(packet: Packet, at: number): string {
  const header = packet.headers[at];
  switch (header?.layer) {
    case undefined:
      return `length ${packet.payload.length}`;
    case "ethernet": {
      const tags = header.tags.map(({ id, priority }) => `vlan ${id}, p ${priority}, `).join("");
      if (packet.headers[at + 1] !== undefined) return tags + formatHeader(packet, at + 1);
      const type = header.etherType.toString(16).padStart(4, "0");
      const what = header.etherType < n.ETHERTYPE_MIN ? "802.3" : `ethertype 0x${type}`;
      return `${tags}${header.source} > ${header.destination}, ${what}, length ${packet.payload.length}`;
    }
    case "arp":
      return formatArp(header);
    case "ipv4":
    case "ipv6":
      return formatIp(packet, at, header);
    case "truncated":
      return `[|${header.of}]`;
    case "malformed":
      return `[bad ${header.of} header]`;
    case "tcp":
    case "udp":
    case "icmp":
    case "icmp6":
      return ""; // never the first: they are told with the IP header before them
    default:
      return header satisfies never;
  }
}

/**
 * A packet in one line, in the manner of `tcpdump -nn -S`:
 * `IP 127.0.0.1.4242 > 127.0.0.1.80: Flags [S], seq 1, win 65495, options [mss 65495,…], length 0`.
 * What was not captured whole is told: `[|tcp]`, `(12 bytes missing)`.
 *
 * @param packet  from decodePacket().
 */
export function formatPacket(packet: Packet): string {
  const missing = packet.missingBytes === 0 ? "" : ` (${packet.missingBytes} bytes missing)`;
  return formatHeader(packet, 0) + missing;
}

const HEX_BYTES_A_LINE = 16;

/**
 * Bytes in hexadecimal with their texts beside, 16 a line, as `tcpdump -X` has them.
 *
 * @returns lines, each `\t0x0000:  4500 003c … ` without its end.
 */
export function hexDump(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += HEX_BYTES_A_LINE) {
    const line = bytes.subarray(at, at + HEX_BYTES_A_LINE);
    let pairs = "";
    let text = "";
    for (const [index, byte] of line.entries()) {
      pairs += (index % 2 === 0 ? " " : "") + byte.toString(16).padStart(2, "0");
      text += byte > 32 && byte < 127 ? String.fromCharCode(byte) : ".";
    }
    lines.push(`\t0x${at.toString(16).padStart(4, "0")}: ${pairs.padEnd(41)} ${text}`);
  }
  return lines;
}
