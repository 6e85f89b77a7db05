// What needs no connection: which error each report becomes, and which hash a certificate was signed with.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { SocketError } from "berkeley";
import { TlsError } from "berkeley/tls";
import { errorOf } from "#dist/tls/errors.js";
import { endPointBinding, signatureHash } from "#dist/tls/signature-hash.js";
import { OPENSSL, selfSignedDer } from "../support/certificates.ts";

const reported = (code: string | undefined, message = "", more: object = {}): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code }, more);
const codeFor = (error: Error, secured = false): string => (errorOf(error, secured) as TlsError).code;

test("errorOf() gives each verification that fails its code", () => {
  for (const [code, expected] of Object.entries({
    CERT_HAS_EXPIRED: "EXPIRED",
    CERT_NOT_YET_VALID: "NOT_YET_VALID",
    CERT_REVOKED: "REVOKED",
    UNABLE_TO_GET_CRL: "REVOCATION_UNKNOWN",
    CRL_HAS_EXPIRED: "REVOCATION_UNKNOWN",
    DEPTH_ZERO_SELF_SIGNED_CERT: "SELF_SIGNED",
    SELF_SIGNED_CERT_IN_CHAIN: "UNKNOWN_CA",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "UNKNOWN_CA",
    ERR_TLS_CERT_ALTNAME_INVALID: "NAME",
    INVALID_PURPOSE: "PURPOSE",
  }))
    assert.equal(codeFor(reported(code)), `ERR_TLS_CERTIFICATE_${expected}`);
});

test("errorOf() knows the peer's alerts by their number, with OpenSSL's name or without", () => {
  const line = "error:0A000415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired:ssl/rec.c:1605:";
  const named = errorOf(
    reported("ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", `${line}SSL alert number 45\n`),
    false,
    ["192.0.2.1", 443],
  );
  assert.ok(named instanceof TlsError);
  assert.equal(named.code, "ERR_TLS_ALERT_CERTIFICATE_EXPIRED");
  assert.equal(named.alert, 45);
  assert.equal(named.message, "TLS: the peer refuses: certificate expired (→ 192.0.2.1:443)");
  const unnamed = errorOf(
    reported(undefined, "error:0A000460:SSL routines:ssl3_read_bytes:reason(1120):"),
    false,
  );
  assert.equal((unnamed as TlsError).code, "ERR_TLS_ALERT_NO_APPLICATION_PROTOCOL");
  const unknown = errorOf(reported("ERR_SSL_X", "SSL alert number 199"), true) as TlsError;
  assert.equal(unknown.code, "ERR_TLS_ALERT_199");
});

test("errorOf() tells what is no TLS from a record that was changed", () => {
  for (const [reason, before, after] of [
    ["WRONG_VERSION_NUMBER", "NOT_TLS", "BAD_RECORD"],
    ["HTTP_REQUEST", "NOT_TLS", "BAD_RECORD"],
    ["DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "BAD_RECORD", "BAD_RECORD"],
    ["NO_SHARED_CIPHER", "NO_SHARED_CIPHER", "NO_SHARED_CIPHER"],
    ["UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION", "PROTOCOL_VERSION"],
    ["NO_APPLICATION_PROTOCOL", "NO_SHARED_PROTOCOL", "NO_SHARED_PROTOCOL"],
    ["PEER_DID_NOT_RETURN_A_CERTIFICATE", "CERTIFICATE_REQUIRED", "CERTIFICATE_REQUIRED"],
    ["SOMETHING_NEW", "FAILED", "FAILED"],
  ] as const) {
    assert.equal(codeFor(reported(`ERR_SSL_${reason}`)), `ERR_TLS_${before}`);
    assert.equal(codeFor(reported(`ERR_SSL_${reason}`), true), `ERR_TLS_${after}`);
  }
});

test("errorOf() makes a SocketError of what the system reports, and keeps errors of ours", () => {
  const read = errorOf(reported("ECONNRESET", "read ECONNRESET", { errno: -104, syscall: "read" }), true);
  assert.ok(read instanceof SocketError);
  assert.deepEqual([read.code, read.syscall], ["ECONNRESET", "recv"]);
  assert.equal(codeFor(reported("ERR_STREAM_DESTROYED")), "EPIPE");
  const own = new TlsError("ERR_TLS_SERVER_NAME", 'there is no identity for "SSL alert number 45"');
  assert.equal(errorOf(own, false), own);
  const other = reported("ERR_SOMETHING");
  assert.equal(errorOf(other, false), other);
});

const RSA = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
const PSS = " -sigopt rsa_padding_mode:pss";
for (const [what, key, options, hash] of [
  ["RSA and SHA-256", RSA, " -sha256", "sha256"],
  ["RSA and SHA-384", RSA, " -sha384", "sha384"],
  ["RSA and SHA-1", RSA, " -sha1", "sha256"],
  ["RSA-PSS and SHA-512", RSA, ` -sha512${PSS}`, "sha512"],
  ["RSA-PSS and SHA-1", RSA, ` -sha1${PSS}`, "sha256"],
  ["ECDSA and SHA-384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384", " -sha384", "sha384"],
  ["Ed25519", "-algorithm ED25519", "", undefined],
] as const)
  test(`signatureHash() is ${hash} of a certificate with ${what}`, { skip: OPENSSL.skip }, () => {
    const der = selfSignedDer(key, options);
    assert.equal(signatureHash(der), hash);
    assert.deepEqual(
      endPointBinding(der),
      hash === undefined ? undefined : createHash(hash).update(der).digest(),
    );
  });

test("signatureHash() is undefined of what is no certificate, wherever it is cut", {
  skip: OPENSSL.skip,
}, () => {
  const der = selfSignedDer(RSA, " -sha256");
  for (let at = 0; at < der.length; at++) assert.equal(signatureHash(der.subarray(0, at)), undefined);
  assert.equal(signatureHash(Buffer.from("not DER")), undefined);
  assert.equal(signatureHash(Buffer.from([0x30, 0x80, 0, 0])), undefined);
});
