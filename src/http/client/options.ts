// What a client of HTTP may be told, for all its requests and for one: names, defaults and where they come from, and what
// is refused. It does nothing with them.

import type { UnixAddress } from "../../index.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { ByteStream } from "../../stream/index.ts";
import { checkAmount, checkLimits, checkTime } from "../checks.ts";
import type { InformationalHead } from "../events.ts";
import type { TlsClientOptions } from "../../tls/index.ts";
import type { FieldsInit } from "../syntax/fields.ts";
import type { HttpLimits } from "../syntax/limits.ts";

/** Whom a connection is for. */
export interface Origin {
  readonly protocol: "http:" | "https:";
  /** A name or a numeric address, an IPv6 address without its brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** Makes a connection for a client; over TLS already, where the origin's protocol is https. */
export type Connect = (origin: Origin, options: { readonly signal: AbortSignal }) => Promise<ByteStream>;

/** The content of a request. Pieces of text are sent as UTF-8. Leave bytes alone until the answer is here. */
export type RequestContent =
  | string
  | Uint8Array
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>;

/** How long a request may take, phase by phase. Milliseconds above 0; Infinity: no limit. */
export interface RequestTimeouts {
  /** For the server to take each 256 KiB of the request. Default 60000, as nginx's proxy_send_timeout. */
  readonly sendTimeoutMs?: number | undefined;
  /** From the end of the request to the head of the answer. Default 60000, as nginx's proxy_read_timeout. */
  readonly headTimeoutMs?: number | undefined;
  /** For the next piece of the answer's content, while somebody waits for it. Default 60000, as nginx's proxy_read_timeout. */
  readonly bodyTimeoutMs?: number | undefined;
  /** From the call to the end of the answer's content. Default Infinity. */
  readonly totalTimeoutMs?: number | undefined;
}

/** How https: is spoken: whom to trust (`ca`), who we are (`identity`), and what else startTls() of berkeley/tls takes. */
export interface RequestTls
  extends Omit<TlsClientOptions, "alpnProtocols" | "onSession" | "session" | "signal"> {
  /** What the certificate must be for, and what the server is asked for. Default: the URL's host. */
  readonly serverName?: string | undefined;
}

/** Where a request's connection leads, if not by TCP to the URL's host. */
export interface RequestTransport {
  /** A Unix socket at which the server listens; the URL's host is only written as Host. */
  readonly path?: UnixAddress | undefined;
  /** Makes connections in place of TCP: for TLS, tunnels, tests. Requests share a connection when they have this function in common. */
  readonly connect?: Connect | undefined;
  /**
   * A proxy, with its user and password if it wants them: "http://host:port" is told the URL of a request to http:, and
   * asked for a connection (CONNECT) where it is https:; "socks5://host:port" is asked for a connection (RFC 1928). Names are
   * resolved by the proxy.
   */
  readonly proxy?: string | URL | undefined;
  /** Of https: URLs. Requests share a connection when they have this object in common. Default: the usual roots, nobody. */
  readonly tls?: RequestTls | undefined;
}

/** Keeps cookies: what `tough-cookie` calls CookieJar is one, with `getCookieString` and `setCookie` as they are. */
export interface CookieJar {
  /** The value of Cookie for a URL; "": none. */
  getCookieString(url: string): string | Promise<string>;
  /** Takes one Set-Cookie. What it does not like it passes over. */
  setCookie(line: string, url: string, options: { readonly ignoreError: true }): unknown;
}

/** What is done around a request. */
export interface RequestManner {
  /**
   * Redirections that are followed; with more the request fails. Default 0: they are answers like others. To another origin
   * no Authorization and Cookie of the headers goes.
   */
  readonly redirectsMax?: number | undefined;
  /** Asks for a compressed content and gives it decoded: gzip, br, deflate, zstd where the runtime has it. Default false. */
  readonly decompress?: boolean | undefined;
  /** What a content may become when it is decoded. Default 1073741824; ours: an attack makes more, a document does not. */
  readonly decodedBytesMax?: number | undefined;
  /** Where cookies are kept. Default: none are. */
  readonly cookies?: CookieJar | undefined;
}

/** What request() takes last. */
export interface RequestOptions extends RequestTimeouts, RequestTransport, RequestManner {
  /** As it is sent: case counts. Default GET. */
  readonly method?: string | undefined;
  /** Host is added, and what tells the length of the content. */
  readonly headers?: FieldsInit | undefined;
  /** Without a Content-Length among the headers an iterable is sent in chunks. */
  readonly body?: RequestContent | undefined;
  /** Fields behind a content in chunks; called when it is over. */
  readonly trailers?: (() => FieldsInit) | undefined;
  /** Sends the content only when the server has said 100 (Continue), or nothing for continueTimeoutMs. Default false. */
  readonly expectContinue?: boolean | undefined;
  /** Offers another protocol, as it is written in Upgrade. With 101 the response has the `stream`. */
  readonly upgrade?: string | undefined;
  /** Told of responses before the final one: 100, 102, 103. */
  readonly onInformational?: ((head: InformationalHead) => void) | undefined;
  /** Ends it, also while its content is being read: what waits fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What a client takes: what holds for all its requests, and how many connections it may have. */
export interface ClientOptions extends RequestTimeouts, RequestTransport, RequestManner {
  /** Limits of the parser, over HTTP_LIMITS. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /** For a connection to be made. Default 10000, as undici's. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long a connection is kept that nothing happens on; a server's Keep-Alive may shorten it. Default 30000. */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** How long content waits for 100 (Continue). Default 1000, as curl's. */
  readonly continueTimeoutMs?: number | undefined;
  /** Connections to one origin; more requests wait. Default 64. */
  readonly connectionsMax?: number | undefined;
  /** Connections to all origins that nothing happens on; beyond that the longest idle one is closed. Default 256. */
  readonly idleConnectionsMax?: number | undefined;
  /** Requests to one origin that wait for a connection; with more they fail. Default 10000. */
  readonly queueMax?: number | undefined;
  /**
   * Content that nobody reads and that is dropped so that the connection lives on; with more it is closed. Default 262144,
   * as the server's.
   */
  readonly unreadBytesMax?: number | undefined;
}

/** Timeouts, all there. */
export type Timeouts = { readonly [Name in keyof RequestTimeouts]-?: number };

/** A client's options, checked. */
export interface CheckedClientOptions {
  readonly limits: HttpLimits;
  readonly timeouts: Timeouts;
  readonly connectTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly continueTimeoutMs: number;
  readonly connectionsMax: number;
  readonly idleConnectionsMax: number;
  readonly queueMax: number;
  readonly unreadBytesMax: number;
  readonly transport: RequestTransport;
  readonly manner: Manner;
}

/** What is done around a request, all there. */
export interface Manner {
  readonly redirectsMax: number;
  readonly decompress: boolean;
  readonly decodedBytesMax: number;
  readonly cookies: CookieJar | undefined;
}

const TIMEOUTS: Timeouts = {
  sendTimeoutMs: 60_000,
  headTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  totalTimeoutMs: Infinity,
};

/** Timeouts over others; the same object where none is given. */
export function timeoutsOver(given: RequestTimeouts, under: Timeouts): Timeouts {
  const { sendTimeoutMs, headTimeoutMs, bodyTimeoutMs, totalTimeoutMs } = given;
  if (
    sendTimeoutMs === undefined &&
    headTimeoutMs === undefined &&
    bodyTimeoutMs === undefined &&
    totalTimeoutMs === undefined
  )
    return under;
  return {
    sendTimeoutMs: checkTime("options.sendTimeoutMs", sendTimeoutMs ?? under.sendTimeoutMs),
    headTimeoutMs: checkTime("options.headTimeoutMs", headTimeoutMs ?? under.headTimeoutMs),
    bodyTimeoutMs: checkTime("options.bodyTimeoutMs", bodyTimeoutMs ?? under.bodyTimeoutMs),
    totalTimeoutMs: checkTime("options.totalTimeoutMs", totalTimeoutMs ?? under.totalTimeoutMs),
  };
}

const MANNER: Manner = {
  redirectsMax: 0,
  decompress: false,
  decodedBytesMax: 1_073_741_824,
  cookies: undefined,
};

/** Manners over others; the same object where none is given. */
export function mannerOver(given: RequestManner, under: Manner): Manner {
  const { redirectsMax, decompress, decodedBytesMax, cookies } = given;
  if (
    redirectsMax === undefined &&
    decompress === undefined &&
    decodedBytesMax === undefined &&
    cookies === undefined
  )
    return under;
  return {
    redirectsMax: checkAmount("options.redirectsMax", redirectsMax ?? under.redirectsMax, 0),
    decompress: decompress ?? under.decompress,
    decodedBytesMax: checkAmount("options.decodedBytesMax", decodedBytesMax ?? under.decodedBytesMax, 0),
    cookies: cookies ?? under.cookies,
  };
}

/** The shortest of the times that a clock is asked for. */
export function shortest({ sendTimeoutMs, headTimeoutMs, bodyTimeoutMs, totalTimeoutMs }: Timeouts): number {
  return Math.min(sendTimeoutMs, headTimeoutMs, bodyTimeoutMs, totalTimeoutMs);
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE: more than one is given, or `connect` is no function. */
export function checkTransport({ path, connect, proxy, tls }: RequestTransport): void {
  if (connect !== undefined && typeof connect !== "function")
    throw invalidArgument("options.connect", "a function", connect);
  if (tls !== undefined && (typeof tls !== "object" || tls === null))
    throw invalidArgument("options.tls", "an object", tls);
  if ([path, connect, proxy].filter((one) => one !== undefined).length > 1)
    throw invalidArgument("options", "an object with one of path, connect and proxy", {
      path,
      connect,
      proxy,
    });
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option. */
export function checkClientOptions(options: ClientOptions): CheckedClientOptions {
  checkTransport(options);
  return {
    limits: checkLimits(options.limits, Infinity),
    timeouts: timeoutsOver(options, TIMEOUTS),
    connectTimeoutMs: checkTime("options.connectTimeoutMs", options.connectTimeoutMs ?? 10_000),
    keepAliveTimeoutMs: checkTime("options.keepAliveTimeoutMs", options.keepAliveTimeoutMs ?? 30_000),
    continueTimeoutMs: checkTime("options.continueTimeoutMs", options.continueTimeoutMs ?? 1000),
    connectionsMax: checkAmount("options.connectionsMax", options.connectionsMax ?? 64, 1),
    idleConnectionsMax: checkAmount("options.idleConnectionsMax", options.idleConnectionsMax ?? 256, 0),
    queueMax: checkAmount("options.queueMax", options.queueMax ?? 10_000, 0),
    unreadBytesMax: checkAmount("options.unreadBytesMax", options.unreadBytesMax ?? 262_144, 0),
    transport: { path: options.path, connect: options.connect, proxy: options.proxy, tls: options.tls },
    manner: mannerOver(options, MANNER),
  };
}
