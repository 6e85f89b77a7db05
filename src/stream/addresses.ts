// The addresses of a host and port: a numeric host is one already, and waits for nobody; a name is looked up off the event
// loop's thread. It connects to nothing.

import { isIP } from "node:net";
import { AF_INET, AF_INET6, IPPROTO_TCP, SOCK_STREAM, getaddrinfo } from "../index.ts";
import type { AddressInfo } from "../index.ts";
import { checkInteger } from "../socket/base.ts";

/** What decides which addresses are found. */
export interface AddressQuery {
  /** AF_INET, AF_INET6 or AF_UNSPEC. */
  readonly family: number;
  /** AI_* bits. */
  readonly flags?: number;
  readonly signal: AbortSignal | undefined;
  /** In place of getaddrinfo, for names. */
  readonly lookup?: typeof getaddrinfo | undefined;
}

/** Whether getaddrinfo would only give back what it is given. Scopes ("fe80::1%eth0") it knows to read. */
function isPlain(host: string, family: number): boolean {
  const version = host.includes("%") ? 0 : isIP(host);
  return version === 4 ? family !== AF_INET6 : version === 6 && family !== AF_INET;
}

/**
 * TCP's addresses of a host, in the order in which they should be tried.
 *
 * @throws {AddressError} EAI_*: the name does not resolve. @throws {RangeError} ERR_OUT_OF_RANGE: the port.
 */
export async function addressesOf(
  host: string,
  port: number | string,
  { family, flags = 0, lookup = getaddrinfo, signal }: AddressQuery,
): Promise<readonly AddressInfo[]> {
  if (typeof port !== "number" || !isPlain(host, family))
    return await lookup(host, port, { family, flags, type: SOCK_STREAM, signal });
  checkInteger("port", port, 0, 65_535);
  return isIP(host) === 4
    ? [[AF_INET, SOCK_STREAM, IPPROTO_TCP, "", [host, port]]]
    : [[AF_INET6, SOCK_STREAM, IPPROTO_TCP, "", [host, port, 0, 0]]];
}
