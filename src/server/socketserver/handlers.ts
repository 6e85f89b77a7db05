// Request handlers, CPython's socketserver's: what is done with one request. Which server calls them, and what else it does
// at the same time, they do not know.

import { IPPROTO_TCP, SocketError, TCP_NODELAY } from "../../index.ts";
import type { Address, AnyAddress, BinaryFile, Socket } from "../../index.ts";
import { BytesIO } from "./bytes-io.ts";
import { SocketWriter } from "./socket-writer.ts";

/** What a handler sees of its server. In a thread of its own it is only this: see ForkingTCPServer. */
export interface ServerOfRequest {
  /** Where it listens. */
  readonly server_address: AnyAddress;
}

/** The request of a datagram server: what came, and the server's socket, to answer with. */
export type DatagramRequest = [packet: Buffer, socket: Socket];

/**
 * One request. Extend it, and do the work in handle(); it may wait.
 *
 * A server makes one instance for each request and calls setup(), handle() and, whatever happened in handle(), finish().
 * In CPython the constructor does that; here it cannot, for it cannot wait.
 */
export abstract class BaseRequestHandler<
  R = Socket,
  A extends AnyAddress = Address,
  S extends ServerOfRequest = ServerOfRequest,
> {
  /** A connected socket; of datagram servers a DatagramRequest. */
  readonly request: R;
  /** The peer's address. */
  readonly client_address: A;
  readonly server: S;

  constructor(request: R, client_address: A, server: S) {
    this.request = request;
    this.client_address = client_address;
    this.server = server;
  }

  /** Called before handle(). Here it does nothing. */
  setup(): Promise<void> | void {}

  /** All the work of a request. Here it does nothing. */
  handle(): Promise<void> | void {}

  /** Called after handle(), also when that threw; not when setup() did. Here it does nothing. */
  finish(): Promise<void> | void {}
}

/** setup(), handle(), finish(). */
export async function handleWith(
  handler: Pick<BaseRequestHandler<unknown, AnyAddress>, "setup" | "handle" | "finish">,
): Promise<void> {
  await handler.setup();
  try {
    await handler.handle();
  } finally {
    await handler.finish();
  }
}

/** A request that is read and written as files: `rfile` and `wfile`. */
export abstract class StreamRequestHandler<
  A extends AnyAddress = Address,
  S extends ServerOfRequest = ServerOfRequest,
> extends BaseRequestHandler<Socket, A, S> {
  /** Bytes that `rfile` reads ahead, as makefile()'s `buffering`; -1: the default. */
  static rbufsize: number = -1;
  /** Bytes that `wfile` holds back; 0: none, each write is sent at once and whole. */
  static wbufsize: number = 0;
  /** Seconds for settimeout() of the connection; `null`: none. */
  static timeout: number | null = null;
  /** Sets TCP_NODELAY. */
  static disable_nagle_algorithm: boolean = false;

  /** The same as `request`. */
  connection!: Socket;
  /** What the peer sends. */
  rfile!: BinaryFile;
  /** What is sent to the peer. */
  wfile!: BinaryFile | SocketWriter;

  override setup(): Promise<void> | void {
    const { disable_nagle_algorithm, rbufsize, timeout, wbufsize } = this
      .constructor as typeof StreamRequestHandler;
    this.connection = this.request;
    if (timeout !== null) this.connection.settimeout(timeout);
    if (disable_nagle_algorithm) this.connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    this.rfile = this.connection.makefile("rb", rbufsize < 0 ? {} : { buffering: Math.max(1, rbufsize) });
    this.wfile =
      wbufsize === 0
        ? new SocketWriter(this.connection)
        : this.connection.makefile("wb", wbufsize < 0 ? {} : { buffering: wbufsize });
  }

  override async finish(): Promise<void> {
    try {
      if (!this.wfile.closed) await this.wfile.flush();
    } catch (error) {
      // The peer has gone; that is no news, and what was held back is nobody's any more.
      if (!(error instanceof SocketError)) throw error;
    } finally {
      await Promise.allSettled([this.wfile.close(), this.rfile.close()]);
    }
  }
}

/** A datagram that is read as a file, `rfile`, and answered with one more: what was written to `wfile`, if anything was. */
export abstract class DatagramRequestHandler<
  A extends AnyAddress = Address,
  S extends ServerOfRequest = ServerOfRequest,
> extends BaseRequestHandler<DatagramRequest, A, S> {
  packet!: Buffer;
  socket!: Socket;
  rfile!: BytesIO;
  wfile!: BytesIO;

  override setup(): Promise<void> | void {
    [this.packet, this.socket] = this.request;
    this.rfile = new BytesIO(this.packet);
    this.wfile = new BytesIO();
  }

  override async finish(): Promise<void> {
    await this.socket.sendto(this.wfile.getvalue(), this.client_address);
  }
}
