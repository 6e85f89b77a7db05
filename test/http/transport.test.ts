// The server's transport, where its one send does not do: the kernel takes a part, nothing, or has lost the peer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SO_SNDBUF, SOL_SOCKET, socketpair } from "berkeley";
import { SocketStream } from "berkeley/stream";
import { Clock } from "#dist/http/clock.js";
import { checkOptions } from "#dist/http/server/options.js";
import { Transport } from "#dist/http/server/transport.js";

function pair(): { transport: Transport; peer: SocketStream } {
  const [near, far] = socketpair();
  near.setsockopt(SOL_SOCKET, SO_SNDBUF, 4608);
  const owner = { headExpired: (): void => {}, gone: (): void => {} };
  const transport = new Transport(new SocketStream(near), checkOptions({}), new Clock(1000), owner);
  return { transport, peer: new SocketStream(far) };
}

test("Transport.send() sends what the kernel did not take at once, behind it and whatever is written meanwhile", async () => {
  const { transport, peer } = pair();
  const { out } = transport;
  const first = "0123456789abcdef".repeat(4000);
  const second = "second".repeat(1000);
  out.latin1(first);
  const sending = transport.send();
  assert.ok(sending !== undefined, "more than the buffer holds");
  // Another connection's answers go through the same memory.
  const other = pair();
  other.transport.out.latin1("X".repeat(1000));
  assert.equal(other.transport.send(), undefined);
  out.latin1(second);
  const behind = transport.send();
  let text = "";
  while (text.length < first.length + second.length) text += (await peer.receiveSome()).toString();
  assert.equal(text, first + second);
  await sending;
  transport.sent();
  assert.ok(transport.deadline !== Infinity, "the second send still counts");
  await behind;
  transport.sent();
  assert.equal(transport.deadline, Infinity);
  for (const stream of [transport.stream, peer, other.transport.stream, other.peer]) stream.close();
});

test("Transport.send() rejects with EPIPE when the peer is gone, and with EBADF when it was closed here", async () => {
  const { transport, peer } = pair();
  peer.close();
  transport.out.latin1("hello");
  await assert.rejects(Promise.resolve(transport.send()), { code: "EPIPE", syscall: "sendall" });
  transport.stream.close();
  transport.out.latin1("hello");
  await assert.rejects(Promise.resolve(transport.send()), { code: "EBADF" });
});
