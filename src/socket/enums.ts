// Numbers under the names of their kind, and the names of numbers: CPython's AddressFamily, SocketKind and MsgFlag
// (AddressInfo, the fourth, is beside getaddrinfo's type of that name). They hold what src/constants/ has, and no number
// of their own.

import { native } from "../native.ts";
import * as families from "../constants/families.ts";
import * as flags from "../constants/flags.ts";
import * as types from "../constants/types.ts";

/** Constants of one prefix: the number of a name and, for numbers that this system has, the name of a number. */
export type Named<Table, Prefix extends string> = {
  readonly [Name in keyof Table as Name extends `${Prefix}${string}` ? Name : never]: number;
} & { readonly [number: number]: string };

/** Where one number has several names: the one that CPython and the man pages use. */
const PREFERRED: ReadonlySet<string> = new Set(["AF_UNIX", "AF_NETLINK"]);

/** Gathers the constants of a table whose names begin with the prefix. */
export function named<Table extends object, Prefix extends string>(
  table: Table,
  prefix: Prefix,
): Named<Table, Prefix> {
  const made: Record<string | number, number | string> = Object.create(null) as Record<string, number>;
  for (const [name, number] of Object.entries(table) as [string, number][]) {
    if (!name.startsWith(prefix)) continue;
    made[name] = number;
    if (name in native.constants && (!(number in made) || PREFERRED.has(name))) made[number] = name;
  }
  return Object.freeze(made) as Named<Table, Prefix>;
}

/**
 * The address families: `AddressFamily.AF_INET` is AF_INET, `AddressFamily[AF_INET]` is "AF_INET".
 *
 * @see address_families(7)
 */
export const AddressFamily: Named<typeof families, "AF_"> = named(families, "AF_");

/**
 * The types of sockets, and the flags that socket() takes with them: `SocketKind[SOCK_DGRAM]` is "SOCK_DGRAM".
 *
 * @see socket(2)
 */
export const SocketKind: Named<typeof types, "SOCK_"> = named(types, "SOCK_");

/**
 * The flags of sending and receiving, one bit each: `MsgFlag[MSG_TRUNC]` is "MSG_TRUNC". Of several bits together it
 * knows no name.
 *
 * @see send(2), recv(2)
 */
export const MsgFlag: Named<typeof flags, "MSG_"> = named(flags, "MSG_");
