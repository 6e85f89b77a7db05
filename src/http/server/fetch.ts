// The web's way to answer: a function from Request to Response. It turns one into an HttpHandler, and knows nothing of
// connections. Node's own Request and Response are used as they are, so that everything that knows them works with them.
//
// What that costs. Making Node's Request and Response takes several times as long as parsing and writing the message; a
// program that counts microseconds answers with an HttpHandler instead.

import type { AnyAddress } from "../../index.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { HttpHandler } from "./connection.ts";
import type { HttpReply } from "./reply.ts";
import type { HttpRequest } from "./request.ts";

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
  return async (raw, reply) => {
    if (FORBIDDEN_METHODS.has(raw.method)) return reply.send(501, TEXT, `${raw.method} is not implemented\n`);
    const request = requestOf(raw, scheme);
    if (request === undefined) return reply.send(400, TEXT, "ERR_HTTP_TARGET\n");
    const response = await fetch(request, new Info(raw, reply));
    if (reply.begun) return undefined;
    if (!(response instanceof Response))
      throw invalidArgument("what fetch() returned", "a Response", response);
    return await respond(response, raw, reply);
  };
}

/** Where a request without any host was sent to. */
function ownAuthority({ localAddress }: HttpRequest): string {
  if (!Array.isArray(localAddress)) return "localhost";
  const [host, port] = localAddress as readonly unknown[];
  return String(host).includes(":") ? `[${String(host)}]:${String(port)}` : `${String(host)}:${String(port)}`;
}

/** @returns undefined: the target makes no URL. */
function requestOf(raw: HttpRequest, scheme: string): Request | undefined {
  const { method, target } = raw;
  const authority = raw.authority === "" ? ownAuthority(raw) : raw.authority;
  let url = target;
  if (target === "*") url = `${scheme}://${authority}/*`;
  else if (target.startsWith("/")) url = `${scheme}://${authority}${target}`;
  if (!URL.canParse(url)) return undefined;
  const init: globalThis.RequestInit & { duplex?: "half" } = {
    method,
    headers: [...raw.fields],
  };
  if (raw.body !== 0 && method !== "GET" && method !== "HEAD") {
    init.body = contentOf(raw);
    init.duplex = "half";
  }
  return new Request(url, init);
}

/** The content as a stream that reads when it is read, and no further. */
function contentOf(raw: HttpRequest): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await raw.read();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Fields that belong to a connection, not to a message (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set(
  "connection keep-alive proxy-connection te trailer transfer-encoding upgrade".split(" "),
);

/** Fields of a Response, without those that tell how it came from another server. */
function fieldsOf(response: Response): [string, string][] {
  const fields: [string, string][] = [];
  for (const [name, value] of response.headers)
    if (!HOP_BY_HOP.has(name) || (name === "connection" && value.toLowerCase() === "close"))
      fields.push([name, value]);
  return fields;
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

async function respond(response: Response, raw: HttpRequest, reply: HttpReply): Promise<void> {
  const { status, statusText, body, headers } = response;
  const fields = fieldsOf(response);
  const reason = statusText === "" ? undefined : statusText;
  const told = headers.get("content-length");
  const length = told === null ? undefined : Number(told);
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
