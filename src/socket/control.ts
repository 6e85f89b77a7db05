// Messages in many pieces and with control data: recvmsg, recvmsg_into, sendmsg, and the descriptors that travel so. What
// each attempt does is told in controls.ts, the bytes of control data in ancillary.ts; what they mean, nobody here knows.

import { READ, WRITE } from "../engine/descriptor.ts";
import { AF_ALG, EOPNOTSUPP, SCM_RIGHTS, SOL_SOCKET } from "../constants/index.ts";
import type { Address, AnyAddress } from "./address.ts";
import type { UnixAddress } from "./address/types.ts";
import { algAncillary } from "./alg.ts";
import type { AlgOptions } from "./alg.ts";
import { encodeAncillary } from "./ancillary.ts";
import type { Ancillary, ReceivedAncillary } from "./ancillary.ts";
import { checkInt, checkInteger } from "./base.ts";
import { bytesOf, isList, lengthOf } from "./bytes.ts";
import type { Data } from "./bytes.ts";
import { ReceiveDescriptors, ReceiveMessage, ReceiveMessageInto, SendMessage } from "./controls.ts";
import type { ReceivedMessage } from "./controls.ts";
import { Destination } from "./datagrams.ts";
import { invalidArgument, outOfRange, SocketError } from "./errors.ts";
import { step } from "./face.ts";
import type { Face, FaceOptions, Outcome, Steps, WaitOptions } from "./face.ts";
import { MessageSocket } from "./message.ts";
import { CMSG_LEN, CMSG_SPACE } from "./names/numbers.ts";

/** IOV_MAX of Linux: the pieces that one message may have. */
const PIECES_MAX = 1024;
/** SCM_MAX_FD of Linux: the descriptors that one message may carry. */
const DESCRIPTORS_MAX = 253;
const DESCRIPTOR_BYTES = 4;
/** Control data that may come before the descriptors: credentials (12 bytes), a security label, a pidfd. */
const OTHER_CONTROL_BYTES: number = CMSG_SPACE(256);

function listOf<T>(name: string, what: string, pieces: Iterable<T>): T[] {
  if (!isList(pieces)) throw invalidArgument(name, `an iterable of ${what}`, pieces);
  const list = [...pieces];
  if (list.length > PIECES_MAX) throw outOfRange(`${name}.length`, `at most ${PIECES_MAX}`, list.length);
  return list;
}

// Also a Messaging (datagrams.ts), without saying so; see SocketBase.
/** A socket whose messages carry control data. */
export abstract class ControlSocket<F extends Face = "async"> extends MessageSocket<F> {
  /**
   * Receives bytes or one message, with control data, flags and sender. One recvmsg(2) call.
   *
   * Descriptors that come (SCM_RIGHTS) are numbers in the control data, close-on-exec, and the caller's to close. Those
   * for which there is no room are closed by the system.
   *
   * @param bufsize     at most so many bytes; a stream brings at most 256 KiB at a time.
   * @param ancbufsize  room for control data, by CMSG_SPACE() or CMSG_LEN(); at most 64 KiB is used. Default 0.
   * @param flags       MSG_* bits. Default 0.
   * @returns `data`, a Buffer with memory of its own; `ancdata`, a list of `[level, type, data]`; `flags`: MSG_TRUNC,
   *   the datagram was longer; MSG_CTRUNC, there was more control data; MSG_EOR, MSG_OOB, MSG_ERRQUEUE; `address`, the
   *   sender, as of recvfrom().
   * @throws {SocketError} as recvfrom; ENOMEM: descriptors came and there is no memory to remember them; they are closed.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recvmsg(2), cmsg(3)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  recvmsg<A extends AnyAddress = Address>(
    bufsize: number,
    ancbufsize: number = 0,
    flags: number = 0,
    options?: FaceOptions<F>,
  ): Outcome<F, ReceivedMessage<NoInfer<A>>> {
    try {
      checkInteger("bufsize", bufsize, 0, Number.MAX_SAFE_INTEGER);
      checkInteger("ancbufsize", ancbufsize, 0, 2 ** 31 - 1);
      return this.wait(
        READ,
        new ReceiveMessage<A>(this, bufsize, ancbufsize, checkInt("flags", flags)),
        options,
      );
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Receives bytes or one message into memory of the caller's, filling one piece after the other.
   *
   * @param buffers     at most 1024 views; yours again when the promise settles.
   * @param ancbufsize  as of recvmsg().
   * @param flags       MSG_* bits. Default 0.
   * @returns `nbytes`, how many bytes arrived; the rest as of recvmsg().
   * @throws {SocketError} as recvmsg; EFAULT is not among them: a buffer that was detached meanwhile has no room.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recvmsg(2), readv(2)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  recvmsg_into<A extends AnyAddress = Address>(
    buffers: Iterable<ArrayBufferView>,
    ancbufsize: number = 0,
    flags: number = 0,
    options?: FaceOptions<F>,
  ): Outcome<F, [nbytes: number, ancdata: ReceivedAncillary[], flags: number, address: NoInfer<A>]> {
    try {
      const views = listOf("buffers", "ArrayBufferViews", buffers);
      for (const view of views) lengthOf("buffers", view);
      checkInteger("ancbufsize", ancbufsize, 0, 2 ** 31 - 1);
      const receive = new ReceiveMessageInto<A>(this, views, ancbufsize, checkInt("flags", flags));
      return this.wait(READ, receive, options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Sends once, gathering pieces, with control data: a whole datagram, or of a stream as much as the kernel takes now.
   * One sendmsg(2) call.
   *
   * @param buffers  at most 1024 pieces; strings as UTF-8. Leave their memory alone until the promise settles.
   * @param ancdata  `[level, type, data]` each; read at the call. Descriptors in it must stay open until the promise
   *   settles. Default none.
   * @param flags    MSG_* bits. Default 0.
   * @param address  where it goes, as of sendto(); `null` (default): to the peer.
   * @returns how many bytes the kernel took, of all pieces together.
   * @throws {SocketError} as send and sendto; EINVAL: control data that the kernel does not know here; EBADF: a
   *   descriptor in it is not open; ETOOMANYREFS: too many descriptors on their way. EFAULT: a
   *   piece's memory was given away while the call waited.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing was sent.
   * @throws {AddressError} EAI_*: the name does not resolve.
   * @see sendmsg(2), cmsg(3)
   */
  sendmsg(
    buffers: Iterable<Data>,
    ancdata: Iterable<Ancillary> = [],
    flags: number = 0,
    address: AnyAddress | null = null,
    options?: FaceOptions<F>,
  ): Outcome<F, number> {
    try {
      checkInt("flags", flags);
      const list = listOf("buffers", "strings and bytes", buffers);
      const views = list.map((data) => bytesOf("buffers", data, flags));
      const control = encodeAncillary(ancdata);
      if (address === null)
        return this.wait(WRITE, new SendMessage(this, views, control, flags, undefined), options);
      const found = this.resolve(address, options);
      if (found !== address) return this.run(this.#sendmsgName(views, control, flags, found, options));
      const to = new Destination(this, address);
      return this.wait(WRITE, new SendMessage(this, views, control, flags, to), options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  *#sendmsgName(
    views: readonly Uint8Array[],
    control: Uint8Array,
    flags: number,
    lookup: AnyAddress | Outcome<F, AnyAddress>,
    options: FaceOptions<F> | undefined,
  ): Steps<number> {
    const to = new Destination(this, yield* step<F, AnyAddress>(lookup as Outcome<F, AnyAddress>));
    const send = new SendMessage(this, views, control, flags, to);
    return yield* step<F, number>(this.wait(WRITE, send, options));
  }

  /**
   * Sends bytes to the kernel's cryptography, with what is to be done with them; recv() then has the result. One
   * sendmsg(2) call on what accept() of a socket that is bound to an algorithm gave.
   *
   * @param buffers  the bytes, as of sendmsg(); `[]` where there are none.
   * @param options  `op`, and `iv`, `assoclen`, `flags` where the algorithm wants them. A hash wants none: send() is
   *   enough for it.
   * @returns how many bytes the kernel took.
   * @throws {SocketError} as sendmsg; EOPNOTSUPP: the family is not AF_ALG. EINVAL: a vector that is not as long as the
   *   algorithm's.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing was sent.
   * @see the kernel's Documentation/crypto/userspace-if.rst; CPython's socket.sendmsg_afalg
   */
  sendmsg_afalg(buffers: Iterable<Data>, options: FaceOptions<F, AlgOptions>): Outcome<F, number> {
    try {
      if (this.family !== AF_ALG)
        throw new SocketError("sendmsg", -EOPNOTSUPP, { text: "this is for sockets of AF_ALG" });
      if (typeof options !== "object" || options === null)
        throw invalidArgument("options", "an object with op", options);
      const { flags = 0, signal } = options;
      const waiting = (signal === undefined ? undefined : { signal }) as FaceOptions<F> | undefined;
      return this.sendmsg(buffers, algAncillary(options), flags, null, waiting);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /** send_fds(). @internal */
  sendDescriptors(
    buffers: Iterable<Data>,
    fds: Iterable<number>,
    flags: number,
    address: AnyAddress | null,
    options: FaceOptions<F> | undefined,
  ): Outcome<F, number> {
    try {
      const numbers = listOf("fds", "numbers", fds).map((fd) => checkInteger("fds", fd, 0, 2 ** 31 - 1));
      const rights: Ancillary = [SOL_SOCKET, SCM_RIGHTS, Int32Array.from(numbers)];
      return this.sendmsg(buffers, [rights], flags, address, options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /** recv_fds(). @internal */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  receiveDescriptors<A extends AnyAddress>(
    bufsize: number,
    maxfds: number,
    flags: number,
    options: FaceOptions<F> | undefined,
  ): Outcome<F, [msg: Buffer, fds: number[], flags: number, address: NoInfer<A>]> {
    try {
      checkInteger("bufsize", bufsize, 0, Number.MAX_SAFE_INTEGER);
      checkInteger("maxfds", maxfds, 0, 2 ** 31 - 1);
      // Room for a few more than asked, for padding and what else may come; those that nobody asked for are closed.
      const fds = Math.min(maxfds, DESCRIPTORS_MAX);
      const room = CMSG_LEN(fds * DESCRIPTOR_BYTES) + OTHER_CONTROL_BYTES;
      const receive = new ReceiveDescriptors<A>(this, bufsize, maxfds, room, checkInt("flags", flags));
      return this.wait(READ, receive, options);
    } catch (error) {
      return this.refuse(error);
    }
  }
}

/**
 * Sends descriptors to another process over a Unix socket: SCM_RIGHTS. They stay open here as well; close them once the
 * promise has settled.
 *
 * @param sock     a Unix socket.
 * @param buffers  as of sendmsg(); at least a byte on a stream, or nobody receives anything.
 * @param fds      at most 253 descriptor numbers.
 * @param flags    MSG_* bits. Default 0.
 * @param address  where it goes; `null` (default): to the peer.
 * @returns how many bytes went.
 * @throws {SocketError} as sendmsg; EBADF: one of them is not open; EINVAL: too many, or not a Unix socket.
 * @see unix(7); CPython's socket.send_fds
 */
export function send_fds(
  sock: ControlSocket,
  buffers: Iterable<Data>,
  fds: Iterable<number>,
  flags: number = 0,
  address: AnyAddress | null = null,
  options?: WaitOptions,
): Promise<number> {
  if (!(sock instanceof ControlSocket)) return Promise.reject(invalidArgument("sock", "a Socket", sock));
  return sock.sendDescriptors(buffers, fds, flags, address, options);
}

/**
 * Receives bytes and descriptors over a Unix socket. The descriptors are close-on-exec and the caller's to close; those
 * that came beyond `maxfds` are closed, and MSG_CTRUNC says so.
 *
 * @param sock     a Unix socket.
 * @param bufsize  at most so many bytes.
 * @param maxfds   at most so many descriptors.
 * @param flags    MSG_* bits. Default 0.
 * @returns `[msg, fds, flags, address]`; an empty `msg` with no `fds` on a stream: the peer has ended.
 * @throws {SocketError} as recvmsg. @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
 * @see unix(7); CPython's socket.recv_fds
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function recv_fds<A extends AnyAddress = UnixAddress>(
  sock: ControlSocket,
  bufsize: number,
  maxfds: number,
  flags: number = 0,
  options?: WaitOptions,
): Promise<[msg: Buffer, fds: number[], flags: number, address: NoInfer<A>]> {
  if (!(sock instanceof ControlSocket)) return Promise.reject(invalidArgument("sock", "a Socket", sock));
  return sock.receiveDescriptors<A>(bufsize, maxfds, flags, options);
}
