// Sockets that are ready to use, with promises: create_connection and create_server. Built from the calls of Socket and
// from getaddrinfo, as CPython's functions of these names; how, making.ts knows. Their twins are in ../sync/create.ts.

import { SOCK_STREAM } from "../constants/index.ts";
import type { AnyAddress } from "./address.ts";
import type { WaitOptions } from "./base.ts";
import { runSteps } from "./face.ts";
import { checkEndpoint, checkOptions, connectFirst, makeServer, makeSocket } from "./making.ts";
import type { ConnectionOptions, CreateServerOptions } from "./making.ts";
import { getaddrinfo } from "./names.ts";
import type { Socket } from "./socket.ts";
import { maker } from "./socket.ts";

export type { CreateServerOptions } from "./making.ts";

/** What create_connection takes last. */
export interface CreateConnectionOptions extends ConnectionOptions, WaitOptions {}

/**
 * Connects a TCP socket to a host by name or number, trying each of its addresses in turn.
 *
 * @param address  `[host, port]`; the port may be a service name.
 * @returns the connected socket.
 * @throws {SocketError} the last attempt's error. @throws {AggregateError} every attempt's, with `all_errors`.
 * @throws {AddressError} EAI_*: the name does not resolve. @throws the signal's reason.
 * @see getaddrinfo(3), connect(2)
 */
export async function create_connection(
  address: readonly [host: string | null, port: number | string],
  options: CreateConnectionOptions = {},
): Promise<Socket> {
  checkEndpoint(address);
  checkOptions(options);
  const { signal } = options;
  const found = await getaddrinfo(address[0], address[1], { type: SOCK_STREAM, signal });
  const make = (family: number, type: number, proto: number): Socket =>
    makeSocket(maker, create_connection, family, type, proto);
  return await runSteps(connectFirst<"async", Socket>(make, found, options, { signal }));
}

/**
 * Makes a stream listener: SO_REUSEADDR, bind, listen.
 *
 * @param address  `[host, port]`; "" is every address, port 0 lets the system pick. With AF_UNIX a path or an abstract
 *   name; the file of a path stays when the listener is closed, and is the program's to unlink.
 * @throws {SocketError} EADDRINUSE, EACCES… @throws {AddressError} EAI_*: the name does not resolve.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: dualstack_ipv6 without AF_INET6, unlink_stale without AF_UNIX.
 * @see bind(2), listen(2), ipv6(7), unix(7)
 */
export function create_server(address: AnyAddress, options: CreateServerOptions = {}): Socket {
  const make = (family: number, type: number, proto: number): Socket =>
    makeSocket(maker, create_server, family, type, proto);
  return makeServer(make, address, options);
}
