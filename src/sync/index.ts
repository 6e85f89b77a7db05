// `berkeley/sync`: the names of `berkeley` without `await`. Each call blocks the thread until it is done, as in CPython
// and C. Names only; nothing happens here.
//
// For scripts, and for worker threads that have one job. While a call blocks, its thread does nothing else: no timer
// fires, no promise goes on, no other server of this thread answers. A program that also does something else wants
// `berkeley`. What ends a blocked call:
// - settimeout(): a TimeoutError, and no byte is lost;
// - a signal with its default action (SIGINT, SIGTERM) ends the process, as it does in C. A handler set with
//   process.on() runs when the call is over, for it is JavaScript of this thread;
// - `worker.terminate()` and the end of the process, within 50 ms;
// - the peer, or shutdown() by whoever shares the socket.
// What does not: an AbortSignal (nothing could fire it, so none is taken), and close() by another thread. A name lookup
// blocks inside of the C library: the resolver's own timeouts end it (resolv.conf(5)), and signals.

export * from "../socket/shared.ts";
export type { SocketOptions } from "../socket/base.ts";
export { Socket, Socket as SocketType } from "./socket.ts";
export type { SendAllOptions } from "./socket.ts";
export { create_connection, create_server, fromfd, socket, socketpair } from "./create.ts";
export type { CreateConnectionOptions } from "./create.ts";
export type { CreateServerOptions } from "../socket/making.ts";
export {
  BinaryFileNow as BinaryFile,
  RawFileNow as RawFile,
  RawFileNow as SocketIO,
  TextFileNow as TextFile,
} from "../socket/makefile/index.ts";
export { recv_fds, send_fds } from "./fds.ts";
export * from "./names.ts";
export type { Progress } from "../engine/operation.ts";
