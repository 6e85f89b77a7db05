// The fields that decide how a message is read: how long its content is, and whether the connection lives on. RFC 9112
// sections 6 and 9, RFC 9110 sections 7.2, 7.6.1, 7.8, 10.1.1. One pass over the table of places; nothing else of the
// head is looked at. Which content belongs to which method and status, parser.ts knows.

import { parseList } from "../../wire/parameters.ts";
import { refusal, shownBytes } from "./errors.ts";
import { LINE_WORDS, NAME_ID, VALUE_END, VALUE_START } from "./field-lines.ts";
import { LENGTH_DIGITS_MAX } from "./limits.ts";
import {
  CONNECTION,
  CONTENT_LENGTH,
  CONTROL_COUNT,
  EXPECT,
  HOST,
  TRANSFER_ENCODING,
  UNKNOWN,
  UPGRADE,
  isName,
} from "./names.ts";
import { isAuthority } from "./target.ts";

/** No Content-Length. */
export const NO_LENGTH = -1;

/** What the control fields of one head say; one object is filled again and again. */
export class Control {
  /** Content-Length, or NO_LENGTH. */
  length: number = NO_LENGTH;
  /** Transfer-Encoding: chunked. */
  chunked = false;
  /** Connection has "close". */
  close = false;
  /** Connection has "keep-alive". */
  keepAlive = false;
  /** Connection has "upgrade", and there is an Upgrade. */
  upgrade = false;
  /** Expect has "100-continue". */
  expectsContinue = false;
  /** Host; undefined: there is none. */
  host: string | undefined = undefined;
}

/**
 * Reads the control fields of a head.
 *
 * @param into  filled anew. Its `host` keeps its string when the same comes again.
 * @throws {RemoteProtocolError} where they contradict each other or cannot be read, whatever the message is.
 */
export function readControl(bytes: Buffer, base: number, table: readonly number[], into: Control): void {
  const before = into.host;
  into.length = NO_LENGTH;
  into.chunked = into.close = into.keepAlive = into.upgrade = into.expectsContinue = false;
  into.host = undefined;
  let encoding: string | undefined;
  let upgrades = false;
  let wantsUpgrade = false;
  for (let line = 0; line < table.length; line += LINE_WORDS) {
    const id = table[line + NAME_ID] as number;
    if (id >= CONTROL_COUNT || id === UNKNOWN) continue;
    const start = base + (table[line + VALUE_START] as number);
    const end = base + (table[line + VALUE_END] as number);
    switch (id) {
      case HOST:
        if (into.host !== undefined) throw refusal("ERR_HTTP_HOST_REPEATED", "more than one Host");
        into.host = readHost(bytes, start, end, before);
        break;
      case CONTENT_LENGTH:
        if (into.length !== NO_LENGTH)
          throw refusal("ERR_HTTP_CONTENT_LENGTH_REPEATED", "more than one Content-Length");
        into.length = readLength(bytes, start, end);
        break;
      case TRANSFER_ENCODING: {
        const value = bytes.toString("latin1", start, end);
        encoding = encoding === undefined ? value : `${encoding},${value}`;
        break;
      }
      case CONNECTION:
        if (isName(bytes, start, end, "keep-alive")) into.keepAlive = true;
        else if (isName(bytes, start, end, "close")) into.close = true;
        else wantsUpgrade = readConnection(bytes.toString("latin1", start, end), into) || wantsUpgrade;
        break;
      case UPGRADE:
        upgrades = true;
        break;
      case EXPECT:
        readExpect(bytes.toString("latin1", start, end), into);
        break;
    }
  }
  into.upgrade = upgrades && wantsUpgrade;
  if (encoding === undefined) return;
  if (into.length !== NO_LENGTH)
    throw refusal("ERR_HTTP_LENGTH_AND_ENCODING", "Content-Length beside Transfer-Encoding");
  readEncoding(encoding);
  into.chunked = true;
}

/** Host is looked at again only when it is another than in the last head. */
function readHost(bytes: Buffer, start: number, end: number, before: string | undefined): string {
  if (before !== undefined && isSame(bytes, start, end, before)) return before;
  const host = bytes.toString("latin1", start, end);
  // Empty where the target's URI has no authority (RFC 9112 section 3.2).
  if (host !== "" && !isAuthority(host))
    throw refusal("ERR_HTTP_HOST", `Host is ${shownBytes(bytes, start, end)}`);
  return host;
}

function isSame(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}

function readLength(bytes: Buffer, start: number, end: number): number {
  let length = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) throw badLength(bytes, start, end);
    length = 10 * length + digit;
  }
  if (end === start) throw refusal("ERR_HTTP_CONTENT_LENGTH", "Content-Length is empty");
  if (end - start > LENGTH_DIGITS_MAX)
    throw refusal("ERR_HTTP_CONTENT_LENGTH", `Content-Length has over ${LENGTH_DIGITS_MAX} digits`);
  return length;
}

function badLength(bytes: Buffer, start: number, end: number): Error {
  const shown = shownBytes(bytes, start, end);
  // A list is what two lines become when somebody joins them.
  return bytes.subarray(start, end).includes(",")
    ? refusal("ERR_HTTP_CONTENT_LENGTH_REPEATED", `Content-Length is a list: ${shown}`)
    : refusal("ERR_HTTP_CONTENT_LENGTH", `Content-Length is ${shown}`);
}

/** Strict: no parameters, no empty elements, and chunked exactly once, alone. */
function readEncoding(value: string): void {
  const codings = parseList(value);
  if (codings === undefined || codings.length === 0 || /^[ \t]*,|,[ \t]*(?:,|$)/.test(value))
    throw refusal("ERR_HTTP_TRANSFER_ENCODING", `Transfer-Encoding is ${JSON.stringify(value)}`);
  const names = codings.map(({ name }) => name);
  if (codings.some(({ name, parameters }) => parameters.size > 0 || name.includes("/")))
    throw refusal("ERR_HTTP_TRANSFER_ENCODING", `Transfer-Encoding is ${JSON.stringify(value)}`);
  const unknown = names.find((name) => name !== "chunked");
  if (unknown === undefined) {
    if (names.length > 1) throw refusal("ERR_HTTP_TRANSFER_ENCODING", "chunked twice");
    return;
  }
  const place = names.indexOf("chunked");
  if (place >= 0 && place < names.length - 1)
    throw refusal("ERR_HTTP_CHUNKED_NOT_LAST", `Transfer-Encoding is ${JSON.stringify(value)}`);
  throw refusal(
    "ERR_HTTP_TRANSFER_CODING_UNKNOWN",
    `the transfer coding ${JSON.stringify(unknown)} is not known`,
  );
}

/** @returns whether "upgrade" is among the options. */
function readConnection(value: string, into: Control): boolean {
  const options = parseList(value);
  if (
    options === undefined ||
    options.some(({ name, parameters }) => parameters.size > 0 || name.includes("/"))
  )
    throw refusal("ERR_HTTP_CONNECTION", `Connection is ${JSON.stringify(value)}`);
  let upgrade = false;
  for (const { name } of options) {
    if (name === "close") into.close = true;
    else if (name === "keep-alive") into.keepAlive = true;
    else if (name === "upgrade") upgrade = true;
  }
  return upgrade;
}

function readExpect(value: string, into: Control): void {
  if (value.toLowerCase() !== "100-continue")
    throw refusal("ERR_HTTP_EXPECTATION", `the expectation ${JSON.stringify(value)} is not known`);
  into.expectsContinue = true;
}
