// PollSelector and SelectSelector: the program keeps the registrations, and each wait shows the system all of them.
//
// Waiting with a promise needs a descriptor that wakes up when one of them does. So from the first such wait on, a poller
// of the kernel's (poller.ts) watches them too; what is ready, poll(2) or select(2) says all the same. What the poller
// refuses (regular files, closed descriptors) is always ready for these two, so nobody ever waits for it.

import { native } from "../native.ts";
import { POLLIN, POLLOUT } from "../constants/index.ts";
import { SocketError, outOfRange } from "../socket/errors.ts";
import { BaseSelector } from "./base.ts";
import { EVENT_READ, EVENT_WRITE } from "./key.ts";
import type { FileObject, SelectorKey } from "./key.ts";
import { Poller } from "./poller.ts";

/** What both share. */
abstract class ScanningSelector<Data, File extends FileObject> extends BaseSelector<Data, File> {
  #waker: Poller | undefined;

  /** What is registered has changed. @internal */
  protected abstract rebuild(): void;
  /** Shows the system what is registered: how many are ready within so many milliseconds, or -errno. @internal */
  protected abstract scan(ms: number, into: Map<number, number>): number;

  /** @internal */
  protected wait(ms: number, into: Map<number, number>): number {
    const count = this.scan(ms, into);
    if (count !== 0 || ms > 0 || this.#waker === undefined) return count;
    // epoll wakes whoever waits for it only for what is not in its ready list yet, and takes off that list what is no
    // longer ready only when it is asked. So it is asked; and should something have become ready since, that is looked at.
    return this.#waker.take(new Map()) === 0 ? 0 : this.scan(0, into);
  }

  /** @internal */
  protected added(key: SelectorKey): void {
    this.rebuild();
    this.#wakeFor(key);
  }

  /** @internal */
  protected changed({ fd, events }: SelectorKey): void {
    this.rebuild();
    if (this.#waker !== undefined) ignoreRefusal(() => this.#waker?.change(fd, events));
  }

  /** @internal */
  protected removed({ fd }: SelectorKey): void {
    this.rebuild();
    this.#waker?.forget(fd);
  }

  /** @internal */
  protected wakeable(): number {
    this.#waker = new Poller();
    for (const key of this.keys.values()) this.#wakeFor(key);
    return this.#waker.fd;
  }

  /** @internal */
  protected ended(): void {
    this.#waker?.close();
  }

  #wakeFor({ fd, events }: SelectorKey): void {
    if (this.#waker !== undefined) ignoreRefusal(() => this.#waker?.watch(fd, events));
  }
}

function ignoreRefusal(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
  }
}

/** Waits with poll(2): each wait costs what is registered. @see poll(2) */
export class PollSelector<Data = unknown, File extends FileObject = FileObject> extends ScanningSelector<
  Data,
  File
> {
  /** @internal */
  protected readonly syscall: string = "poll";
  /** struct pollfd, one for each descriptor; undefined when it must be made anew. */
  #words: Int32Array | undefined;

  /** @internal */
  protected rebuild(): void {
    this.#words = undefined;
  }

  /** @internal */
  protected scan(ms: number, into: Map<number, number>): number {
    const words = (this.#words ??= pollfds(this.keys.values(), this.keys.size));
    const halves = new Int16Array(words.buffer);
    const count = native.poll(words, ms);
    if (count <= 0) return count;
    for (let at = 0; at < words.length; at += 2) {
      const event = halves[at * 2 + 3] as number;
      if (event === 0) continue;
      const bits = ((event & ~POLLOUT) !== 0 ? EVENT_READ : 0) | ((event & ~POLLIN) !== 0 ? EVENT_WRITE : 0);
      into.set(words[at] as number, bits);
    }
    return count;
  }
}

function pollfds(keys: Iterable<SelectorKey>, count: number): Int32Array {
  const words = new Int32Array(count * 2);
  const halves = new Int16Array(words.buffer);
  let at = 0;
  for (const { fd, events } of keys) {
    words[at] = fd;
    halves[at * 2 + 2] =
      ((events & EVENT_READ) !== 0 ? POLLIN : 0) | ((events & EVENT_WRITE) !== 0 ? POLLOUT : 0);
    at += 2;
  }
  return words;
}

/** Descriptors that select(2) can tell apart: FD_SETSIZE, 1024 everywhere. */
const SET_SIZE = 1024;

/** Waits with select(2): for descriptors below 1024, and each wait costs what is registered. @see select(2) */
export class SelectSelector<Data = unknown, File extends FileObject = FileObject> extends ScanningSelector<
  Data,
  File
> {
  /** @internal */
  protected readonly syscall: string = "select";
  readonly #sets: readonly [read: Uint8Array, write: Uint8Array, except: Uint8Array] = [
    new Uint8Array(SET_SIZE / 8),
    new Uint8Array(SET_SIZE / 8),
    new Uint8Array(SET_SIZE / 8),
  ];

  /** @internal */
  protected rebuild(): void {}

  /** @throws {RangeError} ERR_OUT_OF_RANGE: 1024 or more, which select(2) has no room for. @internal */
  protected override added(key: SelectorKey): void {
    if (key.fd >= SET_SIZE)
      throw outOfRange("fileobj", `a descriptor below ${SET_SIZE} for select(2)`, key.fd);
    super.added(key);
  }

  /** @internal */
  protected scan(ms: number, into: Map<number, number>): number {
    const [read, write, except] = this.#sets;
    for (const set of this.#sets) set.fill(0);
    let highest = -1;
    for (const { fd, events } of this.keys.values()) {
      if ((events & EVENT_READ) !== 0) put(read, fd);
      if ((events & EVENT_WRITE) !== 0) put(write, fd);
      highest = Math.max(highest, fd);
    }
    const count = native.select(highest + 1, read, write, except, ms);
    if (count <= 0) return count;
    for (const fd of this.keys.keys()) {
      const bits = (has(read, fd) ? EVENT_READ : 0) | (has(write, fd) ? EVENT_WRITE : 0);
      if (bits !== 0) into.set(fd, bits);
    }
    return count;
  }
}

const put = (set: Uint8Array, fd: number): void => {
  set[fd >> 3] = (set[fd >> 3] as number) | (1 << (fd & 7));
};
const has = (set: Uint8Array, fd: number): boolean => ((set[fd >> 3] as number) & (1 << (fd & 7))) !== 0;
