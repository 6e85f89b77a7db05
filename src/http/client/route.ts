// The way from a URL to a connection: by TCP, by a Unix socket, by a function of the caller's, or through a proxy. Requests
// that have a way in common share connections. It keeps none.

import { isIPv6 } from "node:net";
import { invalidArgument } from "../../socket/errors.ts";
import { connectSocks5, connectTcp, connectUnix } from "../../stream/index.ts";
import type { ByteStream, ConnectSocks5Options } from "../../stream/index.ts";
import type { Connect, Origin, RequestTls, RequestTransport } from "./options.ts";
import { connectTunnel } from "./tunnel.ts";
import type { Destination } from "./url.ts";

/** One way. */
export interface Route {
  /** The same for the same way, and for no other. */
  readonly key: string;
  /** Makes a connection. */
  open(signal: AbortSignal): Promise<ByteStream>;
}

/** A proxy of HTTP is told the whole URL, and who asks. */
export interface ProxyHead {
  readonly authorization: string | undefined;
}

/** Makes a connection to where TLS begins, if the origin speaks it. */
type Reach = (signal: AbortSignal) => Promise<ByteStream>;

const numbers = new WeakMap<Connect | RequestTls, number>();
let nextNumber = 1;

function numberOf(one: Connect | RequestTls): number {
  let number = numbers.get(one);
  if (number === undefined) numbers.set(one, (number = nextNumber++));
  return number;
}

/** The way by `reach`, and TLS behind it where the origin speaks it. berkeley/tls is loaded when the first one does. */
function secured(way: string, reach: Reach, origin: Origin, tls: RequestTls = NO_TLS): Route {
  if (origin.protocol === "http:") return { key: way, open: reach };
  const key = tls === NO_TLS ? way : `${way} tls ${numberOf(tls)}`;
  return {
    key,
    async open(signal) {
      const { startTls } = await import("../../tls/index.ts");
      const stream = await reach(signal);
      // One that TLS 1.3 offers should serve once.
      const session = sessions.get(key);
      sessions.delete(key);
      try {
        return await startTls(stream, {
          ...tls,
          serverName: tls.serverName ?? origin.hostname,
          alpnProtocols: ["http/1.1"],
          session,
          onSession: (offered) => keep(key, offered),
          signal,
        });
      } catch (error) {
        stream.close();
        throw error;
      }
    },
  };
}

const NO_TLS: RequestTls = Object.freeze({});

/** What the connection before was offered, by its way: resumed, a handshake is shorter. */
const sessions = new Map<string, Buffer>();
const SESSIONS_MAX = 256;

function keep(key: string, session: Buffer): void {
  sessions.delete(key);
  sessions.set(key, session);
  if (sessions.size <= SESSIONS_MAX) return;
  for (const oldest of sessions.keys()) {
    sessions.delete(oldest);
    return;
  }
}

/**
 * The way to a destination.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE, ERR_INVALID_URL: the proxy is none.
 */
export function routeTo(destination: Destination, transport: RequestTransport): Route {
  const { connect, path, proxy, tls } = transport;
  const { origin } = destination;
  const to: Origin = {
    protocol: destination.protocol,
    hostname: destination.hostname,
    port: destination.port,
  };
  if (connect !== undefined)
    return { key: `${numberOf(connect)} ${origin}`, open: (signal) => connect(to, { signal }) };
  if (path !== undefined) {
    const name = Buffer.from(path).toString("base64");
    return secured(`unix ${name} ${origin}`, (signal) => connectUnix(path, { signal }), to, tls);
  }
  if (proxy !== undefined) return routeThrough(proxyOf(proxy), to, origin, tls);
  return secured(origin, (signal) => connectTcp(to.hostname, to.port, { signal }), to, tls);
}

/** A proxy, taken apart. */
interface Proxy {
  readonly href: string;
  readonly isSocks: boolean;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

const SOCKS: ReadonlySet<string> = new Set(["socks5:", "socks5h:"]);
const SOCKS_PORT = 1080; // RFC 1928 section 3
const HTTP_PORT = 80;

/** @throws {TypeError} ERR_INVALID_URL; ERR_INVALID_ARG_TYPE: another scheme, or no host. */
function proxyOf(given: string | URL): Proxy {
  const url = new URL(given);
  const isSocks = SOCKS.has(url.protocol);
  if ((!isSocks && url.protocol !== "http:") || url.hostname === "")
    throw invalidArgument("options.proxy", "http://host:port or socks5://host:port", url.href);
  const { hostname, port } = url;
  return {
    href: url.href,
    isSocks,
    hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === "" ? (isSocks ? SOCKS_PORT : HTTP_PORT) : Number(port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
}

function basic({ user, password }: Proxy): string | undefined {
  if (user === "" && password === "") return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function routeThrough(proxy: Proxy, to: Origin, origin: string, tls: RequestTls | undefined): Route {
  const { href, isSocks, hostname, port } = proxy;
  const reach: Reach = (signal) => connectTcp(hostname, port, { signal });
  // It keeps connections to many origins itself, and one to it serves all of them.
  if (!isSocks && to.protocol === "http:") return { key: `proxy ${href}`, open: reach };
  const through: Reach = async (signal) => {
    const stream = await reach(signal);
    try {
      return isSocks
        ? await throughSocks(stream, proxy, to, signal)
        : await connectTunnel(stream, authorityOf(to), basic(proxy), { signal });
    } catch (error) {
      stream.close();
      throw error;
    }
  };
  return secured(`proxy ${href} ${origin}`, through, to, tls);
}

async function throughSocks(
  stream: ByteStream,
  { user, password }: Proxy,
  to: Origin,
  signal: AbortSignal,
): Promise<ByteStream> {
  const who: ConnectSocks5Options = user === "" ? { signal } : { signal, user, password };
  await connectSocks5(stream, to.hostname, to.port, who);
  return stream;
}

function authorityOf({ hostname, port }: Origin): string {
  return `${isIPv6(hostname) ? `[${hostname}]` : hostname}:${port}`;
}

/** What a request over this way says to a proxy of HTTP itself; undefined: there is none, or it only passes bytes on. */
export function proxyHead(destination: Destination, transport: RequestTransport): ProxyHead | undefined {
  if (transport.proxy === undefined || transport.connect !== undefined || transport.path !== undefined)
    return undefined;
  const proxy = proxyOf(transport.proxy);
  if (proxy.isSocks || destination.protocol !== "http:") return undefined;
  return { authorization: basic(proxy) };
}
