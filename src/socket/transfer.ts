// Moving bytes: recv, recv_into, send, sendall. What each attempt does is told in transfers.ts, how a wait happens in
// base.ts; what is sent, nobody here knows.

import { READ, WRITE } from "../engine/descriptor.ts";
import { countProgress } from "../engine/operation.ts";
import type { Progress } from "../engine/operation.ts";
import { EAGAIN, EBADF, SOCK_STREAM } from "../constants/index.ts";
import { checkInt, checkInteger } from "./base.ts";
import { bytesOf, lengthOf } from "./bytes.ts";
import type { Data } from "./bytes.ts";
import type { Face, FaceOptions, Outcome, WaitOptions } from "./face.ts";
import { ListeningSocket } from "./listening.ts";
import { ReceiveAllInto, ReceiveAllNew, waitsForAll } from "./receive-all.ts";
import { Receive, ReceiveInto, Send, SendAll, transmit } from "./transfers.ts";

/** What `sendall` takes last. */
export interface SendAllOptions extends WaitOptions {
  /** Kept current: how many bytes the kernel has taken, whatever ends the call. */
  progress?: Progress | undefined;
}

// Also a Transferring (transfers.ts), without saying so; see SocketBase.
/** A socket that receives and sends bytes. */
export abstract class TransferSocket<F extends Face = "async"> extends ListeningSocket<F> {
  /** How large the next direct receive is made; 0 = through the scratch. @internal */
  guess = 0;

  /**
   * Receives what is there, waiting for the first of it.
   *
   * @param bufsize  at most so many bytes; a stream brings at most 256 KiB at a time. 0 resolves at once.
   * @param flags    MSG_* bits. Default 0. With MSG_WAITALL a stream's call goes on until all of bufsize is there: fewer
   *   bytes say that the peer has ended, or that time, a signal or close() came when they were there already.
   * @returns a Buffer with memory of its own; empty: the peer has ended (of a datagram: it was empty).
   * @throws {SocketError} ECONNRESET, ETIMEDOUT, ENOTCONN…; ECANCELED: closed meanwhile; EAGAIN: non-blocking. With
   *   MSG_WAITALL `data` and `bytesReceived` have what had come before the connection failed.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recv(2)
   */
  recv(bufsize: number, flags: number = 0, options?: FaceOptions<F>): Outcome<F, Buffer> {
    try {
      checkInteger("bufsize", bufsize, 0, Number.MAX_SAFE_INTEGER);
      checkInt("flags", flags);
    } catch (error) {
      return this.refuse(error);
    }
    if (bufsize === 0) return this.#nothing("recv", Buffer.alloc(0));
    if (flags !== 0 && this.type === SOCK_STREAM && waitsForAll(flags))
      return this.wait(READ, new ReceiveAllNew(this, bufsize, flags), options);
    return this.wait(READ, new Receive(this, bufsize, flags), options);
  }

  /**
   * Receives into memory of the caller's, without a copy.
   *
   * @param buffer  filled from byte 0; yours again when the promise settles.
   * @param nbytes  at most so many bytes; 0 or absent: all of the buffer.
   * @param flags   MSG_* bits. Default 0. MSG_WAITALL as of recv(); an error's `bytesReceived` says how many are here.
   * @returns how many bytes arrived; 0: the peer has ended, or there was no room asked for.
   * @throws {SocketError} as recv; EFAULT: the buffer was detached or shrunk while the call waited.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @see recv(2)
   */
  recv_into(
    buffer: ArrayBufferView,
    nbytes: number = 0,
    flags: number = 0,
    options?: FaceOptions<F>,
  ): Outcome<F, number> {
    let size: number;
    try {
      const length = lengthOf("buffer", buffer);
      size = checkInteger("nbytes", nbytes, 0, length) || length;
      checkInt("flags", flags);
    } catch (error) {
      return this.refuse(error);
    }
    if (size === 0) return this.#nothing("recv", 0);
    if (flags !== 0 && this.type === SOCK_STREAM && waitsForAll(flags))
      return this.wait(READ, new ReceiveAllInto(this, buffer, size, flags), options);
    return this.wait(READ, new ReceiveInto(this, buffer, size, flags), options);
  }

  /**
   * Sends once: as much as the kernel takes now, waiting only while it takes nothing.
   *
   * @param data   what to send; strings as UTF-8.
   * @param flags  MSG_* bits. Default 0. With MSG_ZEROCOPY the kernel reads the memory after the call: hold it, and leave
   *   it alone, until the error queue says that it is done; strings are refused (ERR_INVALID_ARG_TYPE).
   * @returns how many bytes the kernel took: 1..length (0 for no data).
   * @throws {SocketError} EPIPE, ECONNRESET, ENOTCONN…; ECANCELED: closed meanwhile; EAGAIN: non-blocking.
   * @see send(2)
   */
  send(data: Data, flags: number = 0, options?: FaceOptions<F>): Outcome<F, number> {
    try {
      checkInt("flags", flags);
      const bytes = bytesOf("data", data, flags);
      // As in sendall(), below.
      if (options === undefined && this.idle(WRITE)) {
        const count = transmit(this, bytes, 0, bytes.length, flags);
        if (count >= 0) return this.done(count);
        if (count !== -EAGAIN) return this.refuse(this.failure("send", count));
      }
      return this.wait(WRITE, new Send(this, bytes, flags), options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Sends all of it. Two calls never interleave their bytes: the second begins when the first has ended.
   *
   * @param data   what to send; strings as UTF-8. Leave the memory alone until the promise settles.
   * @param flags  MSG_* bits. Default 0.
   * @throws {SocketError} as send; `bytesSent` says how many bytes the kernel took before it failed.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time for the whole is up; `bytesSent` as above.
   * @see send(2)
   */
  sendall(data: Data, flags: number = 0, options?: FaceOptions<F, SendAllOptions>): Outcome<F, void> {
    try {
      checkInt("flags", flags);
      const bytes = bytesOf("data", data, flags);
      const progress = countProgress(options?.progress);
      // The common case has no wait and so needs nothing that one needs: the kernel takes all of it at once.
      if (options === undefined && this.idle(WRITE)) {
        const { length } = bytes;
        const count = transmit(this, bytes, 0, length, flags);
        if (count === length) return this.done(undefined);
        if (count > 0) progress.bytes = count;
        // Asked again, the kernel would say EPIPE: it tells what ended a connection once.
        else if (count !== -EAGAIN) return this.refuse(this.failure("sendall", count, progress));
      }
      return this.wait(WRITE, new SendAll(this, bytes, flags, progress), options);
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Sends so many bytes from `offset` on, as much of them as the kernel takes at once: how many, or -errno; -EAGAIN also
   * where somebody waits to send. @internal
   */
  sendAtOnce(bytes: Uint8Array, offset: number, length: number): number {
    return this.idle(WRITE) ? transmit(this, bytes, offset, length, 0) : -EAGAIN;
  }

  #nothing<T>(syscall: string, value: T): Outcome<F, T> {
    return this.descriptor.fd < 0 ? this.refuse(this.failure(syscall, -EBADF)) : this.done(value);
  }
}
