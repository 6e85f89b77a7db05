// A level-triggered poller of the kernel's own: epoll(7), or kqueue(2) elsewhere. It knows descriptors and events by
// number. Its own descriptor is readable while one of those that it watches is ready.

import { native } from "../native.ts";
import { EVENTS_MAX, EVENT_WORDS } from "../engine/backend.ts";
import type { PollerCalls } from "../engine/backend.ts";
import { scopedEngine } from "../engine/current.ts";
import { EPERM } from "../constants/index.ts";
import { SocketError } from "../socket/errors.ts";

/** Interest bit of native/readiness.c: level-triggered. */
const LEVEL = 16;
/** The calls that a poller makes, for errors. */
const [OPEN, CONTROL, WAIT] =
  process.platform === "linux"
    ? ["epoll_create1", "epoll_ctl", "epoll_wait"]
    : ["kqueue", "kevent", "kevent"];

const events = new Uint32Array(EVENTS_MAX * EVENT_WORDS);

function check(syscall: string, result: number): number {
  if (result >= 0) return result;
  const hint =
    result === -EPERM ? "a regular file or directory is always ready, there is no waiting for it" : undefined;
  throw new SocketError(syscall, result, { hint });
}

/** Watches descriptors. */
export class Poller {
  /** The kernel's, without an engine: who blocks the thread needs none. Or a simulated network's. */
  readonly #calls: PollerCalls = scopedEngine()?.backend.pollers ?? native;
  /** Its own descriptor; -1 once closed. */
  fd: number = check(OPEN, this.#calls.readiness_open());

  /** @throws {SocketError} EPERM: a regular file or directory. EBADF: not open. EEXIST: watched already. */
  watch(fd: number, bits: number): void {
    check(CONTROL, this.#calls.readiness_watch(this.fd, fd, bits | LEVEL, fd, 0));
  }

  /** Other events of the same descriptor. @throws {SocketError} ENOENT, EBADF: it was closed meanwhile. */
  change(fd: number, bits: number): void {
    check(CONTROL, this.#calls.readiness_change(this.fd, fd, bits | LEVEL, fd, 0));
  }

  /** Harmless when the descriptor was closed meanwhile: the kernel has forgotten it. */
  forget(fd: number): void {
    this.#calls.readiness_forget(this.fd, fd);
  }

  /**
   * What is ready now, without waiting.
   *
   * @param into  gets the descriptors and their events.
   * @returns how many the kernel reported.
   */
  take(into: Map<number, number>): number {
    let total = 0;
    // The kernel takes turns: when a batch was full the next one goes on with the others, and then repeats.
    for (;;) {
      const before = into.size;
      const count = check(WAIT, this.#calls.readiness_wait(this.fd, events));
      for (let at = 0; at < count * EVENT_WORDS; at += EVENT_WORDS)
        into.set(events[at + 1] as number, events[at] as number);
      total += count;
      if (count < EVENTS_MAX || into.size === before) return total;
    }
  }

  close(): void {
    if (this.fd < 0) return;
    this.#calls.close(this.fd);
    this.fd = -1;
  }
}
