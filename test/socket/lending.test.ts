// Memory and counts that the program shares with a call: MSG_ZEROCOPY, memory given away while a send waits, one
// progress for two calls.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_UNIX,
  IPPROTO_TCP,
  MSG_ZEROCOPY,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_ZEROCOPY,
  TCP_CORK,
  socket,
} from "berkeley";
import type { Socket } from "berkeley";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, tcpPair } from "../support/pair.ts";

test("send() with MSG_ZEROCOPY never shows the peer what another socket sends", async () => {
  using pair = await tcpPair();
  using other = await tcpPair();
  pair.a.setsockopt(SOL_SOCKET, SO_ZEROCOPY, 1);
  pair.a.setsockopt(IPPROTO_TCP, TCP_CORK, 1);
  const held = Buffer.from("mine, mine, mine");
  await pair.a.send(held, MSG_ZEROCOPY);
  await other.a.send("theirs, theirs, theirs");
  pair.a.setsockopt(IPPROTO_TCP, TCP_CORK, 0);
  assert.equal((await pair.b.recv(100)).toString(), "mine, mine, mine");
});

test("sending with MSG_ZEROCOPY refuses a string, whose bytes nobody holds", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  assert.equal(await codeOf(a.send("text", MSG_ZEROCOPY)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(a.sendall("text", MSG_ZEROCOPY)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(a.sendmsg(["text"], [], MSG_ZEROCOPY)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(a.sendto("text", MSG_ZEROCOPY, a.getpeername())), "ERR_INVALID_ARG_TYPE");
});

test("sendall() sends each byte once when two calls show their progress in one object", async () => {
  using pair = await tcpPair(NARROW);
  using other = await tcpPair();
  const progress = { bytes: 0 };
  const data = pattern(TOO_MUCH);
  const sending = pair.a.sendall(data, 0, { progress });
  await other.a.sendall("short", 0, { progress });
  assert.equal(progress.bytes, 5);
  const received = receiveToEnd(pair.b);
  await sending;
  pair.a.close();
  assert.ok((await received).equals(data));
});

/** A Unix datagram socket with a full queue, and who fills it. */
async function fullQueue(): Promise<{ receiver: Socket; sender: Socket; name: string; queued: number }> {
  const receiver = socket(AF_UNIX, SOCK_DGRAM);
  receiver.bind("");
  const name = receiver.getsockname() as unknown as string;
  const sender = socket(AF_UNIX, SOCK_DGRAM);
  sender.settimeout(0);
  let queued = 0;
  try {
    for (;;) {
      await sender.sendto("full", name);
      queued++;
    }
  } catch (error) {
    assert.equal((error as { code: string }).code, "EAGAIN");
  }
  sender.settimeout(null);
  return { receiver, sender, name, queued };
}

test("sendto() and sendmsg() fail with EFAULT, and send nothing, when their memory is given away while they wait", async () => {
  const { receiver, sender, name, queued } = await fullQueue();
  try {
    const first = new Uint8Array(10).fill(65);
    const second = new Uint8Array(10).fill(66);
    const third = new Uint8Array(10).fill(67);
    const sending = [sender.sendto(first, name), sender.sendmsg([second], [], 0, name)].map(codeOf);
    const last = sender.sendto(third, name);
    for (const { buffer } of [first, second]) structuredClone(buffer, { transfer: [buffer] });
    for (let count = 0; count < queued; count++) assert.equal((await receiver.recv(10)).toString(), "full");
    assert.deepEqual(await Promise.all(sending), ["EFAULT", "EFAULT"]);
    assert.equal(await last, 10);
    assert.deepEqual(await receiver.recv(10), Buffer.from(third));
  } finally {
    receiver.close();
    sender.close();
  }
});
