// AF_TIPC: struct sockaddr_tipc; what its three numbers are depends on the address type. Source: linux/tipc.h.

import { AF_TIPC } from "../../constants/families.ts";
import { TIPC_ADDR_ID, TIPC_ADDR_NAME, TIPC_ADDR_NAMESEQ, TIPC_CLUSTER_SCOPE } from "../../constants/tipc.ts";
import { outOfRange } from "../errors.ts";
import { checkNumber, checkTuple } from "./check.ts";
import type { TipcAddress } from "./types.ts";
import { readU32, writeFamily, writeU32 } from "./view.ts";

const LENGTH = 16;

/** The address in a view. A name's v3 repeats its instance, and an identity's is 0, as in CPython. */
export function decodeTipc(view: Uint8Array): TipcAddress {
  const type = view[2] as number;
  const scope = ((view[3] as number) << 24) >> 24; // signed
  const [first, second, third] = [readU32(view, 4), readU32(view, 8), readU32(view, 12)];
  if (type === TIPC_ADDR_NAME) return [type, first, second, second, scope];
  if (type === TIPC_ADDR_ID) return [type, second, first, 0, scope];
  return [type, first, second, third, scope];
}

/** Writes an address into a view; its length in bytes. */
export function encodeTipc(address: unknown, view: Uint8Array): number {
  const fields = checkTuple(address, "[addr_type, v1, v2, v3, scope?]", 4, 5);
  const type = checkNumber("addr_type", fields[0], 0, 0xff);
  const v1 = checkNumber("v1", fields[1], 0, 0xffff_ffff);
  const v2 = checkNumber("v2", fields[2], 0, 0xffff_ffff);
  const v3 = checkNumber("v3", fields[3], 0, 0xffff_ffff);
  const scope = checkNumber("scope", fields[4] ?? TIPC_CLUSTER_SCOPE, -128, 127);
  if (type !== TIPC_ADDR_NAMESEQ && type !== TIPC_ADDR_NAME && type !== TIPC_ADDR_ID)
    throw outOfRange("addr_type", "TIPC_ADDR_NAMESEQ, TIPC_ADDR_NAME or TIPC_ADDR_ID", type);
  writeFamily(view, AF_TIPC, LENGTH);
  view[2] = type;
  view[3] = scope;
  // A port's identity is reference and node; a name has a domain, which 0 leaves open.
  writeU32(view, 4, type === TIPC_ADDR_ID ? v2 : v1);
  writeU32(view, 8, type === TIPC_ADDR_ID ? v1 : v2);
  writeU32(view, 12, type === TIPC_ADDR_NAMESEQ ? v3 : 0);
  return LENGTH;
}
