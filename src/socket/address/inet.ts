// AF_INET: struct sockaddr_in. Port and address are in network order; ip(7). Hosts here are numeric: names are looked
// up elsewhere.

import { EAI_NONAME } from "../../constants/names.ts";
import { AF_INET } from "../../constants/families.ts";
import { AddressError } from "../errors.ts";
import { checkNumber, checkText, checkTuple } from "./check.ts";
import { formatIPv4, parseIPv4 } from "./text.ts";
import type { InetAddress } from "./types.ts";
import { readU16BE, readU32BE, writeFamily, writeU16BE, writeU32BE } from "./view.ts";

const LENGTH = 16;

// The texts of addresses seen lately. A server hears from few hosts at a time, so most accepts find theirs here. One
// slot per hash, the newest wins: it never grows, and nothing needs to be evicted.
const SLOTS_BITS = 10;
const keys = new Uint32Array(1 << SLOTS_BITS);
const texts: (string | undefined)[] = new Array<string | undefined>(1 << SLOTS_BITS).fill(undefined);

/** The text of an IPv4 address in host order, from the cache where it is there. */
function hostOf(address: number): string {
  const slot = Math.imul(address, 0x9e3779b1) >>> (32 - SLOTS_BITS);
  const known = texts[slot];
  if (known !== undefined && keys[slot] === address) return known;
  keys[slot] = address;
  return (texts[slot] = formatIPv4(address));
}

/** The address in a view. */
export function decodeInet(view: Uint8Array): InetAddress {
  return [hostOf(readU32BE(view, 4)), readU16BE(view, 2)];
}

function parseHost(host: string): number {
  if (host === "") return 0;
  if (host === "<broadcast>") return 0xffff_ffff;
  const address = parseIPv4(host);
  if (address < 0) throw AddressError.gai("inet_pton", EAI_NONAME, host);
  return address;
}

/** Writes an address into a view; its length in bytes. */
export function encodeInet(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[host, port]", 2, 2);
  const host = parseHost(checkText("host", fields[0]));
  const port = checkNumber("port", fields[1], 0, 65_535);
  writeFamily(view, AF_INET, LENGTH);
  writeU16BE(view, 2, port);
  writeU32BE(view, 4, host);
  return LENGTH;
}

/** An address as one whole number below 2^48. */
export function packInet(address: readonly unknown[]): number {
  const host = parseIPv4(String(address[0]));
  return (host < 0 ? 0 : host) * 65_536 + Number(address[1]);
}

/** The tuple of packInet's number. */
export function unpackInet(packed: number): InetAddress {
  return [hostOf(Math.floor(packed / 65_536)), packed % 65_536];
}
