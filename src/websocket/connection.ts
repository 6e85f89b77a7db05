// One WebSocket as a program holds it, whichever side it is: messages in, pulled or handed to a function; messages out, in
// order. How the connection lives beneath, link.ts knows; how it was opened, client.ts and server.ts.

import type { AnyAddress } from "../index.ts";
import { invalidArgument } from "../wire/misuse.ts";
import { Link } from "./link.ts";
import type { CloseInfo, LinkInit, WebSocketMessage } from "./link-owner.ts";
import { isParts, sendParts } from "./parts.ts";
import type { MessageParts } from "./parts.ts";
import { DONE, failed } from "./sender.ts";
import { mistake } from "./syntax/errors.ts";
import { SHARED_BYTES_MAX } from "./syntax/frame-memory.ts";
import { CLOSE_INTERNAL_ERROR, CLOSE_NORMAL, HEAD_BYTES_MAX } from "./syntax/frames.ts";

/** Takes a message. What it returns is waited for before the next one is received. */
export type MessageHandler = (message: WebSocketMessage) => void | Promise<void>;

type Result = IteratorResult<WebSocketMessage, undefined>;
interface Waiter {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

const OVER: Result = { value: undefined, done: true };

/** A WebSocket, open from the start. `for await` gives its messages and ends when it is closed. */
export class WebSocketConnection implements AsyncIterable<WebSocketMessage>, AsyncDisposable {
  /** The subprotocol that was agreed on; undefined: none. */
  readonly protocol: string | undefined;
  readonly #link: Link;
  /** A message that came and was not taken. */
  #slot: WebSocketMessage | undefined = undefined;
  #waiters: Waiter[] | undefined = undefined;
  #handler: MessageHandler | undefined = undefined;
  /** What settles each(). */
  #eachResolve: (() => void) | undefined = undefined;
  #eachReject: ((error: unknown) => void) | undefined = undefined;
  /** Those of which it is one until it is gone. @internal */
  group: Set<WebSocketConnection> | undefined = undefined;
  /** The handler has not finished with what came last. */
  #handling = false;
  /** What is sent waits for what is being compressed, or sent in parts. */
  #tail: Promise<void> | undefined = undefined;
  /** Bytes of what waits there, before it is compressed. */
  #waitingBytes = 0;

  /** @internal Use connect(), accept() or serve(). */
  constructor(init: LinkInit) {
    this.protocol = init.protocol;
    this.#link = new Link(init, this);
    this.#link.read();
  }

  /** Whether messages may be sent. */
  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** Whether this is the server's side. */
  get isServer(): boolean {
    return this.#link.isServer;
  }

  /** Whether it was agreed to compress messages. */
  get compresses(): boolean {
    return this.#link.deflate !== undefined;
  }

  /** Bytes that were sent and that the kernel has not taken. */
  get bufferedBytes(): number {
    return this.#link.sender.pendingBytes + this.#waitingBytes;
  }

  /** The peer's address. */
  get remoteAddress(): AnyAddress | undefined {
    return this.#link.stream.remoteAddress;
  }

  /** This side's address. */
  get localAddress(): AnyAddress | undefined {
    return this.#link.stream.localAddress;
  }

  /** Resolves when the connection is gone, with how it ended. Never rejects. */
  get closed(): Promise<CloseInfo> {
    return new Promise((resolve) => {
      this.#link.onOver(() => resolve(this.#link.closeInfo));
    });
  }

  /**
   * Sends a message. What is sent in answer to messages that came together leaves together; nothing waits longer than for
   * what is ready to run now.
   *
   * @param message  text (half a surrogate pair becomes U+FFFD), or bytes, which are yours again when it resolves; or its
   *   parts, all text or all bytes, which leave as fragments as they are made, uncompressed. Other messages wait behind
   *   the last part, pings and pongs do not.
   * @returns resolves when more may be sent: at once, unless the peer is slower than the program. Who waits is never
   *   ahead of the peer by more than 64 KiB and a message, or a part of one.
   * @throws {LocalProtocolError} ERR_WEBSOCKET_CLOSED: close() was called. @throws {RemoteProtocolError}
   *   ERR_WEBSOCKET_CLOSED: the peer has closed; others as receive(). Who does not wait for it is not told; iteration and
   *   `closed` are. @throws {TypeError} ERR_INVALID_ARG_TYPE. What the parts throw: a message that was begun is cut off then,
   *   and the connection closed with 1011.
   */
  send(message: string | Uint8Array | MessageParts): Promise<void> {
    if (typeof message !== "string" && !(message instanceof Uint8Array)) {
      if (!isParts(message))
        return failed(invalidArgument("message", "a string, a Uint8Array or parts of one", message));
      if (!this.#link.isOpen) return failed(this.#link.closedError());
      return this.#behind(
        0,
        () => sendParts(this.#link, message),
        () => DONE,
      );
    }
    if (!this.#link.isOpen) return failed(this.#link.closedError());
    const smaller = this.#tail === undefined ? this.#smaller(message) : undefined;
    if (this.#tail === undefined && !(smaller instanceof Promise)) return this.#write(message, smaller);
    return this.#behind(
      sizeOf(message),
      () => smaller ?? this.#smaller(message),
      (made) => this.#write(message, made),
    );
  }

  /** What a message becomes, if it is compressed. */
  #smaller(message: string | Uint8Array): Uint8Array | Promise<Uint8Array> | undefined {
    const { deflate } = this.#link;
    if (deflate === undefined || sizeOf(message) < deflate.bytesMin) return undefined;
    return deflate.compress(typeof message === "string" ? Buffer.from(message) : message);
  }

  /** @param smaller  the same message, compressed. */
  #write(message: string | Uint8Array, smaller: Uint8Array | undefined): Promise<void> {
    const { sender, isServer, isOpen } = this.#link;
    if (!isOpen) return failed(this.#link.closedError());
    const { writer } = sender;
    if (smaller !== undefined) writer.compressed(typeof message === "string", smaller);
    else if (typeof message === "string") writer.text(message);
    else {
      writer.binary(message);
      return sender.written(isServer && message.length + HEAD_BYTES_MAX > SHARED_BYTES_MAX);
    }
    return sender.written(false);
  }

  /**
   * In order, where making a message takes its time: writes what is made when everything before has been written.
   *
   * @param size  of the message; it waits, and counts as not taken by the kernel.
   */
  #behind<T>(size: number, make: () => T | Promise<T>, write: (made: T) => Promise<void>): Promise<void> {
    this.#waitingBytes += size;
    const mine = (this.#tail ?? DONE)
      .then(make)
      .finally(() => {
        this.#waitingBytes -= size;
      })
      .then(write);
    const tail: Promise<void> = mine
      .catch(() => {})
      .finally(() => {
        if (this.#tail === tail) this.#tail = undefined;
      });
    this.#tail = tail;
    return mine;
  }

  /** Whether what compressShared() has made may be sent here. @internal */
  get takesShared(): boolean {
    return this.#link.deflate?.takesShared === true;
  }

  /** Sends frames that were made for many: whole messages of a server, as its WebSocketWriter writes them. @internal */
  sendPrepared(frames: Uint8Array): void {
    const { sender, isOpen } = this.#link;
    if (!isOpen) return;
    if (this.#tail === undefined) sender.prepared(frames);
    else
      void this.#behind(
        frames.length,
        () => frames,
        (made) => {
          if (this.#link.isOpen) sender.prepared(made);
          return DONE;
        },
      ).catch(() => {});
  }

  /**
   * Sends a ping and waits for its pong.
   *
   * @returns milliseconds between them.
   * @throws as send(): the connection is closed, or was before the pong came.
   */
  ping(): Promise<number> {
    return this.#link.isOpen ? this.#link.ping() : failed(this.#link.closedError());
  }

  /** The messages, pulled: nothing is received while one that came is not taken. Leaving the loop leaves it open. */
  [Symbol.asyncIterator](): AsyncIterator<WebSocketMessage, undefined> {
    return { next: () => this.receive(), return: () => Promise.resolve(OVER) };
  }

  /**
   * Waits for one message.
   *
   * @returns as an iterator's next(): `done` when either side has sent its Close.
   * @throws {RemoteProtocolError} ERR_WEBSOCKET_…: the peer broke the rules, or is gone without a Close:
   *   ERR_WEBSOCKET_UNEXPECTED_END (its `cause` says how the stream broke, if it did), ERR_WEBSOCKET_PEER_SILENT.
   *   @throws {LocalProtocolError} ERR_WEBSOCKET_CLOSED: terminate() was called.
   */
  receive(): Promise<Result> {
    const link = this.#link;
    const value = this.#slot;
    if (value !== undefined) {
      this.#slot = undefined;
      link.read();
      return Promise.resolve({ value, done: false });
    }
    if (link.failure !== undefined) return failed(link.failure.error);
    if (!link.mayReceive) return Promise.resolve(OVER);
    return new Promise((resolve, reject) => {
      (this.#waiters ??= []).push({ resolve, reject });
    });
  }

  /**
   * Hands each message to a function, in order: for those who count microseconds, as no promise is made for a message. What
   * it returns is waited for before the next message; where it sends more than the peer takes, that is waited for too.
   *
   * @returns resolves when the connection is closed.
   * @throws what receive() throws; what the handler throws, and the connection is closed with 1011 then.
   */
  each(handler: MessageHandler): Promise<void> {
    if (typeof handler !== "function")
      return Promise.reject(invalidArgument("handler", "a function", handler));
    const link = this.#link;
    this.#handler = handler;
    const first = this.#slot;
    if (first !== undefined) {
      this.#slot = undefined;
      this.message(first);
      link.read();
    }
    // No async function, and nothing for onOver(): what it holds as long as it waits is held for each idle connection.
    return new Promise<void>((resolve, reject) => {
      if (this.#eachResolve === undefined && !link.isOver) {
        this.#eachResolve = resolve;
        this.#eachReject = reject;
      } else
        link.onOver(() => {
          if (link.failure === undefined) resolve();
          else reject(link.failure.error);
        });
    });
  }

  /**
   * Closes: sends what was sent before, then a Close, and waits for the peer's, for closeTimeoutMs at most. Messages that
   * still come are dropped. Again: waits for the same.
   *
   * @param code    1000 to 1003, 1007 to 1014, 3000 to 4999; 1005: none is sent. Default 1000.
   * @param reason  for a person; 123 bytes of UTF-8 at most.
   * @throws {LocalProtocolError} ERR_WEBSOCKET_CLOSE_CODE, ERR_WEBSOCKET_CONTROL_TOO_LONG: and nothing was closed.
   */
  async close(code: number = CLOSE_NORMAL, reason: string = ""): Promise<void> {
    if (this.#tail !== undefined) {
      // Who makes the parts of a message may never come to an end.
      this.#link.closing();
      await this.#tail;
    }
    if (this.#link.isOpen) this.#link.close(code, reason);
    await this.closed;
  }

  /** Ends the connection at once, without a Close. What waits fails with LocalProtocolError ERR_WEBSOCKET_CLOSED. */
  terminate(): void {
    this.#link.end(mistake("ERR_WEBSOCKET_CLOSED", "the connection was terminated"));
  }

  /** A program failed that served it: closes with 1011. @internal */
  async fail(): Promise<void> {
    if (this.#link.isOpen) await this.close(CLOSE_INTERNAL_ERROR);
  }

  /** As close(). */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whether the connection is gone. @internal */
  get isOver(): boolean {
    return this.#link.isOver;
  }

  /** Calls when the connection is gone; at once, if it is. @returns takes the call back. @internal */
  onOver(call: () => void): () => void {
    return this.#link.onOver(call);
  }

  // What the link tells.

  /** @internal */
  get isHeld(): boolean {
    return this.#handling || this.#slot !== undefined;
  }

  /** @internal */
  get pulls(): boolean {
    return this.#handler === undefined;
  }

  /** @internal */
  message(message: WebSocketMessage): void {
    const handler = this.#handler;
    if (handler === undefined) {
      const waiter = this.#waiters?.shift();
      if (waiter === undefined) this.#slot = message;
      else waiter.resolve({ value: message, done: false });
      return;
    }
    let result: void | Promise<void>;
    try {
      result = handler(message);
    } catch (error) {
      this.#handlerFailed(error);
      return;
    }
    // Nearly always there is nothing to wait for.
    if (result === undefined || result === DONE) return;
    this.#handling = true;
    result.then(
      () => this.#handled(),
      (error: unknown) => this.#handlerFailed(error),
    );
  }

  #handled(): void {
    this.#handling = false;
    this.#link.read();
  }

  #handlerFailed(error: unknown): void {
    const link = this.#link;
    this.#handling = false;
    if (!link.isOpen) return; // It is closed, and what the handler did about it came too late.
    link.failure ??= { error };
    link.close(CLOSE_INTERNAL_ERROR, "");
  }

  /** @internal */
  over(): void {
    this.group?.delete(this);
    const { failure } = this.#link;
    if (failure === undefined) this.#eachResolve?.();
    else this.#eachReject?.(failure.error);
  }

  /** @internal */
  ended(): void {
    if (!this.#link.isOpen && this.#link.failure === undefined) this.#slot = undefined;
    const waiters = this.#waiters;
    this.#waiters = undefined;
    const { failure } = this.#link;
    for (const { resolve, reject } of waiters ?? [])
      if (failure === undefined) resolve(OVER);
      else reject(failure.error);
  }
}

function sizeOf(message: string | Uint8Array): number {
  return typeof message === "string" ? Buffer.byteLength(message) : message.length;
}
