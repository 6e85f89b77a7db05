// Secure contexts of Node's, made of checked options: versions, ciphers, who one is and who is trusted. It knows no
// connection.

import { constants, createHash } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { TlsError } from "./errors.ts";
import type { CheckedTlsOptions, TlsIdentity } from "./options.ts";

/** What a server's contexts have besides. */
export interface SessionSettings {
  /** 48 bytes: who has them in common can resume each other's sessions. */
  readonly ticketKeys: Buffer;
  readonly timeoutSeconds: number;
  /** Sessions are good where the same is asked of clients only. */
  readonly about: string;
}

/**
 * Makes a context.
 *
 * @param identity  whose, if anybody's.
 * @throws {TlsError} ERR_TLS_CREDENTIALS: OpenSSL does not take them; `reason` is its name for why.
 */
export function contextOf(
  options: CheckedTlsOptions,
  identity: TlsIdentity | undefined,
  session?: SessionSettings,
): SecureContext {
  const { ca, ciphers, crl, maxVersion, minVersion } = options;
  // What was agreed on and judged holds for the whole connection: no peer of TLS 1.2 begins another handshake in it.
  const given: SecureContextOptions = {
    minVersion,
    maxVersion,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
  if (ca !== undefined) given.ca = ca;
  if (crl !== undefined) given.crl = crl;
  if (ciphers !== undefined) given.ciphers = ciphers;
  if (identity !== undefined) {
    given.cert = identity.certificate as Buffer;
    given.key = identity.key as Buffer;
    if (identity.passphrase !== undefined) given.passphrase = identity.passphrase;
  }
  if (session !== undefined) {
    given.honorCipherOrder = true;
    given.sessionIdContext = createHash("sha256").update(session.about).digest("hex").slice(0, 32);
    given.sessionTimeout = session.timeoutSeconds;
    given.ticketKeys = session.ticketKeys;
  }
  try {
    return createSecureContext(given);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const reason = code?.replace(/^ERR_(OSSL|SSL)_/, "");
    throw new TlsError("ERR_TLS_CREDENTIALS", `these credentials cannot be used: ${message}`, {
      reason,
      cause: error,
    });
  }
}
