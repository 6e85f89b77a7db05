// A Request that is only as much of one as is asked for: method, URL, single headers, its whole content. Everything else
// (body as a stream, clone(), formData() …) makes a Request of the runtime's, which is then asked instead.

import type { HttpRequest } from "../request.ts";
import { adoptHeaders, lightHeaders } from "./light-headers.ts";
import { RuntimeRequest, bodyUsed, ownMemory, standIn, withoutMark } from "./runtime.ts";

/** Methods that a Request writes in upper case however they were sent (Fetch Standard, "normalize a method"). */
const NORMALIZED: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);

/** A method as a Request has it. */
export function normalMethod(method: string): string {
  const upper = method.toUpperCase();
  return NORMALIZED.has(upper) ? upper : method;
}

/** Whether a Request can have this request's content: none with GET and HEAD. */
function hasContent(raw: HttpRequest, method: string): boolean {
  return raw.body !== 0 && method !== "GET" && method !== "HEAD";
}

/** What the runtime's Request is made with. */
type Init = globalThis.RequestInit & { duplex?: "half" };

/** A Request of the runtime's, over what was received. */
export function runtimeRequest(raw: HttpRequest, method: string, url: string): Request {
  const init: Init = { method, headers: [...raw.fields] };
  if (hasContent(raw, method)) {
    init.body = contentOf(raw);
    init.duplex = "half";
  }
  return new RuntimeRequest(url, init);
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

const NO_BYTES: Buffer = Buffer.alloc(0);

class LightRequest {
  readonly #raw: HttpRequest;
  readonly #method: string;
  readonly #url: string;
  #headers: Headers | undefined = undefined;
  #own: Request | undefined = undefined;
  /** The content was asked for, and not of #own. */
  #used = false;

  constructor(raw: HttpRequest, method: string, url: string) {
    this.#raw = raw;
    this.#method = method;
    this.#url = url;
  }

  get method(): string {
    return this.#method;
  }

  get url(): string {
    return this.#url;
  }

  get headers(): Headers {
    return (this.#headers ??= lightHeaders(this.#raw.fields));
  }

  /** Aborted when the connection breaks while the request is answered. */
  get signal(): AbortSignal {
    return this.#raw.signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return hasContent(this.#raw, this.#method) ? LightRequest.own(this).body : null;
  }

  get bodyUsed(): boolean {
    return this.#own === undefined ? this.#used : this.#own.bodyUsed;
  }

  async text(): Promise<string> {
    if (this.#own !== undefined) return this.#own.text();
    return withoutMark((await this.#whole()).toString());
  }

  async json(): Promise<unknown> {
    if (this.#own !== undefined) return this.#own.json();
    return JSON.parse(withoutMark((await this.#whole()).toString()));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#own !== undefined) return this.#own.arrayBuffer();
    return ownMemory(await this.#whole());
  }

  async #whole(): Promise<Buffer> {
    if (!hasContent(this.#raw, this.#method)) return NO_BYTES;
    if (this.#used) throw bodyUsed();
    this.#used = true;
    return this.#raw.bytes();
  }

  /** The runtime's own behind it. */
  static own(light: LightRequest): Request {
    if (light.#own !== undefined) return light.#own;
    const raw = light.#raw;
    const { headers } = light;
    const init: Init = { method: light.#method, headers, signal: raw.signal };
    if (hasContent(raw, light.#method)) {
      init.body = light.#used ? "" : contentOf(raw);
      init.duplex = "half";
    }
    const own = new RuntimeRequest(light.#url, init);
    adoptHeaders(headers, own.headers);
    if (light.#used) void own.text();
    return (light.#own = own);
  }

  static is(value: unknown): value is LightRequest {
    return typeof value === "object" && value !== null && #raw in value;
  }
}

standIn(LightRequest, RuntimeRequest, new RuntimeRequest("http://localhost/"), (light) =>
  LightRequest.own(light),
);

/** A Request over what was received. */
export function lightRequest(raw: HttpRequest, method: string, url: string): Request {
  return new LightRequest(raw, method, url) as unknown as Request;
}

/** The runtime's own Request behind a light one; anything else as it is. */
export function ownRequest<T>(value: T): T {
  return LightRequest.is(value) ? (LightRequest.own(value) as T) : value;
}

/** Whether the runtime takes a light Request for its own, as argument of fetch() and new Request(). */
export const RUNTIME_TAKES_LIGHT: boolean = takesLight();

function takesLight(): boolean {
  const raw = { body: 0, fields: [], signal: new AbortController().signal } as unknown as HttpRequest;
  const url = "http://localhost/";
  try {
    return new RuntimeRequest(lightRequest(raw, "POST", url)).method === "POST";
  } catch {
    return false;
  }
}
