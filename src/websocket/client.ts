// The client's opening: a connection, with TLS where it is wss://, a request, the answer. What follows is connection.ts's.
// TLS is loaded when it is wanted.

import { startTimer, stopTimer } from "../engine/clock.ts";
import { ResponseParser } from "../http/parser.ts";
import { HttpFields } from "../http/syntax/fields.ts";
import type { FieldsInit } from "../http/syntax/fields.ts";
import { PAUSED } from "../http/syntax/message-parser.ts";
import { RequestWriter } from "../http/writer.ts";
import { HandedOverStream } from "../stream/handed-over.ts";
import { connectTcp } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";
import type { TlsClientOptions } from "../tls/index.ts";
import { RemoteProtocolError } from "../wire/errors.ts";
import { invalidArgument } from "../wire/misuse.ts";
import { NEED_DATA } from "../wire/need-data.ts";
import type { ResponseHead } from "../http/events.ts";
import { Deflate } from "./compression.ts";
import { WebSocketConnection } from "./connection.ts";
import { checkOptions, checkTime } from "./options.ts";
import type { WebSocketOptions } from "./options.ts";
import { offerDeflate, readDeflate } from "./syntax/deflate.ts";
import { refusal } from "./syntax/errors.ts";
import { checkAddedFields, makeKey, readAnswer, requestFields } from "./syntax/handshake.ts";
import type { Asking } from "./syntax/handshake.ts";

/** What connect() takes last. */
export interface ConnectOptions extends WebSocketOptions {
  /** Subprotocols, the best first. Default none. */
  readonly protocols?: readonly string[] | undefined;
  /** Fields beside those of the handshake: Authorization, Cookie, Origin. */
  readonly headers?: FieldsInit | undefined;
  /** Ends the opening. Of an open connection it ends nothing. */
  readonly signal?: AbortSignal | undefined;
  /** For all of the opening. Default 10000, as in Python's websockets. */
  readonly openTimeoutMs?: number | undefined;
  /** A connected stream in place of TCP to the URL's host; it belongs to the connection from now on. Of wss:// TLS is begun on it. */
  readonly stream?: ByteStream | undefined;
  /** Of wss://: whom to trust, who the client is. */
  readonly tls?: TlsClientOptions | undefined;
}

/** The server answers, and does not open a WebSocket. `code` is ERR_WEBSOCKET_STATUS. */
export class HandshakeError extends RemoteProtocolError {
  static {
    HandshakeError.prototype.name = "HandshakeError";
  }
  /** What it answers: 401, 404 … */
  readonly status: number;
  /** With which fields: Location, WWW-Authenticate … */
  readonly fields: HttpFields;

  /** @internal */
  constructor({ status, fields }: ResponseHead) {
    super("ERR_WEBSOCKET_STATUS", `the server answered ${status}, not 101`);
    this.status = status;
    this.fields = fields;
  }
}

const OPEN_TIMEOUT_MS = 10_000;
/** RFC 6455 section 3. */
const PORT = 80;
const TLS_PORT = 443;

function urlOf(text: string | URL): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Told below.
  }
  // RFC 6455 section 3: no fragment. Names and passwords belong into `headers`, where they are seen.
  if (
    url === undefined ||
    !["ws:", "wss:"].includes(url.protocol) ||
    url.hash + url.username + url.password !== ""
  )
    throw invalidArgument("url", "a ws:// or wss:// URL without a fragment and a user", String(text));
  return url;
}

/** Connects to a URL's host, or goes on with what is connected. */
async function open(url: URL, { stream, tls }: ConnectOptions, signal: AbortSignal): Promise<ByteStream> {
  const host = url.hostname.replaceAll(/^\[|\]$/g, "");
  if (url.protocol === "ws:")
    return stream ?? (await connectTcp(host, url.port === "" ? PORT : Number(url.port), { signal }));
  const { connectTls, startTls } = await import("../tls/index.ts");
  return stream === undefined
    ? await connectTls(host, url.port === "" ? TLS_PORT : Number(url.port), { ...tls, signal })
    : await startTls(stream, { serverName: host, ...tls, signal });
}

/** Receives the answer. @returns its head, and what came behind it. */
async function receiveAnswer(
  stream: ByteStream,
  signal: AbortSignal,
): Promise<{ readonly head: ResponseHead; readonly rest: Buffer }> {
  const parser = new ResponseParser();
  parser.expect("GET", true);
  let head: ResponseHead | undefined;
  for (;;) {
    const event = parser.next();
    if (event === NEED_DATA) {
      const bytes = await stream.receiveSome(undefined, { signal });
      if (bytes.length === 0) parser.receiveEnd();
      else parser.receive(bytes);
    } else if (event === PAUSED) return { head: head as ResponseHead, rest: parser.takeRest() };
    else if (event.type === "response") {
      // What a refusal says at length nobody waits for.
      if (event.status !== 101) throw new HandshakeError(event);
      head = event;
    } else if (event.type === "closed")
      throw refusal("ERR_WEBSOCKET_UNEXPECTED_END", "the server ended the connection instead of an answer");
  }
}

/**
 * Opens a WebSocket.
 *
 * @param url  ws://HOST[:PORT]/PATH?QUERY, or wss:// for TLS; ports 80 and 443 if none is named.
 * @example
 * await using socket = await connect("ws://127.0.0.1:8080/chat", { protocols: ["chat"] });
 * await socket.send("hello");
 * for await (const message of socket) console.log(message);
 * @throws {HandshakeError} the server answered with another status than 101.
 * @throws {RemoteProtocolError} ERR_WEBSOCKET_ACCEPT, ERR_WEBSOCKET_UPGRADE, ERR_WEBSOCKET_PROTOCOL,
 *   ERR_WEBSOCKET_EXTENSIONS: what it agrees to was not asked for; ERR_HTTP_…: its answer is none;
 *   ERR_WEBSOCKET_PEER_SILENT: openTimeoutMs is up.
 * @throws {LocalProtocolError} ERR_WEBSOCKET_PROTOCOL, ERR_WEBSOCKET_UPGRADE: protocols or headers that cannot be.
 * @throws {ConnectError} as connectTcp(). @throws {TlsError} as startTls(). @throws the signal's reason. @throws {TypeError} ERR_INVALID_ARG_TYPE.
 *   @throws {RangeError} ERR_OUT_OF_RANGE.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<WebSocketConnection> {
  const target = urlOf(url);
  const checked = checkOptions(options);
  const { compression } = checked;
  const { protocols = [], headers = HttpFields.EMPTY, openTimeoutMs = OPEN_TIMEOUT_MS } = options;
  const timeoutMs = checkTime("options.openTimeoutMs", openTimeoutMs);
  const extensions = compression === undefined ? undefined : offerDeflate(compression);
  const asking: Asking = { key: makeKey(), protocols, extensions };
  const fields = [
    ["Host", target.host] as const,
    ...requestFields(asking),
    ...checkAddedFields(HttpFields.from(headers)),
  ];
  const writer = new RequestWriter();
  writer.head({ method: "GET", target: target.pathname + target.search, fields });
  writer.end();

  const late = new AbortController();
  const timer = startTimer(timeoutMs, () =>
    late.abort(refusal("ERR_WEBSOCKET_PEER_SILENT", `not open after ${timeoutMs} ms`)),
  );
  timer.ref();
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([options.signal, late.signal]);
  let stream = options.stream;
  try {
    signal.throwIfAborted();
    stream = await open(target, options, signal);
    await stream.sendAll(writer.take(), { signal });
    const { head, rest } = await receiveAnswer(stream, signal);
    const { protocol, extensions: agreed } = readAnswer(head, asking);
    const agreement = readDeflate(agreed, compression);
    const deflate =
      agreement === undefined
        ? undefined
        : new Deflate("client", agreement, compression ?? {}, checked.limits.decompressedBytesMax);
    return new WebSocketConnection({
      stream: rest.length === 0 ? stream : new HandedOverStream(stream, rest),
      role: "client",
      options: checked,
      protocol,
      deflate,
    });
  } catch (error) {
    stream?.close();
    throw error;
  } finally {
    stopTimer(timer);
  }
}
