// The echo service: what arrives goes back, and every event becomes one line of text. It knows no command line; who
// prints the lines, and when to stop, is the caller's.

import { AF_UNIX, MSG_DONTWAIT, SocketError } from "../index.ts";
import type { AnyAddress, Socket } from "../index.ts";
import { MESSAGE_BYTES_MAX, socketChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { acceptEach, CONNECTIONS_MAX } from "./crowd.ts";
import { formatEndpoint, isDatagram } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { describeFailure, isExpected } from "./failure.ts";
import { listenOn } from "./open.ts";
import type { Opened } from "./open.ts";
import { describePeer, describeSender, isNameless } from "./peer.ts";
import { renderBytes } from "./render.ts";

/** What the service needs of its caller. */
export interface EchoOptions {
  /** Takes one line; the conversation goes on when it has been taken. A rejection ends the service. */
  readonly print: (line: string) => Promise<void>;
  /** Ends the service and its conversations. */
  readonly signal: AbortSignal;
  /** Told once when all of them listen: the endpoints as they are, with the ports that the system picked. */
  readonly listening?: ((endpoints: readonly Endpoint[]) => void) | undefined;
}

/**
 * Echoes on every endpoint until the signal.
 *
 * @throws {EndpointError} an endpoint cannot be listened on; none is then. @throws what `print` rejects with.
 */
export async function serveEcho(endpoints: readonly Endpoint[], options: EchoOptions): Promise<void> {
  const service = new EchoService(options.print, options.signal);
  const close = (): void => service.close();
  options.signal.addEventListener("abort", close);
  try {
    const listeners: Opened[] = [];
    for (const endpoint of endpoints) {
      const listener = await listenOn(endpoint);
      service.own(listener);
      listeners.push(listener);
    }
    for (const { endpoint } of listeners) await options.print(`listening on ${formatEndpoint(endpoint)}`);
    options.listening?.(listeners.map(({ endpoint }) => endpoint));
    await Promise.all(
      listeners.map(({ socket, endpoint }) =>
        isDatagram(endpoint) ? service.answer(socket) : service.accept(socket),
      ),
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
  readonly #signal: AbortSignal;
  readonly #open = new Set<{ close(): void }>();
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(print: (line: string) => Promise<void>, signal: AbortSignal) {
    this.#print = print;
    this.#signal = signal;
  }

  /** Takes what must not outlive the service. */
  own(opened: { close(): void }): void {
    this.#open.add(opened);
    if (this.#closed) opened.close();
  }

  close(): void {
    this.#closed = true;
    for (const opened of this.#open) opened.close();
  }

  /** Throws what ended the service, if it was not asked to end. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Serves connections, until the listener is closed and the last conversation is over. */
  async accept(listener: Socket): Promise<void> {
    await acceptEach(listener, CONNECTIONS_MAX, async (conn, address) => {
      const channel = socketChannel(conn);
      this.own(channel);
      try {
        await this.#echo(channel, describePeer(conn, address));
      } catch (error) {
        this.#fail(error);
      } finally {
        channel.close();
        this.#open.delete(channel);
      }
    });
  }

  /** Answers each datagram, until the socket is closed. */
  async answer(socket: Socket): Promise<void> {
    try {
      for (;;) {
        const [data, sender] = await socket.recvfrom<AnyAddress>(MESSAGE_BYTES_MAX);
        const peer = describeSender(sender);
        await this.#print(`${peer} sent ${count(data.length)}: ${renderBytes(data)}`);
        const obstacle = isNameless(sender) ? "it has no name" : await sendBack(socket, data, sender);
        if (obstacle !== undefined) await this.#print(`${peer} cannot be answered: ${obstacle}`);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #echo(channel: Channel, peer: string): Promise<void> {
    await this.#print(`${peer} connected`);
    let total = 0;
    try {
      for (;;) {
        const data = await channel.receive(this.#signal);
        if (data === undefined) break;
        total += data.length;
        await this.#print(`${peer} sent ${count(data.length)}: ${renderBytes(data)}`);
        await channel.send(data);
      }
    } catch (error) {
      if (this.#closed) return;
      if (!isExpected(error)) throw error;
      await this.#print(`${peer} failed after ${count(total)}: ${describeFailure(error).message}`);
      return;
    }
    if (!this.#closed) await this.#print(`${peer} ended after ${count(total)}`);
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.#failure ??= { error };
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

function count(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}
