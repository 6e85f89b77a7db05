// Requests to https: who is trusted, which connections are shared and resumed, and TLS behind proxies.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo, Server as NetServer } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { HttpClient, fetch, request, serve } from "berkeley/http";
import type { HttpHandler } from "berkeley/http";
import type { Server } from "berkeley/server";
import { connectTcp, listenTcp } from "berkeley/stream";
import { acceptTls, listenTls, startTls } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { PYTHON, portOf, python } from "../support/python.ts";
import { program } from "../support/program.ts";
import { SOCKS_PROXY } from "../support/socks-proxy.ts";
import { wrapped } from "../support/tls.ts";
import { serving } from "./serving.ts";

const { skip } = OPENSSL;

const trusting = (): { ca: Buffer } => ({ ca: certificates().authority.certificate });

interface Secure extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
}

/** Our own server behind TLS. */
async function secureServing(handle: HttpHandler): Promise<Secure> {
  const listener = await listenTls("127.0.0.1", 0, certificates().server);
  const server = await serve({ listener, handle, onError: () => {} });
  const [, port] = server.localAddress as [string, number];
  return {
    server,
    port,
    url: `https://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

async function listening(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("request() speaks TLS with a server that it trusts, over one kept connection", { skip }, async () => {
  await using at = await secureServing(async (asked, reply) => {
    reply.send(200, {}, `${asked.authority} ${await asked.text()}`);
  });
  await using client = new HttpClient({ tls: trusting() });
  for (const body of ["one", "x".repeat(300_000), "three"]) {
    const response = await client.request(at.url, { method: "POST", body });
    assert.equal(await response.text(), `127.0.0.1:${at.port} ${body}`);
  }
  assert.equal(at.server.stats().accepted, 1);
  const named = await client.request(`https://localhost:${at.port}/`);
  assert.equal(await named.text(), `localhost:${at.port} `);
  const tls = { ...trusting(), serverName: "a.example.test" };
  assert.equal((await request(at.url, { tls })).status, 200);
});

for (const [what, tls, code] of [
  ["whom nobody vouches for", () => ({}), "ERR_TLS_CERTIFICATE_UNKNOWN_CA"],
  [
    "whom another authority vouches for",
    () => ({ ca: certificates().stranger.certificate }),
    "ERR_TLS_CERTIFICATE_UNKNOWN_CA",
  ],
  ["of another name", () => ({ ...trusting(), serverName: "elsewhere.test" }), "ERR_TLS_CERTIFICATE_NAME"],
] as const)
  test(`request() refuses a server ${what} with ${code}, and sends nothing`, { skip }, async () => {
    let asked = 0;
    await using at = await secureServing((_, reply) => {
      asked++;
      reply.send(200);
    });
    await using client = new HttpClient({ tls: tls() });
    await assert.rejects(client.request(at.url), { name: "TlsError", code });
    assert.deepEqual(client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
    assert.equal(asked, 0);
    assert.equal((await request(at.url, { tls: { verifyPeer: false } })).status, 200);
  });

test("request() shares a connection among those that trust alike, and with nobody else", {
  skip,
}, async () => {
  await using at = await secureServing((_, reply) => reply.send(204));
  await using client = new HttpClient();
  const [one, two] = [trusting(), { ...trusting(), verifyPeer: false }];
  for (const tls of [one, two, one, two]) assert.equal((await client.request(at.url, { tls })).status, 204);
  assert.equal(at.server.stats().accepted, 2);
  await assert.rejects(client.request(at.url), { code: "ERR_TLS_CERTIFICATE_UNKNOWN_CA" });
});

test("node:https: a new connection resumes the session of the last one", { skip }, async () => {
  const { certificate: cert, key } = certificates().server;
  const resumed: boolean[] = [];
  const server = createSecureServer({ cert, key }, (asked, reply) => {
    resumed.push((asked.socket as unknown as { isSessionReused(): boolean }).isSessionReused());
    reply.end("hello");
  });
  const url = `https://127.0.0.1:${await listening(server)}/`;
  await using client = new HttpClient({ tls: trusting() });
  // A session comes when it comes: perhaps behind the answer.
  for (let count = 0; count < 20 && resumed.at(-1) !== true; count++) {
    const response = await client.request(url, { headers: { Connection: "close" } });
    assert.equal(await response.text(), "hello");
  }
  server.close();
  assert.equal(resumed[0], false);
  assert.equal(resumed.at(-1), true);
});

test("request() of https: goes through a proxy of HTTP by CONNECT, and the proxy sees nothing of it", {
  skip,
}, async () => {
  await using at = await secureServing((asked, reply) => reply.send(200, {}, asked.target));
  const seen: unknown[] = [];
  const proxy = createServer();
  proxy.on("connect", ({ url, headers }, socket, head) => {
    seen.push([url, headers["proxy-authorization"]]);
    const there = connect(at.port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connected\r\n\r\n");
      there.write(head);
      there.pipe(socket).pipe(there);
    });
    for (const end of [there, socket]) end.on("error", () => {});
  });
  const port = await listening(proxy);
  const client = new HttpClient({ proxy: `http://me:secret@127.0.0.1:${port}`, tls: trusting() });
  const url = `https://localhost:${at.port}/a`;
  for (let count = 0; count < 2; count++) assert.equal(await (await client.request(url)).text(), "/a");
  const authorization = `Basic ${Buffer.from("me:secret").toString("base64")}`;
  assert.deepEqual(seen, [[`localhost:${at.port}`, authorization]]);
  client.close();
  proxy.close();
});

test("request() of https: goes through a proxy of SOCKS 5", { skip: skip || PYTHON.skip }, async () => {
  await using child = python(SOCKS_PROXY);
  const proxy = `socks5://127.0.0.1:${await portOf(child)}`;
  await using at = await secureServing((asked, reply) => reply.send(200, {}, asked.authority));
  await using client = new HttpClient({ proxy, tls: trusting() });
  const response = await client.request(`https://localhost:${at.port}/`);
  assert.equal(await response.text(), `localhost:${at.port}`);
});

test("a redirection leads from http: to https:, and fetch() there too", { skip }, async () => {
  await using at = await secureServing((_, reply) => reply.send(200, {}, "secure"));
  await using plain = await serving({ handle: (_, reply) => reply.send(301, { Location: at.url }) });
  await using client = new HttpClient({ tls: trusting() });
  const response = await client.request(plain.url, { redirectsMax: 1 });
  assert.equal(response.url, `${at.url}/`);
  assert.equal(await response.text(), "secure");
  assert.equal(await (await client.fetch(plain.url)).text(), "secure");
  await assert.rejects(fetch(at.url), (error) => {
    assert.equal(((error as Error).cause as { code?: string }).code, "ERR_TLS_CERTIFICATE_UNKNOWN_CA");
    return true;
  });
});

test("a redirection takes neither identity nor serverName to another origin, and both along to the same", {
  skip,
}, async () => {
  const seen: [where: string, name: string | undefined, isKnown: boolean][] = [];
  const { authority, client: identity, server: own } = certificates();
  const asking = { requestCert: true, ca: authority.certificate, rejectUnauthorized: false };
  const servers = await Promise.all(
    ["first", "other"].map(async (where) => {
      const server = createSecureServer(
        { cert: own.certificate, key: own.key, ...asking },
        (asked, reply) => {
          const socket = asked.socket as TLSSocket;
          const name = socket.servername;
          seen.push([
            `${where}${asked.url}`,
            typeof name === "string" ? name : undefined,
            Object.keys(socket.getPeerCertificate()).length > 0,
          ]);
          reply.writeHead(asked.url === "/end" ? 200 : 302, {
            Location: asked.url === "/" ? "/again" : other,
          });
          reply.end();
        },
      );
      return { server, url: `https://127.0.0.1:${await listening(server)}` };
    }),
  );
  const other = `${servers[1]?.url}/end`;
  const tls = { ...trusting(), identity, serverName: "a.example.test" };
  for (const [client, options] of [
    [new HttpClient({ tls }), {}],
    [new HttpClient(), { tls }],
  ] as const) {
    await client.request(`${servers[0]?.url}/`, { ...options, redirectsMax: 2 });
    client.close();
  }
  for (const { server } of servers) server.close();
  const expected = [
    ["first/", "a.example.test", true],
    ["first/again", "a.example.test", true],
    ["other/end", undefined, false],
  ];
  assert.deepEqual(seen, [...expected, ...expected]);
});

test("a content without a length that is cut off under TLS is told from one that ends", {
  skip,
}, async () => {
  for (const cut of [false, true]) {
    const listener = await listenTcp("127.0.0.1");
    const [, port] = listener.localAddress as [string, number];
    await using client = new HttpClient({ tls: trusting() });
    const pending = client.request(`https://127.0.0.1:${port}/`);
    // TLS over a stream that is no socket's to it: the socket beneath can be ended without a word of TLS.
    const beneath = await listener.accept();
    const conn = await acceptTls(wrapped(beneath), certificates().server);
    await conn.receiveSome();
    await conn.sendAll("HTTP/1.1 200 OK\r\n\r\nabc");
    const response = await pending;
    assert.equal(String(await response.read()), "abc");
    await (cut ? beneath : conn).closeWrite();
    const rest = response.text();
    if (cut) await assert.rejects(rest, { name: "TlsError", code: "ERR_TLS_TRUNCATED" });
    else assert.equal(await rest, "");
    conn.close();
    beneath.close();
    listener.close();
  }
});

test("options.connect may make the TLS itself", { skip }, async () => {
  await using at = await secureServing((_, reply) => reply.send(200, {}, "hello"));
  await using client = new HttpClient({
    connect: async ({ hostname, port, protocol }, { signal }) => {
      assert.equal(protocol, "https:");
      const stream = await connectTcp(hostname, port, { signal });
      return await startTls(stream, { ...trusting(), serverName: hostname, signal });
    },
  });
  assert.equal(await (await client.request(at.url)).text(), "hello");
});

test("kept connections of https: hold no process alive", { skip }, async () => {
  const { certificatePath, keyPath } = certificates().server;
  await using child = program(import.meta.url, "client-idle-child", { args: [certificatePath, keyPath] });
  assert.equal((await child.succeeded()).stdout.toString(), "hello\n");
});
