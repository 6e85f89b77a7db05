// Waiting for one descriptor that somebody else reads and writes: readable() and writable(). Each wait has a poller of
// its own, so it disturbs no other that the descriptor is in (ours, libuv's, another library's), and being
// level-triggered it misses nothing that was there before.

import type { WaitOptions } from "../socket/face.ts";
import { EAGAIN } from "../constants/index.ts";
import { EVENT_READ, EVENT_WRITE, descriptorOf } from "./key.ts";
import type { FileObject } from "./key.ts";
import { Poller } from "./poller.ts";
import { Watch } from "./watch.ts";

async function ready(file: FileObject, events: number, { signal }: WaitOptions): Promise<void> {
  const fd = descriptorOf(file);
  const poller = new Poller();
  try {
    poller.watch(fd, events);
    const watch = new Watch(poller.fd);
    const found = new Map<number, number>();
    const attempt = (): number => (poller.take(found) === 0 ? -EAGAIN : 0);
    try {
      await watch.wait("epoll_wait", attempt, Infinity, signal);
    } finally {
      watch.close();
    }
  } finally {
    poller.close();
  }
}

/**
 * Waits until a read of a descriptor would not wait: there is data, an end or an error. It reads nothing. While it waits
 * it keeps the process alive and holds one descriptor more.
 *
 * Any descriptor that can be waited for: a pipe, a terminal (`process.stdin.fd`), an eventfd, a timerfd, the socket of
 * another library. Do not close it while you wait: the system then forgets it, and only the signal ends the wait.
 *
 * @param file  a descriptor's number, or an object with fileno().
 * @throws {SocketError} EPERM: a regular file or directory, which is always ready. EBADF: not open. EMFILE, ENFILE.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE @throws {RangeError} ERR_OUT_OF_RANGE: no descriptor.
 * @throws the signal's reason.
 * @see epoll(7)
 */
export function readable(file: FileObject, options: WaitOptions = {}): Promise<void> {
  return ready(file, EVENT_READ, options);
}

/**
 * Waits until a write to a descriptor would not wait, or would fail. Otherwise as readable().
 *
 * @see readable
 */
export function writable(file: FileObject, options: WaitOptions = {}): Promise<void> {
  return ready(file, EVENT_WRITE, options);
}
