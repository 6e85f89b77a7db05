// The echo service: what arrives goes back, and every event becomes one line of text. It knows no command line; who
// prints the lines, and when to stop, is the caller's.

import { AF_UNIX, MSG_DONTWAIT, SOCK_STREAM, SocketError } from "../index.ts";
import type { AnyAddress, Socket } from "../index.ts";
import { serve } from "../server/serve.ts";
import { SocketListener } from "../stream/index.ts";
import { MESSAGE_BYTES_MAX, socketChannel, streamChannel } from "./channel.ts";
import { acceptEach } from "./crowd.ts";
import { countOf, echoBack } from "./echo-conversation.ts";
import { formatEndpoint, isDatagram, isStream, isWebSocket, UsageError } from "./endpoint.ts";
import type { Endpoint, WebSocketEndpoint } from "./endpoint.ts";
import { listenOn } from "./open.ts";
import type { Opened } from "./open.ts";
import { describePeer, describeSender, isNameless } from "./peer.ts";
import { renderBytes } from "./render.ts";
import { areServingOptions, servingHandler, servingLimits, tellRefusals } from "./serving.ts";
import type { ServingOptions } from "./serving.ts";
import type { TlsEnds } from "./tls-ends.ts";
import { serveWebSockets } from "./websocket.ts";
import type { WebSocketsServer } from "./websocket.ts";

/** What the service needs of its caller. */
export interface EchoOptions {
  /** Takes one line; the conversation goes on when it has been taken. A rejection ends the service. */
  readonly print: (line: string) => Promise<void>;
  /** Ends the service and its conversations. */
  readonly signal: AbortSignal;
  /** Told once when all of them listen: the endpoints as they are, with the ports that the system picked. */
  readonly listening?: ((endpoints: readonly Endpoint[]) => void) | undefined;
  /** Limits of connections. */
  readonly serving?: ServingOptions | undefined;
  /** For endpoints that are tls:// or wss://. */
  readonly tls?: TlsEnds | undefined;
}

/**
 * Echoes on every endpoint until the signal.
 *
 * @throws {EndpointError} an endpoint cannot be listened on; none is then. @throws what `print` rejects with.
 * @throws {UsageError} limits for endpoints that have no streams.
 */
export async function serveEcho(endpoints: readonly Endpoint[], options: EchoOptions): Promise<void> {
  const { serving = {} } = options;
  if (areServingOptions(serving) && !endpoints.every(isStream))
    throw new UsageError("--max-connections, --idle-timeout and --proxy-protocol are for streams");
  const service = new EchoService(options.print, options.signal, serving);
  const close = (): void => service.close();
  options.signal.addEventListener("abort", close);
  try {
    const listeners: (Opened | WebSocketsServer)[] = [];
    for (const endpoint of endpoints) {
      const listener = isWebSocket(endpoint)
        ? await service.serve(endpoint, options.tls)
        : await listenOn(endpoint);
      service.own(listener);
      listeners.push(listener);
    }
    for (const { endpoint } of listeners) await options.print(`listening on ${formatEndpoint(endpoint)}`);
    options.listening?.(listeners.map(({ endpoint }) => endpoint));
    await Promise.all(
      listeners.map((listener) => {
        if ("finished" in listener) return listener.finished;
        const { socket, endpoint } = listener;
        if (isDatagram(endpoint)) return service.answer(socket);
        return service.accept(socket, endpoint.kind === "tls" ? options.tls : undefined);
      }),
    );
    service.check();
  } finally {
    options.signal.removeEventListener("abort", close);
    service.close();
  }
}

/** What the service has open, which ends together. */
class EchoService {
  readonly #print: (line: string) => Promise<void>;
  readonly #serving: ServingOptions;
  readonly #open = new Set<{ close(): void }>();
  readonly #over = new AbortController();
  #failure: { readonly error: unknown } | undefined;

  constructor(print: (line: string) => Promise<void>, signal: AbortSignal, serving: ServingOptions) {
    this.#print = print;
    this.#serving = serving;
    if (signal.aborted) this.close();
  }

  /** Takes what must not outlive the service. */
  own(opened: { close(): void }): void {
    this.#open.add(opened);
    if (this.#over.signal.aborted) opened.close();
  }

  close(): void {
    this.#over.abort();
    for (const opened of this.#open) opened.close();
  }

  /** Throws what ended the service, if it was not asked to end. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Serves connections, until the listener is closed and the last conversation is over. */
  async accept(listener: Socket, tls: TlsEnds | undefined): Promise<void> {
    if (listener.type === SOCK_STREAM) return await this.#serve(listener, tls);
    const { connectionsMax } = servingLimits(this.#serving);
    await acceptEach(listener, connectionsMax, async (conn, address) => {
      const channel = socketChannel(conn);
      this.own(channel);
      const [peer, print, { signal }] = [describePeer(conn, address), this.#print, this.#over];
      try {
        await echoBack(channel, { peer, print, signal });
      } catch (error) {
        this.#fail(error);
      } finally {
        channel.close();
        this.#open.delete(channel);
      }
    });
  }

  async #serve(listener: Socket, tls: TlsEnds | undefined): Promise<void> {
    const [print, { signal }, { proxyProtocol }] = [this.#print, this.#over, this.#serving];
    const handler = servingHandler(
      async (stream, { accepted }) => {
        const peer = describePeer(accepted.socket, stream.remoteAddress ?? "");
        await echoBack(streamChannel(stream), { peer, print, signal });
      },
      proxyProtocol,
      tls,
    );
    const server = serve(new SocketListener(listener), tellRefusals(handler, print), {
      ...servingLimits(this.#serving),
      onError: (error) => this.#fail(error),
    });
    this.own({ close: () => void server.shutdown({ deadlineMs: 0 }) });
    await server.finished;
  }

  /** Begins to serve WebSockets. */
  serve(endpoint: WebSocketEndpoint, tls: TlsEnds | undefined): Promise<WebSocketsServer> {
    const [print, { signal }] = [this.#print, this.#over];
    const { connectionsMax } = servingLimits(this.#serving);
    const serving = { connectionsMax, texts: "same", signal, tls } as const;
    return serveWebSockets(endpoint, serving, async (channel, peer) => {
      try {
        await echoBack(channel, { peer, print, signal });
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** Answers each datagram, until the socket is closed. */
  async answer(socket: Socket): Promise<void> {
    try {
      for (;;) {
        const [data, sender] = await socket.recvfrom<AnyAddress>(MESSAGE_BYTES_MAX);
        const peer = describeSender(sender);
        await this.#print(`${peer} sent ${countOf(data.length)}: ${renderBytes(data)}`);
        const obstacle = isNameless(sender) ? "it has no name" : await sendBack(socket, data, sender);
        if (obstacle !== undefined) await this.#print(`${peer} cannot be answered: ${obstacle}`);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#over.signal.aborted) this.#failure ??= { error };
    this.close();
  }
}

/** Why a datagram did not go back, or undefined. A Unix socket whose owner does not read must not keep others waiting. */
async function sendBack(socket: Socket, data: Uint8Array, sender: AnyAddress): Promise<string | undefined> {
  try {
    await socket.sendto(data, socket.family === AF_UNIX ? MSG_DONTWAIT : 0, sender);
    return undefined;
  } catch (error) {
    if (socket.closed || !(error instanceof SocketError)) throw error;
    return error.message;
  }
}
