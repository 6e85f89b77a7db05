// What a client does around single requests when it is asked to: it follows redirections, keeps cookies, and decodes
// contents. RFC 9110 sections 15.4 and 8.4, the fetch standard's rules where browsers and RFC differ. It sends nothing itself.

import { now } from "../../engine/clock.ts";
import { HttpFields } from "../syntax/fields.ts";
import { mistake, refusal } from "../syntax/errors.ts";
import { ACCEPT_ENCODING } from "./decoder.ts";
import { RequestTimeoutError } from "./errors.ts";
import type { CookieJar, Manner, RequestOptions, RequestTls } from "./options.ts";
import type { HttpResponse } from "./response.ts";
import { destinationOf } from "./url.ts";

/** Sends one request. */
export type Send = (url: string, options: RequestOptions) => Promise<HttpResponse>;

const FOUND: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const SEE_OTHER = 303;
/** To another origin these are not for. */
const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "host"]);
/** What describes a content that is not sent any more. */
const OF_CONTENT = /^content-/;

/** Sends a request and whatever it leads to. @param tls  what holds for `options`: identity and serverName are of one origin. */
export async function follow(
  send: Send,
  url: string | URL,
  options: RequestOptions,
  manner: Manner,
  tls: RequestTls | undefined,
  totalMs: number,
): Promise<HttpResponse> {
  const { redirectsMax, decompress, decodedBytesMax, cookies } = manner;
  const until = now() + totalMs;
  let destination = destinationOf(url);
  let current: RequestOptions = options;
  let fields = HttpFields.from(options.headers ?? HttpFields.EMPTY);
  for (let redirects = 0; ; redirects++) {
    const added: [string, string][] = [];
    if (decompress && !fields.has("accept-encoding")) added.push(["Accept-Encoding", ACCEPT_ENCODING]);
    if (cookies !== undefined && !fields.has("cookie")) {
      const cookie = await cookies.getCookieString(destination.url);
      if (cookie !== "") added.push(["Cookie", cookie]);
    }
    const headers = added.length === 0 ? fields : HttpFields.from([...fields, ...added]);
    const left = until - now();
    if (left <= 0) throw new RequestTimeoutError("total", totalMs);
    const times = totalMs === Infinity ? {} : { totalTimeoutMs: left };
    const response = await send(destination.url, { ...current, ...times, headers });
    response.redirects = redirects;
    if (cookies !== undefined) await keepCookies(cookies, response);
    const location = redirectsMax > 0 ? locationOf(response) : undefined;
    if (location === undefined) {
      if (decompress) response.decode(decodedBytesMax);
      return response;
    }
    response.close();
    if (redirects >= redirectsMax)
      throw refusal("ERR_HTTP_REDIRECT", `more than ${redirectsMax} redirections`);
    const next = nextOf(response, location);
    current = changed(current, response.status);
    if (current.method !== options.method && current.body === undefined)
      fields = without(fields, (name) => OF_CONTENT.test(name));
    if (next.origin !== destination.origin) {
      fields = without(fields, (name) => SECRET.has(name));
      if (tls !== undefined) current = { ...current, tls: elsewhere(tls) };
    }
    destination = next;
  }
}

async function keepCookies(cookies: CookieJar, { headers, url }: HttpResponse): Promise<void> {
  for (const line of headers.getAll("set-cookie")) await cookies.setCookie(line, url, { ignoreError: true });
}

function locationOf({ status, headers }: HttpResponse): string | undefined {
  return FOUND.has(status) ? headers.get("location") : undefined;
}

function nextOf({ url }: HttpResponse, location: string): ReturnType<typeof destinationOf> {
  const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
  // With a user in it a server could have a secret of its own choice sent.
  if (next === undefined || !/^https?:$/.test(next.protocol) || next.username !== "" || next.password !== "")
    throw refusal("ERR_HTTP_REDIRECT", `a redirection to ${JSON.stringify(location.slice(0, 200))}`);
  return destinationOf(next);
}

/** The request that follows a redirection. */
function changed(options: RequestOptions, status: number): RequestOptions {
  const { method = "GET", body, trailers: _, expectContinue: __, ...others } = options;
  const asksAgain =
    status === SEE_OTHER ? method !== "GET" && method !== "HEAD" : status < SEE_OTHER && method === "POST";
  if (asksAgain) return { ...others, method: "GET" };
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return options;
  throw mistake(
    "ERR_HTTP_CONTENT_GONE",
    `a redirection (${status}) wants the content again, which can be read once`,
  );
}

/** What holds for any origin: whom to trust. Requests that have `tls` in common have this in common too. */
function elsewhere(tls: RequestTls): RequestTls {
  const { identity, serverName, ...others } = tls;
  if (identity === undefined && serverName === undefined) return tls;
  let made = elsewheres.get(tls);
  if (made === undefined) elsewheres.set(tls, (made = others));
  return made;
}

const elsewheres = new WeakMap<RequestTls, RequestTls>();

function without(fields: HttpFields, leaves: (name: string) => boolean): HttpFields {
  return HttpFields.from([...fields].filter(([name]) => !leaves(name)));
}
