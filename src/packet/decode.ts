// A packet from its bytes: header after header, each telling what the next one is. It never throws, whatever the bytes
// are; what cannot be read is told as such, and nothing is read beyond what an outer header announced.

import { formatIPv6 } from "../socket/address/text.ts";
import { u16, u32 } from "./bytes.ts";
import type { Header, Icmp6Message, IcmpMessage, Packet } from "./headers.ts";
import { decodeIpv4, decodeIpv6 } from "./ip.ts";
import { decodeArp, decodeEthernet } from "./link.ts";
import * as n from "./numbers.ts";
import { decodeTcp, decodeUdp } from "./transport.ts";

/** Headers of one packet at most: tunnels and errors about errors may nest without end. */
const HEADERS_MAX = 16;
const ICMP_BYTES = 8;

/** Where decoding begins: at an Ethernet header, or at what an EtherType announces. */
export type Start = "ethernet" | { readonly etherType: number };

/** One packet while it is being read. */
class Reading {
  readonly headers: Header[] = [];
  bytes: Uint8Array;
  missingBytes = 0;
  readonly #nested: boolean;

  constructor(bytes: Uint8Array, nested: boolean) {
    this.bytes = bytes;
    this.#nested = nested;
  }

  /** Takes a header; false: there was none, and reading ends. */
  take<T extends Header>(
    of: string,
    found: readonly [header: T, size: number] | "malformed" | undefined,
  ): T | undefined {
    if (found === undefined || found === "malformed") {
      this.headers.push({ layer: found ?? "truncated", of });
      return undefined;
    }
    this.headers.push(found[0]);
    this.bytes = this.bytes.subarray(found[1]);
    return found[0];
  }

  ethernet(): void {
    const header = this.take("ethernet", decodeEthernet(this.bytes));
    if (header !== undefined) this.network(header.etherType);
  }

  network(etherType: number): void {
    if (etherType === n.ETHERTYPE_IPV4) this.ipv4();
    else if (etherType === n.ETHERTYPE_IPV6) this.ipv6();
    else if (etherType === n.ETHERTYPE_ARP || etherType === n.ETHERTYPE_RARP)
      this.take("arp", decodeArp(this.bytes));
  }

  ipv4(): void {
    const all = this.bytes;
    const header = this.take("ip", decodeIpv4(all));
    if (header === undefined) return;
    this.#end(all, header.totalBytes, header.headerBytes);
    if (header.fragmentOffset === 0) this.transport(header.protocol, header.totalBytes - header.headerBytes);
  }

  ipv6(): void {
    const all = this.bytes;
    const found = decodeIpv6(all);
    const header = this.take("ip6", found);
    if (header === undefined || found === undefined || found === "malformed") return;
    const [, size] = found;
    // 0: a jumbogram (RFC 2675), or the device was to cut it into segments.
    const total = header.payloadBytes === 0 ? all.length : 40 + header.payloadBytes;
    this.#end(all, total, size);
    if ((header.extensions.at(-1)?.fragment?.offset ?? 0) === 0)
      this.transport(header.protocol, total - size);
  }

  /** What follows is as long as the IP header says, or shorter where it was not captured. */
  #end(all: Uint8Array, total: number, size: number): void {
    this.bytes = all.subarray(size, Math.max(size, Math.min(all.length, total)));
    this.missingBytes = Math.max(0, total - all.length);
  }

  transport(protocol: number, sentBytes: number): void {
    if (this.headers.length >= HEADERS_MAX) return;
    switch (protocol) {
      case n.PROTOCOL_TCP:
        this.take("tcp", decodeTcp(this.bytes, sentBytes));
        break;
      case n.PROTOCOL_UDP:
        this.take("udp", decodeUdp(this.bytes));
        break;
      case n.PROTOCOL_ICMP:
        this.take("icmp", this.#icmp(sentBytes));
        break;
      case n.PROTOCOL_ICMPV6:
        this.take("icmp6", this.#icmp6(sentBytes));
        break;
      case n.PROTOCOL_IPV4:
        this.ipv4();
        break;
      case n.PROTOCOL_IPV6:
        this.ipv6();
        break;
      default: // what follows is the payload
    }
  }

  #icmp(length: number): [IcmpMessage, number] | undefined {
    const { bytes } = this;
    if (bytes.length < ICMP_BYTES) return undefined;
    const type = bytes[0] as number;
    const isError = type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
    const original = isError ? this.#original((reading) => reading.ipv4()) : undefined;
    const [code, checksum, rest] = [bytes[1] as number, u16(bytes, 2), u32(bytes, 4)];
    const message = { layer: "icmp", type, code, checksum, rest, length } as const;
    return [original === undefined ? message : { ...message, original }, ICMP_BYTES];
  }

  #icmp6(length: number): [Icmp6Message, number] | undefined {
    const { bytes } = this;
    if (bytes.length < ICMP_BYTES) return undefined;
    const type = bytes[0] as number;
    const original = type < 128 ? this.#original((reading) => reading.ipv6()) : undefined;
    const hasTarget = type >= 135 && type <= 137 && bytes.length >= ICMP_BYTES + 16;
    const message: Icmp6Message = {
      layer: "icmp6",
      type,
      code: bytes[1] as number,
      checksum: u16(bytes, 2),
      rest: u32(bytes, 4),
      length,
      ...(hasTarget ? { target: formatIPv6(bytes, ICMP_BYTES) } : {}),
      ...(original === undefined ? {} : { original }),
    };
    return [message, ICMP_BYTES];
  }

  /** The packet that an ICMP error is about; of an error about an error, only its header. */
  #original(read: (reading: Reading) => void): Packet | undefined {
    if (this.#nested) return undefined;
    const reading = new Reading(this.bytes.subarray(ICMP_BYTES), true);
    read(reading);
    return reading.packet();
  }

  packet(): Packet {
    return { headers: this.headers, payload: this.bytes, missingBytes: this.missingBytes };
  }
}

/**
 * Decodes a packet. It never throws: a header that is cut off or contradicts itself is told as such, and is the last.
 *
 * @param bytes  the packet as captured; headers and payload are views of it.
 * @param start  where it begins. Default: at an Ethernet header.
 * @returns its headers from the outside in: at most 16, and of the packet inside an ICMP error as many.
 */
export function decodePacket(bytes: Uint8Array, start: Start = "ethernet"): Packet {
  const reading = new Reading(bytes, false);
  if (start === "ethernet") reading.ethernet();
  else reading.network(start.etherType);
  return reading.packet();
}
