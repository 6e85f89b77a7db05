// Reads the header of the PROXY protocol, version 1 and 2, that a proxy sends before everything else. Strict: what could be
// read in two ways is refused, for who stands behind a proxy believes this header more than the kernel. Bounded; it knows no
// socket and trusts nobody: who may send a header, proxied.ts decides.

import { ByteQueue, NEED_DATA, RemoteProtocolError } from "../../wire/index.ts";
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from "../../socket/address/text.ts";
import { crc32c } from "./crc32c.ts";
import type { ProxiedAddress, ProxyExtension, ProxyHeader } from "./events.ts";
import { EXTENSION } from "./events.ts";
import { meaningOf, splitExtensions } from "./extensions.ts";

/** Section 2.1: the longest line, with its CRLF. */
const LINE_BYTES_MAX = 107;
/** Section 2.2: the constant that version 2 begins with. */
export const SIGNATURE: Buffer = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Version 2 and the command: the proxy speaks for itself, or for a client. */
const LOCAL = 0x20;
const PROXY = 0x21;
/** Signature, version and command, family and transport, length. */
const FIXED_BYTES = 16;
/** What follows these, by default: addresses take at most 216; extensions are rarely more than some hundred. */
const PAYLOAD_BYTES_MAX = 4096;

const LINE_BEGIN: Buffer = Buffer.from("PROXY ", "latin1");
const CRC_BYTES = 4;
/** sun_path of a Unix address in the header. */
const UNIX_BYTES = 108;

/** What the parser may be told. */
export interface ProxyParserOptions {
  /** Bytes behind the first 16 of version 2: addresses and extensions. Default 4096; the protocol has at most 65535. */
  payloadBytesMax?: number | undefined;
}

const wrong = (what: string): RemoteProtocolError =>
  new RemoteProtocolError("ERR_PROXY_HEADER", `PROXY protocol: ${what}`);

/** Reads one header. */
export class ProxyHeaderParser {
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #payloadBytesMax: number;

  constructor({ payloadBytesMax = PAYLOAD_BYTES_MAX }: ProxyParserOptions = {}) {
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** Takes what has arrived. */
  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /** What arrived behind the header; call it when next() has given one. */
  rest(): Buffer {
    return this.#queue.take();
  }

  /**
   * The header, when all of it has arrived.
   *
   * @throws {RemoteProtocolError} ERR_PROXY_HEADER: this is none, or not a sound one. It says so at the first byte that is
   *   wrong.
   */
  next(): ProxyHeader | typeof NEED_DATA {
    const begin = this.#queue.peek(FIXED_BYTES);
    if (begin.length === 0) return NEED_DATA;
    if (startsAlike(begin, SIGNATURE))
      return begin.length < FIXED_BYTES
        ? this.#checkFixed(begin.subarray(SIGNATURE.length))
        : this.#binary(begin);
    if (startsAlike(begin, LINE_BEGIN)) return begin.length < LINE_BEGIN.length ? NEED_DATA : this.#line();
    throw wrong("the connection begins with something else");
  }

  /** Refuses what has arrived of the fixed part as soon as it is wrong. */
  #checkFixed([command, family]: Buffer): typeof NEED_DATA {
    if (command !== undefined && command !== LOCAL && command !== PROXY)
      throw wrong(`version and command ${hex(command)}`);
    if (command === PROXY && family !== undefined && FAMILIES[family] === undefined)
      throw wrong(`address family and transport ${hex(family)}`);
    return NEED_DATA;
  }

  #binary(begin: Buffer): ProxyHeader | typeof NEED_DATA {
    this.#checkFixed(begin.subarray(SIGNATURE.length));
    const [local, family] = [begin[12] === LOCAL, begin[13] as number];
    const payloadBytes = begin.readUInt16BE(14);
    if (payloadBytes > this.#payloadBytesMax)
      throw wrong(
        `a header of ${FIXED_BYTES + payloadBytes} bytes, over ${FIXED_BYTES + this.#payloadBytesMax}`,
      );
    // Section 2.2: of LOCAL the receiver discards what follows, whatever its family.
    const { addressBytes, transport, read } = (local ? FAMILIES[0] : FAMILIES[family]) as Family;
    if (payloadBytes < addressBytes) throw wrong(`too short for its addresses: ${payloadBytes} bytes`);
    if (this.#queue.length < FIXED_BYTES + payloadBytes) return NEED_DATA;
    const whole = this.#queue.take(FIXED_BYTES + payloadBytes);
    if (local) return { version: 2, local, ...NOBODY, extensions: [] };
    const extensions = splitExtensions(whole.subarray(FIXED_BYTES + addressBytes), wrong);
    checkSum(whole, extensions);
    const addresses = read(whole.subarray(FIXED_BYTES, FIXED_BYTES + addressBytes));
    return { version: 2, local, ...addresses, transport, ...meaningOf(extensions, wrong), extensions };
  }

  #line(): ProxyHeader | typeof NEED_DATA {
    const seen = this.#queue.peek(LINE_BYTES_MAX);
    const end = seen.findIndex((byte) => byte < 32 || byte > 126);
    if (end < 0) {
      if (seen.length === LINE_BYTES_MAX) throw wrong(`a line over ${LINE_BYTES_MAX} bytes`);
      return NEED_DATA;
    }
    if (seen[end] !== 13) throw wrong(`byte ${hex(seen[end] as number)} in the line`);
    if (end + 1 === LINE_BYTES_MAX) throw wrong(`a line over ${LINE_BYTES_MAX} bytes`);
    if (end + 1 === seen.length) return NEED_DATA;
    if (seen[end + 1] !== 10) throw wrong("CR without LF");
    const header = readLine(seen.toString("latin1", LINE_BEGIN.length, end));
    this.#queue.skip(end + 2);
    return header;
  }
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`;

const startsAlike = (bytes: Buffer, constant: Buffer): boolean => {
  const length = Math.min(bytes.length, constant.length);
  return bytes.compare(constant, 0, length, 0, length) === 0;
};

/** Nothing is said of the ends. */
const NOBODY = { source: undefined, destination: undefined, transport: undefined } as const;

function readLine(text: string): ProxyHeader {
  // Section 2.1: behind UNKNOWN the receiver ignores anything up to the end of the line.
  if (text === "UNKNOWN" || text.startsWith("UNKNOWN "))
    return { version: 1, local: false, ...NOBODY, extensions: [] };
  const [family = "", source = "", destination = "", sourcePort = "", destinationPort = "", ...more] =
    text.split(" ");
  if ((family !== "TCP4" && family !== "TCP6") || more.length > 0)
    throw wrong(`a line ${JSON.stringify(text)}`);
  const read = family === "TCP4" ? readIPv4 : readIPv6;
  return {
    version: 1,
    local: false,
    source: read(source, readPort(sourcePort)),
    destination: read(destination, readPort(destinationPort)),
    transport: "stream",
    extensions: [],
  };
}

function readPort(text: string): number {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Infinity;
  if (port > 65_535) throw wrong(`a port ${JSON.stringify(text)}`);
  return port;
}

function readIPv4(text: string, port: number): ProxiedAddress {
  const address = parseIPv4(text);
  if (address < 0) throw wrong(`an IPv4 address ${JSON.stringify(text)}`);
  return [formatIPv4(address), port];
}

function readIPv6(text: string, port: number): ProxiedAddress {
  const bytes = new Uint8Array(16);
  if (!parseIPv6(text, bytes, 0)) throw wrong(`an IPv6 address ${JSON.stringify(text)}`);
  return [formatIPv6(bytes, 0), port, 0, 0];
}

type Ends = Pick<ProxyHeader, "source" | "destination">;

interface Family {
  readonly addressBytes: number;
  readonly transport: ProxyHeader["transport"];
  readonly read: (bytes: Buffer) => Ends;
}

const none = (): Ends => NOBODY;
const inet = (bytes: Buffer): Ends => ({
  source: [formatIPv4(bytes.readUInt32BE(0)), bytes.readUInt16BE(8)],
  destination: [formatIPv4(bytes.readUInt32BE(4)), bytes.readUInt16BE(10)],
});
const inet6 = (bytes: Buffer): Ends => ({
  source: [formatIPv6(bytes, 0), bytes.readUInt16BE(32), 0, 0],
  destination: [formatIPv6(bytes, 16), bytes.readUInt16BE(34), 0, 0],
});
const unix = (bytes: Buffer): Ends => ({
  source: unixName(bytes.subarray(0, UNIX_BYTES)),
  destination: unixName(bytes.subarray(UNIX_BYTES)),
});

/** As the kernel has names: a path ends at its NUL, an abstract name begins with one; without either it is "". */
function unixName(bytes: Buffer): ProxiedAddress {
  let end = bytes[0] === 0 ? bytes.length : bytes.indexOf(0);
  if (end < 0) end = bytes.length;
  else if (bytes[0] === 0) while (end > 0 && bytes[end - 1] === 0) end--;
  const name = bytes.subarray(0, end);
  if (end === 0) return "";
  const text = name.toString();
  return name[0] === 0 || !Buffer.from(text).equals(name) ? Buffer.from(name) : text;
}

/** Section 2.2: address family in the upper four bits, transport in the lower; what is not here is refused. */
const FAMILIES: Readonly<Partial<Record<number, Family>>> = {
  0x00: { addressBytes: 0, transport: undefined, read: none },
  0x11: { addressBytes: 12, transport: "stream", read: inet },
  0x12: { addressBytes: 12, transport: "datagram", read: inet },
  0x21: { addressBytes: 36, transport: "stream", read: inet6 },
  0x22: { addressBytes: 36, transport: "datagram", read: inet6 },
  0x31: { addressBytes: 2 * UNIX_BYTES, transport: "stream", read: unix },
  0x32: { addressBytes: 2 * UNIX_BYTES, transport: "datagram", read: unix },
};

/** Section 2.2.3: the sum is of the whole header with zeros in its own place. */
function checkSum(whole: Buffer, extensions: readonly ProxyExtension[]): void {
  const sum = extensions.find(({ type }) => type === EXTENSION.CRC32C)?.value;
  if (sum === undefined) return;
  if (sum.length !== CRC_BYTES) throw wrong(`a checksum of ${sum.length} bytes`);
  const at = sum.byteOffset - whole.byteOffset;
  const before = crc32c(whole.subarray(0, at));
  const found = crc32c(whole.subarray(at + CRC_BYTES), crc32c(new Uint8Array(CRC_BYTES), before));
  if (found !== sum.readUInt32BE(0)) throw wrong("the checksum is another");
}
