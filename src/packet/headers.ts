// What is decoded: a closed union of headers, each with its fields by name. Types only. Addresses are texts; what has no
// text is bytes, a view of the packet.

/** IEEE 802.3 with 802.1Q tags. */
export interface EthernetHeader {
  readonly layer: "ethernet";
  readonly destination: string;
  readonly source: string;
  /** VLAN tags, outermost first. */
  readonly tags: readonly VlanTag[];
  /** What follows; below 0x0600 it is a length, and the frame is 802.3 with LLC. */
  readonly etherType: number;
}

/** IEEE 802.1Q. */
export interface VlanTag {
  readonly etherType: number;
  readonly priority: number;
  readonly dropEligible: boolean;
  readonly id: number;
}

/** RFC 826. */
export interface ArpPacket {
  readonly layer: "arp";
  readonly hardwareType: number;
  readonly protocolType: number;
  /** 1 request, 2 reply. */
  readonly operation: number;
  readonly senderHardware: string;
  /** "a.b.c.d" where the protocol is IPv4, else hexadecimal. */
  readonly senderProtocol: string;
  readonly targetHardware: string;
  readonly targetProtocol: string;
  /** Bytes, with the padding behind it. */
  readonly length: number;
}

/** RFC 791. */
export interface Ipv4Header {
  readonly layer: "ipv4";
  readonly headerBytes: number;
  readonly dscp: number;
  readonly ecn: number;
  /** As the header says it: header and data. */
  readonly totalBytes: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** Bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly checksum: number;
  /** Loopback and devices that compute it themselves leave it wrong in what goes out. */
  readonly checksumCorrect: boolean;
  readonly source: string;
  readonly destination: string;
  readonly options: Uint8Array;
}

/** RFC 8200. */
export interface Ipv6Header {
  readonly layer: "ipv6";
  readonly trafficClass: number;
  readonly flowLabel: number;
  /** As the header says it: extensions and data. */
  readonly payloadBytes: number;
  readonly hopLimit: number;
  readonly source: string;
  readonly destination: string;
  /** Extension headers, in their order. */
  readonly extensions: readonly Ipv6Extension[];
  /** What follows the last extension that could be read. */
  readonly protocol: number;
}

/** An extension header. */
export interface Ipv6Extension {
  readonly protocol: number;
  readonly bytes: Uint8Array;
  /** Of a fragment header. */
  readonly fragment?: { readonly offset: number; readonly more: boolean; readonly identification: number };
}

/** RFC 792. */
export interface IcmpMessage {
  readonly layer: "icmp";
  readonly type: number;
  readonly code: number;
  readonly checksum: number;
  /** The second word: identifier and sequence number, gateway, MTU or a pointer, by the type. */
  readonly rest: number;
  /** Bytes, its header included. */
  readonly length: number;
  /** The packet that an error is about, as far as it is there. */
  readonly original?: Packet;
}

/** RFC 4443, RFC 4861. */
export interface Icmp6Message {
  readonly layer: "icmp6";
  readonly type: number;
  readonly code: number;
  readonly checksum: number;
  /** The second word: identifier and sequence number, MTU or a pointer, by the type. */
  readonly rest: number;
  readonly length: number;
  /** Of neighbor discovery. */
  readonly target?: string;
  readonly original?: Packet;
}

/** RFC 9293. */
export interface TcpHeader {
  readonly layer: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly headerBytes: number;
  /** The eight flags and AE: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128, AE 256. */
  readonly flags: number;
  readonly window: number;
  readonly checksum: number;
  readonly urgent: number;
  readonly options: readonly TcpOption[];
  /** Bytes of data that the packet was sent with; less may be there. */
  readonly dataBytes: number;
}

/** RFC 9293, RFC 7323, RFC 2018. */
export type TcpOption =
  | { readonly option: "end" }
  | { readonly option: "nop" }
  | { readonly option: "mss"; readonly bytes: number }
  | { readonly option: "windowScale"; readonly shift: number }
  | { readonly option: "sackPermitted" }
  | { readonly option: "sack"; readonly blocks: readonly (readonly [left: number, right: number])[] }
  | { readonly option: "timestamps"; readonly value: number; readonly echo: number }
  | { readonly option: "other"; readonly kind: number; readonly data: Uint8Array }
  /** Its length does not fit; nothing behind it was read. */
  | { readonly option: "malformed"; readonly kind: number };

/** RFC 768. */
export interface UdpHeader {
  readonly layer: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** As the header says it: header and data. */
  readonly length: number;
  readonly checksum: number;
}

/** A header that is not all there, or contradicts itself. It is the last. */
export interface Unreadable {
  readonly layer: "truncated" | "malformed";
  /** Which header it would be: "tcp". */
  readonly of: string;
}

/** Every header that is decoded. */
export type Header =
  | EthernetHeader
  | ArpPacket
  | Ipv4Header
  | Ipv6Header
  | IcmpMessage
  | Icmp6Message
  | TcpHeader
  | UdpHeader
  | Unreadable;

/** A packet: its headers from the outside in, and what follows the last of them. */
export interface Packet {
  readonly headers: readonly Header[];
  /** A view of the packet's bytes; padding behind an IP packet does not belong to it. */
  readonly payload: Uint8Array;
  /** Bytes that an IP header announces and that were not captured; 0: none. */
  readonly missingBytes: number;
}
