// HTTP/1.1 and 1.0 messages from bytes, for both roles. Pulls: give it what arrived, ask until it needs more. Strict: what
// two recipients might read in two ways is refused. It knows no socket; what is in a line, the files of syntax/ know.
//
// How it stays linear. A line that is not all here is tried once and then left alone until its end has arrived, which is
// searched for in the new bytes only. What is wrong with a message is told by its first wrong byte, at the latest
// when its line ends, so that it is the same however the bytes were cut.
//
// What it holds: one head or one line, within the limits, and what the last receive() brought. Values of fields are
// places in the received bytes until they are asked for: a head that is kept keeps those bytes.

import { ByteQueue } from "../../wire/byte-queue.ts";
import { NEED_DATA } from "../../wire/need-data.ts";
import type { BodyData, BodyFraming, ConnectionEnd, MessageEnd } from "../events.ts";
import { refusal } from "./errors.ts";
import type { HttpRefusal } from "./errors.ts";
import { HttpFields } from "./fields.ts";
import { LINE_WORDS, readFieldLine } from "./field-lines.ts";
import { Control, readControl } from "./framing.ts";
import { ChunkLine, readChunkLine } from "./chunks.ts";
import { CHUNK_SIZE_DIGITS_MAX, limitsFrom } from "./limits.ts";
import type { HttpLimits } from "./limits.ts";
import { INCOMPLETE, StartLine, bareCr } from "./start-lines.ts";
import { checkTrailers } from "./trailers.ts";

/** `next()` gives this where another protocol may begin: see resume() and takeRest(). */
export const PAUSED: unique symbol = Symbol("PAUSED");

// Where in a message the parser is.
const START = 0;
const FIELDS = 1;
const LENGTH = 2;
const UNTIL_CLOSE = 3;
const CHUNK_LINE = 4;
const CHUNK_DATA = 5;
const CHUNK_END = 6;
const TRAILERS = 7;
const END = 8;
/** The last message is over. */
const LAST = 9;
const MAY_SWITCH = 10;
const SWITCHED = 11;

const CR = 0x0d;
const LF = 0x0a;

const NO_TRAILERS: MessageEnd = Object.freeze({ type: "end", trailers: HttpFields.EMPTY });
const CLOSED: ConnectionEnd = Object.freeze({ type: "closed" });

/** What both parsers share; the head's first line and its meaning are their own. */
export abstract class MessageParser<Head> {
  /** @internal */
  protected readonly limits: HttpLimits;
  /** @internal */
  protected readonly startLine: StartLine = new StartLine();
  /** @internal */
  protected readonly control: Control = new Control();
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #chunk: ChunkLine = new ChunkLine();
  #phase = START;
  /** Where the line that is read next begins, from the queue's start. */
  #line = 0;
  /** Neither CR nor LF of an unfinished line is before this place, from the queue's start; 0: it was not tried yet. */
  #searched = 0;
  /** Where the field lines begin, from the queue's start. */
  #fieldsStart = 0;
  #table: number[] = [];
  /** Bytes left of the content or of the chunk. */
  #left = 0;
  /** Bytes of content so far, where no length was told. */
  #bodyBytes = 0;
  #emptyLines = 0;
  #keepAlive = true;
  #maySwitch = false;
  #ended = false;
  #failure: Error | undefined = undefined;

  /** @internal */
  constructor(limits: Partial<HttpLimits> | undefined) {
    this.limits = limitsFrom(limits);
  }

  /** Gives it bytes that arrived. They belong to the parser and its events from now on: leave their memory alone. */
  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** Tells it that the peer has ended. */
  receiveEnd(): void {
    this.#ended = true;
  }

  /** How many bytes it holds that are not parsed yet. */
  get pendingBytes(): number {
    return this.#queue.length;
  }

  /**
   * The next event.
   *
   * @returns NEED_DATA: give it more, or the end. PAUSED: another protocol may begin here.
   * @throws {RemoteProtocolError} ERR_HTTP_…: the message is refused (syntax/errors.ts has all codes), now and at every
   *   further call: where the next message would begin is not known.
   */
  next(): Head | BodyData | MessageEnd | ConnectionEnd | typeof NEED_DATA | typeof PAUSED {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (;;) {
        const event = this.#step();
        if (event !== undefined) return event;
      }
    } catch (error) {
      this.#failure = error as Error;
      throw error;
    }
  }

  /** Goes on with HTTP where it was PAUSED: the offer of another protocol was declined. */
  resume(): void {
    if (this.#phase === MAY_SWITCH) this.#phase = this.#keepAlive ? START : LAST;
  }

  /** Ends the parser and gives what it holds: the first bytes of another protocol. From now on it is PAUSED. */
  takeRest(): Buffer {
    this.#phase = SWITCHED;
    return this.#queue.take();
  }

  /** Reads the first line. @internal */
  protected abstract readStartLine(bytes: Buffer, start: number, end: number): number;
  /** Whether an empty line may come before the first one. @internal */
  protected abstract readonly mayBeginEmpty: boolean;
  /**
   * Makes the event of a head, whose startLine and control are read; calls frame() unless it stands alone. @internal
   */
  protected abstract head(fields: HttpFields): Head;

  /** How what follows a head is to be read. @internal */
  protected frame(body: BodyFraming, keepAlive: boolean, maySwitch: boolean): void {
    this.#keepAlive = keepAlive;
    this.#maySwitch = maySwitch;
    this.#bodyBytes = 0;
    if (body === "chunked") this.#phase = CHUNK_LINE;
    else if (body === "untilClose") this.#phase = UNTIL_CLOSE;
    else {
      if (body > this.limits.bodyBytesMax) throw this.#bodyTooLarge();
      this.#left = body;
      this.#phase = body === 0 ? END : LENGTH;
    }
  }

  /** One step; undefined: it led to no event, and another one follows. */
  #step(): Head | BodyData | MessageEnd | ConnectionEnd | typeof NEED_DATA | typeof PAUSED | undefined {
    switch (this.#phase) {
      case START:
      case FIELDS:
        return this.#readHead();
      case LENGTH:
      case CHUNK_DATA:
        return this.#readData();
      case UNTIL_CLOSE:
        return this.#readRest();
      case CHUNK_LINE:
        return this.#readChunkLine();
      case CHUNK_END:
        return this.#readChunkEnd();
      case TRAILERS:
        return this.#readTrailers();
      case END:
        return this.#finish(NO_TRAILERS);
      case LAST:
        this.#queue.skip(this.#queue.length);
        return CLOSED;
      default:
        return PAUSED;
    }
  }

  #readHead(): Head | ConnectionEnd | typeof NEED_DATA | undefined {
    const queue = this.#queue;
    if (this.#phase === START) {
      if (queue.length === 0) return this.#ended ? CLOSED : NEED_DATA;
      const { memory, start, end } = queue;
      if (this.mayBeginEmpty && memory[start] === CR) return this.#skipEmptyLine(memory, start, end);
      const limit = Math.min(end, start + this.limits.startLineBytesMax);
      if (!this.#mayHoldLine(memory, start, limit, end)) return this.#wait();
      const next = this.readStartLine(memory, start, limit);
      if (next === INCOMPLETE)
        return this.#waitForLine(
          start,
          limit,
          end,
          "ERR_HTTP_START_LINE_TOO_LONG",
          "the start line is too long",
        );
      this.#line = this.#fieldsStart = next - start;
      this.#searched = 0;
      this.#phase = FIELDS;
    }
    const { limits } = this;
    if (!this.#readFields(limits.headerBytesMax, "ERR_HTTP_HEADER_TOO_LARGE")) return this.#wait();
    const { memory, start } = queue;
    const table = this.#table;
    readControl(memory, start, table, this.control);
    this.#phase = START;
    this.#emptyLines = 0;
    const head = this.head(table.length === 0 ? HttpFields.EMPTY : new HttpFields(memory, start, table));
    this.#takeLines();
    return head;
  }

  #skipEmptyLine(memory: Buffer, start: number, end: number): typeof NEED_DATA | undefined {
    if (start + 1 === end) return this.#wait();
    if (memory[start + 1] !== LF) throw bareCr();
    if (++this.#emptyLines > 1)
      throw refusal("ERR_HTTP_EMPTY_LINE", "more than one empty line before a request line");
    this.#queue.skip(2);
    return undefined;
  }

  /** Reads field lines up to and with the empty one; false: they are not all here. */
  #readFields(bytesMax: number, tooLarge: HttpRefusal): boolean {
    const { memory, start, end } = this.#queue;
    const limit = Math.min(end, start + this.#fieldsStart + bytesMax);
    if (!this.#mayHoldLine(memory, start, limit, end)) return false;
    const table = this.#table;
    const wordsMax = LINE_WORDS * this.limits.headerCountMax;
    let at = start + this.#line;
    for (;;) {
      let next = INCOMPLETE;
      if (at < limit) {
        if (memory[at] !== CR) next = readFieldLine(memory, at, limit, start, table);
        else if (at + 1 < limit) {
          if (memory[at + 1] !== LF) throw bareCr();
          this.#line = at + 2 - start;
          this.#searched = 0;
          return true;
        }
      }
      if (next === INCOMPLETE) {
        this.#line = at - start;
        this.#waitForLine(start, limit, end, tooLarge, `the fields are over ${bytesMax} bytes`);
        return false;
      }
      if (table.length > wordsMax)
        throw refusal("ERR_HTTP_TOO_MANY_FIELDS", `more than ${this.limits.headerCountMax} field lines`);
      at = next;
    }
  }

  /** Whether what was unfinished may be tried again: an end of line is here, right or wrong, or it has reached its limit. */
  #mayHoldLine(memory: Buffer, start: number, limit: number, end: number): boolean {
    if (this.#searched === 0) return true;
    let at = start + this.#searched;
    while (at < limit && memory[at] !== LF && memory[at] !== CR) at++;
    this.#searched = at - start;
    // A CR tells something only with the byte behind it.
    return limit < end || at + 1 < limit || (at < limit && memory[at] === LF);
  }

  /** A line is not all here. It must not have reached its limit. */
  #waitForLine(
    start: number,
    limit: number,
    end: number,
    code: HttpRefusal,
    message: string,
  ): typeof NEED_DATA {
    if (limit < end) throw refusal(code, message);
    const { memory } = this.#queue;
    this.#searched = limit - start - (limit > start && memory[limit - 1] === CR ? 1 : 0);
    return this.#wait();
  }

  /** What has been read as lines is done with. */
  #takeLines(): void {
    this.#queue.skip(this.#line);
    this.#line = 0;
    this.#searched = 0;
    this.#table = [];
  }

  #wait(): typeof NEED_DATA {
    if (this.#ended) throw refusal("ERR_HTTP_UNEXPECTED_END", "the peer ended inside a message");
    return NEED_DATA;
  }

  #readData(): BodyData | typeof NEED_DATA {
    const queue = this.#queue;
    if (queue.length === 0) return this.#wait();
    const bytes = queue.take(this.#left);
    this.#left -= bytes.length;
    if (this.#left === 0) this.#phase = this.#phase === LENGTH ? END : CHUNK_END;
    return { type: "data", bytes };
  }

  #readRest(): BodyData | typeof NEED_DATA | undefined {
    const queue = this.#queue;
    if (queue.length === 0) {
      if (!this.#ended) return NEED_DATA;
      this.#phase = END;
      return undefined;
    }
    this.#countBody(queue.length);
    return { type: "data", bytes: queue.take() };
  }

  #countBody(bytes: number): void {
    this.#bodyBytes += bytes;
    if (this.#bodyBytes > this.limits.bodyBytesMax) throw this.#bodyTooLarge();
  }

  #bodyTooLarge(): Error {
    return refusal("ERR_HTTP_BODY_TOO_LARGE", `the content is over ${this.limits.bodyBytesMax} bytes`);
  }

  #readChunkLine(): typeof NEED_DATA | undefined {
    const { memory, start, end } = this.#queue;
    const extensionMax = this.limits.chunkExtensionBytesMax;
    const limit = Math.min(end, start + CHUNK_SIZE_DIGITS_MAX + extensionMax + 2);
    if (!this.#mayHoldLine(memory, start, limit, end)) return this.#wait();
    const next = readChunkLine(memory, start, limit, extensionMax, this.#chunk);
    if (next === INCOMPLETE)
      return this.#waitForLine(
        start,
        limit,
        end,
        "ERR_HTTP_CHUNK_EXTENSION_TOO_LONG",
        "a chunk's line is too long",
      );
    this.#searched = 0;
    this.#queue.skip(next - start);
    this.#left = this.#chunk.size;
    this.#countBody(this.#left);
    this.#phase = this.#left === 0 ? TRAILERS : CHUNK_DATA;
    this.#fieldsStart = 0;
    return undefined;
  }

  #readChunkEnd(): typeof NEED_DATA | undefined {
    const queue = this.#queue;
    const { memory, start, length } = queue;
    if (length === 0) return this.#wait();
    if (memory[start] === CR) {
      if (length === 1) return this.#wait();
      if (memory[start + 1] === LF) {
        queue.skip(2);
        this.#phase = CHUNK_LINE;
        return undefined;
      }
    }
    throw refusal("ERR_HTTP_CHUNK_END", "no CRLF behind a chunk's data");
  }

  #readTrailers(): MessageEnd | typeof NEED_DATA {
    if (!this.#readFields(this.limits.trailerBytesMax, "ERR_HTTP_TRAILERS_TOO_LARGE")) return this.#wait();
    const table = this.#table;
    let end = NO_TRAILERS;
    if (table.length > 0) {
      const { memory, start } = this.#queue;
      const trailers = new HttpFields(memory, start, table);
      checkTrailers(trailers);
      end = { type: "end", trailers };
    }
    this.#takeLines();
    return this.#finish(end);
  }

  #finish(end: MessageEnd): MessageEnd {
    if (this.#maySwitch) this.#phase = MAY_SWITCH;
    else this.#phase = this.#keepAlive ? START : LAST;
    return end;
  }
}
