// The life of one connection beneath what a program holds: bytes in, one at a time; what they mean; the closing handshake;
// the end. One place where bytes arrive, one for the end. Who takes the messages it does not know: connection.ts.
//
// Why it receives before anybody asks. Pings, pongs and the peer's Close come among the messages, and must be answered by
// a program that only sends. So one receive is always under way, unless a message that came is still untaken: then what
// follows stays with the kernel, and a peer that sends faster than it is read is slowed down by TCP. What is held is
// one receive (256 KiB at most) and one message.

import { DIRECT_BYTES, DirectReceiver } from "../stream/direct.ts";
import type { Taker } from "../stream/direct.ts";
import { SocketStream } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";
import { ProtocolError, RemoteProtocolError } from "../wire/errors.ts";
import { NEED_DATA } from "../wire/need-data.ts";
import type { Deflate } from "./compression.ts";
import { Deadlines } from "./deadlines.ts";
import type { Close, CompressedMessage, WebSocketEvent } from "./events.ts";
import type { CloseInfo, LinkInit, LinkOwner } from "./link-owner.ts";
import { WebSocketParser } from "./parser.ts";
import { Pings } from "./pings.ts";
import { Sender } from "./sender.ts";
import { closeCodeOfRefusal, mistake, refusal } from "./syntax/errors.ts";
import { CLOSE_ABNORMAL, CLOSE_INTERNAL_ERROR } from "./syntax/frames.ts";
import { readText } from "./syntax/utf8.ts";
import { WebSocketWriter } from "./writer.ts";

/** One connection. */
export class Link implements Taker {
  readonly stream: ByteStream;
  readonly isServer: boolean;
  readonly sender: Sender;
  readonly deflate: Deflate | undefined;
  readonly #owner: LinkOwner;
  readonly #parser: WebSocketParser;
  readonly #deadlines: Deadlines;
  #pings: Pings | undefined = undefined;
  readonly #direct: DirectReceiver | undefined;
  #receiving = false;
  /** The last receive brought as much as one can. */
  #isBulk = false;
  /** More was written than the peer takes, or a message is being decompressed. */
  #waiting = false;
  #peerClose: Close | undefined = undefined;
  /** This side has closed first. */
  #closedHere = false;
  /** What ended it, if that was nobody's wish. */
  failure: { readonly error: unknown } | undefined = undefined;
  /** Everything that comes is dropped until the peer ends. */
  #lingering = false;
  #over = false;
  #whenOver: (() => void)[] | undefined = undefined;

  constructor({ stream, role, options, deflate }: LinkInit, owner: LinkOwner) {
    const compression = deflate !== undefined;
    const from = role === "client" ? "server" : "client";
    this.stream = stream;
    this.isServer = role === "server";
    this.deflate = deflate;
    this.#owner = owner;
    this.#parser = new WebSocketParser({ from, limits: options.limits, compression });
    this.sender = new Sender(stream, new WebSocketWriter({ from: role, compression }), this);
    this.#deadlines = new Deadlines(options, this);
    this.#direct =
      stream instanceof SocketStream && stream.socket.gettimeout() === null
        ? new DirectReceiver(stream.socket, this)
        : undefined;
  }

  /** Whether messages may be sent. */
  get isOpen(): boolean {
    return !this.#over && this.sender.writer.side !== "closed";
  }

  /** Whether messages may still come. */
  get mayReceive(): boolean {
    return this.isOpen && this.#peerClose === undefined;
  }

  get closeInfo(): CloseInfo {
    const { code = CLOSE_ABNORMAL, reason = "" } = this.#peerClose ?? {};
    return { code, reason, isClean: this.#peerClose !== undefined };
  }

  /** What a call fails with that comes too late. */
  closedError(): Error {
    const { failure } = this;
    if (failure?.error instanceof ProtocolError) return failure.error;
    if (this.#peerClose !== undefined && !this.#closedHere)
      return new RemoteProtocolError("ERR_WEBSOCKET_CLOSED", `the peer has closed: ${this.#peerClose.code}`);
    const error = mistake("ERR_WEBSOCKET_CLOSED", "the connection is closed");
    return failure === undefined ? error : Object.assign(error, { cause: failure.error });
  }

  /** Whether the connection is gone. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Calls when the connection is gone; at once, if it is. @returns takes the call back. */
  onOver(call: () => void): () => void {
    if (this.#over) {
      call();
      return () => {};
    }
    const calls = (this.#whenOver ??= []);
    calls.push(call);
    return () => {
      const index = calls.indexOf(call);
      if (index >= 0) calls.splice(index, 1);
    };
  }

  /** Sends a ping. @returns milliseconds until its pong. */
  ping(): Promise<number> {
    this.#pings ??= new Pings();
    const { bytes, answered } = this.#pings.make();
    this.sender.writer.ping(bytes);
    void this.sender.written(false);
    return answered;
  }

  /** Goes through what was received, as far as it may, and then receives more. */
  read(): void {
    // Corked: it is called from within itself, by a handler that closes.
    if (this.#receiving || this.sender.corked) return;
    this.#goThrough();
    this.#answer();
  }

  #goThrough(): void {
    const { sender } = this;
    sender.corked = true;
    try {
      while (!this.#isHeld()) {
        const event = this.#parser.next();
        if (event === NEED_DATA) {
          this.#receive();
          break;
        }
        this.#take(event);
      }
    } catch (error) {
      this.#refuse(error);
    }
    sender.corked = false;
  }

  /** What was written meanwhile leaves: at once, or, where messages are pulled, when the program has answered them all. */
  #answer(): void {
    const { sender } = this;
    if (!this.#owner.pulls) sender.flush();
    else if (sender.writer.length > 0) void sender.written(false);
  }

  /** A Close will be sent: its time begins. */
  closing(): void {
    this.#deadlines.closing();
  }

  /** Sends a Close; reading goes on until the peer's. */
  close(code: number, reason: string): void {
    this.sender.writer.close(code, reason);
    this.#closedHere = true;
    this.sender.flush();
    this.#deadlines.closing();
    this.#owner.ended();
    this.read();
  }

  /** It is over, and that is nobody's wish, unless one side has closed before. */
  end(error: unknown): void {
    if (this.#over) return;
    if (this.mayReceive) this.failure ??= { error };
    this.#shut();
  }

  #receive(): void {
    this.#receiving = true;
    this.#deadlines.reading();
    if (this.#direct !== undefined && !this.#isBulk) {
      this.#direct.receive();
      return;
    }
    this.stream.receiveSome().then(
      (bytes) => this.#came(bytes),
      (error: unknown) => this.failed(error),
    );
  }

  #came(bytes: Buffer): void {
    this.#isBulk = bytes.length >= DIRECT_BYTES;
    if (!this.#mayParse(bytes.length)) return;
    this.#parser.receive(bytes);
    this.read();
  }

  // What its socket tells, where it needs no promise (stream/direct.ts).

  arrived(memory: Buffer, count: number): void {
    // What comes in large pieces comes into memory of its own, which is not copied.
    this.#isBulk = count === DIRECT_BYTES;
    if (!this.#mayParse(count)) return;
    this.#parser.receiveLent(memory, count);
    this.#goThrough();
    this.#parser.keep();
  }

  failed(error: unknown): void {
    this.#receiving = false;
    this.broke(error);
  }

  answer(): void {
    if (!this.#over) this.#answer();
  }

  /** Something has come, or the end. Whether it is to be parsed. */
  #mayParse(count: number): boolean {
    this.#receiving = false;
    this.#deadlines.read();
    if (this.#over) return false;
    if (this.#lingering) {
      if (count === 0) this.#shut();
      else this.#receive();
      return false;
    }
    if (count === 0) this.#parser.receiveEnd();
    return true;
  }

  #isHeld(): boolean {
    if (this.#over || this.#lingering || this.#waiting) return true;
    // Behind our own Close messages are dropped: nobody has to take them.
    if (this.isOpen && this.#owner.isHeld) return true;
    const { sender } = this;
    if (!sender.isFull) return false;
    sender.flush();
    if (!sender.isFull) return false;
    this.#waiting = true;
    sender.drained().then(
      () => this.#goOn(),
      () => {},
    );
    return true;
  }

  #goOn(): void {
    this.#waiting = false;
    this.read();
  }

  #take(event: WebSocketEvent): void {
    switch (event.type) {
      case "text":
        if (this.isOpen) this.#owner.message(event.text);
        return;
      case "binary":
        if (this.isOpen) this.#owner.message(event.bytes);
        return;
      case "compressed":
        this.#inflate(event);
        return;
      case "ping":
        if (this.isOpen) this.sender.writer.pong(event.bytes);
        return;
      case "pong":
        this.#pings?.answer(event.bytes);
        return;
      case "close":
        this.#peerClosed(event);
        return;
      case "closed":
        this.#shut();
        return;
      default:
        event satisfies never;
    }
  }

  #inflate({ bytes, isText }: CompressedMessage): void {
    const give = (made: Buffer): void => {
      const message = isText ? readText(made) : made;
      if (this.isOpen) this.#owner.message(message);
    };
    const made = (this.deflate as Deflate).decompress(bytes);
    if (!(made instanceof Promise)) {
      give(made);
      return;
    }
    this.#waiting = true;
    made.then(give).then(
      () => this.#goOn(),
      (error: unknown) => {
        this.#waiting = false;
        if (!this.#over) this.#refuse(error);
      },
    );
  }

  #peerClosed(close: Close): void {
    const { sender } = this;
    this.#peerClose = close;
    if (this.isOpen) sender.writer.close(close.code);
    sender.flush();
    this.#deadlines.closing();
    this.#owner.ended();
    // The server ends the connection first, so that the client need not wait (RFC 6455 section 7.1.1).
    if (!this.isServer) return;
    const shut = (): void => this.#shut();
    this.#lingering = true;
    sender
      .drained()
      .then(() => this.stream.closeWrite())
      .then(shut, shut);
  }

  /** What came is refused: the peer is told why, and what it still sends is dropped. */
  #refuse(reason: unknown): void {
    if (this.isOpen) this.failure ??= { error: reason };
    const code = reason instanceof ProtocolError ? closeCodeOfRefusal(reason) : CLOSE_INTERNAL_ERROR;
    if (code === CLOSE_ABNORMAL) {
      this.#shut();
      return;
    }
    const { sender } = this;
    if (this.isOpen) sender.writer.close(code, reason instanceof ProtocolError ? reason.code : "");
    sender.flush();
    this.#deadlines.closing();
    this.#owner.ended();
    // Closed at once, it would be reset, and what it was told might be lost.
    this.#lingering = true;
    sender
      .drained()
      .then(() => this.stream.closeWrite())
      .catch(() => {});
    if (!this.#receiving) this.#receive();
  }

  // What its deadlines and its sender tell.

  sending(on: boolean): void {
    this.#deadlines.sending(on);
  }

  broke(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.end(refusal("ERR_WEBSOCKET_UNEXPECTED_END", `the connection broke: ${why}`, error));
  }

  quiet(): void {
    if (!this.isOpen) return;
    this.sender.writer.ping();
    this.sender.flush();
  }

  silent(what: string): void {
    this.end(refusal("ERR_WEBSOCKET_PEER_SILENT", what));
  }

  closeExpired(): void {
    this.#shut();
  }

  /** The end of everything, once. */
  #shut(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadlines.stop();
    this.stream.close();
    const error = this.closedError();
    this.sender.fail(error);
    this.#pings?.fail(error);
    this.deflate?.close();
    this.#owner.ended();
    this.#owner.over();
    const calls = this.#whenOver ?? [];
    this.#whenOver = undefined;
    // A copy: who is called takes back what it no longer wants.
    for (const call of calls.slice()) call();
  }
}
