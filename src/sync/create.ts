// Making sockets that block: socket, fromfd, create_connection, create_server. How, ../socket/making.ts knows.

import { AF_UNIX, SOCK_STREAM } from "../constants/index.ts";
import type { AnyAddress } from "../socket/address.ts";
import type { SocketOptions } from "../socket/base.ts";
import { runStepsNow } from "../socket/face.ts";
import type { NoSignal } from "../socket/face.ts";
import {
  adoptDescriptor,
  checkEndpoint,
  checkOptions,
  connectFirst,
  duplicateDescriptor,
  makePair,
  makeServer,
  makeSocket,
} from "../socket/making.ts";
import type { ConnectionOptions, CreateServerOptions, Maker } from "../socket/making.ts";
import { getaddrinfo_sync } from "../socket/names/addresses.ts";
import { blockingEngine } from "./engine.ts";
import { Socket, refuseSignal } from "./socket.ts";

/** What create_connection takes last. */
export interface CreateConnectionOptions extends ConnectionOptions, NoSignal {}

const maker: Maker<Socket> = { engine: () => blockingEngine, make: (kind, fd) => new Socket(kind, fd) };

/**
 * Makes a socket whose calls block the thread. One socket(2) call; close-on-exec.
 *
 * @param family  AF_*; default AF_INET.
 * @param type    SOCK_*; default SOCK_STREAM. With SOCK_NONBLOCK it begins with settimeout(0).
 * @param proto   protocol number; default 0.
 * @param options `fileno` adopts a descriptor instead: what of family, type and proto is not given is asked of it.
 * @throws {SocketError} EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE, EPERM (raw sockets need CAP_NET_RAW)…
 * @see socket(2)
 */
export function socket(family?: number, type?: number, proto?: number, options?: SocketOptions): Socket {
  return options?.fileno === undefined
    ? makeSocket(maker, socket, family, type, proto)
    : adoptDescriptor(maker, socket, options.fileno, family, type, proto);
}

/**
 * Makes two connected sockets that block. One socketpair(2) call; both are close-on-exec.
 *
 * @param family  default AF_UNIX, the only one that Linux has pairs of (besides AF_TIPC).
 * @param type    SOCK_STREAM (default), SOCK_DGRAM or SOCK_SEQPACKET.
 * @param proto   protocol number; default 0.
 * @throws {SocketError} EOPNOTSUPP: the family has no pairs; EMFILE, ENFILE…
 * @see socketpair(2)
 */
export function socketpair(
  family: number = AF_UNIX,
  type: number = SOCK_STREAM,
  proto: number = 0,
): [Socket, Socket] {
  return makePair(maker, socketpair, family, type, proto);
}

/**
 * Makes a socket of another descriptor of the same open file. The original stays who had it; what is set on the file is
 * set for both, and O_NONBLOCK is (this Socket blocks all the same: it waits with poll(2)).
 *
 * @param fd  a socket's descriptor.
 * @throws {SocketError} EBADF: not open. EMFILE: no descriptor left.
 * @see dup(2)
 */
export function fromfd(fd: number, family: number, type: number, proto: number = 0): Socket {
  return duplicateDescriptor(maker, fromfd, fd, family, type, proto);
}

/**
 * Connects a TCP socket to a host by name or number, trying each of its addresses in turn. It blocks meanwhile, also for
 * the lookup.
 *
 * @param address  `[host, port]`; the port may be a service name.
 * @returns the connected socket.
 * @throws {SocketError} the last attempt's error. @throws {AggregateError} every attempt's, with `all_errors`.
 * @throws {AddressError} EAI_*: the name does not resolve.
 * @see getaddrinfo(3), connect(2)
 */
export function create_connection(
  address: readonly [host: string | null, port: number | string],
  options: CreateConnectionOptions = {},
): Socket {
  checkEndpoint(address);
  checkOptions(options);
  refuseSignal(options);
  const found = getaddrinfo_sync(address[0], address[1], { type: SOCK_STREAM });
  const make = (family: number, type: number, proto: number): Socket =>
    makeSocket(maker, create_connection, family, type, proto);
  return runStepsNow(connectFirst<"sync", Socket>(make, found, options, {}));
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
