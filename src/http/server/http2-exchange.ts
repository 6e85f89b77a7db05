// One request of HTTP/2 and its answer: a stream of node:http2 as a handler sees it, which is what a handler sees of HTTP/1.
// What streams there are, and what becomes of their connection, http2-connection.ts knows.

import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { now, startTimer, stopTimer } from "../../engine/clock.ts";
import type { AnyAddress } from "../../index.ts";
import type { ByteStream } from "../../stream/index.ts";
import { LocalProtocolError, ProtocolError } from "../../wire/errors.ts";
import type { RequestHead } from "../events.ts";
import { mistake, refusal, statusOfRefusal } from "../syntax/errors.ts";
import { HttpFields } from "../syntax/fields.ts";
import { reasonOf } from "../syntax/status.ts";
import { checkTrailers } from "../syntax/trailers.ts";
import type { Compression } from "./compression.ts";
import type { HttpHandler } from "./connection.ts";
import { readFile } from "./files.ts";
import type { OpenFile } from "./files.ts";
import { Http2Writer } from "./http2-writer.ts";
import type { CheckedOptions } from "./options.ts";
import { HttpReply } from "./reply.ts";
import type { ReplySink } from "./reply.ts";
import { HttpRequest } from "./request.ts";
import type { RequestSource } from "./request.ts";

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;
const TEXT = { "Content-Type": "text/plain; charset=utf-8" };
const SECOND_MS = 1000;
const FILE_PIECE_BYTES = 65_536;

/** What all requests of a connection have in common. */
export interface Http2Surroundings {
  readonly options: CheckedOptions;
  readonly localAddress: AnyAddress | undefined;
  readonly remoteAddress: AnyAddress | undefined;
  /** Aborted when the connection is to end at once. */
  readonly signal: AbortSignal;
  readonly stopping: AbortSignal;
}

/** Serves one stream. */
export class Http2Exchange implements RequestSource, ReplySink {
  readonly writer: Http2Writer = new Http2Writer();
  readonly #stream: ServerHttp2Stream;
  readonly #around: Http2Surroundings;
  readonly #controller: AbortController = new AbortController();
  #request: HttpRequest | undefined;
  #bodyBytes = 0;
  /** For content, in all. */
  #waitedMs = 0;
  #reading = false;
  /** Why its content cannot be read any further. */
  #refused: Error | undefined;
  #trailers: HttpFields = HttpFields.EMPTY;
  /** Wakes who waits to read or to send. */
  #wake: (() => void) | undefined = undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(stream: ServerHttp2Stream, around: Http2Surroundings) {
    this.#stream = stream;
    this.#around = around;
    stream.on("readable", () => this.#wake?.());
    stream.on("end", () => this.#wake?.());
    stream.on("trailers", (_: IncomingHttpHeaders, _flags: number, raw?: unknown) => this.#trailersCame(raw));
    // What broke is told by "close".
    stream.on("error", () => undefined);
    stream.on("close", () => this.#closed());
  }

  get localAddress(): AnyAddress | undefined {
    return this.#around.localAddress;
  }

  get remoteAddress(): AnyAddress | undefined {
    return this.#around.remoteAddress;
  }

  get stopping(): AbortSignal {
    return this.#around.stopping;
  }

  makeSignal(): AbortSignal {
    return AbortSignal.any([this.#controller.signal, this.#around.signal]);
  }

  get compression(): Compression | undefined {
    return this.#around.options.compression;
  }

  get contentRead(): boolean {
    return this.#request?.ended === true && !this.#reading;
  }

  livesOn(): boolean {
    return true;
  }

  switchOver(): Promise<ByteStream> {
    return Promise.reject(mistake("ERR_HTTP_SEQUENCE", "HTTP/2 hands out no connection"));
  }

  /** Calls the handler, and resolves when its answer was sent or given up. */
  async run(head: RequestHead, handler: HttpHandler): Promise<void> {
    const request = new HttpRequest(this, head);
    const reply = new HttpReply(this, head);
    this.#request = request;
    try {
      const result = handler(request, reply);
      if (result !== undefined) {
        this.flush().catch(() => undefined);
        await result;
      }
      await reply.pending;
      if (!reply.ended) throw mistake("ERR_HTTP_SEQUENCE", "the handler has returned without an answer");
    } catch (error) {
      this.#failed(error, reply);
    }
    reply.release();
    await this.flush().catch(() => undefined);
    // Nobody reads what may still come of the content: RFC 9113 section 8.1.
    if (!this.#stream.closed && !request.ended) this.#stream.close(NGHTTP2_NO_ERROR);
  }

  /** A handler threw, or did not answer. What the client did is no news. */
  #failed(error: unknown, reply: HttpReply): void {
    const isPeers = error === this.#refused || this.#stream.closed || this.#stream.destroyed;
    const isTooLarge = error instanceof LocalProtocolError && error.code === "ERR_HTTP_BODY_TOO_LARGE";
    if (!isPeers && !isTooLarge) this.#around.options.onError(error);
    if (reply.ended) return;
    if (reply.begun) {
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
      return;
    }
    let status = 500;
    if ((error === this.#refused || isTooLarge) && error instanceof ProtocolError)
      status = statusOfRefusal(error);
    reply.send(status, TEXT, `${reasonOf(status)}\n`);
  }

  #trailersCame(raw: unknown): void {
    try {
      const fields = HttpFields.from(pairsOf(raw as readonly string[]));
      checkTrailers(fields);
      this.#trailers = fields;
    } catch (error) {
      this.#refused = error as Error;
      this.#wake?.();
    }
  }

  #closed(): void {
    if (!this.writer.ended || !this.#stream.writableFinished)
      this.#controller.abort(refusal("ERR_HTTP_UNEXPECTED_END", "the client has given up the request"));
    this.#wake?.();
  }

  async readBody(request: HttpRequest): Promise<Buffer | undefined> {
    if (this.#reading) throw mistake("ERR_HTTP_SEQUENCE", "read() waits already");
    if (this.#refused !== undefined) throw this.#refused;
    this.#reading = true;
    try {
      const piece = await this.#readPiece();
      if (piece === undefined) {
        request.ended = true;
        request.trailers = this.#trailers;
      }
      return piece;
    } catch (error) {
      this.#refused = error as Error;
      throw error;
    } finally {
      this.#reading = false;
    }
  }

  async #readPiece(): Promise<Buffer | undefined> {
    const { bodyBytesPerSecondMin, bodyTimeoutMs, limits } = this.#around.options;
    for (;;) {
      const piece = this.#stream.read() as Buffer | null;
      if (this.#refused !== undefined) throw this.#refused;
      if (piece !== null) {
        this.#bodyBytes += piece.length;
        if (this.#bodyBytes > limits.bodyBytesMax)
          throw refusal("ERR_HTTP_BODY_TOO_LARGE", `the content is over ${limits.bodyBytesMax} bytes`);
        return piece;
      }
      if (this.#stream.readableEnded) {
        if (this.#stream.aborted) throw refusal("ERR_HTTP_UNEXPECTED_END", "the content was cut off");
        return undefined;
      }
      if (this.#stream.destroyed || this.#stream.closed)
        throw refusal("ERR_HTTP_UNEXPECTED_END", "the content was cut off");
      // What came pays for the time that it took; the first bodyTimeoutMs are free.
      const earnedMs = (this.#bodyBytes / bodyBytesPerSecondMin) * SECOND_MS;
      await this.#wait(Math.min(bodyTimeoutMs, Math.max(bodyTimeoutMs + earnedMs - this.#waitedMs, 1)));
    }
  }

  /** Until something came. @throws {RemoteProtocolError} not in time. */
  #wait(ms: number): Promise<void> {
    const began = now();
    return new Promise((resolve, reject) => {
      const timer = startTimer(ms, () => {
        this.#wake = undefined;
        reject(refusal("ERR_HTTP_TOO_SLOW", `nothing came in ${ms} ms`));
      });
      this.#wake = () => {
        this.#wake = undefined;
        this.#waitedMs += now() - began;
        stopTimer(timer);
        resolve();
      };
    });
  }

  /** Sends what was written, behind what was sent before. */
  flush(): Promise<void> {
    const sent = this.#sending.then(() => this.#flush());
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  async #flush(): Promise<void> {
    const stream = this.#stream;
    const { writer } = this;
    if (stream.destroyed || stream.closed)
      throw refusal("ERR_HTTP_UNEXPECTED_END", "the client has given up the request");
    for (const headers of writer.takeInformational()) stream.additionalHeaders(headers);
    const head = writer.takeHead();
    const bytes = writer.take();
    const { ended, trailers } = writer;
    if (head !== undefined) {
      const endStream = ended && bytes.length === 0 && trailers === undefined;
      this.#orReset(() => stream.respond(head, { endStream, waitForTrailers: !endStream }));
      stream.on("wantTrailers", () => this.#orReset(() => stream.sendTrailers(writer.trailers ?? {})));
      if (endStream) return;
    }
    if (!stream.headersSent || stream.writableEnded) return;
    if (bytes.length > 0) await this.#write(bytes);
    if (ended) stream.end();
  }

  /** What node:http2 refuses to send ends the stream, and not the process: the client would wait for ever. */
  #orReset(send: () => void): void {
    try {
      send();
    } catch (error) {
      if (this.#stream.closed || this.#stream.destroyed) return;
      this.#around.options.onError(error);
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
    }
  }

  #write(bytes: Buffer): Promise<void> {
    const { sendTimeoutMs } = this.#around.options;
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      // A client that takes nothing: neither of the stream's window, nor of the connection.
      const timer = startTimer(sendTimeoutMs, () => {
        stream.close(NGHTTP2_CANCEL);
        settle(refusal("ERR_HTTP_TOO_SLOW", `the answer was not taken in ${sendTimeoutMs} ms`));
      });
      const settle = (error?: Error | null): void => {
        stopTimer(timer);
        stream.off("close", closed);
        if (error === undefined || error === null) resolve();
        else reject(error);
      };
      const closed = (): void =>
        settle(refusal("ERR_HTTP_UNEXPECTED_END", "the client has given up the request"));
      stream.once("close", closed);
      stream.write(bytes, settle);
    });
  }

  async sendFile(file: OpenFile, start: number, length: number): Promise<void> {
    await this.flush();
    for (let at = start; at < start + length; ) {
      const piece = await readFile(file, at, Math.min(FILE_PIECE_BYTES, start + length - at));
      if (piece.length === 0) {
        this.#stream.close(NGHTTP2_INTERNAL_ERROR);
        throw mistake("ERR_HTTP_BODY_TOO_SHORT", "the file became shorter");
      }
      await this.#write(piece);
      at += piece.length;
    }
  }
}

/** Names and values of a flat list, without pseudo-fields. */
export function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] as string;
    if (!name.startsWith(":")) pairs.push([name, raw[at + 1] as string]);
  }
  return pairs;
}
