// URLs of endpoints: text to a closed union and back. Pure: it knows how an endpoint is written, not how it is opened
// (open.ts), and whether a name resolves, a port is free or a path exists is not its business.

import { isIPv4, isIPv6 } from "node:net";

/** A TCP or UDP address as a person writes it; "tls" is TLS over TCP. */
export interface InternetEndpoint {
  readonly kind: "tcp" | "udp" | "tls";
  /** "any" (tcp://) leaves the choice to the name; "ipv4" is tcp4://, "ipv6" is tcp6://. */
  readonly family: "any" | "ipv4" | "ipv6";
  /** A name, an IPv4 address, an IPv6 address without its brackets; "" is every address to listen, this machine to connect. */
  readonly host: string;
  /** 0..65535; 0 lets the system pick one to listen on. */
  readonly port: number;
}

/** A Unix socket as a person writes it. */
export interface UnixEndpoint {
  readonly kind: "unix";
  readonly type: "stream" | "datagram" | "seqpacket";
  /** In Linux's abstract namespace, where names are no paths and vanish with their socket (unix(7)). */
  readonly abstract: boolean;
  /** A path, taken as it is written; of an abstract name, what follows the leading NUL. */
  readonly name: string;
}

/** A WebSocket as a person writes it (RFC 6455 section 3); "wss" is one over TLS. */
export interface WebSocketEndpoint {
  readonly kind: "ws" | "wss";
  /** As of an InternetEndpoint. */
  readonly host: string;
  readonly port: number;
  /** Path and query: "/chat?room=1". To listen, the one that is answered; "/" is all. */
  readonly target: string;
}

/** What a socket alone can be. */
export type SocketEndpoint = InternetEndpoint | UnixEndpoint;

/** Everything that a URL can name. */
export type Endpoint = SocketEndpoint | WebSocketEndpoint;

/** What a person wrote cannot be understood; the message says how it is written. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}

/** RFC 9293 §3.1, RFC 768: ports are 16 bits. */
const PORT_MAX = 65_535;
/** RFC 1035 §2.3.4 allows names of 255 octets; an address with a zone is shorter. */
const HOST_CHARACTERS_MAX = 255;
/** unix(7): sun_path has 108 bytes, one of which is the NUL behind a path or before an abstract name. */
const UNIX_NAME_BYTES_MAX = 107;
const URL_SHOWN_CHARACTERS_MAX = 80;
/** RFC 6455 section 3. */
const WEBSOCKET_PORTS: Readonly<Record<WebSocketEndpoint["kind"], number>> = { ws: 80, wss: 443 };
/** The server of berkeley/http takes start lines of 8192 bytes. */
const TARGET_CHARACTERS_MAX = 8000;

const INTERNET_SCHEMES: Readonly<Record<string, Pick<InternetEndpoint, "kind" | "family">>> = {
  tcp: { kind: "tcp", family: "any" },
  tcp4: { kind: "tcp", family: "ipv4" },
  tcp6: { kind: "tcp", family: "ipv6" },
  udp: { kind: "udp", family: "any" },
  udp4: { kind: "udp", family: "ipv4" },
  udp6: { kind: "udp", family: "ipv6" },
  tls: { kind: "tls", family: "any" },
  tls4: { kind: "tls", family: "ipv4" },
  tls6: { kind: "tls", family: "ipv6" },
};
const UNIX_SCHEMES: Readonly<Record<string, Pick<UnixEndpoint, "type" | "abstract">>> = {
  unix: { type: "stream", abstract: false },
  "unix-dgram": { type: "datagram", abstract: false },
  "unix-seqpacket": { type: "seqpacket", abstract: false },
  abstract: { type: "stream", abstract: true },
  "abstract-dgram": { type: "datagram", abstract: true },
  "abstract-seqpacket": { type: "seqpacket", abstract: true },
};
const SCHEMES_SHOWN = [...Object.keys(INTERNET_SCHEMES), ...Object.keys(UNIX_SCHEMES), "ws", "wss"]
  .map((scheme) => `${scheme}://`)
  .join(", ");

/** Whether what goes there is messages that arrive whole or not at all, from nobody in particular, and without an end. */
export function isDatagram(endpoint: Endpoint): boolean {
  return endpoint.kind === "unix" ? endpoint.type === "datagram" : endpoint.kind === "udp";
}

/** Whether an endpoint has streams: connections without messages. */
export function isStream(endpoint: Endpoint): endpoint is SocketEndpoint {
  return endpoint.kind === "unix" ? endpoint.type === "stream" : ["tcp", "tls"].includes(endpoint.kind);
}

/** Whether an endpoint has WebSockets. */
export function isWebSocket(endpoint: Endpoint): endpoint is WebSocketEndpoint {
  return endpoint.kind === "ws" || endpoint.kind === "wss";
}

/** Whether what goes there is under TLS. */
export function isSecure({ kind }: Endpoint): boolean {
  return kind === "tls" || kind === "wss";
}

/**
 * Whether an endpoint is a socket and nothing else.
 *
 * @throws {UsageError} it is not; `what` is said to be for sockets.
 */
export function checkSocket(endpoint: Endpoint, what: string): SocketEndpoint {
  if (isWebSocket(endpoint)) throw new UsageError(`${what} is not for ${endpoint.kind}://`);
  return endpoint;
}

/**
 * Reads a URL: `tcp://127.0.0.1:8888`, `tcp://[::1]:80`, `udp6://localhost:80`, `tcp://:8888`, `unix:///run/app.sock`,
 * `unix-dgram://./log`, `abstract-seqpacket://name`, `ws://example.org/chat`. Of those without a host the two slashes may be left out.
 *
 * @throws {UsageError} it is not such a URL; the message says what is wrong and how it is written.
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^([a-z][a-z0-9+.-]*):(\/\/)?/i.exec(text);
  const name = (scheme?.[1] ?? "").toLowerCase();
  const rest = text.slice(scheme?.[0].length ?? 0);
  if (Object.hasOwn(UNIX_SCHEMES, name)) return parseUnix(text, name, rest);
  if (scheme?.[2] === undefined)
    throw new UsageError(`${shown(text)} is not a URL: write it as tcp://HOST:PORT or unix://PATH`);
  if (Object.hasOwn(INTERNET_SCHEMES, name)) return parseInternet(text, name, rest);
  if (name === "ws" || name === "wss") return parseWebSocket(text, name, rest);
  throw new UsageError(`${shown(text)}: ${name}:// is not known here; known are ${SCHEMES_SHOWN}`);
}

/** As parseEndpoint, for what is to be connected to: nobody can be reached at port 0. */
export function parsePeer(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint.kind !== "unix" && endpoint.port === 0)
    throw new UsageError("nobody can be reached at port 0: it asks the system to pick a port to listen on");
  return endpoint;
}

function parseUnix(text: string, scheme: string, name: string): UnixEndpoint {
  const endpoint = UNIX_SCHEMES[scheme] as Pick<UnixEndpoint, "type" | "abstract">;
  const what = endpoint.abstract ? "name" : "path";
  const refuse = (why: string): UsageError => new UsageError(`${shown(text)}: ${why}`);
  if (name === "")
    throw refuse(`the ${what} is missing, as in ${scheme}://${endpoint.abstract ? "NAME" : "/run/app.sock"}`);
  const bytes = Buffer.byteLength(name);
  if (bytes > UNIX_NAME_BYTES_MAX)
    throw refuse(`the ${what} has ${bytes} bytes, and a Unix socket's has ${UNIX_NAME_BYTES_MAX} at most`);
  if (!endpoint.abstract && name.includes("\0")) throw refuse("no path has a NUL in it");
  return { kind: "unix", ...endpoint, name };
}

function parseInternet(text: string, scheme: string, rest: string): InternetEndpoint {
  const { kind, family } = INTERNET_SCHEMES[scheme] as Pick<InternetEndpoint, "kind" | "family">;
  const refuse = (why: string): UsageError => new UsageError(`${shown(text)}: ${why}`);
  const parts = /^(?:\[([^\]]*)\]|([^:/?#@[\]\s]*))(?::([^:/?#@]*))?\/?$/.exec(rest);
  if (parts === null) {
    if (/^[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(rest))
      throw refuse(`an IPv6 address stands in brackets, as in ${kind}://[::1]:8888`);
    throw refuse(
      `a ${kind.toUpperCase()} address is HOST:PORT and nothing else, as in ${kind}://127.0.0.1:8888`,
    );
  }
  const [, bracketed, plain, digits] = parts;
  const host = bracketed ?? plain ?? "";
  if (bracketed !== undefined && !isIPv6(bracketed)) throw refuse(`[${bracketed}] is not an IPv6 address`);
  if (host.length > HOST_CHARACTERS_MAX)
    throw refuse(`the host is longer than ${HOST_CHARACTERS_MAX} characters`);
  if (/[^!-~]/.test(host)) throw refuse("the host has characters that no host name has");
  if (family === "ipv4" && isIPv6(host)) throw refuse(`${host} is an IPv6 address, and ${scheme}:// is IPv4`);
  if (family === "ipv6" && isIPv4(host)) throw refuse(`${host} is an IPv4 address, and ${scheme}:// is IPv6`);
  if (digits === undefined || digits === "")
    throw refuse(`the port is missing, as in ${kind}://127.0.0.1:8888`);
  if (!/^[0-9]{1,5}$/.test(digits) || Number(digits) > PORT_MAX)
    throw refuse(`the port is a number from 0 to ${PORT_MAX}`);
  return { kind, family, host, port: Number(digits) };
}

function parseWebSocket(text: string, kind: WebSocketEndpoint["kind"], rest: string): WebSocketEndpoint {
  const refuse = (why: string): UsageError => new UsageError(`${shown(text)}: ${why}`);
  const [, authority = "", target = ""] = /^([^/?#]*)([^]*)$/.exec(rest) ?? [];
  if (target.includes("#")) throw refuse("a WebSocket's URL has no fragment");
  if (target.length > TARGET_CHARACTERS_MAX)
    throw refuse(`the path is longer than ${TARGET_CHARACTERS_MAX} characters`);
  if (/[^!-~]|[<>"]/.test(target))
    throw refuse("the path has characters that stand in no URL: write them as %XX");
  const hasPort = /:[^\]]*$/.test(authority);
  if (authority === "") throw refuse(`the host is missing, as in ${kind}://127.0.0.1:8080/chat`);
  const { host, port } = parseInternet(
    text,
    "tcp",
    hasPort ? authority : `${authority}:${WEBSOCKET_PORTS[kind]}`,
  );
  return { kind, host, port, target: target.startsWith("/") ? target : `/${target}` };
}

/** Writes an endpoint so that parseEndpoint reads the same one. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (isWebSocket(endpoint))
    return `${endpoint.kind}://${formatHostPort(endpoint.host, endpoint.port)}${endpoint.target}`;
  if (endpoint.kind === "unix") {
    const { type, abstract, name } = endpoint;
    const kind = { stream: "", datagram: "-dgram", seqpacket: "-seqpacket" }[type];
    return `${abstract ? "abstract" : "unix"}${kind}://${name}`;
  }
  const version = { any: "", ipv4: "4", ipv6: "6" }[endpoint.family];
  return `${endpoint.kind}${version}://${formatHostPort(endpoint.host, endpoint.port)}`;
}

/** `127.0.0.1:80`, `[::1]:80`; an IPv4 peer of an IPv6 listener (::ffff:127.0.0.1) is shown as the IPv4 peer it is. */
export function formatHostPort(host: string, port: number): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(host)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return `${mapped}:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function shown(text: string): string {
  return JSON.stringify(
    text.length > URL_SHOWN_CHARACTERS_MAX ? `${text.slice(0, URL_SHOWN_CHARACTERS_MAX)}…` : text,
  );
}
