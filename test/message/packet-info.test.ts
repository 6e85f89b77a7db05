// What the kernel tells with a datagram and takes with one: ip(7), RFC 3542 for IPv6, socket(7). Each also cut for want of
// room, and with CPython at the other end.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  CMSG_LEN,
  CMSG_SPACE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVPKTINFO,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  IP_PKTINFO,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_TOS,
  IP_TTL,
  MSG_CTRUNC,
  SCM_TIMESTAMPNS,
  SOL_SOCKET,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RXQ_OVFL,
  SO_TIMESTAMPNS,
  if_nametoindex,
  inet_ntop,
  inet_pton,
} from "berkeley";
import type { Ancillary, ReceivedAncillary, Socket } from "berkeley";
import { codeOf } from "../support/errors.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { udpAt, udpPair } from "../support/udp.ts";

const LOOPBACK = if_nametoindex("lo");

function int(value: number): Buffer {
  return Buffer.from(Int32Array.of(value).buffer);
}

/** A control message that a socket asks for, receives and sends. */
interface Field {
  readonly host: string;
  readonly level: number;
  readonly ask: number;
  readonly type: number;
  /** What the receiver sees of a datagram that says nothing. */
  readonly usual: (data: Buffer) => boolean;
  /** What can be sent, and what the receiver sees then. */
  readonly sent?: readonly [type: number, data: Uint8Array, seen: (data: Buffer) => boolean];
  readonly bytes: number;
}

const word = (data: Buffer): number => data.readInt32LE();
const FIELDS: Readonly<Record<string, Field>> = {
  IP_RECVTTL: {
    host: "127.0.0.1",
    level: IPPROTO_IP,
    ask: IP_RECVTTL,
    type: IP_TTL,
    bytes: 4,
    usual: (data) => word(data) === 64,
    sent: [IP_TTL, int(7), (data) => word(data) === 7],
  },
  IP_RECVTOS: {
    host: "127.0.0.1",
    level: IPPROTO_IP,
    ask: IP_RECVTOS,
    type: IP_TOS,
    bytes: 1,
    usual: (data) => data[0] === 0,
    // 0xb8: expedited forwarding; the low bits are ECN's, and 2 is ECT(0).
    sent: [IP_TOS, int(0xb8 | 2), (data) => data[0] === (0xb8 | 2)],
  },
  IP_PKTINFO: {
    host: "127.0.0.1",
    level: IPPROTO_IP,
    ask: IP_PKTINFO,
    type: IP_PKTINFO,
    bytes: 12,
    usual: (data) => word(data) === LOOPBACK && inet_ntop(AF_INET, data.subarray(8)) === "127.0.0.1",
  },
  IPV6_RECVHOPLIMIT: {
    host: "::1",
    level: IPPROTO_IPV6,
    ask: IPV6_RECVHOPLIMIT,
    type: IPV6_HOPLIMIT,
    bytes: 4,
    usual: (data) => word(data) === 64,
    sent: [IPV6_HOPLIMIT, int(3), (data) => word(data) === 3],
  },
  IPV6_RECVTCLASS: {
    host: "::1",
    level: IPPROTO_IPV6,
    ask: IPV6_RECVTCLASS,
    type: IPV6_TCLASS,
    bytes: 4,
    usual: (data) => word(data) === 0,
    sent: [IPV6_TCLASS, int(0x29), (data) => word(data) === 0x29],
  },
  IPV6_RECVPKTINFO: {
    host: "::1",
    level: IPPROTO_IPV6,
    ask: IPV6_RECVPKTINFO,
    type: IPV6_PKTINFO,
    bytes: 20,
    usual: (data) => inet_ntop(AF_INET6, data.subarray(0, 16)) === "::1" && data.readInt32LE(16) === LOOPBACK,
  },
};

const find = (ancdata: readonly ReceivedAncillary[], level: number, type: number): Buffer | undefined =>
  ancdata.find((item) => item[0] === level && item[1] === type)?.[2];

for (const [name, { host, level, ask, type, bytes, usual, sent }] of Object.entries(FIELDS)) {
  test(`recvmsg() gives nothing of ${name} until it is asked for, then its value`, async () => {
    using pair = udpPair(host);
    await pair.a.sendto("before", pair.to);
    assert.deepEqual((await pair.b.recvmsg(64, 256))[1], []);
    pair.b.setsockopt(level, ask, 1);
    await pair.a.sendto("after", pair.to);
    const [data, ancdata, flags, from] = await pair.b.recvmsg(64, CMSG_SPACE(bytes));
    assert.equal(data.toString(), "after");
    assert.equal(flags, 0);
    assert.deepEqual(from, pair.from);
    assert.equal(ancdata.length, 1);
    const value = find(ancdata, level, type) ?? Buffer.alloc(0);
    assert.equal(value.length, bytes);
    assert.ok(usual(value), value.toString("hex"));
  });

  test(`recvmsg_into() gives ${name} as recvmsg() does`, async () => {
    using pair = udpPair(host);
    pair.b.setsockopt(level, ask, 1);
    await pair.a.sendto("x", pair.to);
    const [, ancdata] = await pair.b.recvmsg_into([Buffer.alloc(1)], CMSG_LEN(bytes));
    assert.ok(usual(find(ancdata, level, type) as Buffer));
  });

  for (const [what, room, kept] of [
    ["no room", 0, 0],
    ["less than a header", CMSG_LEN(0) - 1, 0],
    ["a header alone", CMSG_LEN(0), 0],
    ["all but a byte", CMSG_LEN(bytes) - 1, bytes - 1],
  ] as const)
    test(`recvmsg() cuts ${name} when there is ${what}, and says MSG_CTRUNC`, async () => {
      using pair = udpPair(host);
      pair.b.setsockopt(level, ask, 1);
      await pair.a.sendto("whole", pair.to);
      const [data, ancdata, flags] = await pair.b.recvmsg(64, room);
      assert.equal(data.toString(), "whole");
      assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
      if (room < CMSG_LEN(0)) assert.deepEqual(ancdata, []);
      else
        assert.deepEqual(
          ancdata.map((item) => item[2].length),
          [kept],
        );
    });

  if (sent === undefined) continue;
  const [sentType, value, seen] = sent;
  test(`sendmsg() sets the field of ${name} for one datagram`, async () => {
    using pair = udpPair(host);
    pair.b.setsockopt(level, ask, 1);
    await pair.a.sendmsg(["x"], [[level, sentType, value]], 0, pair.to);
    await pair.a.sendmsg(["y"], [], 0, pair.to);
    const first = find((await pair.b.recvmsg(1, 256))[1], level, type) as Buffer;
    const second = find((await pair.b.recvmsg(1, 256))[1], level, type) as Buffer;
    assert.ok(seen(first), first.toString("hex"));
    assert.ok(usual(second), second.toString("hex"));
    assert.match(
      await codeOf(pair.a.sendmsg(["x"], [[level, sentType, Buffer.alloc(0)]], 0, pair.to)),
      /^EINVAL$/,
    );
  });
}

test("recvmsg() gives several fields at once, and cuts the last when there is no room for it", async () => {
  using pair = udpPair("::1");
  for (const name of [IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS]) pair.b.setsockopt(IPPROTO_IPV6, name, 1);
  const fields: Ancillary[] = [
    [IPPROTO_IPV6, IPV6_TCLASS, int(0x20)],
    [IPPROTO_IPV6, IPV6_HOPLIMIT, int(9)],
  ];
  await pair.a.sendmsg(["x"], fields, 0, pair.to);
  const [, both, flags] = await pair.b.recvmsg(1, 2 * CMSG_SPACE(4));
  assert.equal(flags, 0);
  assert.equal(word(find(both, IPPROTO_IPV6, IPV6_HOPLIMIT) as Buffer), 9);
  assert.equal(word(find(both, IPPROTO_IPV6, IPV6_TCLASS) as Buffer), 0x20);
  for (const [room, lengths] of [
    [CMSG_SPACE(4), [4]],
    [CMSG_SPACE(4) + CMSG_LEN(0) - 1, [4]],
    [CMSG_SPACE(4) + CMSG_LEN(0), [4, 0]],
    [CMSG_SPACE(4) + CMSG_LEN(3), [4, 3]],
  ] as const) {
    await pair.a.sendmsg(["x"], fields, 0, pair.to);
    const [, cut, cutFlags] = await pair.b.recvmsg(1, room);
    assert.equal(cutFlags & MSG_CTRUNC, MSG_CTRUNC);
    assert.deepEqual(
      cut.map((item) => item[2].length),
      lengths,
    );
  }
});

test("sendmsg() picks the source address with IP_PKTINFO", async () => {
  using receiver = udpAt();
  using sender = udpAt("0.0.0.0");
  const info = Buffer.concat([int(LOOPBACK), inet_pton(AF_INET, "127.0.0.5"), Buffer.alloc(4)]);
  await sender.sendmsg(["x"], [[IPPROTO_IP, IP_PKTINFO, info]], 0, receiver.getsockname());
  assert.deepEqual((await receiver.recvfrom(1))[1], ["127.0.0.5", sender.getsockname()[1]]);
});

test("sendmsg() refuses with IP_PKTINFO and IPV6_PKTINFO an interface that is none", async () => {
  using receiver = udpAt();
  using sender = udpAt("0.0.0.0");
  const info = Buffer.concat([int(2 ** 30), Buffer.alloc(8)]);
  const to = receiver.getsockname();
  assert.equal(await codeOf(sender.sendmsg(["x"], [[IPPROTO_IP, IP_PKTINFO, info]], 0, to)), "ENODEV");
  using six = udpAt("::1");
  const info6 = Buffer.concat([inet_pton(AF_INET6, "::1"), int(2 ** 30)]);
  assert.equal(
    await codeOf(six.sendmsg(["x"], [[IPPROTO_IPV6, IPV6_PKTINFO, info6]], 0, six.getsockname())),
    "ENODEV",
  );
});

test("recvmsg() gives the kernel's time of arrival with SO_TIMESTAMPNS", async () => {
  using pair = udpPair();
  pair.b.setsockopt(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  const before = BigInt(Date.now()) - 1n;
  await pair.a.sendto("x", pair.to);
  const [, ancdata] = await pair.b.recvmsg(1, CMSG_SPACE(16));
  const time = find(ancdata, SOL_SOCKET, SCM_TIMESTAMPNS) as Buffer;
  const milliseconds = time.readBigInt64LE(0) * 1000n + time.readBigInt64LE(8) / 1_000_000n;
  assert.ok(milliseconds >= before && milliseconds <= BigInt(Date.now()) + 1n, String(milliseconds));
});

/** Datagrams that the socket has thrown away, by SO_MEMINFO (SK_MEMINFO_DROPS, the ninth of u32). */
function dropsOf(sock: Socket): number {
  return sock.getsockopt(SOL_SOCKET, SO_MEMINFO, 36).readUInt32LE(32);
}

test("recvmsg() counts with SO_RXQ_OVFL the datagrams that were thrown away for want of room", async () => {
  using pair = udpPair();
  pair.b.setsockopt(SOL_SOCKET, SO_RXQ_OVFL, 1);
  pair.b.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096);
  while (dropsOf(pair.b) === 0) await pair.a.sendto(Buffer.alloc(1000), pair.to);
  const dropped = dropsOf(pair.b);
  await pair.b.recv(1000);
  await pair.a.sendto("told", pair.to);
  for (;;) {
    const [data, ancdata] = await pair.b.recvmsg(1000, CMSG_SPACE(4));
    if (data.toString() !== "told") continue;
    const overflow = find(ancdata, SOL_SOCKET, SO_RXQ_OVFL) as Buffer;
    assert.equal(overflow.readUInt32LE(), dropped);
    break;
  }
});

test("recvmsg() understands the fields that CPython's sendmsg() sends", { skip: PYTHON.skip }, async () => {
  using sock = udpAt("::1");
  for (const name of [IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVPKTINFO])
    sock.setsockopt(IPPROTO_IPV6, name, 1);
  await using peer = python(
    `
sock = socket(AF_INET6, SOCK_DGRAM)
sock.sendmsg([b"one ", b"message"], [
    (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("i", 11)),
    (IPPROTO_IPV6, IPV6_TCLASS, struct.pack("i", 0x30)),
], 0, ("::1", int(sys.argv[1])))`,
    [sock.getsockname()[1]],
  );
  const [data, ancdata, flags] = await sock.recvmsg(64, 256);
  await peer.succeeded();
  assert.equal(data.toString(), "one message");
  assert.equal(flags, 0);
  assert.equal(word(find(ancdata, IPPROTO_IPV6, IPV6_HOPLIMIT) as Buffer), 11);
  assert.equal(word(find(ancdata, IPPROTO_IPV6, IPV6_TCLASS) as Buffer), 0x30);
  assert.equal(find(ancdata, IPPROTO_IPV6, IPV6_PKTINFO)?.length, 20);
});

test("CPython's recvmsg() understands the fields that sendmsg() sends", { skip: PYTHON.skip }, async () => {
  await using peer = python(`
sock = socket(AF_INET6, SOCK_DGRAM)
sock.bind(("::1", 0))
for option in (IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS): sock.setsockopt(IPPROTO_IPV6, option, 1)
say("port", sock.getsockname()[1])
data, ancdata, flags, address = sock.recvmsg(64, 256)
values = {kind: struct.unpack("i", value)[0] for level, kind, value in ancdata}
say("heard", data.decode(), values[IPV6_HOPLIMIT], values[IPV6_TCLASS], flags, address[1])`);
  using sock = udpAt("::1");
  const fields: Ancillary[] = [
    [IPPROTO_IPV6, IPV6_HOPLIMIT, int(12)],
    [IPPROTO_IPV6, IPV6_TCLASS, int(0x40)],
  ];
  await sock.sendmsg(["hel", "lo"], fields, 0, ["::1", await portOf(peer)]);
  const [, heard] = await peer.line(/^heard (.*)$/m);
  assert.equal(heard, `hello 12 64 0 ${sock.getsockname()[1]}`);
});
