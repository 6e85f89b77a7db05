// The errors of TLS: which code each refusal has, and how one is made of what Node and OpenSSL report. Which of them ends
// which call, tls-stream.ts decides.

import { formatAddress } from "../socket/address/format.ts";
import { EPIPE, SocketError } from "../index.ts";
import type { AnyAddress } from "../index.ts";
import { alertName, alertText } from "./alerts.ts";

/**
 * Why TLS failed. The peer's certificate was refused here:
 * - ERR_TLS_CERTIFICATE_EXPIRED, ERR_TLS_CERTIFICATE_NOT_YET_VALID: it, or one above it, is out of its time.
 * - ERR_TLS_CERTIFICATE_REVOKED: a CRL lists it. ERR_TLS_CERTIFICATE_REVOCATION_UNKNOWN: there are CRLs, but none for it
 *   that is in its time.
 * - ERR_TLS_CERTIFICATE_SELF_SIGNED: nobody but itself vouches for it. ERR_TLS_CERTIFICATE_UNKNOWN_CA: nobody who is trusted.
 * - ERR_TLS_CERTIFICATE_NAME: it is for another name, or checkIdentity refused it.
 * - ERR_TLS_CERTIFICATE_PURPOSE: it is not for this use (a server's, a client's).
 * - ERR_TLS_CERTIFICATE_REQUIRED: the client sent none, and the server wants one.
 * - ERR_TLS_CERTIFICATE_INVALID: anything else; `reason` is OpenSSL's name for it, X509_V_ERR_… without its prefix.
 *
 * This side refused the handshake:
 * - ERR_TLS_PROTOCOL_VERSION: no version in common. ERR_TLS_NO_SHARED_CIPHER: no cipher, group or signature in common.
 * - ERR_TLS_NO_SHARED_PROTOCOL: no application protocol in common (ALPN).
 * - ERR_TLS_SERVER_NAME: identityFor failed for the name that the client asked for; `cause` tells.
 * - ERR_TLS_NOT_TLS: what the peer sent is no TLS.
 * - ERR_TLS_HANDSHAKE_TIMEOUT: it took longer than handshakeTimeoutMs.
 * - ERR_TLS_HANDSHAKE_ENDED: the connection ended before it was done.
 *
 * The peer refused, by an alert: ERR_TLS_ALERT_… with the alert's name (RFC 8446 section 6), as in
 * ERR_TLS_ALERT_CERTIFICATE_EXPIRED; `alert` is its number. In TLS 1.3 a server judges the client's certificate when the
 * client's handshake is over: the alert then ends the first receiveSome().
 *
 * Later:
 * - ERR_TLS_TRUNCATED: the connection ended without the peer having ended TLS (close_notify): bytes may be missing.
 * - ERR_TLS_BAD_RECORD: a record was changed on its way, or is none.
 * - ERR_TLS_FAILED: anything else; `reason` is OpenSSL's name for it.
 *
 * Not of a connection:
 * - ERR_TLS_CREDENTIALS: a certificate, key, CA or CRL cannot be used: no PEM, a wrong passphrase, a key of another
 *   certificate, or unknown ciphers.
 * - ERR_TLS_CHANNEL_BINDING: this connection, or this certificate, has no such binding.
 */
export type TlsErrorCode =
  | `ERR_TLS_CERTIFICATE_${"EXPIRED" | "NOT_YET_VALID" | "REVOKED" | "REVOCATION_UNKNOWN" | "SELF_SIGNED"}`
  | `ERR_TLS_CERTIFICATE_${"UNKNOWN_CA" | "NAME" | "PURPOSE" | "REQUIRED" | "INVALID"}`
  | `ERR_TLS_${"PROTOCOL_VERSION" | "NO_SHARED_CIPHER" | "NO_SHARED_PROTOCOL" | "SERVER_NAME" | "NOT_TLS"}`
  | `ERR_TLS_HANDSHAKE_${"TIMEOUT" | "ENDED"}`
  | `ERR_TLS_ALERT_${string}`
  | `ERR_TLS_${"TRUNCATED" | "BAD_RECORD" | "FAILED" | "CREDENTIALS" | "CHANNEL_BINDING"}`;

/** What a TlsError tells besides its code and sentence. */
export interface TlsErrorDetails {
  reason?: string | undefined;
  alert?: number | undefined;
  remote?: AnyAddress | undefined;
  cause?: unknown;
}

/** TLS failed. The message reads `TLS: the certificate has expired (→ 10.0.0.1:443)`. */
export class TlsError extends Error {
  static {
    TlsError.prototype.name = "TlsError";
  }
  readonly code: TlsErrorCode;
  /** OpenSSL's own name for it, where there is one: "CERT_HAS_EXPIRED", "WRONG_VERSION_NUMBER". */
  declare readonly reason?: string;
  /** The number of the peer's alert. */
  declare readonly alert?: number;
  /** The peer's address, where it is known. */
  declare readonly remote?: AnyAddress;

  /**
   * @param code     ERR_TLS_…
   * @param what     what happened, as a clause.
   * @param details  what else is known.
   */
  constructor(code: TlsErrorCode, what: string, { alert, cause, reason, remote }: TlsErrorDetails = {}) {
    const where = remote === undefined ? "" : ` (→ ${formatAddress(remote)})`;
    super(`TLS: ${what}${where}`, cause === undefined ? {} : { cause });
    this.code = code;
    if (reason !== undefined) this.reason = reason;
    if (alert !== undefined) this.alert = alert;
    if (remote !== undefined) this.remote = remote;
  }
}

type Named = readonly [code: TlsErrorCode, what: string];

const EXPIRED: Named = ["ERR_TLS_CERTIFICATE_EXPIRED", "the certificate has expired"];
const UNKNOWN_CA: Named = [
  "ERR_TLS_CERTIFICATE_UNKNOWN_CA",
  "nobody who is trusted has signed the certificate",
];
const NO_CRL: Named = [
  "ERR_TLS_CERTIFICATE_REVOCATION_UNKNOWN",
  "no CRL tells whether the certificate was revoked",
];
const NAME: Named = ["ERR_TLS_CERTIFICATE_NAME", "the certificate is for another name"];

/** What Node calls the results of a verification: openssl-verification-options(1), X509_V_ERR_… */
const VERIFICATIONS: Readonly<Record<string, Named>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: ["ERR_TLS_CERTIFICATE_NOT_YET_VALID", "the certificate is not valid yet"],
  CERT_REVOKED: ["ERR_TLS_CERTIFICATE_REVOKED", "the certificate was revoked"],
  UNABLE_TO_GET_CRL: NO_CRL,
  CRL_NOT_YET_VALID: NO_CRL,
  CRL_HAS_EXPIRED: NO_CRL,
  CRL_SIGNATURE_FAILURE: NO_CRL,
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    "ERR_TLS_CERTIFICATE_SELF_SIGNED",
    "the certificate is signed by itself alone",
  ],
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_CA,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_CA,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_CA,
  CERT_UNTRUSTED: UNKNOWN_CA,
  HOSTNAME_MISMATCH: NAME,
  ERR_TLS_CERT_ALTNAME_INVALID: NAME,
  ERR_TLS_CERT_ALTNAME_FORMAT: NAME,
  INVALID_PURPOSE: ["ERR_TLS_CERTIFICATE_PURPOSE", "the certificate is not for this use"],
};

const VERSION: Named = ["ERR_TLS_PROTOCOL_VERSION", "the two sides have no version of TLS in common"];
const CIPHER: Named = ["ERR_TLS_NO_SHARED_CIPHER", "the two sides have no cipher in common"];
const NOT_TLS: Named = ["ERR_TLS_NOT_TLS", "what the peer sends is no TLS"];
const RECORD: Named = ["ERR_TLS_BAD_RECORD", "a record was changed on its way"];

/** OpenSSL's reasons, from openssl/sslerr.h. */
const REASONS: Readonly<Record<string, Named>> = {
  UNSUPPORTED_PROTOCOL: VERSION,
  UNKNOWN_SSL_VERSION: VERSION,
  WRONG_SSL_VERSION: VERSION,
  NO_PROTOCOLS_AVAILABLE: VERSION,
  VERSION_TOO_LOW: VERSION,
  NO_SHARED_CIPHER: CIPHER,
  NO_CIPHERS_AVAILABLE: CIPHER,
  NO_SUITABLE_KEY_SHARE: CIPHER,
  NO_SHARED_GROUPS: CIPHER,
  NO_SUITABLE_GROUPS: CIPHER,
  NO_SUITABLE_SIGNATURE_ALGORITHM: CIPHER,
  NO_SHARED_SIGNATURE_ALGORITHMS: CIPHER,
  NO_APPLICATION_PROTOCOL: [
    "ERR_TLS_NO_SHARED_PROTOCOL",
    "the two sides have no application protocol in common",
  ],
  PEER_DID_NOT_RETURN_A_CERTIFICATE: ["ERR_TLS_CERTIFICATE_REQUIRED", "the client has sent no certificate"],
  WRONG_VERSION_NUMBER: NOT_TLS,
  UNKNOWN_PROTOCOL: NOT_TLS,
  HTTP_REQUEST: NOT_TLS,
  HTTPS_PROXY_REQUEST: NOT_TLS,
  PACKET_LENGTH_TOO_LONG: NOT_TLS,
  RECORD_LAYER_FAILURE: RECORD,
  DECRYPTION_FAILED_OR_BAD_RECORD_MAC: RECORD,
  DECRYPTION_FAILED: RECORD,
  BAD_RECORD_TYPE: RECORD,
  CIPHER_OPERATION_FAILED: RECORD,
};

/** What Node and OpenSSL put into their errors. */
interface Reported {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errno?: unknown;
  readonly syscall?: unknown;
}

/** Node's calls under the names that ours have. */
const SYSCALLS: Readonly<Record<string, string>> = { read: "recv", write: "sendall" };

/** The error for a certificate that was refused, from Node's name of the verification's result. */
export function certificateError(reason: string, remote?: AnyAddress, cause?: unknown): TlsError {
  const [code, what] = VERIFICATIONS[reason] ?? ["ERR_TLS_CERTIFICATE_INVALID", "the certificate is refused"];
  return new TlsError(code, `${what} (${reason})`, { reason, remote, cause });
}

/**
 * Makes an error of ours of what ended a connection, or kept it from beginning. Errors of ours stay what they are: those of
 * the stream beneath come through Node.
 *
 * @param error    what a TLSSocket emitted.
 * @param secured  whether the handshake was over: what then is no TLS was changed on its way.
 */
export function errorOf(error: unknown, secured: boolean, remote?: AnyAddress): Error {
  if (error instanceof SocketError || error instanceof TlsError) return error;
  const { code = "", errno, message, syscall } = error as Reported;
  if (typeof code !== "string") return error as Error;
  if (typeof errno === "number" && typeof syscall === "string")
    return new SocketError(SYSCALLS[syscall] ?? syscall, errno, { remote });
  if (code === "ERR_STREAM_DESTROYED" || code === "ERR_STREAM_WRITE_AFTER_END")
    return new SocketError("sendall", -EPIPE, { remote });
  if (Object.hasOwn(VERIFICATIONS, code)) return certificateError(code, remote, error);
  // For an alert that it has no name for OpenSSL gives no reason, and Node no code.
  if (code !== "" && !code.startsWith("ERR_SSL_")) return error as Error;
  const reason = code.replace(/^ERR_SSL_/, "");
  const alert = alertOf(String(message));
  if (alert !== undefined) {
    const what = `the peer refuses: ${alertText(alert)}`;
    const details = { alert, reason: reason || undefined, remote, cause: error };
    return new TlsError(`ERR_TLS_ALERT_${alertName(alert)}`, what, details);
  }
  if (reason === "") return error as Error;
  const named: Named = REASONS[reason] ?? ["ERR_TLS_FAILED", "it failed"];
  const [ours, what] = secured && named === NOT_TLS ? RECORD : named;
  return new TlsError(ours, `${what} (${reason})`, { reason, remote, cause: error });
}

/** OpenSSL says which alert came in the text that it adds, and where it knows no name for it as a reason above 1000. */
function alertOf(message: string): number | undefined {
  const found = /SSL alert number (\d{1,3})\b|:reason\(1(\d{3})\)/.exec(message);
  return found === null ? undefined : Number(found[1] ?? found[2]);
}
