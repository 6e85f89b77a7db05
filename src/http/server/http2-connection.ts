// One connection of HTTP/2: frames, windows and header compression are node:http2's, over a stream of ours. Requests of its
// streams go to the same handlers as those of HTTP/1. RFC 9113. It knows no listener.
//
// Why so few limits are here. Node's nghttp2 bounds what a peer can have it keep: settings, pings and header blocks that go
// on and on, streams that are reset at once (CVE-2023-44487), memory of a session. What it cannot see is a handler that still
// runs for a stream that is gone, and a connection that is kept busy and asks for nothing.

import { constants, performServerHandshake } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { startTimer, stopTimer } from "../../engine/clock.ts";
import type { Timer } from "../../engine/clock.ts";
import { toDuplex } from "../../stream/index.ts";
import type { ByteStream } from "../../stream/index.ts";
import type { Connection } from "../../server/index.ts";
import type { RequestHead } from "../events.ts";
import { HttpFields } from "../syntax/fields.ts";
import type { HttpHandler } from "./connection.ts";
import { Http2Exchange, pairsOf } from "./http2-exchange.ts";
import type { Http2Surroundings } from "./http2-exchange.ts";
import type { CheckedOptions } from "./options.ts";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;

/** Requests of one connection at once: RFC 9113 section 6.5.2 recommends no fewer than 100. */
const STREAMS_MAX = 100;
/** Handlers at once, with those whose streams the client has reset. A client that goes on is ended. */
const HANDLERS_MAX = 2 * STREAMS_MAX;
/** Request Header Fields Too Large: RFC 6585 section 5. */
const TOO_LARGE = 431;
/** Megabytes that nghttp2 may keep for one connection; Node's default is 10. */
const SESSION_MEGABYTES_MAX = 10;

/** Serves one connection whose client has chosen "h2". */
export class Http2Connection {
  readonly #beneath: Duplex;
  readonly #session: ServerHttp2Session;
  readonly #handler: HttpHandler;
  readonly #around: Http2Surroundings;
  #requestsLeft: number;
  #running = 0;
  #open = 0;
  #idle: Timer | undefined;

  constructor(
    stream: ByteStream,
    handler: HttpHandler,
    options: CheckedOptions,
    served: Pick<Connection, "signal" | "stopping">,
  ) {
    const { localAddress, remoteAddress } = stream;
    const { signal, stopping } = served;
    const { headerBytesMax, headerCountMax } = options.limits;
    this.#handler = handler;
    this.#around = { options, localAddress, remoteAddress, signal, stopping };
    this.#requestsLeft = options.requestsMax;
    this.#beneath = toDuplex(stream);
    this.#session = performServerHandshake(this.#beneath, {
      maxSessionMemory: SESSION_MEGABYTES_MAX,
      // With the pseudo-fields.
      maxHeaderListPairs: Math.min(headerCountMax + 8, 0xff_ff_ff),
      settings: {
        maxConcurrentStreams: STREAMS_MAX,
        maxHeaderListSize: Math.min(headerBytesMax, 0x7f_ff_ff_ff),
        enablePush: false,
      },
    });
  }

  /** Serves requests until there are no more. */
  run(): Promise<void> {
    const session = this.#session;
    this.#wait();
    session.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, raw?: unknown) =>
        this.#serve(stream, headers, raw),
    );
    // That the client is gone, or broke the rules, is no failure of the server's.
    session.on("error", () => undefined);
    const { signal } = this.#around;
    const abort = (): void => session.destroy();
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    return new Promise((resolve) =>
      session.once("close", () => {
        stopTimer(this.#idle);
        signal.removeEventListener("abort", abort);
        resolve();
      }),
    );
  }

  /** Ends it when what is being answered has been: at once if that is nothing. */
  stop(): void {
    if (!this.#session.closed) this.#session.close();
  }

  /** Nothing is asked: not for long. A session that has ended in order still waits for the client's end. */
  #wait(): void {
    this.#idle = startTimer(this.#around.options.keepAliveTimeoutMs, () => {
      if (this.#session.destroyed) {
        this.#beneath.destroy();
        return;
      }
      this.#session.goaway(NGHTTP2_NO_ERROR);
      this.#session.destroy();
    });
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: unknown): void {
    if (this.#open++ === 0) stopTimer(this.#idle);
    stream.once("close", () => {
      if (--this.#open === 0 && !this.#beneath.destroyed) this.#wait();
    });
    if (this.#running >= HANDLERS_MAX) {
      this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    const head = this.#read(stream, headers, raw as readonly string[]);
    if (head === undefined) return;
    if (--this.#requestsLeft <= 0) this.stop();
    this.#running++;
    void new Http2Exchange(stream, this.#around).run(head, this.#handler).finally(() => this.#running--);
  }

  /** @returns undefined: it was refused. */
  #read(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
  ): RequestHead | undefined {
    const { headerBytesMax, startLineBytesMax } = this.#around.options.limits;
    stream.on("error", () => undefined);
    // SETTINGS tells the client, and binds it to nothing.
    if (bytesOf(raw) > headerBytesMax + startLineBytesMax) {
      stream.respond({ ":status": TOO_LARGE }, { endStream: true });
      if (!stream.closed) stream.close(NGHTTP2_NO_ERROR);
      return undefined;
    }
    let head: RequestHead | undefined;
    try {
      head = headOf(stream, headers, pairsOf(raw));
    } catch {
      head = undefined; // A character that no field can have.
    }
    if (head === undefined) stream.close(NGHTTP2_PROTOCOL_ERROR);
    return head;
  }
}

/** As the field lines of HTTP/1 are counted, with colon, blank and CRLF. */
function bytesOf(raw: readonly string[]): number {
  return raw.reduce((sum, text) => sum + text.length + 2, 0);
}

/** @returns undefined: it names two hosts, or it is none that is answered: CONNECT, which HTTP/2 has in a form of its own. */
function headOf(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  pairs: [string, string][],
): RequestHead | undefined {
  const method = headers[":method"];
  const target = headers[":path"];
  if (method === undefined || target === undefined || method === "CONNECT") return undefined;
  const { ":authority": authority = headers.host ?? "", host = authority } = headers;
  // Two readings of one request: RFC 9113 section 8.3.1.
  if (host.toLowerCase() !== authority.toLowerCase()) return undefined;
  // Whoever looks for Host finds what stands for it here.
  if (headers.host === undefined && authority !== "") pairs.unshift(["host", authority]);
  const cookies = pairs.filter(([name]) => name === "cookie");
  // In HTTP/2 cookies may come one by one: RFC 9113 section 8.2.3.
  const fields =
    cookies.length < 2
      ? pairs
      : [
          ...pairs.filter(([name]) => name !== "cookie"),
          ["cookie", cookies.map(([, value]) => value).join("; ")] as [string, string],
        ];
  const length = headers["content-length"];
  return {
    type: "request",
    method,
    target,
    version: "2.0",
    fields: HttpFields.from(fields),
    authority,
    body: stream.endAfterHeaders ? 0 : length === undefined ? "chunked" : Number(length),
    keepAlive: true,
    expectsContinue: false,
    upgrade: false,
  };
}
