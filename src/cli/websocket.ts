// WebSockets as channels, with TLS or without: connected to, and served, each conversation for itself. It knows no
// command, and prints nothing.
// What it stands on is loaded when it is wanted: the other commands begin as fast as before.

import { isUtf8 } from "node:buffer";
import type { AnyAddress } from "../index.ts";
import { SocketListener } from "../stream/index.ts";
import type { WebSocketConnection } from "../websocket/index.ts";
import type { Channel } from "./channel.ts";
import { formatEndpoint } from "./endpoint.ts";
import type { WebSocketEndpoint } from "./endpoint.ts";
import { EndpointError } from "./failure.ts";
import { listenOn } from "./open.ts";
import type { ConnectOptions } from "./open.ts";
import { describeSender } from "./peer.ts";
import type { TlsEnds } from "./tls-ends.ts";

/** Which messages go out as text: none; those that are UTF-8; those that answer text. The others go as bytes. */
export type Texts = "never" | "utf8" | "same";

/** Long enough for another continent; a command that is done should not be kept by a peer that is not. */
const CLOSE_TIMEOUT_MS = 2000;
/** As the command's other messages may be (MESSAGE_BYTES_MAX), many times over: browsers send files as one. */
const LIMITS = { frameBytesMax: 16_777_216, messageBytesMax: 16_777_216 } as const;

function webSocketChannel(socket: WebSocketConnection, texts: Texts): Channel {
  let wasText = false;
  return {
    kind: "messages",
    async receive() {
      const { value } = await socket.receive();
      if (value === undefined) return undefined;
      wasText = typeof value === "string";
      return typeof value === "string" ? Buffer.from(value) : value;
    },
    send(data) {
      const asText = texts === "utf8" ? isUtf8(data) : texts === "same" && wasText;
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return socket.send(asText ? bytes.toString() : bytes);
    },
    end() {},
    close: () => void socket.close(),
  };
}

/**
 * Connects to a WebSocket.
 *
 * @param tls  for wss://.
 * @throws {EndpointError} its cause is a SocketError, an AddressError, a TlsError or a RemoteProtocolError.
 * @throws {UsageError} the credentials are none.
 */
export async function connectWebSocket(
  endpoint: WebSocketEndpoint,
  { timeout, signal }: ConnectOptions,
  texts: Texts,
  tls: TlsEnds | undefined,
): Promise<Channel> {
  const openTimeoutMs = timeout === undefined ? Infinity : timeout * 1000;
  try {
    const url = formatEndpoint({ ...endpoint, host: endpoint.host || "localhost" });
    const { connect } = await import("../websocket/index.ts");
    const options = {
      signal,
      openTimeoutMs,
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
      limits: LIMITS,
      tls: tls?.client,
    };
    return webSocketChannel(await connect(url, options), texts);
  } catch (error) {
    throw tls?.usageOf(error) ?? new EndpointError("connect to", endpoint, error);
  }
}

/** What serveWebSockets() needs of its caller. */
export interface WebSocketsOptions {
  readonly connectionsMax: number;
  readonly texts: Texts;
  /** Ends it, and all conversations. */
  readonly signal: AbortSignal;
  /** For wss://. */
  readonly tls: TlsEnds | undefined;
}

/** A server of WebSockets that runs. */
export interface WebSocketsServer extends AsyncDisposable {
  /** With the port that the system picked. */
  readonly endpoint: WebSocketEndpoint;
  /** Resolves when it has ended, and all conversations with it. */
  readonly finished: Promise<void>;
  close(): void;
}

/**
 * Serves WebSockets at an endpoint's path, each by its own call, until the signal; what is none is answered with 404 or 426.
 *
 * @param converse  takes a conversation, which ends with it. It does not reject.
 * @throws {EndpointError} it cannot be listened on.
 */
export async function serveWebSockets(
  endpoint: WebSocketEndpoint,
  { connectionsMax, texts, signal, tls }: WebSocketsOptions,
  converse: (channel: Channel, peer: string) => Promise<void>,
): Promise<WebSocketsServer> {
  const { host, port, target } = endpoint;
  let listener: Awaited<ReturnType<typeof listenOn>>;
  try {
    listener = await listenOn({ kind: "tcp", family: "any", host, port });
  } catch (error) {
    throw new EndpointError("listen on", endpoint, error instanceof EndpointError ? error.cause : error);
  }
  const [{ serve }, { accept }] = await Promise.all([
    import("../http/index.ts"),
    import("../websocket/index.ts"),
  ]);
  const plain = new SocketListener(listener.socket);
  const server = await serve({
    listener: endpoint.kind === "wss" && tls !== undefined ? tls.listener(plain) : plain,
    connectionsMax,
    async handle(request, reply) {
      if (target !== "/" && request.target !== target) return reply.send(404, {}, "not here\n");
      const socket = await accept(request, reply, { closeTimeoutMs: CLOSE_TIMEOUT_MS, limits: LIMITS });
      if (socket === undefined) return;
      const peer = describeSender(request.remoteAddress as AnyAddress);
      await converse(webSocketChannel(socket, texts), peer);
      await socket.close();
    },
  });
  const close = (): void => void server.shutdown({ deadlineMs: CLOSE_TIMEOUT_MS });
  signal.addEventListener("abort", close);
  if (signal.aborted) close();
  const [, bound] = server.localAddress as [string, number];
  return {
    endpoint: { ...endpoint, port: bound },
    finished: server.finished,
    close,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", close);
      await server.shutdown({ deadlineMs: CLOSE_TIMEOUT_MS });
    },
  };
}
