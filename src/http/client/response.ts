// An answer as a program sees it: what its head says, and its content, pulled. What came together with the head is here
// already, and nearly always that is all of it. Where more comes from, connection.ts knows.

import type { ByteStream } from "../../stream/index.ts";
import { Content } from "../content.ts";
import type { BodyFraming, HttpVersion, ResponseHead } from "../events.ts";
import { mistake } from "../syntax/errors.ts";
import { HttpFields } from "../syntax/fields.ts";
import { Decoder } from "./decoder.ts";

/** What an answer needs of its connection. */
export interface ResponseSource {
  /** The next piece of the content of this answer; undefined: it is over, and it was told complete(). */
  readBody(response: HttpResponse): Promise<Buffer | undefined>;
  /** Nobody reads the rest of it. */
  leave(response: HttpResponse): void;
}

/** How much bytes(), text() and json() take unless they are told otherwise: 128 MiB, as much as a server takes. */
const BYTES_MAX = 134_217_728;
const NOTHING: Promise<undefined> = Promise.resolve(undefined);
const NO_PIECES: readonly Buffer[] = [];
const NO_BYTES: Buffer = Buffer.alloc(0);

/** The answer to a request. Read its content to the end, or close() it: until then it has its connection for itself. */
export class HttpResponse extends Content implements AsyncDisposable {
  readonly #source: ResponseSource;
  readonly #head: ResponseHead;
  /** Which of its connection's answers it is. @internal */
  readonly turn: number;
  /** Bytes of content that came so far. @internal */
  receivedBytes = 0;
  /** What was asked for. */
  readonly url: string;
  /** Fields behind the content; empty until it was read to its end. */
  trailers: HttpFields = HttpFields.EMPTY;
  /**
   * Of an answer that accepted another protocol (101): the connection, which begins with what came behind the answer. It
   * is the caller's from now on.
   */
  readonly stream: ByteStream | undefined;
  #pieces: Buffer[] = NO_PIECES as Buffer[];
  /** How many redirections led to it; where they were followed. */
  redirects = 0;
  #complete = false;
  #decoder: Decoder | undefined = undefined;
  #closed = false;

  /** @internal */
  constructor(source: ResponseSource, url: string, head: ResponseHead, turn: number, stream?: ByteStream) {
    super();
    this.#source = source;
    this.#head = head;
    this.url = url;
    this.turn = turn;
    this.stream = stream;
  }

  /** 200 to 999, or 101. Above 599 it is to be treated as 5xx (RFC 9110 section 15). */
  get status(): number {
    return this.#head.status;
  }

  /** Whether the status is one of success: 200 to 299. */
  get ok(): boolean {
    const { status } = this.#head;
    return status >= 200 && status < 300;
  }

  /** Words for a person; often empty. */
  get reason(): string {
    return this.#head.reason;
  }

  /** The version that the server speaks. */
  get version(): HttpVersion {
    return this.#head.version;
  }

  /** The head's fields. */
  get headers(): HttpFields {
    return this.#head.fields;
  }

  /** How the end of the content is told: its length, "chunked", or "untilClose". */
  override get body(): BodyFraming {
    return this.#head.body;
  }

  /**
   * The next piece of the content.
   *
   * @returns undefined: the content is over. One call at a time.
   * @throws {RemoteProtocolError} ERR_HTTP_…: the content is refused; ERR_HTTP_UNEXPECTED_END: it was cut off.
   * @throws {RemoteProtocolError} ERR_HTTP_CONTENT_CODING, ERR_HTTP_BODY_TOO_LARGE: of a content that is decoded.
   * @throws {RequestTimeoutError} nothing came in time. @throws the reason of the request's signal.
   * @throws {LocalProtocolError} ERR_HTTP_SEQUENCE: the response was closed, or read() already waits.
   */
  override read(): Promise<Buffer | undefined> {
    if (this.#closed) return Promise.reject(mistake("ERR_HTTP_SEQUENCE", "the response was closed"));
    return this.#decoder === undefined ? this.#readRaw() : this.#decoder.read();
  }

  /** As it was sent. */
  #readRaw(): Promise<Buffer | undefined> {
    if (this.#pieces.length > 0) return Promise.resolve(this.#pieces.shift());
    return this.#complete ? NOTHING : this.#source.readBody(this);
  }

  async *#raw(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const piece = await this.#readRaw();
      if (piece === undefined) return;
      yield piece;
    }
  }

  /** The whole content, read as JSON. @throws {SyntaxError} it is none; and as bytes(). */
  async json(bytesMax?: number): Promise<unknown> {
    return JSON.parse(await this.text(bytesMax));
  }

  /**
   * Drops the rest of the content. The connection lives on where not much of it is left, and is closed otherwise. A loop
   * over the content that is left does the same. Again, or at the end: does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#decoder?.close();
    if (this.#complete) return;
    this.#pieces = NO_PIECES as Buffer[];
    this.#source.leave(this);
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** A piece came with the head. @internal */
  add(piece: Buffer): void {
    this.receivedBytes += piece.length;
    if (this.#pieces.length === 0) this.#pieces = [piece];
    else this.#pieces.push(piece);
  }

  /** The content is over. @internal */
  complete(trailers: HttpFields): void {
    this.trailers = trailers;
    this.#complete = true;
  }

  /** Gives its content decoded from now on, where it is coded. @internal */
  decode(bytesMax: number): void {
    if (this.body !== 0)
      this.#decoder = Decoder.of(this.#raw(), this.headers.get("content-encoding"), bytesMax);
  }

  /** Whether all of it is here, as it was sent. @internal */
  get isReady(): boolean {
    return this.#complete && this.#decoder === undefined;
  }

  /** Of a content that is decoded nobody knows. */
  protected override get announced(): number | undefined {
    return this.#decoder === undefined ? super.announced : undefined;
  }

  protected override get bytesMax(): number {
    return BYTES_MAX;
  }

  protected override leave(): void {
    this.close();
  }

  protected override takeReady(): Buffer | undefined {
    if (!this.isReady) return undefined;
    const pieces = this.#pieces;
    this.#pieces = NO_PIECES as Buffer[];
    return pieces.length === 1 ? pieces[0] : pieces.length === 0 ? NO_BYTES : Buffer.concat(pieces);
  }
}
