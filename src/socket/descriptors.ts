// The functions of the socket module that take plain descriptors, and what this system can do with IPv6. Neither face:
// nothing here waits. They act on the system's own descriptors, whatever engine sockets have.

import { native } from "../native.ts";
import { AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, SOCK_STREAM } from "../constants/index.ts";
import { checkInteger } from "./base.ts";
import { SocketError } from "./errors.ts";

/** Whether this system has IPv6 addresses; whether the machine has any is another matter. */
export const has_ipv6: boolean = AF_INET6 > 0;

/**
 * Whether one socket can serve both IPv4 and IPv6: what create_server's `dualstack_ipv6` needs. It is tried, with a
 * socket.
 *
 * @see ipv6(7), IPV6_V6ONLY
 */
export function has_dualstack_ipv6(): boolean {
  if (!has_ipv6 || IPPROTO_IPV6 < 0 || IPV6_V6ONLY < 0) return false;
  const fd = native.socket(AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) return false;
  const off = new Uint8Array(4);
  const result = native.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, off, 0, off.length);
  native.close(fd);
  return result >= 0;
}

/** A descriptor's number as an argument. */
function checkDescriptor(fd: number): number {
  return checkInteger("fd", fd, 0, 2 ** 31 - 1);
}

/**
 * Makes another descriptor of the same open socket; close-on-exec.
 *
 * @returns its number, which is the caller's to close. For a Socket of it: fromfd().
 * @throws {SocketError} EBADF: not open. EMFILE: no descriptor left.
 * @see dup(2), fcntl(2) F_DUPFD_CLOEXEC
 */
export function dup(fd: number): number {
  const copy = native.dup(checkDescriptor(fd));
  if (copy < 0) throw new SocketError("dup", copy);
  native.disown(copy);
  return copy;
}

/**
 * Closes a descriptor that no Socket holds: one from detach(), dup() or recv_fds(). (A Socket is closed by its own
 * method, which first ends what waits on it.)
 *
 * @throws {SocketError} EBADF: not open. What close(2) reports besides (EIO …).
 * @see close(2)
 */
export function close(fd: number): void {
  const result = native.close(checkDescriptor(fd));
  if (result < 0) throw new SocketError("close", result);
}
