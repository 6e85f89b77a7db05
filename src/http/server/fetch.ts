// The web's way to answer: a function from Request to Response. It turns one into an HttpHandler, and knows nothing of
// connections.
//
// What that costs. Making the runtime's Request and Response takes several times as long as parsing and writing the message.
// So a Request is light (web/light-request.ts) where the runtime takes such a one for its own, and a Response that was made
// light (web/light-response.ts) or whose content can be seen is sent without a stream.

import type { AnyAddress } from "../../index.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { HttpHandler } from "./connection.ts";
import type { HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";
import { mayBeLight } from "./web/globals.ts";
import { lightRequest, normalMethod, runtimeRequest } from "./web/light-request.ts";
import { plainOf } from "./web/light-response.ts";
import type { Plain } from "./web/light-response.ts";
import { takeSource } from "./web/runtime-body.ts";
import { RuntimeResponse, bodyUsed } from "./web/runtime.ts";
import { urlOf } from "./web/url.ts";

/** What a fetch handler is told besides the request. */
export interface FetchInfo {
  /** The client's address. */
  readonly remoteAddress: AnyAddress | undefined;
  /** This side's address. */
  readonly localAddress: AnyAddress | undefined;
  /** The request as it was sent: its target, its fields in order; its content, where a Request can have none. */
  readonly raw: HttpRequest;
  /** Answers without a Response: 103, another protocol, files. What the handler returns after that is not sent. */
  readonly reply: HttpReply;
}

/** Answers one request. */
export type FetchHandler = (
  request: Request,
  info: FetchInfo,
) => Response | undefined | Promise<Response | undefined>;

class Info implements FetchInfo {
  readonly raw: HttpRequest;
  readonly reply: HttpReply;

  constructor(raw: HttpRequest, reply: HttpReply) {
    this.raw = raw;
    this.reply = reply;
  }

  get remoteAddress(): AnyAddress | undefined {
    return this.raw.remoteAddress;
  }

  get localAddress(): AnyAddress | undefined {
    return this.raw.localAddress;
  }
}

/** Methods that no Request can have (Fetch Standard, "forbidden method"); TRACK is no method of HTTP's. */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE", "TRACK"]);

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

/**
 * Makes a handler of HttpServer from a fetch handler.
 *
 * @param scheme  of the URLs: "http", or "https" where the listener speaks TLS.
 */
export function fetchHandler(fetch: FetchHandler, scheme: "http" | "https" = "http"): HttpHandler {
  if (typeof fetch !== "function") throw invalidArgument("fetch", "a function", fetch);
  return (raw, reply) => {
    const method = normalMethod(raw.method);
    if (FORBIDDEN_METHODS.has(method.toUpperCase()))
      return reply.send(501, TEXT, `${raw.method} is not implemented\n`);
    const url = urlOf(raw, scheme);
    if (url === undefined) return reply.send(400, TEXT, "ERR_HTTP_TARGET\n");
    const make = mayBeLight() ? lightRequest : runtimeRequest;
    const response = fetch(make(raw, method, url), new Info(raw, reply));
    // Without a promise where there is none: it would cost a turn of the loop of microtasks.
    return response instanceof RuntimeResponse
      ? answer(response, raw, reply)
      : answerLater(response, raw, reply);
  };
}

async function answerLater(
  coming: Promise<Response | undefined> | undefined,
  raw: HttpRequest,
  reply: HttpReply,
): Promise<void> {
  await answer(await coming, raw, reply);
}

function answer(response: Response | undefined, raw: HttpRequest, reply: HttpReply): void | Promise<void> {
  if (reply.begun) return;
  if (!(response instanceof RuntimeResponse))
    throw invalidArgument("what fetch() returned", "a Response", response);
  const plain = plainOf(response);
  return plain === undefined ? respond(response, raw, reply) : respondPlain(plain, raw, reply);
}

/** Fields that belong to a connection, not to a message (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set(
  "connection keep-alive proxy-connection te trailer transfer-encoding upgrade".split(" "),
);

/** What is sent of a Response's headers, and the length that they tell. */
interface Sent {
  readonly fields: [string, string][];
  readonly told: string | undefined;
}

/** Headers of a Response, without those that tell how it came from another server. */
function fieldsOf(headers: Iterable<readonly [string, string]>): Sent {
  const fields: [string, string][] = [];
  let told: string | undefined;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "content-length") told = value;
    if (!HOP_BY_HOP.has(lower) || (lower === "connection" && value.toLowerCase() === "close"))
      fields.push([name, value]);
  }
  return { fields, told };
}

/** Sends an answer of which all is known. */
function respondPlain(plain: Plain, raw: HttpRequest, reply: HttpReply): void | Promise<void> {
  const { status, statusText, body } = plain;
  const { fields, told } = fieldsOf(plain.headers);
  if (statusText === "" && told === undefined) return reply.send(status, fields, body ?? "");
  const reason = statusText === "" ? undefined : statusText;
  let length = told === undefined ? undefined : Number(told);
  if (body === null) length ??= 0;
  else length ??= typeof body === "string" ? Buffer.byteLength(body) : body.length;
  reply.begin(status, fields, { length, reason });
  if (body === null || raw.method === "HEAD") return reply.end();
  return reply.write(body).then(() => reply.end());
}

const TURN: Promise<void> = Promise.resolve();

/** How many turns of microtasks a stream that has ended already takes to say so, and some more. */
const END_TURNS = 8;

/** Whether a stream ends at once. One that merely has more later, or waits for it, does not. */
async function endsAtOnce(next: Promise<{ readonly done: boolean }>): Promise<boolean> {
  const seen = { settled: false, done: false };
  next.then(
    ({ done }) => Object.assign(seen, { settled: true, done }),
    () => (seen.settled = true),
  );
  for (let turn = 0; turn < END_TURNS && !seen.settled; turn++) await TURN;
  return seen.done;
}

function respond(response: Response, raw: HttpRequest, reply: HttpReply): void | Promise<void> {
  const { status, statusText, headers, body } = response;
  // One that was sent before, or read, would look like an empty one.
  if (body !== null && response.bodyUsed) throw bodyUsed();
  const whole = body === null ? undefined : takeSource(response, body);
  return whole === undefined
    ? respondPieces(response, raw, reply)
    : respondPlain({ status, statusText, headers, body: whole }, raw, reply);
}

/** Sends an answer whose content is a stream. */
async function respondPieces(response: Response, raw: HttpRequest, reply: HttpReply): Promise<void> {
  const { status, statusText, body } = response;
  const { fields, told } = fieldsOf(response.headers);
  const reason = statusText === "" ? undefined : statusText;
  const length = told === undefined ? undefined : Number(told);
  if (body === null || raw.method === "HEAD") {
    await body?.cancel();
    // What a GET would bring is not known here, unless it was said.
    reply.begin(status, fields, { length: length ?? (body === null ? 0 : undefined), reason });
    reply.end();
    return;
  }
  const reader = body.getReader();
  try {
    const first = await reader.read();
    if (first.done) {
      reply.begin(status, fields, { length: length ?? 0, reason });
      reply.end();
      return;
    }
    const next = reader.read();
    const isWhole = length === undefined && (await endsAtOnce(next));
    const piece = bytesOf(first.value);
    if (isWhole && reason === undefined) {
      reply.send(status, fields, piece);
      return;
    }
    reply.begin(status, fields, { length: isWhole ? piece.length : length, reason });
    await reply.write(piece);
    for (let found = await next; !found.done; found = await reader.read())
      await reply.write(bytesOf(found.value));
    reply.end();
  } catch (error) {
    // Its source shall know that nobody wants more.
    await reader.cancel(error).catch(() => {});
    throw error;
  }
}

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw invalidArgument("a piece of a Response's body", "a Uint8Array", piece);
}
