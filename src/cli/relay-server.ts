// The relay service: each peer of a listener gets a connection of its own to one endpoint, and the two talk. It knows no
// command line; what went wrong with one peer it reports in words, and goes on.

import type { Channel } from "./channel.ts";
import { acceptChannel, connectChannel } from "./connections.ts";
import { converse } from "./converse.ts";
import { acceptEach } from "./crowd.ts";
import { acceptSenders } from "./datagram-sessions.ts";
import { formatEndpoint, isDatagram, isWebSocket } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { describeFailure, EXIT } from "./failure.ts";
import { listenOn } from "./open.ts";
import { describePeer, describeSender } from "./peer.ts";
import type { TlsEnds } from "./tls-ends.ts";
import { serveWebSockets } from "./websocket.ts";

/** Peers at once: of the usual 1024 descriptors (getrlimit(2)) one takes six, two sockets and the pipes between them. */
export const RELAYS_MAX = 128;

/** What the service needs of its caller. */
export interface RelayOptions {
  /** Takes one line: where it listens, and what went wrong with a peer. */
  readonly report: (line: string) => void;
  /** Ends the service and what it carries. */
  readonly signal: AbortSignal;
  /** Seconds to connect; as of connectTo. */
  readonly timeout?: number | undefined;
  /** As of converse. */
  readonly quietMs: number;
  /** A sender of datagrams that says nothing for so long, and hears nothing, is forgotten. */
  readonly idleMs: number;
  /** For sides that are tls:// or wss://. */
  readonly tls?: TlsEnds | undefined;
}

/**
 * Relays between the peers of `from` and `to`, until the signal.
 *
 * @throws {EndpointError} `from` cannot be listened on.
 */
export async function serveRelay(from: Endpoint, to: Endpoint, options: RelayOptions): Promise<void> {
  const { signal, tls } = options;
  // Of a WebSocket the listener is the server, which is begun below.
  const listener = isWebSocket(from) ? undefined : await listenOn(from);
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    listener?.close();
  };
  signal.addEventListener("abort", end);
  let fault: { readonly error: unknown } | undefined;
  const relay = async (open: () => Channel | Promise<Channel>, peer: string): Promise<void> => {
    let near: Channel | undefined;
    try {
      near = await open();
      await relayOne(near, to, ending.signal, options);
    } catch (error) {
      if (ending.signal.aborted) return;
      const { message, exitCode } = describeFailure(error);
      if (exitCode === EXIT.NETWORK) {
        options.report(`${peer} failed: ${message}`);
        return;
      }
      fault ??= { error };
      end();
    } finally {
      near?.close();
    }
  };
  try {
    if (signal.aborted) return;
    if (isWebSocket(from)) {
      const serving = { connectionsMax: RELAYS_MAX, texts: "never", signal: ending.signal, tls } as const;
      await using server = await serveWebSockets(from, serving, (channel, peer) =>
        relay(() => channel, peer),
      );
      options.report(`listening on ${formatEndpoint(server.endpoint)}`);
      await server.finished;
    } else if (listener !== undefined) {
      options.report(`listening on ${formatEndpoint(listener.endpoint)}`);
      await (isDatagram(from)
        ? acceptSenders(listener.socket, RELAYS_MAX, (session, sender) =>
            relay(() => session, describeSender(sender)),
          )
        : acceptEach(listener.socket, RELAYS_MAX, (conn, address) =>
            relay(() => acceptChannel(conn, from, tls, ending.signal), describePeer(conn, address)),
          ));
    }
    if (fault !== undefined) throw fault.error;
  } finally {
    signal.removeEventListener("abort", end);
    end();
  }
}

async function relayOne(
  near: Channel,
  to: Endpoint,
  signal: AbortSignal,
  { timeout, tls, quietMs, idleMs }: RelayOptions,
): Promise<void> {
  const far = await connectChannel(to, { timeout, signal }, tls);
  const end = (): void => {
    near.close();
    far.close();
  };
  if (signal.aborted) end();
  signal.addEventListener("abort", end);
  try {
    await converse(near, far, { quietMs, idleMs: near.kind === "datagrams" ? idleMs : Infinity });
  } finally {
    signal.removeEventListener("abort", end);
  }
}
