// What a handler answers with: all at once, or piece by piece. It knows the order of the parts; bytes are the writer's
// business, and when they leave is the connection's.

import type { ByteStream } from "../../stream/index.ts";
import type { RequestHead } from "../events.ts";
import { mistake } from "../syntax/errors.ts";
import { HttpFields } from "../syntax/fields.ts";
import type { FieldsInit } from "../syntax/fields.ts";
import type { ResponseWriter } from "../writer.ts";
import { httpDate } from "./clock.ts";

/** What a reply needs of its connection. */
export interface ReplySink {
  readonly writer: ResponseWriter;
  /** Whether the connection can live on behind this answer, as things stand. `isComplete`: nothing of it follows. */
  livesOn(isComplete: boolean): boolean;
  /** The request's content was read to its end. */
  readonly contentRead: boolean;
  /** Sends what was written; resolves when the peer's side of the connection has taken it. */
  flush(): Promise<void>;
  /** Hands the stream out, behind what was written, with what came behind the request. */
  switchOver(): Promise<ByteStream>;
}

/** How begin() announces the content. */
export interface BeginOptions {
  /** Its length in bytes. Default: it is not known, and goes out in chunks (to HTTP/1.0: until the close). */
  readonly length?: number | undefined;
  /** Words behind the status. */
  readonly reason?: string | undefined;
}

const OPEN = 0;
const BEGUN = 1;
const ENDED = 2;

/** The answer to one request, as a handler of HttpServer makes it. */
export class HttpReply {
  readonly #sink: ReplySink;
  readonly #request: RequestHead;
  #place = OPEN;
  /** Content follows the head. */
  #hasContent = false;

  /** @internal */
  constructor(sink: ReplySink, request: RequestHead) {
    this.#sink = sink;
    this.#request = request;
  }

  /** Whether the final head was written. */
  get begun(): boolean {
    return this.#place !== OPEN;
  }

  /** Whether it is complete. */
  get ended(): boolean {
    return this.#place === ENDED;
  }

  /**
   * Answers, all at once. Date and the framing are added. It leaves together with what else is ready, when the handler
   * returns or waits.
   *
   * @param fields  HttpFields that were made once are checked once.
   * @param body    text is sent as UTF-8; bytes are not copied, so leave them alone. For HEAD only its length is told.
   * @throws {LocalProtocolError} as ResponseWriter.head(): nothing was written, and another answer may be. ERR_HTTP_SEQUENCE:
   *   it was answered before.
   */
  send(status: number, fields: FieldsInit = HttpFields.EMPTY, body: string | Uint8Array = ""): void {
    if (this.#place !== OPEN) throw answered();
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const { writer } = this.#sink;
    const init = { status, fields, body: length, keepAlive: this.#sink.livesOn(true), date: httpDate() };
    if (writer.head(init, this.#request)) writer.data(body);
    writer.end();
    this.#place = ENDED;
  }

  /**
   * Begins an answer whose content follows piece by piece: write(), then end(). The head leaves with the first piece.
   *
   * @throws {LocalProtocolError} as send().
   */
  begin(status: number, fields: FieldsInit = HttpFields.EMPTY, options: BeginOptions = {}): void {
    if (this.#place !== OPEN) throw answered();
    const { length, reason } = options;
    // What would follow HEAD need not be told; untilClose tells nothing.
    const isChunked = this.#request.version === "1.1" && this.#request.method !== "HEAD";
    this.#begin(status, fields, length ?? (isChunked ? "chunked" : "untilClose"), reason);
  }

  #begin(
    status: number,
    fields: FieldsInit,
    body: number | "chunked" | "untilClose",
    reason: string | undefined,
  ): void {
    const init = { status, fields, body, keepAlive: this.#sink.livesOn(false), date: httpDate() };
    const { writer } = this.#sink;
    this.#hasContent = writer.head(reason === undefined ? init : { ...init, reason }, this.#request);
    this.#place = BEGUN;
  }

  /**
   * Sends a piece of the content.
   *
   * @param data  text as UTF-8, or bytes, which are yours again when the promise settles. To HEAD none of it is sent.
   * @returns resolves when it has gone out: who waits for it is never ahead of the client.
   * @throws {LocalProtocolError} ERR_HTTP_SEQUENCE: begin() first; ERR_HTTP_BODY_TOO_LONG. @throws {SocketError} the
   *   connection broke.
   */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#place !== BEGUN) throw mistake("ERR_HTTP_SEQUENCE", "write() without begin()");
    if (this.#hasContent) this.#sink.writer.data(data);
    await this.#sink.flush();
  }

  /**
   * Ends the content. It leaves as send() does.
   *
   * @param trailers  fields behind the content, where no length was announced. To HTTP/1.0 and to HEAD they are not sent.
   * @throws {LocalProtocolError} ERR_HTTP_SEQUENCE: begin() first; ERR_HTTP_BODY_TOO_SHORT; ERR_HTTP_TRAILERS;
   *   ERR_HTTP_TRAILER_FIELD; ERR_HTTP_FIELD_NAME, ERR_HTTP_FIELD_VALUE. The answer cannot be completed then, and the
   *   connection is closed.
   */
  end(trailers?: FieldsInit): void {
    if (this.#place !== BEGUN) throw mistake("ERR_HTTP_SEQUENCE", "end() without begin()");
    const sends = this.#hasContent && this.#request.version === "1.1";
    this.#sink.writer.end(sends ? trailers : undefined);
    this.#place = ENDED;
  }

  /**
   * Sends a response that comes before the answer: 103 (Early Hints), 102. HTTP/1.0 gets none.
   *
   * @throws {LocalProtocolError} as ResponseWriter.informational(); ERR_HTTP_SEQUENCE: it was answered before.
   */
  async informational(status: number, fields?: FieldsInit): Promise<void> {
    if (this.#place !== OPEN) throw answered();
    this.#sink.writer.informational(status, this.#request, fields);
    await this.#sink.flush();
  }

  /**
   * Accepts the other protocol that the client offered: 101, or 200 to CONNECT. The connection is the handler's from now
   * on, until it returns: no limit of time holds for it any more.
   *
   * @param fields  of the answer; Upgrade among them, unless it is to CONNECT.
   * @returns the stream, which begins with what came behind the request.
   * @throws {LocalProtocolError} ERR_HTTP_SEQUENCE: nothing was offered, it was answered, or the request's content was
   *   not read to its end; as ResponseWriter.head().
   */
  upgrade(fields: FieldsInit = HttpFields.EMPTY): Promise<ByteStream> {
    try {
      if (this.#place !== OPEN) throw answered();
      if (!this.#sink.contentRead) throw mistake("ERR_HTTP_SEQUENCE", "the request's content was not read");
      if (!this.#request.upgrade) throw mistake("ERR_HTTP_SEQUENCE", "no other protocol was offered");
      this.#begin(this.#request.method === "CONNECT" ? 200 : 101, fields, 0, undefined);
      this.end();
      return this.#sink.switchOver();
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function answered(): Error {
  return mistake("ERR_HTTP_SEQUENCE", "the request was answered before");
}
