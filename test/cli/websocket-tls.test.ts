// wss:// URLs of the command, against each other and against the client and server of ws; and who is refused.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { connectTcp } from "berkeley/stream";
import { OPENSSL, certificates } from "../support/certificates.ts";
import type { Made } from "../support/certificates.ts";
import { berkeley, run, serving } from "../support/cli.ts";
import { bytesOf } from "../support/ws.ts";

const { skip } = OPENSSL;
const ANY = "wss://127.0.0.1:0/chat";

const own = ({ certificatePath, keyPath }: Made): string[] => ["--cert", certificatePath, "--key", keyPath];
const trusting = (): string[] => ["--ca", certificates().authority.certificatePath];

test("berkeley echo serves wss:// to the client of ws, and to nobody without TLS or the certificate", {
  skip,
}, async () => {
  const made = certificates();
  const words = [...own(made.server), ...trusting()];
  await using echo = berkeley(["echo", ANY, ...words]);
  const port = await serving(echo);
  const rude = await connectTcp("127.0.0.1", port);
  await rude.sendAll("GET /chat HTTP/1.1\r\n\r\n");
  assert.equal((await rude.receiveSome().catch(() => "")).length, 0);
  rude.close();
  const ca = made.authority.certificate;
  const url = `wss://127.0.0.1:${port}/chat`;
  const nobody = await run(["connect", ...trusting(), url], { input: "hello" });
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr.toString(), /TLS: the peer refuses: certificate required/);
  const peer = new WebSocket(url, { ca, cert: made.client.certificate, key: made.client.key });
  await once(peer, "open");
  for (const message of ["hello", Buffer.from("bytes")]) {
    const answered = once(peer, "message");
    peer.send(message);
    const [data, isBinary] = await answered;
    assert.equal(String(data), String(message));
    assert.equal(isBinary, typeof message !== "string");
  }
  peer.close();
  await echo.line(/127\.0\.0\.1:\d+ connected\n[^]*sent 5 bytes: hello\n[^]*ended after 10 bytes\n/);
  echo.kill("SIGINT");
  assert.equal((await echo.exited).code, 0);
});

test("berkeley connect speaks wss:// to the server of ws, and refuses one that is another's", {
  skip,
}, async () => {
  const made = certificates();
  for (const [name, words, code] of [
    ["server", trusting(), 0],
    ["other", trusting(), 1],
    ["other", ["--insecure"], 0],
  ] as const) {
    const { certificate, key } = made[name];
    const web = createServer({ cert: certificate, key });
    const server = new WebSocketServer({ server: web });
    server.on("connection", (peer) => {
      peer.on("message", (data) => peer.send(`you said ${bytesOf(data).toString()}`));
    });
    web.listen(0, "127.0.0.1");
    await once(web, "listening");
    const url = `wss://127.0.0.1:${(web.address() as AddressInfo).port}/`;
    const said = await run(["connect", "-q", "0.3", ...words, url], { input: "hello\n" });
    assert.equal(said.code, code, said.stderr.toString());
    assert.equal(said.stdout.toString(), code === 0 ? "you said hello\n" : "");
    if (code === 1)
      assert.match(
        said.stderr.toString(),
        new RegExp(`^berkeley: cannot connect to ${url}: TLS: the certificate is not for 127\\.0\\.0\\.1`),
      );
    server.close();
    web.closeAllConnections();
    await new Promise((resolve) => web.close(resolve));
  }
});

test("berkeley listen and connect speak wss:// with each other, and relay takes it off again", {
  skip,
}, async () => {
  const made = certificates();
  await using one = berkeley(["listen", ANY, ...own(made.server)], { input: "from the server\n" });
  const url = `wss://127.0.0.1:${await serving(one, "stderr")}/chat`;
  const client = await run(["connect", ...trusting(), url], { input: "from the client\n" });
  assert.equal(client.stdout.toString(), "from the server\n");
  assert.equal((await one.succeeded()).stdout.toString(), "from the client\n");

  await using echo = berkeley(["echo", "tcp://127.0.0.1:0"]);
  const tcp = `tcp://127.0.0.1:${await serving(echo)}`;
  await using front = berkeley(["relay", ...own(made.server), `listen:${ANY}`, tcp]);
  const middle = `wss://127.0.0.1:${await serving(front, "stderr")}/chat`;
  await using back = berkeley(["relay", ...trusting(), "listen:tcp://127.0.0.1:0", middle]);
  await using stream = await connectTcp("127.0.0.1", await serving(back, "stderr"));
  await stream.sendAll("through three programs");
  let words = "";
  while (words.length < 22) words += (await stream.receiveSome()).toString();
  assert.equal(words, "through three programs");
});
