// What goes on beside the data: the error queue, sending memory that the kernel reads on its own time, the urgent mark,
// how much the queues hold. How a wait
// happens is told at the top; whose a message is, in error-queue.ts; which memory is lent, in zerocopy.ts.

import { ERRORS, WRITE } from "../engine/descriptor.ts";
import { countProgress } from "../engine/operation.ts";
import {
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_PACKET,
  AF_VSOCK,
  EOPNOTSUPP,
  MSG_ERRQUEUE,
  MSG_ZEROCOPY,
  SOL_SOCKET,
  SO_ZEROCOPY,
} from "../constants/index.ts";
import type { Address, AnyAddress } from "./address.ts";
import { checkInt } from "./base.ts";
import { bytesOf } from "./bytes.ts";
import { ControlSocket } from "./control.ts";
import { AwaitReturn, ReceiveError } from "./error-queue.ts";
import type { ErrorMessage, Loan } from "./error-queue.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import { step } from "./face.ts";
import type { Face, FaceOptions, Outcome, Steps } from "./face.ts";
import type { SendAllOptions } from "./transfer.ts";
import { SendLent, hold } from "./zerocopy.ts";

/**
 * Families whose sockets have an error queue. Others overlook MSG_ERRQUEUE (AF_UNIX, AF_NETLINK): who asked them for an
 * error would be given data, and with it descriptors that nobody knows of.
 */
const QUEUES_ERRORS: ReadonlySet<number> = new Set([
  AF_INET,
  AF_INET6,
  AF_PACKET,
  AF_VSOCK,
  AF_CAN,
  AF_BLUETOOTH,
]);

/** What became of memory that send_zerocopy() lent. */
export interface ZeroCopyReport {
  /**
   * The kernel copied some of it after all: the peer is on this machine, the device cannot gather, too much was lent, or it
   * was too little. Where this comes often, sendall() is the faster call.
   */
  copied: boolean;
}

// Also a Messaging (datagrams.ts), without saying so; see SocketBase.
/** A socket with an error queue. */
export abstract class BesideSocket<F extends Face = "async"> extends ControlSocket<F> {
  /**
   * Receives one message of the error queue, waiting for it: an ICMP error with who sent it and about what (IP_RECVERR,
   * IPV6_RECVERR), the time when something was sent (SO_TIMESTAMPING), what became of a send with MSG_ZEROCOPY.
   * recvmsg(2) calls with MSG_ERRQUEUE; with that flag recvmsg() itself never waits.
   *
   * While it waits, an error that comes to the queue is no error of the calls that wait for data. That the connection has
   * ended does not end it: an AbortSignal, a timeout or close() does.
   *
   * @throws {SocketError} EAGAIN: non-blocking. ECANCELED: closed meanwhile. EOPNOTSUPP: this system or this family of
   *   sockets (AF_UNIX, AF_NETLINK) has no error queues.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recv(2) MSG_ERRQUEUE, ip(7)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  recv_error<A extends AnyAddress = Address>(options?: FaceOptions<F>): Outcome<F, ErrorMessage<NoInfer<A>>> {
    if (MSG_ERRQUEUE < 0 || !QUEUES_ERRORS.has(this.family))
      return this.refuse(this.failure("recvmsg", -EOPNOTSUPP));
    return this.wait(ERRORS, new ReceiveError<A>(this), options);
  }

  /**
   * Sends all of it without a copy, and settles when the kernel no longer needs the memory: of TCP when the peer has
   * acknowledged it, of UDP when it has left. It pays from some ten kilobytes on, towards other machines; below, and on
   * loopback, pinning costs more than copying. SO_ZEROCOPY is set by it.
   *
   * Until then the memory is the kernel's: what is written to it goes out in place of what was there, perhaps. It is held
   * until it is back, also past an error, an abort and close() (then for 30 minutes, as long as TCP may still send). Do
   * not transfer or resize its ArrayBuffer meanwhile: nothing can hold it then, and what the allocator puts there
   * next may be sent. For the same reason wait for it before a worker thread ends.
   *
   * The kernel numbers the sends with MSG_ZEROCOPY of an open file. They are counted here, so others of the same socket do
   * no harm; those of a dup() or of another process do, and so does who reads the error queue otherwise than by
   * recv_error(): send_zerocopy() may then settle early, or never.
   *
   * @param data   bytes; strings are refused, for nobody holds theirs.
   * @param flags  MSG_* bits. Default 0.
   * @throws {SocketError} as sendall; `bytesSent` says how many bytes the kernel took. EOPNOTSUPP: this kind of socket
   *   cannot (TCP, UDP and vsock can). ECANCELED: closed meanwhile.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up, for the sending or for the kernel's word.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE: a string.
   * @see Documentation/networking/msg_zerocopy.rst
   */
  send_zerocopy(
    data: ArrayBufferView | ArrayBuffer,
    flags: number = 0,
    options?: FaceOptions<F, SendAllOptions>,
  ): Outcome<F, ZeroCopyReport> {
    try {
      checkInt("flags", flags);
      if (typeof data === "string") throw invalidArgument("data", "bytes that you hold", data);
      const bytes = bytesOf("data", data);
      if (MSG_ZEROCOPY < 0 || SO_ZEROCOPY < 0)
        throw new SocketError("send", -EOPNOTSUPP, { text: "this system has no MSG_ZEROCOPY" });
      this.setsockopt(SOL_SOCKET, SO_ZEROCOPY, 1);
      return this.run(this.#sendLent(bytes, flags, options));
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Whether the next byte is where the peer's urgent data was, or would be: receiving stops before it, whatever was asked
   * for. With SO_OOBINLINE the next byte is the urgent one. One sockatmark(3) call.
   *
   * @throws {SocketError} EBADF: closed. EINVAL, EOPNOTSUPP, ENOTTY: this kind of socket has no urgent data.
   * @see sockatmark(3), tcp(7)
   */
  sockatmark(): boolean {
    return this.check("sockatmark", this.engine.backend.calls.sockatmark(this.open("sockatmark"))) === 1;
  }

  /**
   * How many bytes a receive would find; of datagrams the length of the next one. One ioctl(2) call, SIOCINQ.
   *
   * @throws {SocketError} EBADF: closed. EINVAL: it listens. ENOTTY, EOPNOTSUPP: this kind of socket does not tell.
   * @see tcp(7), udp(7), unix(7)
   */
  siocinq(): number {
    return this.check("ioctl", this.engine.backend.calls.siocinq(this.open("ioctl")));
  }

  /**
   * How many bytes are in the send queue: of TCP what the peer has not acknowledged, of datagrams what has not left, of Unix
   * sockets what the peer has not read. One ioctl(2) call, SIOCOUTQ.
   *
   * @throws {SocketError} as siocinq.
   * @see tcp(7), udp(7), unix(7)
   */
  siocoutq(): number {
    return this.check("ioctl", this.engine.backend.calls.siocoutq(this.open("ioctl")));
  }

  /**
   * How many bytes of TCP's send queue were not sent yet. One ioctl(2) call, SIOCOUTQNSD.
   *
   * @throws {SocketError} as siocinq; ENOTTY, EOPNOTSUPP, ENOSYS: it is not TCP, or not Linux.
   * @see tcp(7)
   */
  siocoutqnsd(): number {
    return this.check("ioctl", this.engine.backend.calls.siocoutqnsd(this.open("ioctl")));
  }

  *#sendLent(
    bytes: Uint8Array,
    flags: number,
    options: FaceOptions<F, SendAllOptions> | undefined,
  ): Steps<ZeroCopyReport> {
    const loan: Loan = { out: 0, copied: false };
    const progress = countProgress(options?.progress);
    try {
      yield* step<F, void>(this.wait(WRITE, new SendLent(this, bytes, flags, loan, progress), options));
      if (loan.out > 0) yield* step<F, void>(this.wait(ERRORS, new AwaitReturn(this, loan), options));
    } catch (error) {
      hold(loan, bytes);
      throw error;
    }
    return { copied: loan.copied };
  }
}
