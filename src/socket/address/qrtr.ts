// AF_QIPCRTR: struct sockaddr_qrtr. Source: linux/qrtr.h.

import { AF_QIPCRTR } from "../../constants/families.ts";
import { checkNumber, checkTuple } from "./check.ts";
import type { QrtrAddress } from "./types.ts";
import { readU32, writeFamily, writeU32 } from "./view.ts";

const LENGTH = 12;

/** The address in a view. */
export function decodeQrtr(view: Uint8Array): QrtrAddress {
  return [readU32(view, 4), readU32(view, 8)];
}

/** Writes an address into a view; its length in bytes. */
export function encodeQrtr(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[node, port]", 2, 2);
  const node = checkNumber("node", fields[0], 0, 0xffff_ffff);
  const port = checkNumber("port", fields[1], 0, 0xffff_ffff);
  writeFamily(view, AF_QIPCRTR, LENGTH);
  writeU32(view, 4, node);
  writeU32(view, 8, port);
  return LENGTH;
}
