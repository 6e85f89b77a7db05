// What a handler is told of a request, and its content, pulled. Where the content comes from, connection.ts knows.

import type { AnyAddress } from "../../index.ts";
import { Content } from "../content.ts";
import type { BodyFraming, RequestHead, RequestVersion } from "../events.ts";
import { HttpFields } from "../syntax/fields.ts";

/** What a request needs of its connection. */
export interface RequestSource {
  readonly localAddress: AnyAddress | undefined;
  readonly remoteAddress: AnyAddress | undefined;
  readonly stopping: AbortSignal;
  makeSignal(): AbortSignal;
  /** The next piece of the content of this request; undefined: it is over, and its trailers are set. */
  readBody(request: HttpRequest): Promise<Buffer | undefined>;
}

const QUESTION_MARK = "?";

/**
 * One request, as a handler of HttpServer sees it. Its content is within the server's limits.bodyBytesMax; a handler that
 * lets bytes() or text() throw what is over a limit of its own is answered with 413.
 */
export class HttpRequest extends Content {
  readonly #source: RequestSource;
  readonly #head: RequestHead;
  /** @internal */
  ended: boolean;
  #signal: AbortSignal | undefined;
  /** Fields behind the content; empty until it was read to its end. */
  trailers: HttpFields = HttpFields.EMPTY;

  /** @internal */
  constructor(source: RequestSource, head: RequestHead) {
    super();
    this.#source = source;
    this.#head = head;
    this.ended = head.body === 0;
  }

  /** As it was sent: case counts. */
  get method(): string {
    return this.#head.method;
  }

  /** As it was sent: "/a?b", "http://host/a", "host:443" of CONNECT, "*" of OPTIONS. */
  get target(): string {
    return this.#head.target;
  }

  /** The path of the target: of "/a?b" and of "http://host/a?b" it is "/a"; "*" and "host:443" are left as they are. */
  get path(): string {
    const { target } = this.#head;
    const end = target.indexOf(QUESTION_MARK);
    const path = end < 0 ? target : target.slice(0, end);
    return path.startsWith("/") ? path : pathOfUri(path);
  }

  /** The target behind its question mark; "": there is none. Nothing is decoded. */
  get query(): string {
    const { target } = this.#head;
    const end = target.indexOf(QUESTION_MARK);
    return end < 0 ? "" : target.slice(end + 1);
  }

  /** The version that the client speaks. */
  get version(): RequestVersion {
    return this.#head.version;
  }

  /** The head's fields. */
  get fields(): HttpFields {
    return this.#head.fields;
  }

  /** The host that it is for, with its port if one was named; "": it names none. */
  get authority(): string {
    return this.#head.authority;
  }

  /** How the end of the content is told: its length, or "chunked". */
  override get body(): BodyFraming {
    return this.#head.body;
  }

  /** Another protocol was offered: HttpReply.upgrade() accepts it. */
  get upgrade(): boolean {
    return this.#head.upgrade;
  }

  /** The client's address. */
  get remoteAddress(): AnyAddress | undefined {
    return this.#source.remoteAddress;
  }

  /** This side's address. */
  get localAddress(): AnyAddress | undefined {
    return this.#source.localAddress;
  }

  /**
   * Aborted when the connection breaks or is ended while the request is being answered. A client that merely goes away is
   * noticed when something is sent to it, or received from it.
   */
  get signal(): AbortSignal {
    return (this.#signal ??= this.#source.makeSignal());
  }

  /** Aborted when the server begins to shut down: an answer without end shall find one. */
  get stopping(): AbortSignal {
    return this.#source.stopping;
  }

  /**
   * The next piece of the content. A client that waits for 100 (Continue) gets it with the first call.
   *
   * @returns undefined: the content is over. One call at a time.
   * @throws {RemoteProtocolError} ERR_HTTP_…: the content is refused. ERR_HTTP_TOO_SLOW: the client did not send it in time.
   * @throws {LocalProtocolError} ERR_HTTP_SEQUENCE: the answer is complete, or read() already waits.
   */
  override read(): Promise<Buffer | undefined> {
    return this.ended ? NOTHING : this.#source.readBody(this);
  }
}

const NOTHING: Promise<undefined> = Promise.resolve(undefined);

/** What stands behind the host of a whole URI; the parser has let http and https through alone. */
function pathOfUri(text: string): string {
  const found = /^https?:\/\/[^/]*(\/.*)?$/is.exec(text);
  return found === null ? text : (found[1] ?? "/");
}
