// Making sockets, for both faces: a new one, one of a descriptor, a pair, a listener that is ready, a connection to the first
// address that answers. Which class a socket becomes, the faces say; what is public, their files say too.

import type { Kind } from "../engine/descriptor.ts";
import type { Engine } from "../engine/engine.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_DOMAIN,
  SO_PROTOCOL,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_TYPE,
} from "../constants/index.ts";
import type { AnyAddress } from "./address.ts";
import type { UnixAddress } from "./address/types.ts";
import { checkInt, checkInteger, kindOf } from "./base.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import type { Face, FaceOptions, Steps } from "./face.ts";
import type { ListeningSocket } from "./listening.ts";
import type { AddressInfo } from "./names.ts";
import { missingProtocol } from "./protocols.ts";
import { missingRight } from "./rights.ts";
import { unlink_stale } from "./stale.ts";

/** A face's way to make a socket. */
export interface Maker<S> {
  /** The engine of its sockets. */
  engine(): Engine;
  /** A socket of a descriptor that is open. */
  make(kind: Kind, fd: number): S;
}

/** A function that the program calls to make a socket: a warning names the place above it. */
type Caller = (...args: never[]) => unknown;

/** socket(). */
export function makeSocket<S extends ListeningSocket<Face>>(
  maker: Maker<S>,
  below: Caller,
  family: number = AF_INET,
  type: number = SOCK_STREAM,
  proto: number = 0,
): S {
  const wanted = [checkInt("family", family), checkInt("type", type), checkInt("proto", proto)] as const;
  const kind = kindOf(...wanted, below, maker.engine());
  const fd = kind.engine.backend.calls.socket(...wanted);
  if (fd < 0) {
    const hint = missingRight("socket", -fd, kind) ?? missingProtocol(-fd, kind);
    throw new SocketError("socket", fd, { hint });
  }
  const made = maker.make(kind, fd);
  if (SOCK_NONBLOCK > 0 && (type & SOCK_NONBLOCK) !== 0) made.settimeout(0);
  return made;
}

/** socket() with `fileno`: from now on the socket owns the descriptor. What is not given is asked of it. */
export function adoptDescriptor<S>(
  maker: Maker<S>,
  below: Caller,
  fileno: number,
  family: number | undefined,
  type: number | undefined,
  proto: number | undefined,
): S {
  const fd = checkInteger("fileno", fileno, 0, 2 ** 31 - 1);
  const engine = maker.engine();
  const { calls } = engine.backend;
  const word = new Int32Array(1);
  const ask = (name: number): number => {
    const result = calls.getsockopt(fd, SOL_SOCKET, name, new Uint8Array(word.buffer), 0, 4);
    if (result < 0) throw new SocketError("getsockopt", result);
    return word[0] as number;
  };
  const kind = kindOf(
    family === undefined ? ask(SO_DOMAIN) : checkInt("family", family),
    type === undefined ? ask(SO_TYPE) : checkInt("type", type),
    proto === undefined ? ask(SO_PROTOCOL) : checkInt("proto", proto),
    below,
    engine,
  );
  for (const result of [calls.set_blocking(fd, 0), calls.set_inheritable(fd, 0), calls.adopt(fd)])
    if (result < 0) throw new SocketError("fcntl", result);
  return maker.make(kind, fd);
}

/** socketpair(). If the second cannot be made, the first is closed. */
export function makePair<S extends ListeningSocket<Face>>(
  maker: Maker<S>,
  below: Caller,
  family: number,
  type: number,
  proto: number,
): [S, S] {
  const wanted = [checkInt("family", family), checkInt("type", type), checkInt("proto", proto)] as const;
  const kind = kindOf(...wanted, below, maker.engine());
  const { calls } = kind.engine.backend;
  const pair = new Int32Array(2);
  const result = calls.socketpair(...wanted, pair);
  if (result < 0) throw new SocketError("socketpair", result);
  const [first, second] = [...pair] as [number, number];
  const made: S[] = [];
  try {
    for (const fd of [first, second]) made.push(maker.make(kind, fd));
  } catch (error) {
    for (const fd of [first, second].slice(made.length)) calls.close(fd);
    for (const socket of made) socket.close();
    throw error;
  }
  if (SOCK_NONBLOCK > 0 && (type & SOCK_NONBLOCK) !== 0) for (const socket of made) socket.settimeout(0);
  return made as [S, S];
}

/** fromfd(): a socket of another descriptor of the same open file. */
export function duplicateDescriptor<S>(
  maker: Maker<S>,
  below: Caller,
  fd: number,
  family: number,
  type: number,
  proto: number,
): S {
  const { calls } = maker.engine().backend;
  const copy = calls.dup(checkInteger("fd", fd, 0, 2 ** 31 - 1));
  if (copy < 0) throw new SocketError("dup", copy);
  try {
    return adoptDescriptor(maker, below, copy, family, type, proto);
  } catch (error) {
    calls.close(copy);
    throw error;
  }
}

/** What create_connection takes, besides how to wait. */
export interface ConnectionOptions {
  /** Seconds for each attempt; stays the socket's timeout. `null`: none. Default: getdefaulttimeout(). */
  timeout?: number | null | undefined;
  /** The protocol's number, IPPROTO_MPTCP. Default: the one that the address was found for, TCP. */
  proto?: number | undefined;
  /** Bound before connecting; "" and 0 leave the choice to the system. */
  source_address?: AnyAddress | undefined;
  /** When all attempts fail: `true` throws an AggregateError with every error, `false` (default) the last one. */
  all_errors?: boolean | undefined;
}

/** create_connection(), once the addresses are known. */
export function* connectFirst<F extends Face, S extends ListeningSocket<F>>(
  make: (family: number, type: number, proto: number) => S,
  found: readonly AddressInfo[],
  { all_errors, proto, source_address, timeout }: ConnectionOptions,
  waiting: FaceOptions<F> & { readonly signal?: AbortSignal | undefined },
): Steps<S> {
  const errors: unknown[] = [];
  for (const [family, type, foundProto, , target] of found) {
    let made: S | undefined;
    try {
      made = make(family, type, proto ?? foundProto);
      if (timeout !== undefined) made.settimeout(timeout);
      if (source_address !== undefined) made.bind(source_address);
      yield made.connect(target, waiting);
      return made;
    } catch (error) {
      made?.close();
      waiting.signal?.throwIfAborted();
      errors.push(error);
    }
  }
  if (all_errors === true) throw new AggregateError(errors, "create_connection: every address failed");
  throw errors.at(-1);
}

/** What create_connection calls an address. */
export function checkEndpoint(
  address: unknown,
): asserts address is readonly [host: string | null, port: number | string] {
  if (!Array.isArray(address)) throw invalidArgument("address", "[host, port]", address);
}

/** What these functions take last is an object. */
export function checkOptions(options: unknown): void {
  if (typeof options !== "object" || options === null) throw invalidArgument("options", "an object", options);
}

/** What create_server takes last. */
export interface CreateServerOptions {
  /** AF_INET (default), AF_INET6 or AF_UNIX. */
  family?: number | undefined;
  /** The protocol's number, IPPROTO_MPTCP. Default 0: the family's own. */
  proto?: number | undefined;
  /** As for listen(). */
  backlog?: number | undefined;
  /** Sets SO_REUSEPORT: several sockets may listen at one address. Default false. */
  reuse_port?: boolean | undefined;
  /** With AF_INET6: accept IPv4 as well, as ::ffff:… addresses. Default false. */
  dualstack_ipv6?: boolean | undefined;
  /** With AF_UNIX: unlink_stale() the path first. Default false. */
  unlink_stale?: boolean | undefined;
}

/** create_server(). */
export function makeServer<S extends ListeningSocket<Face>>(
  make: (family: number, type: number, proto: number) => S,
  address: AnyAddress,
  options: CreateServerOptions,
): S {
  checkOptions(options);
  const family = options.family ?? AF_INET;
  const dualstack = options.dualstack_ipv6 ?? false;
  if (dualstack && family !== AF_INET6)
    throw invalidArgument("options.family", "AF_INET6 with dualstack_ipv6", family);
  if (options.unlink_stale === true) {
    if (family !== AF_UNIX) throw invalidArgument("options.family", "AF_UNIX with unlink_stale", family);
    unlink_stale(address as UnixAddress);
  }
  const server = make(family, SOCK_STREAM, options.proto ?? 0);
  try {
    server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reuse_port === true) server.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
    if (family === AF_INET6) server.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, dualstack ? 0 : 1);
    server.bind(address);
    server.listen(options.backlog);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}
