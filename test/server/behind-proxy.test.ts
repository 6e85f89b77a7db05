// behindProxy() and guard() in servers: who is believed, who is let in, and what is counted; with curl and HAProxy.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AddressList, behindProxy, formatProxyV1, formatProxyV2, guard, serve } from "berkeley/server";
import type { BehindProxyOptions, ProxiedStream } from "berkeley/server";
import { connectTcp, connectUnix, listenUnix } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { deadAddress } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { ask, echo, gate, readAll, served, until } from "./support.ts";
import type { Served } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-proxy-"));
after(() => rmSync(folder, { recursive: true }));

const LOCAL = { trusted: ["127.0.0.0/8"] };
const ENDS = { source: ["192.0.2.1", 4242], destination: ["198.51.100.1", 443] } as const;

/** Tells the addresses and the next line. */
async function tell(stream: ByteStream): Promise<void> {
  const line = await stream.receiveSome();
  await stream.sendAll(`${JSON.stringify([stream.remoteAddress, stream.localAddress])} ${line.toString()}`);
}

function behind(options: BehindProxyOptions, errors: unknown[] = []): Promise<Served> {
  return served(behindProxy(tell, options), { onError: (error) => errors.push(error) });
}

test("behindProxy() gives the handler the client's addresses, and every byte behind the header", async () => {
  await using at = await behind(LOCAL);
  for (const header of [formatProxyV1(ENDS), formatProxyV2(ENDS, { checksum: true })])
    for (const cut of [0, 1, header.length - 1]) {
      const client = await at.connect();
      await client.sendAll(header.subarray(0, cut));
      await client.sendAll(Buffer.concat([header.subarray(cut), Buffer.from("hello")]));
      assert.equal(await readAll(client), `${JSON.stringify([ENDS.source, ENDS.destination])} hello`);
      client.close();
    }
});

test("behindProxy() leaves the connection's own addresses where the proxy speaks for itself", async () => {
  await using at = await behind(LOCAL);
  for (const header of [formatProxyV1(), formatProxyV2()]) {
    const client = await at.connect();
    const own = [client.localAddress, client.remoteAddress];
    await client.sendAll(Buffer.concat([header, Buffer.from("hello")]));
    assert.equal(await readAll(client), `${JSON.stringify(own)} hello`);
    client.close();
  }
});

test("behindProxy() refuses who is no trusted proxy, before he can say anything", async () => {
  const errors: unknown[] = [];
  await using at = await behind({ trusted: ["192.0.2.0/24", "::1", "unix"] }, errors);
  const client = await at.connect();
  await assert.rejects(
    async () => {
      await client.sendAll(formatProxyV1(ENDS));
      assert.equal(await readAll(client), "");
      throw Object.assign(new Error("closed"), { code: "ECONNRESET" });
    },
    { code: /ECONNRESET|EPIPE/ },
  );
  await until(() => at.server.stats().refused === 1);
  assert.deepEqual([at.server.stats().failed, errors], [0, []]);
  client.close();
});

for (const [code, what] of [
  ["ERR_PROXY_HEADER", "GET / HTTP/1.1\r\n"],
  ["ERR_UNEXPECTED_EOF", "PROXY TCP4 1.2"],
  ["ERR_PROXY_TIMEOUT", ""],
] as const)
  test(`behindProxy() ends a connection without a sound header, ${code}`, async () => {
    const errors: (Error & { code?: string })[] = [];
    await using at = await behind(
      { ...LOCAL, headerTimeoutMs: code === "ERR_PROXY_TIMEOUT" ? 30 : 60_000 },
      errors,
    );
    const client = await at.connect();
    await client.sendAll(what);
    if (code === "ERR_UNEXPECTED_EOF") await client.closeWrite();
    await until(() => at.server.stats().failed === 1);
    assert.deepEqual([errors[0]?.name, errors[0]?.code], ["RemoteProtocolError", code]);
    client.close();
  });

test("behindProxy() trusts a proxy at a Unix socket", async () => {
  const path = join(folder, "proxied");
  await using _ = serve(await listenUnix(path), behindProxy(tell, { trusted: ["unix"] }));
  const client = await connectUnix(path);
  await client.sendAll(Buffer.concat([formatProxyV2(ENDS), Buffer.from("hello")]));
  assert.equal(await readAll(client), `${JSON.stringify([ENDS.source, ENDS.destination])} hello`);
  client.close();
});

test("behindProxy() and guard() refuse what they cannot use, and name it", () => {
  for (const [code, message, call] of [
    ["ERR_INVALID_ARG_TYPE", /^options.trusted /, () => behindProxy(tell, {} as never)],
    ["ERR_INVALID_ARG_TYPE", /^handler /, () => behindProxy(1 as never, LOCAL)],
    [
      "ERR_OUT_OF_RANGE",
      /^options.headerTimeoutMs /,
      () => behindProxy(tell, { ...LOCAL, headerTimeoutMs: 0 }),
    ],
    ["ERR_INVALID_ARG_TYPE", /^options.deny /, () => guard(tell, { deny: "::1" as never })],
    [
      "ERR_OUT_OF_RANGE",
      /^options.connectionsPerAddressMax /,
      () => guard(tell, { connectionsPerAddressMax: 0 }),
    ],
  ] as const)
    assert.throws(call, { code, message });
  for (const entry of [
    "",
    "localhost",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "1.2.3",
    "fe80::1%1",
  ])
    assert.throws(() => new AddressList([entry]), { code: "ERR_OUT_OF_RANGE" }, entry);
  assert.throws(() => new AddressList([5 as never]), { code: "ERR_INVALID_ARG_TYPE" });
});

test("AddressList.has() knows addresses, networks, IPv4 in IPv6, and Unix peers", () => {
  const list = new AddressList(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "fe80::/10", "unix"]);
  for (const [address, expected] of [
    [["192.0.2.1", 1], true],
    [["192.0.2.2", 1], false],
    [["10.255.0.1", 1], true],
    [["::ffff:10.1.2.3", 1, 0, 0], true],
    [["::ffff:11.1.2.3", 1, 0, 0], false],
    [["2001:db8:ffff::1", 1, 0, 0], true],
    [["2001:db9::1", 1, 0, 0], false],
    [["fe80::1%eth0", 1, 0, 3], true],
    ["/run/client", true],
    [Buffer.from("\0name"), true],
    ["", true],
    [undefined, false],
    [[42, 1], false], // vsock
  ] as const)
    assert.equal(list.has(address as never), expected, String(address));
  assert.equal(new AddressList([]).has(""), false);
});

test("guard() lets in who is allowed and not denied", async () => {
  for (const [options, answer] of [
    [{ allow: ["127.0.0.1"] }, "hello"],
    [{ allow: ["192.0.2.1"] }, ""],
    [{ deny: ["127.0.0.0/8"] }, ""],
    [{ deny: ["127.0.0.1"], allow: ["127.0.0.1"] }, ""],
    [{ deny: ["192.0.2.1"] }, "hello"],
  ] as const) {
    await using at = await served(guard(echo, options));
    const client = await at.connect();
    if (answer === "") {
      await until(() => at.server.stats().refused === 1);
    } else {
      assert.equal(await ask(client, "hello"), answer);
    }
    client.close();
  }
});

test("guard() gives an address so many connections at once, and a place again when one ends", async () => {
  await using at = await served(guard(echo, { connectionsPerAddressMax: 2 }));
  const first = await at.connect();
  const second = await at.connect();
  for (const client of [first, second]) assert.equal(await ask(client, "x"), "x");
  const third = await at.connect();
  assert.equal(await readAll(third), "");
  first.close();
  await until(() => at.server.stats().finished === 1);
  const fourth = await at.connect();
  assert.equal(await ask(fourth, "x"), "x");
  assert.equal(at.server.stats().refused, 1);
  for (const client of [second, third, fourth]) client.close();
});

test("guard() counts IPv6 by /64, and clients behind a proxy by their own addresses", async () => {
  await using at = await served(behindProxy(guard(echo, { connectionsPerAddressMax: 1 }), LOCAL));
  const clients: SocketStream[] = [];
  const connect = async (host: string): Promise<SocketStream> => {
    const client = await at.connect();
    clients.push(client);
    const destination = host.includes(":") ? (["::1", 1] as const) : (["127.0.0.1", 1] as const);
    await client.sendAll(formatProxyV1({ source: [host, 1], destination }));
    return client;
  };
  for (const host of ["2001:db8::1", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"])
    assert.equal(await ask(await connect(host), "x"), "x", host);
  let refused = 0;
  for (const host of ["2001:db8::2", "2001:db8:0:1:ffff::1", "::ffff:192.0.2.1", "192.0.2.2"]) {
    await connect(host);
    await until(() => at.server.stats().refused === refused + 1);
    refused++;
  }
  for (const client of clients) client.close();
});

const curl = requirePeer("curl");
test("behindProxy() reads what curl --haproxy-protocol sends", { skip: curl.skip }, async () => {
  const inside = gate();
  let seen: ProxiedStream | undefined;
  const handler = behindProxy(async (stream) => {
    seen = stream;
    assert.match((await stream.receiveSome()).toString(), /^GET \/ HTTP\/1\.1\r\n/);
    await stream.sendAll("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    inside.open();
  }, LOCAL);
  await using at = await served(handler);
  await using child = start(curl.path, ["-s", "--haproxy-protocol", `http://127.0.0.1:${at.port}/`]);
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString(), "ok");
  assert.equal(seen?.header.version, 1);
  assert.deepEqual(seen.remoteAddress?.[0], "127.0.0.1");
  assert.deepEqual(seen.localAddress, ["127.0.0.1", at.port]);
});

const haproxy = requirePeer("haproxy");
const openssl = requirePeer("openssl");

/** Starts HAProxy with these sections, which bind the given ports. */
async function startHaproxy(
  name: string,
  sections: string,
  ports: readonly number[],
): Promise<AsyncDisposable> {
  const config = join(folder, `${name}.cfg`);
  const common = "defaults\n timeout connect 30s\n timeout client 30s\n timeout server 30s\n";
  writeFileSync(config, common + sections);
  const child = start(haproxy.path, ["-db", "-f", config]);
  for (const port of ports)
    for (;;)
      try {
        (await connectTcp("127.0.0.1", port)).close();
        break;
      } catch (error) {
        await Promise.race([
          new Promise((resolve) => setImmediate(resolve)),
          child.exited.then(({ stderr }) => {
            throw new Error(`haproxy ended: ${stderr.toString()}`, { cause: error });
          }),
        ]);
      }
  return child;
}

test("behindProxy() reads what HAProxy sends: both versions, and TLS with extensions", {
  skip: haproxy.skip || openssl.skip,
}, async () => {
  const certificate = join(folder, "certificate.pem");
  const words =
    "req -x509 -newkey rsa:2048 -nodes -subj /CN=proxy.example -days 2 -keyout key.pem -out cert.pem";
  execFileSync(openssl.path, words.split(" "), { cwd: folder, stdio: "ignore" });
  writeFileSync(
    certificate,
    readFileSync(join(folder, "cert.pem"), "utf8") + readFileSync(join(folder, "key.pem"), "utf8"),
  );
  const seen: ProxiedStream[] = [];
  await using at = await served(
    behindProxy(async (stream) => {
      const line = await stream.receiveSome();
      seen.push(stream);
      await stream.sendAll(line);
    }, LOCAL),
  );
  const [one, two, tls] = [0, 0, 0].map(() => deadAddress()[1]) as [number, number, number];
  const server = `server it 127.0.0.1:${at.port}`;
  const options = "send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,authority,crc32c,unique-id";
  await using _ = await startHaproxy(
    "sending",
    `listen one\n bind 127.0.0.1:${one}\n mode tcp\n ${server} send-proxy
listen two\n bind 127.0.0.1:${two}\n mode tcp\n ${server} send-proxy-v2
listen tls\n bind 127.0.0.1:${tls} ssl crt ${certificate}\n mode tcp\n unique-id-format id-%ci\n ${server} ${options}\n`,
    [one, two],
  );
  for (const [at2, port] of [one, two].entries()) {
    const client = await connectTcp("127.0.0.1", port);
    assert.equal(await ask(client, "hello"), "hello");
    const stream = seen.find(({ remoteAddress }) => remoteAddress?.[1] === client.localAddress?.[1]);
    assert.deepEqual(
      [stream?.header.version, stream?.remoteAddress, stream?.localAddress],
      [at2 + 1, client.localAddress, client.remoteAddress],
    );
    client.close();
  }
  const secure = ["s_client", "-quiet", "-connect", `127.0.0.1:${tls}`, "-servername", "asked.example"];
  await using client = start(openssl.path, secure);
  client.stdin.write("hello\n");
  await client.line(/^hello$/m);
  const header = seen.at(-1)?.header;
  assert.equal(header?.authority, "asked.example");
  assert.equal(header.uniqueId?.toString(), "id-127.0.0.1");
  assert.deepEqual([header.tls?.used, header.tls?.certificate], [true, false]);
  assert.match(header.tls?.version ?? "", /^TLSv1\.[23]$/);
  assert.match(header.tls?.cipher ?? "", /^[A-Z0-9_-]+$/);
  assert.ok(header.extensions.some(({ type }) => type === 3));
});

test("HAProxy reads what formatProxyV1() and formatProxyV2() write", { skip: haproxy.skip }, async () => {
  const [, port] = deadAddress();
  const answer = 'http-request return status 200 content-type text/plain lf-string "%ci %cp %fi %fp"';
  await using _ = await startHaproxy(
    "accepting",
    `frontend it\n bind 127.0.0.1:${port} accept-proxy\n mode http\n ${answer}\n`,
    [port],
  );
  const six = { source: ["2001:db8::1", 4242], destination: ["2001:db8::2", 443] } as const;
  for (const ends of [ENDS, six])
    for (const header of [
      formatProxyV1(ends),
      formatProxyV2(ends),
      formatProxyV2(ends, {
        checksum: true,
        extensions: [{ type: 2, value: Buffer.from("asked.example") }],
      }),
    ]) {
      const client = await connectTcp("127.0.0.1", port);
      await client.sendAll(header);
      await client.sendAll("GET / HTTP/1.0\r\n\r\n");
      const [source, destination] = [ends.source.join(" "), ends.destination.join(" ")];
      assert.ok((await readAll(client)).endsWith(`\r\n\r\n${source} ${destination}`));
      client.close();
    }
});
