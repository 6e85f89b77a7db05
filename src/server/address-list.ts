// Lists of peers by address: single ones, networks, and those of this machine that come through a Unix socket. It knows no
// server.

import { BlockList, isIP } from "node:net";
import type { AnyAddress } from "../index.ts";
import { invalidArgument, outOfRange } from "../socket/errors.ts";

/** Stands in a list for every peer of a Unix socket. */
const UNIX = "unix";

/** The host of an internet address; undefined: it is none. A zone (fe80::1%eth0) is left out: the interface is not the peer. */
export function hostOf(address: AnyAddress | undefined): string | undefined {
  if (!Array.isArray(address)) return undefined;
  const [host] = address as readonly unknown[];
  if (typeof host !== "string") return undefined;
  const [numeric = ""] = host.split("%", 1);
  return isIP(numeric) === 0 ? undefined : numeric;
}

/** A list of addresses and networks. ::ffff:a.b.c.d, an IPv4 peer of a listener for both, is a.b.c.d. */
export class AddressList {
  readonly #networks: BlockList = new BlockList();
  readonly #unix: boolean;

  /**
   * @param entries  "192.0.2.1", "2001:db8::1", "10.0.0.0/8", "fd00::/8", and "unix" for every peer of a Unix socket.
   * @throws {RangeError} ERR_OUT_OF_RANGE: no such address. @throws {TypeError} ERR_INVALID_ARG_TYPE.
   */
  constructor(entries: readonly string[]) {
    for (const entry of entries) if (entry !== UNIX) this.#add(entry);
    this.#unix = entries.includes(UNIX);
  }

  /** A list as it is, or of its entries; errors name the option. @internal */
  static of(name: string, list: AddressList | readonly string[]): AddressList {
    if (list instanceof AddressList) return list;
    if (!Array.isArray(list)) throw invalidArgument(name, "an AddressList or an array of addresses", list);
    return new AddressList(list);
  }

  #add(entry: string): void {
    if (typeof entry !== "string") throw invalidArgument("an address", "a string", entry);
    const [, address = "", prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const version = isIP(address);
    const bits = version === 4 ? 32 : 128;
    const length = prefix === undefined ? bits : Number(prefix);
    if (version === 0 || address.includes("%") || length > bits)
      throw outOfRange("an address", 'an IP address, a network "10.0.0.0/8", or "unix"', entry);
    this.#networks.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6");
  }

  /** Whether a peer is in the list. One without an address (memory) never is. */
  has(address: AnyAddress | undefined): boolean {
    const host = hostOf(address);
    if (host !== undefined) return this.#networks.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
    return this.#unix && (typeof address === "string" || address instanceof Uint8Array);
  }
}
