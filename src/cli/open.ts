// Opens endpoints: one function to listen, one to connect, whatever the kind. What failed comes out as EndpointError,
// which says where. Of TLS it opens the TCP beneath (tls-ends.ts does the rest). It knows no command and prints nothing.

import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  AI_PASSIVE,
  create_server,
  getaddrinfo,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  socket,
  SocketError,
} from "../index.ts";
import type { Socket } from "../index.ts";
import { isDatagram } from "./endpoint.ts";
import type { InternetEndpoint, SocketEndpoint, UnixEndpoint } from "./endpoint.ts";
import { EndpointError } from "./failure.ts";
import { bindPath, bindToBeAnswered } from "./unix-path.ts";

/** Families by name; "any" leaves it to the resolver. */
const FAMILY: Readonly<Record<InternetEndpoint["family"], number>> = {
  any: AF_UNSPEC,
  ipv4: AF_INET,
  ipv6: AF_INET6,
};
const INTERNET_TYPE: Readonly<Record<InternetEndpoint["kind"], number>> = {
  tcp: SOCK_STREAM,
  udp: SOCK_DGRAM,
  tls: SOCK_STREAM,
};
const UNIX_TYPE: Readonly<Record<UnixEndpoint["type"], number>> = {
  stream: SOCK_STREAM,
  datagram: SOCK_DGRAM,
  seqpacket: SOCK_SEQPACKET,
};

/** A socket with the endpoint that it really has (the port that the system picked). */
export interface Opened {
  readonly socket: Socket;
  readonly endpoint: SocketEndpoint;
  /** Closes the socket, and removes the path that was made for it. */
  readonly close: () => void;
}

/**
 * Listens on an endpoint: with connections as a listener, with datagrams as a socket that is bound. A name listens on
 * the first of its addresses; the host "" on every address, IPv6 and IPv4. A path that a dead program left is replaced.
 *
 * @throws {EndpointError} its cause is the SocketError or AddressError.
 */
export async function listenOn(endpoint: SocketEndpoint): Promise<Opened> {
  try {
    if (endpoint.kind === "unix") return listenUnix(endpoint);
    const opened = endpoint.host === "" ? listenEverywhere(endpoint) : await listenAt(endpoint);
    const [host, port] = opened.getsockname();
    return {
      socket: opened,
      endpoint: { ...endpoint, host: endpoint.host === "" ? "" : host, port },
      close: () => opened.close(),
    };
  } catch (error) {
    throw new EndpointError("listen on", endpoint, error);
  }
}

function listenUnix(endpoint: UnixEndpoint): Opened {
  const opened = socket(AF_UNIX, UNIX_TYPE[endpoint.type]);
  let path: Disposable | undefined;
  const close = (): void => {
    opened.close();
    path?.[Symbol.dispose]();
  };
  try {
    if (endpoint.abstract) opened.bind(abstractName(endpoint.name));
    else path = bindPath(opened, endpoint.name);
    if (endpoint.type !== "datagram") opened.listen();
    return { socket: opened, endpoint, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function listenAt({ kind, host, port, family }: InternetEndpoint): Promise<Socket> {
  const options = { family: FAMILY[family], type: INTERNET_TYPE[kind], flags: AI_PASSIVE };
  const [first] = await getaddrinfo(host, port, options);
  if (first === undefined) throw new Error(`getaddrinfo gave no address for ${host}`);
  const [found, , , , address] = first;
  return kind === "udp" ? bindUdp(found, address) : create_server(address, { family: found });
}

function listenEverywhere({ kind, port, family }: InternetEndpoint): Socket {
  const listen = (wanted: number, dualstack_ipv6 = false): Socket =>
    kind === "udp"
      ? bindUdp(wanted, ["", port], dualstack_ipv6)
      : create_server(["", port], { family: wanted, dualstack_ipv6 });
  if (family !== "any") return listen(FAMILY[family]);
  try {
    return listen(AF_INET6, true);
  } catch (error) {
    // A system without IPv6 has every IPv4 address still.
    if (error instanceof SocketError && (error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL"))
      return listen(AF_INET);
    throw error;
  }
}

// Without SO_REUSEADDR, which TCP's listeners have: of UDP it lets two programs have one port, and one of them starves.
function bindUdp(family: number, address: Parameters<Socket["bind"]>[0], dualstack = false): Socket {
  const made = socket(family, SOCK_DGRAM);
  try {
    if (family === AF_INET6) made.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, !dualstack);
    made.bind(address);
    return made;
  } catch (error) {
    made.close();
    throw error;
  }
}

/** What connectTo takes last. */
export interface ConnectOptions {
  /** Seconds for each address of the name; undefined leaves it to the system (about two minutes). */
  readonly timeout?: number | undefined;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to an endpoint, trying each address of a name. The host "" is this machine. A datagram socket is connected
 * too: it hears its peer alone, and of a Unix one the peer knows where to answer.
 *
 * @returns the connected socket, without a timeout of its own.
 * @throws {EndpointError} its cause is the SocketError, TimeoutError or AddressError of the last attempt.
 */
export async function connectTo(endpoint: SocketEndpoint, options: ConnectOptions = {}): Promise<Opened> {
  try {
    return await (endpoint.kind === "unix"
      ? connectUnix(endpoint, options)
      : connectInternet(endpoint, options));
  } catch (error) {
    throw new EndpointError("connect to", endpoint, error);
  }
}

async function connectUnix(endpoint: UnixEndpoint, { timeout, signal }: ConnectOptions): Promise<Opened> {
  const name = endpoint.abstract ? abstractName(endpoint.name) : endpoint.name;
  const opened = socket(AF_UNIX, UNIX_TYPE[endpoint.type]);
  let own: Disposable | undefined;
  const close = (): void => {
    opened.close();
    own?.[Symbol.dispose]();
  };
  try {
    if (isDatagram(endpoint)) own = bindToBeAnswered(opened);
    opened.settimeout(timeout ?? null);
    await opened.connect(name, { signal });
    opened.settimeout(null);
    return { socket: opened, endpoint, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function connectInternet(endpoint: InternetEndpoint, options: ConnectOptions): Promise<Opened> {
  const { kind, family, host, port } = endpoint;
  const { timeout, signal } = options;
  const wanted = { family: FAMILY[family], type: INTERNET_TYPE[kind], signal };
  let last: unknown = new Error(`getaddrinfo gave no address for ${host}`);
  for (const [found, type, proto, , address] of await getaddrinfo(host || "localhost", port, wanted)) {
    let opened: Socket | undefined;
    try {
      const made = (opened = socket(found, type, proto));
      made.settimeout(timeout ?? null);
      await made.connect(address, { signal });
      made.settimeout(null);
      return { socket: made, endpoint, close: () => made.close() };
    } catch (error) {
      opened?.close();
      if (signal?.aborted === true) throw error;
      last = error;
    }
  }
  throw last;
}

/** unix(7): an abstract name begins with a NUL. */
function abstractName(name: string): Buffer {
  return Buffer.from(`\0${name}`);
}
