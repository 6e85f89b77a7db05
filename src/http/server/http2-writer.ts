// An answer on its way to a stream of HTTP/2: what ResponseWriter refuses is refused, and what it would write as text is kept
// as a head, bytes and trailers until they are taken. It knows no stream.

import type { OutgoingHttpHeaders } from "node:http2";
import { mistake } from "../syntax/errors.ts";
import { HttpFields } from "../syntax/fields.ts";
import type { FieldsInit } from "../syntax/fields.ts";
import { checkOwnTrailers } from "../syntax/trailers.ts";
import { ResponseWriter } from "../writer.ts";
import type { Answered, ResponseInit } from "../writer.ts";

/** Fields of a connection of HTTP/1 (RFC 9113 section 8.2.2): a handler that writes them means no harm. */
const OF_CONNECTION: ReadonlySet<string> = new Set(
  "connection http2-settings keep-alive proxy-connection te transfer-encoding upgrade".split(" "),
);

/** Headers as node:http2 takes them. */
function headersOf(fields: HttpFields): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of fields) if (!OF_CONNECTION.has(name)) (headers[name] ??= []).push(value);
  const made: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
  // One line each, which means the same (RFC 9110 section 5.3): node:http2 throws at a second one of many names.
  for (const [name, values] of Object.entries(headers))
    made[name] = name === "set-cookie" ? values : values.join(", ");
  return made;
}

/** Collects the answer to one request. */
export class Http2Writer extends ResponseWriter {
  /** The head, until it is taken. */
  #head: OutgoingHttpHeaders | undefined = undefined;
  #informational: OutgoingHttpHeaders[] = [];
  #trailers: OutgoingHttpHeaders | undefined = undefined;
  #ended = false;

  override informational(status: number, to: Answered, fields: FieldsInit = HttpFields.EMPTY): void {
    super.informational(status, to, fields);
    this.out.take();
    this.#informational.push({ ...headersOf(HttpFields.from(fields)), ":status": status });
  }

  override head(response: ResponseInit, to: Answered): boolean {
    if (response.status === 101) throw mistake("ERR_HTTP_STATUS", "HTTP/2 switches to no other protocol");
    const { body, date, status } = response;
    const fields = HttpFields.from(response.fields ?? HttpFields.EMPTY);
    // The end of a stream ends the content: no framing of the content's own.
    const framing = body === "chunked" ? "untilClose" : body;
    const made = { ...response, fields, keepAlive: true };
    const hasContent = super.head(framing === undefined ? made : { ...made, body: framing }, to);
    const length = /^content-length: *([0-9]+)\r$/im.exec(this.out.take().toString("latin1"))?.[1];
    const head = headersOf(fields);
    if (length !== undefined) head["content-length"] = length;
    if (date !== undefined) head["date"] ??= date;
    head[":status"] = status;
    this.#head = head;
    return hasContent;
  }

  override end(trailers?: FieldsInit): void {
    const fields = trailers === undefined ? HttpFields.EMPTY : HttpFields.from(trailers);
    checkOwnTrailers(fields);
    super.end();
    if (fields.length > 0) this.#trailers = headersOf(fields);
    this.#ended = true;
  }

  /** Removes what is to be sent before the head. */
  takeInformational(): readonly OutgoingHttpHeaders[] {
    const taken = this.#informational;
    if (taken.length > 0) this.#informational = [];
    return taken;
  }

  /** Removes the head; undefined: it is not there yet, or was taken. */
  takeHead(): OutgoingHttpHeaders | undefined {
    const head = this.#head;
    this.#head = undefined;
    return head;
  }

  /** Whether nothing follows what take() gives but trailers. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What follows the content; undefined: nothing. */
  get trailers(): OutgoingHttpHeaders | undefined {
    return this.#trailers;
  }
}
