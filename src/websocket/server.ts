// The server's opening: a request of HTTP that asks for a WebSocket, and its answer; and a server of nothing else. What
// follows is connection.ts's.

import { serve as serveHttp } from "../http/server.ts";
import type { HttpServeOptions } from "../http/server.ts";
import type { HttpReply } from "../http/server/reply.ts";
import type { HttpRequest } from "../http/server/request.ts";
import { HttpFields } from "../http/syntax/fields.ts";
import type { FieldsInit } from "../http/syntax/fields.ts";
import type { Server } from "../server/index.ts";
import { RemoteProtocolError } from "../wire/errors.ts";
import { invalidArgument } from "../wire/misuse.ts";
import { Deflate } from "./compression.ts";
import { WebSocketConnection } from "./connection.ts";
import { checkOptions } from "./options.ts";
import type { CheckedOptions, WebSocketOptions } from "./options.ts";
import { acceptDeflate } from "./syntax/deflate.ts";
import { refusal, statusOfHandshakeRefusal } from "./syntax/errors.ts";
import { CLOSE_GOING_AWAY } from "./syntax/frames.ts";
import {
  WEBSOCKET_VERSION,
  checkAddedFields,
  checkProtocols,
  readHandshake,
  responseFields,
} from "./syntax/handshake.ts";
import type { Asked } from "./syntax/handshake.ts";

/** What accept() takes last. */
export interface AcceptOptions extends WebSocketOptions {
  /** Subprotocols that are spoken here; of those a client asks for, its first one of them is taken. Default none. */
  readonly protocols?: readonly string[] | undefined;
  /** Fields of the answer beside those of the handshake: Set-Cookie. */
  readonly headers?: FieldsInit | undefined;
  /**
   * Pages of which origins ("https://example.org") are let in, as a list or a function. Default all: browsers let every
   * page open a WebSocket to every server, with its cookies. Who is told apart by cookies must say which (RFC 6455
   * section 10.2). Clients that are no browsers send no Origin; a list lets them in.
   */
  readonly origins?: readonly string[] | ((origin: string | undefined) => boolean) | undefined;
}

/** Answers one request with a WebSocket; what it returns is waited for, and the connection is closed with it. */
export type WebSocketHandler = (socket: WebSocketConnection, request: HttpRequest) => void | Promise<void>;

/** What serve() takes: how to answer, where to listen (as serve() of berkeley/http), and limits. */
export interface WebSocketServeOptions
  extends AcceptOptions,
    Pick<
      HttpServeOptions,
      | "listener"
      | "port"
      | "host"
      | "path"
      | "connectionsMax"
      | "drainTimeoutMs"
      | "lingerTimeoutMs"
      | "signal"
      | "onError"
    > {
  /** Serves one WebSocket. */
  readonly handle: WebSocketHandler;
}

/** All of it, checked. */
interface Accepting {
  readonly options: CheckedOptions;
  readonly protocols: readonly string[];
  readonly headers: HttpFields;
  readonly lets: (origin: string | undefined) => boolean;
}

function checkAccepting(given: AcceptOptions): Accepting {
  const { protocols = [], headers = HttpFields.EMPTY, origins } = given;
  if (origins !== undefined && typeof origins !== "function" && !Array.isArray(origins))
    throw invalidArgument("options.origins", "a list or a function", origins);
  let lets: Accepting["lets"] = () => true;
  if (typeof origins === "function") lets = origins;
  else if (origins !== undefined) {
    const list = new Set(origins);
    lets = (origin) => origin === undefined || list.has(origin);
  }
  return {
    options: checkOptions(given),
    protocols: checkProtocols(protocols),
    headers: checkAddedFields(HttpFields.from(headers)),
    lets,
  };
}

/** Connections that are told when their server begins to stop: one listener of its signal for all of them. */
const byStopping: WeakMap<AbortSignal, Set<WebSocketConnection>> = new WeakMap();

function closeWhenStopping(socket: WebSocketConnection, stopping: AbortSignal): void {
  let sockets = byStopping.get(stopping);
  if (sockets === undefined) {
    const all = (sockets = new Set<WebSocketConnection>());
    byStopping.set(stopping, all);
    stopping.addEventListener("abort", () => {
      for (const one of all) void one.close(CLOSE_GOING_AWAY);
    });
  }
  if (!socket.isOver) {
    sockets.add(socket);
    socket.group = sockets;
  }
  if (stopping.aborted) void socket.close(CLOSE_GOING_AWAY);
}

const TEXT: readonly [string, string] = ["Content-Type", "text/plain; charset=utf-8"];

function refuse(reply: HttpReply, error: RemoteProtocolError): void {
  const status = statusOfHandshakeRefusal(error);
  const fields: (readonly [string, string])[] = [TEXT];
  if (status === 405) fields.push(["Allow", "GET"]);
  if (status === 426)
    fields.push(
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Version", WEBSOCKET_VERSION],
    );
  reply.send(status, fields, `${error.code}\n`);
}

function asked(request: HttpRequest, { lets }: Accepting): Asked {
  const read = readHandshake(request);
  const origin = request.fields.get("origin");
  if (!lets(origin))
    throw refusal("ERR_WEBSOCKET_ORIGIN", `the origin ${JSON.stringify(origin)} is not let in`);
  return read;
}

async function acceptChecked(
  request: HttpRequest,
  reply: HttpReply,
  accepting: Accepting,
): Promise<WebSocketConnection | undefined> {
  const { options, headers } = accepting;
  const { compression, limits } = options;
  let ask: Asked;
  try {
    ask = asked(request, accepting);
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    refuse(reply, error);
    return undefined;
  }
  const protocol = ask.protocols.find((one) => accepting.protocols.includes(one));
  const accepted = compression === undefined ? undefined : acceptDeflate(ask.extensions, compression);
  const fields = responseFields(ask.key, { protocol, extensions: accepted?.text });
  const stream = await reply.upgrade([...fields, ...headers]);
  const deflate =
    accepted === undefined
      ? undefined
      : new Deflate("server", accepted.agreement, compression ?? {}, limits.decompressedBytesMax);
  const socket = new WebSocketConnection({ stream, role: "server", options, protocol, deflate });
  closeWhenStopping(socket, request.stopping);
  return socket;
}

/**
 * Accepts the WebSocket that a request of HTTP asks for: in a handler of serve() of berkeley/http, which must not return
 * before the connection is closed. When the server begins to stop, it is closed with 1001.
 *
 * @returns undefined: the request asks for none, or is not let in, and was answered with the reason (400, 403, 405, 426).
 * @example
 * const socket = await accept(request, reply);
 * if (socket !== undefined) for await (const message of socket) await socket.send(message);
 * @throws {LocalProtocolError} ERR_HTTP_SEQUENCE: the request was answered before; ERR_WEBSOCKET_PROTOCOL,
 *   ERR_WEBSOCKET_UPGRADE: protocols or headers that cannot be. @throws {SocketError} the connection broke.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 */
export async function accept(
  request: HttpRequest,
  reply: HttpReply,
  options: AcceptOptions = {},
): Promise<WebSocketConnection | undefined> {
  return acceptChecked(request, reply, checkAccepting(options));
}

/**
 * Serves WebSockets and nothing else, on every path. At a shutdown each is closed with 1001 and has drainTimeoutMs to
 * answer; a handler that returns closes its own with 1000.
 *
 * @example
 * await using server = await serve({ port: 8080, handle: (socket) => socket.each((message) => socket.send(message)) });
 * await server.finished;
 * @throws as serve() of berkeley/http; {LocalProtocolError} as accept().
 */
export async function serve(options: WebSocketServeOptions): Promise<Server> {
  const { handle } = options;
  if (typeof handle !== "function") throw invalidArgument("options.handle", "a function", handle);
  const accepting = checkAccepting(options);
  const { listener, port, host, path, connectionsMax } = options;
  const { drainTimeoutMs, lingerTimeoutMs, signal, onError } = options;
  return serveHttp({
    listener,
    port,
    host,
    path,
    connectionsMax,
    drainTimeoutMs,
    lingerTimeoutMs,
    signal,
    onError,
    handle: (request, reply) =>
      acceptChecked(request, reply, accepting).then((socket) =>
        socket === undefined ? undefined : run(handle, socket, request),
      ),
  });
}

/** Runs a handler, and closes behind it. No async function, for what idle connections hold. */
function run(handle: WebSocketHandler, socket: WebSocketConnection, request: HttpRequest): Promise<void> {
  let result: void | Promise<void>;
  try {
    result = handle(socket, request);
  } catch (error) {
    result = Promise.reject(error);
  }
  return Promise.resolve(result).then(
    () => socket.close(),
    async (error: unknown) => {
      await socket.fail();
      throw error;
    },
  );
}
