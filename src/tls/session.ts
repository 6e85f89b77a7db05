// Sessions as programs keep them: OpenSSL's own, and whose it is. Pure: bytes to a session and back.
//
// Why not OpenSSL's alone. Of a session that is resumed Node does not give the server's certificate, and does not look at its
// name: with a session of one server a connection to another would be taken for one to it. So the certificate goes with the
// session, and the name is looked for in it each time. Who can change the bytes has the session's secrets anyway.

/** What begins one, with the version of what follows. */
const MAGIC: Buffer = Buffer.from("berkeley-tls-session-1\n");
const LENGTH_BYTES = 4;

/** A session and the certificate that its server has shown. */
export interface KeptSession {
  /** DER. */
  readonly certificate: Buffer;
  /** As OpenSSL writes it: d2i_SSL_SESSION(3). */
  readonly session: Buffer;
}

/** Writes it. */
export function formatSession({ certificate, session }: KeptSession): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(certificate.length);
  return Buffer.concat([MAGIC, length, certificate, session]);
}

/** Reads it, in memory of its own; undefined: it is none. */
export function parseSession(bytes: Uint8Array): KeptSession | undefined {
  const copy = Buffer.from(bytes);
  const start = MAGIC.length + LENGTH_BYTES;
  if (copy.length < start || !copy.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const end = start + copy.readUInt32BE(MAGIC.length);
  if (end >= copy.length) return undefined;
  return { certificate: copy.subarray(start, end), session: copy.subarray(end) };
}
