// Connecting: to a TCP service by name or number, at whichever of its addresses answers first, and to a Unix socket. How
// attempts are ordered and overlap, happy-eyeballs.ts knows.

import { isIP } from "node:net";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SocketError,
  socket,
} from "../index.ts";
import type { Address, AddressInfo, Socket, UnixAddress, getaddrinfo } from "../index.ts";
import { currentEngine } from "../engine/current.ts";
import { checkInteger } from "../socket/base.ts";
import { formatAddress } from "../socket/address/format.ts";
import { invalidArgument } from "../socket/errors.ts";
import { addressesOf } from "./addresses.ts";
import type { StreamOptions } from "./byte-stream.ts";
import { ConnectError } from "./errors.ts";
import {
  ATTEMPT_DELAY_MS,
  ATTEMPT_DELAY_MS_MAX,
  ATTEMPT_DELAY_MS_MIN,
  interleave,
  race,
} from "./happy-eyeballs.ts";
import { setNoDelay } from "./listener.ts";
import { SocketStream } from "./socket-stream.ts";

/** What connectTcp takes last. */
export interface ConnectTcpOptions extends StreamOptions {
  /** AF_INET or AF_INET6: only this one. Default AF_UNSPEC, both. */
  family?: number | undefined;
  /** Bound before connecting; a numeric host or "", port 0 leaves it to the system. Only its family is tried. */
  localAddress?: Address | undefined;
  /** TCP_NODELAY: small pieces are sent at once. Default true. */
  noDelay?: boolean | undefined;
  /** Milliseconds after which the next address is tried beside those that do not answer, 10 or more. Default 250. */
  attemptDelayMs?: number | undefined;
  /** Finds the addresses of a name. Default getaddrinfo. */
  lookup?: typeof getaddrinfo | undefined;
}

function familyFor(local: Address | undefined): number {
  if (local === undefined || local[0] === "") return AF_UNSPEC;
  const plain = isIP(local[0].replace(/%.*$/, ""));
  if (plain === 0) throw invalidArgument("options.localAddress", "numeric, or without a host", local);
  return plain === 4 ? AF_INET : AF_INET6;
}

async function attempt(
  [family, type, proto, , target]: AddressInfo,
  { localAddress, noDelay = true }: ConnectTcpOptions,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const made = socket(family, type, proto);
  try {
    setNoDelay(made, noDelay);
    if (localAddress !== undefined) {
      // Attempts that overlap leave from one port then.
      if (localAddress[1] !== 0) made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
      made.bind(localAddress);
    }
    await made.connect(target, { signal });
    return made;
  } catch (error) {
    made.close();
    throw error;
  }
}

/**
 * Connects to a TCP service. The host's addresses are tried as in RFC 8305 (Happy Eyeballs): IPv6 and IPv4 in turn, the
 * next one when one fails or has not answered for 250 ms; the first that answers wins and the others are closed.
 *
 * @param host  a name or a numeric address.
 * @param port  a number, or a service's name ("http").
 * @throws {ConnectError} no address could be connected to: ECONNREFUSED, ENETUNREACH, ETIMEDOUT…; `errors` has them all.
 * @throws {AddressError} EAI_*: the name does not resolve. @throws the signal's reason.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: port, attemptDelayMs.
 * @see RFC 8305; getaddrinfo(3), connect(2)
 */
export async function connectTcp(
  host: string,
  port: number | string,
  options: ConnectTcpOptions = {},
): Promise<SocketStream> {
  const { attemptDelayMs: delayMs = ATTEMPT_DELAY_MS, localAddress, lookup, signal } = options;
  if (typeof host !== "string" || host === "")
    throw invalidArgument("host", "a name or a numeric address", host);
  checkInteger("options.attemptDelayMs", delayMs, ATTEMPT_DELAY_MS_MIN, ATTEMPT_DELAY_MS_MAX);
  const family = options.family ?? familyFor(localAddress);
  signal?.throwIfAborted();
  const found = interleave(
    await addressesOf(host, port, { family, lookup, signal }),
    ([itsFamily]) => itsFamily,
    ([, , proto, , address]) => `${proto} ${formatAddress(address)}`,
  );
  signal?.throwIfAborted();
  const [only, ...others] = found;
  if (only === undefined) throw invalidArgument("options.lookup", "a function that finds addresses", lookup);
  try {
    if (others.length === 0) return new SocketStream(await attempt(only, options, signal));
    const attempts = found.map(
      (info) =>
        (stop: AbortSignal): Promise<Socket> =>
          attempt(info, options, stop),
    );
    const { backend } = currentEngine();
    const discard = (late: Socket): void => late.close();
    return new SocketStream(await race(attempts, { clock: backend, delayMs, discard, isOwn, signal }));
  } catch (error) {
    signal?.throwIfAborted();
    if (Array.isArray(error)) throw new ConnectError(host, error as SocketError[]);
    if (isOwn(error)) throw new ConnectError(host, [error]);
    throw error;
  }
}

const isOwn = (error: unknown): error is SocketError => error instanceof SocketError;

/**
 * Connects to a Unix socket of type SOCK_STREAM.
 *
 * @param path  a path, or an abstract name (bytes that begin with NUL).
 * @throws {SocketError} ENOENT, ECONNREFUSED: nobody listens there; EACCES… @throws the signal's reason.
 * @see unix(7), connect(2)
 */
export async function connectUnix(path: UnixAddress, options?: StreamOptions): Promise<SocketStream> {
  const made = socket(AF_UNIX, SOCK_STREAM);
  try {
    await made.connect(path, options);
    return new SocketStream(made);
  } catch (error) {
    made.close();
    throw error;
  }
}
