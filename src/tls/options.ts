// What both ends may be told, and the checks of it: versions, credentials, names that go on the wire. What is done with it
// the files of the ends know.

import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { invalidArgument, outOfRange } from "../socket/errors.ts";

/** A certificate, key or CRL as PEM; several certificates may stand in one. */
export type Pem = string | Uint8Array;

/** A version of TLS that is spoken here. Older ones are not: RFC 8996. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** Who somebody is. */
export interface TlsIdentity {
  /** PEM: the certificate first, then those between it and the root. */
  readonly certificate: Pem;
  /** PEM: its private key. */
  readonly key: Pem;
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined;
}

/** What both ends may be told. */
export interface TlsOptions {
  /** PEM: who is trusted to vouch for the peer. */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /** PEM: what was revoked. With any, each certificate up to the root needs a CRL of its issuer that is in its time. */
  readonly crl?: Pem | readonly Pem[] | undefined;
  /** Default "TLSv1.2". */
  readonly minVersion?: TlsVersion | undefined;
  /** Default "TLSv1.3". */
  readonly maxVersion?: TlsVersion | undefined;
  /** OpenSSL's list of ciphers. Default Node's own, tls.DEFAULT_CIPHERS. @see openssl-ciphers(1) */
  readonly ciphers?: string | undefined;
  /** Application protocols, the liked one first: "h2", "http/1.1". Default none. @see RFC 7301 */
  readonly alpnProtocols?: readonly string[] | undefined;
  /** How long the handshake may take. Default 10000, as in Go's net/http. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * Given each secret of each connection, as a line for Wireshark (SSLKEYLOGFILE's format). Who has them reads everything.
   *
   * @see RFC 9850
   */
  readonly keyLog?: ((line: string) => void) | undefined;
}

/** Default of handshakeTimeoutMs: TLSHandshakeTimeout of Go's http.DefaultTransport. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Most that setTimeout takes. */
const TIMEOUT_MS_MAX: number = 2 ** 31 - 1;
/** RFC 7301 section 3.1: a length of one byte before each name, of two before all. */
const PROTOCOL_BYTES_MAX = 255;
const PROTOCOLS_BYTES_MAX = 65_535;
/** RFC 1035 section 2.3.4. */
const NAME_CHARACTERS_MAX = 255;

/** Options that hold for any connection of an end, checked. */
export interface CheckedTlsOptions {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  readonly ciphers: string | undefined;
  readonly alpnProtocols: string[] | undefined;
  readonly handshakeTimeoutMs: number;
  readonly keyLog: ((line: string) => void) | undefined;
  readonly ca: Buffer[] | undefined;
  readonly crl: Buffer[] | undefined;
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option. */
export function checkTlsOptions(options: TlsOptions): CheckedTlsOptions {
  const { alpnProtocols, ca, ciphers, crl, keyLog } = options;
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const minVersion = checkVersion("options.minVersion", options.minVersion ?? "TLSv1.2");
  const maxVersion = checkVersion("options.maxVersion", options.maxVersion ?? "TLSv1.3");
  if (minVersion > maxVersion)
    throw outOfRange("options.maxVersion", `${minVersion} or later`, options.maxVersion);
  if (ciphers !== undefined && (typeof ciphers !== "string" || ciphers === ""))
    throw invalidArgument("options.ciphers", "a list of ciphers", ciphers);
  if (keyLog !== undefined && typeof keyLog !== "function")
    throw invalidArgument("options.keyLog", "a function", keyLog);
  if (typeof handshakeTimeoutMs !== "number")
    throw invalidArgument("options.handshakeTimeoutMs", "a number", handshakeTimeoutMs);
  if (!(handshakeTimeoutMs > 0))
    throw outOfRange("options.handshakeTimeoutMs", "above 0", handshakeTimeoutMs);
  return {
    minVersion,
    maxVersion,
    ciphers,
    alpnProtocols: alpnProtocols === undefined ? undefined : checkProtocols(alpnProtocols),
    handshakeTimeoutMs: handshakeTimeoutMs > TIMEOUT_MS_MAX ? Infinity : handshakeTimeoutMs,
    keyLog,
    ca: ca === undefined ? undefined : checkPems("options.ca", ca),
    crl: crl === undefined ? undefined : checkPems("options.crl", crl),
  };
}

function checkVersion(name: string, version: unknown): TlsVersion {
  if (version === "TLSv1.2" || version === "TLSv1.3") return version;
  throw invalidArgument(name, '"TLSv1.2" or "TLSv1.3"', version);
}

function checkProtocols(protocols: readonly string[]): string[] {
  const name = "options.alpnProtocols";
  if (!Array.isArray(protocols) || protocols.length === 0)
    throw invalidArgument(name, "a list of names", protocols);
  let total = 0;
  for (const protocol of protocols as readonly unknown[]) {
    if (typeof protocol !== "string" || /[^!-~]/.test(protocol))
      throw invalidArgument(name, "a list of names in visible ASCII characters", protocol);
    if (protocol === "" || protocol.length > PROTOCOL_BYTES_MAX)
      throw outOfRange(name, `names of 1 to ${PROTOCOL_BYTES_MAX} characters`, protocol);
    total += 1 + protocol.length;
  }
  if (total > PROTOCOLS_BYTES_MAX)
    throw outOfRange(name, `${PROTOCOLS_BYTES_MAX} bytes or less in all`, total);
  return [...protocols];
}

// Node takes what is empty for what was not given, and would then trust the roots that everybody trusts.
/** One PEM, or some; the message names what is none. */
function checkPems(name: string, pems: Pem | readonly Pem[]): Buffer[] {
  const list = (Array.isArray(pems) ? pems : [pems]) as readonly Pem[];
  if (list.length === 0) throw invalidArgument(name, "1 PEM or more", pems);
  return list.map((pem) => checkPem(name, pem));
}

/** PEM, in memory that nobody else writes to. */
function checkPem(name: string, pem: Pem): Buffer {
  const bytes = typeof pem === "string" || pem instanceof Uint8Array ? Buffer.from(pem) : undefined;
  if (bytes?.includes("-----BEGIN ") !== true)
    throw invalidArgument(name, "PEM", pem instanceof Uint8Array ? "bytes" : pem);
  return bytes;
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE. */
export function checkIdentity(name: string, identity: TlsIdentity): TlsIdentity {
  if (typeof identity !== "object" || identity === null)
    throw invalidArgument(name, "an object with certificate and key", identity);
  const { certificate, key, passphrase } = identity;
  if (passphrase !== undefined && typeof passphrase !== "string")
    throw invalidArgument(`${name}.passphrase`, "a string", undefined);
  return {
    certificate: checkPem(`${name}.certificate`, certificate),
    key: checkKey(`${name}.key`, key),
    passphrase,
  };
}

/** A key is never shown. */
function checkKey(name: string, key: Pem): Buffer {
  const given = typeof key === "string" || key instanceof Uint8Array;
  if (given && Buffer.from(key).includes("-----BEGIN ")) return Buffer.from(key);
  throw invalidArgument(name, "PEM", given ? "something that is none" : typeof key);
}

/**
 * The name of a server as it goes on the wire and is looked for in its certificate: ASCII, without a dot at its end; an
 * address as it is.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no name. @see RFC 6066 section 3, RFC 5890
 */
export function checkServerName(name: string, serverName: string): string {
  const wrong = invalidArgument(name, "a host name or an address", serverName);
  if (typeof serverName !== "string" || serverName.length > NAME_CHARACTERS_MAX) throw wrong;
  // The zone of an IPv6 address is this machine's own.
  const plain = serverName.replace(/%.*$/, "");
  if (isIP(plain) !== 0) return plain;
  // domainToASCII leaves away what stands behind some of these, as of a URL.
  if (/[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(serverName)) throw wrong;
  // Underscores are in names that are in use.
  const ascii = domainToASCII(serverName.replace(/\.$/, ""));
  if (!/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(ascii)) throw wrong;
  return ascii;
}
