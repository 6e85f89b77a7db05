// One request on its way: what is to be sent, who has it now, and the promise of its answer. It ends with the answer's
// content, and until then its signal and its time can end it. It moves no bytes.

import { listen, stopListening } from "../../engine/signal.ts";
import type { Clock, Waiting } from "../clock.ts";
import type { InformationalHead } from "../events.ts";
import type { FieldsInit } from "../syntax/fields.ts";
import type { PreparedRequest } from "../writer.ts";
import { RequestTimeoutError } from "./errors.ts";
import type { RequestContent, Timeouts } from "./options.ts";
import type { HttpResponse } from "./response.ts";

/** Who has a request: the queue of its origin, then a connection. */
export interface RequestHolder {
  /** Lets go of it; it was rejected already, where its answer has not come. */
  drop(request: PendingRequest, reason: unknown): void;
}

/** What a request is made of. */
export interface RequestParts {
  readonly method: string;
  readonly url: string;
  readonly head: PreparedRequest;
  readonly content: RequestContent | undefined;
  readonly trailers: (() => FieldsInit) | undefined;
  /** Another protocol is offered. */
  readonly upgrade: boolean;
  readonly onInformational: ((head: InformationalHead) => void) | undefined;
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal | undefined;
}

/** Methods that may be sent twice without doing more than once: RFC 9110 section 9.2.2, and QUERY, which is safe. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "QUERY",
]);

/** A request that was asked for and is not over. */
export class PendingRequest implements Waiting {
  /** Until it is settled: whoever holds the request holds no answer with it. */
  promise: Promise<HttpResponse> | undefined;
  readonly parts: RequestParts;
  holder: RequestHolder | undefined = undefined;
  /** It was sent before, on a connection that had died. */
  retried = false;
  deadline: number = Infinity;
  #resolve: ((response: HttpResponse) => void) | undefined;
  #reject: ((reason: unknown) => void) | undefined;
  #clock: Clock | undefined = undefined;
  #abort: (() => void) | undefined = undefined;

  constructor(parts: RequestParts, clock: Clock) {
    this.parts = parts;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { signal, timeouts } = parts;
    if (signal !== undefined) {
      this.#abort = (): void => this.#end(signal.reason);
      listen(signal, this.#abort);
    }
    if (timeouts.totalTimeoutMs === Infinity) return;
    this.#clock = clock;
    clock.add(this);
    this.deadline = clock.now + timeouts.totalTimeoutMs;
  }

  /** Whether it may be sent again, where nobody knows what became of it. */
  get mayRepeat(): boolean {
    const { content, method } = this.parts;
    const isKept = content === undefined || typeof content === "string" || content instanceof Uint8Array;
    return isKept && !this.retried && IDEMPOTENT.has(method);
  }

  expire(): void {
    this.#end(new RequestTimeoutError("total", this.parts.timeouts.totalTimeoutMs));
  }

  /** Its answer is here; the content may follow. */
  resolve(response: HttpResponse): void {
    this.#resolve?.(response);
    this.#settled();
  }

  /** There is no answer. */
  reject(reason: unknown): void {
    this.release();
    this.#reject?.(reason);
    this.#settled();
  }

  /** Nothing more happens to it. */
  release(): void {
    this.holder = undefined;
    if (this.#abort !== undefined) stopListening(this.parts.signal as AbortSignal, this.#abort);
    this.#abort = undefined;
    this.#clock?.delete(this);
    this.#clock = undefined;
  }

  #settled(): void {
    this.promise = this.#resolve = this.#reject = undefined;
  }

  #end(reason: unknown): void {
    const { holder } = this;
    this.reject(reason);
    holder?.drop(this, reason);
  }
}
