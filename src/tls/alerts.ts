// The alerts of TLS by number. Names only: who sent one, and why, errors.ts says.

/** RFC 8446 section 6; those that only older versions or extensions have: RFC 5246 section 7.2, RFC 6066, 7301, 7507. */
const ALERTS: Readonly<Record<number, string>> = {
  10: "UNEXPECTED_MESSAGE",
  20: "BAD_RECORD_MAC",
  22: "RECORD_OVERFLOW",
  40: "HANDSHAKE_FAILURE",
  42: "BAD_CERTIFICATE",
  43: "UNSUPPORTED_CERTIFICATE",
  44: "CERTIFICATE_REVOKED",
  45: "CERTIFICATE_EXPIRED",
  46: "CERTIFICATE_UNKNOWN",
  47: "ILLEGAL_PARAMETER",
  48: "UNKNOWN_CA",
  49: "ACCESS_DENIED",
  50: "DECODE_ERROR",
  51: "DECRYPT_ERROR",
  70: "PROTOCOL_VERSION",
  71: "INSUFFICIENT_SECURITY",
  80: "INTERNAL_ERROR",
  86: "INAPPROPRIATE_FALLBACK",
  90: "USER_CANCELED",
  100: "NO_RENEGOTIATION",
  109: "MISSING_EXTENSION",
  110: "UNSUPPORTED_EXTENSION",
  112: "UNRECOGNIZED_NAME",
  113: "BAD_CERTIFICATE_STATUS_RESPONSE",
  115: "UNKNOWN_PSK_IDENTITY",
  116: "CERTIFICATE_REQUIRED",
  120: "NO_APPLICATION_PROTOCOL",
};

/** The name of an alert, "CERTIFICATE_EXPIRED"; its number where it has none. */
export function alertName(alert: number): string {
  return ALERTS[alert] ?? String(alert);
}

/** What a person reads: "certificate expired". */
export function alertText(alert: number): string {
  return ALERTS[alert]?.toLowerCase().replaceAll("_", " ") ?? `alert ${alert}`;
}
