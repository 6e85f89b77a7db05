// TEMPORARY: streams over sockets until berkeley/stream has them.
import { SHUT_WR, create_connection, create_server } from "berkeley";
import type { AnyAddress, Data, Socket } from "berkeley";
import type { ByteStream, StreamListener, StreamOptions } from "berkeley/stream";

export class SocketStream implements ByteStream {
  readonly socket: Socket;
  constructor(socket: Socket) {
    this.socket = socket;
  }
  receiveSome(bytesMax = 262144, options?: StreamOptions): Promise<Buffer> {
    return this.socket.recv(bytesMax, 0, options);
  }
  sendAll(data: Data, options?: StreamOptions): Promise<void> {
    return this.socket.sendall(data, 0, options);
  }
  async closeWrite(): Promise<void> {
    this.socket.shutdown(SHUT_WR);
  }
  close(): void {
    this.socket.close();
  }
  get closed(): boolean {
    return this.socket.closed;
  }
  get localAddress(): AnyAddress | undefined {
    return this.socket.closed ? undefined : this.socket.getsockname<AnyAddress>();
  }
  #remote: AnyAddress | undefined;
  get remoteAddress(): AnyAddress | undefined {
    return (this.#remote ??= this.socket.closed ? undefined : this.socket.getpeername<AnyAddress>());
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
export class SocketListener implements StreamListener {
  readonly socket: Socket;
  constructor(socket: Socket) {
    this.socket = socket;
  }
  async accept(options?: StreamOptions): Promise<SocketStream> {
    return new SocketStream((await this.socket.accept(options))[0]);
  }
  close(): void {
    this.socket.close();
  }
  get closed(): boolean {
    return this.socket.closed;
  }
  get localAddress(): AnyAddress | undefined {
    return this.socket.closed ? undefined : this.socket.getsockname<AnyAddress>();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
export async function listenTcp(host: string, port = 0): Promise<SocketListener> {
  return new SocketListener(create_server([host, port]));
}
export async function connectTcp(host: string, port: number): Promise<SocketStream> {
  return new SocketStream(await create_connection([host, port]));
}
