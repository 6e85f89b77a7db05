// SOCKS version 5, what a proxy answers, from bytes: RFC 1928, RFC 1929. Each function is given exactly the bytes of one
// answer. It knows no stream.

import { RemoteProtocolError } from "../../wire/errors.ts";
import { NO_AUTHENTICATION, USER_PASSWORD } from "./writer.ts";

const VERSION = 5;
const AUTHENTICATION_VERSION = 1;
const NO_METHOD = 0xff;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** Bytes of the answers to the greeting and to the credentials. */
export const SHORT_BYTES = 2;
/** Bytes of the answer to a request that tell how long it is. */
export const REPLY_HEAD_BYTES = 5;

/** What RFC 1928 section 6 calls the replies. */
const REPLIES: readonly string[] = [
  "succeeded",
  "general failure of the server",
  "connection not allowed by its rules",
  "network unreachable",
  "host unreachable",
  "connection refused",
  "TTL expired",
  "command not supported",
  "address type not supported",
];

/** A proxy of SOCKS did not connect. `code` is ERR_SOCKS_REPLY. */
export class SocksReplyError extends RemoteProtocolError {
  static {
    SocksReplyError.prototype.name = "SocksReplyError";
  }
  /** 1 to 255, as RFC 1928 section 6 has them: 5 is a connection that was refused. */
  readonly reply: number;

  /** @param reply  what the proxy answered. */
  constructor(reply: number) {
    super("ERR_SOCKS_REPLY", `the proxy did not connect: ${REPLIES[reply] ?? `reply ${reply}`}`);
    this.reply = reply;
  }
}

/**
 * The answer to the greeting.
 *
 * @returns whether it wants a user and a password.
 * @throws {RemoteProtocolError} ERR_SOCKS_VERSION: it is no SOCKS 5. ERR_SOCKS_METHOD: it wants to know who asks in a way
 *   that was not offered.
 */
export function readMethod(bytes: Uint8Array, hasUser: boolean): boolean {
  checkVersion(bytes, VERSION);
  const method = bytes[1] as number;
  if (method === NO_AUTHENTICATION) return false;
  if (method === USER_PASSWORD && hasUser) return true;
  throw new RemoteProtocolError(
    "ERR_SOCKS_METHOD",
    method === NO_METHOD || method === USER_PASSWORD
      ? "the proxy wants another way to know who asks than was offered"
      : `the proxy chose a way to know who asks that was not offered: ${method}`,
  );
}

/** The answer to a user and a password. @throws {RemoteProtocolError} ERR_SOCKS_AUTHENTICATION: they are wrong. */
export function readAuthentication(bytes: Uint8Array): void {
  checkVersion(bytes, AUTHENTICATION_VERSION);
  if (bytes[1] !== 0)
    throw new RemoteProtocolError(
      "ERR_SOCKS_AUTHENTICATION",
      "the proxy does not take the user and password",
    );
}

/**
 * The first bytes of the answer to a request.
 *
 * @returns how many bytes follow.
 * @throws {SocksReplyError} ERR_SOCKS_REPLY: it did not connect.
 * @throws {RemoteProtocolError} ERR_SOCKS_VERSION; ERR_SOCKS_ADDRESS: an address of a kind that there is not.
 */
export function readReply(bytes: Uint8Array): number {
  checkVersion(bytes, VERSION);
  const reply = bytes[1] as number;
  if (reply !== 0) throw new SocksReplyError(reply);
  const kind = bytes[3];
  // Behind an address of 4, of 16 or of as many bytes as its first one says stand two of the port.
  if (kind === IPV4) return 4 + 2 - 1;
  if (kind === IPV6) return 16 + 2 - 1;
  if (kind === NAME) return (bytes[4] as number) + 2;
  throw new RemoteProtocolError("ERR_SOCKS_ADDRESS", `the proxy tells an address of the kind ${kind}`);
}

function checkVersion(bytes: Uint8Array, version: number): void {
  if (bytes[0] !== version)
    throw new RemoteProtocolError(
      "ERR_SOCKS_VERSION",
      `the proxy speaks version ${bytes[0]}, not ${version}`,
    );
}
