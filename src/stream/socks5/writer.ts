// SOCKS version 5, what a client says, in bytes: RFC 1928, and RFC 1929 for a user with a password. It knows no stream.

import { parseIPv4, parseIPv6 } from "../../socket/address/text.ts";
import { LocalProtocolError } from "../../wire/errors.ts";

const VERSION = 5;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const IPV6_BYTES = 16;
/** What one byte can count. */
const TEXT_BYTES_MAX = 255;

/** No authentication is needed. */
export const NO_AUTHENTICATION = 0;
/** A user and a password: RFC 1929. */
export const USER_PASSWORD = 2;

/** The first message: which ways to authenticate it can be. */
export function greeting(hasUser: boolean): Buffer {
  return Buffer.from(
    hasUser ? [VERSION, 2, NO_AUTHENTICATION, USER_PASSWORD] : [VERSION, 1, NO_AUTHENTICATION],
  );
}

/** @throws {LocalProtocolError} ERR_SOCKS_TEXT: the user or the password is empty or over 255 bytes. */
export function credentials(user: string, password: string): Buffer {
  return Buffer.concat([Buffer.of(1), counted("the user", user), counted("the password", password)]);
}

/** @throws {LocalProtocolError} ERR_SOCKS_TEXT: the host is empty or over 255 bytes. */
export function connectRequest(host: string, port: number): Buffer {
  return Buffer.concat([Buffer.of(VERSION, CONNECT, 0), address(host), Buffer.of(port >> 8, port & 255)]);
}

function address(host: string): Buffer {
  const number = parseIPv4(host);
  if (number >= 0)
    return Buffer.of(IPV4, number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255);
  const bytes = Buffer.alloc(1 + IPV6_BYTES, IPV6);
  if (host.includes(":") && parseIPv6(host, bytes, 1)) return bytes;
  return Buffer.concat([Buffer.of(NAME), counted("the host", host)]);
}

function counted(what: string, text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0 || bytes.length > TEXT_BYTES_MAX)
    throw new LocalProtocolError("ERR_SOCKS_TEXT", `${what} must have from 1 to ${TEXT_BYTES_MAX} bytes`);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
