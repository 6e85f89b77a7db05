// The way of the bytes under one connection of a server: what is received goes to the parser, what was written leaves in
// as few calls as can be, and neither may take too long. It knows a ByteStream and its deadlines, and no order of messages.

import { EAGAIN, MSG_MORE } from "../../constants/index.ts";
import { SocketStream } from "../../stream/index.ts";
import type { ByteStream } from "../../stream/index.ts";
import { ByteBuilder } from "../../wire/byte-builder.ts";
import { RequestParser } from "../parser.ts";
import { mistake, refusal } from "../syntax/errors.ts";
import type { Clock, Waiting } from "../clock.ts";
import { readFile } from "./files.ts";
import type { OpenFile } from "./files.ts";
import type { CheckedOptions } from "./options.ts";

/**
 * What one receive brings at most. Each brings new memory, which is let go soon: with pieces of 256 KiB V8 collects all
 * garbage every 36 ms under a load of uploads, with these only what is new, and 1 MiB takes 330 µs instead of 530.
 */
const RECEIVE_BYTES = 65_536;
/** Up to so many bytes are joined and sent in one call. What is larger is not copied. */
export const JOINED_BYTES_MAX = 65_536;
/**
 * A file is sent by sendfile(2), and a content through a stream that is no socket's, in pieces of so many bytes: in smaller
 * ones it takes longer. A socket is given all of a content at once, and must take so much of it in the time that is given.
 */
const SEND_BYTES = 262_144;
/** A piece may take sendTimeoutMs for each so many bytes of it. */
const TIMED_BYTES = 65_536;
/** What of a file is read at a time where it cannot be sent by sendfile(2). */
const READ_BYTES = 65_536;
/** How long a client that was told 408 may go on; as lingerTimeoutMs of berkeley/server. */
const LINGER_MS = 2000;

/** Where the system has it: more follows at once, and what is no full packet may wait for it. */
const MORE = Math.max(MSG_MORE, 0);
const NONE = Infinity;
const DONE: Promise<void> = Promise.resolve();
/** Where small answers are put together for the one call that sends them; nothing of it outlasts that call. */
const outgoing: Buffer = Buffer.allocUnsafeSlow(JOINED_BYTES_MAX);

/** What a connection must know of its stream. */
export interface TransportOwner {
  /** A head was not complete in time; the stream is still open. */
  headExpired(): void;
  /** The stream broke, or was closed from this side. */
  gone(reason: unknown): void;
}

/** Receives and sends for one connection. */
export class Transport implements Waiting {
  readonly stream: ByteStream;
  readonly parser: RequestParser;
  readonly out: ByteBuilder = new ByteBuilder();
  /** This side has ended the connection: that its stream fails from now on is no failure. */
  ended = false;
  /** The stream is being waited for in a loop: what is thrown there it has thrown. */
  moving = false;
  /** What the stream failed with elsewhere: each of the calls that waited has an error of its own. */
  #broke: Set<unknown> | undefined;
  readonly #clock: Clock;
  readonly #options: CheckedOptions;
  readonly #owner: TransportOwner;
  #readDeadline = NONE;
  #headDeadline = NONE;
  #sendDeadline = NONE;
  #sending = 0;
  /** How far large contents have come that are being sent. */
  readonly #progress: Set<{ bytes: number }> = new Set();
  /** What of large contents has gone that are not any more; and how much of both had, when the time began. */
  #gone = 0;
  #goneBefore = 0;
  #idle = false;
  #isEnding = false;
  /** Ends the wait for content. */
  #tooSlow: ((error: Error) => void) | undefined;
  /** How long this request's content was waited for, and since when it is. */
  #waitedMs = 0;
  #waitsFrom = 0;

  constructor(stream: ByteStream, options: CheckedOptions, clock: Clock, owner: TransportOwner) {
    this.stream = stream;
    this.parser = new RequestParser(options.limits);
    this.#options = options;
    this.#clock = clock;
    this.#owner = owner;
  }

  get deadline(): number {
    return this.#readDeadline < this.#sendDeadline ? this.#readDeadline : this.#sendDeadline;
  }

  /** Whether it waits for the first byte of a request. */
  get idle(): boolean {
    return this.#idle;
  }

  /** A request was received: the next one has all the time again. */
  begin(): void {
    this.#headDeadline = NONE;
    this.#waitedMs = 0;
  }

  // These are two halves each, with the wait between them in the caller's own loop: a function around it would cost a
  // promise for each request.

  /** Begins to receive more of a head, or the first of it; give what comes to received(). */
  receiveHead(): Promise<Buffer> {
    const { now } = this.#clock;
    if (this.parser.pendingBytes === 0) {
      this.#idle = true;
      this.#readDeadline = now + this.#options.keepAliveTimeoutMs;
    } else {
      if (this.#headDeadline === NONE) this.#headDeadline = now + this.#options.headTimeoutMs;
      this.#readDeadline = this.#headDeadline;
    }
    this.moving = true;
    return this.stream.receiveSome(RECEIVE_BYTES);
  }

  /** What was received is the parser's. */
  received(bytes: Buffer): void {
    this.moving = false;
    this.#idle = false;
    this.#readDeadline = NONE;
    if (bytes.length === 0) this.parser.receiveEnd();
    else this.parser.receive(bytes);
  }

  /**
   * Sends what was written, joined; on a socket without a promise, as far as the kernel takes it at once.
   *
   * @returns undefined: it has taken all, as it nearly always does. Else wait for it; sent() follows.
   * @throws {SocketError} as sendAll().
   */
  send(): Promise<void> | undefined {
    const { out, stream } = this;
    const length = stream instanceof SocketStream ? out.moveText(outgoing) : 0;
    if (length === 0) return this.#begun(stream.sendAll(out.take()));
    const { socket } = stream as SocketStream;
    const count = socket.sendAtOnce(outgoing, 0, length);
    if (count === length) return undefined;
    // Asked again, the kernel would say EPIPE: it tells what ended a connection once.
    if (count < 0 && count !== -EAGAIN) return this.#begun(Promise.reject(socket.failure("sendall", count)));
    return this.#begun(stream.sendAll(Buffer.from(outgoing.subarray(Math.max(count, 0), length))));
  }

  #begun(sending: Promise<void>): Promise<void> {
    this.moving = true;
    this.#sendDeadline = this.#clock.now + this.#options.sendTimeoutMs;
    this.#sending++;
    return sending;
  }

  /** It was sent. */
  sent(): void {
    this.moving = false;
    this.#sendDeadline = --this.#sending === 0 ? NONE : this.#clock.now + this.#options.sendTimeoutMs;
  }

  /**
   * Begins to receive more of a content of which `bodyBytes` have come; give what comes to receivedBody().
   *
   * @throws {RemoteProtocolError} ERR_HTTP_TOO_SLOW. What is received after that is lost: the connection must be closed.
   */
  receiveBody(bodyBytes: number): Promise<Buffer> {
    const { bodyTimeoutMs, bodyBytesPerSecondMin } = this.#options;
    const earned = bodyBytesPerSecondMin === 0 ? Infinity : (1000 * bodyBytes) / bodyBytesPerSecondMin;
    const left = Math.min(bodyTimeoutMs, bodyTimeoutMs + earned - this.#waitedMs);
    this.#waitsFrom = this.#clock.now;
    this.#readDeadline = this.#waitsFrom + left;
    return new Promise<Buffer>((resolve, reject) => {
      this.#tooSlow = reject;
      this.stream.receiveSome(RECEIVE_BYTES).then(resolve, (error: unknown) => {
        this.#breaks(error);
        reject(error);
      });
    });
  }

  /** What was received of a content is the parser's. */
  receivedBody(bytes: Buffer): void {
    this.#waitedMs += this.#clock.now - this.#waitsFrom;
    this.#readDeadline = NONE;
    this.#tooSlow = undefined;
    if (bytes.length === 0) this.parser.receiveEnd();
    else this.parser.receive(bytes);
  }

  /** Sends all that was written; resolves when the stream has taken it. */
  flush(): Promise<void> {
    const { out } = this;
    const { length } = out;
    if (length === 0) return DONE;
    return length <= JOINED_BYTES_MAX ? this.#send(out.take()) : this.#sendPieces(out.takePieces());
  }

  #send(bytes: Uint8Array): Promise<void> {
    return this.#timed(this.stream.sendAll(bytes), bytes.length);
  }

  async #timed<T>(sending: Promise<T>, bytes: number): Promise<T> {
    const parts = Math.ceil(bytes / TIMED_BYTES);
    this.#sendDeadline = this.#clock.now + parts * this.#options.sendTimeoutMs;
    this.#sending++;
    try {
      return await sending;
    } catch (error) {
      this.#breaks(error);
      throw error;
    } finally {
      this.#sendDeadline = --this.#sending === 0 ? NONE : this.#pieceDeadline;
    }
  }

  /** By when a piece of SEND_BYTES must be gone that begins now. */
  get #pieceDeadline(): number {
    return this.#clock.now + (SEND_BYTES / TIMED_BYTES) * this.#options.sendTimeoutMs;
  }

  /**
   * Sends a part of a file behind what was written: by sendfile(2) where the stream is a socket's.
   *
   * @throws {LocalProtocolError} ERR_HTTP_BODY_TOO_SHORT: the file ends before.
   */
  async sendFile(file: OpenFile, start: number, length: number): Promise<void> {
    const { stream, out } = this;
    if (stream instanceof SocketStream && out.length <= JOINED_BYTES_MAX)
      // In one packet with the first of the file.
      await this.#timed(stream.socket.sendall(out.take(), MORE), TIMED_BYTES);
    else await this.flush();
    const end = start + length;
    for (let at = start; at < end; ) {
      const count = Math.min(SEND_BYTES, end - at);
      const sent =
        stream instanceof SocketStream
          ? await this.#timed(stream.socket.sendfile(file.fd, at, count), count)
          : await this.#copyFile(file, at, count);
      if (sent === 0) throw mistake("ERR_HTTP_BODY_TOO_SHORT", "the file became shorter while it was sent");
      at += sent;
    }
  }

  async #copyFile(file: OpenFile, at: number, count: number): Promise<number> {
    const bytes = await readFile(file, at, Math.min(count, READ_BYTES));
    if (bytes.length > 0) await this.#send(bytes);
    return bytes.length;
  }

  // All calls at once: what is written meanwhile must come behind the last of them, and a stream keeps their order.
  async #sendPieces(pieces: readonly Uint8Array[]): Promise<void> {
    const { stream } = this;
    const sent: Promise<void>[] = [];
    for (const [index, piece] of pieces.entries())
      if (stream instanceof SocketStream)
        // The head leaves in one packet with the first of its content, not in one of its own.
        sent.push(this.#sendWhole(stream, piece, index + 1 < pieces.length ? MORE : 0));
      else
        for (let at = 0; at < piece.length; at += SEND_BYTES)
          sent.push(this.#send(piece.subarray(at, at + SEND_BYTES)));
    await Promise.all(sent);
  }

  async #sendWhole({ socket }: SocketStream, bytes: Uint8Array, flags: number): Promise<void> {
    if (bytes.length <= SEND_BYTES) return this.#timed(socket.sendall(bytes, flags), bytes.length);
    const progress = { bytes: 0 };
    this.#progress.add(progress);
    try {
      await this.#timed(socket.sendall(bytes, flags, { progress }), SEND_BYTES);
    } finally {
      this.#gone += progress.bytes;
      this.#progress.delete(progress);
    }
  }

  /** Whether large contents have come so far in their time that they are given more. */
  #comesOn(): boolean {
    if (this.#progress.size === 0) return false;
    let gone = this.#gone;
    for (const { bytes } of this.#progress) gone += bytes;
    if (gone - this.#goneBefore < SEND_BYTES) return false;
    this.#goneBefore = gone;
    this.#sendDeadline = this.#pieceDeadline;
    return true;
  }

  #breaks(error: unknown): void {
    (this.#broke ??= new Set()).add(error);
    this.#owner.gone(error);
  }

  /** Whether the stream failed with this. */
  brokeWith(error: unknown): boolean {
    return this.#broke?.has(error) === true;
  }

  /** Ends the connection. */
  end(): void {
    this.ended = true;
    this.stream.close();
    this.#owner.gone(mistake("ERR_HTTP_SEQUENCE", "the connection was closed"));
  }

  /** Sends what was written and ends this side. Who does not end the other one soon is ended. */
  endWriting(): void {
    this.#readDeadline = this.#clock.now + LINGER_MS;
    this.#isEnding = true;
    this.flush()
      .then(() => this.stream.closeWrite())
      .catch(() => this.end());
  }

  expire(): void {
    if (!this.#isEnding && this.#sendDeadline <= this.#clock.now && this.#comesOn()) return;
    // A peer that does not read would not read why either.
    if (this.#isEnding || this.#idle || this.#sendDeadline <= this.#clock.now) {
      this.end();
      return;
    }
    this.#readDeadline = NONE;
    if (this.#tooSlow === undefined) this.#owner.headExpired();
    else this.#tooSlow(refusal("ERR_HTTP_TOO_SLOW", "the content did not come in time"));
  }
}
