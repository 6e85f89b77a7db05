// Packets of one interface, or of all of them, as the kernel hands them over: whole Ethernet frames where there are such,
// packets without their link-layer header elsewhere. Each comes with its time, where it came by, and its headers decoded.
// It writes and prints nothing. packet(7).

import * as b from "../index.ts";
import type { PacketAddress, PacketStatistics, Socket } from "../index.ts";
import { compileFilter, decodePacket, LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL } from "../packet/index.ts";
import type { Packet } from "../packet/index.ts";

/** More of a packet than any interface hands over but for those of BIG TCP; as much as tcpdump keeps. */
export const SNAP_BYTES = 262_144;
/** Packets taken at a time: 8 MiB of memory, little of which is ever touched. */
const BATCH_PACKETS = 32;
/** Room in the kernel for what is not read yet; without the right to so much it is what net.core.rmem_max allows. */
const RECEIVE_BUFFER_BYTES = 8 << 20;
/** A time and a struct tpacket_auxdata. */
const CONTROL_BYTES: number = b.CMSG_SPACE(16) + b.CMSG_SPACE(20);
/** Two addresses, behind which tags of VLANs stand. */
const MAC_BYTES = 12;
const ETHERTYPE_VLAN = 0x8100;
/** Direction, hardware type, length of the address, eight bytes of it, protocol. */
const SLL_BYTES = 16;

/** What to capture. */
export interface CaptureWish {
  /** undefined: all of them. */
  readonly interface: string | undefined;
  /** pcap-filter(7). */
  readonly filter: string | undefined;
  /** Also what is for others. */
  readonly promiscuous: boolean;
}

/** One packet. Its bytes are views, good until the next receive. */
export interface Captured {
  /** Nanoseconds since 1970, by the kernel. */
  readonly time: bigint;
  readonly interface: string;
  /** PACKET_HOST, PACKET_OUTGOING … */
  readonly direction: number;
  /** What it carries, as its link announces it. */
  readonly etherType: number;
  /** As the source's `linkType` has it. */
  readonly bytes: Uint8Array;
  /** How long it was; `bytes` may be less. */
  readonly originalBytes: number;
  /** The tag of a VLAN that is not among the headers: priority and number. */
  readonly vlan: number | undefined;
  readonly packet: Packet;
  /** Behind the link's header. */
  readonly network: Uint8Array;
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

/** A socket of the right type for the interface, which receives nothing yet. */
function openSocket(name: string): { readonly socket: Socket; readonly kind: number } {
  const frames = b.socket(b.AF_PACKET, b.SOCK_RAW, 0);
  try {
    if (name !== "") {
      frames.bind([name, 0]);
      const [, , , kind = 0] = frames.getsockname<PacketAddress>();
      if (kind === b.ARPHRD_ETHER || kind === b.ARPHRD_LOOPBACK) return { socket: frames, kind };
    }
  } catch (error) {
    frames.close();
    throw error;
  }
  frames.close();
  return { socket: b.socket(b.AF_PACKET, b.SOCK_DGRAM, 0), kind: b.ARPHRD_VOID };
}

/** What goes out on loopback comes in again. Linux 4.20; elsewhere packet() sees to it. */
function ignoreOutgoing(socket: Socket): void {
  try {
    socket.options.PACKET_IGNORE_OUTGOING = true;
  } catch (error) {
    if (!(error instanceof b.SocketError && error.errno === b.ENOPROTOOPT)) throw error;
  }
}

/** Packets as they come. */
export class PacketSource implements Disposable {
  /** LINKTYPE_ETHERNET or LINKTYPE_LINUX_SLL. */
  readonly linkType: number;
  readonly #socket: Socket;
  /** Packets that were there twice. */
  #passedOver = 0;
  readonly #batch = new b.ReceiveBatch({
    messagesMax: BATCH_PACKETS,
    bytesMax: SNAP_BYTES,
    controlBytesMax: CONTROL_BYTES,
  });

  /**
   * Begins to capture.
   *
   * @throws {SocketError} EPERM: without CAP_NET_RAW. ENODEV: there is no such interface. ENETDOWN: it is down.
   * @throws {FilterError} ERR_FILTER_SYNTAX: of the filter.
   */
  constructor({ filter, interface: name = "", promiscuous }: CaptureWish) {
    const { socket, kind } = openSocket(name);
    this.#socket = socket;
    const isEthernet = kind !== b.ARPHRD_VOID;
    this.linkType = isEthernet ? LINKTYPE_ETHERNET : LINKTYPE_LINUX_SLL;
    try {
      const { options } = socket;
      options.SO_TIMESTAMPNS = true;
      options.PACKET_AUXDATA = true;
      try {
        options.SO_RCVBUFFORCE(RECEIVE_BUFFER_BYTES);
      } catch {
        options.SO_RCVBUF = RECEIVE_BUFFER_BYTES;
      }
      if (kind === b.ARPHRD_LOOPBACK) ignoreOutgoing(socket);
      if (filter !== undefined)
        options.SO_ATTACH_FILTER(compileFilter(filter, isEthernet ? "ethernet" : "none"));
      if (promiscuous && name !== "")
        options.PACKET_ADD_MEMBERSHIP({ ifindex: b.if_nametoindex(name), type: b.PACKET_MR_PROMISC });
      // The socket was made for no protocol, so that nothing could come before there was a filter: nothing is to be thrown
      // away now, as it is by who makes one for all protocols.
      socket.bind([name, b.ETH_P_ALL]);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  /** Waits for packets; how many came. What came before is gone. @throws {SocketError} ENETDOWN: the interface went down. */
  receive(signal: AbortSignal): Promise<number> {
    return this.#socket.recvmmsg(this.#batch, 0, { signal });
  }

  /** What the capture came to. Asked once: reading counts from 0 again. */
  statistics(): PacketStatistics {
    const { drops, packets } = this.#socket.options.PACKET_STATISTICS;
    return { drops, packets: Math.max(0, packets - this.#passedOver) };
  }

  /** Packet `i` of those that came; undefined: it goes out on loopback, and comes in as another one. */
  packet(i: number): Captured | undefined {
    const batch = this.#batch;
    const address = batch.address<PacketAddress>(i);
    const [name, protocol, direction = 0, kind = 0] = address;
    if (direction === b.PACKET_OUTGOING && kind === b.ARPHRD_LOOPBACK) {
      this.#passedOver++;
      return undefined;
    }
    const { PACKET_AUXDATA: beside, SCM_TIMESTAMPNS: time } = b.decode_ancillary(batch.ancillary(i));
    const isTagged = beside !== undefined && (beside.status & b.TP_STATUS_VLAN_VALID) !== 0;
    const isTagKnown = isTagged && (beside.status & b.TP_STATUS_VLAN_TPID_VALID) !== 0;
    // The kernel takes the outermost tag off; it belongs where it was.
    const tag = isTagged ? [isTagKnown ? beside.vlan_tpid : ETHERTYPE_VLAN, beside.vlan_tci] : [];
    const data = batch.data(i);
    const common = {
      time: time ?? BigInt(Date.now()) * 1_000_000n,
      interface: name,
      direction,
      etherType: protocol,
    };
    if (this.linkType === LINKTYPE_ETHERNET) {
      const [head, rest] = [data.subarray(0, MAC_BYTES), data.subarray(MAC_BYTES)];
      const bytes = isTagged ? Buffer.concat([head, ...tag.map(u16), rest]) : data;
      const packet = decodePacket(bytes);
      const [first] = packet.headers;
      const tags = first?.layer === "ethernet" ? first.tags.length : 0;
      const network = bytes.subarray(MAC_BYTES + 2 + tags * 4);
      const originalBytes = batch.length(i) + tag.length * 2;
      return { ...common, bytes, originalBytes, vlan: undefined, packet, network };
    }
    const packet = decodePacket(data, { etherType: protocol });
    const header = cookedHeader(address, isTagged ? [...tag, protocol] : [protocol]);
    const bytes = Buffer.concat([header, data]);
    return {
      ...common,
      bytes,
      originalBytes: batch.length(i) + header.length,
      vlan: tag[1],
      packet,
      network: data,
    };
  }
}

/** The header that stands for that of any link, LINKTYPE_LINUX_SLL; what `types` has beside the protocol is a tag. */
function cookedHeader(address: PacketAddress, types: readonly number[]): Buffer {
  const [, , direction = 0, kind = 0, hardware = new Uint8Array(0)] = address;
  const header = Buffer.alloc(SLL_BYTES - 2);
  header.writeUInt16BE(direction, 0);
  header.writeUInt16BE(kind, 2);
  header.writeUInt16BE(hardware.length, 4);
  header.set(hardware.subarray(0, 8), 6);
  return Buffer.concat([header, ...types.map(u16)]);
}
