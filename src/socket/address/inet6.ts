// AF_INET6: struct sockaddr_in6. Port, flow information and address are in network order, the scope in the machine's;
// ipv6(7). Hosts here are numeric: names are looked up elsewhere.

import { EAI_NONAME } from "../../constants/names.ts";
import { AF_INET6 } from "../../constants/families.ts";
import { AddressError } from "../errors.ts";
import { checkNumber, checkText, checkTuple } from "./check.ts";
import { formatIPv6, parseIPv6 } from "./text.ts";
import type { Inet6Address } from "./types.ts";
import { readU16BE, readU32, readU32BE, writeFamily, writeU16BE, writeU32, writeU32BE } from "./view.ts";

const LENGTH = 28;

// As in inet.ts: one slot per hash, the newest wins. A key is the address's 16 bytes.
const SLOTS_BITS = 9;
const keys = new Uint8Array(16 << SLOTS_BITS);
const texts: (string | undefined)[] = new Array<string | undefined>(1 << SLOTS_BITS).fill(undefined);

function hostOf(view: Uint8Array): string {
  let hash = 0;
  for (let at = 8; at < 24; at += 4) hash = Math.imul(hash ^ readU32BE(view, at), 0x9e3779b1);
  const slot = hash >>> (32 - SLOTS_BITS);
  const known = texts[slot];
  const key = slot * 16;
  if (known !== undefined) {
    let same = 0;
    while (same < 16 && keys[key + same] === view[8 + same]) same++;
    if (same === 16) return known;
  }
  for (let i = 0; i < 16; i++) keys[key + i] = view[8 + i] as number;
  return (texts[slot] = formatIPv6(view, 8));
}

/** The address in a view. */
export function decodeInet6(view: Uint8Array): Inet6Address {
  return [hostOf(view), readU16BE(view, 2), readU32BE(view, 4), readU32(view, 24)];
}

const parsed = new Uint8Array(16);

/** Writes an address into a view; its length in bytes. */
export function encodeInet6(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[host, port] or [host, port, flowinfo, scope_id]", 2, 4);
  const host = checkText("host", fields[0]);
  const port = checkNumber("port", fields[1], 0, 65_535);
  const flowinfo = checkNumber("flowinfo", fields[2] ?? 0, 0, 0xf_ffff);
  const scope = checkNumber("scope_id", fields[3] ?? 0, 0, 0xffff_ffff);
  if (host === "") parsed.fill(0);
  else if (!parseIPv6(host, parsed, 0)) throw AddressError.gai("inet_pton", EAI_NONAME, host);
  writeFamily(view, AF_INET6, LENGTH);
  writeU16BE(view, 2, port);
  writeU32BE(view, 4, flowinfo);
  view.set(parsed, 8);
  writeU32(view, 24, scope);
  return LENGTH;
}
