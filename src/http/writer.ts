// The two writers: requests, for clients, and responses, for servers. Commands to bytes; what would break the framing, or
// could be read in two ways, is refused before a byte of it is written. RFC 9112 sections 3, 4, 6 and 9. It knows no
// socket: what was written waits in a ByteBuilder until somebody sends it.

import { ByteBuilder } from "../wire/byte-builder.ts";
import { isFieldValue, isToken } from "../wire/characters.ts";
import type { BodyFraming, HttpVersion, RequestVersion } from "./events.ts";
import { BodyWriter, checkFraming } from "./syntax/body-writer.ts";
import { mistake } from "./syntax/errors.ts";
import { HttpFields } from "./syntax/fields.ts";
import type { FieldsInit, Rendered } from "./syntax/fields.ts";
import { render } from "./syntax/rendering.ts";
import { reasonOf } from "./syntax/status.ts";
import { isAuthority, targetForm } from "./syntax/target.ts";

/** A request to be written. */
export interface RequestInit {
  readonly method: string;
  /** "/a?b"; "http://host/a" to a proxy; "host:443" of CONNECT; "*" of OPTIONS. */
  readonly target: string;
  /** Content-Length may be among them, if it is right; Transfer-Encoding may not. */
  readonly fields: FieldsInit;
  /** Written as Host, unless it is among the fields. Default: it must be among them, once. */
  readonly host?: string | undefined;
  /** A number of bytes, or "chunked". Default: Content-Length, if it is among the fields, else 0. */
  readonly body?: number | "chunked" | undefined;
  /** Whether another request may follow. Default true. */
  readonly keepAlive?: boolean;
  /** Default "1.1". In 1.0 there is no chunked body. */
  readonly version?: HttpVersion;
}

/** A head that was checked and waits to be written. */
export interface PreparedRequest {
  readonly text: string;
  readonly body: number | "chunked";
  readonly keepAlive: boolean;
  /** Content waits for 100 (Continue). */
  readonly expectsContinue: boolean;
}

/** A response to be written. */
export interface ResponseInit {
  /** 200 to 599, or 101. */
  readonly status: number;
  /** Default: what RFC 9110 calls the status; "" where it has no name. */
  readonly reason?: string;
  /** Content-Length may be among them, if it is right; Transfer-Encoding may not. */
  readonly fields?: FieldsInit;
  /**
   * A number of bytes, "chunked", or "untilClose". Default: Content-Length, if it is among the fields, else 0. Where the request or the status means that there is no
   * content (HEAD, 304), the length of what there would be.
   */
  readonly body?: BodyFraming;
  /** Whether another response may follow. Default: what the request said. */
  readonly keepAlive?: boolean;
  /** Written as Date, unless it is among the fields: formatHttpDate() makes it. Default: none. */
  readonly date?: string | undefined;
}

/** What a response must know of its request; a RequestHead has it. */
export interface Answered {
  readonly method: string;
  readonly version: RequestVersion;
  readonly keepAlive: boolean;
}

// Bytes that a target may have: see syntax/start-lines.ts.
const TARGET = /^[\x21\x24-\x3b\x3d\x3f-\x7e]+$/;
/** Methods whose requests have content; without any they say so (RFC 9110 section 8.6). */
const WITH_CONTENT: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);
const SWITCHING_PROTOCOLS = 101;

/** Writes requests. */
export class RequestWriter extends BodyWriter {
  /** @param out  where to; take() what is there and send it. */
  constructor(out: ByteBuilder = new ByteBuilder()) {
    super(out);
  }

  /** Removes and gives what was written. */
  take(): Buffer {
    return this.out.take();
  }

  /**
   * Writes a head. Its data and its end follow.
   *
   * @throws {LocalProtocolError} ERR_HTTP_METHOD, ERR_HTTP_TARGET, ERR_HTTP_FIELD_NAME, ERR_HTTP_FIELD_VALUE; ERR_HTTP_HOST:
   *   not exactly one Host, or none that could be one; ERR_HTTP_FRAMING: Content-Length is not the body's, or a chunked
   *   body in HTTP/1.0; ERR_HTTP_UNEXPECTED_CONTENT: CONNECT with content; ERR_HTTP_SEQUENCE: not now. Nothing was written.
   */
  head(request: RequestInit): void {
    this.checkIdle("a request");
    this.prepared(prepareRequest(request));
  }

  /** Writes a head that was prepared. @throws {LocalProtocolError} ERR_HTTP_SEQUENCE. @internal */
  prepared({ text, body, keepAlive }: PreparedRequest): void {
    this.checkIdle("a request");
    this.out.latin1(text);
    this.begin(body, keepAlive);
  }
}

/** Checks a head and makes its text; throws as RequestWriter.head(). @internal */
export function prepareRequest(request: RequestInit): PreparedRequest {
  const { method, target, version = "1.1" } = request;
  if (!isToken(method)) throw mistake("ERR_HTTP_METHOD", `${JSON.stringify(method)} is no method`);
  if (!TARGET.test(target) || targetForm(method, target) === undefined)
    throw mistake("ERR_HTTP_TARGET", `${method} cannot have the target ${JSON.stringify(target)}`);
  const rendered = render(request.fields);
  const body = request.body ?? rendered.length ?? 0;
  checkFraming(body);
  const host = hostLine(rendered, request.host);
  if (method === "CONNECT" && body !== 0)
    throw mistake("ERR_HTTP_UNEXPECTED_CONTENT", "CONNECT has no content");
  if (body === "chunked" && version === "1.0")
    throw mistake("ERR_HTTP_FRAMING", "a chunked body in HTTP/1.0");
  const says = body !== 0 || WITH_CONTENT.has(method);
  const framing = framingLine(rendered, body, says);
  const closes = rendered.connection.includes("close");
  const keepAlive = (request.keepAlive ?? !closes) && !closes;
  const connection = connectionLine(rendered, keepAlive, version);
  const text = `${method} ${target} HTTP/${version}\r\n${host}${rendered.text}${framing}${connection}\r\n`;
  return { text, body, keepAlive, expectsContinue: rendered.expectsContinue };
}

/** Writes responses. */
export class ResponseWriter extends BodyWriter {
  /** @param out  where to; take() what is there and send it. */
  constructor(out: ByteBuilder = new ByteBuilder()) {
    super(out);
  }

  /** Removes and gives what was written. */
  take(): Buffer {
    return this.out.take();
  }

  /**
   * Writes a response that comes before the final one, whole.
   *
   * @param status  100, or 102 to 199.
   * @param to      the request; one of HTTP/1.0 gets none.
   * @throws {LocalProtocolError} ERR_HTTP_STATUS; ERR_HTTP_FRAMING: Content-Length; ERR_HTTP_FIELD_NAME,
   *   ERR_HTTP_FIELD_VALUE; ERR_HTTP_SEQUENCE. Nothing was written.
   */
  informational(status: number, to: Answered, fields: FieldsInit = HttpFields.EMPTY): void {
    this.checkIdle("an informational response");
    if (!Number.isInteger(status) || status < 100 || status > 199 || status === SWITCHING_PROTOCOLS)
      throw mistake("ERR_HTTP_STATUS", `${status} is not the status of an informational response`);
    const rendered = render(fields);
    if (rendered.length !== undefined)
      throw mistake("ERR_HTTP_FRAMING", "Content-Length in an informational response");
    if (to.version === "1.0") return;
    this.out.latin1(`HTTP/1.1 ${status} ${reasonOf(status)}\r\n${rendered.text}\r\n`);
  }

  /**
   * Writes a head. Its data and its end follow; of a response without content, its end.
   *
   * @param to  the request that it answers.
   * @returns whether content follows: data() takes it. Not for HEAD, 204, 304, 101 and 2xx to CONNECT.
   * @throws {LocalProtocolError} ERR_HTTP_STATUS, ERR_HTTP_REASON, ERR_HTTP_FIELD_NAME, ERR_HTTP_FIELD_VALUE;
   *   ERR_HTTP_FRAMING: Content-Length is not the body's, a chunked body to HTTP/1.0, or 101 without Upgrade;
   *   ERR_HTTP_UNEXPECTED_CONTENT: content where there is none; ERR_HTTP_SEQUENCE: not now. Nothing was written.
   */
  head(response: ResponseInit, to: Answered): boolean {
    const { status } = response;
    this.checkIdle("a response");
    if (isLastHead(response, to)) {
      this.out.latin1(lastText());
      this.begin(lastHead.body, true);
      return true;
    }
    const isSwitch = status === SWITCHING_PROTOCOLS;
    if (!Number.isInteger(status) || (status < 200 && !isSwitch) || status > 599)
      throw mistake("ERR_HTTP_STATUS", `${status} is not the status of a final response`);
    const reason = response.reason ?? reasonOf(status);
    if (!isFieldValue(reason))
      throw mistake("ERR_HTTP_REASON", "a control, or a character beyond U+00FF, in the reason");
    const rendered = render(response.fields ?? HttpFields.EMPTY);
    const body = response.body ?? rendered.length ?? 0;
    checkFraming(body);
    const connects = to.method === "CONNECT" && status < 300 && !isSwitch;
    const bare = isSwitch || connects || status === 204;
    if ((bare && rendered.length !== undefined) || ((bare || status === 205) && body !== 0))
      throw mistake("ERR_HTTP_UNEXPECTED_CONTENT", `${status} to ${to.method} has no content`);
    if (isSwitch && !rendered.upgrade) throw mistake("ERR_HTTP_FRAMING", "101 without Upgrade");
    if (body === "chunked" && to.version === "1.0")
      throw mistake("ERR_HTTP_FRAMING", "a chunked body to HTTP/1.0");
    const none = bare || to.method === "HEAD" || status === 304;
    // 304 tells a length only where it is known (RFC 9110 section 8.6).
    const framing = framingLine(rendered, body, !bare && !(status === 304 && body === 0));
    // What a client sent early through a tunnel that is refused is not HTTP, and nothing tells where it ends.
    const refuses = to.method === "CONNECT" && !connects;
    const closes = refuses || rendered.connection.includes("close");
    const lives = (response.keepAlive ?? true) && to.keepAlive && !closes;
    const keepAlive = lives && (none || body !== "untilClose");
    const connection = isSwitch ? upgradeLine(rendered) : connectionLine(rendered, keepAlive, to.version);
    const date = response.date === undefined || rendered.date ? "" : `Date: ${response.date}\r\n`;
    const text = `HTTP/1.1 ${status} ${reason}\r\n${rendered.text}${date}${framing}${connection}\r\n`;
    this.out.latin1(text);
    this.begin(none ? 0 : body, keepAlive && !isSwitch && !connects);
    if (keepAlive && !none && to.version === "1.1" && typeof body === "number")
      keepHead(response, body, text);
    return !none;
  }
}

// The head that was written last, for servers that answer with one again and again: as long as all that it was made of is the
// same, so is its text. Fields that were made once never change; others are not compared.

const lastHead: {
  fields: HttpFields | undefined;
  status: number;
  body: number;
  date: string | undefined;
  text: string;
  /** The text is of one piece, not the sum of its parts. */
  isFlat: boolean;
} = { fields: undefined, status: 0, body: 0, date: undefined, text: "", isFlat: false };

/** Remembers a head with content, to HTTP/1.1, behind which the connection lives on. */
function keepHead({ fields, status, date, reason }: ResponseInit, body: number, text: string): void {
  if (reason !== undefined || !(fields instanceof HttpFields)) return;
  lastHead.fields = fields;
  lastHead.status = status;
  lastHead.body = body;
  lastHead.date = date;
  lastHead.text = text;
  lastHead.isFlat = false;
}

/** Whether it is what is to be written now. */
function isLastHead(response: ResponseInit, to: Answered): boolean {
  return (
    response.fields === lastHead.fields &&
    lastHead.fields !== undefined &&
    response.status === lastHead.status &&
    response.body === lastHead.body &&
    response.date === lastHead.date &&
    response.reason === undefined &&
    (response.keepAlive ?? true) &&
    to.keepAlive &&
    to.version === "1.1" &&
    to.method !== "HEAD" &&
    to.method !== "CONNECT"
  );
}

/** Its text, which is worth to be put together when it comes the second time. */
function lastText(): string {
  if (!lastHead.isFlat) {
    lastHead.text = Buffer.from(lastHead.text, "latin1").toString("latin1");
    lastHead.isFlat = true;
  }
  return lastHead.text;
}

/** The Host line, unless the fields have it: first, as RFC 9110 section 7.2 asks. */
function hostLine({ hosts }: Rendered, given: string | undefined): string {
  const [host = given] = hosts;
  if (host === undefined || hosts.length > 1) throw mistake("ERR_HTTP_HOST", "exactly one Host is needed");
  if (host !== "" && !isAuthority(host)) throw mistake("ERR_HTTP_HOST", `Host is ${JSON.stringify(host)}`);
  return hosts.length === 0 ? `Host: ${host}\r\n` : "";
}

/** The line that tells how long the content is, unless the fields have it or `says` is false. */
function framingLine({ length }: Rendered, body: BodyFraming, says: boolean): string {
  if (length !== undefined && length !== body)
    throw mistake("ERR_HTTP_FRAMING", `Content-Length is ${length}, the body ${body}`);
  if (body === "chunked") return "Transfer-Encoding: chunked\r\n";
  return !says || body === "untilClose" || length !== undefined ? "" : `Content-Length: ${body}\r\n`;
}

/** The line that tells whether the connection lives on, where the fields and the version do not. */
function connectionLine({ connection }: Rendered, keepAlive: boolean, version: RequestVersion): string {
  if (!keepAlive) return connection.includes("close") ? "" : "Connection: close\r\n";
  return version === "1.1" || connection.includes("keep-alive") ? "" : "Connection: keep-alive\r\n";
}

function upgradeLine({ connection }: Rendered): string {
  return connection.includes("upgrade") ? "" : "Connection: Upgrade\r\n";
}
