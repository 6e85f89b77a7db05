// What two ends of TLS agree on and tell: versions, names, application protocols, sessions, secrets, bindings, certificates
// that are exchanged; and what arguments are refused.

import assert from "node:assert/strict";
import { X509Certificate, createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { memoryPair } from "berkeley/stream";
import { TlsServerContext, acceptTls, connectTls, listenTls, startTls } from "berkeley/tls";
import type { StartTlsOptions, TlsIdentity, TlsServerOptions, TlsStream } from "berkeley/tls";
import { formatSession, parseSession } from "#dist/tls/session.js";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { codeOf, openSockets, thrown } from "../support/pair.ts";
import { clientOptions, closeEnds, refusal, shake, tcpStreams, tlsPair } from "../support/tls.ts";

const { skip } = OPENSSL;

for (const version of ["TLSv1.3", "TLSv1.2"] as const)
  test(`startTls() and acceptTls() tell what they agreed on, ${version}`, { skip }, async () => {
    await using pair = await tlsPair(
      { maxVersion: version, alpnProtocols: ["imap", "h2"] },
      { ...certificates().server, alpnProtocols: ["h2", "imap"] },
    );
    for (const end of [pair.client, pair.server]) {
      assert.equal(end.protocol, version);
      assert.equal(end.alpnProtocol, "h2", "the server's order counts");
      assert.equal(end.serverName, "localhost");
      assert.equal(end.resumed, false);
      assert.equal(end.cipher?.version, version === "TLSv1.3" ? version : "TLSv1.2");
    }
    assert.equal(pair.client.cipher?.standardName, pair.server.cipher?.standardName);
    assert.deepEqual(pair.client.localAddress, pair.server.remoteAddress);
    assert.deepEqual(pair.client.remoteAddress, pair.server.localAddress);
    const { peerCertificate } = pair.client;
    assert.equal(peerCertificate?.subject, "CN=server");
    assert.equal(peerCertificate?.checkHost("localhost"), "localhost");
    assert.deepEqual([pair.client.authorized, pair.server.authorized], [true, false]);
  });

test("startTls() has no application protocol where the server knows none", { skip }, async () => {
  await using pair = await tlsPair({ alpnProtocols: ["h2"] });
  assert.equal(pair.client.alpnProtocol, undefined);
});

test("connectTls() connects to listenTls(), asks for the host and leaves no descriptor", {
  skip,
}, async () => {
  const { authority, server } = certificates();
  const before = openSockets().length;
  const listener = await listenTls("127.0.0.1", 0, server);
  const [host, port] = listener.localAddress as [string, number];
  const [client, accepted] = await Promise.all([
    connectTls(host, port, { ca: authority.certificate }),
    listener.accept(),
  ]);
  assert.deepEqual(client.remoteAddress, [host, port]);
  await client.sendAll("hello");
  assert.equal((await accepted.receiveSome()).toString(), "hello");
  const wrong = connectTls(host, port, { ca: authority.certificate, serverName: "other.test" });
  const second = await listener.accept();
  assert.equal(await codeOf(wrong), "ERR_TLS_CERTIFICATE_NAME");
  for (const closing of [client, accepted, second, listener]) closing.close();
  assert.equal(listener.closed, true);
  assert.equal(openSockets().length, before);
});

/** A session that a server offers; with TLS 1.3 it comes when it comes. */
async function sessionsOf(
  context: TlsServerContext,
  options: Partial<StartTlsOptions>,
): Promise<{ session: Buffer; resumed: boolean | undefined }> {
  let give: (session: Buffer) => void = () => undefined;
  const session = new Promise<Buffer>((resolve) => (give = resolve));
  await using pair = await tlsPair({ ...options, onSession: (offered) => give(offered) }, context);
  return { session: await session, resumed: pair.client.resumed };
}

for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
  test(`startTls() resumes a session, and looks at the name again, ${maxVersion}`, { skip }, async () => {
    const { authority, client, server } = certificates();
    const context = new TlsServerContext({
      ...server,
      ca: authority.certificate,
      clientCertificate: "required",
    });
    const first = await sessionsOf(context, { maxVersion, identity: client });
    assert.equal(first.resumed, false);
    const { session } = first;
    const second = await tlsPair({ maxVersion, identity: client, session }, context);
    assert.deepEqual([second.client.resumed, second.server.resumed], [true, true]);
    assert.equal(second.client.peerCertificate?.subject, "CN=server");
    assert.equal(second.server.peerCertificate?.subject, "CN=client");
    assert.deepEqual([second.client.authorized, second.server.authorized], [true, true]);
    await second[Symbol.asyncDispose]();
    // A session of one server is none of another, whoever offers it.
    const third = await sessionsOf(context, { maxVersion, identity: client, serverName: "127.0.0.1" });
    // (Without names, for the server would not resume what was another name's.)
    const ends = await shake(
      await tcpStreams(),
      { maxVersion, identity: client, session: third.session, serverName: "127.0.0.2" },
      context,
    );
    assert.equal(refusal(ends[0]), "ERR_TLS_CERTIFICATE_NAME");
    if (ends[1].status === "fulfilled") assert.equal(ends[1].value.resumed, true);
    closeEnds(ends);
  });

  test(`startTls() does not resume a session under another trust, or of an expired certificate, ${maxVersion}`, {
    skip,
  }, async () => {
    const { authority, crl, expired, revoked, server, stranger } = certificates();
    const ca = [authority.certificate, stranger.certificate];
    for (const [shown, trusted, code] of [
      [server, { ca: stranger.certificate }, "ERR_TLS_CERTIFICATE_UNKNOWN_CA"],
      [revoked, { ca, crl }, "ERR_TLS_CERTIFICATE_REVOKED"],
    ] as const) {
      const context = new TlsServerContext(shown);
      const { session } = await sessionsOf(context, { maxVersion, ca });
      const ends = await shake(await tcpStreams(), { maxVersion, session, ...trusted }, context);
      closeEnds(ends);
      assert.equal(refusal(ends[0]), code);
    }
    const context = new TlsServerContext(server);
    const kept = parseSession((await sessionsOf(context, { maxVersion })).session);
    assert.ok(kept !== undefined);
    const certificate = new X509Certificate(expired.certificate).raw;
    await using pair = await tlsPair(
      { maxVersion, session: formatSession({ ...kept, certificate }) },
      context,
    );
    assert.equal(pair.client.resumed, false);
  });

  test(`TlsServerContext resumes another's sessions with the same ticketKeys only, ${maxVersion}`, {
    skip,
  }, async () => {
    const { server } = certificates();
    const ticketKeys = randomBytes(48);
    const contexts = [
      new TlsServerContext({ ...server, ticketKeys }),
      new TlsServerContext({ ...server, ticketKeys }),
      new TlsServerContext(server),
    ] as const;
    for (const [at, resumed] of [
      [1, true],
      [2, false],
    ] as const) {
      const { session } = await sessionsOf(contexts[0], { maxVersion });
      await using pair = await tlsPair({ maxVersion, session }, contexts[at]);
      assert.equal(pair.client.resumed, resumed);
    }
  });

  test(`keyLog is given the secrets of a connection by both ends alike, ${maxVersion}`, {
    skip,
  }, async () => {
    const lines: Record<"client" | "server", string[]> = { client: [], server: [] };
    await using pair = await tlsPair(
      { maxVersion, keyLog: (line) => lines.client.push(line) },
      { ...certificates().server, keyLog: (line) => lines.server.push(line) },
    );
    await pair.client.sendAll("x");
    await pair.server.receiveSome();
    assert.deepEqual(lines.client.toSorted(), lines.server.toSorted());
    const label = maxVersion === "TLSv1.3" ? "CLIENT_TRAFFIC_SECRET_0" : "CLIENT_RANDOM";
    assert.match(lines.client.join("\n"), new RegExp(`^${label} [0-9a-f]{64} [0-9a-f]+$`, "m"));
  });

  test(`what keyLog or onSession throws ends its connection and is what its calls fail with, ${maxVersion}`, {
    skip,
  }, async () => {
    const fault = new Error("no room in the log");
    const fail = (): never => {
      throw fault;
    };
    const { server: identity } = certificates();
    for (const [whose, client, server] of [
      ["client", { maxVersion, keyLog: fail }, identity],
      ["client", { maxVersion, onSession: fail }, identity],
      ["server", { maxVersion }, { ...identity, keyLog: fail }],
    ] as const) {
      const ends = await shake(await tcpStreams(), client, server);
      const [own, other] = whose === "client" ? ends : ends.toReversed();
      // A ticket of TLS 1.3 comes with what the server sends.
      if (other?.status === "fulfilled") other.value.sendAll("x").catch(() => undefined);
      await assert.rejects(
        async () => {
          if (own?.status === "rejected") throw own.reason;
          while ((await own?.value.receiveSome())?.length !== 0);
        },
        (error) => error === fault,
      );
      closeEnds(ends);
    }
  });

  test(`channelBinding() and exportKeyingMaterial() give both ends the same bytes, ${maxVersion}`, {
    skip,
  }, async () => {
    const pairs: TlsStream[][] = [];
    for (let round = 0; round < 2; round++) {
      const { client, server } = await tlsPair({ maxVersion });
      pairs.push([client, server]);
    }
    const [[client, server], [other]] = pairs as [[TlsStream, TlsStream], [TlsStream]];
    const endPoint = client.channelBinding("tls-server-end-point");
    const der = client.peerCertificate?.raw as Buffer;
    assert.deepEqual(endPoint, createHash("sha256").update(der).digest());
    assert.deepEqual(server.channelBinding("tls-server-end-point"), endPoint);
    for (const context of [undefined, Buffer.from("for this"), new Uint8Array(0)])
      assert.deepEqual(
        client.exportKeyingMaterial(48, "EXPORTER-test", context),
        server.exportKeyingMaterial(48, "EXPORTER-test", context),
      );
    assert.notDeepEqual(
      client.exportKeyingMaterial(48, "EXPORTER-test"),
      other.exportKeyingMaterial(48, "EXPORTER-test"),
    );
    if (maxVersion === "TLSv1.2")
      assert.equal(thrown(() => client.channelBinding("tls-exporter")).code, "ERR_TLS_CHANNEL_BINDING");
    else {
      const exporter = client.channelBinding("tls-exporter");
      assert.equal(exporter.length, 32);
      assert.deepEqual(server.channelBinding("tls-exporter"), exporter);
      assert.notDeepEqual(other.channelBinding("tls-exporter"), exporter);
    }
    for (const end of pairs.flat()) end.close();
    assert.equal(thrown(() => client.channelBinding("tls-server-end-point")).code, "ERR_INVALID_STATE");
    assert.equal(thrown(() => client.exportKeyingMaterial(1, "EXPORTER-test")).code, "ERR_INVALID_STATE");
  });
}

test("identityFor gives each name its certificate, and the default where it knows none", {
  skip,
}, async () => {
  const { other, server } = certificates();
  const asked: string[] = [];
  const context = new TlsServerContext({
    ...server,
    async identityFor(serverName) {
      asked.push(serverName);
      return await Promise.resolve(serverName === "other.test" ? other : undefined);
    },
  });
  for (const [serverName, subject] of [
    ["other.test", "CN=other"],
    ["localhost", "CN=server"],
    ["127.0.0.1", "CN=server"],
    ["other.test", "CN=other"],
  ] as const) {
    await using pair = await tlsPair({ serverName }, context);
    assert.equal(pair.client.peerCertificate?.subject, subject);
    const binding = pair.client.channelBinding("tls-server-end-point");
    assert.deepEqual(pair.server.channelBinding("tls-server-end-point"), binding);
  }
  assert.deepEqual(asked, ["other.test", "localhost", "other.test"]);
});

test("setIdentity() exchanges the certificate for new connections, and leaves the others", {
  skip,
}, async () => {
  const { renewed, server } = certificates();
  const context = new TlsServerContext(server);
  await using before = await tlsPair({}, context);
  context.setIdentity(renewed);
  await using after = await tlsPair({}, context);
  const [old, current] = [before.client.peerCertificate, after.client.peerCertificate];
  assert.deepEqual([old?.subject, current?.subject], ["CN=server", "CN=renewed"]);
  await before.client.sendAll("still here");
  assert.equal((await before.server.receiveSome()).toString(), "still here");
  const wrong: TlsIdentity = { certificate: server.certificate, key: renewed.key };
  assert.equal(thrown(() => context.setIdentity(wrong)).code, "ERR_TLS_CREDENTIALS");
  await using kept = await tlsPair({}, context);
  assert.equal(kept.client.peerCertificate?.subject, "CN=renewed");
});

test("TlsServerContext takes a key under a passphrase, and refuses credentials that cannot be used", {
  skip,
}, async () => {
  const { authority, encrypted, renewed, server } = certificates();
  await using pair = await tlsPair({}, encrypted);
  assert.equal(pair.client.authorized, true);
  const refused = (options: TlsServerOptions): unknown => thrown(() => new TlsServerContext(options)).code;
  assert.equal(refused({ ...encrypted, passphrase: "wrong" }), "ERR_TLS_CREDENTIALS");
  assert.equal(refused({ ...server, key: renewed.key }), "ERR_TLS_CREDENTIALS");
  assert.equal(refused({ ...server, ciphers: "NO-SUCH-CIPHER" }), "ERR_TLS_CREDENTIALS");
  const broken = server.certificate.toString().replace(/[A-Za-z0-9]{20}/, "");
  assert.equal(refused({ ...server, certificate: broken }), "ERR_TLS_CREDENTIALS");
  assert.equal(refused({ ...server, clientCertificate: "required" }), "ERR_INVALID_ARG_TYPE");
  const [near] = memoryPair();
  const starting = startTls(near, clientOptions({ identity: { ...server, key: renewed.key } }));
  assert.equal(await codeOf(starting), "ERR_TLS_CREDENTIALS");
  assert.equal(near.closed, false);
  assert.equal(authority.certificate.includes("BEGIN"), true);
});

test("startTls() and acceptTls() refuse wrong arguments, name them, and leave the stream alone", {
  skip,
}, async () => {
  const { server } = certificates();
  const [near, far] = memoryPair();
  const refused = async (options: object): Promise<string> => {
    const error = await startTls(near, clientOptions(options)).then(
      () => assert.fail("it was taken"),
      (reason: unknown) => reason as Error & { code: string },
    );
    const [name] = Object.keys(options) as [string];
    assert.ok(error.message.includes(`options.${name}`), error.message);
    return error.code;
  };
  const TYPE = "ERR_INVALID_ARG_TYPE";
  const RANGE = "ERR_OUT_OF_RANGE";
  for (const serverName of ["", "a b", "a\r\nb", "a\0b", "-a", "a".repeat(256), 7, undefined, "ex/ample"])
    assert.equal(await refused({ serverName }), TYPE);
  for (const ca of ["", "no PEM", [], [""], 7, new Uint8Array(3)]) assert.equal(await refused({ ca }), TYPE);
  assert.equal(await refused({ crl: "" }), TYPE);
  for (const minVersion of ["TLSv1", "SSLv3", 1.2]) assert.equal(await refused({ minVersion }), TYPE);
  assert.equal(await refused({ maxVersion: "TLSv1.2", minVersion: "TLSv1.3" }), RANGE);
  for (const alpnProtocols of [[], ["h\r\n2"], "h2", [7]])
    assert.equal(await refused({ alpnProtocols }), TYPE);
  for (const alpnProtocols of [[""], ["a".repeat(256)], Array.from({ length: 300 }, () => "a".repeat(250))])
    assert.equal(await refused({ alpnProtocols }), RANGE);
  for (const handshakeTimeoutMs of [0, -1, Number.NaN])
    assert.equal(await refused({ handshakeTimeoutMs }), RANGE);
  for (const [name, wrong] of Object.entries({
    ciphers: "",
    keyLog: 1,
    verifyPeer: 0,
    checkIdentity: true,
    session: Buffer.from("a session of Node's own"),
    onSession: {},
    handshakeTimeoutMs: "1",
    identity: null,
  }))
    assert.equal(await refused({ [name]: wrong }), TYPE);
  assert.equal(await codeOf(startTls({} as never, clientOptions())), TYPE);
  const secret = "-----BEGIN nothing";
  const error = thrown(() => new TlsServerContext({ ...server, key: secret.replace("BEGIN", "BEGAN") }));
  assert.ok(!error.message.includes("nothing"), "a key is never shown");
  const side = (options: object): Promise<string> => codeOf(acceptTls(far, { ...server, ...options }));
  assert.equal(await side({ clientCertificate: "sometimes" }), TYPE);
  assert.equal(await side({ identityFor: "localhost" }), TYPE);
  assert.equal(await side({ ticketKeys: new Uint8Array(47) }), RANGE);
  assert.equal(await side({ ticketKeys: "k".repeat(48) }), TYPE);
  assert.equal(await side({ sessionTimeoutMs: 999 }), RANGE);
  assert.deepEqual([near.closed, far.closed], [false, false]);
});
