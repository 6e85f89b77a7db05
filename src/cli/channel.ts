// One side of a conversation, whatever it is: a stream socket, one with messages, one peer among a socket's many, or
// standard input and output. What all of them can do is receive, send, pass an end on, and close. It opens nothing; how
// two of them talk is told in converse.ts.

import { EMSGSIZE, SHUT_WR, SOCK_DGRAM, SOCK_STREAM, SocketError } from "../index.ts";
import type { AnyAddress, Socket } from "../index.ts";
import type { ByteStream } from "../stream/index.ts";
import { addressKey } from "./peer.ts";
import type { Input, Output } from "./stdio.ts";
import { note } from "./stdio.ts";

/** One receive of a stream; as much as a pipe holds by default on Linux (pipe(7)). */
const READ_BYTES = 65_536;
/** Room for a message: above UDP's 65507 bytes, and above what net.core.wmem_default (212992) lets a Unix socket send. */
export const MESSAGE_BYTES_MAX = 262_144;
/** A stream's bytes become datagrams of at most so many, as socat's (-b); macOS sends none above 9216. */
const DATAGRAM_BYTES_MAX = 8192;

/** One side of a conversation. */
export interface Channel {
  /**
   * "stream": bytes, with an end. "packets": messages, with an end. "messages": an end of both sides at once, and none of one
   * alone. "datagrams": messages, and no end.
   */
  readonly kind: "stream" | "packets" | "messages" | "datagrams";
  /** The socket of a stream that is one: two of those can be relayed inside the kernel. */
  readonly stream?: Socket;
  /**
   * What arrives next, waiting for it; undefined when the other side has ended, and after the signal or close().
   *
   * @throws {SocketError} the other side broke.
   */
  receive(signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Sends all of it. @throws {SocketError} the other side takes no more. @throws {OutputClosedError} likewise. */
  send(data: Uint8Array): Promise<void>;
  /** Passes an end on; where there is no such thing, nothing happens. */
  end(): void;
  /** Ends it for good, and what waits on it. */
  close(): void;
}

/** Standard input and output. They are closed by who opened them. */
export function stdioChannel(input: Input, output: Output): Channel {
  return {
    kind: "stream",
    receive: (signal) => input.next(signal),
    send: (data) => output.write(data),
    end: () => output.end(),
    close() {},
  };
}

/** A connected socket of any kind. `close` is in place of closing the socket alone. */
export function socketChannel(conn: Socket, close: () => void = () => conn.close()): Channel {
  if (conn.type === SOCK_STREAM)
    return {
      kind: "stream",
      stream: conn,
      async receive() {
        const data = await unlessClosed(conn, conn.recv(READ_BYTES));
        return data === undefined || data.length === 0 ? undefined : data;
      },
      send: (data) => conn.sendall(data),
      end: () => conn.shutdown(SHUT_WR),
      close,
    };
  const kind = conn.type === SOCK_DGRAM ? "datagrams" : "packets";
  return {
    kind,
    async receive() {
      for (;;) {
        const data = await unlessClosed(conn, conn.recv(MESSAGE_BYTES_MAX));
        if (data === undefined || (kind === "packets" && data.length === 0)) return undefined;
        if (data.length < MESSAGE_BYTES_MAX) return data;
        note(`dropped a message of ${MESSAGE_BYTES_MAX} bytes or more`);
      }
    },
    async send(data) {
      // As a packet, nothing would be an end.
      if (data.length > 0 || kind === "datagrams") await sendMessage(data, () => conn.sendall(data));
    },
    end() {
      if (kind === "packets") conn.shutdown(SHUT_WR);
    },
    close,
  };
}

/** A stream of bytes, whatever it is. Its failures are the stream's. */
export function streamChannel(stream: ByteStream): Channel {
  // By whoever has the channel: a server that closes the stream has a reason, which the receive tells.
  const here = { closed: false };
  return {
    kind: "stream",
    async receive() {
      const data = await unlessClosed(here, stream.receiveSome(READ_BYTES));
      return data === undefined || data.length === 0 ? undefined : data;
    },
    send: (data) => stream.sendAll(data),
    // Who has gone cannot be told; that it has, the receive says.
    end: () => void stream.closeWrite().catch(() => undefined),
    close() {
      here.closed = true;
      stream.close();
    },
  };
}

/** One peer of a datagram socket that is not connected, from its first datagram on; what others send is passed over. */
export function peerChannel(
  socket: Socket,
  peer: AnyAddress,
  first: Uint8Array,
  close: () => void = () => socket.close(),
): Channel {
  const key = addressKey(peer);
  let waiting: Uint8Array | undefined = first;
  return {
    kind: "datagrams",
    async receive() {
      for (;;) {
        const data = waiting;
        waiting = undefined;
        if (data !== undefined) return data;
        const received = await unlessClosed(socket, socket.recvfrom<AnyAddress>(MESSAGE_BYTES_MAX));
        if (received === undefined) return undefined;
        if (addressKey(received[1]) === key) waiting = received[0];
      }
    },
    send: (data) => sendMessage(data, () => socket.sendto(data, peer)),
    end() {},
    close,
  };
}

/** Sends one message; one that is longer than its protocol carries is lost, as others may be, and told. */
export async function sendMessage(data: Uint8Array, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (!(error instanceof SocketError && error.errno === EMSGSIZE)) throw error;
    note(`dropped a message of ${data.length} bytes: longer than what it was to go through carries`);
  }
}

/** The pieces in which a channel's data goes to another: messages stay whole, a stream is cut into them. */
export function piecesFor(from: Channel, to: Channel, data: Uint8Array): readonly Uint8Array[] {
  if (from.kind !== "stream" || to.kind === "stream" || data.length <= DATAGRAM_BYTES_MAX) return [data];
  const pieces = [];
  for (let at = 0; at < data.length; at += DATAGRAM_BYTES_MAX)
    pieces.push(data.subarray(at, at + DATAGRAM_BYTES_MAX));
  return pieces;
}

/** What was closed on purpose has no failure to tell. */
async function unlessClosed<T>(
  conn: { readonly closed: boolean },
  outcome: Promise<T>,
): Promise<T | undefined> {
  try {
    return await outcome;
  } catch (error) {
    if (conn.closed) return undefined;
    throw error;
  }
}
