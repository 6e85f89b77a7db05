// The senders of a datagram socket as channels, many at once: what acceptEach is for connections. A sender has a session
// from its first datagram until whoever serves it is done. What a sender may make grow is bounded: its datagrams that
// nobody has taken yet, and how many senders have a session; what is beyond is lost, as the kernel loses datagrams.

import { AF_UNIX, EAGAIN, MSG_DONTWAIT, SocketError } from "../index.ts";
import type { AnyAddress, Socket } from "../index.ts";
import { MESSAGE_BYTES_MAX, sendMessage } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { addressKey, isNameless } from "./peer.ts";
import { note } from "./stdio.ts";

/** Waiting datagrams of one sender, about what a socket's receive buffer holds (net.core.rmem_default, 212992). */
const WAITING_BYTES_MAX = 262_144;
/** Charged for each datagram besides its bytes, as the kernel does: empty ones take room too. */
const DATAGRAM_OVERHEAD_BYTES = 256;

/**
 * Serves each sender of a bound datagram socket, until the socket is closed.
 *
 * @param serve  takes a sender's session; the next datagram of that sender after it resolves begins another. It never
 *   rejects.
 */
export async function acceptSenders(
  socket: Socket,
  sessionsMax: number,
  serve: (session: Channel, sender: AnyAddress) => Promise<void>,
): Promise<void> {
  const sessions = new Map<string, Session>();
  const running = new Set<Promise<void>>();
  let full = false;
  for (;;) {
    let received: [Buffer, AnyAddress];
    try {
      received = await socket.recvfrom<AnyAddress>(MESSAGE_BYTES_MAX);
    } catch (error) {
      for (const session of sessions.values()) session.close();
      await Promise.all(running);
      if (socket.closed) return;
      throw error;
    }
    const [data, sender] = received;
    const key = addressKey(sender);
    const known = sessions.get(key);
    if (known !== undefined) {
      known.take(data);
      continue;
    }
    if (sessions.size >= sessionsMax) {
      if (!full) note(`${sessionsMax} senders have a session, and further ones wait for one to end`);
      full = true;
      continue;
    }
    full = false;
    const session = new Session(socket, sender);
    session.take(data);
    sessions.set(key, session);
    const served = serve(session, sender).finally(() => {
      session.close();
      sessions.delete(key);
      running.delete(served);
    });
    running.add(served);
  }
}

/** One sender. */
class Session implements Channel {
  readonly kind = "datagrams";
  readonly #socket: Socket;
  readonly #sender: AnyAddress;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, sender: AnyAddress) {
    this.#socket = socket;
    this.#sender = sender;
  }

  /** A datagram of this sender's; lost when too many wait. */
  take(data: Buffer): void {
    const bytes = data.length + DATAGRAM_OVERHEAD_BYTES;
    if (this.#closed || this.#waitingBytes + bytes > WAITING_BYTES_MAX + DATAGRAM_OVERHEAD_BYTES) return;
    this.#waitingBytes += bytes;
    this.#waiting.push(data);
    this.#wake?.();
  }

  async receive(): Promise<Uint8Array | undefined> {
    while (!this.#closed) {
      const data = this.#waiting.shift();
      if (data !== undefined) {
        this.#waitingBytes -= data.length + DATAGRAM_OVERHEAD_BYTES;
        return data;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return undefined;
  }

  async send(data: Uint8Array): Promise<void> {
    if (isNameless(this.#sender)) return;
    // A Unix socket whose owner does not read must not keep the other senders' answers waiting.
    const flags = this.#socket.family === AF_UNIX ? MSG_DONTWAIT : 0;
    try {
      await sendMessage(data, () => this.#socket.sendto(data, flags, this.#sender));
    } catch (error) {
      if (!(error instanceof SocketError && error.errno === EAGAIN)) throw error;
    }
  }

  end(): void {}

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}
