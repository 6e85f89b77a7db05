// Through a proxy of HTTP to somewhere else: CONNECT, RFC 9110 section 9.3.6. It makes no connection to the proxy.

import { HandedOverStream } from "../../stream/handed-over.ts";
import type { ByteStream, StreamOptions } from "../../stream/index.ts";
import { RemoteProtocolError } from "../../wire/errors.ts";
import { NEED_DATA } from "../../wire/need-data.ts";
import { ResponseParser } from "../parser.ts";
import { refusal } from "../syntax/errors.ts";
import { RequestWriter } from "../writer.ts";

/** A proxy of HTTP answered CONNECT with another status than 2xx. `code` is ERR_HTTP_PROXY. */
export class ProxyError extends RemoteProtocolError {
  static {
    ProxyError.prototype.name = "ProxyError";
  }
  /** What it answered: 407 wants a user and a password. */
  readonly status: number;

  /** @param status  what the proxy answered. */
  constructor(authority: string, status: number, reason: string) {
    super("ERR_HTTP_PROXY", `the proxy did not connect to ${authority}: ${status} ${reason}`);
    this.status = status;
  }
}

/** Responses before the final one; see connection.ts. */
const INFORMATIONAL_MAX = 100;

/**
 * Has the proxy at the other end of a stream connect it to a host and port.
 *
 * @param authority      "host:port", an IPv6 address in brackets.
 * @param authorization  Proxy-Authorization.
 * @returns the stream that leads there, which begins with what came behind the answer.
 * @throws {ProxyError} ERR_HTTP_PROXY. @throws {RemoteProtocolError} the answer is refused. @throws the signal's reason.
 */
export async function connectTunnel(
  stream: ByteStream,
  authority: string,
  authorization: string | undefined,
  options: StreamOptions,
): Promise<ByteStream> {
  const writer = new RequestWriter();
  const fields: Record<string, string> = { Host: authority };
  if (authorization !== undefined) fields["Proxy-Authorization"] = authorization;
  writer.head({ method: "CONNECT", target: authority, fields });
  const parser = new ResponseParser();
  parser.expect("CONNECT");
  await stream.sendAll(writer.take(), options);
  for (let informational = 0; informational <= INFORMATIONAL_MAX; ) {
    const event = parser.next();
    if (event === NEED_DATA) {
      const bytes = await stream.receiveSome(undefined, options);
      if (bytes.length === 0) parser.receiveEnd();
      else parser.receive(bytes);
    } else if (typeof event === "symbol" || event.type === "closed") break;
    else if (event.type === "informational") informational++;
    else if (event.type === "response") {
      if (!event.upgrade) throw new ProxyError(authority, event.status, event.reason);
      parser.next(); // its end
      const rest = parser.takeRest();
      return rest.length === 0 ? stream : new HandedOverStream(stream, rest);
    }
  }
  throw refusal("ERR_HTTP_UNEXPECTED_END", "the proxy did not answer");
}
