// A client of HTTP: from a URL to the answer, over connections that are used again. It checks what is asked for and finds
// the origin's connections; how they are shared client/pool.ts knows, and what happens on one client/connection.ts.

import { invalidArgument } from "../socket/errors.ts";
import { Clock } from "./clock.ts";
import { fetchWith } from "./client/fetch.ts";
import { follow } from "./client/follow.ts";
import { checkClientOptions, checkTransport, mannerOver, shortest, timeoutsOver } from "./client/options.ts";
import type {
  CheckedClientOptions,
  ClientOptions,
  RequestContent,
  RequestOptions,
  RequestTransport,
} from "./client/options.ts";
import { PendingRequest } from "./client/pending.ts";
import { OriginPool } from "./client/pool.ts";
import type { ClientStats, PoolOwner } from "./client/pool.ts";
import type { HttpResponse } from "./client/response.ts";
import { proxyHead, routeTo } from "./client/route.ts";
import { destinationOf } from "./client/url.ts";
import type { Destination } from "./client/url.ts";
import { mistake } from "./syntax/errors.ts";
import { HttpFields } from "./syntax/fields.ts";
import type { FieldsInit } from "./syntax/fields.ts";
import { prepareRequest } from "./writer.ts";

/** The length of a content that is sent whole; "chunked" of others, unless the headers tell theirs. */
function lengthOf(content: RequestContent | undefined): number | "chunked" {
  if (content === undefined) return 0;
  if (typeof content === "string") return Buffer.byteLength(content);
  return content instanceof Uint8Array ? content.length : "chunked";
}

function isContent(content: unknown): content is RequestContent {
  if (content === undefined || typeof content === "string" || content instanceof Uint8Array) return true;
  return (
    typeof content === "object" &&
    content !== null &&
    (Symbol.asyncIterator in content || Symbol.iterator in content)
  );
}

const HAS_LENGTH = /^content-length$/i;

/** Whether the caller tells the length of a content that is an iterable. */
function tellsLength(headers: FieldsInit): boolean {
  if (headers instanceof HttpFields) return headers.has("content-length");
  if (Symbol.iterator in headers) return HttpFields.from(headers).has("content-length");
  return Object.keys(headers).some((name) => HAS_LENGTH.test(name));
}

/** The headers, and those that options stand for. */
function withAdded(
  headers: FieldsInit,
  { upgrade, expectContinue }: RequestOptions,
  authorization: string | undefined,
): FieldsInit {
  if (upgrade === undefined && expectContinue !== true && authorization === undefined) return headers;
  const all = [...HttpFields.from(headers)];
  if (upgrade !== undefined) all.push(["Connection", "Upgrade"], ["Upgrade", upgrade]);
  if (expectContinue === true) all.push(["Expect", "100-continue"]);
  if (authorization !== undefined) all.push(["Proxy-Authorization", authorization]);
  return all;
}

const NO_OPTIONS: RequestOptions = Object.freeze({});

/** Requests of HTTP/1.1 over connections that are kept and shared. */
export class HttpClient implements AsyncDisposable {
  readonly #options: CheckedClientOptions;
  readonly #clock: Clock;
  readonly #pools: Map<string, OriginPool> = new Map();
  readonly #owner: PoolOwner;
  #idle = 0;
  #closed = false;

  /**
   * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
   */
  constructor(options: ClientOptions = {}) {
    this.#options = checkClientOptions(options);
    this.#clock = new Clock(Math.min(shortest(this.#options.timeouts), this.#options.keepAliveTimeoutMs));
    this.#owner = {
      options: this.#options,
      clock: this.#clock,
      idles: (change) => this.#countIdle(change),
      empty: (key) => this.#pools.delete(key),
    };
  }

  /**
   * Sends a request and waits for the head of the answer. Its content is streamed: read it or close() it.
   *
   * A request whose method may be repeated (GET, HEAD, PUT, DELETE …) and whose content is at hand is sent once more when
   * the kept connection it was sent on turns out to have died before the server said anything.
   *
   * @throws {SocketError} ConnectError and others: there is no connection. @throws {AddressError} the name does not resolve.
   * @throws {TlsError} ERR_TLS_…: of https:, the server is not who it should be, or the handshake failed.
   * @throws {RequestTimeoutError} ERR_HTTP_TIMEOUT: a phase took too long. @throws the signal's reason.
   * @throws {RemoteProtocolError} ERR_HTTP_…: what the server sent is refused; ERR_HTTP_UNEXPECTED_END: it ended before.
   * @throws {LocalProtocolError} ERR_HTTP_FIELD_NAME, ERR_HTTP_FIELD_VALUE, ERR_HTTP_METHOD, ERR_HTTP_FRAMING …: what was
   *   asked for cannot be sent; ERR_HTTP_SCHEME, ERR_HTTP_QUEUE_FULL, ERR_HTTP_CLIENT_CLOSED.
   * @throws {TypeError} ERR_INVALID_URL, ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE.
   */
  request(url: string | URL, options: RequestOptions = NO_OPTIONS): Promise<HttpResponse> {
    try {
      const under = this.#options.manner;
      const manner = options === NO_OPTIONS ? under : mannerOver(options, under);
      if (manner.redirectsMax === 0 && !manner.decompress && manner.cookies === undefined)
        return this.#send(url, options);
      const { totalTimeoutMs } = timeoutsOver(options, this.#options.timeouts);
      const { tls = this.#options.transport.tls } = options;
      return follow((to, changed) => this.#send(to, changed), url, options, manner, tls, totalTimeoutMs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * request() in the web's shape: Request in, Response out. Redirections are followed (20 of them), contents are decoded.
   *
   * @throws {TypeError} "fetch failed": there is no answer; its `cause` is what request() would have thrown. @throws the
   *   signal's reason.
   * @see the fetch standard
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return fetchWith(this, input, init);
  }

  #send(url: string | URL, options: RequestOptions): Promise<HttpResponse> {
    try {
      if (this.#closed) throw mistake("ERR_HTTP_CLIENT_CLOSED", "the client was closed");
      const destination = destinationOf(url);
      const transport = this.#transportOf(options);
      const pending = this.#make(destination, options, transport);
      const { promise } = pending;
      this.#poolOf(destination, transport).submit(pending);
      return promise as Promise<HttpResponse>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #transportOf(options: RequestOptions): RequestTransport {
    const { path, connect, proxy, tls } = options;
    const under = this.#options.transport;
    const isSame = path === undefined && connect === undefined && proxy === undefined;
    if (isSame && tls === undefined) return under;
    checkTransport(options);
    if (isSame) return { ...under, tls };
    return { path, connect, proxy, tls: tls ?? under.tls };
  }

  #make(destination: Destination, options: RequestOptions, transport: RequestTransport): PendingRequest {
    const { url, host, target } = destination;
    const { method = "GET", headers = HttpFields.EMPTY, body: content, trailers, upgrade, signal } = options;
    if (!isContent(content))
      throw invalidArgument("options.body", "a string, bytes, or an iterable of them", content);
    signal?.throwIfAborted();
    const pieces = trailers !== undefined && lengthOf(content) !== "chunked" ? [content ?? ""] : content;
    const length = lengthOf(pieces as RequestContent | undefined);
    const told = transport.proxy === undefined ? undefined : proxyHead(destination, transport);
    const head = prepareRequest({
      method,
      target: told === undefined ? target : url,
      host,
      fields: withAdded(headers, options, told?.authorization),
      body: length === "chunked" && tellsLength(headers) ? undefined : length,
    });
    const timeouts = timeoutsOver(options, this.#options.timeouts);
    if (timeouts !== this.#options.timeouts) this.#clock.notice(shortest(timeouts));
    const { onInformational } = options;
    return new PendingRequest(
      {
        method,
        url,
        head,
        content: pieces as RequestContent | undefined,
        trailers,
        upgrade: upgrade !== undefined,
        onInformational,
        timeouts,
        signal,
      },
      this.#clock,
    );
  }

  #poolOf(destination: Destination, transport: RequestTransport): OriginPool {
    // Nearly always the origin alone tells the way.
    const way = transport.path ?? transport.connect ?? transport.proxy ?? transport.tls;
    const known = way === undefined ? this.#pools.get(destination.origin) : undefined;
    if (known !== undefined) return known;
    const route = routeTo(destination, transport);
    const { key } = route;
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = new OriginPool(this.#owner, key, (stop) => route.open(stop));
      this.#pools.set(key, pool);
    }
    return pool;
  }

  #countIdle(change: 1 | -1): void {
    this.#idle += change;
    if (this.#idle <= this.#options.idleConnectionsMax) return;
    // The origin that was met first: its connections are likely to have been idle for the longest time.
    for (const pool of this.#pools.values()) if (pool.closeIdle()) return;
  }

  /** How many connections and waiting requests it has now. */
  stats(): ClientStats {
    const stats = { connections: 0, idle: 0, connecting: 0, waiting: 0 };
    for (const pool of this.#pools.values()) pool.count(stats);
    return stats;
  }

  /** Closes all connections at once. What is under way fails with ERR_HTTP_CLIENT_CLOSED. */
  close(): void {
    this.#closed = true;
    const reason = mistake("ERR_HTTP_CLIENT_CLOSED", "the client was closed");
    for (const pool of this.#pools.values()) pool.close(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

let shared: HttpClient | undefined;

/**
 * HttpClient.request() of a client that all of a thread's requests share. Its idle connections hold no process alive.
 *
 * @example
 * const response = await request("http://127.0.0.1:8080/", { method: "POST", body: "hello" });
 * console.log(response.status, await response.text());
 * @throws as HttpClient.request().
 */
export function request(url: string | URL, options?: RequestOptions): Promise<HttpResponse> {
  shared ??= new HttpClient();
  return shared.request(url, options);
}

/** HttpClient.fetch() of the client that all of a thread's requests share. @throws as HttpClient.fetch(). */
export function fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  shared ??= new HttpClient();
  return shared.fetch(input, init);
}
