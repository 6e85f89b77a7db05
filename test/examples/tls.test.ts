// The example of TLS: its server and client against each other, and openssl s_client.

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { test } from "node:test";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { ROOT } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";

const example = (...args: string[]): Child =>
  start(process.execPath, [`${ROOT}out/examples/tls-notes.js`, ...args]);

test("tls-notes knows its clients by their certificates, refuses others, and takes new certificates at SIGHUP", {
  skip: OPENSSL.skip,
}, async () => {
  const { authority, client, renewed, selfSigned, server } = certificates();
  using own = folder();
  const [certificate, key] = [own.path("certificate.pem"), own.path("key.pem")];
  copyFileSync(server.certificatePath, certificate);
  copyFileSync(server.keyPath, key);
  await using serving = example("serve", certificate, key, authority.certificatePath);
  const [, port] = (await serving.line(/^listening on \S+ (\d+)$/m)) as unknown as [string, string];
  const add = (made: { certificatePath: string; keyPath: string }, ...notes: string[]): Child =>
    example("add", made.certificatePath, made.keyPath, authority.certificatePath, port, ...notes);

  await using first = add(client, "buy milk", "call home");
  assert.equal((await first.succeeded()).stdout.toString(), "note 1\nnote 2\n");
  await serving.line(/^CN=client: call home$/m);
  await using stranger = add(selfSigned, "let me in");
  assert.notEqual((await stranger.exited).code, 0);
  await serving.line(/^refused: ERR_TLS_CERTIFICATE_SELF_SIGNED$/m);

  copyFileSync(renewed.certificatePath, certificate);
  serving.kill("SIGHUP");
  await serving.line(/^keeps its certificates: TLS: these credentials cannot be used/m);
  copyFileSync(renewed.keyPath, key);
  serving.kill("SIGHUP");
  await serving.line(/^has new certificates$/m);
  const words = `s_client -connect 127.0.0.1:${port} -CAfile ${authority.certificatePath} -servername localhost`;
  await using openssl = start(OPENSSL.path, [
    ...words.split(" "),
    "-cert",
    client.certificatePath,
    "-key",
    client.keyPath,
  ]);
  openssl.stdin.write("a third\n");
  await openssl.line(/3$/m);
  assert.match(openssl.output().toString(), /subject=CN ?= ?renewed/);
  serving.kill("SIGTERM");
  await serving.succeeded();
});
