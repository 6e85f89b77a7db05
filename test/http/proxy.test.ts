// Requests through proxies: of HTTP, which are told the whole URL, and of SOCKS 5. Both are other people's.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as nodeRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { HttpClient, request } from "berkeley/http";
import type { HttpHandler } from "berkeley/http";
import { listenAt } from "../support/berkeley-tcp.ts";
import { PYTHON, portOf, python } from "../support/python.ts";
import { SOCKS_PROXY } from "../support/socks-proxy.ts";
import { serving } from "./serving.ts";

const mirror: HttpHandler = async (asked, reply) => {
  const headers = Object.fromEntries(asked.fields);
  reply.send(200, {}, JSON.stringify({ target: asked.target, headers, content: await asked.text() }));
};

interface Seen {
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly content: string;
}

test("request() tells a proxy of HTTP the whole URL, and who asks, over one connection for all origins", async () => {
  const asked: [string | undefined, string | undefined][] = [];
  const connections = new Set<unknown>();
  const proxy = createServer((incoming, outgoing) => {
    connections.add(incoming.socket);
    asked.push([incoming.url, incoming.headers["proxy-authorization"]]);
    const { pathname, search, host, hostname, port } = new URL(incoming.url as string);
    const options = {
      host: hostname,
      port,
      path: pathname + search,
      method: incoming.method,
      headers: { host },
    };
    const passed = nodeRequest(options, (answer) => {
      outgoing.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  await using one = await serving({ handle: mirror });
  await using two = await serving({ handle: mirror });
  const client = new HttpClient({ proxy: `http://me:a%20b@127.0.0.1:${port}` });
  for (const at of [one, two]) {
    const response = await client.request(`${at.url}/x?y`, { method: "POST", body: "abc" });
    const seen = (await response.json()) as Seen;
    assert.deepEqual(
      [seen.target, seen.headers["host"], seen.content],
      ["/x?y", new URL(at.url).host, "abc"],
    );
  }
  const authorization = `Basic ${Buffer.from("me:a b").toString("base64")}`;
  assert.deepEqual(asked, [
    [`${one.url}/x?y`, authorization],
    [`${two.url}/x?y`, authorization],
  ]);
  assert.equal(connections.size, 1);
  client.close();
  proxy.close();
  await once(proxy, "close");
});

test("request() goes through a proxy of SOCKS 5 that knows who asks", { skip: PYTHON.skip }, async () => {
  await using child = python(SOCKS_PROXY, ["with a password"]);
  const port = await portOf(child);
  await using at = await serving({ handle: mirror });
  await using client = new HttpClient({ proxy: `socks5://me:secret@127.0.0.1:${port}` });
  for (let count = 0; count < 2; count++) {
    const url = `http://somewhere.test:${at.port}/x`;
    const seen = (await (await client.request(url)).json()) as Seen;
    assert.deepEqual([seen.target, seen.headers["host"]], ["/x", `somewhere.test:${at.port}`]);
  }
  assert.equal(at.server.stats().accepted, 1);
  await child.line(new RegExp(`^asked somewhere\\.test ${at.port}$`, "m"));
  const wrong = { proxy: `socks5://me:wrong@127.0.0.1:${port}` };
  await assert.rejects(request(at.url, wrong), { code: "ERR_SOCKS_AUTHENTICATION" });
});

test("request() rejects with what the proxy says, and leaves nothing open", {
  skip: PYTHON.skip,
}, async () => {
  await using child = python(SOCKS_PROXY);
  const port = await portOf(child);
  const listener = listenAt();
  const url = `http://127.0.0.1:${listener.port}/`;
  listener[Symbol.dispose]();
  await using client = new HttpClient({ proxy: `socks5://127.0.0.1:${port}` });
  await assert.rejects(client.request(url), { name: "SocksReplyError", code: "ERR_SOCKS_REPLY", reply: 5 });
  assert.deepEqual(client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
});

for (const [what, answer, code] of [
  ["407", "HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n", "ERR_HTTP_PROXY"],
  ["what is no answer", "SSH-2.0-x\r\n", "ERR_HTTP_VERSION"],
  ["nothing", "", "ERR_HTTP_UNEXPECTED_END"],
] as const)
  test(`request() of https: rejects with ${code} when the proxy answers CONNECT with ${what}`, async () => {
    using listener = listenAt();
    await using client = new HttpClient({ proxy: `http://127.0.0.1:${listener.port}` });
    const rejected = assert.rejects(client.request("https://[::1]/"), { code });
    const conn = await listener.accept();
    assert.equal(String(await conn.recv(1000)), "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
    await conn.sendall(answer);
    conn.close();
    await rejected;
  });

for (const proxy of ["ftp://a", "a", "http://", "https://a", "socks4://a"])
  test(`request() refuses ${JSON.stringify(proxy)} as a proxy`, async () => {
    await assert.rejects(request("http://127.0.0.1:1/", { proxy }), TypeError);
  });
