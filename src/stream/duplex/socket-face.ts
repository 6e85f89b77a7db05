// What a net.Socket tells and lets be set, over a stream: addresses, options, the hold on the process. Where the stream is
// no socket there is nothing to set, and nothing is said about it. It moves no bytes.

import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SOL_SOCKET,
  SO_KEEPALIVE,
  SO_LINGER,
  TCP_KEEPIDLE,
  TCP_NODELAY,
} from "../../index.ts";
import type { AnyAddress, Socket } from "../../index.ts";
import type { ByteStream } from "../byte-stream.ts";
import { SocketStream } from "../socket-stream.ts";

/** An end as Node tells it. */
export interface NodeAddress {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

/** An address as Node tells it; undefined: no internet address, of which Node tells nothing. */
export function nodeAddress(address: AnyAddress | undefined): NodeAddress | undefined {
  if (!Array.isArray(address)) return undefined;
  const [host, port, , scope = 0] = address as readonly unknown[];
  if (typeof host !== "string" || typeof port !== "number" || typeof scope !== "number") return undefined;
  return { address: host, family: address.length === 4 ? "IPv6" : "IPv4", port };
}

function socketOf(stream: ByteStream): Socket | undefined {
  return stream instanceof SocketStream && !stream.closed ? stream.socket : undefined;
}

function tcpOf(stream: ByteStream): Socket | undefined {
  const socket = socketOf(stream);
  return socket?.family === AF_INET || socket?.family === AF_INET6 ? socket : undefined;
}

/** TCP_NODELAY. */
export function setNoDelay(stream: ByteStream, on: boolean): void {
  tcpOf(stream)?.setsockopt(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

/** SO_KEEPALIVE, and the time without a byte after which it is asked; 0 leaves that as it is. */
export function setKeepAlive(stream: ByteStream, on: boolean, initialDelayMs: number): void {
  const socket = tcpOf(stream);
  socket?.setsockopt(SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
  const seconds = Math.floor(initialDelayMs / 1000);
  if (on && seconds > 0) socket?.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
}

/** Whether what waits keeps the process alive. */
export function setReferenced(stream: ByteStream, referenced: boolean): void {
  const socket = socketOf(stream);
  if (referenced) socket?.ref();
  else socket?.unref();
}

/** TCP will close with a reset: SO_LINGER of 0 seconds, socket(7). */
export function resetAtClose(stream: ByteStream): void {
  tcpOf(stream)?.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array(new Int32Array([1, 0]).buffer));
}
