// Captures as files: the blocks of pcapng (draft-ietf-opsawg-pcapng), as bytes. Who writes them where it does not know.
// Numbers are in little-endian order; the section header says so.

/** Link-layer header types, as the tcpdump project registers them. */
export const LINKTYPE_ETHERNET = 1;
/** No link layer: IPv4 or IPv6 by its version. */
export const LINKTYPE_RAW = 101;
/** A header that the reader of an AF_PACKET SOCK_DGRAM socket makes up: packet(7). */
export const LINKTYPE_LINUX_SLL = 113;

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const OPTION_END = 0;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const IF_FILTER = 11;
const ISB_IFRECV = 4;
const ISB_IFDROP = 5;
/** 10^-9 s. */
const NANOSECONDS = 9;

type Option = readonly [code: number, value: Uint8Array];

const padded = (length: number): number => (length + 3) & ~3;

/** A block: its type, its length before and after, its body and its options. */
function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const optionBytes =
    options.length === 0 ? 0 : options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 4);
  const length = 12 + padded(body.length) + optionBytes;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(body, 8);
  let at = 8 + padded(body.length);
  for (const [code, value] of options) {
    view.setUint16(at, code, true);
    view.setUint16(at + 2, value.length, true);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  if (options.length > 0) view.setUint16(at, OPTION_END, true);
  view.setUint32(length - 4, length, true);
  return bytes;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value).subarray(0, 65_535);

/** Nanoseconds since 1970 as two halves, the upper one first. */
function setTime(view: DataView, at: number, time: bigint): void {
  view.setUint32(at, Number((time >> 32n) & 0xffff_ffffn), true);
  view.setUint32(at + 4, Number(time & 0xffff_ffffn), true);
}

/** The first block of a file. @param application  what wrote it. */
export function pcapngSection(application: string): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true); // version 1.0
  view.setBigInt64(8, -1n, true); // length not known beforehand
  return block(SECTION_HEADER, body, [[SHB_USERAPPL, text(application)]]);
}

/** An interface of a capture. */
export interface PcapngInterface {
  /** LINKTYPE_*: what its packets begin with. */
  readonly linkType: number;
  /** Bytes of a packet kept at most; 0: all. */
  readonly snapBytes: number;
  readonly name?: string;
  /** The expression that its packets matched. */
  readonly filter?: string;
}

/** An interface; the first one after the section is interface 0. Times of its packets are in nanoseconds. */
export function pcapngInterface({ linkType, snapBytes, name, filter }: PcapngInterface): Uint8Array {
  const body = new Uint8Array(8);
  const view = new DataView(body.buffer);
  view.setUint16(0, linkType, true);
  view.setUint32(4, snapBytes, true);
  const options: Option[] = [[IF_TSRESOL, Uint8Array.of(NANOSECONDS)]];
  if (name !== undefined) options.unshift([IF_NAME, text(name)]);
  // 0: a filter in libpcap's language follows.
  if (filter !== undefined) options.push([IF_FILTER, Uint8Array.of(0, ...text(filter))]);
  return block(INTERFACE_DESCRIPTION, body, options);
}

/** A captured packet. */
export interface PcapngPacket {
  /** Index of its interface. */
  readonly interface: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly bytes: Uint8Array;
  /** How long it was on the wire; `bytes` may be less. */
  readonly originalBytes: number;
}

/** A packet. */
export function pcapngPacket({ interface: index, time, bytes, originalBytes }: PcapngPacket): Uint8Array {
  const body = new Uint8Array(20 + bytes.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, index, true);
  setTime(view, 4, time);
  view.setUint32(12, bytes.length, true);
  view.setUint32(16, originalBytes, true);
  body.set(bytes, 20);
  return block(ENHANCED_PACKET, body, []);
}

/** What an interface's capture came to. */
export interface PcapngStatistics {
  readonly interface: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  /** Packets that passed the filter, those dropped included. */
  readonly received: number;
  /** Packets lost for want of room. */
  readonly dropped: number;
}

/** The end of an interface's capture. */
export function pcapngStatistics({
  interface: index,
  time,
  received,
  dropped,
}: PcapngStatistics): Uint8Array {
  const body = new Uint8Array(12);
  const view = new DataView(body.buffer);
  view.setUint32(0, index, true);
  setTime(view, 4, time);
  const count = (value: number): Uint8Array => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
    return bytes;
  };
  return block(INTERFACE_STATISTICS, body, [
    [ISB_IFRECV, count(received)],
    [ISB_IFDROP, count(dropped)],
  ]);
}
