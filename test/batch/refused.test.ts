// Batches where the system refuses the calls that they are made for: kernels and sandboxes without recvmmsg and sendmmsg,
// network cards without checksums, paths with a small MTU. Each refusal is told to the socket by a replaced call.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOPROTOOPT,
  ENOSYS,
  EPERM,
  IPPROTO_UDP,
  MSG_TRUNC,
  ReceiveBatch,
  SOCK_DGRAM,
  SendBatch,
  UDP_SEGMENT,
  socket,
} from "berkeley";
import * as sync from "berkeley/sync";
import { simulate } from "berkeley/testing";
import { replaceCalls, watchCalls } from "../support/calls.ts";
import type { Calls } from "../support/calls.ts";
import { codeOf } from "../support/errors.ts";
import { rejection } from "../support/pair.ts";
import { udpPair, unixPair } from "../support/udp.ts";

const REFUSALS = { ENOSYS, EPERM, EINVAL };
const texts = (batch: ReceiveBatch): string[] =>
  Array.from({ length: batch.count }, (_, i) => batch.data(i).toString());

for (const [code, errno] of Object.entries(REFUSALS)) {
  test(`recvmmsg() receives by recvmsg, with all that belongs to it, where the system says ${code}`, async () => {
    using pair = udpPair();
    pair.b.options.IP_RECVTTL = true;
    using _ = replaceCalls(pair.b, () => ({ recvmmsg: () => -errno }));
    const batch = new ReceiveBatch({ bytesMax: 8, messagesMax: 3 });
    const waiting = pair.b.recvmmsg(batch);
    await pair.a.sendto("one", pair.to);
    assert.equal(await waiting, 1);
    assert.deepEqual(batch.runsWith, { call: "recvmsg", gro: false });
    for (const text of ["", "longer than 8", "x", "y"]) await pair.a.sendto(text, pair.to);
    assert.equal(await pair.b.recvmmsg(batch), 3);
    assert.deepEqual(texts(batch), ["", "longer t", "x"]);
    assert.deepEqual([batch.flags(1), batch.length(1), batch.flags(2)], [MSG_TRUNC, 13, 0]);
    assert.deepEqual([batch.address(2), batch.hopLimit(2)], [pair.from, 64]);
    assert.equal(await pair.b.recvmmsg(batch), 1);
    pair.b.setblocking(false);
    assert.equal(await codeOf(pair.b.recvmmsg(batch)), "EAGAIN");
  });

  test(`sendmmsg() sends by sendmsg, in order, where the system says ${code}`, async () => {
    using pair = udpPair();
    using _ = replaceCalls(pair.a, () => ({ sendmmsg: () => -errno }));
    using watch = watchCalls(pair.a, ["sendmmsg", "sendmsg"]);
    const out = new SendBatch();
    const sent = ["one", "zwei", "three", "vier", ""];
    for (const text of sent) out.add(text, pair.to);
    assert.equal(await pair.a.sendmmsg(out), 5);
    assert.equal(out.runsWith.call, "sendmsg");
    assert.equal(watch.made.filter(([name]) => name === "sendmmsg").length, 1); // it is not asked again
    const batch = new ReceiveBatch();
    assert.equal(await pair.b.recvmmsg(batch), 5);
    assert.deepEqual(texts(batch), sent);
  });
}

test("recvmmsg() by recvmsg tells an error after the datagrams before it, and those behind it afterwards", async () => {
  using pair = udpPair();
  let count = 0;
  using _ = replaceCalls(pair.b, (calls) => ({
    recvmmsg: () => -ENOSYS,
    recvmsg: (...values) => (++count === 3 ? -ECONNREFUSED : calls.recvmsg(...values)),
  }));
  for (const text of ["one", "two", "three"]) await pair.a.sendto(text, pair.to);
  const [batch, another] = [new ReceiveBatch(), new ReceiveBatch()];
  assert.equal(await pair.b.recvmmsg(batch), 2);
  assert.deepEqual(texts(batch), ["one", "two"]);
  assert.equal(await codeOf(pair.b.recvmmsg(batch)), "ECONNREFUSED");
  assert.equal(await pair.b.recvmmsg(another), 1);
  assert.deepEqual(texts(another), ["three"]);
});

test("recvmmsg() takes what recvmsg says too for the socket's error, and stays with recvmmsg", async () => {
  using pair = udpPair();
  const batch = new ReceiveBatch();
  {
    using _ = replaceCalls(pair.b, () => ({ recvmmsg: () => -EPERM, recvmsg: () => -EPERM }));
    assert.equal(await codeOf(pair.b.recvmmsg(batch)), "EPERM");
  }
  assert.equal(batch.runsWith.call, "recvmmsg");
});

test("a batch goes without GRO where the socket has none, and says so", async () => {
  using pair = udpPair();
  using _ = replaceCalls(pair.b, () => ({ setsockopt: () => -ENOPROTOOPT }));
  const batch = new ReceiveBatch({ gro: true });
  await pair.a.sendto("x", pair.to);
  assert.equal(await pair.b.recvmmsg(batch), 1);
  assert.equal(batch.runsWith.gro, false);
  using unix = unixPair();
  await unix.a.send("u");
  assert.equal(await unix.b.recvmmsg(batch), 1);
  assert.equal(batch.runsWith.gro, false);
});

test("recvmmsg() by recvmsg takes pieces of GRO apart", async () => {
  using pair = udpPair();
  using _ = replaceCalls(pair.b, () => ({ recvmmsg: () => -ENOSYS }));
  const batch = new ReceiveBatch({ gro: true });
  const receiving = pair.b.recvmmsg(batch);
  const out = new SendBatch();
  for (let i = 0; i < 9; i++) out.add(`${i}`, pair.to);
  await pair.a.sendmmsg(out);
  assert.equal(await receiving, 9);
  assert.deepEqual(batch.runsWith, { call: "recvmsg", gro: true });
  assert.equal(texts(batch).join(""), "012345678");
});

/** How many messages with control data a call of sendmmsg was given: only those for UDP_SEGMENT have any here. */
function pieces(messages: Uint32Array, count: number): number {
  let found = 0;
  for (let i = 0; i < count; i++) if (messages[i * 6 + 5] !== 0) found++;
  return found;
}

/** Calls that refuse pieces of more than so many bytes, as a kernel does: the messages before one are sent. */
function refusingPieces(errno: number, bytesMax = 0, asked: number[] = []): (calls: Calls) => Partial<Calls> {
  return (calls) => ({
    sendmmsg(fd, data, names, control, messages, count, flags) {
      asked.push(pieces(messages, count));
      for (let i = 0; i < count; i++)
        if (messages[i * 6 + 5] !== 0 && (messages[i * 6 + 1] as number) > bytesMax)
          return i > 0 ? calls.sendmmsg(fd, data, names, control, messages, i, flags) : -errno;
      return calls.sendmmsg(fd, data, names, control, messages, count, flags);
    },
    sendmsg: (...values) => (values[5] > 0 ? -errno : calls.sendmsg(...values)),
  });
}

for (const [code, errno] of Object.entries({ EIO, EINVAL, EMSGSIZE }))
  test(`sendmmsg() sends datagram by datagram where a piece is refused with ${code}`, async () => {
    using pair = udpPair();
    const asked: number[] = [];
    using _ = replaceCalls(pair.a, refusingPieces(errno, 0, asked));
    const out = new SendBatch();
    const sent = ["x", "aa", "ab", "ac", "after it", "b", "c"];
    for (const text of sent) out.add(text, pair.to);
    assert.equal(await pair.a.sendmmsg(out), 7);
    const batch = new ReceiveBatch();
    assert.equal(await pair.b.recvmmsg(batch), 7);
    assert.deepEqual(texts(batch), sent);
    assert.deepEqual(asked.splice(0), [2, 2, 0]); // "b" ends the piece that "after it" begins
    for (let i = 0; i < 2; i++) out.add("z", pair.to);
    assert.equal(await pair.a.sendmmsg(out), 2);
    // After EIO no piece is tried again. Otherwise it may have been the length: shorter ones are, until none is left.
    assert.deepEqual(asked, code === "EIO" ? [0] : [1, 0]);
    assert.deepEqual(out.runsWith, { call: "sendmmsg", gso: false });
  });

test("sendmmsg() goes on with pieces of shorter datagrams after those of longer ones were refused", async () => {
  using pair = udpPair();
  using _ = replaceCalls(pair.a, refusingPieces(EINVAL, 3000));
  using watch = watchCalls(pair.a, ["sendmmsg"]);
  const out = new SendBatch();
  for (let time = 0; time < 2; time++) {
    for (const bytes of [100, 2000, 200]) for (let i = 0; i < 3; i++) out.add(Buffer.alloc(bytes), pair.to);
    assert.equal(await pair.a.sendmmsg(out), 9);
    assert.equal(out.runsWith.gso, true);
  }
  const batch = new ReceiveBatch();
  assert.equal(await pair.b.recvmmsg(batch), 18);
  assert.deepEqual(
    watch.made.map(([, result]) => result),
    // A piece; refused; four alone (the first of 200 bytes ended the piece) and a piece; then all at once.
    [1, -EINVAL, 5, 5],
  );
});

test("sendmmsg() by sendmsg goes on with pieces, until these are refused", async () => {
  using pair = udpPair();
  const out = new SendBatch();
  const fill = (): void => {
    for (let i = 0; i < 5; i++) out.add("same", pair.to);
  };
  fill();
  {
    using _ = replaceCalls(pair.a, () => ({ sendmmsg: () => -ENOSYS }));
    using watch = watchCalls(pair.a, ["sendmsg"]);
    assert.equal(await pair.a.sendmmsg(out), 5);
    assert.deepEqual(watch.made, [["sendmsg", 20]]);
    assert.deepEqual(out.runsWith, { call: "sendmsg", gso: true });
  }
  fill();
  using _ = replaceCalls(pair.a, refusingPieces(EIO));
  using watch = watchCalls(pair.a, ["sendmsg"]);
  assert.equal(await pair.a.sendmmsg(out), 5);
  assert.deepEqual(
    watch.made.map(([, result]) => result),
    [-EIO, 4, 4, 4, 4, 4],
  );
  assert.deepEqual(out.runsWith, { call: "sendmsg", gso: false });
  assert.equal(await pair.b.recvmmsg(new ReceiveBatch()), 10);
});

test("sendmmsg() sends no pieces where the kernel does not know UDP_SEGMENT: it might take one for a datagram", async () => {
  using pair = udpPair();
  const asked: number[] = [];
  using _ = replaceCalls(pair.a, (calls) => ({
    getsockopt: (...values) =>
      values[1] === IPPROTO_UDP && values[2] === UDP_SEGMENT ? -ENOPROTOOPT : calls.getsockopt(...values),
    sendmmsg(...values) {
      asked.push(pieces(values[4], values[5]));
      return calls.sendmmsg(...values);
    },
  }));
  const out = new SendBatch();
  for (let i = 0; i < 5; i++) out.add("same", pair.to);
  assert.equal(await pair.a.sendmmsg(out), 5);
  assert.deepEqual([out.runsWith.gso, asked], [false, [0]]);
});

test("sendmmsg() tells EPERM that sendmsg says too: a firewall's. It stays with sendmmsg and with pieces", async () => {
  using pair = udpPair();
  const out = new SendBatch();
  for (let i = 0; i < 3; i++) out.add("same", pair.to);
  {
    using _ = replaceCalls(pair.a, () => ({ sendmmsg: () => -EPERM, sendmsg: () => -EPERM }));
    const error = await rejection(pair.a.sendmmsg(out));
    assert.deepEqual([error.code, error.datagramsSent, error.remote], ["EPERM", 0, pair.to]);
    assert.deepEqual(out.runsWith, { call: "sendmmsg", gso: true });
  }
  assert.equal(await pair.a.sendmmsg(out), 3);
});

test("sendmmsg() finds the datagram that fails inside of a piece, and those before it have gone", async () => {
  using pair = udpPair();
  const out = new SendBatch();
  for (const text of ["aa", "bb", "cc", "dd"]) out.add(text, pair.to);
  using replaced = replaceCalls(pair.a, (calls) => ({
    sendmmsg(...values) {
      const [fd, data, names, control, messages, , flags] = values;
      if (pieces(messages, values[5]) > 0) return -EINVAL;
      const failing = data[messages[0] as number] === 0x63;
      return failing ? -EINVAL : calls.sendmmsg(fd, data, names, control, messages, 1, flags);
    },
    sendmsg: (...values) => ((values[1][0] as Uint8Array)[0] === 0x63 ? -EINVAL : calls.sendmsg(...values)),
  }));
  const error = await rejection(pair.a.sendmmsg(out));
  assert.deepEqual([error.code, error.datagramsSent, out.count], ["EINVAL", 2, 2]);
  replaced[Symbol.dispose]();
  out.drop();
  assert.equal(await pair.a.sendmmsg(out), 1);
  const batch = new ReceiveBatch();
  assert.equal(await pair.b.recvmmsg(batch), 3);
  assert.deepEqual(texts(batch), ["aa", "bb", "dd"]);
});

test("sendmmsg() goes on after the kernel has taken a part, and waits when it takes nothing", async () => {
  using pair = udpPair();
  const out = new SendBatch();
  const sent = Array.from({ length: 40 }, (_, i) => "x".repeat(i));
  for (const text of sent) out.add(text, pair.to);
  let asked = 0;
  using _ = replaceCalls(pair.a, (calls) => ({
    sendmmsg(...values) {
      const [fd, data, names, control, messages, count, flags] = values;
      if (++asked % 3 === 0) return -EAGAIN;
      return calls.sendmmsg(fd, data, names, control, messages, Math.min(count, 3), flags);
    },
  }));
  assert.equal(await pair.a.sendmmsg(out), 40);
  const batch = new ReceiveBatch();
  assert.equal(await pair.b.recvmmsg(batch), 40);
  assert.deepEqual(texts(batch), sent);
});

test("the calls of berkeley/sync fall back in the same way", () => {
  const ends = [0, 1].map(() => {
    const end = sync.socket(sync.AF_INET, SOCK_DGRAM);
    end.bind(["127.0.0.1", 0]);
    return end;
  });
  const [a, b] = ends as [sync.Socket, sync.Socket];
  using _ = replaceCalls(a, () => ({ sendmmsg: () => -ENOSYS, recvmmsg: () => -ENOSYS }));
  const [out, batch] = [new sync.SendBatch(), new sync.ReceiveBatch()];
  for (const text of ["one", "two", "three"]) out.add(text, b.getsockname());
  assert.equal(a.sendmmsg(out), 3);
  assert.equal(b.recvmmsg(batch), 3);
  assert.deepEqual(texts(batch), ["one", "two", "three"]);
  assert.deepEqual([out.runsWith.call, batch.runsWith.call], ["sendmsg", "recvmsg"]);
  a.close();
  b.close();
});

test("batches go over a simulated network, which has no calls for them", async () => {
  await simulate(async (network) => {
    const [a, b] = [network.host("a"), network.host("b")];
    const [client, server] = [a, b].map((host) => host.run(() => socket(AF_INET, SOCK_DGRAM)));
    assert.ok(client !== undefined && server !== undefined);
    server.bind(["", 7]);
    client.bind(["", 7]);
    const [out, batch] = [new SendBatch(), new ReceiveBatch({ gro: true })];
    for (const text of ["one", "two", "six"]) out.add(text, [b.address, 7]);
    assert.equal(await client.sendmmsg(out), 3);
    const seen: string[] = [];
    while (seen.length < 3) {
      const count = await server.recvmmsg(batch);
      for (let i = 0; i < count; i++) seen.push(`${batch.data(i).toString()} of ${batch.address(i)[0]}`);
    }
    assert.deepEqual(
      seen,
      ["one", "two", "six"].map((text) => `${text} of ${a.address}`),
    );
    assert.deepEqual([out.runsWith.call, batch.runsWith.call], ["sendmsg", "recvmsg"]);
    client.close();
    server.close();
  });
});
