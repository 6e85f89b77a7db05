// Server-sent events as a program reads them: of one answer, and of a source that is connected to again when it ends, from
// the event on that came last. The HTML standard, section 9.2. How they are written, syntax/event-stream.ts knows.

import { startTimer, stopTimer } from "../../engine/clock.ts";
import { listen, stopListening } from "../../engine/signal.ts";
import { SocketError } from "../../index.ts";
import { isFieldValue } from "../../wire/characters.ts";
import { RemoteProtocolError } from "../../wire/errors.ts";
import { NEED_DATA } from "../../wire/need-data.ts";
import { parseElement } from "../../wire/parameters.ts";
import { checkTime } from "../checks.ts";
import { EventStreamParser } from "../syntax/event-stream.ts";
import type { EventStreamLimits, RetryTime, ServerSentEvent } from "../syntax/event-stream.ts";
import { HttpFields } from "../syntax/fields.ts";
import type { RequestOptions } from "./options.ts";
import type { HttpResponse } from "./response.ts";

/** What eventSource() takes last, over what request() takes. */
export interface EventSourceOptions extends RequestOptions {
  /** How long to wait before connecting again, until the server says otherwise. Default 3000, as Firefox's 5000 and Chrome's 3000. */
  readonly retryMs?: number | undefined;
  /** The server can have us wait no shorter than this. Default 100; ours: an answer that ends at once is no loop without a pause. */
  readonly retryMsMin?: number | undefined;
  /** Of the parser, over EVENT_STREAM_LIMITS. */
  readonly limits?: Partial<EventStreamLimits> | undefined;
  /** The id of the event that came last, from an earlier source. */
  readonly lastEventId?: string | undefined;
}

/** An answer is no stream of events. `code` is ERR_EVENT_STREAM. */
export class EventStreamError extends RemoteProtocolError {
  static {
    EventStreamError.prototype.name = "EventStreamError";
  }
  readonly status: number;

  /** @param status  of the answer. */
  constructor(status: number, what: string) {
    super("ERR_EVENT_STREAM", `no stream of events: ${what}`);
    this.status = status;
  }
}

const RETRY_MS = 3000;
const RETRY_MS_MIN = 100;
const NO_CONTENT = 204;

/** @throws {EventStreamError} another status than 200, or another media type than text/event-stream. */
function checkEvents(response: HttpResponse): void {
  const { status, headers } = response;
  const type = headers.get("content-type");
  if (status === 200 && type !== undefined && parseElement(type)?.name === "text/event-stream") return;
  response.close();
  throw new EventStreamError(
    status,
    status === 200 ? `the type is ${type ?? "not told"}` : `the status is ${status}`,
  );
}

async function* pull(
  response: HttpResponse,
  parser: EventStreamParser,
): AsyncGenerator<ServerSentEvent | RetryTime, void, void> {
  for await (const piece of response) {
    parser.receive(piece);
    for (let event = parser.next(); event !== NEED_DATA; event = parser.next()) yield event;
  }
}

/**
 * The events of one answer, as they come. It ends when the answer does.
 *
 * @throws {EventStreamError} ERR_EVENT_STREAM: it has none. @throws {RemoteProtocolError} ERR_EVENT_STREAM_TOO_LARGE: a line or
 *   an event is over a limit. @throws as HttpResponse.read().
 */
export async function* eventsOf(
  response: HttpResponse,
  limits?: Partial<EventStreamLimits>,
): AsyncGenerator<ServerSentEvent, void, void> {
  checkEvents(response);
  for await (const event of pull(response, new EventStreamParser(limits)))
    if (event.type === "event") yield event;
}

/** Sends requests: a client, or the module. */
export interface EventRequesting {
  request(url: string | URL, options: RequestOptions): Promise<HttpResponse>;
}

/** Waits, and holds the process alive meanwhile. @throws the signal's reason. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stopTimer(timer);
      reject(signal?.reason as Error);
    };
    const timer = startTimer(ms, () => {
      if (signal !== undefined) stopListening(signal, end);
      resolve();
    });
    timer.ref();
    if (signal !== undefined) listen(signal, end);
  });
}

/** An id as a field tells it: UTF-8, each byte a character. */
function told(id: string): string {
  return Buffer.from(id).toString("latin1");
}

/** Failures of the network, which another attempt may not meet. */
function mayPass(error: unknown): boolean {
  if (error instanceof SocketError) return true;
  return error instanceof RemoteProtocolError && error.code === "ERR_HTTP_UNEXPECTED_END";
}

/**
 * Events of a URL without end: when the answer ends or its connection breaks, it is asked for again behind the event that came
 * last (Last-Event-ID). With 204 the server ends it.
 *
 * @throws {EventStreamError} ERR_EVENT_STREAM: an answer is none. @throws the reason of `options.signal`. @throws as
 *   HttpClient.request(), but for failures of the network once an answer has come.
 */
export async function* eventSource(
  client: EventRequesting,
  url: string | URL,
  options: EventSourceOptions = {},
): AsyncGenerator<ServerSentEvent, void, void> {
  const { limits, lastEventId = "", ...request } = options;
  let retryMs = checkTime("options.retryMs", options.retryMs ?? RETRY_MS);
  const retryMsMin = checkTime("options.retryMsMin", options.retryMsMin ?? RETRY_MS_MIN);
  let lastId = lastEventId;
  let hasOpened = false;
  for (;;) {
    const headers = [
      ...HttpFields.from(request.headers ?? HttpFields.EMPTY),
      ["Accept", "text/event-stream"],
    ];
    if (lastId !== "") headers.push(["Last-Event-ID", told(lastId)]);
    try {
      // Nothing may come for hours, and then an event.
      const response = await client.request(url, {
        bodyTimeoutMs: Infinity,
        ...request,
        headers: headers as [string, string][],
      });
      if (response.status === NO_CONTENT) return;
      checkEvents(response);
      hasOpened = true;
      for await (const event of pull(response, new EventStreamParser(limits))) {
        if (event.type === "retry") retryMs = Math.max(event.ms, retryMsMin);
        else {
          // With a control in it, no field can tell it.
          if (isFieldValue(told(event.id))) lastId = event.id;
          yield event;
        }
      }
    } catch (error) {
      request.signal?.throwIfAborted();
      if (!hasOpened || !mayPass(error)) throw error;
    }
    const { signal } = request;
    await pause(retryMs, signal);
  }
}
