// connectSocks5(): the bytes of RFC 1928 and RFC 1929, what a proxy may answer, and a proxy in CPython.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connectSocks5, connectTcp, memoryPair } from "berkeley/stream";
import type { ByteStream, ConnectSocks5Options } from "berkeley/stream";
import { LocalProtocolError, RemoteProtocolError } from "berkeley/wire";
import { listenAt } from "../support/berkeley-tcp.ts";
import { PYTHON, portOf, python } from "../support/python.ts";
import { SOCKS_PROXY } from "../support/socks-proxy.ts";

/** Receives exactly so many bytes, in hexadecimal. */
async function receive(stream: ByteStream, count: number): Promise<string> {
  let text = "";
  while (text.length < 2 * count) text += (await stream.receiveSome(count - text.length / 2)).toString("hex");
  return text;
}

const targets: readonly (readonly [host: string, port: number, bytes: string])[] = [
  ["example.org", 80, `030b${Buffer.from("example.org").toString("hex")}0050`],
  ["10.0.0.255", 65_535, "010a0000ffffff"],
  ["255.255.255.255", 1, "01ffffffff0001"],
  ["2001:db8::1", 443, "0420010db800000000000000000000000101bb"],
];
for (const [host, port, bytes] of targets)
  for (const cut of [false, true])
    test(`connectSocks5() asks for ${host} in the bytes of RFC 1928, answered ${cut ? "byte by byte" : "whole"}`, async () => {
      const [stream, proxy] = memoryPair();
      const connected = connectSocks5(stream, host, port);
      const answer = async (hex: string): Promise<void> => {
        const all = Buffer.from(hex, "hex");
        if (!cut) return await proxy.sendAll(all);
        for (const byte of all) await proxy.sendAll(Buffer.of(byte));
      };
      assert.equal(await receive(proxy, 3), "050100");
      await answer("0500");
      assert.equal(await receive(proxy, 3 + bytes.length / 2), `050100${bytes}`);
      await answer(`050000${bytes}`);
      await proxy.sendAll("what follows");
      await connected;
      assert.equal(String(await stream.receiveSome()), "what follows");
    });

test("connectSocks5() tells user and password when it is asked, in the bytes of RFC 1929", async () => {
  const [stream, proxy] = memoryPair();
  const connected = connectSocks5(stream, "a", 80, { user: "me", password: "ä" });
  assert.equal(await receive(proxy, 4), "05020002");
  await proxy.sendAll(Buffer.of(5, 2));
  assert.equal(await receive(proxy, 7), "01026d6502c3a4");
  await proxy.sendAll(Buffer.of(1, 0));
  assert.equal(await receive(proxy, 8), "0501000301610050");
  await proxy.sendAll(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 80));
  await connected;
});

const WHO = { user: "me", password: "secret" };
const answers: readonly (readonly [name: string, ConnectSocks5Options, answers: number[], code: string])[] = [
  ["another version", {}, [4, 0], "ERR_SOCKS_VERSION"],
  ["the start of HTTP", {}, [...Buffer.from("HT")], "ERR_SOCKS_VERSION"],
  ["no way that it takes", {}, [5, 0xff], "ERR_SOCKS_METHOD"],
  ["a password that was not offered", {}, [5, 2], "ERR_SOCKS_METHOD"],
  ["a way that was not offered", WHO, [5, 1], "ERR_SOCKS_METHOD"],
  ["a wrong password", WHO, [5, 2, 1, 1], "ERR_SOCKS_AUTHENTICATION"],
  ["another version of passwords", WHO, [5, 2, 5, 0], "ERR_SOCKS_VERSION"],
  ["a refusal", {}, [5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0], "ERR_SOCKS_REPLY"],
  ["a reply without a name", {}, [5, 0, 5, 99, 0, 1, 0], "ERR_SOCKS_REPLY"],
  ["an address of no kind", {}, [5, 0, 5, 0, 0, 2, 0], "ERR_SOCKS_ADDRESS"],
  ["an end inside the reply", {}, [5, 0, 5, 0, 0, 1, 1], "ERR_UNEXPECTED_EOF"],
  ["an end at once", {}, [], "ERR_UNEXPECTED_EOF"],
];
for (const [name, options, bytes, code] of answers)
  test(`connectSocks5() refuses ${name} with ${code}`, async () => {
    const [stream, proxy] = memoryPair();
    await proxy.sendAll(Buffer.from(bytes));
    await proxy.closeWrite();
    await assert.rejects(connectSocks5(stream, "a", 80, options), (error) => {
      assert.ok(error instanceof RemoteProtocolError, String(error));
      assert.equal(error.code, code);
      return true;
    });
  });

test("SocksReplyError says in words why the proxy did not connect", async () => {
  const [stream, proxy] = memoryPair();
  await proxy.sendAll(Buffer.of(5, 0, 5, 5, 0, 1, 0));
  await assert.rejects(connectSocks5(stream, "a", 80), {
    name: "SocksReplyError",
    reply: 5,
    message: "the proxy did not connect: connection refused",
  });
});

for (const [what, host, port, options, code] of [
  ["an empty host", "", 80, {}, "ERR_SOCKS_TEXT"],
  ["a host of 256 bytes", "x".repeat(256), 80, {}, "ERR_SOCKS_TEXT"],
  ["a user of 256 bytes", "a", 80, { user: "x".repeat(256), password: "x" }, "ERR_SOCKS_TEXT"],
  ["an empty password", "a", 80, { user: "x" }, "ERR_SOCKS_TEXT"],
  ["port 0", "a", 0, {}, "ERR_OUT_OF_RANGE"],
  ["a host that is no text", 1 as never, 80, {}, "ERR_INVALID_ARG_TYPE"],
] as const)
  test(`connectSocks5() refuses ${what} with ${code} before it sends anything`, async () => {
    const [stream, proxy] = memoryPair();
    await assert.rejects(connectSocks5(stream, host, port, options), (error) => {
      assert.equal((error as { code?: string }).code, code);
      assert.equal(error instanceof LocalProtocolError, code === "ERR_SOCKS_TEXT");
      return true;
    });
    stream.close();
    assert.equal((await proxy.receiveSome()).length, 0);
  });

test("connectSocks5() ends with its signal's reason", async () => {
  const [stream, proxy] = memoryPair();
  const controller = new AbortController();
  const connected = connectSocks5(stream, "a", 80, { signal: controller.signal });
  await receive(proxy, 3);
  controller.abort(new Error("enough"));
  await assert.rejects(connected, /enough/);
});

test("connectSocks5() through CPython's proxy: bytes both ways, and a refusal", {
  skip: PYTHON.skip,
}, async () => {
  await using child = python(SOCKS_PROXY, ["with a password"]);
  const proxyPort = await portOf(child);
  using listener = listenAt();
  const stream = await connectTcp("127.0.0.1", proxyPort);
  const [, conn] = await Promise.all([
    connectSocks5(stream, "somewhere.test", listener.port, WHO),
    listener.accept(),
  ]);
  await child.line(new RegExp(`^asked somewhere\\.test ${listener.port}$`, "m"));
  await stream.sendAll("hello");
  assert.equal(String(await conn.recv(100)), "hello");
  await conn.sendall("you");
  assert.equal(String(await stream.receiveSome()), "you");
  conn.close();
  stream.close();
  const { port } = listener;
  listener[Symbol.dispose]();
  const second = await connectTcp("127.0.0.1", proxyPort);
  await assert.rejects(connectSocks5(second, "127.0.0.1", port, WHO), { code: "ERR_SOCKS_REPLY", reply: 5 });
  second.close();
});
