// A server of HTTP: from where it listens to its handlers. Places and a graceful end are the server's beneath
// (berkeley/server); what happens on one connection is told in server/connection.ts.

import { invalidArgument } from "../socket/errors.ts";
import { serve as serveStreams } from "../server/index.ts";
import type { Server } from "../server/index.ts";
import type { ListenerOf } from "../server/serve.ts";
import { listenTcp, listenUnix } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";
import { Clock } from "./clock.ts";
import { HttpConnection } from "./server/connection.ts";
import type { HttpHandler } from "./server/connection.ts";
import { fetchHandler } from "./server/fetch.ts";
import type { FetchHandler } from "./server/fetch.ts";
import { replaceGlobals } from "./server/web/globals.ts";
import { checkOptions } from "./server/options.ts";
import type { ConnectionOptions } from "./server/options.ts";

/** What serve() takes: how to answer, where to listen, and limits. */
export interface HttpServeOptions extends ConnectionOptions {
  /** Answers as the web does, from Request to Response. Give this or `handle`. */
  readonly fetch?: FetchHandler | undefined;
  /**
   * Puts the light Response of this package in the place of the global one, for the whole process and for good: programs
   * that say `new Response("text")`, Hono's among them, answer twice as fast. Where the runtime's own fetch and Request would
   * not take a light Request (Node 24 and later), they are wrapped too. Default false: a library changes nothing
   * that it was not asked to change.
   */
  readonly lightGlobals?: boolean | undefined;
  /** Answers without Request and Response, which take most of the time of a small answer. */
  readonly handle?: HttpHandler | undefined;
  /** Where connections come from, if not from `port` or `path`; it belongs to the server from now on. */
  readonly listener?: ListenerOf<ByteStream> | undefined;
  /** The TCP port; 0 (default) lets the system pick, and the server's `localAddress` tells. */
  readonly port?: number | undefined;
  /** The address of this machine at that port, as listenTcp() takes it; "": all. Default "127.0.0.1". */
  readonly host?: string | undefined;
  /** A Unix socket in place of TCP, as listenUnix() takes it. */
  readonly path?: string | undefined;
  /** Of the URLs that `fetch` is given: "https" where the listener speaks TLS. Default "http". */
  readonly scheme?: "http" | "https" | undefined;
  /** Connections at once; what comes beyond that waits in the kernel's queue. Default 10000. */
  readonly connectionsMax?: number | undefined;
  /** How long shutdown() lets answers finish. Default 8000, as of berkeley/server. */
  readonly drainTimeoutMs?: number | undefined;
  /** As of berkeley/server. Default 2000. */
  readonly lingerTimeoutMs?: number | undefined;
  /** Shuts the server down, as shutdown() does. */
  readonly signal?: AbortSignal | undefined;
}

/** Idle connections hold a place too, so there are more places than berkeley/server has for other protocols. */
const CONNECTIONS_MAX = 10_000;

function handlerOf({ fetch, handle, scheme }: HttpServeOptions): HttpHandler {
  if ((fetch === undefined) === (handle === undefined))
    throw invalidArgument("options", "an object with either fetch or handle", { fetch, handle });
  if (fetch !== undefined) return fetchHandler(fetch, scheme);
  if (typeof handle !== "function") throw invalidArgument("options.handle", "a function", handle);
  return handle;
}

async function listenerOf(options: HttpServeOptions): Promise<ListenerOf<ByteStream>> {
  const { listener, path, host = "127.0.0.1", port } = options;
  if (listener !== undefined) return listener;
  return path === undefined ? await listenTcp(host, port) : listenUnix(path);
}

/** Loaded with the first connection that speaks it. */
const http2 = (): Promise<typeof import("./server/http2-connection.ts")> =>
  import("./server/http2-connection.ts");

/** A stream that speaks TLS: what of a TlsStream of berkeley/tls is looked at. */
interface Secured {
  readonly alpnProtocol: string | undefined;
  handshake(options: { signal: AbortSignal }): Promise<void>;
}

/** What a connection's ends have agreed to speak, if anything; undefined: its handshake failed, and it is over. */
async function protocolOf(
  accepted: ByteStream & Partial<Secured>,
  stopping: AbortSignal,
): Promise<string | undefined> {
  if (accepted.handshake === undefined) return "";
  try {
    await accepted.handshake({ signal: stopping });
    return accepted.alpnProtocol ?? "";
  } catch {
    return undefined;
  }
}

/**
 * Serves HTTP/1.1 and 1.0, and HTTP/2 on connections of TLS that have agreed on it by ALPN: those of a listener with
 * `alpnProtocols: ["h2", "http/1.1"]`.
 *
 * A request that is refused is answered with its status and `Connection: close`. At a shutdown idle connections are
 * closed, answers are finished, and the connections closed behind them.
 *
 * @example
 * await using server = await serve({ port: 8080, fetch: () => new Response("hello\n") });
 * await server.finished;
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 * @throws {SocketError} as listenTcp(), listenUnix().
 */
export async function serve(options: HttpServeOptions): Promise<Server> {
  const handler = handlerOf(options);
  if (options.lightGlobals === true) replaceGlobals();
  const checked = checkOptions(options);
  const { keepAliveTimeoutMs, headTimeoutMs, bodyTimeoutMs, sendTimeoutMs } = checked;
  const clock = new Clock(Math.min(keepAliveTimeoutMs, headTimeoutMs, bodyTimeoutMs, sendTimeoutMs));
  const connections = new Set<{ stop(): void }>();
  let listens = false;

  const listener = await listenerOf(options);
  return serveStreams(
    listener,
    async (_, served) => {
      const { accepted, stopping } = served;
      // One listener of the signal for all connections.
      if (!listens) {
        listens = true;
        stopping.addEventListener("abort", () => {
          for (const connection of connections) connection.stop();
        });
      }
      const chosen = await protocolOf(accepted, stopping);
      if (chosen === undefined) return undefined;
      // The stream beneath: deadlines are kept here, each for what it is, and the server's would come on top.
      const connection =
        chosen === "h2"
          ? new (await http2()).Http2Connection(accepted, handler, checked, served)
          : new HttpConnection(accepted, handler, checked, clock, served);
      connections.add(connection);
      if (stopping.aborted) connection.stop();
      try {
        await connection.run();
      } finally {
        connections.delete(connection);
      }
      // Not awaited here: what this function holds is let go.
      return connection instanceof HttpConnection ? connection.handedOver : undefined;
    },
    {
      connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
      idleTimeoutMs: Infinity,
      drainTimeoutMs: options.drainTimeoutMs,
      lingerTimeoutMs: options.lingerTimeoutMs,
      signal: options.signal,
    },
  );
}
