// The client in the web's shape: from the runtime's Request to its Response. The fetch standard, without what only browsers
// have (CORS, caches, referrers). It sends nothing itself.

import type { RequestContent, RequestOptions } from "./options.ts";
import type { HttpResponse } from "./response.ts";

/** What it needs of a client. */
export interface Requesting {
  request(url: string, options: RequestOptions): Promise<HttpResponse>;
}

/** The fetch standard, section 4.4. */
const REDIRECTS_MAX = 20;
/** Statuses whose Response may have no body: the fetch standard, section 2.2.3. */
const NULL_BODY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** What is sent; undefined: nothing. */
async function contentOf(
  request: Request,
  init: RequestInit | undefined,
): Promise<RequestContent | undefined> {
  if (request.body === null) return undefined;
  const given: unknown = init?.body;
  // What is at hand has a length, and can be sent again.
  if (typeof given === "string" || given instanceof Uint8Array) return given;
  const isSmall =
    given instanceof URLSearchParams || given instanceof FormData || given instanceof ArrayBuffer;
  if (isSmall || ArrayBuffer.isView(given)) return new Uint8Array(await request.arrayBuffer());
  return request.body;
}

/** Sends what a Request says; HttpClient.fetch() tells what it throws. */
export async function fetchWith(
  client: Requesting,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const streams = init?.body !== undefined && init.body !== null && !("duplex" in init);
  const request = new Request(input, streams ? { ...init, duplex: "half" } : init);
  const { signal, redirect, method } = request;
  signal.throwIfAborted();
  const body = await contentOf(request, init);
  let response: HttpResponse;
  try {
    response = await client.request(request.url, {
      method,
      headers: [...request.headers],
      body,
      signal,
      decompress: true,
      redirectsMax: redirect === "follow" ? REDIRECTS_MAX : 0,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new TypeError("fetch failed", { cause: error });
  }
  const { status } = response;
  if (redirect === "error" && status >= 300 && status < 400 && response.headers.has("location")) {
    response.close();
    throw new TypeError("fetch failed", { cause: new Error(`a redirection (${status})`) });
  }
  return await toResponse(response, method);
}

async function toResponse(response: HttpResponse, method: string): Promise<Response> {
  const { status, reason, headers, url, redirects } = response;
  let body: ReadableStream<Uint8Array> | Buffer | null = null;
  if (!NULL_BODY.has(status) && method !== "HEAD")
    body = response.isReady ? await response.bytes() : streamOf(response);
  if (body === null) response.close();
  let made: Response;
  try {
    made = new Response(body as ConstructorParameters<typeof Response>[0], {
      status,
      statusText: reason,
      headers: [...headers],
    });
  } catch (error) {
    // A Response has a status from 200 to 599; an answer, up to 999.
    response.close();
    throw new TypeError("fetch failed", { cause: error });
  }
  // A Response that a program makes has neither; one that was fetched has.
  Object.defineProperties(made, { url: { value: url }, redirected: { value: redirects > 0 } });
  return made;
}

function streamOf(response: HttpResponse): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await response.read();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
      cancel() {
        response.close();
      },
    },
    { highWaterMark: 0 },
  );
}
