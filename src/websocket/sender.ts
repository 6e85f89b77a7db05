// The sending half of a connection: what was written leaves in as few sends as can be, and who writes more than the peer
// takes waits. It knows a ByteStream and a writer, and no messages.
//
// Why it does not send at once. What answers the frames of one receive leaves in one send: a system call costs as much as
// the work on several small messages. So what is written leaves when the reader has gone through what it received, or, if
// nobody is reading, when everything that is ready to run now has run (process.nextTick). Only what makes more than
// JOINED_BYTES_MAX, or lends its memory, leaves before.

import { EAGAIN } from "../constants/index.ts";
import type { Engine } from "../engine/engine.ts";
import { SENT } from "../socket/socket.ts";
import { SocketStream } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";
import type { WebSocketWriter } from "./writer.ts";

/** Up to so many bytes are joined and sent in one call, and may wait before who sends must wait. */
const JOINED_BYTES_MAX = 65_536;
/** What is larger is sent in pieces of so many bytes. */
const SEND_BYTES = 262_144;

/** Every send that need not be waited for resolves with this one. */
export const DONE: Promise<void> = Promise.resolve();

/** What a sender tells its connection. */
export interface SenderOwner {
  /** The peer has to take what is being sent from now on (true); it has (false). */
  sending(on: boolean): void;
  /** The stream broke. */
  broke(error: unknown): void;
}

/** Somebody waits until a batch was sent. */
interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

function makeBatch(): Batch {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((whenSent, whenFailed) => {
    resolve = whenSent;
    reject = whenFailed;
  });
  // Who does not wait learns of it elsewhere: it is no unhandled rejection.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** Whose turn to send comes when everything else has run. */
let due: Sender[] = [];
/** Counted each time that everything else has run. */
let turn = 0;
let isTurnAsked = false;

function nextTurn(): void {
  isTurnAsked = false;
  turn++;
  const senders = due;
  due = [];
  for (const sender of senders) sender.turn();
}

function askTurn(): void {
  if (isTurnAsked) return;
  isTurnAsked = true;
  process.nextTick(nextTurn);
}

/** Whose turn came when the credit of its engine was spent: they go on in the next turn of the loop. */
const postponed: Map<Engine, Sender[]> = new Map();

function postpone(engine: Engine, sender: Sender): void {
  const waiting = postponed.get(engine);
  if (waiting !== undefined) {
    waiting.push(sender);
    return;
  }
  const senders = [sender];
  postponed.set(engine, senders);
  engine.backend.nextTurn(() => {
    postponed.delete(engine);
    engine.renew();
    for (const one of senders) one.turn();
  });
}

/** Sends for one connection. */
export class Sender {
  readonly writer: WebSocketWriter;
  readonly #stream: ByteStream;
  readonly #owner: SenderOwner;
  /** Whoever goes through received frames sends what they were answered with himself. */
  corked = false;
  #isDue = false;
  /** The turn in which frames for many were sent last. */
  #sentIn = -1;
  /** Bytes that the stream is sending. */
  #sendingBytes = 0;
  /** Who waits for what is being sent, and for what is written behind it. */
  #current: Batch | undefined = undefined;
  #next: Batch | undefined = undefined;
  #failure: { readonly error: unknown } | undefined = undefined;

  constructor(stream: ByteStream, writer: WebSocketWriter, owner: SenderOwner) {
    this.#stream = stream;
    this.writer = writer;
    this.#owner = owner;
  }

  /** Bytes that were written, and that the stream has not taken. */
  get pendingBytes(): number {
    return this.#sendingBytes + this.writer.length;
  }

  /** Whether more should not be written now. */
  get isFull(): boolean {
    return this.writer.length >= JOINED_BYTES_MAX;
  }

  /**
   * Something was written.
   *
   * @param isLent  it is somebody's memory, who must know when it has been sent.
   * @returns resolves when more may be written, and what was lent has been sent.
   */
  written(isLent: boolean): Promise<void> {
    if (isLent || this.isFull) {
      this.flush();
      return this.drained();
    }
    if (!this.corked && !this.#isDue) {
      this.#isDue = true;
      due.push(this);
      askTurn();
    }
    return DONE;
  }

  /**
   * Sends frames that many get, the first of a turn at once: to go through thousands of connections twice, once to write and
   * once to send, costs more than the work on each. Those that follow in the same turn leave together.
   */
  prepared(frames: Uint8Array): void {
    let rest = frames;
    const stream = this.#stream;
    if (
      this.#sentIn !== turn &&
      !this.corked &&
      this.pendingBytes === 0 &&
      this.#failure === undefined &&
      stream instanceof SocketStream
    ) {
      this.#sentIn = turn;
      askTurn();
      const count = stream.socket.sendAtOnce(frames, 0, frames.length);
      if (count === frames.length) return;
      if (count < 0 && count !== -EAGAIN) {
        this.#wait(failed(stream.socket.failure("sendall", count)), frames.length);
        return;
      }
      if (count > 0) rest = frames.subarray(count);
    }
    this.writer.prepared(rest);
    void this.written(false);
  }

  /** Resolves when everything written so far has been sent; it must have been flushed. */
  drained(): Promise<void> {
    if (this.#failure !== undefined) return failed(this.#failure.error);
    if (this.writer.length > 0) return (this.#next ??= makeBatch()).promise;
    if (this.#sendingBytes > 0) return (this.#current ??= makeBatch()).promise;
    return DONE;
  }

  /** Its turn has come. @internal */
  turn(): void {
    const stream = this.#stream;
    // To wait for the socket would cost a promise and a call of the kernel's for each of thousands that could send.
    if (stream instanceof SocketStream && stream.socket.engine.credit <= 0) {
      postpone(stream.socket.engine, this);
      return;
    }
    this.#isDue = false;
    this.flush();
  }

  /** Sends what was written, behind what is being sent. */
  flush(): void {
    const { writer } = this;
    const { length } = writer;
    if (length === 0 || this.#sendingBytes > 0 || this.#failure !== undefined) return;
    if (length <= JOINED_BYTES_MAX) {
      const sending = this.#sendJoined();
      if (sending !== SENT) this.#wait(sending, length);
      // The kernel has taken it, as it nearly always does.
      else if (this.#next !== undefined) {
        this.#next.resolve();
        this.#next = undefined;
      }
    } else this.#wait(this.#sendPieces(writer.takePieces()), length);
  }

  /** Sends all as one; on a socket from where it lies, as far as the kernel takes it at once. */
  #sendJoined(): Promise<void> {
    const { out } = this.writer;
    const stream = this.#stream;
    if (!out.isRun || !(stream instanceof SocketStream)) return stream.sendAll(out.take());
    const { memory, start, end } = out;
    out.clear();
    const count = stream.socket.sendAtOnce(memory, start, end - start);
    if (count === end - start) return SENT;
    // Asked again, the kernel would say EPIPE: it tells what ended a connection once.
    if (count < 0 && count !== -EAGAIN) return failed(stream.socket.failure("sendall", count));
    return stream.sendAll(memory.subarray(start + Math.max(count, 0), end));
  }

  #wait(sending: Promise<void>, length: number): void {
    this.#sendingBytes = length;
    this.#current = this.#next;
    this.#next = undefined;
    this.#owner.sending(true);
    // Made here, where it is seldom, rather than held by each connection.
    sending.then(
      () => this.#sent(),
      (error: unknown) => this.#failed(error),
    );
  }

  async #sendPieces(pieces: readonly Uint8Array[]): Promise<void> {
    let small: Uint8Array[] = [];
    let smallBytes = 0;
    for (const [index, piece] of pieces.entries()) {
      small.push(piece);
      smallBytes += piece.length;
      const isLast = index === pieces.length - 1;
      if (!isLast && smallBytes + (pieces[index + 1] as Uint8Array).length <= JOINED_BYTES_MAX) continue;
      const [first] = small;
      const bytes = small.length === 1 && first !== undefined ? first : Buffer.concat(small, smallBytes);
      small = [];
      smallBytes = 0;
      for (let at = 0; at < bytes.length; at += SEND_BYTES) {
        await this.#stream.sendAll(bytes.subarray(at, at + SEND_BYTES));
        // A sign of life: the time begins anew.
        this.#owner.sending(true);
      }
    }
  }

  #sent(): void {
    this.#sendingBytes = 0;
    this.#owner.sending(false);
    this.#current?.resolve();
    this.#current = undefined;
    this.flush();
  }

  #failed(error: unknown): void {
    this.fail(error);
    this.#owner.broke(error);
  }

  /** Nothing can be sent any more. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#sendingBytes = 0;
    this.writer.takePieces();
    this.#current?.reject(error);
    this.#next?.reject(error);
    this.#current = this.#next = undefined;
  }
}

/** A rejection that is told to who waits for it, and is nobody else's. */
export function failed(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(() => {});
  return promise;
}
