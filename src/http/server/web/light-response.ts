// A Response that keeps what it was given: text or bytes, status, headers. Whatever else a Response can be made of, and
// whatever else is asked of it, is the runtime's own Response's business, which is made then. It is the web's class in all that
// a program sees, but for one thing: bytes are not copied.

import { isFieldValue, isToken } from "../../../wire/characters.ts";
import { RuntimeHeaders, RuntimeResponse, bodyUsed, ownMemory, standIn, withoutMark } from "./runtime.ts";

/** Statuses without content (Fetch Standard, "null body status"), of those that a Response can be made with. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
const TEXT_TYPE = "text/plain;charset=UTF-8";
const JSON_TYPE = "application/json";

type Pair = readonly [string, string];
type Init = globalThis.ResponseInit;
type BodyInit = ConstructorParameters<typeof globalThis.Response>[0];
type Body = string | Uint8Array | null;

const NONE: readonly Pair[] = [];
const TEXT: readonly Pair[] = [["content-type", TEXT_TYPE]];

/** A light Response as it can be sent. */
export interface Plain {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Iterable<Pair>;
  readonly body: Body;
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a value needs nothing taken off its ends. */
function isTrim(value: string): boolean {
  return value.charCodeAt(0) > 0x20 ? value.charCodeAt(value.length - 1) > 0x20 : value === "";
}

/** Names and values; the runtime decides about whatever is not plainly right. */
function pairsOf(init: NonNullable<Init["headers"]>): readonly Pair[] {
  if (init instanceof RuntimeHeaders) return [...init];
  if (isPlainObject(init)) {
    const names = Object.keys(init);
    if (names.length === 1) {
      const [name] = names as [string];
      const value: unknown = (init as Record<string, string>)[name];
      if (typeof value === "string" && isToken(name) && isFieldValue(value) && isTrim(value))
        return [[name, value]];
    }
  }
  return [...new RuntimeHeaders(init)];
}

function hasType(pairs: readonly Pair[]): boolean {
  for (const [name] of pairs) if (name.length === 12 && name.toLowerCase() === "content-type") return true;
  return false;
}

/** What can be kept as it is; undefined: the runtime must make something of it. */
function keptBody(body: unknown): Body | undefined {
  if (typeof body === "string") return body.isWellFormed() ? body : undefined;
  if (body === null || body === undefined) return null;
  return body instanceof Uint8Array && body.buffer instanceof ArrayBuffer ? body : undefined;
}

class LightResponse {
  readonly #status: number;
  readonly #statusText: string;
  readonly #body: Body;
  readonly #pairs: readonly Pair[];
  #headers: Headers | undefined = undefined;
  #own: Response | undefined = undefined;
  /** The content was asked for or sent, and not of #own. */
  #used = false;

  constructor(body?: BodyInit, init?: Init) {
    const { status = 200, statusText = "", headers } = init ?? {};
    const kept = keptBody(body);
    this.#status = status;
    this.#statusText = statusText;
    this.#body = null;
    this.#pairs = NONE;
    if (
      kept === undefined ||
      !Number.isInteger(status) ||
      status < 200 ||
      status > 599 ||
      (kept !== null && WITHOUT_BODY.has(status)) ||
      typeof statusText !== "string" ||
      !isFieldValue(statusText) ||
      (init !== undefined && typeof init !== "object")
    ) {
      this.#own = new RuntimeResponse(body, init);
      return;
    }
    this.#body = kept;
    if (headers === undefined) this.#pairs = typeof kept === "string" ? TEXT : NONE;
    else {
      const pairs = pairsOf(headers);
      this.#pairs =
        typeof kept === "string" && !hasType(pairs) ? [...pairs, ["content-type", TEXT_TYPE]] : pairs;
    }
  }

  /** As of the runtime's, kept as text. */
  static json(data: unknown, init?: Init): Response {
    const text = JSON.stringify(data);
    if (text === undefined) return RuntimeResponse.json(data, init);
    const pairs = init?.headers === undefined ? NONE : pairsOf(init.headers);
    const headers = hasType(pairs) ? pairs : [...pairs, ["content-type", JSON_TYPE] as const];
    return new LightResponse(text, { ...statusOf(init), headers: headers as [string, string][] }) as never;
  }

  /** A Response of the runtime's is one of these too: it is the same class to who asks. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this === LightResponse) return value instanceof RuntimeResponse;
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }

  get status(): number {
    return this.#own === undefined ? this.#status : this.#own.status;
  }

  get ok(): boolean {
    const { status } = this;
    return status >= 200 && status <= 299;
  }

  get statusText(): string {
    return this.#own === undefined ? this.#statusText : this.#own.statusText;
  }

  get headers(): Headers {
    return (this.#headers ??= this.#own?.headers ?? new RuntimeHeaders(this.#pairs as [string, string][]));
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#own === undefined && this.#body === null ? null : LightResponse.own(this).body;
  }

  get bodyUsed(): boolean {
    return this.#own === undefined ? this.#used : this.#own.bodyUsed;
  }

  async text(): Promise<string> {
    if (this.#own !== undefined) return this.#own.text();
    return this.#text();
  }

  async json(): Promise<unknown> {
    if (this.#own !== undefined) return this.#own.json();
    return JSON.parse(this.#text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#own !== undefined) return this.#own.arrayBuffer();
    const body = this.#take();
    return ownMemory(typeof body === "string" ? Buffer.from(body) : body);
  }

  #text(): string {
    const body = this.#take();
    return withoutMark(
      typeof body === "string" ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(),
    );
  }

  /** The content, once. */
  #take(): string | Uint8Array {
    if (this.#body === null) return "";
    if (this.#used) throw bodyUsed();
    this.#used = true;
    return this.#body;
  }

  /** The runtime's own behind it. Its headers are the ones that this one shows. */
  static own(light: LightResponse): Response {
    // Before #own is there, whose headers would be taken for those.
    const shown = light.headers;
    let own = light.#own;
    if (own === undefined) {
      own = new RuntimeResponse(light.#used ? "" : (light.#body as BodyInit), {
        status: light.#status,
        statusText: light.#statusText,
      });
      light.#own = own;
      if (light.#used) void own.text();
    }
    // Which of them is looked at, and when, is not known: both shall tell the same.
    if (shown === own.headers) return own;
    for (const name of Array.from(own.headers.keys())) own.headers.delete(name);
    for (const [name, value] of shown) own.headers.append(name, value);
    return own;
  }

  /**
   * What can be sent without a stream, which is used then.
   *
   * @returns undefined: it has a stream, or is none of these.
   * @throws {TypeError} its content was used before.
   */
  static plain(value: unknown): Plain | undefined {
    if (typeof value !== "object" || value === null || !(#pairs in value)) return undefined;
    if (value.#own !== undefined) return undefined;
    const body = value.#body === null ? null : value.#take();
    const headers = value.#headers ?? value.#pairs;
    return { status: value.#status, statusText: value.#statusText, headers, body };
  }
}

function statusOf(init: Init | undefined): Init {
  const { status, statusText } = init ?? {};
  return {
    ...(status === undefined ? undefined : { status }),
    ...(statusText === undefined ? undefined : { statusText }),
  };
}

standIn(LightResponse, RuntimeResponse, new RuntimeResponse(), (light) => LightResponse.own(light));

export const plainOf: (value: unknown) => Plain | undefined = (value) => LightResponse.plain(value);

/**
 * The web's Response, which keeps text and bytes as they are until somebody asks for a stream. Made and sent it takes a tenth of
 * what the runtime's own takes. It is `instanceof` the runtime's, and has all that one has.
 *
 * Bytes are not copied: leave them alone until they have been sent.
 */
export const Response: typeof globalThis.Response = LightResponse as never;
/** The web's Response, whichever class made it. */
export type Response = globalThis.Response;
