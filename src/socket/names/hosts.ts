// The older functions of host names, which programs still use: gethostbyname and its kin, getfqdn. The manner is
// CPython's: a name is first resolved as addresses are, and only then is the host's entry asked for.

import { native } from "../../native.ts";
import type { HostAnswer } from "../../native/names.ts";
import { AF_INET, AF_INET6, AF_UNSPEC } from "../../constants/families.ts";
import { AI_PASSIVE, EAI_FAMILY, EAI_NONAME } from "../../constants/names.ts";
import { SOCK_DGRAM } from "../../constants/types.ts";
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from "../address/text.ts";
import { readU32BE, writeU32BE } from "../address/view.ts";
import { AddressError } from "../errors.ts";
import { addressQuery } from "./addresses.ts";
import { checkHost, checkName } from "./arguments.ts";
import { ask, drive, driveNow } from "./lookup.ts";
import type { LookupOptions, Query, Steps } from "./lookup.ts";
import { gethostname } from "./tables.ts";

/** A host's entry: its official name, its other names, its addresses as texts. */
export type HostEntry = [hostname: string, aliases: string[], addresses: string[]];

/** An address's family and text. */
type Found = readonly [family: number, host: string];

/** The first address of a host, as CPython's functions choose it: "" is the wildcard, numeric texts ask nobody. */
function* firstAddress(syscall: string, host: string, family: number): Steps<Found> {
  if (host === "") {
    const hints = { family, type: SOCK_DGRAM, flags: AI_PASSIVE };
    const found = yield* ask(addressQuery(null, "0", hints, syscall));
    const [first] = found;
    if (first === undefined || found.length > 1) throw AddressError.gai(syscall, EAI_NONAME, host);
    return [first[0], first[4][0]];
  }
  if (host === "<broadcast>") {
    if (family === AF_INET6) throw AddressError.gai(syscall, EAI_FAMILY, host);
    return [AF_INET, "255.255.255.255"];
  }
  const number = parseIPv4(host);
  if (number >= 0 && family !== AF_INET6) return [AF_INET, formatIPv4(number)];
  const [first] = yield* ask(addressQuery(host, null, { family }, syscall));
  if (first === undefined) throw AddressError.gai(syscall, EAI_NONAME, host);
  return [first[0], first[4][0]];
}

function text(packed: Uint8Array): string {
  return packed.length === 4 ? formatIPv4(readU32BE(packed, 0)) : formatIPv6(packed, 0);
}

function readEntry(answer: unknown): HostEntry {
  const [name, aliases, , packed] = answer as HostAnswer;
  return [name, [...aliases], packed.filter(({ length }) => length === 4 || length === 16).map(text)];
}

function entryByName(name: string): Query<HostEntry> {
  return {
    syscall: "gethostbyname_ex",
    name,
    start: (id) => native.gethostbyname(id, name),
    now: () => native.gethostbyname_now(name),
    read: readEntry,
  };
}

function entryByAddress([family, host]: Found): Query<HostEntry> {
  const packed = new Uint8Array(family === AF_INET ? 4 : 16);
  if (family === AF_INET) writeU32BE(packed, 0, parseIPv4(host));
  else parseIPv6(host, packed, 0);
  return {
    syscall: "gethostbyaddr",
    name: host,
    start: (id) => native.gethostbyaddr(id, packed, 0, packed.length, family),
    now: () => native.gethostbyaddr_now(packed, 0, packed.length, family),
    read: readEntry,
  };
}

function* gethostbynameSteps(host: unknown): Steps<string> {
  const [, address] = yield* firstAddress("gethostbyname", checkHost("gethostbyname", host), AF_INET);
  return address;
}

function* gethostbynameExSteps(host: unknown): Steps<HostEntry> {
  const name = checkHost("gethostbyname_ex", host);
  yield* firstAddress("gethostbyname_ex", name, AF_INET);
  return yield* ask(entryByName(name));
}

function* gethostbyaddrSteps(address: unknown): Steps<HostEntry> {
  const name = checkHost("gethostbyaddr", address);
  return yield* ask(entryByAddress(yield* firstAddress("gethostbyaddr", name, AF_UNSPEC)));
}

function* getfqdnSteps(name: unknown): Steps<string> {
  const given = checkName("name", name).trim();
  const host = given === "" || given === "0.0.0.0" || given === "::" ? gethostname() : given;
  let entry: HostEntry;
  try {
    entry = yield* gethostbyaddrSteps(host);
  } catch (error) {
    if (error instanceof AddressError) return host;
    throw error;
  }
  const [hostname, aliases] = entry;
  return [hostname, ...aliases].find((candidate) => candidate.includes(".")) ?? hostname;
}

/**
 * Finds a host's IPv4 address.
 *
 * @param host  a name or a numeric address; "" is 0.0.0.0.
 * @returns the address, "100.50.200.5".
 * @throws {AddressError} EAI_NONAME: no such host, EAI_AGAIN … @throws the signal's reason.
 * @see gethostbyname(3)
 */
export function gethostbyname(host: string, options: LookupOptions = {}): Promise<string> {
  return drive(gethostbynameSteps(host), options);
}

/** gethostbyname() on the calling thread, which waits for the answer. @see gethostbyname */
export function gethostbyname_sync(host: string): string {
  return driveNow(gethostbynameSteps(host));
}

/**
 * Finds a host's official name, its other names and all of its IPv4 addresses.
 *
 * @throws {AddressError} EAI_*: the name does not resolve. HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY, NO_DATA: it has no
 *   entry (CPython's herror). @throws the signal's reason.
 * @see gethostbyname(3)
 */
export function gethostbyname_ex(host: string, options: LookupOptions = {}): Promise<HostEntry> {
  return drive(gethostbynameExSteps(host), options);
}

/** gethostbyname_ex() on the calling thread, which waits for the answer. @see gethostbyname_ex */
export function gethostbyname_ex_sync(host: string): HostEntry {
  return driveNow(gethostbynameExSteps(host));
}

/**
 * Finds the names of a host by one of its addresses, IPv4 or IPv6.
 *
 * @param address  numeric, or a name whose first address is taken.
 * @throws {AddressError} EAI_*: the name does not resolve. HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY, NO_DATA: the
 *   address has no entry (CPython's herror). @throws the signal's reason.
 * @see gethostbyaddr(3)
 */
export function gethostbyaddr(address: string, options: LookupOptions = {}): Promise<HostEntry> {
  return drive(gethostbyaddrSteps(address), options);
}

/** gethostbyaddr() on the calling thread, which waits for the answer. @see gethostbyaddr */
export function gethostbyaddr_sync(address: string): HostEntry {
  return driveNow(gethostbyaddrSteps(address));
}

/**
 * The fully qualified name of a host: the first of its names that has a dot, otherwise its official name, otherwise
 * the name that was given. Fails only by the signal.
 *
 * @param name  a host; "" (default), "0.0.0.0" and "::" are this one.
 * @throws the signal's reason.
 */
export function getfqdn(name = "", options: LookupOptions = {}): Promise<string> {
  return drive(getfqdnSteps(name), options);
}

/** getfqdn() on the calling thread, which waits for the answer. @see getfqdn */
export function getfqdn_sync(name = ""): string {
  return driveNow(getfqdnSteps(name));
}
