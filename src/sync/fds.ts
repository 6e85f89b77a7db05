// send_fds and recv_fds, for sockets that block. How, ../socket/control.ts knows.

import type { AnyAddress } from "../socket/address.ts";
import type { UnixAddress } from "../socket/address/types.ts";
import type { Data } from "../socket/bytes.ts";
import { invalidArgument } from "../socket/errors.ts";
import type { NoSignal } from "../socket/face.ts";
import { Socket } from "./socket.ts";

/**
 * Sends descriptors to another process over a Unix socket: SCM_RIGHTS. They stay open here as well.
 *
 * @param sock     a Unix socket.
 * @param buffers  as of sendmsg(); at least a byte on a stream, or nobody receives anything.
 * @param fds      at most 253 descriptor numbers.
 * @param flags    MSG_* bits. Default 0.
 * @param address  where it goes; `null` (default): to the peer.
 * @returns how many bytes went.
 * @throws {SocketError} as sendmsg; EBADF: one of them is not open; EINVAL: too many, or not a Unix socket.
 * @see unix(7); CPython's socket.send_fds
 */
export function send_fds(
  sock: Socket,
  buffers: Iterable<Data>,
  fds: Iterable<number>,
  flags: number = 0,
  address: AnyAddress | null = null,
  options?: NoSignal,
): number {
  if (!(sock instanceof Socket)) throw invalidArgument("sock", "a Socket", sock);
  return sock.sendDescriptors(buffers, fds, flags, address, options);
}

/**
 * Receives bytes and descriptors over a Unix socket. The descriptors are close-on-exec and the caller's to close; those
 * that came beyond `maxfds` are closed, and MSG_CTRUNC says so.
 *
 * @param sock     a Unix socket.
 * @param bufsize  at most so many bytes.
 * @param maxfds   at most so many descriptors.
 * @param flags    MSG_* bits. Default 0.
 * @returns `[msg, fds, flags, address]`; an empty `msg` with no `fds` on a stream: the peer has ended.
 * @throws {SocketError} as recvmsg. @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
 * @see unix(7); CPython's socket.recv_fds
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function recv_fds<A extends AnyAddress = UnixAddress>(
  sock: Socket,
  bufsize: number,
  maxfds: number,
  flags: number = 0,
  options?: NoSignal,
): [msg: Buffer, fds: number[], flags: number, address: NoInfer<A>] {
  if (!(sock instanceof Socket)) throw invalidArgument("sock", "a Socket", sock);
  return sock.receiveDescriptors<A>(bufsize, maxfds, flags, options);
}
