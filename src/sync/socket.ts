// The Socket that blocks: how it waits, accepting, and iteration over connections. Everything else it has from the
// classes in ../socket/, one concern each. Its twin with promises is ../socket/socket.ts.

import { block, blockFor, pollOne } from "../engine/blocking.ts";
import { ERRORS } from "../engine/descriptor.ts";
import { FOREVER } from "../engine/engine.ts";
import { WAITS } from "../engine/operation.ts";
import type { Operation } from "../engine/operation.ts";
import { native } from "../native.ts";
import { EAGAIN, EBADF, EINTR } from "../constants/index.ts";
import { acceptPause } from "../socket/accept-errors.ts";
import type { Address, AnyAddress } from "../socket/address.ts";
import { invalidArgument, SocketError } from "../socket/errors.ts";
import { runStepsNow } from "../socket/face.ts";
import type { FaceOptions, Steps } from "../socket/face.ts";
import { FileSocket } from "../socket/file.ts";
import { FILES_NOW } from "../socket/makefile/index.ts";
import type { FileClasses } from "../socket/makefile/index.ts";
import { resolveAddressNow } from "../socket/resolve.ts";
import { FILE_ACCESS_NOW } from "../socket/sendfile.ts";
import type { FileAccess } from "../socket/sendfile.ts";
import type { SendAllOptions as AnySendAllOptions } from "../socket/transfer.ts";
import { blockingEngine } from "./engine.ts";

type Options = FaceOptions<"sync">;

/** What `sendall` takes last. */
export type SendAllOptions = FaceOptions<"sync", AnySendAllOptions>;

/** The pause between looks at an error queue, once poll(2) has spoken of one that is empty. */
const ERRORS_RETRY_MS = 10;
const NO_DESCRIPTORS = new Int32Array(0);

/** A Berkeley socket whose calls block the thread. Make one with socket(); accept() and create_connection() make others. */
export class Socket extends FileSocket<"sync"> implements Iterable<[Socket, Address]> {
  /**
   * Pulls one connection from the kernel's queue, blocking until there is one.
   *
   * @returns the connection (close-on-exec, with the default timeout) and the peer's address.
   * @throws {SocketError} EMFILE, ENFILE: no descriptor left. ECONNABORTED, EPROTO…: that one connection failed.
   *   EINVAL: not listening. EAGAIN: non-blocking. EBADF: closed.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up.
   * @see accept(2)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  accept<A extends AnyAddress = Address>(options?: Options): [Socket, NoInfer<A>] {
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
   * The connections of a listener, pulled one at a time: `for (const [conn, address] of server)`. It accepts only when
   * asked, goes on after errors that are one connection's own, backs off while descriptors are short (with one warning),
   * and ends when the listener is closed.
   */
  *[Symbol.iterator](): Generator<[Socket, Address], void, void> {
    const pause = acceptPause();
    for (;;) {
      let accepted: [Socket, Address];
      try {
        accepted = this.accept();
      } catch (error) {
        if (this.closed && error instanceof SocketError && error.errno === EBADF) return;
        blockFor(pause.after(error));
        continue;
      }
      pause.recovered();
      yield accepted;
    }
  }

  /** Makes a call now if it can be made, and otherwise blocks until it can. @internal */
  protected wait<T>(direction: number, operation: Operation<T>, options: Options | undefined): T {
    refuseSignal(options);
    const { owner, progress, syscall } = operation;
    if (this.descriptor.fd < 0) throw owner.failure(syscall, -EBADF, progress);
    let result = this.#attempt(operation);
    if (result === -EAGAIN && this.timeoutMs !== 0 && operation.manner === WAITS)
      result = this.#block(direction, operation);
    if (result === -EAGAIN) result = salvaged(operation);
    if (result < 0) throw owner.failure(syscall, result, progress);
    return operation.value(result);
  }

  #attempt<T>(operation: Operation<T>): number {
    const { engine } = this;
    for (;;) {
      engine.renew();
      const result = operation.attempt();
      // Spent credit asks to let others run; while the thread is blocked there are none.
      if (result !== -EAGAIN || engine.credit > 0) return result;
    }
  }

  #block<T>(direction: number, operation: Operation<T>): number {
    const { fd } = this.descriptor;
    const ms = this.timeoutMs === FOREVER ? Infinity : this.timeoutMs;
    let result = -EAGAIN;
    const wait = (slice: number): number => {
      // What no event tells, time must (datagrams.ts); poll would say at once that it is ready.
      const { retryMs } = operation;
      const ready =
        retryMs > 0 ? native.poll(NO_DESCRIPTORS, Math.min(slice, retryMs)) : pollOne(fd, direction, slice);
      if (ready === -EINTR || (ready === 0 && retryMs === 0)) return 0;
      if (direction === ERRORS) this.descriptor.failing = true;
      result = this.#attempt(operation);
      // An error that is no message, and an end of both directions, are told for ever.
      if (result === -EAGAIN && direction === ERRORS) operation.retryMs = ERRORS_RETRY_MS;
      return result === -EAGAIN && !blockingEngine.prolonged ? 0 : 1;
    };
    for (;;) {
      blockingEngine.prolonged = false;
      if (block(wait, ms) === 0) {
        const { owner, progress, syscall } = operation;
        if (salvaged(operation) < 0) throw owner.expiry(syscall, ms, progress);
        return salvaged(operation);
      }
      if (result !== -EAGAIN) return result;
    }
  }

  /** @internal */
  protected override idle(): boolean {
    this.engine.renew();
    return this.descriptor.fd >= 0 && this.timeoutMs !== 0;
  }

  /** @internal */
  protected fileClasses(): FileClasses<"sync"> {
    return FILES_NOW;
  }

  /** @internal */
  protected fileAccess(): FileAccess<"sync"> {
    return FILE_ACCESS_NOW;
  }

  /** @internal */
  protected done<T>(value: T): T {
    return value;
  }

  /** @internal */
  protected refuse(error: unknown): never {
    throw error;
  }

  /** @internal */
  protected run<T>(steps: Steps<T>): T {
    return runStepsNow(steps);
  }

  /** @internal */
  protected resolve(address: AnyAddress): AnyAddress {
    return resolveAddressNow(this, address);
  }
}

/** What there is of an operation that waits no longer, or -EAGAIN. */
function salvaged<T>(operation: Operation<T>): number {
  const result = operation.salvage();
  return result < 0 ? -EAGAIN : result;
}

/**
 * Who passes a signal expects that it ends the call, and nothing could make it: while the thread is blocked nothing runs
 * that would abort it.
 */
export function refuseSignal(options: { readonly signal?: unknown } | undefined): void {
  const signal: unknown = options?.signal;
  if (signal !== undefined)
    throw invalidArgument("options.signal", "absent: while the thread is blocked no signal can fire", signal);
}
