// Connections as channels, TLS, WebSocket or neither: one that is made, and one that was accepted. It knows no command.

import type { Socket } from "../index.ts";
import { socketChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { isWebSocket } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { connectTo } from "./open.ts";
import type { ConnectOptions } from "./open.ts";
import type { TlsEnds } from "./tls-ends.ts";
import { connectWebSocket } from "./websocket.ts";
import type { Texts } from "./websocket.ts";

/**
 * Connects to an endpoint, with TLS where it is tls:// or wss://.
 *
 * @param texts  which messages go out as text, over WebSocket.
 * @throws {EndpointError} as connectTo(), or TLS failed; of a WebSocket also a RemoteProtocolError as its cause.
 */
export async function connectChannel(
  endpoint: Endpoint,
  options: ConnectOptions,
  tls: TlsEnds | undefined,
  texts: Texts = "never",
): Promise<Channel> {
  if (isWebSocket(endpoint)) return await connectWebSocket(endpoint, options, texts, tls);
  const { socket, close } = await connectTo(endpoint, options);
  if (endpoint.kind !== "tls" || tls === undefined) return socketChannel(socket, close);
  return await tls.connect(socket, endpoint, options);
}

/**
 * A connection that an endpoint's listener gave; with TLS when the handshake is over.
 *
 * @throws {TlsError} it failed. @throws the signal's reason.
 */
export async function acceptChannel(
  conn: Socket,
  endpoint: Endpoint,
  tls: TlsEnds | undefined,
  signal?: AbortSignal,
): Promise<Channel> {
  return endpoint.kind === "tls" && tls !== undefined ? await tls.accept(conn, signal) : socketChannel(conn);
}
