// tls:// URLs of the command, against each other, openssl and curl; and what is said when somebody is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProxyV1 } from "berkeley/server";
import { connectTcp } from "berkeley/stream";
import { startTls } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import type { Made } from "../support/certificates.ts";
import { berkeley, run, serving } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { clientOptions } from "../support/tls.ts";
import { ask, readAll } from "../server/support.ts";

const { skip } = OPENSSL;
const CURL = requirePeer("curl");
const ANY = "tls://127.0.0.1:0";

const own = ({ certificatePath, keyPath }: Made): string[] => ["--cert", certificatePath, "--key", keyPath];
const trusting = (): string[] => ["--ca", certificates().authority.certificatePath];

test("echo and connect speak TLS, and each end is passed on", { skip }, async () => {
  await using server = berkeley(["echo", ANY, ...own(certificates().server)]);
  const port = await serving(server);
  const { code, stdout, stderr } = await run(["connect", ...trusting(), `tls://127.0.0.1:${port}`], {
    input: "hello\n",
  });
  assert.deepEqual([code, stdout.toString(), stderr.toString()], [0, "hello\n", ""]);
  await server.line(
    /^127\.0\.0\.1:\d+ connected\n127\.0\.0\.1:\d+ sent 6 bytes: hello\\n\n.* ended after 6 bytes$/m,
  );
});

test("echo --workers speaks TLS, behind the PROXY protocol too", { skip }, async () => {
  for (const words of [[], ["--workers", "2"]]) {
    await using server = berkeley([
      "echo",
      ANY,
      ...own(certificates().server),
      "--proxy-protocol",
      "127.0.0.1",
      ...words,
    ]);
    const raw = await connectTcp("127.0.0.1", await serving(server));
    await raw.sendAll(formatProxyV1({ source: ["192.0.2.1", 4242], destination: ["192.0.2.2", 443] }));
    const client = await startTls(raw, clientOptions());
    assert.equal(await ask(client, "hello"), "hello");
    client.close();
    await server.line(/^192\.0\.2\.1:4242 sent 5 bytes: hello$/m);
  }
});

test("echo says who was refused and why, and serves on; an idle peer is ended", { skip }, async () => {
  const { authority, client: identity, server: made } = certificates();
  const words = [...own(made), "--ca", authority.certificatePath, "--idle-timeout", "0.3"];
  await using server = berkeley(["echo", ANY, ...words]);
  const port = await serving(server);
  const rude = await connectTcp("127.0.0.1", port);
  await rude.sendAll("GET / HTTP/1.1\r\n\r\n");
  await server.line(/^127\.0\.0\.1:\d+ refused: TLS: what the peer sends is no TLS \(HTTP_REQUEST\)/m);
  rude.close();
  const nobody = await run(["connect", ...trusting(), `tls://127.0.0.1:${port}`]);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr.toString(), /TLS: the peer refuses: certificate required/);
  await server.line(/refused: TLS: the client has sent no certificate/);
  await using client = await startTls(await connectTcp("127.0.0.1", port), clientOptions({ identity }));
  assert.equal(await ask(client, "hello"), "hello");
  await server.line(/failed after 5 bytes: idle for 300 ms/);
});

const REFUSALS: readonly [name: "expired" | "other" | "selfSigned", said: RegExp][] = [
  ["expired", /the certificate has expired \(CERT_HAS_EXPIRED\)/],
  ["other", /the certificate is not for 127\.0\.0\.1/],
  ["selfSigned", /the certificate is signed by itself alone/],
];
for (const [name, said] of REFUSALS)
  test(`connect refuses a server whose certificate is "${name}" and says why; --insecure says what it gives up`, {
    skip,
  }, async () => {
    await using server = berkeley(["echo", ANY, ...own(certificates()[name])]);
    const url = `tls://127.0.0.1:${await serving(server)}`;
    const refused = await run(["connect", ...trusting(), url], { input: "hello" });
    assert.equal(refused.code, 1);
    assert.equal(refused.stdout.toString(), "");
    assert.match(
      refused.stderr.toString(),
      new RegExp(`^berkeley: cannot connect to ${url}: TLS: ${said.source}`),
    );
    const taken = await run(["connect", "--insecure", url], { input: "hello" });
    assert.equal(taken.code, 0);
    assert.equal(taken.stdout.toString(), "hello");
    assert.match(
      taken.stderr.toString(),
      /^berkeley: --insecure: any server will do; .* read and change everything\n$/,
    );
  });

test("connect says that a server speaks no TLS", { skip }, async () => {
  await using server = berkeley([
    "listen",
    "--exec",
    "tcp://127.0.0.1:0",
    "echo",
    "220 welcome to a server of mail",
  ]);
  const plain = await run(["connect", ...trusting(), `tls://127.0.0.1:${await serving(server, "stderr")}`]);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr.toString(), /TLS: what the peer sends is no TLS/);
});

test("listen takes one TLS peer, and with --keep the next after one that failed", { skip }, async () => {
  const made = certificates();
  await using one = berkeley(["listen", ANY, ...own(made.server)], { input: "from the server\n" });
  const url = `tls://127.0.0.1:${await serving(one, "stderr")}`;
  const client = await run(["connect", ...trusting(), url], { input: "from the client\n" });
  assert.equal(client.stdout.toString(), "from the server\n");
  assert.equal((await one.succeeded()).stdout.toString(), "from the client\n");

  await using many = berkeley(["listen", "--keep", ANY, ...own(made.server)]);
  const port = await serving(many, "stderr");
  const rude = await connectTcp("127.0.0.1", port);
  await rude.sendAll("no TLS\r\n");
  await many.line(/failed: TLS: what the peer sends is no TLS/, "stderr");
  rude.close();
  const next = await startTls(await connectTcp("127.0.0.1", port), clientOptions());
  await next.sendAll("second\n");
  await many.line(/^second$/m);
  next.close();
  await many.line(/ ended$/m, "stderr");
});

test("listen --exec gives a program the words of a TLS peer", { skip }, async () => {
  await using server = berkeley(["listen", "--exec", ANY, ...own(certificates().server), "tr", "a-z", "A-Z"]);
  const client = await startTls(
    await connectTcp("127.0.0.1", await serving(server, "stderr")),
    clientOptions(),
  );
  await client.sendAll("hello");
  await client.closeWrite();
  assert.equal(await readAll(client), "HELLO");
  client.close();
});

test("relay puts TLS before a server without, and takes it off before a client without", {
  skip: skip || CURL.skip,
}, async () => {
  const made = certificates();
  const answer = "printf 'HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n'";
  await using web = berkeley(["listen", "--shell", answer, "tcp://127.0.0.1:0"]);
  const plain = `tcp://127.0.0.1:${await serving(web, "stderr")}`;
  await using before = berkeley(["relay", ...own(made.server), `listen:${ANY}`, plain]);
  const port = await serving(before, "stderr");
  const words = ["--silent", "--show-error", "--http1.0", "--cacert", made.authority.certificatePath];
  await using secure = start(CURL.path, [...words, `https://127.0.0.1:${port}/`]);
  assert.equal((await secure.succeeded()).stdout.toString(), "hello\n");
  await using off = berkeley(["relay", ...trusting(), "listen:tcp://127.0.0.1:0", `tls://127.0.0.1:${port}`]);
  await using through = start(CURL.path, [...words, `http://127.0.0.1:${await serving(off, "stderr")}/`]);
  assert.equal((await through.succeeded()).stdout.toString(), "hello\n");
});

test("the options of TLS are refused where they do not fit, with a sentence", { skip }, async () => {
  const made = certificates();
  using files = folder();
  const { certificatePath, keyPath } = made.server;
  const url = "tls://127.0.0.1:1";
  for (const [words, said] of [
    [["connect", "--ca", certificatePath, "tcp://127.0.0.1:1"], "are for URLs over TLS: tls://, wss://"],
    [["echo", ANY], "to listen with TLS needs a certificate and its key: --cert FILE --key FILE"],
    [["connect", "--key", keyPath, url], "--key is the key of a certificate"],
    [["connect", "--insecure", "--ca", certificatePath, url], "one of them"],
    [
      ["relay", "--insecure", ...own(made.server), `listen:${ANY}`, "tcp://127.0.0.1:1"],
      "is for who connects",
    ],
    [["listen", "wss://127.0.0.1:0/"], "to listen with TLS needs a certificate"],
    [["connect", "--ca", certificatePath, "ws://127.0.0.1:1"], "are for URLs over TLS"],
    [["echo", ANY, "--cert", files.path("none")], "there is no such file"],
    [["echo", ANY, "--cert", made.path("openssl.cnf")], "it is no PEM file"],
    [
      ["echo", ANY, "--cert", certificatePath, "--key", made.other.keyPath],
      "these credentials cannot be used",
    ],
    [
      ["connect", "--cert", certificatePath, "--key", made.other.keyPath, url],
      "these credentials cannot be used",
    ],
  ] as const) {
    const { code, stderr } = await run(words);
    assert.ok(stderr.toString().includes(said), `${words.join(" ")}: ${stderr.toString()}`);
    assert.equal(code, 2, stderr.toString());
  }
});
