// A listening socket as a source of streams. What happens to a stream that was accepted, and what to do when accepting
// fails, it does not know: those are a server's decisions.

import { lstatSync, unlinkSync } from "node:fs";
import { resolve } from "node:path";
import { AF_INET, AF_INET6, AF_UNIX, IPPROTO_TCP, SOCK_STREAM, Socket, TCP_NODELAY } from "../index.ts";
import type { AnyAddress } from "../index.ts";
import { invalidArgument } from "../socket/errors.ts";
import type { StreamListener, StreamOptions } from "./byte-stream.ts";
import { SocketStream, told } from "./socket-stream.ts";

/** Whether a socket is TCP's, or one of what else the kernel has under the same options (MPTCP). */
function isTcp({ family, type }: Socket): boolean {
  return (family === AF_INET || family === AF_INET6) && type === SOCK_STREAM;
}

// Why TCP_NODELAY is on. Nagle's algorithm (RFC 896) holds a small piece back while an earlier one is not acknowledged,
// and the peer delays its acknowledgement by up to 40 ms (200 ms elsewhere) in the hope of sending it along with an answer:
// a program that sends a request in two pieces waits for both. The algorithm helps programs that send byte by byte, which
// sendAll does only if it is told to: every layer here writes whole commands and frames. Go, Rust's and Python's
// asynchronous libraries and Node's HTTP switch it off as well. Who wants it passes `noDelay: false`.

/** Sends at once, or as Nagle's algorithm has it. What is no TCP has no such choice. */
export function setNoDelay(socket: Socket, noDelay: boolean): void {
  if (isTcp(socket)) socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, noDelay ? 1 : 0);
}

/** How it is set: a second listener of the same open file, in another thread or process, leaves it so. */
export function hasNoDelay(socket: Socket): boolean {
  return isTcp(socket) && socket.getsockopt(IPPROTO_TCP, TCP_NODELAY) !== 0;
}

/** What a SocketListener may be told. */
export interface SocketListenerOptions {
  /** TCP_NODELAY of the connections, which inherit it. Default true. */
  noDelay?: boolean | undefined;
  /** Of a Unix socket with a path: unlink its file at the close, if it is still this socket's. Default false. */
  unlinkAtClose?: boolean | undefined;
}

/** A source of streams over a listening socket, which belongs to it from now on. */
export class SocketListener implements StreamListener {
  /** The socket beneath: its options, its descriptor. */
  readonly socket: Socket;
  #local: AnyAddress | undefined = undefined;
  /** The file to unlink, and which one it was. */
  readonly #file: readonly [path: string, identity: string] | undefined;

  /**
   * @param socket  listening, of type SOCK_STREAM.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE: something else. @throws {SocketError} EBADF: closed.
   */
  constructor(socket: Socket, { noDelay = true, unlinkAtClose = false }: SocketListenerOptions = {}) {
    if (!(socket instanceof Socket) || socket.type !== SOCK_STREAM)
      throw invalidArgument("socket", "a Socket of type SOCK_STREAM", socket);
    setNoDelay(socket, noDelay);
    this.socket = socket;
    this.#file = unlinkAtClose && socket.family === AF_UNIX ? fileOf(socket) : undefined;
  }

  async accept(options?: StreamOptions): Promise<SocketStream> {
    const [socket] = await this.socket.accept(options);
    return new SocketStream(socket);
  }

  /** Closes it. What waits fails with ECANCELED; what the kernel has queued is reset. Again: does nothing. */
  close(): void {
    const { socket } = this;
    if (socket.closed) return;
    // First the name, then the socket: in between nobody finds a file behind which nobody listens.
    // A file that cannot be unlinked stays, as that of a program that died does.
    const [path, identity] = this.#file ?? [];
    if (path !== undefined && identityOf(path) === identity) told(() => unlinkSync(path));
    socket.close();
  }

  get closed(): boolean {
    return this.socket.closed;
  }

  /** Where it listens; asked of the kernel once. Undefined when it was not asked for before the close. */
  get localAddress(): AnyAddress | undefined {
    return (this.#local ??= told(() => this.socket.getsockname<AnyAddress>()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

function identityOf(path: string): string | undefined {
  const stats = told(() => lstatSync(path, { throwIfNoEntry: false, bigint: true }));
  return stats?.isSocket() === true ? `${stats.dev}:${stats.ino}` : undefined;
}

function fileOf(socket: Socket): readonly [string, string] | undefined {
  const name = socket.getsockname<AnyAddress>() as string | Buffer;
  // What comes as bytes is an abstract name, or a path that no program wrote as text.
  if (typeof name !== "string" || name === "") return undefined;
  const path = resolve(name);
  const identity = identityOf(path);
  return identity === undefined ? undefined : [path, identity];
}
