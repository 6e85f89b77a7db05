// A Node Duplex as a ByteStream: net.Socket, tls.TLSSocket, a child's pipes, whatever a package hands out. It pulls with
// read() and pushes with write(), one at a time, so that Node's buffer below holds what its highWaterMark says. What is on
// the other side of the Duplex it does not know.

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { EBADF, ECANCELED, ECONNABORTED, EPIPE, SocketError } from "../index.ts";
import type { AnyAddress, Data } from "../index.ts";
import { bytesOf } from "../socket/bytes.ts";
import { invalidArgument } from "../socket/errors.ts";
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

/** What a net.Socket tells of its ends. */
interface Ends {
  readonly localAddress?: unknown;
  readonly localPort?: unknown;
  readonly remoteAddress?: unknown;
  readonly remotePort?: unknown;
}

/** A stream over a Duplex. Make one with fromDuplex(). */
export class DuplexStream implements ByteStream {
  /** The Duplex beneath, which belongs to the stream. */
  readonly duplex: Duplex;
  /** Bytes that were read from it and not received. */
  #rest: Buffer = NOTHING;
  #receivers: Receiver[] = [];
  #senders: Sender[] = [];
  /** The first sender's bytes are on their way. */
  #sending = false;
  #readEnded: boolean;
  #writeEnded: boolean;
  #failure: unknown = undefined;
  #closed = false;

  /** @internal */
  constructor(duplex: Duplex) {
    this.duplex = duplex;
    this.#readEnded = duplex.readableEnded;
    this.#writeEnded = duplex.writableEnded;
    // An end that was received is no reason to end sending.
    duplex.allowHalfOpen = true;
    duplex.on("readable", () => this.#deliver());
    duplex.on("end", () => {
      this.#readEnded = true;
      this.#deliver();
    });
    duplex.on("error", (error) => this.#fail(error));
    duplex.on("close", () => this.#gone());
    if (duplex.destroyed) this.#gone();
  }

  receiveSome(bytesMax: number = RECEIVE_BYTES_MAX, options?: StreamOptions): Promise<Buffer> {
    const signal = options?.signal;
    if (this.#closed) return Promise.reject(new SocketError("recv", -EBADF));
    const refused = refusedSize(bytesMax);
    if (refused !== undefined) return refused;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const receiver = new Receiver(signal, (left) => {
      this.#receivers = this.#receivers.filter((other) => other !== left);
    });
    receiver.bytesMax = bytesMax;
    this.#receivers.push(receiver);
    this.#deliver();
    if (this.#failure !== undefined) this.#fail(this.#failure);
    return receiver.promise;
  }

  // Of a send that is aborted the Duplex may still hold the memory, which then is the caller's again: it gets a copy.
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
    this.duplex.destroy();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get localAddress(): AnyAddress | undefined {
    const { localAddress, localPort } = this.duplex as Ends;
    return addressOf(localAddress, localPort);
  }

  get remoteAddress(): AnyAddress | undefined {
    const { remoteAddress, remotePort } = this.duplex as Ends;
    return addressOf(remoteAddress, remotePort);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #deliver(): void {
    while (this.#receivers.length > 0) {
      const bytes = this.#take();
      if (bytes === undefined) return;
      const receiver = this.#receivers.shift() as Receiver;
      if (bytes.length > receiver.bytesMax) {
        this.#rest = bytes.subarray(receiver.bytesMax);
        receiver.resolve(bytes.subarray(0, receiver.bytesMax));
      } else receiver.resolve(bytes);
    }
  }

  /** What there is; empty: the end; undefined: nothing yet. read(n) is not used: with a large n it raises highWaterMark. */
  #take(): Buffer | undefined {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = NOTHING;
      return rest;
    }
    const bytes = this.#readEnded ? null : (this.duplex.read() as Buffer | null);
    return bytes ?? (this.#readEnded ? NOTHING : undefined);
  }

  #enqueue(bytes: Uint8Array | undefined, options: StreamOptions | undefined): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const sender = new Sender(signal, (left) => {
      // What was begun goes on; the stream is of no use any more.
      this.#senders = this.#senders.filter((other) => other !== left);
    });
    sender.bytes = bytes;
    this.#senders.push(sender);
    this.#send();
    return sender.promise;
  }

  /** The first sender begins, if nobody else is under way. */
  #send(): void {
    while (!this.#sending && this.#senders.length > 0) {
      const sender = this.#senders[0] as Sender;
      const { bytes } = sender;
      if (this.#writeEnded) {
        this.#senders.shift();
        if (bytes === undefined) sender.resolve();
        else sender.reject(new SocketError("sendall", -EPIPE));
        continue;
      }
      if (this.#failure !== undefined) {
        this.#senders.shift();
        sender.reject(this.#failure);
        continue;
      }
      this.#sending = true;
      const done = (error?: Error | null): void => this.#sent(sender, error ?? undefined);
      if (bytes === undefined) {
        this.#writeEnded = true;
        this.duplex.end(done);
      } else this.duplex.write(bytes, done);
    }
  }

  #sent(sender: Sender, error: Error | undefined): void {
    this.#sending = false;
    const at = this.#senders.indexOf(sender);
    if (at !== -1) {
      this.#senders.splice(at, 1);
      if (error === undefined) sender.resolve();
      else sender.reject(this.#failure ?? error);
    }
    this.#send();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    if (this.#readEnded) return;
    const receivers = this.#receivers;
    this.#receivers = [];
    for (const receiver of receivers) receiver.reject(this.#failure);
  }

  /** The Duplex is closed. Where nobody says why, somebody else destroyed it. */
  #gone(): void {
    this.#fail(new SocketError("recv", -ECONNABORTED, { text: "the Duplex was destroyed" }));
    const senders = this.#senders;
    this.#senders = [];
    for (const sender of senders) sender.reject(this.#failure);
  }
}

function addressOf(host: unknown, port: unknown): AnyAddress | undefined {
  if (typeof host !== "string" || typeof port !== "number") return undefined;
  return isIP(host) === 6 ? [host, port, 0, 0] : [host, port];
}

/**
 * Makes a stream of a Duplex, which belongs to it from now on: net.Socket, tls.TLSSocket, what a package gives. Bytes only.
 *
 * @param duplex  not in object mode, without setEncoding(). Its allowHalfOpen becomes true.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no Duplex, or one whose chunks are no bytes.
 * @see https://nodejs.org/api/stream.html#class-streamduplex
 */
export function fromDuplex(duplex: Duplex): DuplexStream {
  if (typeof duplex?.read !== "function" || typeof duplex.write !== "function")
    throw invalidArgument("duplex", "a Duplex", duplex);
  const { readableObjectMode, writableObjectMode, readableEncoding } = duplex;
  if (readableObjectMode || writableObjectMode || readableEncoding !== null)
    throw invalidArgument("duplex", "a Duplex of bytes", duplex);
  return new DuplexStream(duplex);
}
