// Sessions as programs keep them: OpenSSL's own, and whose it is. Pure: bytes to a session and back.
//
// Why not OpenSSL's alone. Of a session that is resumed Node does not give the server's certificate, and does not look at its
// name: with a session of one server a connection to another would be taken for one to it. So the certificate goes with the
// session, and the name is looked for in it each time. Who can change the bytes has the session's secrets anyway.
//
// OpenSSL keeps what the verification gave, and does not verify again: a client that trusts somebody else by now, or knows by
// now what was revoked, would take the server all the same. So with it goes whom the client trusted, and a session that was
// made under another trust, or whose certificate is out of its time, is not offered. Go's crypto/tls looks at the time too.

import { X509Certificate, createHash } from "node:crypto";
import type { CheckedTlsOptions } from "./options.ts";

/** What begins one, with the version of what follows. */
const MAGIC: Buffer = Buffer.from("berkeley-tls-session-2\n");
const TRUST_BYTES = 32;
const LENGTH_BYTES = 4;

/** A session, the certificate that its server has shown, and whom the client trusted. */
export interface KeptSession {
  /** What trustOf() gave. */
  readonly trust: Buffer;
  /** DER. */
  readonly certificate: Buffer;
  /** As OpenSSL writes it: d2i_SSL_SESSION(3). */
  readonly session: Buffer;
}

/** Writes it. */
export function formatSession({ certificate, session, trust }: KeptSession): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(certificate.length);
  return Buffer.concat([MAGIC, trust, length, certificate, session]);
}

/** Reads it, in memory of its own; undefined: it is none. */
export function parseSession(bytes: Uint8Array): KeptSession | undefined {
  const copy = Buffer.from(bytes);
  const trustEnd = MAGIC.length + TRUST_BYTES;
  const start = trustEnd + LENGTH_BYTES;
  if (copy.length < start || !copy.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const end = start + copy.readUInt32BE(trustEnd);
  if (end >= copy.length) return undefined;
  const trust = copy.subarray(MAGIC.length, trustEnd);
  return { certificate: copy.subarray(start, end), session: copy.subarray(end), trust };
}

/** Whom a client trusts, and what it knows to be revoked: the same bytes for the same. */
export function trustOf({ ca, crl }: Pick<CheckedTlsOptions, "ca" | "crl">): Buffer {
  const about = [ca?.map(String) ?? null, crl?.map(String) ?? null];
  return createHash("sha256").update(JSON.stringify(about)).digest();
}

/** Whether a session is still as good as a whole handshake would be now. */
export function isGood({ certificate, trust }: KeptSession, trusted: Buffer): boolean {
  return trust.equals(trusted) && Date.parse(new X509Certificate(certificate).validTo) > Date.now();
}
