// The two parsers: requests, for servers, and responses, for clients. How messages are taken apart they share
// (syntax/message-parser.ts); here is what a head means: RFC 9112 sections 6.3 and 9.3, RFC 9110 section 9.3.6.

import type { BodyFraming, InformationalHead, RequestHead, ResponseHead } from "./events.ts";
import { refusal } from "./syntax/errors.ts";
import type { HttpFields } from "./syntax/fields.ts";
import { NO_LENGTH } from "./syntax/framing.ts";
import type { HttpLimits } from "./syntax/limits.ts";
import { MessageParser } from "./syntax/message-parser.ts";
import { readRequestLine, readStatusLine } from "./syntax/start-lines.ts";
import { checkHost, targetForm } from "./syntax/target.ts";

const SLASH = 0x2f;
const SWITCHING_PROTOCOLS = 101;

/** Parses what clients send. */
export class RequestParser extends MessageParser<RequestHead> {
  /** @internal */
  protected readonly mayBeginEmpty: boolean = true;

  /** @param limits  what is given here stands over the defaults, HTTP_LIMITS. */
  constructor(limits?: Partial<HttpLimits>) {
    super(limits);
  }

  /** @internal */
  protected readStartLine(bytes: Buffer, start: number, end: number): number {
    return readRequestLine(bytes, start, end, this.startLine);
  }

  /** @internal */
  protected head(fields: HttpFields): RequestHead {
    const { method, target, is11 } = this.startLine;
    const { control } = this;
    const { length, chunked } = control;
    const isConnect = method === "CONNECT";
    if (is11 && control.host === undefined) throw refusal("ERR_HTTP_HOST_MISSING", "HTTP/1.1 without Host");
    let authority = control.host ?? "";
    if (isConnect || target.charCodeAt(0) !== SLASH) authority = this.#authority(method, target);
    if (chunked && !is11) throw encodingIn10();
    if (isConnect && (chunked || length > 0))
      throw refusal("ERR_HTTP_UNEXPECTED_CONTENT", "CONNECT has no content");
    const keepAlive = !control.close && (is11 || control.keepAlive);
    const upgrade = isConnect || (is11 && control.upgrade);
    const body = chunked ? "chunked" : Math.max(length, 0);
    this.frame(body, keepAlive, upgrade);
    return {
      type: "request",
      method,
      target,
      version: is11 ? "1.1" : "1.0",
      fields,
      authority,
      body,
      keepAlive,
      expectsContinue: is11 && control.expectsContinue,
      upgrade,
    };
  }

  #authority(method: string, target: string): string {
    const form = targetForm(method, target);
    if (form === undefined)
      throw refusal("ERR_HTTP_TARGET", `${method} cannot have the target ${JSON.stringify(target)}`);
    const { host } = this.control;
    if (form.authority === undefined) return host ?? "";
    if (host !== undefined) checkHost(target, form.authority, host);
    return form.authority;
  }
}

/** What a response must answer to. */
interface Expected {
  readonly method: string;
  readonly upgrade: boolean;
}

/** Parses what servers send. */
export class ResponseParser extends MessageParser<ResponseHead | InformationalHead> {
  /** @internal */
  protected readonly mayBeginEmpty: boolean = false;
  readonly #expected: Expected[] = [];

  /** @param limits  what is given here stands over the defaults, HTTP_LIMITS. */
  constructor(limits?: Partial<HttpLimits>) {
    super(limits);
  }

  /**
   * Tells it of a request that was sent: the length of a response depends on it, and one that nobody asked for is refused.
   *
   * @param method   the request's; responses to HEAD have no content.
   * @param upgrade  whether the request offered another protocol, so that 101 may answer.
   */
  expect(method: string, upgrade: boolean = false): void {
    this.#expected.push({ method, upgrade });
  }

  /** @internal */
  protected readStartLine(bytes: Buffer, start: number, end: number): number {
    if (this.#expected.length === 0)
      throw refusal("ERR_HTTP_UNEXPECTED_RESPONSE", "a response that no request asked for");
    return readStatusLine(bytes, start, end, this.startLine);
  }

  /** @internal */
  protected head(fields: HttpFields): ResponseHead | InformationalHead {
    const { status, reason, is11 } = this.startLine;
    const { control } = this;
    const version = is11 ? "1.1" : "1.0";
    if (control.chunked && !is11) throw encodingIn10();
    const bare = status < 200 || status === 204;
    // Content-Length: 0 says what is so, and is often there.
    if (bare && (control.chunked || control.length > 0))
      throw refusal("ERR_HTTP_UNEXPECTED_CONTENT", `${status} has no content`);
    if (status < 200 && status !== SWITCHING_PROTOCOLS)
      return { type: "informational", status, reason, version, fields };
    const { method, upgrade: offered } = this.#expected.shift() as Expected;
    if (status === SWITCHING_PROTOCOLS && !offered)
      throw refusal("ERR_HTTP_UNEXPECTED_RESPONSE", "101 without an offer of another protocol");
    const connected = method === "CONNECT" && status >= 200 && status < 300;
    const upgrade = connected || status === SWITCHING_PROTOCOLS;
    const body = bare || connected || method === "HEAD" || status === 304 ? 0 : this.#body();
    const lives = !control.close && (is11 || control.keepAlive);
    const keepAlive = lives && body !== "untilClose";
    this.frame(body, keepAlive, upgrade);
    return { type: "response", status, reason, version, fields, body, keepAlive, upgrade };
  }

  #body(): BodyFraming {
    const { chunked, length } = this.control;
    if (chunked) return "chunked";
    return length === NO_LENGTH ? "untilClose" : length;
  }
}

function encodingIn10(): Error {
  return refusal("ERR_HTTP_TRANSFER_ENCODING_IN_1_0", "Transfer-Encoding in HTTP/1.0");
}
