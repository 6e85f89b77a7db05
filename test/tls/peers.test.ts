// TLS with programs that we did not write at the other end: openssl s_client and s_server, CPython's ssl and smtplib, curl.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve as serveHttp } from "berkeley/http";
import { serve } from "berkeley/server";
import type { Server } from "berkeley/server";
import { BufferedReader, connectTcp, listenTcp } from "berkeley/stream";
import { acceptTls, connectTls, listenTls, startTls } from "berkeley/tls";
import type { ConnectTlsOptions, TlsListener, TlsServerOptions, TlsStream } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import type { Certificates, Made } from "../support/certificates.ts";
import { codeOf } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, portOf, python } from "../support/python.ts";
import { clientOptions } from "../support/tls.ts";
import { echo as echoBack, readAll } from "../server/support.ts";

const CURL = requirePeer("curl");
const { skip } = OPENSSL;
const withPython = { skip: OPENSSL.skip || PYTHON.skip };

const portAt = (from: { readonly localAddress: unknown }): number =>
  (from.localAddress as [string, number])[1];

/** A server of ours that answers each line with itself, and the errors of its connections. */
interface Echo extends AsyncDisposable {
  readonly server: Server<TlsStream>;
  readonly port: number;
  /** The code of the next error, waiting for it. */
  readonly nextError: () => Promise<string>;
}

async function echo(options: Partial<TlsServerOptions> = {}): Promise<Echo> {
  const listener: TlsListener = await listenTls("127.0.0.1", 0, { ...certificates().server, ...options });
  const codes: string[] = [];
  let wake = (): void => undefined;
  const server = serve(listener, echoBack, {
    onError(error) {
      codes.push((error as { code: string }).code);
      wake();
    },
  });
  return {
    server,
    port: portAt(server),
    async nextError() {
      while (codes.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return codes.shift() as string;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

/** openssl s_client, with what it needs to trust our servers. */
function sClient(port: number, words: string, input?: string): Child {
  const ca = certificates().authority.certificatePath;
  const base = `s_client -connect 127.0.0.1:${port} -servername localhost -CAfile ${ca} -verify_return_error `;
  return start(OPENSSL.path, (base + words).trim().split(" "), input === undefined ? {} : { input });
}

for (const version of ["tls1_3", "tls1_2"])
  test(`a TlsListener speaks with openssl s_client -${version}`, { skip }, async () => {
    await using at = await echo({ alpnProtocols: ["echo"] });
    await using client = sClient(at.port, `-${version} -alpn echo -verify_hostname localhost`);
    client.stdin.write("hello\n");
    const { index } = await client.line(/hello$/m);
    const said = client.output().toString().slice(0, index);
    assert.match(said, /Verification: OK/);
    assert.match(said, /ALPN protocol: echo/);
  });

/** What s_client refuses a certificate for, and the alert by which it says so. */
const ALERTS: readonly [alert: string, name: keyof Certificates, words: (made: Certificates) => string][] = [
  ["CERTIFICATE_EXPIRED", "expired", () => ""],
  ["CERTIFICATE_REVOKED", "revoked", ({ path }) => `-crl_check -CRL ${path("list.crl")}`],
  ["UNKNOWN_CA", "server", ({ stranger }) => `-CAfile ${stranger.certificatePath}`],
  ["BAD_CERTIFICATE", "server", () => "-verify_hostname elsewhere.test"],
];
for (const [alert, name, words] of ALERTS)
  for (const version of ["tls1_3", "tls1_2"])
    test(`a TlsListener tells that openssl s_client -${version} refuses, ERR_TLS_ALERT_${alert}`, {
      skip,
    }, async () => {
      const made = certificates();
      await using at = await echo(made[name] as Made);
      await using client = sClient(at.port, `-${version} ${words(made)}`, "hello\n");
      assert.equal(await at.nextError(), `ERR_TLS_ALERT_${alert}`);
      assert.notEqual((await client.exited).code, 0);
    });

for (const version of ["tls1_3", "tls1_2"])
  test(`a TlsListener resumes a session of openssl s_client -${version}`, { skip }, async () => {
    await using at = await echo();
    const path = certificates().path(`session-${version}.pem`);
    for (const [words, expected] of [
      [`-sess_out ${path}`, /^New, TLSv1\.[23]/m],
      [`-sess_in ${path}`, /^Reused, TLSv1\.[23]/m],
    ] as const) {
      await using client = sClient(at.port, `-${version} ${words}`);
      client.stdin.write("hello\n");
      await client.line(/hello$/m);
      assert.match(client.output().toString(), expected);
    }
  });

test("a TlsListener takes a client certificate from openssl s_client, and refuses none", {
  skip,
}, async () => {
  const { authority, client: identity } = certificates();
  await using at = await echo({ ca: authority.certificate, clientCertificate: "required" });
  await using client = sClient(at.port, `-cert ${identity.certificatePath} -key ${identity.keyPath}`);
  client.stdin.write("hello\n");
  await client.line(/hello$/m);
  await using nobody = sClient(at.port, "", "hello\n");
  assert.equal(await at.nextError(), "ERR_TLS_CERTIFICATE_REQUIRED");
  await nobody.exited;
});

test("a TlsListener lets no client of TLS 1.2 renegotiate", { skip }, async () => {
  const secrets: string[] = [];
  await using at = await echo({ keyLog: (line) => secrets.push(line) });
  await using client = sClient(at.port, "-tls1_2");
  client.stdin.write("hello\n");
  await client.line(/hello$/m);
  client.stdin.write("R\n");
  await client.exited;
  assert.match(client.output("stderr").toString(), /no renegotiation/i);
  assert.equal(secrets.length, 1);
});

test("connectTls() lets no server of TLS 1.2 renegotiate", { skip }, async () => {
  const secrets: string[] = [];
  const { child, port } = await sServer(certificates().server, "-tls1_2", "");
  await using server = child;
  const stream = await connectTls("127.0.0.1", port, {
    ...clientOptions(),
    keyLog: (line) => secrets.push(line),
  });
  server.stdin.write("r\n");
  await assert.rejects(stream.receiveSome(), { name: "TlsError" });
  stream.close();
  assert.equal(secrets.length, 1);
});

/** openssl s_server, and its port. @param does  what it does with lines: by default it sends each back reversed. */
async function sServer(
  made: Made,
  words = "",
  does: string = "-rev ",
): Promise<{ child: Child; port: number }> {
  const base = `s_server -accept 127.0.0.1:0 -cert ${made.certificatePath} -key ${made.keyPath} ${does}`;
  const child = start(OPENSSL.path, (base + words).trim().split(" "));
  const port = Number((await child.line(/^ACCEPT .*:(\d+)$/m))[1]);
  return { child, port };
}

const connectHere = (port: number, options: ConnectTlsOptions = {}): Promise<TlsStream> =>
  connectTls("127.0.0.1", port, { ca: certificates().authority.certificate, ...options });

for (const version of ["tls1_3", "tls1_2"])
  test(`connectTls() speaks with openssl s_server -${version}, and resumes its session`, {
    skip,
  }, async () => {
    const { child, port } = await sServer(certificates().server, `-${version} -alpn echo`);
    await using _ = child;
    let session: Buffer | undefined;
    for (const resumed of [false, true]) {
      await using client = await connectHere(port, {
        alpnProtocols: ["echo"],
        session,
        onSession: (offered) => (session = offered),
      });
      await client.sendAll("hello\n");
      assert.equal((await client.receiveSome()).toString(), "olleh\n");
      assert.equal(client.protocol, version === "tls1_3" ? "TLSv1.3" : "TLSv1.2");
      assert.equal(client.alpnProtocol, "echo");
      assert.equal(client.resumed, resumed);
      await client.sendAll("CLOSE\n");
      assert.equal(await readAll(client), "");
    }
  });

for (const [code, name] of [
  ["ERR_TLS_CERTIFICATE_EXPIRED", "expired"],
  ["ERR_TLS_CERTIFICATE_REVOKED", "revoked"],
  ["ERR_TLS_CERTIFICATE_SELF_SIGNED", "selfSigned"],
  ["ERR_TLS_CERTIFICATE_NAME", "other"],
] as const)
  test(`connectTls() refuses openssl s_server with ${code}`, { skip }, async () => {
    const made = certificates();
    const { child, port } = await sServer(made[name]);
    await using _ = child;
    assert.equal(await codeOf(connectHere(port, name === "revoked" ? { crl: made.crl } : {})), code);
  });

test("connectTls() shows openssl s_server its certificate, and is told by an alert that none is not enough", {
  skip,
}, async () => {
  const { authority, client: identity, server } = certificates();
  const { child, port } = await sServer(
    server,
    `-CAfile ${authority.certificatePath} -Verify 1 -verify_return_error`,
  );
  await using _ = child;
  await using client = await connectHere(port, { identity });
  await client.sendAll("hello\n");
  assert.equal((await client.receiveSome()).toString(), "olleh\n");
  client.close();
  await using nobody = await connectHere(port);
  assert.equal(await codeOf(nobody.receiveSome()), "ERR_TLS_ALERT_CERTIFICATE_REQUIRED");
});

const SSL = `
import ssl
def server_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    return context
`;

for (const [how, statement] of [
  ["unwrap()", "conn.unwrap().close()"],
  ["close() alone", "conn.close()"],
  [
    "closeWrite after half of a record",
    "raw = socket(fileno=conn.detach()); raw.send(bytes([23, 3, 3, 1, 0, 7])); raw.close()",
  ],
] as const)
  test(`receiveSome() tells that CPython's ssl ended by ${how}`, withPython, async () => {
    const { certificatePath, keyPath } = certificates().server;
    await using child = python(
      `${SSL}
server = listen_at("127.0.0.1")
conn, peer = server.accept()
conn = server_context().wrap_socket(conn, server_side=True, suppress_ragged_eofs=False)
assert conn.recv(100) == b"hello"
conn.sendall(b"answer" * 10000)
${statement}
`,
      [certificatePath, keyPath],
    );
    await using client = await connectHere(await portOf(child));
    await client.sendAll("hello");
    let text = "";
    const ending = (async () => {
      for (;;) {
        const bytes = await client.receiveSome();
        if (bytes.length === 0) return;
        text += bytes.toString();
        // unwrap() waits for our end.
        if (text.length === 60_000) await client.closeWrite().catch(() => undefined);
      }
    })();
    if (how === "unwrap()") await ending;
    else assert.match(await codeOf(ending), /ERR_TLS_TRUNCATED|ECONNRESET/);
    assert.equal(text, "answer".repeat(10_000));
    await child.succeeded();
  });

test("a TlsListener ends for CPython's ssl as it should: by close_notify", withPython, async () => {
  await using at = await echo();
  await using child = python(
    `
import ssl
context = ssl.create_default_context(cafile=sys.argv[2])
raw = create_connection(("127.0.0.1", int(sys.argv[1])))
conn = context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
conn.sendall(b"x" * 300000)
got = 0
while got < 300000: got += len(conn.recv(65536))
say(conn.version(), conn.getpeercert()["subject"][0][0][1])
raw = conn.unwrap()
say("unwrapped", raw.recv(10))
`,
    [at.port, certificates().authority.certificatePath],
  );
  await child.line(/^TLSv1\.3 server$/m);
  await child.line(/^unwrapped b''$/m);
  await child.succeeded();
});

test("channelBinding() gives tls-server-end-point as CPython computes it", withPython, async () => {
  const { certificatePath, keyPath } = certificates().server;
  await using child = python(
    `${SSL}
server = listen_at("127.0.0.1")
conn, peer = server.accept()
conn = server_context().wrap_socket(conn, server_side=True)
say("endpoint", hashlib.sha256(ssl.PEM_cert_to_DER_cert(open(sys.argv[1]).read())).hexdigest())
conn.recv(1)
`,
    [certificatePath, keyPath],
  );
  await using client = await connectHere(await portOf(child));
  const [, endPoint] = await child.line(/^endpoint (\w+)$/m);
  assert.equal(client.channelBinding("tls-server-end-point").toString("hex"), endPoint);
  await client.sendAll("x");
  await child.succeeded();
});

test("channelBinding() gives tls-exporter as openssl s_client does", { skip }, async () => {
  const listener = await listenTls("127.0.0.1", 0, certificates().server);
  const words = "-keymatexport EXPORTER-Channel-Binding -keymatexportlen 32";
  await using client = sClient(portAt(listener), words);
  const server = await listener.accept();
  await server.handshake();
  const [, hex] = await client.line(/Keying material: ([0-9A-F]+)/);
  assert.equal(server.channelBinding("tls-exporter").toString("hex").toUpperCase(), hex);
  server.close();
  listener.close();
});

test("acceptTls() upgrades smtplib's conversation", withPython, async () => {
  const listener = await listenTcp("127.0.0.1");
  const serving = (async () => {
    const raw = await listener.accept();
    const reader = new BufferedReader(raw);
    await raw.sendAll("220 here\r\n");
    assert.match(String(await reader.readLine()), /^ehlo /i);
    await raw.sendAll("250-here\r\n250 STARTTLS\r\n");
    assert.equal(String(await reader.readLine()), "STARTTLS");
    await raw.sendAll("220 go ahead\r\n");
    await using secure = await acceptTls(reader, certificates().server);
    const inside = new BufferedReader(secure);
    assert.match(String(await inside.readLine()), /^ehlo /i);
    await secure.sendAll("250 here\r\n");
    assert.equal(String(await inside.readLine()), "quit");
    await secure.sendAll("221 bye\r\n");
    await secure.closeWrite();
    return secure.discardedBytes;
  })();
  await using child = python(
    `
import smtplib, ssl
context = ssl.create_default_context(cafile=sys.argv[2])
client = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
client._host = "localhost"
client.starttls(context=context)
client.ehlo()
say(client.quit())
`,
    [portAt(listener), certificates().authority.certificatePath],
  );
  assert.equal(await serving, 0);
  await child.succeeded();
  listener.close();
});

test("startTls() upgrades a conversation with CPython", withPython, async () => {
  const { certificatePath, keyPath } = certificates().server;
  await using child = python(
    `${SSL}
server = listen_at("127.0.0.1")
conn, peer = server.accept()
assert conn.recv(100) == b"STLS\\r\\n"
conn.sendall(b"+OK begin\\r\\n")
conn = server_context().wrap_socket(conn, server_side=True)
conn.sendall(conn.recv(100).upper())
conn.unwrap()
`,
    [certificatePath, keyPath],
  );
  const raw = await connectTcp("127.0.0.1", await portOf(child));
  const reader = new BufferedReader(raw);
  await raw.sendAll("STLS\r\n");
  assert.equal(String(await reader.readLine()), "+OK begin");
  await using client = await startTls(reader, clientOptions());
  await client.sendAll("capa");
  const answer = readAll(client);
  await client.closeWrite();
  assert.equal(await answer, "CAPA");
  await child.succeeded();
});

for (const version of ["1.3", "1.2"])
  test(`serve() of berkeley/http over listenTls() answers curl with TLS ${version}`, {
    skip: CURL.skip || skip,
  }, async () => {
    const made = certificates();
    const listener = await listenTls("127.0.0.1", 0, { ...made.server, alpnProtocols: ["http/1.1"] });
    const body = "0123456789".repeat(50_000);
    const server = await serveHttp({ listener, scheme: "https", fetch: () => new Response(body) });
    const url = `https://localhost:${portAt(server)}/`;
    const words = [
      "--silent",
      "--show-error",
      "--tls-max",
      version,
      "--resolve",
      `localhost:${portAt(server)}:127.0.0.1`,
    ];
    await using good = start(CURL.path, [...words, "--cacert", made.authority.certificatePath, url]);
    assert.equal((await good.succeeded()).stdout.toString(), body);
    await using bad = start(CURL.path, [...words, "--cacert", made.stranger.certificatePath, url]);
    assert.equal((await bad.exited).code, 60, "curl(1): peer certificate cannot be authenticated");
    await server.shutdown();
  });
