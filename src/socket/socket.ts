// The Socket that programs hold, with promises: how it waits, its hold on the process, accepting, and iteration over
// connections. Everything else it has from the classes below it, one concern each. Its twin is in ../sync/socket.ts.

import { passed } from "../engine/clock.ts";
import { currentEngine } from "../engine/current.ts";
import { ERRORS, READ } from "../engine/descriptor.ts";
import { ASKS_ASIDE, WAITS } from "../engine/operation.ts";
import type { Operation } from "../engine/operation.ts";
import { AF_UNIX, EAGAIN, EBADF, ECANCELED, SOCK_STREAM } from "../constants/index.ts";
import type { Address, AnyAddress } from "./address.ts";
import { acceptPause } from "./accept-errors.ts";
import type { SocketOptions, WaitOptions } from "./base.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import { runSteps } from "./face.ts";
import type { Steps } from "./face.ts";
import { adoptDescriptor, duplicateDescriptor, makePair, makeSocket } from "./making.ts";
import type { Maker } from "./making.ts";
import { resolveAddress } from "./resolve.ts";
import { FileSocket } from "./file.ts";
import { FILE_ACCESS } from "./sendfile.ts";
import type { FileAccess } from "./sendfile.ts";
import { FILES } from "./makefile/index.ts";
import type { FileClasses } from "./makefile/index.ts";

/** Every sendall that the kernel took at once resolves with this one: who finds it need not wait to know. @internal */
export const SENT: Promise<void> = Promise.resolve();

/** A Berkeley socket. Make one with socket(); accept() and create_connection() make others. */
export class Socket extends FileSocket implements AsyncIterable<[Socket, Address]> {
  /** Operations that wait on this socket keep the process alive (they do from the start). */
  ref(): this {
    this.engine.setReferenced(this.descriptor, true);
    return this;
  }

  /** Operations that wait on this socket do not keep the process alive. */
  unref(): this {
    this.engine.setReferenced(this.descriptor, false);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /**
   * Pulls one connection from the kernel's queue, waiting for it. Nothing is accepted that was not asked for.
   *
   * @returns the connection (close-on-exec, with the default timeout) and the peer's address.
   * @throws {SocketError} EMFILE, ENFILE: no descriptor left. ECONNABORTED, EPROTO…: that one connection failed.
   *   EINVAL: not listening. ECANCELED: closed meanwhile. EAGAIN: non-blocking.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up.
   * @see accept(2)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  accept<A extends AnyAddress = Address>(options?: WaitOptions): Promise<[Socket, NoInfer<A>]> {
    return this.acceptAs<Socket, A>((fd) => new Socket(this.descriptor.kind, fd), options);
  }

  /**
   * Makes a second socket of the same open file, with the same timeout. What one receives the other does not.
   *
   * @throws {SocketError} EBADF: closed. EMFILE: no descriptor left.
   * @see dup(2), fcntl(2) F_DUPFD_CLOEXEC
   */
  dup(): Socket {
    return this.duplicateAs((fd) => new Socket(this.descriptor.kind, fd));
  }

  /**
   * The connections of a listener, pulled one at a time: `for await (const [conn, address] of server)`. It accepts only
   * when asked, goes on after errors that are one connection's own, backs off while descriptors are short (with one
   * warning), and ends when the listener is closed.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<[Socket, Address], void, void> {
    const pause = acceptPause();
    for (;;) {
      let accepted: [Socket, Address];
      try {
        accepted = await this.accept();
      } catch (error) {
        if (
          this.closed &&
          error instanceof SocketError &&
          (error.errno === ECANCELED || error.errno === EBADF)
        )
          return;
        const ms = pause.after(error);
        // Who waits for descriptors holds the process as he does who waits for a connection.
        if (ms > 0) await passed(ms, this.descriptor.referenced);
        continue;
      }
      pause.recovered();
      yield accepted;
    }
  }

  /** Makes a call now if it can be made, and parks it otherwise. @internal */
  protected wait<T>(
    direction: number,
    operation: Operation<T>,
    options: WaitOptions | undefined,
  ): Promise<T> {
    const { descriptor, engine } = this;
    const signal = options?.signal;
    if (signal !== undefined) {
      if (!(signal instanceof AbortSignal))
        return Promise.reject(invalidArgument("options.signal", "an AbortSignal", signal));
      if (signal.aborted) return Promise.reject(signal.reason as Error);
    }
    if (descriptor.fd < 0) return this.#refused(operation, -EBADF);
    const ms = operation.manner === WAITS ? this.timeoutMs : 0;
    const { postponed } = engine;
    // Who never waits for the kernel waits for the other descriptors' turn, and for those who do so already; who comes
    // after him on his descriptor waits for him.
    if (ms === 0 ? engine.credit <= 0 || postponed.any : postponed.holds(descriptor))
      return postponed.operation(descriptor, operation, () => this.#resume(direction, operation, ms, signal));
    let result: number;
    try {
      result = this.#attempt(direction, operation, ms);
    } catch (error) {
      return Promise.reject(error);
    }
    if (result >= 0) return settled(operation, result);
    if (result !== -EAGAIN || ms === 0) return this.#refused(operation, result);
    return engine.park(descriptor, direction, operation, ms, signal);
  }

  /** The turn of a call that was postponed has come. */
  #resume<T>(direction: number, operation: Operation<T>, ms: number, signal: AbortSignal | undefined): void {
    const { descriptor, engine } = this;
    if (signal?.aborted === true) {
      operation.fail(signal.reason);
      return;
    }
    let result: number;
    try {
      result = this.#attempt(direction, operation, ms);
    } catch (error) {
      operation.fail(error);
      return;
    }
    if (result === -EAGAIN && ms !== 0) engine.enqueue(descriptor, direction, operation, ms, signal);
    else operation.settle(result);
  }

  /** Makes the call; -EAGAIN if somebody waits before it, or it is known that it would wait. */
  #attempt<T>(direction: number, operation: Operation<T>, ms: number): number {
    const { descriptor, engine } = this;
    const aside = operation.manner === ASKS_ASIDE;
    // Reading stops where urgent data was, seen or not: a short read does not mean that all is read.
    if (aside && direction === READ) descriptor.shortReadIsDry = false;
    if (!aside && direction !== ERRORS && !engine.free(descriptor, direction)) return -EAGAIN;
    if (ms !== 0 && (engine.credit <= 0 || !engine.ready(descriptor, direction))) return -EAGAIN;
    engine.credit--;
    const result = operation.attempt();
    if (result !== -EAGAIN) return result;
    if (!aside) engine.dry(descriptor, direction);
    // Who may not wait gets what there is of it.
    const salvaged = ms === 0 ? operation.salvage() : -1;
    return salvaged < 0 ? -EAGAIN : salvaged;
  }

  #refused<T>(operation: Operation<T>, result: number): Promise<T> {
    return Promise.reject(operation.owner.failure(operation.syscall, result, operation.progress));
  }

  /** @internal */
  protected done<T>(value: T): Promise<T> {
    return value === undefined ? (SENT as Promise<T>) : Promise.resolve(value);
  }

  /** @internal */
  protected refuse(error: unknown): Promise<never> {
    return Promise.reject(error);
  }

  /** @internal */
  protected run<T>(steps: Steps<T>): Promise<T> {
    return runSteps(steps);
  }

  /** @internal */
  protected fileClasses(): FileClasses<"async"> {
    return FILES;
  }

  /** @internal */
  protected fileAccess(): FileAccess<"async"> {
    return FILE_ACCESS;
  }

  /** Looks the name up off the event loop's thread. @internal */
  protected resolve(address: AnyAddress, options: WaitOptions | undefined): AnyAddress | Promise<AnyAddress> {
    return resolveAddress(this, address, options?.signal);
  }
}

/** How this face makes sockets. @internal */
export const maker: Maker<Socket> = { engine: currentEngine, make: (kind, fd) => new Socket(kind, fd) };

function settled<T>(operation: Operation<T>, result: number): Promise<T> {
  try {
    return Promise.resolve(operation.value(result));
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * Makes a socket. One socket(2) call; close-on-exec.
 *
 * @param family  AF_*; default AF_INET.
 * @param type    SOCK_*; default SOCK_STREAM. With SOCK_NONBLOCK it begins with settimeout(0).
 * @param proto   protocol number; default 0.
 * @param options `fileno` adopts a descriptor instead: what of family, type and proto is not given is asked of it.
 * @throws {SocketError} EAFNOSUPPORT, EPROTONOSUPPORT, EMFILE, EPERM (raw sockets need CAP_NET_RAW)…
 * @see socket(2)
 */
export function socket(family?: number, type?: number, proto?: number, options?: SocketOptions): Socket {
  return options?.fileno === undefined
    ? makeSocket(maker, socket, family, type, proto)
    : adoptDescriptor(maker, socket, options.fileno, family, type, proto);
}

/**
 * Makes two connected sockets. One socketpair(2) call; both are close-on-exec.
 *
 * @param family  default AF_UNIX, the only one that Linux has pairs of (besides AF_TIPC).
 * @param type    SOCK_STREAM (default), SOCK_DGRAM or SOCK_SEQPACKET.
 * @param proto   protocol number; default 0.
 * @throws {SocketError} EOPNOTSUPP: the family has no pairs; EMFILE, ENFILE…
 * @see socketpair(2)
 */
export function socketpair(
  family: number = AF_UNIX,
  type: number = SOCK_STREAM,
  proto: number = 0,
): [Socket, Socket] {
  return makePair(maker, socketpair, family, type, proto);
}

/**
 * Makes a socket of another descriptor of the same open file. The original stays who had it; what is set on the file is
 * set for both, and it becomes non-blocking for both.
 *
 * @param fd  a socket's descriptor.
 * @throws {SocketError} EBADF: not open. EMFILE: no descriptor left.
 * @see dup(2)
 */
export function fromfd(fd: number, family: number, type: number, proto: number = 0): Socket {
  return duplicateDescriptor(maker, fromfd, fd, family, type, proto);
}
