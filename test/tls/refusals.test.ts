// Who is refused, by whom, and with which code: certificates, versions, ciphers, application protocols, names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptTls, startTls, TlsError, TlsServerContext } from "berkeley/tls";
import type { StartTlsOptions, TlsServerOptions } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import type { Certificates } from "../support/certificates.ts";
import { codeOf, rejection } from "../support/pair.ts";
import { clientOptions, closeEnds, refusal, shake, tcpStreams, tlsPair, wrapped } from "../support/tls.ts";

const { skip } = OPENSSL;

/** A server's certificate that a client refuses, by the code. */
const REFUSED: readonly [
  what: string,
  code: string,
  server: keyof Certificates &
    ("server" | "client" | "other" | "expired" | "early" | "revoked" | "selfSigned"),
  client: (made: Certificates) => Partial<StartTlsOptions>,
][] = [
  ["one that has expired", "ERR_TLS_CERTIFICATE_EXPIRED", "expired", () => ({})],
  ["one for later", "ERR_TLS_CERTIFICATE_NOT_YET_VALID", "early", () => ({})],
  ["one that a CRL lists", "ERR_TLS_CERTIFICATE_REVOKED", "revoked", ({ crl }) => ({ crl })],
  [
    "one of which an old CRL is all that there is",
    "ERR_TLS_CERTIFICATE_REVOCATION_UNKNOWN",
    "server",
    ({ oldCrl }) => ({ crl: oldCrl }),
  ],
  ["its own word", "ERR_TLS_CERTIFICATE_SELF_SIGNED", "selfSigned", () => ({})],
  [
    "one of another authority",
    "ERR_TLS_CERTIFICATE_UNKNOWN_CA",
    "server",
    ({ stranger }) => ({ ca: stranger.certificate }),
  ],
  ["one of no usual authority", "ERR_TLS_CERTIFICATE_UNKNOWN_CA", "server", () => ({ ca: undefined })],
  ["another's", "ERR_TLS_CERTIFICATE_NAME", "other", () => ({})],
  ["one for another address", "ERR_TLS_CERTIFICATE_NAME", "server", () => ({ serverName: "127.0.0.2" })],
  [
    "one for names with a label less",
    "ERR_TLS_CERTIFICATE_NAME",
    "server",
    () => ({ serverName: "a.b.example.test" }),
  ],
  ["a client's", "ERR_TLS_CERTIFICATE_PURPOSE", "client", () => ({ serverName: "client.test" })],
];

for (const [what, code, server, options] of REFUSED)
  for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const)
    test(`startTls() refuses a server that shows ${what}, ${code}, ${maxVersion}`, { skip }, async () => {
      const made = certificates();
      const client = { maxVersion, ...options(made) };
      const streams = await tcpStreams();
      const ends = await shake(streams, client, made[server]);
      assert.equal(refusal(ends[0]), code);
      const { reason } = ends[0] as PromiseRejectedResult;
      assert.ok(reason instanceof TlsError);
      assert.match(reason.message, /^TLS: /);
      assert.deepEqual(reason.remote, streams[0].remoteAddress);
      // The server may have come to the end of the handshake before it is told.
      if (ends[1].status === "fulfilled")
        assert.match(await codeOf(ends[1].value.receiveSome()), /^(ERR_TLS_TRUNCATED|ECONNRESET)$/);
      closeEnds(ends);

      // Who wants that speaks with it all the same, and is told what it is.
      await using pair = await tlsPair({ ...client, verifyPeer: false }, made[server]);
      assert.equal(pair.client.authorized, false);
      const sent = pair.client.sendAll("in spite of all");
      assert.equal((await pair.server.receiveSome()).toString(), "in spite of all");
      await sent;
    });

test("startTls() takes a certificate that no CRL lists", { skip }, async () => {
  const { crl } = certificates();
  await using pair = await tlsPair({ crl });
  assert.equal(pair.client.authorized, true);
});

for (const serverName of ["localhost", "LOCALHOST.", "127.0.0.1", "::1", "any.example.test"])
  test(`startTls() takes a certificate that is for ${serverName}`, { skip }, async () => {
    await using pair = await tlsPair({ serverName });
    assert.equal(pair.client.authorized, true);
    const named = /^[\d:.]+$/.test(serverName) ? undefined : serverName.replace(/\.$/, "").toLowerCase();
    assert.equal(pair.server.serverName?.toLowerCase(), named);
  });

test("startTls() lets checkIdentity judge by the certificate, and refuses what it throws for", {
  skip,
}, async () => {
  const made = certificates();
  const seen: unknown[] = [];
  const options: Partial<StartTlsOptions> = {
    serverName: "elsewhere.test",
    checkIdentity(serverName, { subject }) {
      seen.push([serverName, subject.CN]);
    },
  };
  await using pair = await tlsPair(options);
  assert.equal(pair.client.authorized, true);
  assert.deepEqual(seen, [["elsewhere.test", "server"]]);
  const why = new Error("not the pinned key");
  const ends = await shake(
    await tcpStreams(),
    {
      checkIdentity() {
        throw why;
      },
    },
    made.server,
  );
  assert.equal(refusal(ends[0]), "ERR_TLS_CERTIFICATE_NAME");
  assert.equal(((ends[0] as PromiseRejectedResult).reason as Error).cause, why);
  closeEnds(ends);
});

/** What a server that asks for certificates makes of a client's. */
const CLIENTS: readonly [
  code: string,
  clientCertificate: "optional" | "required",
  identity: (made: Certificates) => StartTlsOptions["identity"],
  server: (made: Certificates) => Partial<TlsServerOptions>,
][] = [
  ["ERR_TLS_CERTIFICATE_REQUIRED", "required", () => undefined, () => ({})],
  ["ERR_TLS_CERTIFICATE_PURPOSE", "required", ({ other }) => other, () => ({})],
  ["ERR_TLS_CERTIFICATE_SELF_SIGNED", "required", ({ selfSigned }) => selfSigned, () => ({})],
  ["ERR_TLS_CERTIFICATE_SELF_SIGNED", "optional", ({ selfSigned }) => selfSigned, () => ({})],
  [
    "ERR_TLS_CERTIFICATE_UNKNOWN_CA",
    "required",
    ({ client }) => client,
    ({ stranger }) => ({ ca: stranger.certificate }),
  ],
  [
    "ERR_TLS_CERTIFICATE_REVOCATION_UNKNOWN",
    "required",
    ({ client }) => client,
    ({ oldCrl }) => ({ crl: oldCrl }),
  ],
];

for (const [code, clientCertificate, identity, server] of CLIENTS)
  for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const)
    test(`acceptTls() refuses a client with ${code} where a certificate is ${clientCertificate}, ${maxVersion}`, {
      skip,
    }, async () => {
      const made = certificates();
      const ends = await shake(
        await tcpStreams(),
        { maxVersion, identity: identity(made) },
        { ...made.server, ca: made.authority.certificate, clientCertificate, ...server(made) },
      );
      assert.equal(refusal(ends[1]), code);
      // Of no certificate OpenSSL tells the client; for others Node closes the connection without a word.
      const told =
        ends[0].status === "fulfilled" ? await codeOf(ends[0].value.receiveSome()) : refusal(ends[0]);
      if (code !== "ERR_TLS_CERTIFICATE_REQUIRED") assert.match(String(told), /TRUNCATED|ENDED|ECONNRESET/);
      else if (maxVersion === "TLSv1.3") assert.equal(told, "ERR_TLS_ALERT_CERTIFICATE_REQUIRED");
      else assert.equal(told, "ERR_TLS_ALERT_HANDSHAKE_FAILURE");
      closeEnds(ends);
    });

test("acceptTls() takes a client with a good certificate, and one with none where it is optional", {
  skip,
}, async () => {
  const { authority, client, server } = certificates();
  for (const clientCertificate of ["optional", "required"] as const) {
    const context = new TlsServerContext({ ...server, ca: authority.certificate, clientCertificate });
    await using pair = await tlsPair({ identity: client }, context);
    assert.equal(pair.server.authorized, true);
    assert.equal(pair.server.peerCertificate?.subject, "CN=client");
    if (clientCertificate === "required") continue;
    await using nobody = await tlsPair({}, context);
    assert.equal(nobody.server.authorized, false);
    assert.equal(nobody.server.peerCertificate, undefined);
  }
});

test("acceptTls() sends nothing to a client that it refuses", { skip }, async () => {
  const { authority, selfSigned, server } = certificates();
  const [near, far] = await tcpStreams();
  const context = new TlsServerContext({
    ...server,
    ca: authority.certificate,
    clientCertificate: "required",
  });
  const accepting = acceptTls(far, context).then((stream) => stream.sendAll("secret"));
  const client = await startTls(near, clientOptions({ identity: selfSigned }));
  assert.equal(await codeOf(accepting), "ERR_TLS_CERTIFICATE_SELF_SIGNED");
  assert.match(await codeOf(client.receiveSome()), /ERR_TLS_TRUNCATED|ECONNRESET/);
  client.close();
});

/** What both ends are told, and what each makes of it. */
const DISAGREEMENTS: readonly [
  what: string,
  client: Partial<StartTlsOptions>,
  server: Partial<TlsServerOptions>,
  clientCode: string,
  serverCode: string,
][] = [
  [
    "a client of TLS 1.2 and a server of 1.3",
    { maxVersion: "TLSv1.2" },
    { minVersion: "TLSv1.3" },
    "ERR_TLS_ALERT_PROTOCOL_VERSION",
    "ERR_TLS_PROTOCOL_VERSION",
  ],
  [
    "a client of TLS 1.3 and a server of 1.2",
    { minVersion: "TLSv1.3" },
    { maxVersion: "TLSv1.2" },
    "ERR_TLS_ALERT_PROTOCOL_VERSION",
    "ERR_TLS_PROTOCOL_VERSION",
  ],
  [
    "no cipher in common",
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
    { ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
    "ERR_TLS_ALERT_HANDSHAKE_FAILURE",
    "ERR_TLS_NO_SHARED_CIPHER",
  ],
  [
    "no application protocol in common",
    { alpnProtocols: ["h2"] },
    { alpnProtocols: ["http/1.1", "imap"] },
    "ERR_TLS_ALERT_NO_APPLICATION_PROTOCOL",
    "ERR_TLS_NO_SHARED_PROTOCOL",
  ],
];

for (const [what, client, server, clientCode, serverCode] of DISAGREEMENTS)
  for (const over of ["a descriptor", "a wrapped stream"])
    test(`startTls() and acceptTls() each say why with ${what}, over ${over}`, { skip }, async () => {
      const [near, far] = await tcpStreams();
      const streams =
        over === "a descriptor" ? ([near, far] as const) : ([wrapped(near), wrapped(far)] as const);
      const ends = await shake(streams, client, { ...certificates().server, ...server });
      assert.equal(refusal(ends[0]), clientCode);
      assert.equal(refusal(ends[1]), serverCode);
      const { alert } = (ends[0] as PromiseRejectedResult).reason as TlsError;
      assert.ok(Number(alert) > 0);
      closeEnds(ends);
    });

test("acceptTls() refuses a name for which identityFor throws, ERR_TLS_SERVER_NAME", { skip }, async () => {
  const why = new Error("never heard of it");
  const ends = await shake(
    await tcpStreams(),
    {},
    { ...certificates().server, identityFor: () => Promise.reject(why) },
  );
  assert.equal(refusal(ends[1]), "ERR_TLS_SERVER_NAME");
  assert.equal(((ends[1] as PromiseRejectedResult).reason as Error).cause, why);
  assert.match(String(refusal(ends[0])), /ERR_TLS_HANDSHAKE_ENDED|ECONNRESET/);
  closeEnds(ends);
});

const HTTP = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
for (const [what, words] of [
  ["HTTP", HTTP],
  ["an SMTP greeting", "220 mail.example.test ESMTP\r\n"],
] as const)
  test(`startTls() and acceptTls() say ERR_TLS_NOT_TLS to ${what}`, { skip }, async () => {
    for (const begin of [
      (stream: Parameters<typeof startTls>[0]) => startTls(stream, clientOptions()),
      (stream: Parameters<typeof startTls>[0]) => acceptTls(stream, certificates().server),
    ]) {
      const [near, far] = await tcpStreams();
      const begun = begin(near);
      await far.sendAll(words);
      const error = await rejection(begun);
      assert.equal(error.code, "ERR_TLS_NOT_TLS");
      assert.ok(error instanceof TlsError && error.reason !== undefined);
      far.close();
    }
  });
