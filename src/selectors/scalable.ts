// EpollSelector, KqueueSelector and DefaultSelector: the kernel keeps the registrations, and each wait costs what is
// ready, not what is registered.

import { pollOne } from "../engine/blocking.ts";
import { READ } from "../engine/descriptor.ts";
import { BaseSelector } from "./base.ts";
import { SelectorError, selectorClosed } from "./errors.ts";
import type { FileObject, SelectorKey } from "./key.ts";
import { Poller } from "./poller.ts";

/** What EpollSelector and KqueueSelector share: a poller of the kernel's. */
abstract class PollerSelector<Data, File extends FileObject> extends BaseSelector<Data, File> {
  /** @internal */
  protected readonly syscall: string = HAS_KQUEUE ? "kevent" : "epoll_wait";
  readonly #poller = new Poller();

  /**
   * The poller's own descriptor, close-on-exec; it is readable while something is ready.
   *
   * @throws {SelectorError} ERR_SELECTOR_CLOSED.
   */
  fileno(): number {
    const { fd } = this.#poller;
    if (fd < 0) throw selectorClosed();
    return fd;
  }

  /** @internal */
  protected added({ fd, events }: SelectorKey): void {
    this.#poller.watch(fd, events);
  }

  /** @internal */
  protected changed({ fd, events }: SelectorKey): void {
    this.#poller.change(fd, events);
  }

  /** @internal */
  protected removed({ fd }: SelectorKey): void {
    this.#poller.forget(fd);
  }

  /** @internal */
  protected wait(ms: number, into: Map<number, number>): number {
    const result = ms > 0 ? pollOne(this.#poller.fd, READ, ms) : 1;
    return result > 0 ? this.#poller.take(into) : result;
  }

  /** @internal */
  protected wakeable(): number {
    return this.#poller.fd;
  }

  /** @internal */
  protected ended(): void {
    this.#poller.close();
  }
}

/** Whether this system has kqueue(2) instead of epoll(7). */
const HAS_KQUEUE: boolean = process.platform !== "linux";

function require(name: string, call: string, there: boolean): void {
  if (!there)
    throw new SelectorError(
      "ERR_UNSUPPORTED_PLATFORM",
      `${name}: ${process.platform} has no ${call}; DefaultSelector takes what there is`,
    );
}

/** Waits with epoll(7), level-triggered: for any number of descriptors. Linux. @see epoll(7) */
export class EpollSelector<Data = unknown, File extends FileObject = FileObject> extends PollerSelector<
  Data,
  File
> {
  /**
   * @throws {SelectorError} ERR_UNSUPPORTED_PLATFORM: this system has no epoll.
   * @throws {SocketError} EMFILE, ENFILE: no descriptor left.
   */
  constructor() {
    require("EpollSelector", "epoll", !HAS_KQUEUE);
    super();
  }
}

/** Waits with kqueue(2): for any number of descriptors. macOS and the BSDs; on Linux making one is an error. @see kqueue(2) */
export class KqueueSelector<Data = unknown, File extends FileObject = FileObject> extends PollerSelector<
  Data,
  File
> {
  /**
   * @throws {SelectorError} ERR_UNSUPPORTED_PLATFORM: this system has no kqueue.
   * @throws {SocketError} EMFILE, ENFILE: no descriptor left.
   */
  constructor() {
    require("KqueueSelector", "kqueue", HAS_KQUEUE);
    super();
  }
}

/** The best selector of this system: EpollSelector on Linux, KqueueSelector elsewhere. */
export const DefaultSelector: typeof EpollSelector = HAS_KQUEUE ? KqueueSelector : EpollSelector;
/** The best selector of this system: EpollSelector on Linux, KqueueSelector elsewhere. */
export type DefaultSelector<Data = unknown, File extends FileObject = FileObject> = EpollSelector<Data, File>;
