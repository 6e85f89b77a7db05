// What a handler answers with: all at once, or piece by piece. It knows the order of the parts; bytes are the writer's
// business, and when they leave is the connection's.

import type { ByteStream } from "../../stream/index.ts";
import type { RequestHead } from "../events.ts";
import { mistake } from "../syntax/errors.ts";
import { HttpFields } from "../syntax/fields.ts";
import type { FieldsInit } from "../syntax/fields.ts";
import type { ResponseWriter } from "../writer.ts";
import { httpDate } from "../clock.ts";
import { Compressor, encode } from "./compression.ts";
import type { Coding, Compression } from "./compression.ts";
import { readFile } from "./files.ts";
import type { OpenFile } from "./files.ts";

/** What a reply needs of its connection. */
export interface ReplySink {
  readonly writer: ResponseWriter;
  /** How answers are compressed; undefined: not at all. */
  readonly compression: Compression | undefined;
  /** Whether the connection can live on behind this answer, as things stand. `isComplete`: nothing of it follows. */
  livesOn(isComplete: boolean): boolean;
  /** The request's content was read to its end. */
  readonly contentRead: boolean;
  /** Sends what was written; resolves when the peer's side of the connection has taken it. */
  flush(): Promise<void>;
  /** Sends a part of a file behind what was written. */
  sendFile(file: OpenFile, start: number, length: number): Promise<void>;
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

// Where it is: not begun; the head was written; nothing more may be written, and it is not complete; complete.
const OPEN = 0;
const BEGUN = 1;
const CLOSING = 2;
const ENDED = 3;

const FILE_PIECE_BYTES = 65_536;

/** The answer to one request, as a handler of serve() makes it. */
export class HttpReply {
  readonly #sink: ReplySink;
  readonly #request: RequestHead;
  #place = OPEN;
  #status: number | undefined = undefined;
  /** Content follows the head. */
  #hasContent = false;
  #compressor: Compressor | undefined;
  /** What is still done about it when the handler has returned. @internal */
  pending: Promise<void> | undefined = undefined;

  /** @internal */
  constructor(sink: ReplySink, request: RequestHead) {
    this.#sink = sink;
    this.#request = request;
  }

  /** Whether the final head was written, or will be. */
  get begun(): boolean {
    return this.#place !== OPEN;
  }

  /** The status of the final answer; undefined: it was not begun. */
  get status(): number | undefined {
    return this.#status;
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
    const { compression } = this.#sink;
    if (compression === undefined) this.#sendPlain(status, fields, body, length);
    else this.#sendEncoded(compression, status, fields, body, length);
  }

  #sendPlain(status: number, fields: FieldsInit, body: string | Uint8Array, length: number): void {
    const { writer } = this.#sink;
    const init = { status, fields, body: length, keepAlive: this.#sink.livesOn(true), date: httpDate() };
    if (writer.head(init, this.#request)) writer.data(body);
    writer.end();
    this.#place = ENDED;
    this.#status = status;
  }

  #sendEncoded(
    compression: Compression,
    status: number,
    init: FieldsInit,
    body: string | Uint8Array,
    length: number,
  ): void {
    const accept = this.#request.fields.get("accept-encoding");
    const { fields, coding } = encode(compression, status, init, length, accept);
    if (coding === undefined) this.#sendPlain(status, fields, body, length);
    else if (this.#request.method === "HEAD") {
      // How long it would become is not worth the work.
      this.#writeHead(status, fields, "untilClose", undefined, true);
      this.#finish(undefined);
    } else {
      this.#place = CLOSING;
      this.#await(this.#sendSmaller(status, HttpFields.from(fields), body, coding));
    }
  }

  /** The connection waits for it, unless it is broken by then. */
  #await(pending: Promise<void>): void {
    this.pending = pending;
    pending.catch(() => {});
  }

  async #sendSmaller(
    status: number,
    fields: HttpFields,
    body: string | Uint8Array,
    coding: Coding,
  ): Promise<void> {
    const smaller = await new Compressor(coding).end(body);
    this.#sendPlain(status, fields, smaller, smaller.length);
  }

  /**
   * Begins an answer whose content follows piece by piece: write() or writeFile(), then end(). The head leaves with the
   * first piece.
   *
   * @throws {LocalProtocolError} as send().
   */
  begin(status: number, fields: FieldsInit = HttpFields.EMPTY, options: BeginOptions = {}): void {
    if (this.#place !== OPEN) throw answered();
    const { length, reason } = options;
    const { compression } = this.#sink;
    if (compression === undefined) {
      this.#writeHead(status, fields, length ?? this.#unknownLength, reason, false);
      return;
    }
    const accept = this.#request.fields.get("accept-encoding");
    const encoded = encode(compression, status, fields, length, accept);
    const isPlain = encoded.coding === undefined;
    this.#writeHead(
      status,
      encoded.fields,
      isPlain ? (length ?? this.#unknownLength) : this.#unknownLength,
      reason,
      false,
    );
    if (encoded.coding !== undefined && this.#hasContent) this.#compressor = new Compressor(encoded.coding);
  }

  /** What would follow HEAD need not be told; untilClose tells nothing. */
  get #unknownLength(): "chunked" | "untilClose" {
    return this.#request.version === "1.1" && this.#request.method !== "HEAD" ? "chunked" : "untilClose";
  }

  #writeHead(
    status: number,
    fields: FieldsInit,
    body: number | "chunked" | "untilClose",
    reason: string | undefined,
    isComplete: boolean,
  ): void {
    const init = { status, fields, body, keepAlive: this.#sink.livesOn(isComplete), date: httpDate() };
    const { writer } = this.#sink;
    this.#hasContent = writer.head(reason === undefined ? init : { ...init, reason }, this.#request);
    this.#place = BEGUN;
    this.#status = status;
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
    this.#checkBegun("write");
    if (this.#hasContent && data.length > 0) {
      const piece = this.#compressor === undefined ? data : await this.#compressor.write(data);
      this.#sink.writer.data(piece);
    }
    await this.#sink.flush();
  }

  /**
   * Sends a part of a file: by sendfile(2) where the connection is a plain socket and the length was announced, else read
   * and written.
   *
   * @param file    stays open, and the caller's.
   * @param start   its first byte, 0 or more.
   * @param length  how many bytes.
   * @throws {LocalProtocolError} as write(); ERR_HTTP_BODY_TOO_SHORT: the file ends before. @throws what node:fs reports.
   */
  async writeFile(file: OpenFile, start: number, length: number): Promise<void> {
    this.#checkBegun("writeFile");
    if (!this.#hasContent || length === 0) return;
    if (this.#compressor === undefined && this.#sink.writer.passBy(length)) {
      await this.#sink.sendFile(file, start, length);
      return;
    }
    const end = start + length;
    for (let at = start; at < end; ) {
      const piece = await readFile(file, at, Math.min(FILE_PIECE_BYTES, end - at));
      if (piece.length === 0) throw mistake("ERR_HTTP_BODY_TOO_SHORT", "the file became shorter");
      await this.write(piece);
      at += piece.length;
    }
  }

  #checkBegun(call: string): void {
    if (this.#place !== BEGUN) throw mistake("ERR_HTTP_SEQUENCE", `${call}() without begin()`);
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
    this.#checkBegun("end");
    const compressor = this.#compressor;
    if (compressor === undefined) {
      this.#finish(trailers);
      return;
    }
    this.#place = CLOSING;
    this.#await(this.#endEncoded(compressor, trailers === undefined ? undefined : HttpFields.from(trailers)));
  }

  async #endEncoded(compressor: Compressor, trailers: HttpFields | undefined): Promise<void> {
    this.#sink.writer.data(await compressor.end(""));
    this.#finish(trailers);
  }

  #finish(trailers: FieldsInit | undefined): void {
    const sends = this.#hasContent && this.#request.version !== "1.0";
    this.#sink.writer.end(sends ? trailers : undefined);
    this.#place = ENDED;
  }

  /** The handler has returned, and nothing more is expected. @internal */
  release(): void {
    if (!this.ended) this.#compressor?.close();
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
      this.#writeHead(this.#request.method === "CONNECT" ? 200 : 101, fields, 0, undefined, false);
      this.#finish(undefined);
      return this.#sink.switchOver();
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function answered(): Error {
  return mistake("ERR_HTTP_SEQUENCE", "the request was answered before");
}
