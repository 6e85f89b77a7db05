// TLS under serve(): a handshake is its own connection's business, and a failed one nobody else's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve as serveHttp } from "berkeley/http";
import { behindProxy, formatProxyV1, serve } from "berkeley/server";
import type { Server } from "berkeley/server";
import { connectTcp, listenTcp } from "berkeley/stream";
import { acceptTls, connectTls, listenTls, secureListener, startTls, TlsServerContext } from "berkeley/tls";
import type { TlsStream } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { codeOf } from "../support/pair.ts";
import { clientOptions } from "../support/tls.ts";
import { ask, echo } from "../server/support.ts";

const { skip } = OPENSSL;

const at = (server: Server<TlsStream> | Server): [string, number] => server.localAddress as [string, number];
const trusting = (): { ca: Buffer } => ({ ca: certificates().authority.certificate });

test("serve() over secureListener() serves, and is told of handshakes that fail", { skip }, async () => {
  const errors: { code?: string }[] = [];
  const listener = secureListener(await listenTcp("127.0.0.1"), {
    ...certificates().server,
    handshakeTimeoutMs: 500,
  });
  const seen: unknown[] = [];
  const server = serve(
    listener,
    async (stream, { accepted }) => {
      await accepted.handshake();
      seen.push(accepted.protocol);
      await echo(stream);
    },
    { onError: (error) => errors.push(error as { code?: string }) },
  );
  // Two that say nothing, and one that says something else, keep nobody waiting.
  const silent = [await connectTcp(...at(server)), await connectTcp(...at(server))];
  const rude = await connectTcp(...at(server));
  await rude.sendAll("GET / HTTP/1.1\r\n\r\n");
  await using client = await connectTls(...at(server), trusting());
  assert.equal(await ask(client, "hello"), "hello");
  for (const each of [...silent, rude]) await each.receiveSome().catch(() => undefined);
  await client.closeWrite();
  assert.equal((await client.receiveSome()).length, 0);
  for (const each of [...silent, rude]) each.close();
  await server.shutdown();
  assert.deepEqual(seen, ["TLSv1.3"]);
  assert.deepEqual(errors.map(({ code }) => String(code)).toSorted(), [
    "ERR_TLS_HANDSHAKE_TIMEOUT",
    "ERR_TLS_HANDSHAKE_TIMEOUT",
    "ERR_TLS_NOT_TLS",
  ]);
  assert.equal(server.stats().active, 0);
});

test("a TlsStream's calls wait for its handshake, and fail as it failed", { skip }, async () => {
  const listener = await listenTls("127.0.0.1", 0, certificates().server);
  const [host, port] = listener.localAddress as [string, number];
  const connecting = connectTls(host, port, trusting());
  const accepted = await listener.accept();
  assert.equal(accepted.protocol, undefined);
  assert.equal(accepted.peerCertificate, undefined);
  const sent = accepted.sendAll("at once");
  const ended = accepted.closeWrite();
  const client = await connecting;
  assert.equal((await client.receiveSome()).toString(), "at once");
  assert.equal((await client.receiveSome()).length, 0);
  await Promise.all([sent, ended]);
  client.close();
  accepted.close();

  const rude = connectTcp(host, port);
  const second = await listener.accept();
  const calls = [second.receiveSome(), second.sendAll("x"), second.closeWrite(), second.handshake()];
  for (const call of calls) call.catch(() => undefined);
  await (await rude).sendAll("no TLS at all\r\n");
  for (const call of calls) assert.equal(await codeOf(call), "ERR_TLS_NOT_TLS");
  assert.equal(await codeOf(second.receiveSome()), "ERR_TLS_NOT_TLS");
  assert.equal(await codeOf(second.sendAll("x")), "ERR_TLS_NOT_TLS");
  second.close();
  assert.equal(await codeOf(second.receiveSome()), "EBADF");

  const third = connectTcp(host, port);
  const closing = await listener.accept();
  const waiting = [closing.receiveSome(), closing.sendAll("x"), closing.handshake()];
  for (const call of waiting) call.catch(() => undefined);
  closing.close();
  for (const call of waiting) assert.equal(await codeOf(call), "ECANCELED");
  for (const each of [await rude, await third, listener]) each.close();
});

test("acceptTls() in a handler begins TLS behind the PROXY protocol's header", { skip }, async () => {
  const context = new TlsServerContext(certificates().server);
  const ends = { source: ["192.0.2.1", 4242], destination: ["198.51.100.1", 443] } as const;
  const server = serve(
    await listenTcp("127.0.0.1"),
    behindProxy(
      async (stream) => {
        await using secure = await acceptTls(stream, context);
        await secure.sendAll(JSON.stringify(secure.remoteAddress));
        await secure.closeWrite();
      },
      { trusted: ["127.0.0.1"] },
    ),
  );
  const raw = await connectTcp(...at(server));
  await raw.sendAll(formatProxyV1(ends));
  const client = await startTls(raw, clientOptions());
  assert.deepEqual(JSON.parse((await client.receiveSome()).toString()), ends.source);
  client.close();
  await server.shutdown();
});

test("serve() of berkeley/http speaks HTTPS over listenTls()", { skip }, async () => {
  const listener = await listenTls("127.0.0.1", 0, { ...certificates().server, alpnProtocols: ["http/1.1"] });
  const server = await serveHttp({
    listener,
    scheme: "https",
    fetch: (request) => new Response(`you asked for ${request.url}`),
  });
  const client = await connectTls(...at(server), { ...trusting(), alpnProtocols: ["http/1.1"] });
  await client.sendAll("GET /here HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  let text = "";
  for (;;) {
    const bytes = await client.receiveSome();
    if (bytes.length === 0) break;
    text += bytes.toString();
  }
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /you asked for https:\/\/localhost\/here/);
  assert.equal(client.alpnProtocol, "http/1.1");
  client.close();
  await server.shutdown();
});
