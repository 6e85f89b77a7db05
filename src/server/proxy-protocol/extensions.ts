// Extensions of version 2 of the PROXY protocol: how they are cut, and what those mean that have a meaning here. Pure.

import type { ProxiedTls, ProxyExtension, ProxyHeader } from "./events.ts";
import { EXTENSION } from "./events.ts";

/** Type and length. */
const HEAD_BYTES = 3;
/** Section 2.2.5. */
const UNIQUE_ID_BYTES_MAX = 128;
/** Of SSL: client, verify. */
const TLS_BYTES = 5;
const CLIENT_SSL = 0x01;
const CLIENT_CERT_CONN = 0x02;
const CLIENT_CERT_SESS = 0x04;

/** Makes the error. */
type Wrong = (what: string) => Error;

/** Cuts extensions. None may be cut off, and none that has a meaning may come twice: who reads the last is told otherwise. */
export function splitExtensions(bytes: Buffer, wrong: Wrong): ProxyExtension[] {
  const found: ProxyExtension[] = [];
  const once = new Set<number>(Object.values(EXTENSION));
  once.delete(EXTENSION.NOOP);
  const seen = new Set<number>();
  for (let at = 0; at < bytes.length; ) {
    if (at + HEAD_BYTES > bytes.length) throw wrong("an extension is cut off");
    const type = bytes[at] as number;
    const end = at + HEAD_BYTES + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) throw wrong("an extension is cut off");
    if (seen.has(type) && once.has(type)) throw wrong(`extension ${type} comes twice`);
    seen.add(type);
    found.push({ type, value: bytes.subarray(at + HEAD_BYTES, end) });
    at = end;
  }
  return found;
}

type Meaning = Pick<ProxyHeader, "authority" | "alpn" | "uniqueId" | "networkNamespace" | "tls">;

/** What extensions mean. */
export function meaningOf(extensions: readonly ProxyExtension[], wrong: Wrong): Meaning {
  const meaning: { -readonly [K in keyof Meaning]: Meaning[K] } = {};
  for (const { type, value } of extensions)
    switch (type) {
      case EXTENSION.ALPN:
        meaning.alpn = value;
        break;
      case EXTENSION.AUTHORITY:
        meaning.authority = textOf(value, wrong);
        break;
      case EXTENSION.UNIQUE_ID:
        if (value.length > UNIQUE_ID_BYTES_MAX) throw wrong(`a unique id of ${value.length} bytes`);
        meaning.uniqueId = value;
        break;
      case EXTENSION.NETNS:
        meaning.networkNamespace = textOf(value, wrong);
        break;
      case EXTENSION.SSL:
        meaning.tls = tlsOf(value, wrong);
        break;
      default:
    }
  return meaning;
}

function tlsOf(value: Buffer, wrong: Wrong): ProxiedTls {
  if (value.length < TLS_BYTES) throw wrong(`an SSL extension of ${value.length} bytes`);
  const client = value[0] as number;
  const certificate = (client & (CLIENT_CERT_CONN | CLIENT_CERT_SESS)) !== 0;
  const texts: Partial<Record<number, string>> = {};
  for (const { type, value: text } of splitExtensions(value.subarray(TLS_BYTES), wrong))
    if (type in TLS_TEXTS) texts[type] = textOf(text, wrong);
  const named = Object.entries(texts).map(([type, text]) => [TLS_TEXTS[Number(type)], text]);
  return {
    used: (client & CLIENT_SSL) !== 0,
    certificate,
    verified: certificate && value.readUInt32BE(1) === 0,
    ...(Object.fromEntries(named) as Partial<ProxiedTls>),
  };
}

const TLS_TEXTS: Readonly<Partial<Record<number, keyof ProxiedTls>>> = {
  [EXTENSION.SSL_VERSION]: "version",
  [EXTENSION.SSL_CN]: "commonName",
  [EXTENSION.SSL_CIPHER]: "cipher",
  [EXTENSION.SSL_SIG_ALG]: "signatureAlgorithm",
  [EXTENSION.SSL_KEY_ALG]: "keyAlgorithm",
};

/** UTF-8 without control characters: these names end up in logs and in comparisons. */
function textOf(value: Buffer, wrong: Wrong): string {
  const text = value.toString();
  if (value.some((byte) => byte < 32 || byte === 127) || !Buffer.from(text).equals(value))
    throw wrong("a name that is no text");
  return text;
}
