// listenTcp, listenUnix, SocketListener: where they listen, what they leave behind, what waits at a close.

import assert from "node:assert/strict";
import { existsSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { AF_UNIX, SOCK_DGRAM, create_server, socket } from "berkeley";
import type { Address } from "berkeley";
import {
  SocketListener,
  SocketStream,
  connectTcp,
  connectUnix,
  listenTcp,
  listenUnix,
} from "berkeley/stream";
import { folder } from "../support/files.ts";
import { codeOf, rejection, stillWaits, thrown } from "../support/pair.ts";

test('listenTcp("") is reached over IPv4 and IPv6', async () => {
  await using listener = await listenTcp("");
  const [, port] = listener.localAddress as Address;
  for (const host of ["127.0.0.1", "::1"]) {
    await using stream = await connectTcp(host, port);
    await using accepted = await listener.accept();
    await stream.sendAll(host);
    assert.equal((await accepted.receiveSome()).toString(), host);
  }
});

test('listenTcp("::") is not reached over IPv4', async () => {
  await using listener = await listenTcp("::");
  const [, port] = listener.localAddress as Address;
  assert.equal(await codeOf(connectTcp("127.0.0.1", port)), "ECONNREFUSED");
});

test("listenTcp() listens at a name's first address that can be bound", async () => {
  await using listener = await listenTcp("localhost");
  await using stream = await connectTcp(...(listener.localAddress as [string, number]));
  assert.equal(stream.closed, false);
});

test("listenTcp() rejects with EADDRINUSE where somebody listens, unless both ask for reusePort", async () => {
  await using listener = await listenTcp("127.0.0.1", 0, { reusePort: true });
  const [, port] = listener.localAddress as Address;
  assert.equal(await codeOf(listenTcp("127.0.0.1", port)), "EADDRINUSE");
  await using second = await listenTcp("127.0.0.1", port, { reusePort: true });
  assert.deepEqual(second.localAddress, listener.localAddress);
});

test("listenTcp() refuses what is no host and no port", async () => {
  assert.equal(await codeOf(listenTcp(7 as unknown as string)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(listenTcp("127.0.0.1", 65_536)), "ERR_OUT_OF_RANGE");
  assert.equal(await codeOf(listenTcp("", -1)), "ERR_OUT_OF_RANGE");
});

test("SocketListener.accept() waits for a connection, and fails with ECANCELED at the close, EBADF after it", async () => {
  const listener = await listenTcp("127.0.0.1");
  const waiting = listener.accept();
  await stillWaits(waiting);
  listener.close();
  assert.equal(await codeOf(waiting), "ECANCELED");
  assert.equal(await codeOf(listener.accept()), "EBADF");
  assert.equal(listener.closed, true);
  listener.close();
});

test("SocketListener.accept() that is aborted loses no connection", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const stop = new AbortController();
  const waiting = listener.accept({ signal: stop.signal });
  await stillWaits(waiting);
  const reason = new Error("enough");
  stop.abort(reason);
  assert.equal(await rejection(waiting), reason);
  await using stream = await connectTcp(...(listener.localAddress as [string, number]));
  await using accepted = await listener.accept();
  assert.deepEqual(accepted.remoteAddress, stream.localAddress);
});

test("SocketListener and SocketStream refuse what is no stream socket", () => {
  using datagrams = socket(AF_UNIX, SOCK_DGRAM);
  for (const make of [() => new SocketListener(datagrams), () => new SocketStream(datagrams)])
    assert.equal(thrown(make).code, "ERR_INVALID_ARG_TYPE");
});

test("SocketStream.remoteAddress is known after the close, localAddress when it was asked for before", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const stream = await connectTcp(...(listener.localAddress as [string, number]));
  const accepted = await listener.accept();
  const { localAddress } = stream;
  stream.close();
  accepted.close();
  assert.deepEqual(stream.remoteAddress, listener.localAddress);
  assert.deepEqual(stream.localAddress, localAddress);
  assert.deepEqual(accepted.remoteAddress, localAddress);
  assert.equal(accepted.localAddress, undefined);
});

test("listenUnix() unlinks its file at the close", async () => {
  using place = folder();
  const path = place.path("socket");
  const listener = await listenUnix(path);
  assert.equal(listener.localAddress, path);
  assert.ok(statSync(path).isSocket());
  listener.close();
  assert.equal(existsSync(path), false);
});

test("listenUnix() leaves its file with unlinkAtClose: false, and takes over the path that is left", async () => {
  using place = folder();
  const path = place.path("socket");
  (await listenUnix(path, { unlinkAtClose: false })).close();
  assert.ok(existsSync(path));
  assert.equal(await codeOf(listenUnix(path, { unlinkStale: false })), "EADDRINUSE");
  await using listener = await listenUnix(path);
  await using stream = await connectUnix(path);
  await using accepted = await listener.accept();
  assert.equal(stream.remoteAddress, path);
  assert.equal(accepted.localAddress, path);
  assert.equal(accepted.remoteAddress, "");
});

test("listenUnix() rejects with EADDRINUSE where somebody listens or a file is, and leaves both alone", async () => {
  using place = folder();
  const path = place.path("socket");
  await using listener = await listenUnix(path);
  assert.equal(await codeOf(listenUnix(path)), "EADDRINUSE");
  await using stream = await connectUnix(path);
  (await listener.accept()).close();
  assert.equal((await stream.receiveSome()).length, 0);
  const file = place.path("file");
  writeFileSync(file, "");
  assert.equal(await codeOf(listenUnix(file)), "EADDRINUSE");
});

test("listenUnix() does not unlink at the close what another one has put in its place", async () => {
  using place = folder();
  const path = place.path("socket");
  const listener = await listenUnix(path);
  unlinkSync(path);
  using other = create_server(path, { family: AF_UNIX });
  listener.close();
  assert.ok(existsSync(path));
  assert.equal(other.closed, false);
});

test("listenUnix() listens at an abstract name, and at one that the system picks", {
  skip: process.platform !== "linux" && "only Linux has abstract names",
}, async () => {
  for (const name of [Buffer.from(`\0berkeley-${process.pid}-${Math.random()}`), ""]) {
    await using listener = await listenUnix(name);
    await using stream = await connectUnix(listener.localAddress as Buffer);
    await using accepted = await listener.accept();
    await accepted.sendAll("hello");
    assert.equal((await stream.receiveSome()).toString(), "hello");
  }
});
