// What streams over something else than a socket have in common: who waits to receive and who to send, in order, and what
// becomes of them at an end, an error, a close. What is underneath, the classes that extend it know: a Node Duplex, a pair
// of web streams.

import { EBADF, ECANCELED, EPIPE, SocketError } from "../index.ts";
import type { AnyAddress, Data } from "../index.ts";
import { bytesOf } from "../socket/bytes.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";
import { RECEIVE_BYTES_MAX, refusedSize } from "./socket-stream.ts";
import { Waiter } from "./waiter.ts";

/** Who waits to receive. */
class Receiver extends Waiter<Buffer> {
  bytesMax = 0;
}

/** Who waits to send: bytes, or the end. */
class Sender extends Waiter<void> {
  bytes: Uint8Array | undefined = undefined;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Tells that a write is done, or why it failed. */
export type Done = (error?: unknown) => void;

/** Tells what becomes of a promise. */
export function tell(promise: Promise<void>, done: Done): void {
  // oxlint-disable-next-line promise/no-callback-in-promise
  promise.then(done, done);
}

/** A stream over something that reads and writes in its own way. */
export abstract class AdaptedStream implements ByteStream {
  /** Bytes that were read and not received. */
  #rest: Buffer = NOTHING;
  #receivers: Receiver[] = [];
  #senders: Sender[] = [];
  /** Whose bytes are on their way; who was aborted meanwhile waits no more. */
  #current: Sender | undefined = undefined;
  #readEnded = false;
  #writeEnded = false;
  #failure: unknown = undefined;
  #closed = false;

  /** What is underneath has ended already, before it became a stream. @internal */
  protected begin(readEnded: boolean, writeEnded: boolean): void {
    this.#readEnded = readEnded;
    this.#writeEnded = writeEnded;
  }

  /** Reads what is there; undefined: nothing yet, and deliver() is called when there is. @internal */
  protected abstract read(): Buffer | undefined;

  /** Begins to write. No other write is under way. @internal */
  protected abstract write(bytes: Uint8Array, done: Done): void;

  /** Begins to end the writing. No write is under way. @internal */
  protected abstract endWriting(done: Done): void;

  /** Closes what is underneath. `busy`: a write is under way. @internal */
  protected abstract shut(busy: boolean): void;

  abstract readonly localAddress: AnyAddress | undefined;
  abstract readonly remoteAddress: AnyAddress | undefined;

  receiveSome(bytesMax: number = RECEIVE_BYTES_MAX, options?: StreamOptions): Promise<Buffer> {
    const signal = options?.signal;
    if (this.#closed) return Promise.reject(new SocketError("recv", -EBADF));
    const refused = refusedSize(bytesMax);
    if (refused !== undefined) return refused;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const bytes = this.#receivers.length === 0 ? this.#take() : undefined;
    if (bytes !== undefined) return Promise.resolve(this.#cut(bytes, bytesMax));
    const receiver = new Receiver(signal, this.#leaveReceivers);
    receiver.bytesMax = bytesMax;
    this.#receivers.push(receiver);
    if (this.#failure !== undefined) this.failed(this.#failure);
    return receiver.promise;
  }

  // Of a send that is aborted what is underneath may still hold the memory, which then is the caller's again: it gets a copy.
  sendAll(data: Data, options?: StreamOptions): Promise<void> {
    if (this.#closed) return Promise.reject(new SocketError("sendall", -EBADF));
    try {
      const bytes = bytesOf("data", data);
      const lent = options?.signal === undefined || typeof data === "string";
      return this.#enqueue(lent ? bytes : Buffer.from(bytes), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  closeWrite(options?: StreamOptions): Promise<void> {
    if (this.#closed) return Promise.reject(new SocketError("shutdown", -EBADF));
    return this.#enqueue(undefined, options);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const receivers = this.#receivers;
    const senders = this.#senders;
    this.#receivers = [];
    this.#senders = [];
    for (const receiver of receivers) receiver.reject(new SocketError("recv", -ECANCELED));
    for (const sender of senders) sender.reject(new SocketError("sendall", -ECANCELED));
    this.shut(this.#current !== undefined);
  }

  get closed(): boolean {
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Whoever waits to receive gets what there is. @internal */
  protected deliver(): void {
    while (this.#receivers.length > 0) {
      const bytes = this.#take();
      if (bytes === undefined) {
        if (this.#failure !== undefined) this.failed(this.#failure);
        return;
      }
      const receiver = this.#receivers.shift() as Receiver;
      receiver.resolve(this.#cut(bytes, receiver.bytesMax));
    }
  }

  /** Gives bytes to who waits for them; false: nobody does. For bytes that nothing is held before. @internal */
  protected offer(bytes: Buffer): boolean {
    const receiver = this.#receivers.shift();
    if (receiver === undefined) return false;
    receiver.resolve(this.#cut(bytes, receiver.bytesMax));
    if (this.#rest.length > 0) this.deliver();
    return true;
  }

  /** The peer has ended. @internal */
  protected readEnded(): void {
    this.#readEnded = true;
    this.deliver();
  }

  /** It broke. Who waits to receive is told, unless the end was there before; who sends learns it by its write. @internal */
  protected failed(error: unknown): void {
    this.#failure ??= error;
    if (this.#readEnded) return;
    const receivers = this.#receivers;
    this.#receivers = [];
    for (const receiver of receivers) receiver.reject(this.#failure);
  }

  /** What is underneath is closed, and no write will be told to be done any more. @internal */
  protected gone(error: unknown): void {
    this.failed(error);
    // Who sends from now on does not wait for the write that was under way.
    this.#current = undefined;
    const senders = this.#senders;
    this.#senders = [];
    for (const sender of senders) sender.reject(this.#failure);
  }

  /** What there is; empty: the end; undefined: nothing yet. */
  #take(): Buffer | undefined {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = NOTHING;
      return rest;
    }
    const bytes = this.#readEnded || this.#failure !== undefined ? undefined : this.read();
    return bytes ?? (this.#readEnded ? NOTHING : undefined);
  }

  /** What of it may be received; the rest is for the next. */
  #cut(bytes: Buffer, bytesMax: number): Buffer {
    if (bytes.length <= bytesMax) return bytes;
    this.#rest = bytes.subarray(bytesMax);
    return bytes.subarray(0, bytesMax);
  }

  readonly #leaveReceivers = (left: Waiter<Buffer>): void => {
    this.#receivers = this.#receivers.filter((other) => other !== left);
  };

  // What was begun goes on; the stream is of no use any more.
  readonly #leaveSenders = (left: Waiter<void>): void => {
    this.#senders = this.#senders.filter((other) => other !== left);
  };

  #enqueue(bytes: Uint8Array | undefined, options: StreamOptions | undefined): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const sender = new Sender(signal, this.#leaveSenders);
    sender.bytes = bytes;
    this.#senders.push(sender);
    this.#send();
    return sender.promise;
  }

  /** The first sender begins, if nobody else is under way. */
  #send(): void {
    while (this.#current === undefined && this.#senders.length > 0) {
      const sender = this.#senders[0] as Sender;
      const { bytes } = sender;
      if (this.#writeEnded || this.#failure !== undefined) {
        this.#senders.shift();
        if (!this.#writeEnded) sender.reject(this.#failure);
        else if (bytes === undefined) sender.resolve();
        else sender.reject(new SocketError("sendall", -EPIPE));
        continue;
      }
      this.#current = sender;
      if (bytes === undefined) {
        this.#writeEnded = true;
        this.endWriting(this.#sent);
      } else if (bytes.length === 0) this.#sent();
      else this.write(bytes, this.#sent);
    }
  }

  readonly #sent: Done = (error?: unknown): void => {
    const sender = this.#current;
    this.#current = undefined;
    if (sender !== undefined && this.#senders[0] === sender) {
      this.#senders.shift();
      if (error === undefined || error === null) sender.resolve();
      else sender.reject(this.#failure ?? error);
    }
    this.#send();
  };
}
