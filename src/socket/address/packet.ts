// AF_PACKET: struct sockaddr_ll, packet(7). The protocol is in network order, the rest in the machine's.

import { AF_PACKET } from "../../constants/families.ts";
import { invalidArgument, outOfRange } from "../errors.ts";
import { checkNumber, checkTuple } from "./check.ts";
import { indexOfInterface, nameOfInterface } from "./interfaces.ts";
import type { PacketAddress } from "./types.ts";
import { readU16, readU16BE, readU32, writeFamily, writeU16, writeU16BE, writeU32 } from "./view.ts";

const LENGTH = 20;
const HARDWARE = 12; // where the hardware address begins
const HARDWARE_BYTES_MAX = 8;

/** The address in a view. Hardware addresses longer than 8 bytes (InfiniBand's have 20) come out whole. */
export function decodePacket(view: Uint8Array, length: number): PacketAddress {
  const end = Math.min(HARDWARE + (view[11] as number), Math.max(length, LENGTH));
  return [
    nameOfInterface(readU32(view, 4)),
    readU16BE(view, 2),
    view[10] as number,
    readU16(view, 8),
    Buffer.from(view.subarray(HARDWARE, end)),
  ];
}

/** Writes an address into a view; its length in bytes. */
export function encodePacket(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[ifname, proto, pkttype?, hatype?, addr?]", 2, 5);
  const proto = checkNumber("proto", fields[1], 0, 0xffff);
  const pkttype = checkNumber("pkttype", fields[2] ?? 0, 0, 0xff);
  const hatype = checkNumber("hatype", fields[3] ?? 0, 0, 0xffff);
  const hardware = fields[4] ?? new Uint8Array(0);
  if (!(hardware instanceof Uint8Array)) throw invalidArgument("addr", "a Uint8Array", hardware);
  if (hardware.length > HARDWARE_BYTES_MAX)
    throw outOfRange("addr", `at most ${HARDWARE_BYTES_MAX} bytes long`, hardware.length);
  const index = indexOfInterface(fields[0]);
  writeFamily(view, AF_PACKET, LENGTH);
  writeU16BE(view, 2, proto);
  writeU32(view, 4, index);
  writeU16(view, 8, hatype);
  view[10] = pkttype;
  view[11] = hardware.length;
  view.set(hardware, HARDWARE);
  return LENGTH;
}
