// Datagrams that go to the kernel and come from it in one piece (UDP_SEGMENT, UDP_GRO): the program sees each of them as
// if it had travelled alone. Against a C program, for CPython has no such calls.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { MSG_TRUNC, ReceiveBatch, SendBatch } from "berkeley";
import type { Address } from "berkeley";
import { watchCalls } from "../support/calls.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { udpAt, udpPair } from "../support/udp.ts";

const cc = requirePeer("gcc");
const folder = mkdtempSync(join(tmpdir(), "berkeley-twin-"));
after(() => rmSync(folder, { recursive: true }));
const twin = join(folder, "twin");
if (cc.skip === false)
  execFileSync(cc.path, ["-O1", "-Wall", "-Wextra", "-Werror", "-o", twin, "test/batch/twin.c"]);

/** A queue as long as the system allows: nothing here is to be lost for want of room. */
function deepPair(host: string): ReturnType<typeof udpPair> {
  const pair = udpPair(host);
  pair.b.options.SO_RCVBUF = 4_194_304;
  return pair;
}

/** `count` datagrams of one size, each with its own bytes. */
const equals = (count: number, bytes: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => Buffer.alloc(bytes, i % 251));

for (const host of ["127.0.0.1", "::1"])
  for (const gro of [false, true])
    for (const gso of [false, true])
      test(`datagrams arrive one by one ${gso ? "with" : "without"} GSO and ${gro ? "with" : "without"} GRO at ${host}`, async () => {
        using pair = deepPair(host);
        const family = pair.a.family;
        const out = new SendBatch({ family, gso });
        const sent = [
          ...equals(70, 100),
          ...equals(3, 99),
          Buffer.alloc(0),
          ...equals(2, 7),
          Buffer.alloc(8),
        ];
        for (const data of sent) out.add(data, pair.to);
        using watch = watchCalls(pair.a, ["sendmmsg"]);
        const batch = new ReceiveBatch({ gro, messagesMax: 256 });
        // Before they are sent: it asks for GRO.
        const first = pair.b.recvmmsg(batch);
        assert.equal(await pair.a.sendmmsg(out), sent.length);
        // 64 and 6 of 100 bytes, which the first of 99 ends; two of 99; nothing; two of 7; one of 8.
        assert.deepEqual(watch.made, [["sendmmsg", gso ? 6 : sent.length]]);
        const seen: Buffer[] = [];
        for (let count = await first; ; count = await pair.b.recvmmsg(batch)) {
          for (let i = 0; i < count; i++) {
            seen.push(Buffer.from(batch.data(i)));
            assert.deepEqual(batch.address(i), pair.from);
            assert.deepEqual([batch.flags(i), batch.length(i)], [0, batch.data(i).length]);
          }
          if (seen.length >= sent.length) break;
        }
        assert.deepEqual(seen, sent);
        assert.equal(batch.runsWith.gro, gro);
        assert.deepEqual(out.runsWith, { call: "sendmmsg", gso });
      });

test("datagrams that came as one have the fields of each", async () => {
  using pair = deepPair("127.0.0.1");
  pair.b.options.IP_RECVTOS = true;
  pair.b.options.IP_RECVTTL = true;
  pair.b.options.IP_PKTINFO = true;
  const batch = new ReceiveBatch({ gro: true });
  const receiving = pair.b.recvmmsg(batch);
  const out = new SendBatch();
  for (const [trafficClass, count] of [
    [4, 5],
    [8, 3],
  ] as const)
    for (let i = 0; i < count; i++) out.add("12345678", pair.to, { trafficClass, hopLimit: 10 });
  using watch = watchCalls(pair.a, ["sendmmsg"]);
  await pair.a.sendmmsg(out);
  assert.deepEqual(watch.made, [["sendmmsg", 2]]); // one message for each traffic class
  let seen: (number | undefined)[] = [];
  for (let count = await receiving; ; count = await pair.b.recvmmsg(batch)) {
    for (let i = 0; i < count; i++) {
      seen = [...seen, batch.trafficClass(i)];
      assert.deepEqual([batch.hopLimit(i), batch.destination(i)?.addr], [10, "127.0.0.1"]);
    }
    if (seen.length >= 8) break;
  }
  assert.deepEqual(seen, [4, 4, 4, 4, 4, 8, 8, 8]);
});

test("add() with segmentBytes makes datagrams of one piece of memory, the last as long as what is left", async () => {
  using pair = deepPair("127.0.0.1");
  const data = Buffer.concat(equals(100, 1000)).subarray(0, 99_500);
  const out = new SendBatch();
  out.add(data, pair.to, { segmentBytes: 1000 });
  out.add(data.subarray(0, 10), pair.to, { segmentBytes: 1000 });
  out.add("", pair.to, { segmentBytes: 1000 });
  assert.equal(out.count, 102);
  using watch = watchCalls(pair.a, ["sendmmsg"]);
  assert.equal(await pair.a.sendmmsg(out), 102);
  assert.deepEqual(watch.made, [["sendmmsg", 4]]); // 64, 36, and two alone
  const batch = new ReceiveBatch({ messagesMax: 128 });
  assert.equal(await pair.b.recvmmsg(batch), 102);
  const seen = Array.from({ length: 102 }, (_, i) => batch.data(i));
  assert.deepEqual(
    seen.map((each) => each.length),
    [...Array.from({ length: 99 }, () => 1000), 500, 10, 0],
  );
  assert.ok(Buffer.concat(seen.slice(0, 100)).equals(data));
});

test("one message holds no more than 64 datagrams and 65,507 bytes", async () => {
  using pair = deepPair("127.0.0.1");
  const out = new SendBatch();
  using watch = watchCalls(pair.a, ["sendmmsg"]);
  for (const [bytes, count, messages] of [
    [1, 64, 1],
    [1, 65, 2],
    [32_753, 2, 1],
    [32_754, 2, 2],
  ] as const) {
    for (const data of equals(count, bytes)) out.add(data, pair.to);
    assert.equal(await pair.a.sendmmsg(out), count);
    assert.deepEqual(watch.made.pop(), ["sendmmsg", messages]);
  }
  const batch = new ReceiveBatch({ messagesMax: 256, bytesMax: 40_000 });
  assert.equal(await pair.b.recvmmsg(batch), 133);
});

test("datagrams to several peers in turn go each to its own, and those that follow each other as one", async () => {
  using pair = deepPair("127.0.0.1");
  using other = deepPair("127.0.0.1");
  const out = new SendBatch();
  for (const to of [pair.to, other.to, other.to, pair.to, pair.to, pair.to]) out.add("same", to);
  using watch = watchCalls(pair.a, ["sendmmsg"]);
  assert.equal(await pair.a.sendmmsg(out), 6);
  assert.deepEqual(watch.made, [["sendmmsg", 3]]);
  const batch = new ReceiveBatch();
  assert.equal(await pair.b.recvmmsg(batch), 4);
  assert.equal(await other.b.recvmmsg(batch), 2);
});

test("a piece that GRO made is reported where there is no room for it: every datagram is told", async () => {
  using pair = deepPair("127.0.0.1");
  const small = new ReceiveBatch({ gro: true, bytesMax: 250, messagesMax: 1 });
  const receiving = pair.b.recvmmsg(small);
  const out = new SendBatch();
  for (const data of equals(5, 100)) out.add(data, pair.to);
  await pair.a.sendmmsg(out);
  assert.equal(await receiving, 5);
  const told = Array.from({ length: 5 }, (_, i) => [small.length(i), small.data(i).length, small.flags(i)]);
  assert.deepEqual(told, [
    [100, 100, 0],
    [100, 100, 0],
    [100, 50, MSG_TRUNC],
    [100, 0, MSG_TRUNC],
    [100, 0, MSG_TRUNC],
  ]);
  assert.deepEqual(small.data(1), Buffer.alloc(100, 1));
});

test("a batch takes pieces apart also when the program itself asked for UDP_GRO", async () => {
  using pair = deepPair("127.0.0.1");
  pair.b.options.UDP_GRO = true;
  const out = new SendBatch();
  for (const data of equals(3, 10)) out.add(data, pair.to);
  await pair.a.sendmmsg(out);
  const batch = new ReceiveBatch();
  assert.equal(await pair.b.recvmmsg(batch), 3);
});

test("a C program with UDP_GRO receives in pieces what a SendBatch sends", { skip: cc.skip }, async () => {
  await using peer = start(twin, ["receive", "0", "74"]);
  const to: Address = ["127.0.0.1", await portOf(peer)];
  using client = udpAt();
  const out = new SendBatch();
  const [many, few] = [equals(64, 600), equals(9, 600)];
  for (const data of [...many, ...few]) out.add(data, to);
  out.add("end", to, { ecn: 1 });
  assert.equal(await client.sendmmsg(out), 74);
  const { stdout } = await peer.succeeded();
  const sum = (data: Buffer): number => data.reduce((all, byte) => (Math.imul(all, 31) + byte) >>> 0, 0);
  const { [1]: port } = client.getsockname();
  assert.deepEqual(stdout.toString().trim().split("\n").slice(1), [
    `38400 600 ${port} ${sum(Buffer.concat(many))}`,
    `5400 600 ${port} ${sum(Buffer.concat(few))}`,
    `3 0 ${port} ${sum(Buffer.from("end"))}`,
  ]);
});

test("a batch with GRO receives what a C program sends with UDP_SEGMENT", { skip: cc.skip }, async () => {
  using server = udpAt();
  const batch = new ReceiveBatch({ gro: true });
  const receiving = server.recvmmsg(batch);
  await using peer = start(twin, ["send", String(server.getsockname()[1]), "1200", "40"]);
  assert.equal(await receiving, 41);
  for (let i = 0; i < 40; i++) assert.ok(batch.data(i).equals(Buffer.alloc(1200, i)));
  assert.equal(batch.data(40).toString(), "z");
  await peer.succeeded();
});

test("CPython receives datagram by datagram what a SendBatch sends in pieces", {
  skip: PYTHON.skip,
}, async () => {
  await using peer = python(`
s = socket(AF_INET, SOCK_DGRAM)
s.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 22)
s.bind(("127.0.0.1", 0))
say("port", s.getsockname()[1])
for i in range(150):
    data = s.recv(65536)
    assert data == bytes([i % 251]) * 900, (i, len(data))
say("all")
`);
  const to: Address = ["127.0.0.1", await portOf(peer)];
  using client = udpAt();
  const out = new SendBatch();
  for (const data of equals(150, 900)) out.add(data, to);
  using watch = watchCalls(client, ["sendmmsg"]);
  await client.sendmmsg(out);
  assert.deepEqual(watch.made, [["sendmmsg", 3]]);
  await peer.line(/^all$/m);
});
