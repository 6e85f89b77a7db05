// The opening handshake: what a client asks, what a server answers, and what each checks of the other's. RFC 6455 sections
// 4.1, 4.2 and 11.3. It knows fields; the messages that carry them are of berkeley/http.

import { createHash, randomBytes } from "node:crypto";
import type { HttpFields } from "../../http/syntax/fields.ts";
import { isToken } from "../../wire/characters.ts";
import { parseList } from "../../wire/parameters.ts";
import type { ListElement } from "../../wire/parameters.ts";
import { mistake, refusal } from "./errors.ts";

/** The version that is spoken here. RFC 6455 section 4.1. */
export const WEBSOCKET_VERSION = "13";

/** RFC 6455 section 1.3: proves that whoever answers has understood the question. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const KEY_BYTES = 16;

/** Fields that the handshake makes itself: who adds others may not add these. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "upgrade",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
]);

/** A new key for a request: Sec-WebSocket-Key. */
export function makeKey(): string {
  return randomBytes(KEY_BYTES).toString("base64");
}

/** The Sec-WebSocket-Accept that answers a key. */
export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + ACCEPT_SUFFIX)
    .digest("base64");
}

/** What a server must know of a request; a RequestHead has it, and an HttpRequest. */
export interface HandshakeRequest {
  readonly method: string;
  readonly version: string;
  readonly fields: HttpFields;
}

/** What a client asks for. */
export interface Asked {
  readonly key: string;
  /** Subprotocols, the best first; as they were sent, for case counts. */
  readonly protocols: readonly string[];
  /** Extensions, the best first. */
  readonly extensions: readonly ListElement[];
}

/** What a client sends. */
export interface Asking {
  readonly key: string;
  readonly protocols: readonly string[];
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensions?: string | undefined;
}

/** What a server has agreed to. */
export interface Agreed {
  /** One of the protocols that were asked for. */
  readonly protocol?: string | undefined;
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensions?: string | undefined;
}

function protocolsOf(fields: HttpFields): string[] {
  const value = fields.get("sec-websocket-protocol");
  if (value === undefined) return [];
  const protocols = value.split(",").map((protocol) => protocol.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  if (!protocols.every(isToken) || new Set(protocols).size < protocols.length)
    throw refusal("ERR_WEBSOCKET_PROTOCOL", `Sec-WebSocket-Protocol is ${JSON.stringify(value)}`);
  return protocols;
}

function extensionsOf(fields: HttpFields): readonly ListElement[] {
  const value = fields.get("sec-websocket-extensions");
  if (value === undefined) return [];
  const elements = parseList(value);
  if (elements === undefined)
    throw refusal("ERR_WEBSOCKET_EXTENSIONS", `Sec-WebSocket-Extensions is ${JSON.stringify(value)}`);
  return elements;
}

/** Whether a field that is a list has this word, in any case. */
function has(fields: HttpFields, name: string, word: string): boolean {
  return parseList(fields.get(name) ?? "")?.some((element) => element.name === word) === true;
}

/**
 * Reads what a client asks for.
 *
 * @throws {RemoteProtocolError} ERR_WEBSOCKET_METHOD, ERR_WEBSOCKET_UPGRADE, ERR_WEBSOCKET_VERSION, ERR_WEBSOCKET_KEY,
 *   ERR_WEBSOCKET_PROTOCOL, ERR_WEBSOCKET_EXTENSIONS: it is no handshake, or none of this version;
 *   statusOfHandshakeRefusal() gives the status that answers it.
 */
export function readHandshake({ method, version, fields }: HandshakeRequest): Asked {
  if (!has(fields, "upgrade", "websocket") || !has(fields, "connection", "upgrade") || version !== "1.1")
    throw refusal("ERR_WEBSOCKET_UPGRADE", "the request offers no WebSocket");
  if (method !== "GET") throw refusal("ERR_WEBSOCKET_METHOD", `${method} opens no WebSocket`);
  const spoken = fields.getAll("sec-websocket-version");
  if (spoken.length !== 1 || spoken[0] !== WEBSOCKET_VERSION)
    throw refusal("ERR_WEBSOCKET_VERSION", `Sec-WebSocket-Version is ${JSON.stringify(spoken.join())}`);
  const keys = fields.getAll("sec-websocket-key");
  const [key] = keys;
  if (key === undefined || keys.length > 1 || !KEY.test(key))
    throw refusal("ERR_WEBSOCKET_KEY", `Sec-WebSocket-Key is ${JSON.stringify(keys.join())}`);
  return { key, protocols: protocolsOf(fields), extensions: extensionsOf(fields) };
}

/** Fields of a request, without Host; others may be added, own ones not. */
export function requestFields({ key, protocols, extensions }: Asking): [string, string][] {
  const fields: [string, string][] = [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Version", WEBSOCKET_VERSION],
  ];
  if (protocols.length > 0) fields.push(["Sec-WebSocket-Protocol", checkProtocols(protocols).join(", ")]);
  if (extensions !== undefined) fields.push(["Sec-WebSocket-Extensions", extensions]);
  return fields;
}

/**
 * Whether these are subprotocols that can be asked for.
 *
 * @throws {LocalProtocolError} ERR_WEBSOCKET_PROTOCOL: one is no token, or comes twice.
 */
export function checkProtocols(protocols: readonly string[]): readonly string[] {
  for (const [index, protocol] of protocols.entries())
    if (typeof protocol !== "string" || !isToken(protocol) || protocols.indexOf(protocol) < index)
      throw mistake(
        "ERR_WEBSOCKET_PROTOCOL",
        `the protocol ${JSON.stringify(protocol)} is no token, or comes twice`,
      );
  return protocols;
}

/**
 * Whether these fields may be added to a handshake.
 *
 * @throws {LocalProtocolError} ERR_WEBSOCKET_UPGRADE: one of them is the handshake's own.
 */
export function checkAddedFields(fields: HttpFields): HttpFields {
  for (const [name] of fields)
    if (OWN_FIELDS.has(name)) throw mistake("ERR_WEBSOCKET_UPGRADE", `${name} is written by the handshake`);
  return fields;
}

/** Fields of the answer 101. */
export function responseFields(key: string, { protocol, extensions }: Agreed): [string, string][] {
  const fields: [string, string][] = [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", acceptOf(key)],
  ];
  if (protocol !== undefined) fields.push(["Sec-WebSocket-Protocol", protocol]);
  if (extensions !== undefined) fields.push(["Sec-WebSocket-Extensions", extensions]);
  return fields;
}

/**
 * Reads what a server has answered.
 *
 * @returns the protocol that was agreed on, and the extensions, which are still to be checked.
 * @throws {RemoteProtocolError} ERR_WEBSOCKET_STATUS, ERR_WEBSOCKET_UPGRADE, ERR_WEBSOCKET_ACCEPT; ERR_WEBSOCKET_PROTOCOL:
 *   one that was not asked for, or several; ERR_WEBSOCKET_EXTENSIONS.
 */
export function readAnswer(
  { status, fields }: { readonly status: number; readonly fields: HttpFields },
  { key, protocols }: Asking,
): { readonly protocol: string | undefined; readonly extensions: readonly ListElement[] } {
  if (status !== 101) throw refusal("ERR_WEBSOCKET_STATUS", `the server answered ${status}, not 101`);
  if (fields.get("upgrade")?.toLowerCase() !== "websocket" || !has(fields, "connection", "upgrade"))
    throw refusal("ERR_WEBSOCKET_UPGRADE", "the server switches to something else than WebSocket");
  if (fields.get("sec-websocket-accept") !== acceptOf(key))
    throw refusal("ERR_WEBSOCKET_ACCEPT", "Sec-WebSocket-Accept is not that of the key");
  const [protocol, ...others] = protocolsOf(fields);
  if (others.length > 0 || (protocol !== undefined && !protocols.includes(protocol)))
    throw refusal("ERR_WEBSOCKET_PROTOCOL", `the server chose a protocol that was not asked for`);
  return { protocol, extensions: extensionsOf(fields) };
}
