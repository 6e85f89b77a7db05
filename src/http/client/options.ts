// What a client of HTTP may be told, for all its requests and for one: names, defaults and where they come from, and what
// is refused. It does nothing with them.

import type { UnixAddress } from "../../index.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { ByteStream } from "../../stream/index.ts";
import { checkAmount, checkLimits, checkTime } from "../checks.ts";
import type { InformationalHead } from "../events.ts";
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

/** Where a request's connection leads, if not by TCP to the URL's host. */
export interface RequestTransport {
  /** A Unix socket at which the server listens; the URL's host is only written as Host. */
  readonly path?: UnixAddress | undefined;
  /** Makes connections in place of TCP: for TLS, tunnels, tests. Requests share a connection when they have this function in common. */
  readonly connect?: Connect | undefined;
}

/** What request() takes last. */
export interface RequestOptions extends RequestTimeouts, RequestTransport {
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
export interface ClientOptions extends RequestTimeouts, RequestTransport {
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

/** The shortest of the times that a clock is asked for. */
export function shortest({ sendTimeoutMs, headTimeoutMs, bodyTimeoutMs, totalTimeoutMs }: Timeouts): number {
  return Math.min(sendTimeoutMs, headTimeoutMs, bodyTimeoutMs, totalTimeoutMs);
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE: both are given, or `connect` is no function. */
export function checkTransport({ path, connect }: RequestTransport): void {
  if (connect === undefined) return;
  if (typeof connect !== "function") throw invalidArgument("options.connect", "a function", connect);
  if (path !== undefined) throw invalidArgument("options", "an object with either path or connect", { path });
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
    transport: { path: options.path, connect: options.connect },
  };
}
