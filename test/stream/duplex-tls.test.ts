// node:tls over streams of ours, and streams over node:tls: its TLSSocket runs on toDuplex(), and fromDuplex() of one keeps
// the promises of a stream. Keys are shared beforehand (RFC 4279), so that nobody needs a certificate.

import assert from "node:assert/strict";
import { once } from "node:events";
import * as tls from "node:tls";
import { test } from "node:test";
import { SocketStream, fromDuplex, memoryPair, toDuplex } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import { tcpPair } from "../support/pair.ts";

const psk = Buffer.alloc(32, 7);
const ciphers = "PSK-AES128-GCM-SHA256";
const maxVersion = "TLSv1.2";

/** Both ends of TLS over both ends of a connection. */
async function secured(near: ByteStream, far: ByteStream): Promise<[tls.TLSSocket, tls.TLSSocket]> {
  const server = new tls.TLSSocket(toDuplex(far, { allowHalfOpen: true }), {
    isServer: true,
    ciphers,
    maxVersion,
    pskCallback: () => psk,
  } as tls.TLSSocketOptions);
  const client = tls.connect({
    socket: toDuplex(near, { allowHalfOpen: true }),
    ciphers,
    maxVersion,
    pskCallback: () => ({ psk, identity: "me" }),
    checkServerIdentity: () => undefined,
  });
  await Promise.all([once(client, "secureConnect"), once(server, "secure")]);
  return [client, server];
}

const streams = {
  TCP: async (): Promise<[ByteStream, ByteStream]> => {
    const { a, b } = await tcpPair();
    return [new SocketStream(a), new SocketStream(b)];
  },
  memory: (): [ByteStream, ByteStream] => memoryPair(),
};

for (const [kind, make] of Object.entries(streams))
  for (const { name, run } of checkByteStream(async () => {
    const [client, server] = await secured(...(await make()));
    return [fromDuplex(client), fromDuplex(server)];
  }))
    test(`fromDuplex(TLSSocket over toDuplex() of ${kind}): ${name}`, run);

test("node:tls over toDuplex() tells the cipher, and closes the stream when it is destroyed", async () => {
  const [near, far] = await streams.TCP();
  const [client, server] = await secured(near, far);
  assert.equal(client.encrypted, true);
  assert.equal(client.getCipher().name, ciphers);
  client.destroy();
  await once(client, "close");
  assert.equal(near.closed, true);
  server.on("error", () => undefined).destroy();
});
