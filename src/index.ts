// The Berkeley layer's face: `import { socket, AF_INET, SOCK_STREAM } from "berkeley"`. Names only; nothing happens here.

export * from "./socket/shared.ts";
export type { SocketOptions, WaitOptions } from "./socket/base.ts";
export type { SendAllOptions } from "./socket/transfer.ts";
export { Socket, Socket as SocketType, fromfd, socket, socketpair } from "./socket/socket.ts";
export { recv_fds, send_fds } from "./socket/control.ts";
export { create_connection, create_server } from "./socket/create.ts";
export type { CreateConnectionOptions, CreateServerOptions } from "./socket/create.ts";
export { BinaryFile, RawFile, RawFile as SocketIO, TextFile } from "./socket/makefile/index.ts";
export * from "./socket/names.ts";
export { relay } from "./socket/relay.ts";
export type { RelayDirection, RelayOptions, RelayReport } from "./socket/relay.ts";
export type { SocketEvents, WatchedSocket } from "./socket/watching.ts";
export type { Progress } from "./engine/operation.ts";
