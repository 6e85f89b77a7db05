// berkeley/socketserver: CPython's socketserver. Names only; nothing happens here.

export { BaseServer } from "./base-server.ts";
export type { RequestHandlerClass } from "./base-server.ts";
export { BytesIO } from "./bytes-io.ts";
export {
  ForkingTCPServer,
  ForkingUDPServer,
  ForkingUnixDatagramServer,
  ForkingUnixStreamServer,
} from "./forking.ts";
export { BaseRequestHandler, DatagramRequestHandler, StreamRequestHandler } from "./handlers.ts";
export type { DatagramRequest, ServerOfRequest } from "./handlers.ts";
export {
  SocketServer,
  TCPServer,
  ThreadingTCPServer,
  ThreadingUDPServer,
  ThreadingUnixDatagramServer,
  ThreadingUnixStreamServer,
  UDPServer,
  UnixDatagramServer,
  UnixStreamServer,
} from "./servers.ts";
export { SocketWriter } from "./socket-writer.ts";
