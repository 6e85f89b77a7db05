// Where a request goes, from its URL: the origin, the Host to write, the target. It connects to nothing.
//
// Why URLs are remembered. A program asks for the same few again and again, and taking one apart costs more than parsing
// the answer's head.

import { invalidArgument } from "../../socket/errors.ts";
import { mistake } from "../syntax/errors.ts";
import type { Origin } from "./options.ts";

/** A URL, taken apart. */
export interface Destination extends Origin {
  /** The URL without its fragment. */
  readonly url: string;
  /** Scheme, host and port: what connections have in common. */
  readonly origin: string;
  /** What is written as Host. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
}

const PORTS = { "http:": 80, "https:": 443 } as const;
const REMEMBERED_MAX = 256;
const remembered = new Map<string, Destination>();

/**
 * Takes a URL apart.
 *
 * @throws {TypeError} ERR_INVALID_URL: it is none. ERR_INVALID_ARG_TYPE: it has a user or a password, which would be sent
 *   to whoever answers there. @throws {LocalProtocolError} ERR_HTTP_SCHEME: neither http nor https.
 */
export function destinationOf(url: string | URL): Destination {
  if (typeof url !== "string") return takeApart(url);
  const known = remembered.get(url);
  if (known !== undefined) return known;
  const made = takeApart(new URL(url));
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(url, made);
  return made;
}

function takeApart(url: URL): Destination {
  if (!(url instanceof URL)) throw invalidArgument("url", "a string or a URL", url);
  const { protocol, hostname, port, host, pathname, search, username, password, origin } = url;
  if (protocol !== "http:" && protocol !== "https:")
    throw mistake("ERR_HTTP_SCHEME", `${protocol} is neither http: nor https:`);
  if (username !== "" || password !== "")
    throw invalidArgument("url", "without a user and a password: send Authorization", origin);
  const target = `${pathname}${search}`;
  return {
    url: `${origin}${target}`,
    origin,
    protocol,
    hostname: hostname.startsWith("[") ? hostname.slice(1, -1) : hostname,
    port: port === "" ? PORTS[protocol] : Number(port),
    host,
    target,
  };
}
