// AF_CAN: struct sockaddr_can; what follows the interface depends on the socket's protocol. Numbers are in the
// machine's order. Source: the kernel's Documentation/networking/{can,isotp,j1939}.rst.

import { CAN_ISOTP, CAN_J1939 } from "../../constants/can.ts";
import { AF_CAN } from "../../constants/families.ts";
import { invalidArgument, outOfRange } from "../errors.ts";
import { checkNumber, checkTuple } from "./check.ts";
import { indexOfInterface, nameOfInterface } from "./interfaces.ts";
import type { CanAddress, CanIsotpAddress, CanJ1939Address } from "./types.ts";
import { LITTLE_ENDIAN, readU32, writeFamily, writeU32 } from "./view.ts";

const LENGTH = 24;
const NAME_MAX = 2n ** 64n - 1n;

function readU64(view: Uint8Array, at: number): bigint {
  const [low, high] = LITTLE_ENDIAN ? [at, at + 4] : [at + 4, at];
  return (BigInt(readU32(view, high)) << 32n) | BigInt(readU32(view, low));
}

function writeU64(view: Uint8Array, at: number, value: bigint): void {
  const [low, high] = LITTLE_ENDIAN ? [at, at + 4] : [at + 4, at];
  writeU32(view, low, Number(value & 0xffff_ffffn));
  writeU32(view, high, Number(value >> 32n));
}

/** The address in a view. */
export function decodeCan(
  view: Uint8Array,
  _length: number,
  proto: number,
): CanAddress | CanIsotpAddress | CanJ1939Address {
  const ifname = nameOfInterface(readU32(view, 4));
  if (proto === CAN_ISOTP) return [ifname, readU32(view, 8), readU32(view, 12)];
  if (proto === CAN_J1939) return [ifname, readU64(view, 8), readU32(view, 16), view[20] as number];
  return [ifname];
}

function checkName(value: unknown): bigint {
  if (typeof value !== "bigint" && typeof value !== "number")
    throw invalidArgument("name", "a bigint or a number", value);
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw outOfRange("name", "a whole number; a bigint above 2^53", value);
  const name = BigInt(value);
  if (name < 0n || name > NAME_MAX) throw outOfRange("name", "64 bits", value);
  return name;
}

/** Writes an address into a view; its length in bytes. */
export function encodeCan(address: unknown, view: Uint8Array, proto: number): number {
  let write: () => void = () => undefined;
  let ifname: unknown;
  if (proto === CAN_ISOTP) {
    const fields = checkTuple(address, "[ifname, rx_addr, tx_addr]", 3, 3);
    ifname = fields[0];
    const rx = checkNumber("rx_addr", fields[1], 0, 0xffff_ffff);
    const tx = checkNumber("tx_addr", fields[2], 0, 0xffff_ffff);
    write = () => {
      writeU32(view, 8, rx);
      writeU32(view, 12, tx);
    };
  } else if (proto === CAN_J1939) {
    const fields = checkTuple(address, "[ifname, name, pgn, addr]", 4, 4);
    ifname = fields[0];
    const name = checkName(fields[1]);
    const pgn = checkNumber("pgn", fields[2], 0, 0xffff_ffff);
    const addr = checkNumber("addr", fields[3], 0, 0xff);
    write = () => {
      writeU64(view, 8, name);
      writeU32(view, 16, pgn);
      view[20] = addr;
    };
  } else ifname = checkTuple(address, "[ifname]", 1, 1)[0];
  const index = indexOfInterface(ifname);
  writeFamily(view, AF_CAN, LENGTH);
  writeU32(view, 4, index);
  write();
  return LENGTH;
}
