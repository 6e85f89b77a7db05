// Packets made for tests, layer by layer, with correct lengths and checksums. Written from the RFCs apart from the
// decoders that they test.

const be16 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
};
const be32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};

/** RFC 1071, word by word. */
export function checksumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += (bytes[at] as number) * 256 + (bytes[at + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum ^ 0xffff;
}

/** "10.0.0.1" as 4 bytes, "fd00::1" as 16. */
export function address(text: string): Buffer {
  if (!text.includes(":")) return Buffer.from(text.split(".").map(Number));
  const [head = "", tail] = text.split("::");
  const words = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail ?? "")];
  return be16(...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after);
}

export const MAC_A = "020000000001";
export const MAC_B = "020000000002";

export function ethernet(etherType: number, payload: Uint8Array, tags: readonly number[] = []): Buffer {
  const tagged = tags.map((control) => be16(0x8100, control));
  return Buffer.concat([Buffer.from(MAC_B + MAC_A, "hex"), ...tagged, be16(etherType), payload]);
}

export interface Ipv4Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly ttl?: number;
  /** Flags and offset, as the header has them. */
  readonly fragment?: number;
  readonly options?: Uint8Array;
  readonly totalBytes?: number;
}

export function ipv4(protocol: number, payload: Uint8Array, fields: Ipv4Fields = {}): Buffer {
  const {
    destination = "10.0.0.2",
    fragment = 0x4000,
    options = Buffer.alloc(0),
    source = "10.0.0.1",
  } = fields;
  const length = 20 + options.length;
  const header = Buffer.concat([
    Buffer.from([0x40 | (length / 4), 0]),
    be16(fields.totalBytes ?? length + payload.length, 0x1234, fragment),
    Buffer.from([fields.ttl ?? 64, protocol, 0, 0]),
    address(source),
    address(destination),
    options,
  ]);
  header.writeUInt16BE(checksumOf(header), 10);
  return Buffer.concat([header, payload]);
}

export interface Ipv6Fields {
  readonly source?: string;
  readonly destination?: string;
  readonly payloadBytes?: number;
}

export function ipv6(nextHeader: number, payload: Uint8Array, fields: Ipv6Fields = {}): Buffer {
  const { destination = "fd00::2", payloadBytes = payload.length, source = "fd00::1" } = fields;
  return Buffer.concat([
    be32(0x60000000),
    be16(payloadBytes),
    Buffer.from([nextHeader, 64]),
    address(source),
    address(destination),
    payload,
  ]);
}

export interface TcpFields {
  readonly ports?: readonly [number, number];
  readonly flags?: number;
  readonly options?: Uint8Array;
  readonly sequence?: number;
  readonly urgent?: number;
}

export function tcp(payload: Uint8Array, fields: TcpFields = {}): Buffer {
  const { flags = 0x18, options = Buffer.alloc(0), ports = [40_000, 50_000], sequence = 1000 } = fields;
  const word = ((20 + options.length) / 4) * 4096 + flags;
  return Buffer.concat([
    be16(...ports),
    be32(sequence, 2000),
    be16(word, 512, 0, fields.urgent ?? 0),
    options,
    payload,
  ]);
}

export function udp(payload: Uint8Array, ports: readonly [number, number] = [40_000, 50_000]): Buffer {
  return Buffer.concat([be16(...ports, 8 + payload.length, 0), payload]);
}

export function icmp(type: number, code: number, rest: number, payload: Uint8Array): Buffer {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0]), be32(rest), payload]);
  message.writeUInt16BE(checksumOf(message), 2);
  return message;
}

export function arp(operation: number, targetHardware = "000000000000"): Buffer {
  return Buffer.concat([
    be16(1, 0x0800, 0x0604, operation),
    Buffer.from(MAC_A, "hex"),
    address("10.0.0.1"),
    Buffer.from(targetHardware, "hex"),
    address("10.0.0.2"),
  ]);
}

/** An IPv6 extension header of options. */
export function extension(next: number, bytes = 8): Buffer {
  return Buffer.concat([Buffer.from([next, bytes / 8 - 1, 1, bytes - 4]), Buffer.alloc(bytes - 4)]);
}

/** An IPv6 fragment header; `offset` in bytes. */
export function fragment6(next: number, offset: number, more: boolean): Buffer {
  return Buffer.concat([Buffer.from([next, 0]), be16(offset | (more ? 1 : 0)), be32(0x01020304)]);
}

const TIMESTAMPS = Buffer.from("0101080a0000000100000002", "hex");
const SYN_OPTIONS = Buffer.from("020405b40402080a000000010000000001030307", "hex");
const SACK = Buffer.from("0101051200000001000000020000000300000004", "hex");
const DATA = Buffer.from("hello, packet");

/** Ethernet frames of every kind that is decoded, by name. */
export const FRAMES: Readonly<Record<string, Buffer>> = {
  "TCP SYN": ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { flags: 0x02, options: SYN_OPTIONS }))),
  "TCP data": ethernet(0x0800, ipv4(6, tcp(DATA, { options: TIMESTAMPS }))),
  "TCP SACK": ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { flags: 0x10, options: SACK }))),
  "TCP FIN": ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { flags: 0x11 }))),
  "TCP RST": ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { flags: 0x04 }))),
  "TCP urgent": ethernet(0x0800, ipv4(6, tcp(DATA, { flags: 0x38, urgent: 3 }))),
  "TCP ECN": ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { flags: 0xc2 }))),
  "TCP without flags": ethernet(0x0800, ipv4(6, tcp(Buffer.alloc(0), { flags: 0 }))),
  "TCP wrapping": ethernet(0x0800, ipv4(6, tcp(DATA, { sequence: 0xffff_fffe }))),
  "TCP over IPv6": ethernet(0x86dd, ipv6(6, tcp(DATA, { options: TIMESTAMPS }))),
  "TCP unknown option": ethernet(
    0x0800,
    ipv4(6, tcp(Buffer.alloc(0), { flags: 0x10, options: Buffer.from("c804aabb", "hex") })),
  ),
  UDP: ethernet(0x0800, ipv4(17, udp(DATA))),
  "UDP empty": ethernet(0x0800, ipv4(17, udp(Buffer.alloc(0)))),
  "UDP over IPv6": ethernet(0x86dd, ipv6(17, udp(DATA))),
  "UDP with IP options": ethernet(0x0800, ipv4(17, udp(DATA), { options: Buffer.from([1, 1, 1, 0]) })),
  "UDP padded": Buffer.concat([ethernet(0x0800, ipv4(17, udp(Buffer.from("x")))), Buffer.alloc(17)]),
  "UDP in a VLAN": ethernet(0x0800, ipv4(17, udp(DATA)), [0x2005]),
  "first fragment": ethernet(0x0800, ipv4(17, udp(DATA), { fragment: 0x2000 })),
  "later fragment": ethernet(0x0800, ipv4(17, DATA, { fragment: 0x00b9 })),
  "IPv6 first fragment": ethernet(0x86dd, ipv6(44, Buffer.concat([fragment6(17, 0, true), udp(DATA)]))),
  "IPv6 later fragment": ethernet(0x86dd, ipv6(44, Buffer.concat([fragment6(17, 1448, false), DATA]))),
  "IPv6 hop-by-hop": ethernet(0x86dd, ipv6(0, Buffer.concat([extension(17), udp(DATA)]))),
  "IPv6 destination options": ethernet(0x86dd, ipv6(60, Buffer.concat([extension(17), udp(DATA)]))),
  "IPv6 no next header": ethernet(0x86dd, ipv6(59, Buffer.alloc(0))),
  "ICMP echo": ethernet(0x0800, ipv4(1, icmp(8, 0, 0x00070001, DATA))),
  "ICMP reply": ethernet(0x0800, ipv4(1, icmp(0, 0, 0x00070001, DATA))),
  "ICMP port unreachable": ethernet(
    0x0800,
    ipv4(1, icmp(3, 3, 0, ipv4(17, udp(DATA, [1234, 9]), { source: "10.0.0.2", destination: "10.0.0.1" }))),
  ),
  "ICMP host unreachable": ethernet(0x0800, ipv4(1, icmp(3, 1, 0, ipv4(17, udp(DATA))))),
  "ICMP fragmentation needed": ethernet(0x0800, ipv4(1, icmp(3, 4, 1400, ipv4(6, tcp(DATA))))),
  "ICMP time exceeded": ethernet(0x0800, ipv4(1, icmp(11, 0, 0, ipv4(17, udp(DATA), { ttl: 1 })))),
  "ICMP redirect": ethernet(0x0800, ipv4(1, icmp(5, 1, 0x0a000003, ipv4(17, udp(DATA))))),
  "ICMPv6 echo": ethernet(0x86dd, ipv6(58, icmp(128, 0, 0x00070001, DATA))),
  "ICMPv6 reply": ethernet(0x86dd, ipv6(58, icmp(129, 0, 0x00070001, DATA))),
  "ICMPv6 port unreachable": ethernet(0x86dd, ipv6(58, icmp(1, 4, 0, ipv6(17, udp(DATA, [1234, 9]))))),
  "ICMPv6 too big": ethernet(0x86dd, ipv6(58, icmp(2, 0, 1280, ipv6(6, tcp(DATA))))),
  "ICMPv6 time exceeded": ethernet(0x86dd, ipv6(58, icmp(3, 0, 0, ipv6(17, udp(DATA))))),
  "neighbor solicitation": ethernet(0x86dd, ipv6(58, icmp(135, 0, 0, address("fd00::2")))),
  "neighbor advertisement": ethernet(0x86dd, ipv6(58, icmp(136, 0, 0x60000000, address("fd00::2")))),
  "ARP request": ethernet(0x0806, arp(1)),
  "ARP reply": ethernet(0x0806, arp(2, MAC_B)),
  "ARP request, known target": ethernet(0x0806, arp(1, MAC_B)),
  "IP in IP": ethernet(
    0x0800,
    ipv4(4, ipv4(17, udp(DATA), { source: "192.0.2.1", destination: "192.0.2.2" })),
  ),
  "IPv6 in IPv4": ethernet(0x0800, ipv4(41, ipv6(17, udp(DATA)))),
  "IP, unknown protocol": ethernet(0x0800, ipv4(253, DATA)),
  "unknown EtherType": ethernet(0x88b5, DATA),
};
