// Paths of Unix sockets that died. A socket's file stays when its process ends, and the next bind(2) fails with
// EADDRINUSE. Unlinking it first, as many programs do, takes the name from a server that is alive. Here the file goes only
// when the kernel says that no socket is behind it.
//
// How that is known: connect(2) of a datagram socket to the path. ECONNREFUSED means that the file is a socket's and no
// socket has it open. A living one of any type gives another answer: a datagram socket is connected to, a stream or
// seqpacket socket gives EPROTOTYPE, whether it listens, is only bound, or has a full queue; and none of them notices.

import { lstatSync, unlinkSync } from "node:fs";
import { native } from "../native.ts";
import { AF_UNIX, ECONNREFUSED, SOCK_DGRAM } from "../constants/index.ts";
import { encodeAddress, makeAddressView } from "./address.ts";
import { SocketError, invalidArgument } from "./errors.ts";

/** Whether no socket has the file open: the answer of connect(2). */
function isDead(path: string | Uint8Array): boolean {
  const view = makeAddressView();
  const length = encodeAddress(AF_UNIX, path, view);
  const fd = native.socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0) throw new SocketError("socket", fd);
  try {
    return native.connect(fd, view, 0, length) === -ECONNREFUSED;
  } finally {
    native.close(fd);
  }
}

function identify(path: string | Buffer): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return stats?.isSocket() === true ? `${stats.dev}:${stats.ino}:${stats.ctimeNs}` : undefined;
}

/**
 * Unlinks the file of a Unix socket when no socket has it open any more; any other file, and the file of a socket that
 * is alive, bound or listening, in whichever process, stays.
 *
 * Between the proof and the unlinking another process could unlink and bind the same path. The file is looked at once
 * more for that, which leaves a moment; a lock beside the socket is what rules it out.
 *
 * @param path  as for bind(); an abstract name has no file.
 * @returns whether a file was unlinked.
 * @throws {SocketError} ENAMETOOLONG: longer than a Unix socket's name; EMFILE… @throws {Error} what unlink(2) says: EACCES,
 *   EPERM, EROFS.
 * @see unix(7), unlink(2)
 */
export function unlink_stale(path: string | Uint8Array): boolean {
  if (typeof path !== "string" && !(ArrayBuffer.isView(path) && path instanceof Uint8Array))
    throw invalidArgument("path", "a string or a Uint8Array", path);
  if (path.length === 0 || path[0] === 0 || path[0] === "\0") return false;
  const file = typeof path === "string" ? path : Buffer.from(path);
  const before = identify(file);
  if (before === undefined || !isDead(path) || identify(file) !== before) return false;
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  return true;
}
