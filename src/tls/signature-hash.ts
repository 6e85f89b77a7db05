// Which hash a certificate was signed with, read from its DER (RFC 5280 section 4.1), and the binding to a server's
// certificate that rests on it (RFC 5929). Pure: it knows no connection.

import { createHash } from "node:crypto";

/** Signature algorithms with one hash: RFC 4055 and 8017, RFC 5758, RFC 3279. MD5 and SHA-1 count as SHA-256. */
const HASHES: Readonly<Record<string, string>> = {
  "2a864886f70d010104": "sha256", // md5WithRSAEncryption
  "2a864886f70d010105": "sha256", // sha1WithRSAEncryption
  "2a864886f70d01010e": "sha224",
  "2a864886f70d01010b": "sha256",
  "2a864886f70d01010c": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d0401": "sha256", // ecdsa-with-SHA1
  "2a8648ce3d040301": "sha224",
  "2a8648ce3d040302": "sha256",
  "2a8648ce3d040303": "sha384",
  "2a8648ce3d040304": "sha512",
  "2a8648ce380403": "sha256", // dsa-with-sha1
  "608648016503040301": "sha224", // dsa-with-sha224
  "608648016503040302": "sha256",
};
/** id-RSASSA-PSS, whose parameters name the hash. */
const PSS = "2a864886f70d01010a";
/** Hashes by themselves: RFC 4055 section 2.1. */
const PSS_HASHES: Readonly<Record<string, string>> = {
  "2b0e03021a": "sha256", // SHA-1
  "608648016503040204": "sha224",
  "608648016503040201": "sha256",
  "608648016503040202": "sha384",
  "608648016503040203": "sha512",
};

const SEQUENCE = 0x30;
const OID = 0x06;
const HASH_OF_PSS = 0xa0;

/** One element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** What follows it. */
  readonly rest: Buffer;
}

/** The element at the beginning; undefined: there is none that is whole. */
function elementOf(der: Buffer): Element | undefined {
  const tag = der[0];
  const short = der[1];
  if (tag === undefined || short === undefined) return undefined;
  let start = 2;
  let length = short;
  if (short >= 0x80) {
    const bytes = short & 0x7f;
    // A certificate is no longer than a TLS message: 3 bytes of length, RFC 8446 section 4.
    if (bytes === 0 || bytes > 3 || der.length < 2 + bytes) return undefined;
    length = der.readUIntBE(2, bytes);
    start += bytes;
  }
  if (der.length < start + length) return undefined;
  return { tag, content: der.subarray(start, start + length), rest: der.subarray(start + length) };
}

function tagged(der: Buffer | undefined, tag: number): Element | undefined {
  const element = der === undefined ? undefined : elementOf(der);
  return element?.tag === tag ? element : undefined;
}

/**
 * The hash of tls-server-end-point for a certificate.
 *
 * @param der  the certificate.
 * @returns a name for createHash(); undefined: it was signed with an algorithm that has none, such as Ed25519, or is none.
 * @see RFC 5929 section 4.1
 */
export function signatureHash(der: Buffer): string | undefined {
  const signed = tagged(tagged(der, SEQUENCE)?.content, SEQUENCE);
  const algorithm = tagged(signed?.rest, SEQUENCE);
  const name = tagged(algorithm?.content, OID);
  if (name === undefined) return undefined;
  const id = name.content.toString("hex");
  return id === PSS ? hashOfPss(name.rest) : HASHES[id];
}

/** Of RSASSA-PSS-params; left out it is SHA-1, RFC 4055 section 3.1. */
function hashOfPss(parameters: Buffer): string | undefined {
  const fields = tagged(parameters, SEQUENCE);
  if (fields === undefined) return undefined;
  const hash = tagged(fields.content, HASH_OF_PSS);
  if (hash === undefined) return "sha256";
  const name = tagged(tagged(hash.content, SEQUENCE)?.content, OID);
  return name === undefined ? undefined : PSS_HASHES[name.content.toString("hex")];
}

/** The binding to a server's certificate; undefined: there is none for it. */
export function endPointBinding(der: Buffer): Buffer | undefined {
  const hash = signatureHash(der);
  return hash === undefined ? undefined : createHash(hash).update(der).digest();
}
