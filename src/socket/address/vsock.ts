// AF_VSOCK: struct sockaddr_vm, vsock(7).

import { AF_VSOCK } from "../../constants/families.ts";
import { checkNumber, checkTuple } from "./check.ts";
import type { VsockAddress } from "./types.ts";
import { readU32, writeFamily, writeU32 } from "./view.ts";

const LENGTH = 16;

/** The address in a view. */
export function decodeVsock(view: Uint8Array): VsockAddress {
  return [readU32(view, 8), readU32(view, 4)];
}

/** Writes an address into a view; its length in bytes. */
export function encodeVsock(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[cid, port]", 2, 2);
  const cid = checkNumber("cid", fields[0], 0, 0xffff_ffff);
  const port = checkNumber("port", fields[1], 0, 0xffff_ffff);
  writeFamily(view, AF_VSOCK, LENGTH);
  writeU32(view, 4, port);
  writeU32(view, 8, cid);
  return LENGTH;
}
