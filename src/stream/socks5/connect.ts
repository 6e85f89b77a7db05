// Through a proxy of SOCKS version 5 to somewhere else: RFC 1928, RFC 1929. What is said, writer.ts and parser.ts know.

import { checkInteger } from "../../socket/base.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { ByteStream, StreamOptions } from "../byte-stream.ts";
import { UnexpectedEofError } from "../errors.ts";
import { REPLY_HEAD_BYTES, SHORT_BYTES, readAuthentication, readMethod, readReply } from "./parser.ts";
import { connectRequest, credentials, greeting } from "./writer.ts";

/** What connectSocks5 takes last. */
export interface ConnectSocks5Options extends StreamOptions {
  /** Who asks, 1 to 255 bytes; with `password`. Default: nobody. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Exactly so many bytes, and not one more: what follows is not the proxy's. */
async function receive(stream: ByteStream, count: number, options: StreamOptions): Promise<Buffer> {
  let bytes = await stream.receiveSome(count, options);
  while (bytes.length < count) {
    const more = await stream.receiveSome(count - bytes.length, options);
    if (more.length === 0) throw new UnexpectedEofError("the proxy ended inside an answer", bytes);
    bytes = Buffer.concat([bytes, more]);
  }
  return bytes;
}

/**
 * Has the proxy at the other end of a stream connect it to a host and port. When this resolves the stream leads there;
 * when it fails, close the stream.
 *
 * @param stream  newly connected to the proxy.
 * @param host    a name, which the proxy resolves, or a numeric address.
 * @param port    1 to 65535.
 * @throws {SocksReplyError} ERR_SOCKS_REPLY: the proxy could not connect, or would not; `reply` says why.
 * @throws {RemoteProtocolError} ERR_SOCKS_METHOD, ERR_SOCKS_AUTHENTICATION: it does not take who asks; ERR_SOCKS_VERSION,
 *   ERR_SOCKS_ADDRESS: it is no proxy of SOCKS 5; ERR_UNEXPECTED_EOF.
 * @throws {LocalProtocolError} ERR_SOCKS_TEXT: host, user or password is empty or over 255 bytes.
 * @throws the signal's reason. @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: port.
 * @see RFC 1928; RFC 1929
 */
export async function connectSocks5(
  stream: ByteStream,
  host: string,
  port: number,
  options: ConnectSocks5Options = {},
): Promise<void> {
  const { user, password = "", signal } = options;
  if (typeof host !== "string") throw invalidArgument("host", "a string", host);
  checkInteger("port", port, 1, 65_535);
  const wait = { signal };
  // Before anything is sent.
  const who = user === undefined ? undefined : credentials(user, password);
  const request = connectRequest(host, port);
  await stream.sendAll(greeting(who !== undefined), wait);
  if (readMethod(await receive(stream, SHORT_BYTES, wait), who !== undefined) && who !== undefined) {
    await stream.sendAll(who, wait);
    readAuthentication(await receive(stream, SHORT_BYTES, wait));
  }
  await stream.sendAll(request, wait);
  await receive(stream, readReply(await receive(stream, REPLY_HEAD_BYTES, wait)), wait);
}
