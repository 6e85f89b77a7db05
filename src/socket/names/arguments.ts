// The checks of what is looked up: texts that C can take, host names outside of ASCII, numbers. Makes no lookup.

import { domainToASCII } from "node:url";
import { EAI_NONAME, EAI_SERVICE } from "../../constants/names.ts";
import { AddressError, invalidArgument, outOfRange } from "../errors.ts";

/** NI_MAXHOST and the room for a service in native/names.h, without the NUL. */
const HOST_BYTES_MAX = 1024;
const SERVICE_BYTES_MAX = 255;

/** A text without NUL characters, which C would end at. */
export function checkName(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(name, "a string", value);
  if (value.includes("\0")) throw invalidArgument(name, "a string without NUL characters", value);
  return value;
}

/** A C int. */
export function checkInt(name: string, value: unknown): number {
  return checkRange(name, value, -(2 ** 31), 2 ** 31 - 1);
}

/** A whole number within bounds. */
export function checkRange(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number") throw invalidArgument(name, "a number", value);
  if (!Number.isInteger(value) || value < min || value > max)
    throw outOfRange(name, `a whole number from ${min} to ${max}`, value);
  return value;
}

/**
 * A host as the resolver takes it. Outside of ASCII: the name's IDNA form, as UTS #46 (what browsers do) has it;
 * CPython's codec follows the older RFC 3490.
 *
 * @throws {AddressError} EAI_NONAME: no host can have this name.
 */
export function checkHost(syscall: string, value: unknown): string {
  const host = checkName("host", value);
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\x01-\x7f]*$/.test(host) ? host : domainToASCII(host);
  if ((ascii === "" && host !== "") || ascii.length > HOST_BYTES_MAX)
    throw AddressError.gai(syscall, EAI_NONAME, host.slice(0, 64));
  return ascii;
}

/** A port or the name of a service as getaddrinfo(3) takes it. */
export function checkService(syscall: string, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return String(checkRange("port", value, 0, 65_535));
  if (typeof value !== "string") throw invalidArgument("port", "a number, a string or null", value);
  const service = checkName("port", value);
  if (Buffer.byteLength(service) > SERVICE_BYTES_MAX)
    throw AddressError.gai(syscall, EAI_SERVICE, service.slice(0, 64));
  return service;
}
