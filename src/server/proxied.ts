// Servers behind a proxy: the PROXY protocol's header is taken off a connection before its handler sees it, and tells whom
// the proxy has it from. How a header is read, proxy-protocol/ knows.
//
// A header is believed like the kernel's own word, so it must come from a proxy: of others the connection is refused, for
// they could claim to be anybody. And it must come: a server that takes connections with and without one at the same port
// cannot tell a client that pretends (PROXY protocol section 2, "must not try to guess").

import { startTimer, stopTimer } from "../engine/clock.ts";
import type { AnyAddress } from "../index.ts";
import { invalidArgument } from "../socket/errors.ts";
import { HandedOverStream } from "../stream/handed-over.ts";
import type { ByteStream } from "../stream/index.ts";
import { NEED_DATA, RemoteProtocolError } from "../wire/index.ts";
import { AddressList } from "./address-list.ts";
import type { Connection } from "./connection.ts";
import { ServerError } from "./errors.ts";
import { checkTime } from "./options.ts";
import type { ProxyHeader } from "./proxy-protocol/events.ts";
import { ProxyHeaderParser } from "./proxy-protocol/parser.ts";
import type { ProxyParserOptions } from "./proxy-protocol/parser.ts";

/** Section 2 asks for 3 s at least, so that a lost packet may come again. */
const HEADER_TIMEOUT_MS = 5_000;

/** What behindProxy() takes last. */
export interface BehindProxyOptions extends ProxyParserOptions {
  /** The proxies: addresses and networks, "unix". Connections from elsewhere are refused. */
  trusted: AddressList | readonly string[];
  /** How long the header may take to come. Default 5000. */
  headerTimeoutMs?: number | undefined;
}

/** A connection whose addresses are those that the proxy told. */
export class ProxiedStream extends HandedOverStream {
  /** What the proxy said. */
  readonly header: ProxyHeader;

  /** @internal Use behindProxy(). */
  constructor(stream: ByteStream, header: ProxyHeader, rest: Buffer) {
    super(stream, rest);
    this.header = header;
  }

  /** Where the client connected to; where the proxy does not say: this side's address. */
  override get localAddress(): AnyAddress | undefined {
    return this.header.destination ?? super.localAddress;
  }

  /** The client; where the proxy does not say: the proxy. */
  override get remoteAddress(): AnyAddress | undefined {
    return this.header.source ?? super.remoteAddress;
  }
}

/**
 * A handler that takes the PROXY protocol's header (version 1 or 2) off each connection, and passes the rest on with the
 * addresses that it tells: `serve(listener, behindProxy(handler, { trusted: ["10.0.0.0/8"] }))`.
 *
 * A connection from elsewhere is refused (ERR_ADDRESS_DENIED); one with a header that is none, or that takes too long, fails
 * with a RemoteProtocolError: ERR_PROXY_HEADER, ERR_PROXY_TIMEOUT, ERR_UNEXPECTED_EOF. Nothing is answered.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: no such address; a time.
 * @see https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
 */
export function behindProxy<S extends ByteStream>(
  handler: (stream: ProxiedStream, connection: Connection<S>) => Promise<void> | void,
  options: BehindProxyOptions,
): (stream: ByteStream, connection: Connection<S>) => Promise<void> {
  if (typeof handler !== "function") throw invalidArgument("handler", "a function", handler);
  const trusted = AddressList.of("options.trusted", options.trusted);
  const headerTimeoutMs = checkTime("options.headerTimeoutMs", options.headerTimeoutMs ?? HEADER_TIMEOUT_MS);
  return async (stream, connection) => {
    const { remoteAddress } = stream;
    if (!trusted.has(remoteAddress))
      throw new ServerError("ERR_ADDRESS_DENIED", "not one of the trusted proxies", remoteAddress);
    await handler(await readHeader(stream, headerTimeoutMs, options), connection);
  };
}

async function readHeader(
  stream: ByteStream,
  headerTimeoutMs: number,
  options: ProxyParserOptions,
): Promise<ProxiedStream> {
  const parser = new ProxyHeaderParser(options);
  const late = new AbortController();
  // What waits for the header holds the process.
  const timer = startTimer(headerTimeoutMs, () =>
    late.abort(new RemoteProtocolError("ERR_PROXY_TIMEOUT", `no header in ${headerTimeoutMs} ms`)),
  );
  try {
    for (;;) {
      const header = parser.next();
      if (header !== NEED_DATA) return new ProxiedStream(stream, header, parser.rest());
      const bytes = await stream.receiveSome(undefined, { signal: late.signal });
      if (bytes.length === 0)
        throw new RemoteProtocolError("ERR_UNEXPECTED_EOF", "the proxy ended before its header did");
      parser.receive(bytes);
    }
  } finally {
    stopTimer(timer);
  }
}
