// Writes headers of the PROXY protocol, for who stands before a server that expects them. Refuses what the protocol cannot
// say. Pure.

import { LocalProtocolError } from "../../wire/index.ts";
import { parseIPv4, parseIPv6 } from "../../socket/address/text.ts";
import { crc32c } from "./crc32c.ts";
import { EXTENSION } from "./events.ts";
import type { ProxiedAddress, ProxyExtension } from "./events.ts";
import { SIGNATURE } from "./parser.ts";

const UNIX_BYTES = 108;
const PAYLOAD_BYTES_MAX = 65_535;

/** The ends of the connection that is passed on. */
export interface ProxiedEnds {
  readonly source: ProxiedAddress;
  readonly destination: ProxiedAddress;
}

/** What version 2 may say besides. */
export interface ProxyV2Options {
  /** Default "stream". */
  readonly transport?: "stream" | "datagram" | undefined;
  /** In this order. */
  readonly extensions?: readonly ProxyExtension[] | undefined;
  /** Adds a checksum, CRC-32C. Default false. */
  readonly checksum?: boolean | undefined;
}

const refused = (what: string): LocalProtocolError =>
  new LocalProtocolError("ERR_PROXY_HEADER", `PROXY protocol: ${what}`);

const isInternet = (address: ProxiedAddress): address is readonly [string, number] => Array.isArray(address);

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw refused(`no port: ${port}`);
  return port;
}

/** 4 or 16 bytes, or undefined: no such address. */
function bytesOfHost(host: string): Buffer | undefined {
  const address = parseIPv4(host);
  const bytes = Buffer.alloc(address < 0 ? 16 : 4);
  if (address >= 0) bytes.writeUInt32BE(address);
  else if (!parseIPv6(host, bytes, 0)) return undefined;
  return bytes;
}

/** Both hosts in bytes, of one length. */
function hostsOf(
  source: readonly [string, number],
  destination: readonly [string, number],
): [Buffer, Buffer] {
  const [from, to] = [bytesOfHost(source[0]), bytesOfHost(destination[0])];
  if (from === undefined || to === undefined || from.length !== to.length)
    throw refused(`no two addresses of one family: ${source[0]}, ${destination[0]}`);
  return [from, to];
}

/**
 * A header of version 1: one line.
 *
 * @param ends  absent: UNKNOWN, which leaves the receiver with the addresses of the connection itself.
 * @throws {LocalProtocolError} ERR_PROXY_HEADER: not two internet addresses of one family.
 */
export function formatProxyV1(ends?: ProxiedEnds): Buffer {
  if (ends === undefined) return Buffer.from("PROXY UNKNOWN\r\n");
  const { source, destination } = ends;
  if (!isInternet(source) || !isInternet(destination)) throw refused("version 1 has no Unix addresses");
  const [from] = hostsOf(source, destination);
  const ports = `${checkPort(source[1])} ${checkPort(destination[1])}`;
  return Buffer.from(`PROXY TCP${from.length === 4 ? 4 : 6} ${source[0]} ${destination[0]} ${ports}\r\n`);
}

/**
 * A header of version 2.
 *
 * @param ends  absent: LOCAL, the proxy speaks for itself, as with a health check.
 * @throws {LocalProtocolError} ERR_PROXY_HEADER: addresses of two families, too long a path, more than 65535 bytes.
 */
export function formatProxyV2(ends?: ProxiedEnds, options: ProxyV2Options = {}): Buffer {
  const { checksum = false, extensions = [], transport = "stream" } = options;
  const parts: Buffer[] = [];
  let family = 0;
  if (ends !== undefined) {
    const [kind, addresses] = addressesOf(ends);
    family = kind | (transport === "stream" ? 1 : 2);
    parts.push(addresses);
  }
  const all = checksum ? [...extensions, { type: EXTENSION.CRC32C, value: Buffer.alloc(4) }] : extensions;
  for (const { type, value } of all) {
    if (!Number.isInteger(type) || type < 0 || type > 255) throw refused(`no type of an extension: ${type}`);
    const head = Buffer.from([type, value.length >>> 8, value.length & 255]);
    if (value.length > PAYLOAD_BYTES_MAX) throw refused(`an extension of ${value.length} bytes`);
    parts.push(head, value);
  }
  const payload = Buffer.concat(parts);
  if (payload.length > PAYLOAD_BYTES_MAX) throw refused(`a header of ${payload.length} bytes`);
  const head = Buffer.from([
    ends === undefined ? 0x20 : 0x21,
    family,
    payload.length >>> 8,
    payload.length & 255,
  ]);
  const whole = Buffer.concat([SIGNATURE, head, payload]);
  if (checksum) whole.writeUInt32BE(crc32c(whole), whole.length - 4);
  return whole;
}

/** The family's bits, and the block of addresses. */
function addressesOf({ source, destination }: ProxiedEnds): [family: number, block: Buffer] {
  if (isInternet(source) && isInternet(destination)) {
    const hosts = hostsOf(source, destination);
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(checkPort(source[1]), 0);
    ports.writeUInt16BE(checkPort(destination[1]), 2);
    return [hosts[0].length === 4 ? 0x10 : 0x20, Buffer.concat([...hosts, ports])];
  }
  if (isInternet(source) || isInternet(destination)) throw refused("addresses of two families");
  const block = Buffer.alloc(2 * UNIX_BYTES);
  for (const [at, name] of [source, destination].entries()) {
    const bytes = Buffer.from(name as string);
    if (bytes.length > UNIX_BYTES) throw refused(`a name of ${bytes.length} bytes`);
    if (bytes[0] !== 0 && bytes.includes(0)) throw refused("a path with NUL");
    bytes.copy(block, at * UNIX_BYTES);
  }
  return [0x30, block];
}
