// What this machine knows without asking another: its name, services, protocols, interfaces. Plain calls.

import { native } from "../../native.ts";
import { EINVAL, ENOENT, EPERM } from "../../constants/errors.ts";
import { AddressError, SocketError } from "../errors.ts";
import { checkName, checkRange } from "./arguments.ts";

function text(syscall: string, result: string | number): string {
  if (typeof result === "number") throw new SocketError(syscall, result);
  return result;
}

/** This machine's name. @see gethostname(2) */
export function gethostname(): string {
  return text("gethostname", native.gethostname());
}

/**
 * Gives this machine a name (in this UTS namespace).
 *
 * @param name  at most 64 bytes on Linux.
 * @throws {SocketError} EPERM: without the right. EINVAL: too long.
 * @see sethostname(2)
 */
export function sethostname(name: string): void {
  const result = native.sethostname(checkName("name", name));
  if (result === -EPERM) throw new SocketError("sethostname", result, { hint: "it needs CAP_SYS_ADMIN" });
  if (result < 0) throw new SocketError("sethostname", result);
}

/** A table has no such entry; a name too long for the addon is in no table either. */
function missing(syscall: string, result: number, what: string, asked: string): Error {
  const absent = result === -ENOENT || result === -EINVAL;
  return absent
    ? AddressError.errno(syscall, ENOENT, asked, `${what} not found`)
    : new SocketError(syscall, result);
}

function optional(name: string, value: unknown): string | null {
  return value === undefined || value === null ? null : checkName(name, value);
}

/**
 * The port of a service.
 *
 * @param servicename   "http".
 * @param protocolname  "tcp" or "udp"; without it, any.
 * @throws {AddressError} ENOENT: there is no such service.
 * @see getservbyname(3), services(5)
 */
export function getservbyname(servicename: string, protocolname?: string): number {
  const proto = optional("protocolname", protocolname);
  const result = native.getservbyname(checkName("servicename", servicename), proto);
  if (result < 0) throw missing("getservbyname", result, "service/proto", servicename);
  return result;
}

/**
 * The service at a port.
 *
 * @param port          0 to 65535.
 * @param protocolname  "tcp" or "udp"; without it, any.
 * @throws {AddressError} ENOENT: none is known there. @throws {RangeError} ERR_OUT_OF_RANGE: the port.
 * @see getservbyport(3), services(5)
 */
export function getservbyport(port: number, protocolname?: string): string {
  const proto = optional("protocolname", protocolname);
  const result = native.getservbyport(checkRange("port", port, 0, 65_535), proto);
  if (typeof result === "number") throw missing("getservbyport", result, "port/proto", String(port));
  return result;
}

/**
 * The number of a protocol, for the third argument of socket().
 *
 * @param protocolname  "icmp".
 * @throws {AddressError} ENOENT: there is no such protocol.
 * @see getprotobyname(3), protocols(5)
 */
export function getprotobyname(protocolname: string): number {
  const result = native.getprotobyname(checkName("protocolname", protocolname));
  if (result < 0) throw missing("getprotobyname", result, "protocol", protocolname);
  return result;
}

/** The network interfaces, `[index, name]` each. @throws {SocketError} ENOBUFS, EMFILE. @see if_nameindex(3) */
export function if_nameindex(): [index: number, name: string][] {
  const list = native.if_nameindex();
  if (typeof list === "number") throw new SocketError("if_nameindex", list);
  const found: [number, string][] = [];
  for (let i = 0; i < list.length; i += 2) found.push([list[i] as number, list[i + 1] as string]);
  return found;
}

/** An interface's index by its name. @throws {SocketError} ENODEV: no such interface. @see if_nametoindex(3) */
export function if_nametoindex(name: string): number {
  const result = native.if_nametoindex(checkName("name", name));
  if (result < 0) throw new SocketError("if_nametoindex", result, { hint: name.slice(0, 64) });
  return result;
}

/**
 * An interface's name by its index.
 *
 * @throws {SocketError} ENXIO: no such interface. @throws {RangeError} ERR_OUT_OF_RANGE: not 0 to 2^32 - 1.
 * @see if_indextoname(3)
 */
export function if_indextoname(index: number): string {
  return text("if_indextoname", native.if_indextoname(checkRange("index", index, 0, 2 ** 32 - 1)));
}
