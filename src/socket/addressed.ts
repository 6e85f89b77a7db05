// Both ends: bind, connect, connect_ex, getsockname, getpeername. Names are looked up where a host is expected: by bind
// at once (it is a plain call), by connect as the face does it. What is sent, it does not know.

import { WRITE } from "../engine/descriptor.ts";
import { Call } from "../engine/operation.ts";
import { EAGAIN, EALREADY, EBADF, ECANCELED, EINPROGRESS, EISCONN } from "../constants/index.ts";
import { decodeAddress, encodeAddress, makeAddressView } from "./address.ts";
import type { Address, AnyAddress } from "./address.ts";
import { addressView } from "./base.ts";
import { OptionSocket } from "./options.ts";
import { SocketError } from "./errors.ts";
import { step } from "./face.ts";
import type { Face, FaceOptions, Outcome, Steps } from "./face.ts";
import { resolveAddressNow } from "./resolve.ts";
import { missingRight } from "./rights.ts";

/** Pauses between attempts to connect to a Unix listener whose queue is full: 1 ms doubling to 64 ms. */
const RETRY_MS_MIN = 1;
const RETRY_MS_MAX = 64;

/** A socket with addresses. */
export abstract class AddressedSocket<F extends Face = "async"> extends OptionSocket<F> {
  /**
   * Binds the socket to an address of this machine. One bind(2) call.
   *
   * @param address  `[host, port]` for AF_INET: "" is every address, "<broadcast>" 255.255.255.255, port 0 lets the
   *   system pick. A host name is looked up synchronously: the thread waits for the answer.
   * @throws {SocketError} EADDRINUSE, EADDRNOTAVAIL, EACCES (a port below 1024 without the right), EBADF.
   * @throws {AddressError} EAI_*: the name does not resolve.
   * @throws {RangeError} ERR_OUT_OF_RANGE: the port is not 0..65535.
   * @see bind(2)
   */
  bind(address: AnyAddress): void {
    this.open("bind");
    const view = makeAddressView();
    const length = encodeAddress(this.family, resolveAddressNow(this, address), view, this.proto);
    // Asked again: an address of the program's making may have run code of its own.
    const result = this.engine.backend.calls.bind(this.open("bind"), view, 0, length);
    if (result < 0) {
      const hint = missingRight("bind", -result, this, address);
      throw new SocketError("bind", result, { local: address, hint });
    }
  }

  /**
   * The socket's own address. Its type is the program's to say, which knows the family.
   *
   * @throws {SocketError} EBADF: closed.
   * @see getsockname(2)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  getsockname<A extends AnyAddress = Address>(): NoInfer<A> {
    const { calls } = this.engine.backend;
    this.check("getsockname", calls.getsockname(this.open("getsockname"), addressView));
    return decodeAddress<NoInfer<A>>(addressView, this.proto);
  }

  /**
   * The peer's address. Its type is the program's to say, which knows the family.
   *
   * @throws {SocketError} ENOTCONN: not connected. EBADF: closed.
   * @see getpeername(2)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  getpeername<A extends AnyAddress = Address>(): NoInfer<A> {
    const { calls } = this.engine.backend;
    this.check("getpeername", calls.getpeername(this.open("getpeername"), addressView));
    return decodeAddress<NoInfer<A>>(addressView, this.proto);
  }

  /**
   * Connects to a peer. A host name is looked up first, off the event loop's thread; its first address is taken.
   *
   * While a Unix listener's queue is full, which no event ends, it is tried again by time, every 1 to 64 ms.
   *
   * @param address  `[host, port]`; "" is the local host.
   * @throws {SocketError} ECONNREFUSED, ENETUNREACH, ETIMEDOUT, EISCONN…; EINPROGRESS: non-blocking, and begun; EAGAIN:
   *   non-blocking, and the Unix listener's queue is full.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up.
   * @throws {AddressError} EAI_*: the name does not resolve.
   * @see connect(2)
   */
  connect(address: AnyAddress, options?: FaceOptions<F>): Outcome<F, void> {
    return this.run(this.#connect(address, options));
  }

  /**
   * Connects, and returns the errno instead of throwing what connect(2) says.
   *
   * @returns 0 when connected; otherwise the errno (ECONNREFUSED, EINPROGRESS, …; EAGAIN when the timeout is up, as in
   *   CPython).
   * @throws {AddressError} EAI_*: the name does not resolve. @throws the signal's reason.
   * @see connect(2)
   */
  connect_ex(address: AnyAddress, options?: FaceOptions<F>): Outcome<F, number> {
    return this.run(this.#connectEx(address, options));
  }

  *#connectEx(address: AnyAddress, options: FaceOptions<F> | undefined): Steps<number> {
    try {
      yield* this.#connect(address, options);
      return 0;
    } catch (error) {
      if (error instanceof SocketError && error.syscall === "connect")
        return error.name === "TimeoutError" ? EAGAIN : error.errno;
      throw error;
    }
  }

  *#connect(asked: AnyAddress, options: FaceOptions<F> | undefined): Steps<void> {
    if (this.descriptor.fd < 0) throw this.failure("connect", -EBADF);
    const found = yield* step<F, AnyAddress>(this.resolve(asked, options) as Outcome<F, AnyAddress>);
    const view = makeAddressView();
    const length = encodeAddress(this.family, found, view, this.proto);
    const { descriptor, engine } = this;
    if (descriptor.fd < 0) throw this.failure("connect", -ECANCELED); // while the name was looked up
    const before = this.remote;
    this.remote = found;
    let begun = false;
    let inProgress = false;
    const attempt = (): number => {
      const result = engine.backend.calls.connect(descriptor.fd, view, 0, length);
      if (begun && result === -EISCONN) return 0;
      inProgress = result === -EINPROGRESS || result === -EALREADY;
      begun = true;
      if (inProgress) return -EAGAIN;
      // A Unix listener's queue is full, and the kernel tells nobody when there is room in it again: unix(7) connects
      // block, and poll(2) calls the socket writable meanwhile. So it is tried again by time.
      if (result === -EAGAIN) call.retryMs = Math.min(call.retryMs * 2 || RETRY_MS_MIN, RETRY_MS_MAX);
      return result;
    };
    const call: Call<void> = new Call<void>(this, "connect", attempt, () => undefined);
    try {
      yield this.wait(WRITE, call, options);
    } catch (error) {
      if (inProgress && error instanceof SocketError && error.errno === EAGAIN && error.syscall === "connect")
        throw this.failure("connect", -EINPROGRESS);
      if (error instanceof SocketError && error.errno === EISCONN) this.remote = before;
      throw error;
    }
  }
}
