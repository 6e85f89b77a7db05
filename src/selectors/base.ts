// What all selectors share: the registrations, the two ways to wait, the end. How the system is asked, and what it is
// told beforehand, the files beside this one know.

import { block } from "../engine/blocking.ts";
import { EAGAIN } from "../constants/index.ts";
import { SocketError, invalidArgument, outOfRange } from "../socket/errors.ts";
import type { WaitOptions } from "../socket/face.ts";
import { alreadyRegistered, notRegistered, selectorClosed } from "./errors.ts";
import { EVENT_READ, EVENT_WRITE, checkEvents, descriptorOf } from "./key.ts";
import type { DataArgument, FileObject, Ready, SelectorKey } from "./key.ts";
import { SelectorMap } from "./map.ts";
import { Watch } from "./watch.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

/** Milliseconds of a timeout in seconds: Infinity = no limit, 0 = look once. */
function millisecondsOf(timeout: number | null): number {
  if (timeout === null) return Infinity;
  if (typeof timeout !== "number") throw invalidArgument("timeout", "a number or null", timeout);
  if (Number.isNaN(timeout)) throw outOfRange("timeout", "a number of seconds", timeout);
  return Math.max(0, Math.ceil(timeout * 1000));
}

/**
 * Waits until one of many descriptors is ready. `Data` is the type of what the program keeps with each, `File` of what
 * it registers.
 */
export abstract class BaseSelector<Data = unknown, File extends FileObject = FileObject>
  implements Disposable
{
  /** By descriptor. */
  readonly #keys = new Map<number, SelectorKey<Data, File>>();
  readonly #map: SelectorMap<Data, File> = new SelectorMap<Data, File>(this.#keys, (file) =>
    this.#find(file),
  );
  #closed = false;
  #watch: Watch | undefined;

  /**
   * Begins to watch a file object.
   *
   * @param fileobj  a descriptor's number, or an object with fileno(): a socket, a pipe's end, an eventfd, a terminal.
   * @param events   EVENT_READ, EVENT_WRITE or both.
   * @param data     kept in the key for the program. Default `null`.
   * @returns the registration.
   * @throws {SelectorError} ERR_ALREADY_REGISTERED, ERR_SELECTOR_CLOSED.
   * @throws {RangeError} ERR_OUT_OF_RANGE: no such events; a closed file object. @throws {TypeError}
   *   ERR_INVALID_ARG_TYPE: no file object.
   * @throws {SocketError} EBADF: no such descriptor; EPERM: the system cannot wait for it (a regular file). Of these
   *   two only EpollSelector and KqueueSelector know at once.
   */
  register(fileobj: File, events: number, ...[data]: DataArgument<Data>): SelectorKey<Data, File> {
    this.#open();
    checkEvents(events);
    const fd = this.#lookUp(fileobj);
    if (this.#keys.has(fd)) throw alreadyRegistered(fileobj, fd);
    const key = { fileobj, fd, events, data: (data ?? null) as Data };
    this.added(key);
    this.#keys.set(fd, key);
    return key;
  }

  /**
   * Ends the watching of a file object. It may have been closed meanwhile.
   *
   * @returns the registration that was.
   * @throws {SelectorError} ERR_NOT_REGISTERED. @throws {RangeError} @throws {TypeError} as register().
   */
  unregister(fileobj: File): SelectorKey<Data, File> {
    const key = this.#registered(fileobj);
    this.#keys.delete(key.fd);
    this.removed(key);
    return key;
  }

  /**
   * Changes the events or the data of a registration, or both.
   *
   * @param data  replaces what was there. Default `null`.
   * @returns the new registration.
   * @throws {SelectorError} ERR_NOT_REGISTERED, ERR_SELECTOR_CLOSED. @throws {RangeError} @throws {TypeError} as
   *   register().
   * @throws {SocketError} EBADF, ENOENT: the descriptor was closed meanwhile; it is no longer registered.
   */
  modify(fileobj: File, events: number, ...[data]: DataArgument<Data>): SelectorKey<Data, File> {
    this.#open();
    checkEvents(events);
    const before = this.#registered(fileobj);
    const key = { ...before, events, data: (data ?? null) as Data };
    if (events !== before.events)
      try {
        this.changed(key);
      } catch (error) {
        this.#keys.delete(key.fd);
        throw error;
      }
    this.#keys.set(key.fd, key);
    return key;
  }

  /**
   * Blocks the thread until something is ready: level-triggered, so what is not dealt with is ready again at the next
   * call. Nothing of the event loop runs meanwhile.
   *
   * @param timeout  seconds; `null` (default): no limit; 0 or less: looks once, does not wait.
   * @returns the registrations that are ready, each with the events it is ready for; empty when the time is up. An end
   *   or an error is ready for all events that were asked for.
   * @throws {SelectorError} ERR_SELECTOR_CLOSED. @throws {TypeError} ERR_INVALID_ARG_TYPE @throws {RangeError}
   *   ERR_OUT_OF_RANGE: the timeout.
   * @throws {SocketError} EBADF (SelectSelector): one of the descriptors was closed.
   */
  select(timeout: number | null = null): Ready<Data, File>[] {
    this.#open();
    const ms = millisecondsOf(timeout);
    const found = new Map<number, number>();
    const result = block((slice) => this.wait(slice, found), ms);
    if (result < 0) throw new SocketError(this.syscall, result);
    return this.#ready(found);
  }

  /**
   * As select(), but the event loop goes on meanwhile, and the promise resolves when something is ready. Registrations
   * may change while it waits. A wait keeps the process alive.
   *
   * @param timeout  as select().
   * @throws the signal's reason. @throws {SocketError} ECANCELED: the selector was closed meanwhile. @throws as select().
   */
  async select_async(timeout: number | null = null, options: WaitOptions = {}): Promise<Ready<Data, File>[]> {
    this.#open();
    const ms = millisecondsOf(timeout);
    const found = new Map<number, number>();
    const attempt = (): number => {
      const count = this.wait(0, found);
      return count === 0 ? -EAGAIN : count;
    };
    this.#watch ??= new Watch(this.wakeable());
    await this.#watch.wait(this.syscall, attempt, ms, options.signal);
    return this.#ready(found);
  }

  /** Ends it; nothing is registered any more, and what waits in select_async() fails. What was registered stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keys.clear();
    this.#watch?.close();
    this.ended();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * The registration of a file object.
   *
   * @throws {SelectorError} ERR_NOT_REGISTERED, ERR_SELECTOR_CLOSED. @throws {RangeError} @throws {TypeError} as
   *   register().
   */
  get_key(fileobj: File): SelectorKey<Data, File> {
    this.#open();
    return this.#registered(fileobj);
  }

  /** All registrations; `null` when it is closed. */
  get_map(): SelectorMap<Data, File> | null {
    return this.#closed ? null : this.#map;
  }

  /** The call that it waits with, for errors. @internal */
  protected abstract readonly syscall: string;
  /** A registration is made; what is thrown undoes it. @internal */
  protected abstract added(key: SelectorKey): void;
  /** Other events. @internal */
  protected abstract changed(key: SelectorKey): void;
  /** A registration is gone; its descriptor may be closed already. @internal */
  protected abstract removed(key: SelectorKey): void;
  /** Waits at most so long for what is registered: how many are ready, or -errno. @internal */
  protected abstract wait(ms: number, into: Map<number, number>): number;
  /** A descriptor that becomes readable whenever one of those registered becomes ready. @internal */
  protected abstract wakeable(): number;
  /** It is closed. @internal */
  protected abstract ended(): void;

  /** The registrations. @internal */
  protected get keys(): ReadonlyMap<number, SelectorKey<Data, File>> {
    return this.#keys;
  }

  #open(): void {
    if (this.#closed) throw selectorClosed();
  }

  /** The descriptor of a file object; of one that was closed meanwhile, what it was registered with. */
  #lookUp(file: File): number {
    try {
      return descriptorOf(file);
    } catch (error) {
      for (const key of this.#keys.values()) if (key.fileobj === file) return key.fd;
      throw error;
    }
  }

  #find(file: File): SelectorKey<Data, File> | undefined {
    return this.#keys.get(this.#lookUp(file));
  }

  #registered(file: File): SelectorKey<Data, File> {
    const key = this.#find(file);
    if (key === undefined) throw notRegistered(file);
    return key;
  }

  #ready(found: ReadonlyMap<number, number>): Ready<Data, File>[] {
    const ready: Ready<Data, File>[] = [];
    for (const [fd, bits] of found) {
      const key = this.#keys.get(fd);
      if (key !== undefined) ready.push([key, bits & key.events & BOTH]);
    }
    return ready;
  }
}
