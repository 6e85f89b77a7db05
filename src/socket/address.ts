// Addresses between their tuples and the bytes that the kernel takes: picks the family's file in address/. Bytes and
// tuples only: no call is made and no name is looked up here.

import {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_UNIX,
  AF_VSOCK,
} from "../constants/families.ts";
import { EAFNOSUPPORT } from "../constants/errors.ts";
import { decodeAlg, encodeAlg } from "./address/alg.ts";
import { decodeBluetooth, encodeBluetooth } from "./address/bluetooth.ts";
import { decodeCan, encodeCan } from "./address/can.ts";
import { decodeInet, encodeInet } from "./address/inet.ts";
import { decodeInet6, encodeInet6 } from "./address/inet6.ts";
import { decodeNetlink, encodeNetlink } from "./address/netlink.ts";
import { decodePacket, encodePacket } from "./address/packet.ts";
import { decodeQrtr, encodeQrtr } from "./address/qrtr.ts";
import { decodeTipc, encodeTipc } from "./address/tipc.ts";
import type { Address, AnyAddress } from "./address/types.ts";
import { decodeUnix, encodeUnix } from "./address/unix.ts";
import { readFamily, readLength } from "./address/view.ts";
import { decodeVsock, encodeVsock } from "./address/vsock.ts";
import { SocketError } from "./errors.ts";

export { BDADDR_ANY, BDADDR_LOCAL } from "./address/bluetooth.ts";
export { formatAddress } from "./address/format.ts";
export type { Address, AnyAddress } from "./address/types.ts";
export { makeAddressView } from "./address/view.ts";

/** One family: its bytes to a tuple and back. `proto` is the socket's, for families whose addresses depend on it. */
interface Codec {
  decode(view: Uint8Array, length: number, proto: number): AnyAddress;
  encode(address: unknown, view: Uint8Array, proto: number): number;
}

const table: readonly (readonly [family: number, codec: Codec])[] = [
  [AF_INET, { decode: decodeInet, encode: encodeInet }],
  [AF_INET6, { decode: decodeInet6, encode: encodeInet6 }],
  [AF_UNIX, { decode: decodeUnix, encode: encodeUnix }],
  [AF_NETLINK, { decode: decodeNetlink, encode: encodeNetlink }],
  [AF_PACKET, { decode: decodePacket, encode: encodePacket }],
  [AF_VSOCK, { decode: decodeVsock, encode: encodeVsock }],
  [AF_CAN, { decode: decodeCan, encode: encodeCan }],
  [AF_ALG, { decode: decodeAlg, encode: encodeAlg }],
  [AF_BLUETOOTH, { decode: decodeBluetooth, encode: encodeBluetooth }],
  [AF_TIPC, { decode: decodeTipc, encode: encodeTipc }],
  [AF_QIPCRTR, { decode: decodeQrtr, encode: encodeQrtr }],
  // RDS speaks of hosts with IPv4's addresses.
  [AF_RDS, { decode: decodeInet, encode: encodeInet }],
];

/** Without the families that this system has no number for. */
const codecs: ReadonlyMap<number, Codec> = new Map(table.filter(([family]) => family >= 0));

/**
 * Writes an address into a view.
 *
 * @param family   the socket's, AF_*.
 * @param address  the family's tuple; hosts are numeric, or "" for every address.
 * @param view     from makeAddressView(); bytes 0 to the returned length are overwritten.
 * @param proto    the socket's protocol number, for families whose addresses depend on it. Default 0.
 * @returns the address's length in bytes.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: not the family's shape. @throws {RangeError} ERR_OUT_OF_RANGE: a field.
 * @throws {AddressError} EAI_NONAME: the host is not numeric. @throws {SocketError} EAFNOSUPPORT: an unknown family.
 */
export function encodeAddress(family: number, address: AnyAddress, view: Uint8Array, proto = 0): number {
  const codec = codecs.get(family);
  if (codec === undefined)
    throw new SocketError("encodeAddress", -EAFNOSUPPORT, { text: `address family ${family}` });
  return codec.encode(address, view, proto);
}

/**
 * Reads the address that the kernel wrote into a view.
 *
 * @param view   address in bytes 0..127, its length as a u32 at 128.
 * @param proto  the socket's protocol number, for families whose addresses depend on it. Default 0.
 * @returns the family's tuple; `null` when the kernel wrote no address (recvfrom on a stream). For a family that is not
 *   known here, as in CPython: `[family, bytes]`. The type is the caller's to say: it knows its socket.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function decodeAddress<A extends AnyAddress | null = Address>(view: Uint8Array, proto = 0): A {
  const length = readLength(view);
  const family = readFamily(view);
  // The hot path of accept, before the table.
  if (family === AF_INET && length > 0) return decodeInet(view) as AnyAddress as A;
  return decodeOther(view, length, family, proto) as A;
}

function decodeOther(view: Uint8Array, length: number, family: number, proto: number): AnyAddress | null {
  if (length === 0) return null;
  const codec = codecs.get(family);
  return codec === undefined
    ? [family, Buffer.from(view.subarray(2, length))]
    : codec.decode(view, length, proto);
}
