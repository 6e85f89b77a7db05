// wss://: both sides over TLS, and who the server must be.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { listenTls, TlsError } from "berkeley/tls";
import { connect, serve } from "berkeley/websocket";
import { WebSocket, WebSocketServer } from "ws";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { echo } from "./serving.ts";

const { skip } = OPENSSL;

test("connect() and serve() talk over TLS, and connect() refuses a server that is another", {
  skip,
}, async () => {
  const listener = await listenTls("127.0.0.1", 0, certificates().server);
  await using server = await serve({ listener, handle: echo });
  const [, port] = server.localAddress as [string, number];
  const url = `wss://127.0.0.1:${port}/`;
  const tls = { ca: certificates().authority.certificate };
  await using socket = await connect(url, { tls });
  const long = "over TLS ".repeat(50_000);
  await socket.send(long);
  assert.ok((await socket.receive()).value === long);
  await socket.close();
  await assert.rejects(connect(url), TlsError);
  const peer = new WebSocket(url, { ca: tls.ca });
  await once(peer, "open");
  peer.send("from ws");
  assert.equal(String((await once(peer, "message"))[0]), "from ws");
  peer.close();
  assert.equal((await once(peer, "close"))[0], 1005);
});

test("connect() talks with the server of ws over node:https", { skip }, async () => {
  const { certificate: cert, key } = certificates().server;
  const https = createServer({ cert, key });
  const server = new WebSocketServer({ server: https });
  server.on("connection", (peer) => {
    peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary }));
  });
  https.listen(0, "127.0.0.1");
  await once(https, "listening");
  const { port } = https.address() as AddressInfo;
  {
    await using socket = await connect(`wss://127.0.0.1:${port}/`, {
      tls: { ca: certificates().authority.certificate },
    });
    await socket.send(Buffer.from("over TLS"));
    assert.deepEqual((await socket.receive()).value, Buffer.from("over TLS"));
  }
  https.close();
  https.closeAllConnections();
});
