// connectTcp, connectUnix: against sockets that answer, refuse and keep silent.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  AddressError,
  ECONNREFUSED,
  ENETUNREACH,
  IPPROTO_TCP,
  SOCK_STREAM,
  SocketError,
  TCP_NODELAY,
} from "berkeley";
import type { Address, AddressInfo } from "berkeley";
import { ConnectError, connectTcp, connectUnix, listenTcp } from "berkeley/stream";
import type { SocketStream } from "berkeley/stream";
import { deadAddress, fullListener, openSockets, rejection, stillWaits } from "../support/pair.ts";

/** A resolver that finds these. */
const finds =
  (...addresses: readonly Address[]) =>
  (): Promise<AddressInfo[]> =>
    Promise.resolve(
      addresses.map(
        (address): AddressInfo => [
          address[0].includes(":") ? AF_INET6 : AF_INET,
          SOCK_STREAM,
          IPPROTO_TCP,
          "",
          address,
        ],
      ),
    );

const noDelayOf = ({ socket }: SocketStream): number => socket.getsockopt(IPPROTO_TCP, TCP_NODELAY);

test("connectTcp() connects to a host by number and by name, with TCP_NODELAY on both sides", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const [, port] = listener.localAddress as Address;
  for (const host of ["127.0.0.1", "localhost"]) {
    await using stream = await connectTcp(host, port);
    await using accepted = await listener.accept();
    assert.deepEqual(stream.remoteAddress, ["127.0.0.1", port]);
    assert.deepEqual(stream.localAddress, accepted.remoteAddress);
    assert.notEqual(noDelayOf(stream), 0);
    assert.notEqual(noDelayOf(accepted), 0);
  }
});

test("connectTcp() and listenTcp() leave Nagle's algorithm on with noDelay: false", async () => {
  await using listener = await listenTcp("127.0.0.1", 0, { noDelay: false });
  await using stream = await connectTcp(...(listener.localAddress as [string, number]), { noDelay: false });
  await using accepted = await listener.accept();
  assert.equal(noDelayOf(stream), 0);
  assert.equal(noDelayOf(accepted), 0);
});

test("connectTcp() goes on to the next address at once when one refuses", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const good = listener.localAddress as Address;
  const lookup = finds(deadAddress("::1"), deadAddress(), good);
  await using stream = await connectTcp("host", 1, { lookup, attemptDelayMs: 60_000 });
  assert.deepEqual(stream.remoteAddress, good);
});

test("connectTcp() tries the next address beside one that does not answer, and closes the loser", async () => {
  using silent = await fullListener();
  await using listener = await listenTcp("::1");
  const good = listener.localAddress as Address;
  const before = openSockets().length;
  const lookup = finds(silent.address, good);
  {
    await using stream = await connectTcp("host", 1, { lookup, attemptDelayMs: 10 });
    assert.deepEqual((stream.remoteAddress as Address).slice(0, 2), good.slice(0, 2));
    assert.equal(openSockets().length, before + 1);
    assert.equal((await listener.accept()).close(), undefined);
  }
  assert.equal(openSockets().length, before);
});

test("connectTcp() rejects with a ConnectError that has every attempt's error", async () => {
  const [six, four] = [deadAddress("::1"), deadAddress()];
  const before = openSockets();
  const error = await rejection(connectTcp("some.host", 1, { lookup: finds(six, four) }));
  assert.ok(error instanceof ConnectError);
  assert.ok(error instanceof SocketError);
  assert.equal(error.name, "ConnectError");
  assert.equal(error.code, "ECONNREFUSED");
  assert.deepEqual(error.remote, six);
  assert.deepEqual(
    error.errors.map(({ code, remote }) => [code, remote]),
    [
      ["ECONNREFUSED", six],
      ["ECONNREFUSED", four],
    ],
  );
  assert.match(
    error.message,
    /^connect ECONNREFUSED: no address of some\.host answered: \[::1\]:\d+ ECONNREFUSED, /,
  );
  assert.deepEqual(openSockets(), before);
});

test("connectTcp() rejects with a ConnectError like the attempt's own when there is one address", async () => {
  const dead = deadAddress();
  const error = await rejection(connectTcp(...(dead as [string, number])));
  assert.ok(error instanceof ConnectError);
  assert.equal(error.code, "ECONNREFUSED");
  assert.equal(error.errors.length, 1);
  assert.match(error.message, /^connect ECONNREFUSED: connection refused \(→ 127\.0\.0\.1:\d+\)$/i);
});

test("ConnectError has the code of the attempt that came furthest, not of one without a route", () => {
  const [six, four]: [Address, Address] = [
    ["2001:db8::1", 9, 0, 0],
    ["192.0.2.1", 9],
  ];
  const unreachable = new SocketError("connect", -ENETUNREACH, { remote: six });
  const refused = new SocketError("connect", -ECONNREFUSED, { remote: four });
  const error = new ConnectError("host", [unreachable, refused]);
  assert.equal(error.code, "ECONNREFUSED");
  assert.deepEqual(error.remote, four);
  assert.equal(new ConnectError("host", [unreachable, unreachable]).code, "ENETUNREACH");
});

test("connectTcp() rejects with the signal's reason, and leaves no socket", async () => {
  using silent = await fullListener();
  using other = await fullListener();
  const before = openSockets();
  for (const lookup of [finds(silent.address), finds(silent.address, other.address)]) {
    const stop = new AbortController();
    const connecting = connectTcp("host", 1, { lookup, attemptDelayMs: 10, signal: stop.signal });
    await stillWaits(connecting);
    const reason = new Error("enough");
    stop.abort(reason);
    assert.equal(await rejection(connecting), reason);
    assert.deepEqual(openSockets(), before);
  }
});

test("connectTcp() looks nothing up and connects to nothing when the signal is aborted already", async () => {
  const reason = new Error("not now");
  const lookup = (): Promise<AddressInfo[]> => assert.fail("looked up");
  const signal = AbortSignal.abort(reason);
  assert.equal(await rejection(connectTcp("host", 1, { lookup, signal })), reason);
});

test("connectTcp() rejects with AddressError when the name does not resolve", async () => {
  const error = await rejection(connectTcp("127.0.0.1", "no such service"));
  assert.ok(error instanceof AddressError);
  assert.equal(error.code, "EAI_SERVICE");
});

test("connectTcp() leaves from localAddress, and tries its family only", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const good = listener.localAddress as [string, number];
  await using any = await connectTcp(...good, { localAddress: ["127.0.0.2", 0] });
  assert.equal((any.localAddress as Address)[0], "127.0.0.2");
  const free = deadAddress("127.0.0.3");
  await using one = await connectTcp(...good, { localAddress: free });
  assert.deepEqual(one.localAddress, free);
  const error = await rejection(connectTcp("::1", 1, { localAddress: ["127.0.0.1", 0] }));
  assert.ok(error instanceof AddressError, String(error));
});

test("connectTcp() leaves from one port with attempts that overlap", async () => {
  using silent = await fullListener();
  await using listener = await listenTcp("127.0.0.1");
  const good = listener.localAddress as Address;
  const free = deadAddress();
  const lookup = finds(silent.address, good);
  await using stream = await connectTcp("host", 1, { lookup, attemptDelayMs: 10, localAddress: free });
  assert.deepEqual([stream.localAddress, stream.remoteAddress], [free, good]);
});

test("connectTcp() refuses what is no host, port, delay or local address, by name", async () => {
  const cases: [() => Promise<unknown>, RegExp][] = [
    [() => connectTcp("", 1), /^host /],
    [() => connectTcp(7 as unknown as string, 1), /^host /],
    [() => connectTcp("127.0.0.1", 65_536), /port/],
    [() => connectTcp("127.0.0.1", 1, { attemptDelayMs: 9 }), /^options\.attemptDelayMs /],
    [() => connectTcp("127.0.0.1", 1, { localAddress: ["localhost", 0] }), /^options\.localAddress /],
    [() => connectTcp("127.0.0.1", 1, { localAddress: ["127.0.0.1", -1] }), /port/],
    [() => connectTcp("host", 1, { lookup: finds() }), /^options\.lookup /],
  ];
  for (const [connecting, message] of cases) {
    const error = await rejection(connecting());
    assert.match(error.code, /^ERR_/);
    assert.match(error.message, message);
  }
});

test("connectUnix() rejects with ENOENT where there is nothing, and leaves no socket", async () => {
  const before = openSockets();
  assert.equal((await rejection(connectUnix("/nowhere/socket"))).code, "ENOENT");
  assert.deepEqual(openSockets(), before);
});
