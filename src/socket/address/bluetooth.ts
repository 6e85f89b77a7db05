// AF_BLUETOOTH: struct sockaddr_l2, sockaddr_rc, sockaddr_hci, sockaddr_sco, by the socket's protocol. A device address
// is six bytes, the last part of its text first; PSM and channel identifiers are little-endian on every machine.
// Source: the kernel's include/net/bluetooth/*.h.

import {
  BDADDR_BREDR,
  BTPROTO_HCI,
  BTPROTO_L2CAP,
  BTPROTO_RFCOMM,
  BTPROTO_SCO,
  HCI_CHANNEL_RAW,
  HCI_DEV_NONE,
} from "../../constants/bluetooth.ts";
import { EPROTONOSUPPORT } from "../../constants/errors.ts";
import { AF_BLUETOOTH } from "../../constants/families.ts";
import { SocketError, invalidArgument } from "../errors.ts";
import { checkNumber, checkTuple } from "./check.ts";
import type { HciAddress, L2capAddress, RfcommAddress, ScoAddress, UnknownAddress } from "./types.ts";
import { readU16, writeFamily, writeU16 } from "./view.ts";

/** Any device; to bind with. */
export const BDADDR_ANY = "00:00:00:00:00:00";

/** This device. */
export const BDADDR_LOCAL = "00:00:00:FF:FF:FF";

const L2CAP_LENGTH = 14;
const RFCOMM_LENGTH = 10;
const HCI_LENGTH = 6;
const SCO_LENGTH = 8;

function device(view: Uint8Array, at: number): string {
  const parts: string[] = [];
  for (let i = 5; i >= 0; i--)
    parts.push((view[at + i] as number).toString(16).padStart(2, "0").toUpperCase());
  return parts.join(":");
}

/** The six bytes of "12:23:34:45:56:67", in the order in which they lie in memory. */
function checkDevice(value: unknown): number[] {
  if (typeof value !== "string" || !/^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i.test(value))
    throw invalidArgument("bdaddr", 'a device address like "12:23:34:45:56:67"', value);
  return value
    .split(":")
    .map((part) => Number.parseInt(part, 16))
    .toReversed();
}

function littleEndian(view: Uint8Array, at: number): number {
  return (view[at] as number) | ((view[at + 1] as number) << 8);
}

/** The address in a view. */
export function decodeBluetooth(
  view: Uint8Array,
  length: number,
  proto: number,
): L2capAddress | RfcommAddress | HciAddress | ScoAddress | UnknownAddress {
  if (proto === BTPROTO_L2CAP) {
    const cid = littleEndian(view, 10);
    const type = view[12] as number;
    if (type !== BDADDR_BREDR) return [device(view, 4), littleEndian(view, 2), cid, type];
    return cid === 0
      ? [device(view, 4), littleEndian(view, 2)]
      : [device(view, 4), littleEndian(view, 2), cid];
  }
  if (proto === BTPROTO_RFCOMM) return [device(view, 2), view[8] as number];
  if (proto === BTPROTO_SCO) return device(view, 2);
  if (proto !== BTPROTO_HCI) return [AF_BLUETOOTH, Buffer.from(view.subarray(2, Math.max(length, 2)))];
  const channel = readU16(view, 4);
  return channel === HCI_CHANNEL_RAW ? [readU16(view, 2)] : [readU16(view, 2), channel];
}

function encodeL2cap(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[bdaddr, psm, cid?, bdaddr_type?]", 2, 4);
  const bytes = checkDevice(fields[0]);
  const psm = checkNumber("psm", fields[1], 0, 0xffff);
  const cid = checkNumber("cid", fields[2] ?? 0, 0, 0xffff);
  const type = checkNumber("bdaddr_type", fields[3] ?? BDADDR_BREDR, 0, 0xff);
  writeFamily(view, AF_BLUETOOTH, L2CAP_LENGTH);
  view[2] = psm;
  view[3] = psm >> 8;
  view.set(bytes, 4);
  view[10] = cid;
  view[11] = cid >> 8;
  view[12] = type;
  return L2CAP_LENGTH;
}

function encodeRfcomm(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[bdaddr, channel]", 2, 2);
  const bytes = checkDevice(fields[0]);
  const channel = checkNumber("channel", fields[1], 0, 0xff);
  writeFamily(view, AF_BLUETOOTH, RFCOMM_LENGTH);
  view.set(bytes, 2);
  view[8] = channel;
  return RFCOMM_LENGTH;
}

function encodeHci(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[device_id, channel?]", 1, 2);
  const id = checkNumber("device_id", fields[0], 0, HCI_DEV_NONE);
  const channel = checkNumber("channel", fields[1] ?? HCI_CHANNEL_RAW, 0, 0xffff);
  writeFamily(view, AF_BLUETOOTH, HCI_LENGTH);
  writeU16(view, 2, id);
  writeU16(view, 4, channel);
  return HCI_LENGTH;
}

function encodeSco(address: unknown, view: Uint8Array): number {
  const bytes = checkDevice(address);
  writeFamily(view, AF_BLUETOOTH, SCO_LENGTH);
  view.set(bytes, 2);
  return SCO_LENGTH;
}

/** Writes an address into a view; its length in bytes. */
export function encodeBluetooth(address: unknown, view: Uint8Array, proto: number): number {
  if (proto === BTPROTO_L2CAP) return encodeL2cap(address, view);
  if (proto === BTPROTO_RFCOMM) return encodeRfcomm(address, view);
  if (proto === BTPROTO_HCI) return encodeHci(address, view);
  if (proto === BTPROTO_SCO) return encodeSco(address, view);
  throw new SocketError("encodeAddress", -EPROTONOSUPPORT, { hint: `Bluetooth protocol ${proto}` });
}
