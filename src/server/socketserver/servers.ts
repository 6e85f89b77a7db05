// The four servers of CPython's socketserver, and the same with requests at once. The loop and its hooks are in
// base-server.ts.

import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SOMAXCONN,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SocketError,
  socket,
} from "../../index.ts";
import type { Address, AnyAddress, Socket, UnixAddress } from "../../index.ts";
import { BaseServer } from "./base-server.ts";
import type { RequestHandlerClass } from "./base-server.ts";
import { Crew, PassingHandler } from "./crew.ts";
import type { DatagramRequest } from "./handlers.ts";

/** A server with a socket. */
export abstract class SocketServer<
  R extends Socket | DatagramRequest,
  A extends AnyAddress,
> extends BaseServer<R, A> {
  static address_family: number = AF_INET;
  static socket_type: number = SOCK_STREAM;
  /** As for listen(). CPython had 5 before 3.15. */
  static request_queue_size: number = SOMAXCONN;
  /** Sets SO_REUSEADDR. */
  static allow_reuse_address: boolean = false;
  /** Sets SO_REUSEPORT, of an internet socket. */
  static allow_reuse_port: boolean = false;

  /** What it listens with. */
  readonly socket: Socket;
  readonly address_family: number;
  readonly socket_type: number;
  request_queue_size: number;
  allow_reuse_address: boolean;
  allow_reuse_port: boolean;
  /** The threads that handle requests, if any do. @internal */
  readonly crew: Crew | undefined;

  /**
   * @param server_address       as for bind().
   * @param RequestHandlerClass  makes the handler of each request. The URL of a module whose default export is such a class
   *   has each request handled in a thread, as CPython's ForkingMixIn in a process: it may block, compute and die. Threads
   *   are used again, and what their modules keep stays; of the server they see `server_address` alone.
   * @param bind_and_activate    calls server_bind() and server_activate(). Default true.
   * @throws {SocketError} EADDRINUSE, EACCES … as bind() and listen(); nothing stays open.
   */
  constructor(
    server_address: AnyAddress,
    RequestHandlerClass: RequestHandlerClass<R, A, never> | URL,
    bind_and_activate: boolean = true,
  ) {
    const isModule = RequestHandlerClass instanceof URL;
    super(server_address, isModule ? PassingHandler<R, A> : RequestHandlerClass);
    this.crew = isModule ? new Crew(RequestHandlerClass) : undefined;
    const own = new.target;
    this.address_family = own.address_family;
    this.socket_type = own.socket_type;
    this.request_queue_size = own.request_queue_size;
    this.allow_reuse_address = own.allow_reuse_address;
    this.allow_reuse_port = own.allow_reuse_port;
    this.socket = socket(this.address_family, this.socket_type);
    if (!bind_and_activate) return;
    try {
      this.server_bind();
      this.server_activate();
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  override fileno(): number {
    return this.socket.fileno();
  }

  override server_bind(): void {
    if (this.allow_reuse_address) this.socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    if (this.allow_reuse_port && (this.address_family === AF_INET || this.address_family === AF_INET6))
      this.socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
    this.socket.bind(this.server_address);
    this.server_address = this.socket.getsockname<AnyAddress>();
  }

  /** @internal */
  protected override request_timeout(): number | null {
    return this.socket.gettimeout();
  }

  /** @internal */
  protected override close_socket(): void {
    this.socket.close();
  }

  override async server_close(): Promise<void> {
    await super.server_close();
    await this.crew?.close();
  }
}

/** A server of connections over TCP. */
export class TCPServer<A extends AnyAddress = Address> extends SocketServer<Socket, A> {
  override server_activate(): void {
    this.socket.listen(this.request_queue_size);
  }

  override get_request(): Promise<[request: Socket, client_address: A]> {
    return this.socket.accept<A>();
  }

  /** shutdown(SHUT_WR), then close_request(). */
  override async shutdown_request(request: Socket): Promise<void> {
    try {
      request.shutdown(SHUT_WR);
    } catch (error) {
      // The peer may have gone, and the handler may have closed it.
      if (!(error instanceof SocketError)) throw error;
    }
    this.close_request(request);
  }

  override close_request(request: Socket): void {
    request.close();
  }
}

/** A server of datagrams: each is a request. */
export class UDPServer<A extends AnyAddress = Address> extends SocketServer<DatagramRequest, A> {
  static override socket_type: number = SOCK_DGRAM;
  /** What is longer is cut. */
  static max_packet_size: number = 8192;

  override async get_request(): Promise<[request: DatagramRequest, client_address: A]> {
    const { max_packet_size } = this.constructor as typeof UDPServer;
    const [packet, address] = await this.socket.recvfrom<A>(max_packet_size);
    return [[packet, this.socket], address];
  }
}

/** A server of connections at a Unix socket. The file stays when it is closed. */
export class UnixStreamServer extends TCPServer<UnixAddress> {
  static override address_family: number = AF_UNIX;
}

/** A server of datagrams at a Unix socket. The file stays when it is closed. */
export class UnixDatagramServer extends UDPServer<UnixAddress> {
  static override address_family: number = AF_UNIX;
}

/** A TCPServer that handles many requests at once, on this thread's event loop. */
export class ThreadingTCPServer<A extends AnyAddress = Address> extends TCPServer<A> {
  static override concurrent_requests: boolean = true;
}

/** A UDPServer that handles many requests at once, on this thread's event loop. */
export class ThreadingUDPServer<A extends AnyAddress = Address> extends UDPServer<A> {
  static override concurrent_requests: boolean = true;
}

/** A UnixStreamServer that handles many requests at once, on this thread's event loop. */
export class ThreadingUnixStreamServer extends UnixStreamServer {
  static override concurrent_requests: boolean = true;
}

/** A UnixDatagramServer that handles many requests at once, on this thread's event loop. */
export class ThreadingUnixDatagramServer extends UnixDatagramServer {
  static override concurrent_requests: boolean = true;
}
