// Server-sent events from bytes: the format text/event-stream of the HTML standard, section 9.2.6. Pulls: give it what
// arrived, ask until it needs more. It knows no connection and no reconnecting.
//
// What it holds: one line and the data of one event, within limits. A line that is not all here is not searched again.

import { ByteQueue } from "../../wire/byte-queue.ts";
import { RemoteProtocolError } from "../../wire/errors.ts";
import { NEED_DATA } from "../../wire/need-data.ts";

/** One event. */
export interface ServerSentEvent {
  readonly type: "event";
  /** Its name; "message" where the server gave none. */
  readonly event: string;
  /** Its lines, joined with LF. */
  readonly data: string;
  /** The last id that the server gave, with this event or before; "": none. */
  readonly id: string;
}

/** The server says how long to wait before connecting again. */
export interface RetryTime {
  readonly type: "retry";
  readonly ms: number;
}

/** Limits of an EventStreamParser. */
export interface EventStreamLimits {
  /** One line. Default 65536, as of BufferedReader. */
  readonly lineBytesMax: number;
  /** The data of one event, in UTF-16 units. Default 1048576; ours: a larger thing is better fetched by its name. */
  readonly dataLengthMax: number;
}

/** The defaults. */
export const EVENT_STREAM_LIMITS: EventStreamLimits = Object.freeze({
  lineBytesMax: 65_536,
  dataLengthMax: 1_048_576,
});

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = "\ufeff";

/** Parses text/event-stream. */
export class EventStreamParser {
  readonly #limits: EventStreamLimits;
  readonly #queue: ByteQueue = new ByteQueue();
  /** No line ends before this place, from the queue's start. */
  #searched = 0;
  #isFirst = true;
  /** The last line ended in CR: a LF that comes next belongs to it. */
  #afterCr = false;
  #event = "";
  #data = "";
  #hasData = false;
  #id = "";
  /** The id of this event, if it gives one; it counts when the event is complete. */
  #nextId = "";
  #failure: Error | undefined;

  /** @param limits  what is given here stands over the defaults, EVENT_STREAM_LIMITS. */
  constructor(limits?: Partial<EventStreamLimits>) {
    this.#limits = { ...EVENT_STREAM_LIMITS, ...limits };
  }

  /** The last id that the server gave with a complete event, for Last-Event-ID; "": none. */
  get lastId(): string {
    return this.#id;
  }

  /** Gives it bytes that arrived. They belong to it from now on: leave their memory alone. */
  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * The next event. What the stream ends within is no event: it is never given.
   *
   * @throws {RemoteProtocolError} ERR_EVENT_STREAM_TOO_LARGE: a line or the data of an event is over its limit; now and at
   *   every further call.
   */
  next(): ServerSentEvent | RetryTime | typeof NEED_DATA {
    if (this.#failure !== undefined) throw this.#failure;
    for (;;) {
      const line = this.#line();
      if (line === undefined) return NEED_DATA;
      const told = line === "" ? this.#dispatch() : this.#field(line);
      if (told !== undefined) return told;
    }
  }

  /** The next line without its end; undefined: it is not all here. */
  #line(): string | undefined {
    const queue = this.#queue;
    if (this.#afterCr && queue.length > 0) {
      this.#afterCr = false;
      if (queue.at(0) === LF) queue.skip(1);
    }
    if (this.#searched === queue.length) return undefined;
    const { memory, start, end } = queue;
    let at = start + this.#searched;
    while (at < end && memory[at] !== LF && memory[at] !== CR) at++;
    if (at - start > this.#limits.lineBytesMax)
      throw this.#refuse(`a line is over ${this.#limits.lineBytesMax} bytes`);
    if (at === end) {
      this.#searched = at - start;
      return undefined;
    }
    this.#afterCr = memory[at] === CR;
    const line = memory.toString("utf8", start, at);
    queue.skip(at + 1 - start);
    this.#searched = 0;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    return isFirst && line.startsWith(BYTE_ORDER_MARK) ? line.slice(1) : line;
  }

  #field(line: string): RetryTime | undefined {
    const colon = line.indexOf(":");
    if (colon === 0) return undefined; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    switch (name) {
      case "event":
        this.#event = value;
        return undefined;
      case "data":
        this.#data = this.#hasData ? `${this.#data}\n${value}` : value;
        this.#hasData = true;
        if (this.#data.length > this.#limits.dataLengthMax)
          throw this.#refuse(`the data of an event is over ${this.#limits.dataLengthMax} characters`);
        return undefined;
      case "id":
        if (!value.includes("\0")) this.#nextId = value;
        return undefined;
      case "retry":
        return /^[0-9]{1,9}$/.test(value) ? { type: "retry", ms: Number(value) } : undefined;
      default:
        return undefined;
    }
  }

  #dispatch(): ServerSentEvent | undefined {
    const [event, data, hasData] = [this.#event, this.#data, this.#hasData];
    this.#event = "";
    this.#data = "";
    this.#hasData = false;
    this.#id = this.#nextId;
    return hasData
      ? { type: "event", event: event === "" ? "message" : event, data, id: this.#id }
      : undefined;
  }

  #refuse(message: string): Error {
    this.#failure = new RemoteProtocolError("ERR_EVENT_STREAM_TOO_LARGE", message);
    return this.#failure;
  }
}
