// AF_NETLINK: struct sockaddr_nl, netlink(7).

import { AF_NETLINK } from "../../constants/families.ts";
import { checkNumber, checkTuple } from "./check.ts";
import type { NetlinkAddress } from "./types.ts";
import { readU32, writeFamily, writeU32 } from "./view.ts";

const LENGTH = 12;

/** The address in a view. */
export function decodeNetlink(view: Uint8Array): NetlinkAddress {
  return [readU32(view, 4), readU32(view, 8)];
}

/** Writes an address into a view; its length in bytes. */
export function encodeNetlink(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[pid, groups]", 2, 2);
  const pid = checkNumber("pid", fields[0], 0, 0xffff_ffff);
  const groups = checkNumber("groups", fields[1], 0, 0xffff_ffff);
  writeFamily(view, AF_NETLINK, LENGTH);
  writeU32(view, 4, pid);
  writeU32(view, 8, groups);
  return LENGTH;
}
