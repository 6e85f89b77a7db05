// Listening: at a TCP port, at a Unix socket. Names are looked up off the event loop's thread. What happens to the streams
// that are accepted it does not know.

import {
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  AI_PASSIVE,
  SocketError,
  create_server,
  has_dualstack_ipv6,
} from "../index.ts";
import type { CreateServerOptions, UnixAddress } from "../index.ts";
import { invalidArgument } from "../socket/errors.ts";
import { addressesOf } from "./addresses.ts";
import type { StreamOptions } from "./byte-stream.ts";
import { SocketListener } from "./listener.ts";

/** What listenTcp takes last. */
export interface ListenTcpOptions extends StreamOptions {
  /** Connections that may wait to be accepted. Default SOMAXCONN; the system clamps it to net.core.somaxconn. */
  backlog?: number | undefined;
  /** TCP_NODELAY of the connections. Default true. */
  noDelay?: boolean | undefined;
  /** SO_REUSEPORT: several listeners may share the port. Default false. */
  reusePort?: boolean | undefined;
}

/** What listenUnix takes last. */
export interface ListenUnixOptions {
  /** Connections that may wait to be accepted. Default SOMAXCONN; the system clamps it to net.core.somaxconn. */
  backlog?: number | undefined;
  /** First unlink the file of a socket that died: unlink_stale(). Default true. */
  unlinkStale?: boolean | undefined;
  /** Unlink the file at the close, if it is still this socket's. Default true. */
  unlinkAtClose?: boolean | undefined;
}

/**
 * Listens at a TCP port.
 *
 * @param host  a name or a numeric address. "" is every address of this machine, IPv6 and IPv4 in one listener (IPv4
 *   peers then have ::ffff:… addresses) where the system can do that; "0.0.0.0" is every IPv4 one, "::" every IPv6 one. Of
 *   a name the first address that can be bound is taken.
 * @param port  0 (default) lets the system pick: `localAddress` tells.
 * @throws {SocketError} EADDRINUSE, EADDRNOTAVAIL, EACCES… @throws {AddressError} EAI_*: the name does not resolve.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: port, backlog.
 * @see bind(2), listen(2), ipv6(7)
 */
export async function listenTcp(
  host: string,
  port: number = 0,
  { backlog, noDelay, reusePort, signal }: ListenTcpOptions = {},
): Promise<SocketListener> {
  if (typeof host !== "string") throw invalidArgument("host", "a string", host);
  const options: CreateServerOptions = { backlog, reuse_port: reusePort };
  if (host === "") {
    if (!has_dualstack_ipv6()) return new SocketListener(create_server(["", port], options), { noDelay });
    const both = { ...options, family: AF_INET6, dualstack_ipv6: true };
    return new SocketListener(create_server(["::", port], both), { noDelay });
  }
  let first: unknown;
  const found = await addressesOf(host, port, { family: AF_UNSPEC, flags: AI_PASSIVE, signal });
  for (const [family, , , , address] of found)
    try {
      return new SocketListener(create_server(address, { ...options, family }), { noDelay });
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      first ??= error;
    }
  throw first;
}

/**
 * Listens at a Unix socket of type SOCK_STREAM.
 *
 * @param path  a path; an abstract name (bytes that begin with NUL), which has no file; or "": the system picks one.
 * @throws {SocketError} EADDRINUSE: somebody listens there; EACCES, ENOENT, ENAMETOOLONG…
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: backlog.
 * @see unix(7), bind(2), listen(2), unlink(2)
 */
// oxlint-disable-next-line typescript/require-await
export async function listenUnix(
  path: UnixAddress,
  { backlog, unlinkAtClose = true, unlinkStale = true }: ListenUnixOptions = {},
): Promise<SocketListener> {
  const options: CreateServerOptions = { family: AF_UNIX, backlog, unlink_stale: unlinkStale };
  return new SocketListener(create_server(path, options), { unlinkAtClose });
}
