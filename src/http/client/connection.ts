// One connection of a client: a request out, its answer in, then the next one. It knows no origin and no queue; its owner
// gives it requests.
//
// Why it always receives. While nothing is under way it waits for bytes too: that is how it learns that the server has ended
// it, and what comes that nobody asked for closes it before it could be taken for the answer to the next request.
//
// An answer that came whole is taken apart at once, and the connection is free before the program sees it. Of a longer one
// the rest is received when the program reads it, and not before.

import { SocketStream } from "../../stream/index.ts";
import type { ByteStream } from "../../stream/index.ts";
import { HandedOverStream } from "../../stream/handed-over.ts";
import { NEED_DATA } from "../../wire/need-data.ts";
import type { Clock, Waiting } from "../clock.ts";
import type { InformationalHead, ResponseHead } from "../events.ts";
import { ResponseParser } from "../parser.ts";
import { mistake, refusal } from "../syntax/errors.ts";
import { RequestTimeoutError } from "./errors.ts";
import type { CheckedClientOptions } from "./options.ts";
import type { PendingRequest, RequestHolder } from "./pending.ts";
import { HttpResponse } from "./response.ts";
import type { ResponseSource } from "./response.ts";
import { RequestSender } from "./sender.ts";
import type { SenderOwner } from "./sender.ts";
import { watch } from "./forgotten.ts";

/** Who gives a connection its requests. */
export interface ConnectionOwner {
  /** It is free: give it a request with start(), or let it rest(). */
  free(connection: ClientConnection): void;
  /** It was closed, or handed over. */
  gone(connection: ClientConnection): void;
  /** A request was sent on it when it was dead already. */
  again(request: PendingRequest): void;
}

/** What may hold the process alive, if it can be told not to. */
interface Holder {
  ref?(): unknown;
  unref?(): unknown;
}

/** Pieces of content that are taken apart together with the head; a server can put tens of thousands into one segment. */
const PIECES_MAX = 16;
/** Responses before the final one. A server that goes on with them never answers. */
const INFORMATIONAL_MAX = 100;
const CONTINUE = 100;
const SECOND_MS = 1000;
const NONE = Infinity;

/** A connection, from its stream on. */
export class ClientConnection implements Waiting, RequestHolder, ResponseSource, SenderOwner {
  readonly #stream: ByteStream;
  readonly #parser: ResponseParser;
  readonly #sender: RequestSender;
  readonly #options: CheckedClientOptions;
  readonly #clock: Clock;
  readonly #owner: ConnectionOwner;
  /** What is under way, until its answer has ended. */
  #request: PendingRequest | undefined;
  /** Counts requests. */
  #turn = 0;
  /** Nothing was received since the request was sent. */
  #silent = true;
  #informational = 0;
  /** The head was given out, and the content is read by the program. */
  #streaming = false;
  #reading = false;
  #keepAlive = false;
  /** What the server's Keep-Alive allows. */
  #idleMs: number;
  #readDeadline = NONE;
  #closed = false;
  #failure: unknown;

  constructor(stream: ByteStream, options: CheckedClientOptions, clock: Clock, owner: ConnectionOwner) {
    this.#stream = stream;
    this.#options = options;
    this.#clock = clock;
    this.#owner = owner;
    this.#parser = new ResponseParser(options.limits);
    this.#sender = new RequestSender(stream, clock, options.continueTimeoutMs, this);
    this.#idleMs = options.keepAliveTimeoutMs;
    clock.add(this);
    void this.#run();
  }

  get deadline(): number {
    const { deadline } = this.#sender;
    return this.#readDeadline < deadline ? this.#readDeadline : deadline;
  }

  /** Whether a request can be given to it. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a request; nothing is under way. */
  start(request: PendingRequest): void {
    this.#request = request;
    request.holder = this;
    if (this.#turn++ > 0) this.#hold(true);
    this.#silent = true;
    this.#informational = 0;
    this.#readDeadline = NONE;
    const { method, upgrade } = request.parts;
    this.#parser.expect(method, upgrade);
    this.#sender.start(request);
  }

  /** There is nothing to do. It is kept for a while, and holds no process alive. */
  rest(): void {
    this.#readDeadline = this.#clock.now + this.#idleMs;
    this.#hold(false);
  }

  /** Closes it. What is under way on it fails. */
  close(reason: unknown): void {
    this.#fail(reason);
  }

  sent(): void {
    const request = this.#request;
    if (request !== undefined && !this.#streaming)
      this.#readDeadline = this.#clock.now + request.parts.timeouts.headTimeoutMs;
  }

  // The server may have answered before it stopped reading. If not, receiving says so as well.
  sendFailed(): void {
    this.sent();
  }

  contentFailed(error: unknown): void {
    this.#fail(error);
  }

  drop(_: PendingRequest, reason: unknown): void {
    this.#fail(reason);
  }

  expire(): void {
    const request = this.#request;
    if (request === undefined) return this.#fail(undefined);
    const { sendTimeoutMs, headTimeoutMs, bodyTimeoutMs } = request.parts.timeouts;
    if (this.#readDeadline > this.#sender.deadline)
      this.#fail(new RequestTimeoutError("send", sendTimeoutMs));
    else if (this.#streaming) this.#fail(new RequestTimeoutError("body", bodyTimeoutMs));
    else this.#fail(new RequestTimeoutError("head", headTimeoutMs));
  }

  /** Receives until a content is left to the program, or the connection has ended. */
  async #run(): Promise<void> {
    try {
      do this.#received(await this.#stream.receiveSome());
      while (this.#advance());
    } catch (error) {
      this.#fail(error, true);
    }
  }

  #received(bytes: Buffer): void {
    if (bytes.length === 0) {
      this.#keepAlive = false;
      this.#parser.receiveEnd();
    } else {
      this.#silent = false;
      this.#parser.receive(bytes);
    }
  }

  /** Takes apart what came; whether more is to be received. */
  #advance(): boolean {
    const request = this.#request;
    if (request === undefined) {
      // Nobody asked for anything: the server has ended, or what came cannot be trusted.
      this.#fail(undefined);
      return false;
    }
    for (;;) {
      const event = this.#parser.next();
      if (event === NEED_DATA) return true;
      if (typeof event === "symbol" || event.type === "closed")
        throw refusal("ERR_HTTP_UNEXPECTED_END", "the server ended the connection before it answered");
      if (event.type === "informational") this.#informed(request, event);
      else if (event.type === "response") return this.#answered(request, event);
    }
  }

  #informed({ parts }: PendingRequest, head: InformationalHead): void {
    if (++this.#informational > INFORMATIONAL_MAX)
      throw refusal(
        "ERR_HTTP_UNEXPECTED_RESPONSE",
        `more than ${INFORMATIONAL_MAX} responses before the final one`,
      );
    if (head.status === CONTINUE) this.#sender.proceed();
    parts.onInformational?.(head);
  }

  /** The head is here, and perhaps all of it. */
  #answered(request: PendingRequest, head: ResponseHead): boolean {
    this.#readDeadline = NONE;
    this.#keepAlive = head.keepAlive;
    if (head.fields.has("keep-alive")) this.#noteKeepAlive(head);
    const { url } = request.parts;
    if (head.upgrade) {
      this.#parser.next(); // its end
      request.resolve(new HttpResponse(this, url, head, this.#turn, this.#handOver(request)));
      return false;
    }
    const response = new HttpResponse(this, url, head, this.#turn);
    let isComplete: boolean;
    try {
      isComplete = this.#takeReady(response);
    } catch (error) {
      // The head was in order; who reads on meets what is wrong.
      request.resolve(response);
      this.#fail(error);
      return false;
    }
    request.resolve(response);
    if (isComplete) return this.#finish(request);
    this.#streaming = true;
    watch(response, this, this.#turn);
    return false;
  }

  /** Gives the response what came with its head; whether that is all. */
  #takeReady(response: HttpResponse): boolean {
    for (let pieces = 0; pieces < PIECES_MAX; pieces++) {
      const event = this.#parser.next();
      if (event === NEED_DATA || typeof event === "symbol") return false;
      if (event.type === "data") response.add(event.bytes);
      else if (event.type === "end") {
        response.complete(event.trailers);
        return true;
      }
    }
    return false;
  }

  /** The answer has ended; whether the connection lives on. */
  #finish(request: PendingRequest): boolean {
    request.release();
    this.#request = undefined;
    this.#streaming = false;
    this.#readDeadline = NONE;
    const sender = this.#sender;
    // What came behind the answer nobody has asked for: on this connection nothing can be trusted any more.
    if (!this.#keepAlive || !sender.complete || !sender.keepAlive || this.#parser.pendingBytes > 0)
      this.#fail(undefined);
    else this.#owner.free(this);
    return !this.#closed;
  }

  async readBody(response: HttpResponse): Promise<Buffer | undefined> {
    if (response.turn === this.#turn && this.#failure !== undefined) throw this.#failure as Error;
    const request = this.#request;
    if (response.turn !== this.#turn || request === undefined)
      throw mistake("ERR_HTTP_SEQUENCE", "the response is over");
    if (this.#reading) throw mistake("ERR_HTTP_SEQUENCE", "read() waits already");
    this.#reading = true;
    try {
      for (;;) {
        const event = this.#parser.next();
        if (event === NEED_DATA) {
          this.#readDeadline = this.#clock.now + request.parts.timeouts.bodyTimeoutMs;
          this.#received(await this.#stream.receiveSome());
          this.#readDeadline = NONE;
        } else if (typeof event !== "symbol" && event.type === "data") {
          response.receivedBytes += event.bytes.length;
          return event.bytes;
        } else if (typeof event !== "symbol" && event.type === "end") {
          response.complete(event.trailers);
          if (this.#finish(request)) void this.#run();
          return undefined;
        }
      }
    } catch (error) {
      this.#fail(error);
      throw this.#failure ?? error;
    } finally {
      this.#reading = false;
    }
  }

  leave(response: HttpResponse): void {
    if (response.turn !== this.#turn || !this.#streaming) return;
    const { body, receivedBytes } = response;
    const left = body === "chunked" ? 0 : body === "untilClose" ? Infinity : body - receivedBytes;
    if (this.#reading || left > this.#options.unreadBytesMax) this.leaveTurn(response.turn);
    else void this.#dropContent(response);
  }

  /** Nobody reads the answer of this turn any further. */
  leaveTurn(turn: number): void {
    if (turn === this.#turn && this.#streaming)
      this.#fail(mistake("ERR_HTTP_SEQUENCE", "the response was closed"));
  }

  async #dropContent(response: HttpResponse): Promise<void> {
    const most = response.receivedBytes + this.#options.unreadBytesMax;
    try {
      while ((await this.readBody(response)) !== undefined)
        if (response.receivedBytes > most) return this.leaveTurn(response.turn);
    } catch {
      // It was closed then.
    }
  }

  /** Another protocol begins: the stream is somebody else's. */
  #handOver(request: PendingRequest): ByteStream {
    const rest = this.#parser.takeRest();
    request.release();
    this.#request = undefined;
    this.#sender.stop();
    this.#leave();
    return rest.length === 0 ? this.#stream : new HandedOverStream(this.#stream, rest);
  }

  #leave(): void {
    this.#closed = true;
    this.#clock.delete(this);
    this.#owner.gone(this);
  }

  /**
   * Closes it.
   *
   * @param reason    what is under way fails with it; undefined: nothing is.
   * @param hasEnded  the server did that, or the network.
   */
  #fail(reason: unknown, hasEnded: boolean = false): void {
    if (this.#closed) return;
    this.#closed = true;
    const request = this.#request;
    this.#failure = reason;
    this.#request = undefined;
    this.#sender.stop();
    // Before it leaves: an origin without connections and requests is forgotten.
    if (hasEnded && this.#silent && this.#turn > 1 && request?.mayRepeat === true) this.#owner.again(request);
    else request?.reject(reason);
    this.#leave();
    this.#stream.close();
  }

  /** Whether what it waits for holds the process alive. */
  #hold(holds: boolean): void {
    const stream = this.#stream;
    const holder: Holder = stream instanceof SocketStream ? stream.socket : (stream as Holder);
    if (holds) holder.ref?.();
    else holder.unref?.();
  }

  /** `Keep-Alive: timeout=5`: a request that is sent in the last moment would be lost. */
  #noteKeepAlive({ fields }: ResponseHead): void {
    const seconds = /(?:^|[,;\s])timeout=([0-9]{1,6})/i.exec(fields.get("keep-alive") ?? "")?.[1];
    if (seconds === undefined) return;
    const allowed = Math.max(0, (Number(seconds) - 1) * SECOND_MS);
    this.#idleMs = Math.min(this.#options.keepAliveTimeoutMs, allowed);
    if (allowed === 0) this.#keepAlive = false;
  }
}
