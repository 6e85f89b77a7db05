// Connections as channels, TLS or not: one that is made, and one that was accepted. It knows no command.

import type { Socket } from "../index.ts";
import { socketChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import type { Endpoint } from "./endpoint.ts";
import { connectTo } from "./open.ts";
import type { ConnectOptions } from "./open.ts";
import type { TlsEnds } from "./tls-ends.ts";

/** Connects to an endpoint, with TLS where it is tls://. @throws {EndpointError} as connectTo(), or TLS failed. */
export async function connectChannel(
  endpoint: Endpoint,
  options: ConnectOptions,
  tls: TlsEnds | undefined,
): Promise<Channel> {
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
