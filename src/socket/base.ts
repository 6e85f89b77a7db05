// The life of a socket: its descriptor from the making to the close, its timeout, the wording of its errors, and what
// happens to one that nobody closed. What it sends or receives is told in the files above; how it waits, at the top: in
// socket.ts with promises, in ../sync/socket.ts by blocking.

import { inspect } from "node:util";
import { Engine, FOREVER } from "../engine/engine.ts";
import type { Descriptor, Kind } from "../engine/descriptor.ts";
import { READ } from "../engine/descriptor.ts";
import { Call } from "../engine/operation.ts";
import type { Operation, Sent } from "../engine/operation.ts";
import {
  AF_INET,
  AF_INET6,
  EBADF,
  ECONNRESET,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from "../constants/index.ts";
import { decodeAddress, makeAddressView } from "./address.ts";
import type { AnyAddress } from "./address.ts";
import { packInet, unpackInet } from "./address/inet.ts";
import { SocketError, TimeoutError, invalidArgument, outOfRange } from "./errors.ts";
import type { Face, FaceOptions, Outcome, Steps } from "./face.ts";
import { messageFlagsOf, sendFlagsOf } from "./manner.ts";
import { missingRight } from "./rights.ts";
import { tellTimeout } from "./watching.ts";

export type { WaitOptions } from "./face.ts";

/** Adopts an existing descriptor instead of making one. */
export interface SocketOptions {
  /** A socket's descriptor; from now on this Socket closes it. It is made non-blocking and close-on-exec. */
  fileno?: number | undefined;
}

/** Seconds above which a timeout is as good as none: setTimeout's 2^31 - 1 ms. */
export const TIMEOUT_MS_MAX: number = 2 ** 31 - 1;

const SOCK_FLAGS = (SOCK_CLOEXEC > 0 ? SOCK_CLOEXEC : 0) | (SOCK_NONBLOCK > 0 ? SOCK_NONBLOCK : 0);

/** Where addresses come out of the kernel; decoded before anything else can run. */
export const addressView: Uint8Array = makeAddressView();

/** Frames kept of where a socket was made: each costs a microsecond of every socket(). Two reach past create_connection. */
const STACK_FRAMES = 2;

let defaultTimeout: number | null = null;

/** The timeout in seconds that new sockets begin with; `null` = none. */
export function getdefaulttimeout(): number | null {
  return defaultTimeout;
}

/**
 * Sets the timeout that new sockets begin with.
 *
 * @param seconds 0 or more; `null` = none, 0 = non-blocking.
 * @throws {RangeError} ERR_OUT_OF_RANGE: negative or not a number.
 */
export function setdefaulttimeout(seconds: number | null): void {
  defaultTimeout = checkTimeout(seconds);
}

export function checkTimeout(seconds: number | null): number | null {
  if (seconds === null) return null;
  if (typeof seconds !== "number") throw invalidArgument("seconds", "a number or null", seconds);
  if (!(seconds >= 0)) throw outOfRange("seconds", "0 or more", seconds);
  return seconds;
}

// Closes what the program lost its last reference to without closing it. Nothing is unregistered at a close: a token per
// socket costs more memory and time than a late callback that finds the descriptor closed.
const leaks = new FinalizationRegistry<Descriptor>((descriptor) => {
  const { fd, kind } = descriptor;
  if (fd < 0) return;
  kind.engine.release(descriptor);
  kind.engine.backend.calls.close(fd);
  const made = kind.stack?.split("\n").slice(1).join("\n") ?? "";
  process.emitWarning(`a socket (fd ${fd}) was garbage-collected without close(); it was made\n${made}`, {
    type: "ResourceWarning",
    code: "BERKELEY_UNCLOSED",
  });
});

/** Whole numbers from `min` to `max`, or a clear refusal that names the argument. */
export function checkInteger(name: string, value: number, min: number, max: number): number {
  if (typeof value !== "number") throw invalidArgument(name, "a number", value);
  if (!Number.isInteger(value) || value < min || value > max)
    throw outOfRange(name, `a whole number from ${min} to ${max}`, value);
  return value;
}

/** Flags and option values: what fits a C int, signed or not. */
export function checkInt(name: string, value: number): number {
  return checkInteger(name, value, -(2 ** 31), 2 ** 32 - 1) | 0;
}

function sentOf(sent: Sent | undefined): {
  bytesSent: number | undefined;
  datagramsSent: number | undefined;
} {
  return { bytesSent: sent?.bytes, datagramsSent: sent?.datagrams };
}

// It is also an Owner of operations, without saying so: what makes it one is internal, and a declaration that promises
// members which it does not show is an error in the programs of those who use the package.
/** A socket's life; the base of every Socket. */
export abstract class SocketBase<F extends Face = "async"> implements Disposable {
  /** @internal */
  readonly descriptor: Descriptor;
  /** The peer; an IPv4 one packed into a number, which an idle connection holds in a quarter of the memory. */
  #remote: AnyAddress | number | undefined = undefined;
  #timeout: number | null = defaultTimeout;

  /** @internal */
  constructor(kind: Kind, fd: number) {
    const { engine, family, type, proto } = kind;
    const tcp = (family === AF_INET || family === AF_INET6) && type === SOCK_STREAM;
    this.descriptor = engine.attach(kind, fd, tcp && (proto === 0 || proto === IPPROTO_TCP));
    leaks.register(this, this.descriptor);
  }

  /** AnyAddress family, AF_*. */
  get family(): number {
    return this.descriptor.kind.family;
  }

  /** Socket type, SOCK_*, without SOCK_NONBLOCK and SOCK_CLOEXEC. */
  get type(): number {
    return this.descriptor.kind.type;
  }

  /** Protocol number; 0 = the family's default for the type. */
  get proto(): number {
    return this.descriptor.kind.proto;
  }

  /** @internal */
  get engine(): Engine {
    return this.descriptor.kind.engine;
  }

  /** The peer as far as it is known. @internal */
  get remote(): AnyAddress | undefined {
    return typeof this.#remote === "number" ? unpackInet(this.#remote) : this.#remote;
  }
  /** @internal */
  set remote(address: AnyAddress | undefined) {
    if (!Array.isArray(address)) this.#remote = address;
    // A copy: the program may change its own tuple later.
    else
      this.#remote = this.family === AF_INET ? packInet(address) : (address.slice() as unknown as AnyAddress);
  }

  /** The descriptor's number; -1 once closed or detached. */
  fileno(): number {
    return this.descriptor.fd;
  }

  /** Whether the socket is closed or detached. */
  get closed(): boolean {
    return this.descriptor.fd < 0;
  }

  /**
   * Closes the socket. What waits on it fails with ECANCELED first; every call after it fails with EBADF.
   * Closing again does nothing.
   *
   * @throws {SocketError} what close(2) reports (EIO, ENOSPC, EDQUOT); ECONNRESET is not an error here, as in CPython.
   * @see close(2)
   */
  close(): void {
    const { fd } = this.descriptor;
    if (fd < 0) return;
    this.engine.release(this.descriptor);
    const result = this.engine.backend.calls.close(fd);
    if (result < 0 && result !== -ECONNRESET) throw new SocketError("close", result);
  }

  /**
   * Gives the descriptor away without closing it. What waits on it fails with ECANCELED; the Socket is as closed.
   * The descriptor stays non-blocking and close-on-exec.
   *
   * @returns the number, which is the caller's to close.
   * @throws {SocketError} EBADF: closed already.
   */
  detach(): number {
    const { fd } = this.descriptor;
    if (fd < 0) throw this.failure("detach", -EBADF);
    this.engine.release(this.descriptor);
    this.engine.backend.calls.disown(fd);
    return fd;
  }

  /** dup(), with the face's way to make a socket of a descriptor. @internal */
  protected duplicateAs<S extends SocketBase<F>>(make: (fd: number) => S): S {
    const copy = make(this.check("dup", this.engine.backend.calls.dup(this.open("dup"))));
    copy.settimeout(this.#timeout);
    copy.remote = this.remote;
    return copy;
  }

  /** Whether a child process would have the descriptor. It would not, unless told so. @throws {SocketError} EBADF. */
  get_inheritable(): boolean {
    return this.check("fcntl", this.engine.backend.calls.get_inheritable(this.open("fcntl"))) === 1;
  }

  /**
   * Whether child processes that are started from now on have the descriptor (under the same number).
   *
   * @throws {SocketError} EBADF: closed.
   * @see fcntl(2), FD_CLOEXEC
   */
  set_inheritable(inheritable: boolean): void {
    this.check("fcntl", this.engine.backend.calls.set_inheritable(this.open("fcntl"), inheritable ? 1 : 0));
  }

  /**
   * How long each waiting call may take, from now on.
   *
   * @param seconds  `null`: no limit. 0: non-blocking; a call that would wait fails at once with EAGAIN (connect:
   *   EINPROGRESS). Otherwise the calls fail with a TimeoutError when the time is up, and no byte is lost.
   * @throws {RangeError} ERR_OUT_OF_RANGE: negative or not a number.
   */
  settimeout(seconds: number | null): void {
    this.#timeout = checkTimeout(seconds);
  }

  /** FOREVER, 0 (non-blocking) or milliseconds. @internal */
  protected get timeoutMs(): number {
    const seconds = this.#timeout;
    return seconds === null || seconds * 1000 > TIMEOUT_MS_MAX ? FOREVER : Math.ceil(seconds * 1000);
  }

  /** The timeout in seconds; `null` = none. */
  gettimeout(): number | null {
    return this.#timeout;
  }

  /** The timeout in seconds, as gettimeout() gives it; `null` = none. */
  get timeout(): number | null {
    return this.#timeout;
  }

  /** `true` is settimeout(null), `false` is settimeout(0). */
  setblocking(flag: boolean): void {
    this.settimeout(flag ? null : 0);
  }

  /** Whether waiting calls may wait. */
  getblocking(): boolean {
    return this.#timeout !== 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The word for a person: descriptor, kind and both ends, as CPython's repr. */
  toString(): string {
    const { fd } = this.descriptor;
    const ends = this.ends();
    const parts = [`fd=${fd}`, `family=${this.family}`, `type=${this.type}`, `proto=${this.proto}`];
    if (ends.local !== undefined) parts.push(`laddr=${inspect(ends.local)}`);
    if (ends.remote !== undefined) parts.push(`raddr=${inspect(ends.remote)}`);
    return `<Socket ${fd < 0 ? "[closed] " : ""}${parts.join(", ")}>`;
  }

  /** `remote`: whom the call was for, where that is not the peer. @internal */
  failure(syscall: string, result: number, sent?: Sent, remote?: AnyAddress): Error {
    const hint = missingRight(syscall, -result, this);
    return new SocketError(syscall, result, { ...this.ends(remote), ...sentOf(sent), hint });
  }

  /** @internal */
  expiry(syscall: string, ms: number, sent?: Sent, remote?: AnyAddress): Error {
    tellTimeout(this.engine, this.descriptor.fd, syscall);
    return new TimeoutError(syscall, ms / 1000, { ...this.ends(remote), ...sentOf(sent) });
  }

  /** Both ends as far as they are known, for messages. @internal */
  protected ends(remote: AnyAddress | undefined = this.remote): {
    local: AnyAddress | undefined;
    remote: AnyAddress | undefined;
  } {
    let local: AnyAddress | undefined;
    if (
      this.descriptor.fd >= 0 &&
      this.engine.backend.calls.getsockname(this.descriptor.fd, addressView) >= 0
    )
      local = decodeAddress(addressView);
    return { local, remote };
  }

  /** The descriptor's number for a call that does not wait. @internal */
  protected open(syscall: string): number {
    const { fd } = this.descriptor;
    if (fd < 0) throw this.failure(syscall, -EBADF);
    return fd;
  }

  /** Passes a result >= 0 through; throws the error that -errno says. @internal */
  protected check(syscall: string, result: number): number {
    if (result < 0) throw this.failure(syscall, result);
    return result;
  }

  /** Makes a call now if it can be made, and waits otherwise. The one way by which a socket waits. @internal */
  protected abstract wait<T>(
    direction: number,
    operation: Operation<T>,
    options: FaceOptions<F> | undefined,
  ): Outcome<F, T>;

  /** What is known already, as an outcome. @internal */
  protected abstract done<T>(value: T): Outcome<F, T>;

  /** The error of a call that fails before it waits. @internal */
  protected abstract refuse(error: unknown): Outcome<F, never>;

  /** A method with several waits. @internal */
  protected abstract run<T>(steps: Steps<T>): Outcome<F, T>;

  /** The address with a number for its host. @internal */
  protected abstract resolve(
    address: AnyAddress,
    options: FaceOptions<F> | undefined,
  ): AnyAddress | Outcome<F, AnyAddress>;

  /**
   * Whether a call in this direction may be made at once: nobody waits before it, and it would not be refused. If so it
   * is paid for.
   *
   * @internal
   */
  protected idle(direction: number): boolean {
    const { descriptor, engine } = this;
    if (descriptor.fd < 0 || engine.credit <= 0 || this.timeoutMs === 0) return false;
    if (engine.postponed.holds(descriptor)) return false;
    const may =
      direction === READ
        ? descriptor.reads === null && descriptor.readable
        : descriptor.writes === null && descriptor.writable;
    if (may) engine.credit--;
    return may;
  }

  /** As wait(), for a call told by two functions. @internal */
  protected waitFor<T>(
    direction: number,
    syscall: string,
    attempt: () => number,
    value: (result: number) => T,
    options: FaceOptions<F> | undefined,
  ): Outcome<F, T> {
    return this.wait(direction, new Call(this, syscall, attempt, value), options);
  }
}

Object.defineProperty(SocketBase.prototype, inspect.custom, {
  value(this: SocketBase): string {
    return this.toString();
  },
});

/**
 * What a new socket is, and where the program makes it, in words. A captured stack holds on to the functions and objects
 * in it, the socket's holder among them, until it is put into words: left as it is, the socket would never be collected.
 */
export function kindOf(
  family: number,
  type: number,
  proto: number,
  below: (...args: never[]) => unknown,
  engine: Engine,
): Kind {
  Engine.look(engine);
  const made: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_FRAMES;
  Error.captureStackTrace(made, below);
  Error.stackTraceLimit = limit;
  return {
    engine,
    family,
    type: type & ~SOCK_FLAGS,
    proto,
    sendFlags: sendFlagsOf(family),
    messageFlags: messageFlagsOf(family),
    stack: String(made.stack),
  };
}
