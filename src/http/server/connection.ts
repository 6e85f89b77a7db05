// One connection of a server: requests in, answers out, in order. One loop; what a handler writes leaves in one send with
// everything else that is ready. It knows no listener, and nothing of what answers say; how bytes move, and how long that
// may take, transport.ts knows.
//
// Why it reads no further than it answers. The next request is parsed when the last one has been answered, and more is
// received when all that came has been parsed: a client that sends and never reads fills its own connection, and nothing
// here. Requests that came together and are answered at once are answered in one send.

import type { AnyAddress } from "../../index.ts";
import type { Connection } from "../../server/index.ts";
import type { ByteStream } from "../../stream/index.ts";
import { LocalProtocolError, ProtocolError } from "../../wire/errors.ts";
import { NEED_DATA } from "../../wire/need-data.ts";
import type { RequestHead } from "../events.ts";
import { mistake, statusOfRefusal } from "../syntax/errors.ts";
import { PAUSED } from "../syntax/message-parser.ts";
import { reasonOf } from "../syntax/status.ts";
import { ResponseWriter } from "../writer.ts";
import { httpDate } from "../clock.ts";
import type { Clock } from "../clock.ts";
import type { Compression } from "./compression.ts";
import type { OpenFile } from "./files.ts";
import type { CheckedOptions } from "./options.ts";
import { HandlersLife } from "./handlers-life.ts";
import { HttpReply } from "./reply.ts";
import type { ReplySink } from "./reply.ts";
import { HttpRequest } from "./request.ts";
import type { RequestSource } from "./request.ts";
import { RestStream } from "./rest-stream.ts";
import { JOINED_BYTES_MAX, Transport } from "./transport.ts";
import type { TransportOwner } from "./transport.ts";

/**
 * Answers one request: with reply.send() before it returns, or with anything before its promise settles. What it throws
 * becomes 500, or what fits a peer's fault (400, 408, 413 …), if the answer was not begun; else the connection is closed.
 */
export type HttpHandler = (request: HttpRequest, reply: HttpReply) => void | Promise<void>;

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };
/** What is answered that is no request any more. */
const NO_REQUEST = { method: "GET", version: "1.1", keepAlive: false } as const;

/** Serves one connection. */
export class HttpConnection implements RequestSource, ReplySink, TransportOwner {
  readonly writer: ResponseWriter;
  readonly #transport: Transport;
  readonly #handler: HttpHandler;
  readonly #options: CheckedOptions;
  readonly #clock: Clock;
  /** What the server beneath says of it. */
  readonly #served: Pick<Connection, "signal" | "stopping">;
  #requestsLeft: number;
  #stopping = false;
  /** No request follows, whatever was promised. */
  #over = false;
  /**
   * The handler, where it has accepted another protocol and goes on when run() has returned. What fails in it is told as of
   * any other. A connection of another protocol may live long, and holds nothing of this one.
   */
  handedOver: Promise<void> | undefined = undefined;
  #isHandedOver = false;
  /** Told when it is. */
  #handOver: (() => void) | undefined;
  /** What is being answered. */
  #head: RequestHead | undefined;
  #request: HttpRequest | undefined;
  #reply: HttpReply | undefined;
  /** Bytes of its content that were read. */
  #bodyBytes = 0;
  #reading = false;
  /** The client waits for 100 (Continue). */
  #awaitsContinue = false;
  /** Of the request's signal, if anybody asked for one. */
  #controller: AbortController | undefined;
  /** Why its content cannot be read any further. */
  #refused: Error | undefined;

  constructor(
    stream: ByteStream,
    handler: HttpHandler,
    options: CheckedOptions,
    clock: Clock,
    served: Pick<Connection, "signal" | "stopping">,
  ) {
    this.#served = served;
    this.#transport = new Transport(stream, options, clock, this);
    this.writer = new ResponseWriter(this.#transport.out);
    this.#handler = handler;
    this.#options = options;
    this.#clock = clock;
    this.#requestsLeft = options.requestsMax;
  }

  get remoteAddress(): AnyAddress | undefined {
    return this.#transport.stream.remoteAddress;
  }

  get localAddress(): AnyAddress | undefined {
    return this.#transport.stream.localAddress;
  }

  get stopping(): AbortSignal {
    return this.#served.stopping;
  }

  makeSignal(): AbortSignal {
    this.#controller ??= new AbortController();
    return AbortSignal.any([this.#controller.signal, this.#served.signal]);
  }

  gone(reason: unknown): void {
    this.#controller?.abort(reason);
  }

  /** Serves requests until there are no more, and sends all answers. The stream is left open. */
  async run(): Promise<void> {
    const transport = this.#transport;
    this.#clock.add(transport);
    try {
      await this.#loop();
      await transport.flush();
    } catch (error) {
      // That the client is gone, or was sent away, is no failure of the server's.
      if (!transport.ended && !transport.moving && !transport.brokeWith(error)) throw error;
    } finally {
      this.#clock.delete(transport);
    }
  }

  /** Ends it when what is being answered has been: at once if that is nothing. */
  stop(): void {
    this.#stopping = true;
    if (this.#transport.idle) this.#transport.end();
  }

  async #loop(): Promise<void> {
    const transport = this.#transport;
    const { parser, out } = transport;
    for (;;) {
      let event: ReturnType<typeof parser.next>;
      try {
        event = parser.next();
      } catch (error) {
        this.#refuse(error);
        return;
      }
      if (event === NEED_DATA) {
        if (out.length > JOINED_BYTES_MAX) await transport.flush();
        else if (out.length > 0) {
          const sending = transport.send();
          if (sending !== undefined) {
            await sending;
            transport.sent();
          }
        }
        if (this.#stopping && parser.pendingBytes === 0) return;
        transport.received(await transport.receiveHead());
        if (this.#over) return;
      } else if (event === PAUSED) {
        parser.resume();
      } else if (event.type === "request") {
        const answered = this.#serve(event);
        if (answered !== undefined) await answered;
        if (this.#over || !this.writer.keepAlive) return;
        if (out.length > JOINED_BYTES_MAX) await transport.flush();
      } else if (event.type === "closed") {
        return;
      }
    }
  }

  /** Answers a request; undefined: it is done. */
  #serve(head: RequestHead): Promise<void> | undefined {
    const request = new HttpRequest(this, head);
    const reply = new HttpReply(this, head);
    this.#transport.begin();
    this.#head = head;
    this.#request = request;
    this.#reply = reply;
    this.#bodyBytes = 0;
    this.#awaitsContinue = head.expectsContinue;
    this.#requestsLeft--;
    // Without content its end follows at once.
    if (head.body === 0) this.#transport.parser.next();
    let result: void | Promise<void>;
    try {
      result = this.#handler(request, reply);
    } catch (error) {
      return this.#finish(Promise.reject(error), request, reply);
    }
    if (result === undefined && reply.ended && request.ended) return undefined; // Nearly always.
    return head.upgrade && result !== undefined
      ? this.#finishOrHandOver(result, request, reply)
      : this.#finish(result, request, reply);
  }

  /** As #finish(), or only until another protocol has been accepted. */
  async #finishOrHandOver(result: Promise<void>, request: HttpRequest, reply: HttpReply): Promise<void> {
    this.#transport.flush().catch(() => {});
    const life = new HandlersLife(result, this.#options.onError);
    await new Promise<void>((resolve) => {
      this.#handOver = resolve;
      life.onEnd(resolve);
    });
    if (this.#isHandedOver) this.handedOver = life.letGo();
    else await this.#finish(result, request, reply);
  }

  async #finish(result: void | Promise<void>, request: HttpRequest, reply: HttpReply): Promise<void> {
    const transport = this.#transport;
    if (result !== undefined) {
      // What is ready does not wait for what is not. That it cannot be sent is told to who writes next.
      transport.flush().catch(() => {});
      try {
        await result;
      } catch (error) {
        this.#failed(error, reply);
      }
    }
    try {
      await reply.pending;
    } catch (error) {
      this.#failed(error, reply);
    }
    reply.release();
    this.#controller = undefined;
    if (!reply.ended && !this.#over) this.#failed(unanswered(reply), reply);
    if (this.#reading) this.#over = true; // Two readers would take each other's bytes.
    if (!this.#over && !request.ended && this.writer.keepAlive) await this.#dropContent(request);
    this.#request = undefined;
  }

  /** Content that nobody wants stands between the client and its next request. */
  async #dropContent(request: HttpRequest): Promise<void> {
    await this.#transport.flush();
    const from = this.#bodyBytes;
    try {
      while ((await this.readBody(request)) !== undefined)
        if (this.#bodyBytes - from > this.#options.unreadBytesMax) {
          this.#over = true;
          return;
        }
      // Who asks for it later is not told that there was none.
      request.ended = false;
    } catch {
      this.#over = true;
    }
  }

  /** A handler threw, or did not answer. What the client did is no news. */
  #failed(error: unknown, reply: HttpReply): void {
    const isPeers = error === this.#refused || this.#transport.brokeWith(error);
    const isTooLarge = error instanceof LocalProtocolError && error.code === "ERR_HTTP_BODY_TOO_LARGE";
    if (!isPeers && !isTooLarge) this.#options.onError(error);
    if (reply.ended) return;
    if (reply.begun) {
      // It can be neither completed nor taken back: the client sees that it was cut off.
      this.#over = true;
      return;
    }
    let status = 500;
    if (error === this.#refused || isTooLarge) status = statusOfRefusal(error as ProtocolError);
    reply.send(status, TEXT, `${reasonOf(status)}\n`);
  }

  /** What came is no request. */
  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.#answerLast(statusOfRefusal(error), `${error.code}\n`);
  }

  #answerLast(status: number, text: string): void {
    const init = { status, fields: TEXT, body: Buffer.byteLength(text), date: httpDate() };
    this.writer.head(init, NO_REQUEST);
    this.writer.data(text);
    this.writer.end();
  }

  // The loop still waits to receive. It returns with what comes next, and the server drops the rest until the client has
  // ended too: closed at once, the answer might be lost to a reset.
  headExpired(): void {
    this.#over = true;
    this.#answerLast(408, `${reasonOf(408)}\n`);
    this.#transport.endWriting();
  }

  livesOn(isComplete: boolean): boolean {
    const request = this.#request;
    if (this.#stopping || this.#requestsLeft <= 0 || this.#refused !== undefined) return false;
    if (request === undefined || request.ended) return true;
    // Whether a client that was not told to continue sends its content nobody knows.
    if (this.#awaitsContinue) return false;
    const { body } = request;
    return !isComplete || typeof body !== "number" || body - this.#bodyBytes <= this.#options.unreadBytesMax;
  }

  get contentRead(): boolean {
    return this.#request?.ended === true && !this.#reading;
  }

  get compression(): Compression | undefined {
    return this.#options.compression;
  }

  flush(): Promise<void> {
    return this.#transport.flush();
  }

  async sendFile(file: OpenFile, start: number, length: number): Promise<void> {
    try {
      await this.#transport.sendFile(file, start, length);
    } catch (error) {
      // The writer has counted what was not sent: whoever goes on would be taken for content.
      this.#over = true;
      throw error;
    }
  }

  async switchOver(): Promise<ByteStream> {
    const transport = this.#transport;
    const rest = transport.parser.takeRest();
    this.#clock.delete(transport);
    this.#over = true;
    await transport.flush();
    this.#isHandedOver = true;
    this.#handOver?.();
    return rest.length === 0 ? transport.stream : new RestStream(transport.stream, rest);
  }

  async readBody(request: HttpRequest): Promise<Buffer | undefined> {
    if (request !== this.#request) throw mistake("ERR_HTTP_SEQUENCE", "the request is over");
    if (this.#reading) throw mistake("ERR_HTTP_SEQUENCE", "read() waits already");
    if (this.#refused !== undefined) throw this.#refused;
    this.#reading = true;
    const transport = this.#transport;
    try {
      for (;;) {
        const event = transport.parser.next();
        if (event === NEED_DATA) {
          if (this.#awaitsContinue) this.#continue();
          if (transport.out.length > 0) await transport.flush();
          transport.receivedBody(await transport.receiveBody(this.#bodyBytes));
        } else if (event !== PAUSED && event.type === "data") {
          this.#awaitsContinue = false;
          this.#bodyBytes += event.bytes.length;
          return event.bytes;
        } else if (event !== PAUSED && event.type === "end") {
          request.ended = true;
          request.trailers = event.trailers;
          return undefined;
        }
      }
    } catch (error) {
      this.#refused = error as Error;
      throw error;
    } finally {
      this.#reading = false;
    }
  }

  #continue(): void {
    this.#awaitsContinue = false;
    const head = this.#head as RequestHead;
    if (this.#reply?.begun === false) this.writer.informational(100, head);
  }
}

function unanswered(reply: HttpReply): Error {
  return mistake(
    "ERR_HTTP_SEQUENCE",
    reply.begun
      ? "the handler has returned without reply.end()"
      : "the handler has returned without an answer",
  );
}
