// One direction of a pair in memory: a bounded queue of bytes between those who wait to send and those who wait to receive,
// both in the order of their asking. It knows neither ends nor streams; what a close means, memory.ts says.
//
// Why it takes credit of the engine. Two ends in one process that always find each other ready would go round in
// microtasks and starve timers and sockets, as two sockets would (engine.ts). So both spend the same credit, and go on in
// the next turn of the loop when there is none left.

import type { Engine } from "../engine/engine.ts";
import { EPIPE, SocketError } from "../index.ts";
import { CREDIT_SHIFT, ownCopy } from "../socket/transfers.ts";
import { ByteQueue } from "../wire/byte-queue.ts";
import { Waiter } from "./waiter.ts";

class Receiver extends Waiter<Buffer> {
  readonly bytesMax: number;

  constructor(bytesMax: number, signal: AbortSignal | undefined, leave: (waiter: Waiter<Buffer>) => void) {
    super(signal, leave);
    this.bytesMax = bytesMax;
  }
}

class Sender extends Waiter<void> {
  /** What is left to send; undefined: the end. */
  rest: Uint8Array | undefined;

  constructor(
    rest: Uint8Array | undefined,
    signal: AbortSignal | undefined,
    leave: (waiter: Waiter<void>) => void,
  ) {
    super(signal, leave);
    this.rest = rest;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes in one direction. */
export class MemoryPipe {
  readonly #engine: Engine;
  readonly #bytesMax: number;
  readonly #queue: ByteQueue = new ByteQueue();
  #receivers: Receiver[] = [];
  #senders: Sender[] = [];
  /** Nothing will be sent any more. */
  #ended = false;
  /** Nobody will receive any more. */
  #abandoned = false;
  #postponed = false;

  constructor(engine: Engine, bytesMax: number) {
    this.#engine = engine;
    this.#bytesMax = bytesMax;
  }

  receive(bytesMax: number, signal: AbortSignal | undefined): Promise<Buffer> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const receiver = new Receiver(bytesMax, signal, (left) => {
      this.#receivers = this.#receivers.filter((other) => other !== left);
    });
    this.#receivers.push(receiver);
    this.#move();
    return receiver.promise;
  }

  send(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(bytes, signal);
  }

  /** The end comes behind what is being sent. */
  end(signal: AbortSignal | undefined): Promise<void> {
    return this.#wait(undefined, signal);
  }

  /** The sending end is closed: what it has sent can still be received. */
  finish(reason: SocketError): void {
    this.#ended = true;
    const senders = this.#senders;
    this.#senders = [];
    for (const sender of senders) sender.reject(reason);
    this.#move();
  }

  /** The receiving end is closed: what was not received is gone. */
  abandon(toReceivers: SocketError, toSenders: SocketError): void {
    this.#abandoned = true;
    this.#queue.skip(this.#queue.length);
    const receivers = this.#receivers;
    const senders = this.#senders;
    this.#receivers = [];
    this.#senders = [];
    for (const receiver of receivers) receiver.reject(toReceivers);
    for (const sender of senders)
      if (sender.rest === undefined) sender.resolve();
      else sender.reject(toSenders);
  }

  #wait(rest: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const sender = new Sender(rest, signal, (left) => {
      this.#senders = this.#senders.filter((other) => other !== left);
      this.#move(); // who comes next may find room
    });
    this.#senders.push(sender);
    this.#move();
    return sender.promise;
  }

  /** Everything that can go on goes on, until the credit is spent. */
  #move(): void {
    if (this.#postponed) return;
    while (this.#fill() || this.#drain())
      if (this.#engine.credit <= 0) {
        this.#postponed = true;
        this.#engine.postponed.add(() => {
          this.#postponed = false;
          this.#move();
        });
        return;
      }
  }

  /** The first sender goes on; false: he waits, or there is none. */
  #fill(): boolean {
    const [sender] = this.#senders;
    if (sender === undefined) return false;
    const { rest } = sender;
    if (rest !== undefined && (this.#ended || this.#abandoned)) {
      this.#senders.shift();
      sender.reject(new SocketError("sendall", -EPIPE));
      return true;
    }
    const length = rest?.length ?? 0;
    const room = this.#bytesMax - this.#queue.length;
    if (length > 0 && room === 0) return false;
    this.#engine.credit--;
    if (rest !== undefined && length > 0) {
      const now = rest.subarray(0, room);
      this.#engine.credit -= now.length >> CREDIT_SHIFT;
      // The sender gets its memory back; a queue that is not empty copies of itself.
      this.#queue.push(this.#queue.length === 0 ? ownCopy(now) : now);
      if (now.length < length) {
        sender.rest = rest.subarray(now.length);
        return true;
      }
    }
    this.#senders.shift();
    if (rest === undefined) this.#ended = true;
    sender.resolve();
    return true;
  }

  /** The first receiver gets something; false: he waits, or there is none. */
  #drain(): boolean {
    const [receiver] = this.#receivers;
    if (receiver === undefined || (this.#queue.length === 0 && !this.#ended)) return false;
    this.#receivers.shift();
    this.#engine.credit--;
    receiver.resolve(this.#queue.length === 0 ? NOTHING : this.#queue.take(receiver.bytesMax));
    return true;
  }
}
