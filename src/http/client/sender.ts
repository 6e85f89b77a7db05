// The way of requests out of one connection of a client: heads and contents to bytes, in as few sends as can be, each in
// its time. It knows nothing of answers.

import { startTimer, stopTimer } from "../../engine/clock.ts";
import type { Timer } from "../../engine/clock.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { ByteStream } from "../../stream/index.ts";
import { ByteBuilder } from "../../wire/byte-builder.ts";
import type { Clock } from "../clock.ts";
import { RequestWriter } from "../writer.ts";
import type { RequestContent } from "./options.ts";
import type { PendingRequest } from "./pending.ts";

/** What a sender tells its connection. */
export interface SenderOwner {
  /** All of the request is on its way. */
  sent(): void;
  /** The stream took no more of it. What the server has answered may still arrive. */
  sendFailed(error: unknown): void;
  /** The request's content itself failed: it cannot be completed. */
  contentFailed(error: unknown): void;
}

/** Up to so many bytes are joined and sent in one call. What is larger is not copied. */
const JOINED_BYTES_MAX = 65_536;
/** What is larger is sent in pieces of so many bytes, each of which may take sendTimeoutMs. */
const SEND_BYTES = 262_144;
const NONE = Infinity;

/** Sends one request after another. */
export class RequestSender {
  /** By the clock; of what is being sent. */
  deadline: number = NONE;
  /** All of the request was given to the stream. */
  complete = true;
  readonly #out: ByteBuilder = new ByteBuilder();
  readonly #writer: RequestWriter = new RequestWriter(this.#out);
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #continueMs: number;
  readonly #owner: SenderOwner;
  #request: PendingRequest | undefined;
  #sending = 0;
  /** Runs while the content waits for 100 (Continue). */
  #waits: Timer | undefined;
  #broke: unknown;

  // Bound once, not for each request.
  readonly #sent = (): void => {
    if (--this.#sending === 0) this.deadline = NONE;
  };
  readonly #failed = (error: unknown): void => {
    this.#sent();
    this.#owner.sendFailed(error);
  };

  constructor(stream: ByteStream, clock: Clock, continueMs: number, owner: SenderOwner) {
    this.#stream = stream;
    this.#clock = clock;
    this.#continueMs = continueMs;
    this.#owner = owner;
  }

  /** Whether another request may follow, as far as this side has said. */
  get keepAlive(): boolean {
    return this.#writer.keepAlive;
  }

  /** Begins to send a request. The last one is over. */
  start(request: PendingRequest): void {
    const { head, content } = request.parts;
    this.#request = request;
    this.complete = false;
    this.#writer.prepared(head);
    if (content === undefined) {
      this.#writer.end();
      this.#sendAll();
    } else if (head.expectsContinue) {
      this.#send();
      this.#waits = startTimer(this.#continueMs, () => this.proceed());
    } else this.#sendContent(content);
  }

  /** Sends the content that waits for 100 (Continue), if there is any. */
  proceed(): void {
    const content = this.#request?.parts.content;
    if (!this.#stopWaiting() || content === undefined) return;
    this.#sendContent(content);
  }

  /** A content that waits is not sent any more, and one that is being sent is given up. */
  stop(): void {
    this.#stopWaiting();
    if (!this.complete) this.#request = undefined;
  }

  #stopWaiting(): boolean {
    const waited = this.#waits !== undefined;
    stopTimer(this.#waits);
    this.#waits = undefined;
    return waited;
  }

  #sendContent(content: RequestContent): void {
    const request = this.#request as PendingRequest;
    if (typeof content === "string" || content instanceof Uint8Array) {
      this.#writer.data(content);
      this.#writer.end();
      if (this.#out.length <= JOINED_BYTES_MAX) this.#sendAll();
      else this.#follow(request, this.#flush(request));
    } else this.#follow(request, this.#pull(request, content));
  }

  #sendAll(): void {
    this.#allSent();
    this.#send();
  }

  #send(): void {
    const { sendTimeoutMs } = (this.#request as PendingRequest).parts.timeouts;
    this.#sending++;
    this.deadline = this.#clock.now + sendTimeoutMs;
    this.#stream.sendAll(this.#out.take()).then(this.#sent, this.#failed);
  }

  /** Waits until all of the request was sent. */
  #follow(request: PendingRequest, sending: Promise<void>): void {
    const isOver = (): boolean => this.#request !== request;
    sending.then(
      () => (isOver() ? undefined : this.#allSent()),
      (error: unknown) => {
        if (isOver()) return;
        if (error === this.#broke) this.#owner.sendFailed(error);
        else this.#owner.contentFailed(error);
      },
    );
  }

  #allSent(): void {
    this.complete = true;
    this.#owner.sent();
  }

  /** Sends what is written, then pieces as they come. */
  async #pull(request: PendingRequest, content: Exclude<RequestContent, string>): Promise<void> {
    await this.#flush(request);
    for await (const piece of content as AsyncIterable<unknown>) {
      if (this.#request !== request) return;
      if (typeof piece !== "string" && !(piece instanceof Uint8Array))
        throw invalidArgument("a piece of options.body", "bytes or a string", piece);
      this.#writer.data(piece);
      await this.#flush(request);
    }
    if (this.#request !== request) return;
    this.#writer.end(request.parts.trailers?.());
    await this.#flush(request);
  }

  async #flush({ parts }: PendingRequest): Promise<void> {
    this.#sending++;
    try {
      for (const piece of this.#out.takePieces())
        for (let at = 0; at < piece.length; at += SEND_BYTES) {
          this.deadline = this.#clock.now + parts.timeouts.sendTimeoutMs;
          await this.#stream.sendAll(piece.subarray(at, at + SEND_BYTES));
        }
    } catch (error) {
      this.#broke = error;
      throw error;
    } finally {
      this.#sent();
    }
  }
}
