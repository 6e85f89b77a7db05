// Who is let in: lists of addresses, and how many connections one address may have. It is asked before a handler runs; it
// knows neither listeners nor timeouts.

import type { AnyAddress } from "../index.ts";
import { checkInteger } from "../socket/base.ts";
import { invalidArgument } from "../socket/errors.ts";
import { parseIPv6 } from "../socket/address/text.ts";
import type { ByteStream } from "../stream/index.ts";
import { AddressList, hostOf } from "./address-list.ts";
import type { Handler } from "./connection.ts";
import { ServerError } from "./errors.ts";

/** What guard() takes last. Whoever is in `deny` is refused, also if he is in `allow`. */
export interface GuardOptions {
  /** Only these are let in. Default: everybody. */
  allow?: AddressList | readonly string[] | undefined;
  /** These are not. Default: nobody. */
  deny?: AddressList | readonly string[] | undefined;
  /**
   * Connections at once of one address. Of IPv6 that is a /64: who has one address there has them all (RFC 6177). Peers of
   * Unix sockets are not counted. Default Infinity.
   */
  connectionsPerAddressMax?: number | undefined;
}

/** Under what an address is counted. */
function keyOf(address: AnyAddress | undefined): string | undefined {
  const host = hostOf(address);
  if (host === undefined || !host.includes(":")) return host;
  const bytes = Buffer.alloc(16);
  parseIPv6(host, bytes, 0);
  const mapped = bytes.readBigUInt64BE(0) === 0n && bytes.readUInt32BE(8) === 0xffff;
  return mapped ? bytes.subarray(12).join(".") : bytes.toString("hex", 0, 8);
}

/**
 * A handler that serves those who are let in: `serve(listener, guard(handler, { deny: ["203.0.113.0/24"] }))`. Others are
 * closed at once and counted as refused: ERR_ADDRESS_DENIED, ERR_ADDRESS_CONNECTIONS. Inside of behindProxy() it sees the
 * clients; outside, the proxies.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 */
export function guard<S extends ByteStream>(handler: Handler<S>, options: GuardOptions): Handler<S> {
  if (typeof handler !== "function") throw invalidArgument("handler", "a function", handler);
  const { connectionsPerAddressMax = Infinity } = options;
  const allow = options.allow === undefined ? undefined : AddressList.of("options.allow", options.allow);
  const deny = options.deny === undefined ? undefined : AddressList.of("options.deny", options.deny);
  if (connectionsPerAddressMax !== Infinity)
    checkInteger("options.connectionsPerAddressMax", connectionsPerAddressMax, 1, 2 ** 31 - 1);
  /** Of addresses that have connections now: no more than the server has. */
  const counts = new Map<string, number>();
  return async (stream, connection) => {
    const { remoteAddress } = stream;
    if (deny?.has(remoteAddress) === true || allow?.has(remoteAddress) === false)
      throw new ServerError("ERR_ADDRESS_DENIED", "the address is not let in", remoteAddress);
    const key = keyOf(remoteAddress);
    if (key === undefined || connectionsPerAddressMax === Infinity) return await handler(stream, connection);
    const count = (counts.get(key) ?? 0) + 1;
    if (count > connectionsPerAddressMax)
      throw new ServerError(
        "ERR_ADDRESS_CONNECTIONS",
        `over ${connectionsPerAddressMax} connections`,
        remoteAddress,
      );
    counts.set(key, count);
    try {
      await handler(stream, connection);
    } finally {
      const left = (counts.get(key) as number) - 1;
      if (left === 0) counts.delete(key);
      else counts.set(key, left);
    }
  };
}
