// What a batch tells beside the bytes of a datagram, and what one is sent with: for IPv4, IPv6 and IPv4 through an IPv6
// socket, with CPython at the other end.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IP_TTL,
  MSG_CTRUNC,
  ReceiveBatch,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_TIMESTAMPNS,
  SendBatch,
  decode_ancillary,
  if_nametoindex,
  socket,
} from "berkeley";
import type { Address, DatagramOptions, Socket } from "berkeley";
import { portOf, python, PYTHON } from "../support/python.ts";
import { codeOf } from "../support/errors.ts";
import { udpAt, udpPair } from "../support/udp.ts";

const LOOPBACK = if_nametoindex("lo");

/** Asks for every field. */
function askFor(sock: Socket): void {
  const { options } = sock;
  options.SO_TIMESTAMPNS = true;
  options.SO_RXQ_OVFL = true;
  if (sock.family === AF_INET6) {
    options.IPV6_RECVPKTINFO = true;
    options.IPV6_RECVHOPLIMIT = true;
    options.IPV6_RECVTCLASS = true;
  }
  // Also of an IPv6 socket: what it hears over IPv4 is told so.
  options.IP_RECVTTL = true;
  options.IP_RECVTOS = true;
  if (sock.family === AF_INET) options.IP_PKTINFO = true;
}

/** A pair whose first end sends to the second: by IPv4, by IPv6, and by IPv4 with IPv6 sockets. */
function pairOf(
  way: "IPv4" | "IPv6" | "IPv4 by IPv6 sockets",
): ReturnType<typeof udpPair> & { host: string } {
  const host = { IPv4: "127.0.0.1", IPv6: "::1", "IPv4 by IPv6 sockets": "::ffff:127.0.0.1" }[way];
  if (way !== "IPv4 by IPv6 sockets") return { ...udpPair(host), host };
  const ends = [0, 1].map(() => {
    const end = socket(AF_INET6, SOCK_DGRAM);
    end.options.IPV6_V6ONLY = false;
    end.bind(["::", 0]);
    return end;
  });
  const [a, b] = ends as [Socket, Socket];
  const at = (end: Socket): Address => [host, end.getsockname()[1], 0, 0];
  return {
    a,
    b,
    host,
    from: at(a),
    to: at(b),
    [Symbol.dispose](): void {
      a.close();
      b.close();
    },
  };
}

for (const way of ["IPv4", "IPv6", "IPv4 by IPv6 sockets"] as const) {
  test(`a batch tells nothing that was not asked for, over ${way}`, async () => {
    using pair = pairOf(way);
    await pair.a.sendto("x", pair.to);
    const batch = new ReceiveBatch();
    assert.equal(await pair.b.recvmmsg(batch), 1);
    for (const name of ["destination", "hopLimit", "trafficClass", "ecn", "timestamp", "dropped"] as const)
      assert.equal(batch[name](0), undefined, name);
    assert.deepEqual(batch.ancillary(0), []);
  });

  test(`a batch tells what was asked for, of each datagram its own, over ${way}`, async () => {
    using pair = pairOf(way);
    askFor(pair.b);
    const before = BigInt(Date.now()) * 1_000_000n;
    const out = new SendBatch({ family: pair.a.family });
    out.add("plain", pair.to);
    out.add("class", pair.to, { trafficClass: 0xb8, ecn: 1 });
    out.add("limit", pair.to, { hopLimit: 7 });
    out.add("both", pair.to, {
      trafficClass: 0x23,
      hopLimit: 9,
      source: { addr: pair.host, ifindex: LOOPBACK },
    });
    out.add("ecn", pair.to, { ecn: 2 });
    assert.equal(await pair.a.sendmmsg(out), 5);
    const batch = new ReceiveBatch();
    assert.equal(await pair.b.recvmmsg(batch), 5);
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    const told = Array.from({ length: 5 }, (_, i) => [
      batch.data(i).toString(),
      batch.trafficClass(i),
      batch.ecn(i),
      batch.hopLimit(i),
    ]);
    assert.deepEqual(told, [
      ["plain", 0, 0, 64],
      ["class", 0xb9, 1, 64],
      ["limit", 0, 0, 7],
      ["both", 0x23, 3, 9],
      ["ecn", 2, 2, 64],
    ]);
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(batch.destination(i), { addr: pair.host, ifindex: LOOPBACK });
      assert.equal(batch.destination(i), batch.destination(0)); // one object
      const timestamp = batch.timestamp(i) as bigint;
      assert.ok(timestamp >= before && timestamp <= after, `${before} ${timestamp} ${after}`);
      assert.equal(batch.flags(i), 0);
    }
  });
}

test("a datagram is sent from the source address and by the interface that it is given", async () => {
  using server = udpAt("0.0.0.0");
  using client = udpAt("127.0.0.1");
  const batch = new SendBatch();
  for (const addr of ["127.0.0.2", "127.0.0.3"]) batch.add(addr, client.getsockname(), { source: { addr } });
  batch.add("lo", client.getsockname(), { source: { ifindex: LOOPBACK } });
  await server.sendmmsg(batch);
  const received = new ReceiveBatch();
  assert.equal(await client.recvmmsg(received), 3);
  assert.deepEqual(
    [0, 1, 2].map((i) => received.address(i)[0]),
    ["127.0.0.2", "127.0.0.3", "127.0.0.1"],
  );
});

test("an answer goes out from the address that the question went to, with destination() as source", async () => {
  using server = udpAt("0.0.0.0");
  server.options.IP_PKTINFO = true;
  using client = udpAt("127.0.0.1");
  await client.sendto("question", ["127.0.0.77", server.getsockname()[1]]);
  const [questions, answers, heard] = [new ReceiveBatch(), new SendBatch(), new ReceiveBatch()];
  await server.recvmmsg(questions);
  answers.add("answer", questions.address(0), { source: questions.destination(0) });
  await server.sendmmsg(answers);
  await client.recvmmsg(heard);
  assert.deepEqual(heard.address(0), ["127.0.0.77", server.getsockname()[1]]);
});

test("dropped() counts the datagrams for which the socket had no room", async () => {
  using pair = udpPair();
  pair.b.options.SO_RXQ_OVFL = true;
  pair.b.options.SO_RCVBUF = 2048; // the least that there is
  const SENT = 200;
  for (let i = 0; i < SENT; i++) await pair.a.sendto(Buffer.alloc(500), pair.to);
  const batch = new ReceiveBatch({ messagesMax: 1024 });
  const kept = await pair.b.recvmmsg(batch);
  await pair.a.sendto("after", pair.to);
  assert.equal(await pair.b.recvmmsg(batch), 1);
  assert.equal(batch.dropped(0), SENT - kept);
  assert.ok(kept < SENT);
});

test("a batch says MSG_CTRUNC when its room for control data is too small, and what there was room for", async () => {
  using pair = udpPair();
  pair.b.options.IP_RECVTTL = true;
  pair.b.options.IP_PKTINFO = true;
  await pair.a.sendto("x", pair.to);
  await pair.a.sendto("y", pair.to);
  const none = new ReceiveBatch({ messagesMax: 1, controlBytesMax: 0 });
  await pair.b.recvmmsg(none);
  assert.deepEqual([none.flags(0), none.hopLimit(0), none.ancillary(0)], [MSG_CTRUNC, undefined, []]);
  const some = new ReceiveBatch({ messagesMax: 1, controlBytesMax: 48 });
  await pair.b.recvmmsg(some);
  assert.deepEqual([some.flags(0), some.data(0).toString()], [MSG_CTRUNC, "y"]);
  assert.equal(some.ancillary(0).length, 2); // the second is a header alone
});

test("ancillary() has the control messages that no accessor has, as recvmsg() does", async () => {
  using pair = udpPair();
  pair.b.options.IP_RECVTTL = true;
  const batch = new ReceiveBatch();
  await pair.a.sendto("x", pair.to);
  await pair.b.recvmmsg(batch);
  const ttl = Buffer.from(Int32Array.of(64).buffer);
  assert.deepEqual(batch.ancillary(0), [[IPPROTO_IP, IP_TTL, ttl]]);
  assert.deepEqual(decode_ancillary(batch.ancillary(0)), { IP_TTL: 64 });
});

test("add() sends control messages that have no option of their own", async () => {
  using pair = udpPair();
  pair.b.options.IP_RECVTTL = true;
  const out = new SendBatch();
  out.add("x", pair.to, { ancdata: [[IPPROTO_IP, IP_TTL, Int32Array.of(3)]], trafficClass: 4 });
  await pair.a.sendmmsg(out);
  const batch = new ReceiveBatch();
  await pair.b.recvmmsg(batch);
  assert.equal(batch.hopLimit(0), 3);
});

test("sendmmsg() fails for a source address that is not this machine's, and tells which datagram", async () => {
  using pair = udpPair();
  const out = new SendBatch();
  out.add("fine", pair.to);
  out.add("wrong", pair.to, { source: { addr: "192.0.2.1" } });
  out.add("behind", pair.to);
  // Which of the two depends on the routes that there are.
  await assert.rejects(pair.a.sendmmsg(out), { code: /^(?:EINVAL|ENETUNREACH)$/, datagramsSent: 1 });
  assert.equal(out.drop(), 1);
  assert.equal(await pair.a.sendmmsg(out), 1);
  assert.deepEqual(out.runsWith, { call: "sendmmsg", gso: true });
});

test("add() refuses options that are wrong, by their name, and adds nothing", async () => {
  const to: Address = ["127.0.0.1", 9];
  const batch = new SendBatch();
  const RANGE = "ERR_OUT_OF_RANGE";
  const TYPE = "ERR_INVALID_ARG_TYPE";
  for (const [options, code, message] of [
    [{ trafficClass: 256 }, RANGE, /^options\.trafficClass/],
    [{ trafficClass: "1" }, TYPE, /^options\.trafficClass/],
    [{ ecn: 4 }, RANGE, /^options\.ecn/],
    [{ hopLimit: 0 }, RANGE, /^options\.hopLimit/],
    [{ source: "127.0.0.1" }, TYPE, /^options\.source/],
    [{ source: { ifindex: -1 } }, RANGE, /^options\.source\.ifindex/],
    [{ source: { addr: 5 } }, TYPE, /^options\.source\.addr/],
    [{ source: { addr: "::1" } }, "EAI_NONAME", /::1/],
    [{ ancdata: 5 }, TYPE, /^ancdata/],
    [{ segmentBytes: 0 }, RANGE, /^options\.segmentBytes/],
    [5, TYPE, /^options/],
  ] as const)
    assert.throws(() => batch.add("x", to, options as never), { code, message });
  const unix = new SendBatch({ family: 1 });
  assert.throws(() => unix.add("x", "/nowhere", { ecn: 1 }), { code: TYPE, message: /^options\.ecn/ });
  assert.equal(batch.count, 0);
});

test("the fields of datagrams that CPython sends are told as it set them", {
  skip: PYTHON.skip,
}, async () => {
  using server = udpAt("::1");
  askFor(server);
  await using peer = python(
    `
s = socket(AF_INET6, SOCK_DGRAM)
for tclass, hops in ((0, 64), (0x22, 5), (0xff, 255)):
    control = [(IPPROTO_IPV6, IPV6_TCLASS, struct.pack("i", tclass)), (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("i", hops))]
    s.sendmsg([b"%d" % tclass], control, 0, ("::1", int(sys.argv[1])))
`,
    [server.getsockname()[1]],
  );
  await peer.succeeded();
  const batch = new ReceiveBatch();
  assert.equal(await server.recvmmsg(batch), 3);
  const told = [0, 1, 2].map((i) => [batch.data(i).toString(), batch.trafficClass(i), batch.hopLimit(i)]);
  assert.deepEqual(told, [
    ["0", 0, 64],
    ["34", 0x22, 5],
    ["255", 0xff, 255],
  ]);
});

test("CPython sees the fields that a SendBatch sets", { skip: PYTHON.skip }, async () => {
  await using peer = python(`
s = socket(AF_INET, SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
s.setsockopt(IPPROTO_IP, 12, 1) # IP_RECVTTL, which 3.11 has no name for
s.setsockopt(IPPROTO_IP, IP_RECVTOS, 1)
say("port", s.getsockname()[1])
for _ in range(4):
    data, ancdata, flags, address = s.recvmsg(100, 200)
    fields = {type: value for level, type, value in ancdata}
    say(data.decode(), struct.unpack("i", fields[IP_TTL])[0], fields[IP_TOS][0], address[0])
`);
  const to: Address = ["127.0.0.1", await portOf(peer)];
  using client = udpAt("0.0.0.0");
  const batch = new SendBatch();
  const cases: [string, DatagramOptions | undefined][] = [
    ["plain", undefined],
    ["ttl", { hopLimit: 200 }],
    ["tos", { trafficClass: 0xff }],
    ["source", { source: { addr: "127.1.2.3" }, ecn: 3 }],
  ];
  for (const [text, options] of cases) batch.add(text, to, options);
  assert.equal(await client.sendmmsg(batch), 4);
  await peer.line(
    /^plain 64 0 127\.0\.0\.1\nttl 200 0 127\.0\.0\.1\ntos 64 255 127\.0\.0\.1\nsource 64 3 127\.1\.2\.3$/m,
  );
});

test("SO_TIMESTAMPNS alone, without asking by name, is decoded too", async () => {
  using pair = udpPair();
  pair.b.setsockopt(SOL_SOCKET, SO_TIMESTAMPNS, 1);
  await pair.a.sendto("x", pair.to);
  const batch = new ReceiveBatch();
  await pair.b.recvmmsg(batch);
  assert.equal(typeof batch.timestamp(0), "bigint");
  assert.equal(await codeOf(pair.b.recvmmsg(batch, 0x40)), "EAGAIN"); // MSG_DONTWAIT
});
