// Datagrams and their addresses: recvfrom, recvfrom_into, sendto, disconnect. What each attempt does is told in
// datagrams.ts, how a wait happens at the top; what is sent, nobody here knows.

import { READ, WRITE } from "../engine/descriptor.ts";
import { WAITS } from "../engine/operation.ts";
import { AF_CAN, AF_PACKET, AF_UNIX, AF_UNSPEC, EAGAIN } from "../constants/index.ts";
import { decodeAddress, makeAddressView } from "./address.ts";
import type { Address, AnyAddress } from "./address.ts";
import { writeFamily } from "./address/view.ts";
import { addressView, checkInt, checkInteger } from "./base.ts";
import { bytesOf, lengthOf } from "./bytes.ts";
import type { Data } from "./bytes.ts";
import {
  Destination,
  ReceiveFrom,
  ReceiveFromInto,
  SendTo,
  cameFrom,
  receiveFrom,
  sameAddress,
  transmitTo,
} from "./datagrams.ts";
import { step } from "./face.ts";
import type { Face, FaceOptions, Outcome, Steps } from "./face.ts";
import { SendFast, opensConnection } from "./fastopen.ts";
import { sendManner } from "./manner.ts";
import { SCRATCH_BYTES, scratch } from "./transfers.ts";
import { TransferSocket } from "./transfer.ts";

/** connect(2): AF_UNSPEC dissolves the association. The BSDs want the whole of a sockaddr. */
const UNSPECIFIED_BYTES = 16;

/** Families whose addresses name interfaces: one that is made anew has its old name and another number. */
const NAMES_INTERFACES: ReadonlySet<number> = new Set([AF_CAN, AF_PACKET]);

// Also a Messaging (datagrams.ts), without saying so; see SocketBase.
/** A socket that receives and sends messages. */
export abstract class MessageSocket<F extends Face = "async"> extends TransferSocket<F> {
  /** Where the last sendto went: most go there again. */
  #to: Destination | undefined = undefined;

  /**
   * Receives one datagram and its sender. One recvfrom(2) call.
   *
   * @param bufsize  at most so many bytes. What a longer datagram has beyond is lost, as in C and CPython: recvmsg()
   *   reports it (MSG_TRUNC), and so does recvfrom_into() with the flag MSG_TRUNC, by its count.
   * @param flags    MSG_* bits. Default 0.
   * @returns `data`: a Buffer with memory of its own; empty is an empty datagram, not an end (of a stream: its end).
   *   `address`: the sender. On a connected stream that is the peer, and "" for a Unix socket without a name, where
   *   CPython has None. Its type is the program's to say, which knows the family.
   * @throws {SocketError} ECONNREFUSED: connected, and nobody took an earlier datagram. ECANCELED: closed meanwhile;
   *   EAGAIN: non-blocking.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recvfrom(2), udp(7)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  recvfrom<A extends AnyAddress = Address>(
    bufsize: number,
    flags: number = 0,
    options?: FaceOptions<F>,
  ): Outcome<F, [data: Buffer, address: NoInfer<A>]> {
    try {
      checkInteger("bufsize", bufsize, 0, Number.MAX_SAFE_INTEGER);
      if (flags !== 0) checkInt("flags", flags);
      // The common case has no wait and so needs nothing that one needs: a datagram is there.
      else if (options === undefined && bufsize <= SCRATCH_BYTES && this.idle(READ)) {
        const count = receiveFrom(this, scratch, bufsize, 0);
        if (count >= 0) return this.done(cameFrom<A>(this, bufsize, count));
        if (count !== -EAGAIN) return this.refuse(this.failure("recvfrom", count));
        this.engine.dry(this.descriptor, READ);
      }
      return this.wait(READ, new ReceiveFrom<A>(this, bufsize, flags), options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Receives one datagram into memory of the caller's, without a copy, and its sender.
   *
   * @param buffer  filled from byte 0; yours again when the promise settles.
   * @param nbytes  at most so many bytes; 0 or absent: all of the buffer.
   * @param flags   MSG_* bits. Default 0. With MSG_TRUNC the count is the datagram's whole length, which may be more
   *   than there is room for.
   * @returns `nbytes`: how many bytes arrived, 0 for an empty datagram; `address`: the sender, as of recvfrom().
   * @throws {SocketError} as recvfrom; EFAULT: the buffer was detached or shrunk while the call waited.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recvfrom(2)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  recvfrom_into<A extends AnyAddress = Address>(
    buffer: ArrayBufferView,
    nbytes: number = 0,
    flags: number = 0,
    options?: FaceOptions<F>,
  ): Outcome<F, [nbytes: number, address: NoInfer<A>]> {
    let size: number;
    try {
      const length = lengthOf("buffer", buffer);
      size = checkInteger("nbytes", nbytes, 0, length) || length;
      checkInt("flags", flags);
    } catch (error) {
      return this.refuse(error);
    }
    return this.wait(READ, new ReceiveFromInto<A>(this, buffer, size, flags), options);
  }

  /**
   * Sends one datagram to an address. One sendto(2) call; a host name is looked up first, as by connect().
   *
   * @param data     what to send, whole or not at all; strings as UTF-8. Leave the memory alone until the promise
   *   settles.
   * @param address  the family's address: `[host, port]` for AF_INET.
   * @returns how many bytes went: all of them.
   * With MSG_FASTOPEN an unconnected TCP socket connects, and the bytes go with its first segment where the peer has given
   * a cookie before; it resolves when the kernel has taken some of them, and non-blocking fails with EINPROGRESS as connect().
   *
   * @throws {SocketError} EMSGSIZE: longer than the protocol carries. ECONNREFUSED: connected, and nobody took an
   *   earlier datagram. EACCES: a broadcast address without SO_BROADCAST. EISCONN, EPIPE, ENETUNREACH, ENOENT…;
   *   EFAULT: the memory was given away while the call waited;
   *   ECANCELED: closed meanwhile; EAGAIN: non-blocking.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing was sent.
   * @throws {AddressError} EAI_*: the name does not resolve.
   * @see sendto(2), udp(7), unix(7)
   */
  sendto(data: Data, address: AnyAddress, options?: FaceOptions<F>): Outcome<F, number>;
  /** As above, with MSG_* bits. */
  sendto(data: Data, flags: number, address: AnyAddress, options?: FaceOptions<F>): Outcome<F, number>;
  sendto(
    data: Data,
    second: AnyAddress | number,
    third?: AnyAddress | FaceOptions<F>,
    fourth?: FaceOptions<F>,
  ): Outcome<F, number> {
    const hasFlags = typeof second === "number";
    const address = (hasFlags ? third : second) as AnyAddress;
    const options = (hasFlags ? fourth : third) as FaceOptions<F> | undefined;
    try {
      // An address in the place of the options: the flags before it are no number.
      if (!hasFlags && third !== undefined && !isOptions(third))
        checkInt("flags", second as unknown as number);
      const flags = hasFlags ? checkInt("flags", second) : 0;
      const bytes = bytesOf("data", data, flags);
      let to = this.#to;
      if (to === undefined || !sameAddress(to.address, address)) {
        const found = this.resolve(address, options);
        if (found !== address) return this.run(this.#sendtoName(bytes, flags, found, options));
        to = this.#remember(address);
      }
      if (opensConnection(flags)) return this.wait(WRITE, this.#sending(bytes, flags, to), options);
      if (options === undefined && this.idle(WRITE)) {
        const count = transmitTo(this, bytes, bytes.length, flags, to);
        if (count >= 0) return this.done(count);
        // Not tried again: an error that was told is gone.
        if (count !== -EAGAIN) return this.refuse(to.failure("sendto", count));
      }
      return this.wait(WRITE, new SendTo(this, bytes, flags, to), options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Dissolves the association that connect() made with a peer: the socket sends to and receives from everybody again.
   * One connect(2) call, with AF_UNSPEC.
   *
   * @throws {SocketError} EBADF: closed. EINVAL, EAFNOSUPPORT…: this kind of socket cannot.
   * @see connect(2)
   */
  disconnect(): void {
    const view = makeAddressView();
    writeFamily(view, AF_UNSPEC, UNSPECIFIED_BYTES);
    const { calls } = this.engine.backend;
    this.check("connect", calls.connect(this.open("connect"), view, 0, UNSPECIFIED_BYTES));
    this.remote = undefined;
  }

  /** @internal */
  unnamedSender(): AnyAddress {
    if (this.family === AF_UNIX) return "";
    const { calls } = this.engine.backend;
    if (this.remote === undefined && calls.getpeername(this.descriptor.fd, addressView) >= 0)
      this.remote = decodeAddress(addressView, this.proto);
    return this.remote ?? (null as unknown as AnyAddress);
  }

  /** Encodes an address that needs no lookup. The tuple is copied: the program may change its own later. */
  #remember(address: AnyAddress): Destination {
    const copy = Array.isArray(address) ? (address.slice() as unknown as AnyAddress) : address;
    const to = new Destination(this, copy);
    if (!NAMES_INTERFACES.has(this.family)) this.#to = to;
    return to;
  }

  #sending(bytes: Uint8Array, flags: number, to: Destination): SendTo {
    return opensConnection(flags)
      ? new SendFast(this, bytes, flags, to, this.getblocking() && sendManner(flags) === WAITS)
      : new SendTo(this, bytes, flags, to);
  }

  *#sendtoName(
    bytes: Uint8Array,
    flags: number,
    lookup: AnyAddress | Outcome<F, AnyAddress>,
    options: FaceOptions<F> | undefined,
  ): Steps<number> {
    const to = new Destination(this, yield* step<F, AnyAddress>(lookup as Outcome<F, AnyAddress>));
    return yield* step<F, number>(this.wait(WRITE, this.#sending(bytes, flags, to), options));
  }
}

/** Whether a last argument can be options: an address is a tuple, a string or bytes. */
function isOptions(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}
