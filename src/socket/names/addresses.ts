// getaddrinfo and getnameinfo: from names to addresses and back, through whatever the system is set up to ask
// (nsswitch.conf(5): files, DNS, others).

import { isIP } from "node:net";
import { native } from "../../native.ts";
import type { AddressAnswer, NameAnswer } from "../../native/names.ts";
import { AF_INET, AF_UNSPEC } from "../../constants/families.ts";
import * as flagsAndErrors from "../../constants/names.ts";
import { SOCK_DGRAM } from "../../constants/types.ts";
import { decodeAddress, encodeAddress, makeAddressView } from "../address.ts";
import type { Address } from "../address.ts";
import { checkTuple } from "../address/check.ts";
import { named } from "../enums.ts";
import type { Named } from "../enums.ts";
import { AddressError } from "../errors.ts";
import { checkHost, checkInt, checkRange, checkService } from "./arguments.ts";
import { ask, drive, driveNow } from "./lookup.ts";
import type { LookupOptions, Query, Steps } from "./lookup.ts";

/** One address that a name has, and the socket to make for it. */
export type AddressInfo = [family: number, type: number, proto: number, canonname: string, sockaddr: Address];

/**
 * The flags of getaddrinfo(), as CPython calls them: `AddressInfo.AI_PASSIVE` is AI_PASSIVE, `AddressInfo[AI_PASSIVE]` is
 * "AI_PASSIVE". (The type of this name is what getaddrinfo() gives.)
 *
 * @see getaddrinfo(3)
 */
export const AddressInfo: Named<typeof flagsAndErrors, "AI_"> = named(flagsAndErrors, "AI_");

/** What getaddrinfo() may be told. */
export interface AddressHints {
  /** AF_INET, AF_INET6, or AF_UNSPEC (default) for both. */
  family?: number | undefined;
  /** SOCK_STREAM, SOCK_DGRAM …; 0 (default) gives one entry for each. */
  type?: number | undefined;
  /** IPPROTO_*; 0 (default) is any. */
  proto?: number | undefined;
  /** AI_* bits. Default 0. */
  flags?: number | undefined;
}

/** The query behind getaddrinfo, for functions that look up more than one thing. */
export function addressQuery(
  host: string | null,
  service: string | null,
  hints: AddressHints,
  syscall = "getaddrinfo",
): Query<AddressInfo[]> {
  const family = checkInt("options.family", hints.family ?? AF_UNSPEC);
  const type = checkInt("options.type", hints.type ?? 0);
  const proto = checkInt("options.proto", hints.proto ?? 0);
  const flags = checkInt("options.flags", hints.flags ?? 0);
  return {
    syscall,
    name: host ?? service ?? undefined,
    isNumeric: (host === null || isIP(host) !== 0) && (service === null || /^\d+$/.test(service)),
    start: (id) => native.getaddrinfo(id, host, service, family, type, proto, flags),
    now: () => native.getaddrinfo_now(host, service, family, type, proto, flags),
    read: (answer) =>
      (answer as AddressAnswer).map(([itsFamily, itsType, itsProto, canonname, view]) => [
        itsFamily,
        itsType,
        itsProto,
        canonname,
        decodeAddress(view, itsProto),
      ]),
  };
}

function* getaddrinfoSteps(host: unknown, port: unknown, hints: AddressHints): Steps<AddressInfo[]> {
  const name = host === null || host === undefined ? null : checkHost("getaddrinfo", host);
  return yield* ask(addressQuery(name, checkService("getaddrinfo", port), hints));
}

/**
 * Finds the addresses of a host and a service, in the order in which they should be tried (RFC 6724).
 *
 * The lookup runs on a thread of its own: neither the event loop nor file operations wait for it. For numbers nobody is
 * asked, and no thread is needed.
 *
 * @param host  a name, a numeric address, or `null`: the loopback addresses, with AI_PASSIVE the wildcard ones.
 * @param port  a number from 0 to 65535, a service's name ("http"), or `null`.
 * @returns tuples `[family, type, proto, canonname, sockaddr]`; `canonname` is "" without AI_CANONNAME.
 * @throws {AddressError} EAI_NONAME: no such name. EAI_AGAIN: try later. EAI_SERVICE, EAI_FAMILY, EAI_FAIL …
 * @throws {RangeError} ERR_OUT_OF_RANGE: the port. @throws the signal's reason.
 * @see getaddrinfo(3); POSIX.1-2024 getaddrinfo; RFC 3493 section 6.1
 */
export function getaddrinfo(
  host: string | null,
  port: string | number | null,
  options: AddressHints & LookupOptions = {},
): Promise<AddressInfo[]> {
  return drive(getaddrinfoSteps(host, port, options), options);
}

/** getaddrinfo() on the calling thread, which waits for the answer. @see getaddrinfo */
export function getaddrinfo_sync(
  host: string | null,
  port: string | number | null,
  hints: AddressHints = {},
): AddressInfo[] {
  return driveNow(getaddrinfoSteps(host, port, hints));
}

function nameQuery(view: Uint8Array, length: number, flags: number, host: string): Query<[string, string]> {
  return {
    syscall: "getnameinfo",
    name: host,
    start: (id) => native.getnameinfo(id, view, 0, length, flags),
    now: () => native.getnameinfo_now(view, 0, length, flags),
    read: (answer) => [(answer as NameAnswer)[0], (answer as NameAnswer)[1]],
  };
}

function* getnameinfoSteps(sockaddr: unknown, flags: unknown): Steps<[string, string]> {
  const shape = "[host, port] or [host, port, flowinfo, scope_id]";
  const [host, port, flowinfo = 0, scope = 0] = checkTuple(sockaddr, shape, 2, 4);
  const name = checkHost("getnameinfo", host);
  const number = checkRange("port", port, 0, 65_535);
  const bits = checkInt("flags", flags);
  // The text of the address decides its family; numeric texts need no thread.
  const hints = { type: SOCK_DGRAM, flags: flagsAndErrors.AI_NUMERICHOST };
  const [found] = driveNow(ask(addressQuery(name, String(number), hints, "getnameinfo")));
  const [family, , , , address] = found as AddressInfo;
  const length = (sockaddr as unknown[]).length;
  if (family === AF_INET && length !== 2)
    throw AddressError.gai("getnameinfo", flagsAndErrors.EAI_FAMILY, name);
  const view = makeAddressView();
  const full =
    family === AF_INET
      ? address
      : [address[0], address[1], flowinfo, scope === 0 ? (address[3] ?? 0) : scope];
  return yield* ask(nameQuery(view, encodeAddress(family, full as Address, view), bits, name));
}

/**
 * Finds the names of an address and a port.
 *
 * @param sockaddr  an internet address; the host is numeric.
 * @param flags     NI_* bits: NI_NUMERICHOST and NI_NUMERICSERV ask nobody, NI_NAMEREQD fails where there is no name.
 * @returns `[host, service]`.
 * @throws {AddressError} EAI_NONAME: the host is not numeric, or has no name with NI_NAMEREQD. EAI_FAMILY: an IPv4
 *   host with IPv6's fields. EAI_AGAIN … @throws the signal's reason.
 * @see getnameinfo(3); POSIX.1-2024 getnameinfo
 */
export function getnameinfo(
  sockaddr: Address,
  flags = 0,
  options: LookupOptions = {},
): Promise<[host: string, service: string]> {
  return drive(getnameinfoSteps(sockaddr, flags), options);
}

/** getnameinfo() on the calling thread, which waits for the answer. @see getnameinfo */
export function getnameinfo_sync(sockaddr: Address, flags = 0): [host: string, service: string] {
  return driveNow(getnameinfoSteps(sockaddr, flags));
}
