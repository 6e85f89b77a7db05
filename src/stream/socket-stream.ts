// A connected stream socket as a ByteStream: TCP, Unix, whatever the kernel has of type SOCK_STREAM. It adds nothing to
// the way of the bytes: each call is the socket's own, and the promise is the socket's own. How the socket came to be
// connected it does not know; connect.ts and listener.ts do.

import { WRITE } from "../engine/descriptor.ts";
import { FOREVER } from "../engine/engine.ts";
import { Call } from "../engine/operation.ts";
import { EBADF, ENOTCONN, SHUT_WR, SOCK_STREAM, Socket } from "../index.ts";
import type { AnyAddress, Data } from "../index.ts";
import { invalidArgument, outOfRange } from "../socket/errors.ts";
import { SCRATCH_BYTES } from "../socket/transfers.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";

/** What one receiveSome() brings at most unless it is told otherwise: as much as one recv of the socket layer does. */
export const RECEIVE_BYTES_MAX: number = SCRATCH_BYTES;

/** Every closeWrite that has nobody to wait for resolves with this one. */
const DONE: Promise<void> = Promise.resolve();

/** Refuses what is no number of bytes to receive; `undefined`: it is one. */
export function refusedSize(bytesMax: number): Promise<never> | undefined {
  if (Number.isInteger(bytesMax) && bytesMax >= 1) return undefined;
  return Promise.reject(
    typeof bytesMax === "number"
      ? outOfRange("bytesMax", "a whole number, 1 or more", bytesMax)
      : invalidArgument("bytesMax", "a number", bytesMax),
  );
}

/**
 * A stream over a connected socket, which belongs to it from now on.
 *
 * The socket's options and its timeout stay as they are: with settimeout() a call that takes longer fails with a
 * TimeoutError. Who reads from `socket` itself takes bytes that the stream then does not see.
 *
 * close() is close(2). TCP resets the connection where bytes that have come were not received (RFC 2525 section 2.17),
 * and what was sent may then be lost on its way: receive to the end where that matters.
 */
export class SocketStream implements ByteStream {
  /** The socket beneath: its options, its descriptor, its name for messages. */
  readonly socket: Socket;
  #local: AnyAddress | undefined = undefined;

  /**
   * @param socket  connected, of type SOCK_STREAM.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE: something else.
   */
  constructor(socket: Socket) {
    if (!(socket instanceof Socket) || socket.type !== SOCK_STREAM)
      throw invalidArgument("socket", "a Socket of type SOCK_STREAM", socket);
    this.socket = socket;
  }

  receiveSome(bytesMax: number = RECEIVE_BYTES_MAX, options?: StreamOptions): Promise<Buffer> {
    return refusedSize(bytesMax) ?? this.socket.recv(bytesMax, 0, options);
  }

  sendAll(data: Data, options?: StreamOptions): Promise<void> {
    return this.socket.sendall(data, 0, options);
  }

  // shutdown(2) itself does not wait, but it must come behind what waits to be sent. Where nothing does it is called at
  // once, writable or not.
  closeWrite(options?: StreamOptions): Promise<void> {
    const { socket } = this;
    const { descriptor, engine } = socket;
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (descriptor.fd < 0) return Promise.reject(socket.failure("shutdown", -EBADF));
    // ENOTCONN: the peer has reset, or both sides have ended. Nobody is left to be told.
    const attempt = (): number => {
      const result = engine.backend.calls.shutdown(descriptor.fd, SHUT_WR);
      return result === -ENOTCONN ? 0 : result;
    };
    if (descriptor.writes !== null) {
      const shutdown = new Call<void>(socket, "shutdown", attempt, () => undefined);
      return engine.park(descriptor, WRITE, shutdown, FOREVER, signal);
    }
    const result = attempt();
    return result < 0 ? Promise.reject(socket.failure("shutdown", result)) : DONE;
  }

  close(): void {
    this.socket.close();
  }

  get closed(): boolean {
    return this.socket.closed;
  }

  /** This side's address; asked of the kernel once. Undefined when it was not asked for before the close. */
  get localAddress(): AnyAddress | undefined {
    return (this.#local ??= told(() => this.socket.getsockname<AnyAddress>()));
  }

  /** The peer's address, known for as long as the stream is held. */
  get remoteAddress(): AnyAddress | undefined {
    return (this.socket.remote ??= told(() => this.socket.getpeername<AnyAddress>()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return DONE;
  }
}

/** What the kernel tells; undefined when it does not: the socket is closed, or the peer has reset. */
export function told<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
