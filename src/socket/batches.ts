// Many datagrams at a time: recvmmsg and sendmmsg. What each attempt does is told in batch/receiving.ts and
// batch/sending.ts, the memory and what is in it in batch/receive-batch.ts and batch/send-batch.ts.

import { READ, WRITE } from "../engine/descriptor.ts";
import type { Operation } from "../engine/operation.ts";
import { EAGAIN, EOPNOTSUPP, SOCK_STREAM } from "../constants/index.ts";
import { checkInt } from "./base.ts";
import { ReceiveBatch } from "./batch/receive-batch.ts";
import { ReceiveMessages, askForGro, receiveInto } from "./batch/receiving.ts";
import { SendBatch } from "./batch/send-batch.ts";
import { SendMessages, failureOf, sendFrom } from "./batch/sending.ts";
import { BesideSocket } from "./beside.ts";
import { isLent } from "./bytes.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import { step } from "./face.ts";
import type { Face, FaceOptions, Outcome, Steps } from "./face.ts";

// Also a Messaging (datagrams.ts), without saying so; see SocketBase.
/** A socket that receives and sends many datagrams at a time. */
export abstract class BatchSocket<F extends Face = "async"> extends BesideSocket<F> {
  /**
   * Receives the datagrams that are there into a batch, as many as it has room for, waiting for the first of them. One
   * recvmmsg(2) call.
   *
   * **The batch's memory is used again**: what data() gave of an earlier receive is overwritten.
   *
   * @param batch  one call at a time.
   * @param flags  MSG_* bits. Default 0.
   * @returns how many datagrams came: batch.count. One that was longer than its room is told by batch.flags(i),
   *   MSG_TRUNC, and batch.length(i).
   * @throws {SocketError} ECONNREFUSED: connected, and nobody took an earlier datagram; those that came before it are
   *   delivered first. EFAULT: the batch's memory was given away. EOPNOTSUPP: a stream has no datagrams. ECANCELED:
   *   closed meanwhile; EAGAIN: non-blocking.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time is up; nothing is lost.
   * @throws {TypeError} ERR_INVALID_STATE: another call waits with this batch.
   * @see recvmmsg(2), udp(7)
   */
  recvmmsg(batch: ReceiveBatch, flags: number = 0, options?: FaceOptions<F>): Outcome<F, number> {
    try {
      if (!(batch instanceof ReceiveBatch)) throw invalidArgument("batch", "a ReceiveBatch", batch);
      checkInt("flags", flags);
      batch.claim.check();
      this.#refuseStream("recvmmsg");
      batch.clear();
      askForGro(this, batch);
      // The common case has no wait and so needs nothing that one needs: datagrams are there.
      if (options === undefined && flags === 0 && this.idle(READ)) {
        const messages = receiveInto(this, batch, 0);
        if (messages >= 0) return this.done(batch.received(this, messages));
        if (messages !== -EAGAIN) return this.refuse(this.failure("recvmmsg", messages));
        this.engine.dry(this.descriptor, READ);
      }
      return this.run(this.#waitWith(batch, READ, new ReceiveMessages(this, batch, flags), options));
    } catch (error) {
      return this.refuse(error);
    }
  }

  /**
   * Sends all datagrams of a batch, in order, in as many sendmmsg(2) calls as it takes. What was sent leaves the batch;
   * afterwards it is empty and can be filled again.
   *
   * @param batch  one call at a time; nothing can be added meanwhile.
   * @param flags  MSG_* bits. Default 0.
   * @returns how many datagrams went.
   * @throws {SocketError} as sendmsg, of one datagram: `datagramsSent` were sent before it, `remote` is where it was to
   *   go. It and those behind it are still in the batch: call again to go on with it, or batch.drop() it first. EMSGSIZE:
   *   longer than the protocol carries; ECONNREFUSED: connected, and nobody took an earlier datagram; EINVAL,
   *   ENETUNREACH: a source address that is not this machine's. sendmmsg(2) does not tell an error that an earlier datagram of the same call
   *   stands before, if it is gone by the next (ECONNREFUSED). EOPNOTSUPP: a stream has no datagrams.
   * @throws {TimeoutError} ETIMEDOUT: settimeout's time for the whole is up; the rest is still in the batch.
   * @throws {TypeError} ERR_INVALID_STATE: another call waits with this batch. ERR_INVALID_ARG_TYPE: the batch is of
   *   another address family; MSG_ZEROCOPY, for its memory is used again.
   * @see sendmmsg(2), udp(7)
   */
  sendmmsg(batch: SendBatch, flags: number = 0, options?: FaceOptions<F>): Outcome<F, number> {
    try {
      if (!(batch instanceof SendBatch)) throw invalidArgument("batch", "a SendBatch", batch);
      if (isLent(checkInt("flags", flags)))
        throw invalidArgument("flags", "without MSG_ZEROCOPY: a batch's memory is used again", flags);
      batch.claim.check();
      this.#refuseStream("sendmmsg");
      if (batch.queue.nameEnd > 0 && batch.family !== this.family)
        throw invalidArgument("batch.family", `the socket's, ${this.family}`, batch.family);
      const count = { datagrams: 0 };
      if (options === undefined && this.idle(WRITE)) {
        const result = sendFrom(this, batch, flags, count);
        if (result === 0) return this.done(count.datagrams);
        // Not tried again: an error that was told is gone.
        if (result !== -EAGAIN) return this.refuse(failureOf(this, batch, result, count));
      }
      return this.run(this.#waitWith(batch, WRITE, new SendMessages(this, batch, flags, count), options));
    } catch (error) {
      return this.refuse(error);
    }
  }

  *#waitWith(
    { claim }: ReceiveBatch | SendBatch,
    direction: number,
    operation: Operation<number>,
    options: FaceOptions<F> | undefined,
  ): Steps<number> {
    claim.take();
    try {
      return yield* step<F, number>(this.wait(direction, operation, options));
    } finally {
      claim.release();
    }
  }

  #refuseStream(syscall: string): void {
    if (this.type !== SOCK_STREAM) return;
    throw new SocketError(syscall, -EOPNOTSUPP, { ...this.ends(), text: "a stream has no datagrams" });
  }
}
