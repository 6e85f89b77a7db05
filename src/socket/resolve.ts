// A host where an address is expected: names become numbers before a call. Only families with host names take part;
// what is numeric already passes without a lookup.

import { isIP } from "node:net";
import { AF_INET, AF_INET6 } from "../constants/index.ts";
import type { Address, AnyAddress } from "./address.ts";
import { getaddrinfo, getaddrinfo_sync } from "./names/addresses.ts";
import type { AddressInfo } from "./names/addresses.ts";

interface Kind {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
}

/** Whether the address is as the kernel can take it; otherwise its host is a name that must be looked up. */
function isNumeric(kind: Kind, address: AnyAddress): boolean {
  if (kind.family !== AF_INET && kind.family !== AF_INET6) return true;
  const host: unknown = Array.isArray(address) ? address[0] : undefined;
  // What is not a host and a port at all is refused by the encoder, by the name of the field.
  if (typeof host !== "string" || host === "" || host === "<broadcast>") return true;
  const plain = kind.family === AF_INET6 ? host.replace(/%.*$/, "") : host;
  return isIP(plain) === (kind.family === AF_INET ? 4 : 6) && plain === host;
}

function take(address: Address, [info]: AddressInfo[]): Address {
  const [host, port, flowinfo, scope] = address as readonly [string, number, number?, number?];
  const found = (info as AddressInfo)[4] as readonly [string, number, number?, number?];
  if (found.length === 2) return [found[0], port];
  void host;
  return [found[0], port, flowinfo ?? 0, scope !== undefined && scope !== 0 ? scope : (found[3] ?? 0)];
}

/** Looks a name up at once: the thread waits for the answer. */
export function resolveAddressNow(kind: Kind, address: AnyAddress): AnyAddress {
  if (isNumeric(kind, address)) return address;
  const named = address as Address;
  return take(named, getaddrinfo_sync(named[0], null, { family: kind.family, type: kind.type }));
}

/** Looks a name up off the event loop's thread; what needs no lookup comes back at once. */
export function resolveAddress(
  kind: Kind,
  address: AnyAddress,
  signal: AbortSignal | undefined,
): AnyAddress | Promise<AnyAddress> {
  if (isNumeric(kind, address)) return address;
  const options = { family: kind.family, type: kind.type, signal };
  const named = address as Address;
  return getaddrinfo(named[0], null, options).then((found) => take(named, found));
}
