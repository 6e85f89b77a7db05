// Ethernet with VLAN tags (IEEE 802.3, 802.1Q, 802.1ad), and ARP (RFC 826).

import { formatIPv4 } from "../socket/address/text.ts";
import { hex, linkAddress, u16, u32 } from "./bytes.ts";
import type { ArpPacket, EthernetHeader, VlanTag } from "./headers.ts";
import { ETHERTYPE_IPV4, ETHERTYPE_QINQ, ETHERTYPE_VLAN } from "./numbers.ts";

/** Two addresses and an EtherType. */
const ETHERNET_BYTES = 14;
const TAG_BYTES = 4;
/** Standards have two; more are read as unknown data. */
const TAGS_MAX = 4;
const ARP_FIXED_BYTES = 8;

/** An Ethernet header and its size; undefined: it is not all there. */
export function decodeEthernet(bytes: Uint8Array): [header: EthernetHeader, size: number] | undefined {
  if (bytes.length < ETHERNET_BYTES) return undefined;
  const tags: VlanTag[] = [];
  let size = ETHERNET_BYTES;
  let etherType = u16(bytes, 12);
  while ((etherType === ETHERTYPE_VLAN || etherType === ETHERTYPE_QINQ) && tags.length < TAGS_MAX) {
    if (bytes.length < size + TAG_BYTES) return undefined;
    const control = u16(bytes, size);
    tags.push({
      etherType,
      priority: control >> 13,
      dropEligible: (control & 0x1000) !== 0,
      id: control & 0xfff,
    });
    etherType = u16(bytes, size + 2);
    size += TAG_BYTES;
  }
  const destination = linkAddress(bytes.subarray(0, 6));
  const source = linkAddress(bytes.subarray(6, 12));
  return [{ layer: "ethernet", destination, source, tags, etherType }, size];
}

/** An ARP packet and its size; undefined: it is not all there. */
export function decodeArp(bytes: Uint8Array): [header: ArpPacket, size: number] | undefined {
  if (bytes.length < ARP_FIXED_BYTES) return undefined;
  const hardwareBytes = bytes[4] as number;
  const protocolBytes = bytes[5] as number;
  const size = ARP_FIXED_BYTES + 2 * (hardwareBytes + protocolBytes);
  if (bytes.length < size) return undefined;
  const protocolType = u16(bytes, 2);
  let at = ARP_FIXED_BYTES;
  const take = (length: number): Uint8Array => bytes.subarray(at, (at += length));
  const protocol = (address: Uint8Array): string =>
    protocolType === ETHERTYPE_IPV4 && address.length === 4 ? formatIPv4(u32(address, 0)) : hex(address);
  const header: ArpPacket = {
    layer: "arp",
    hardwareType: u16(bytes, 0),
    protocolType,
    operation: u16(bytes, 6),
    senderHardware: linkAddress(take(hardwareBytes)),
    senderProtocol: protocol(take(protocolBytes)),
    targetHardware: linkAddress(take(hardwareBytes)),
    targetProtocol: protocol(take(protocolBytes)),
    length: bytes.length,
  };
  return [header, size];
}
