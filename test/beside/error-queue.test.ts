// The error queue: ICMP errors with who sent them, errors of this machine, times of sending; who waits for it, and who
// waits beside. ICMP messages come from the kernel, and from CPython as a router that does not exist.

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as b from "berkeley";
import type { Socket } from "berkeley";
import * as sync from "berkeley/sync";
import { native } from "#dist/native.js";

import { codeOf, stillWaits, tcpPair } from "../support/pair.ts";
import { python, PYTHON } from "../support/python.ts";
import { udpAt, udpPair } from "../support/udp.ts";

/** A UDP socket that asks for its errors, and an address at which nobody is. */
function asking(host: string): { sock: Socket; nobody: b.Address } & Disposable {
  const sock = udpAt(host);
  if (host.includes(":")) sock.options.IPV6_RECVERR = true;
  else sock.options.IP_RECVERR = true;
  using gone = udpAt(host);
  return { sock, nobody: gone.getsockname(), [Symbol.dispose]: () => sock.close() };
}

for (const [host, origin, type, code] of [
  ["127.0.0.1", b.SO_EE_ORIGIN_ICMP, 3, 3],
  ["::1", b.SO_EE_ORIGIN_ICMP6, 1, 4],
] as const) {
  test(`recv_error() tells of a port where nobody is, with who said so and about what (${host})`, async () => {
    using pair = asking(host);
    const { sock, nobody } = pair;
    const waiting = sock.recv_error();
    await sock.sendto("to nobody", nobody);
    const { error, address, data, fields, flags } = await waiting;
    const offender = host === "::1" ? ["::1", 0, 0, 0] : [host, 0];
    assert.deepEqual(error, { errno: b.ECONNREFUSED, origin, type, code, info: 0, data: 0, offender });
    assert.deepEqual(address, nobody);
    assert.equal(data.toString(), "to nobody");
    assert.deepEqual(fields, {});
    assert.equal(flags, b.MSG_ERRQUEUE);
  });

  test(`recvmsg() with MSG_ERRQUEUE gives the same error as bytes that decode_ancillary() reads (${host})`, async () => {
    using pair = asking(host);
    const { sock, nobody } = pair;
    assert.equal(await codeOf(sock.recvmsg(100, 512, b.MSG_ERRQUEUE)), "EAGAIN");
    await sock.sendto("to nobody", nobody);
    const [data, ancdata, flags, address] = await untilQueued(() => sock.recvmsg(100, 512, b.MSG_ERRQUEUE));
    assert.equal(data.toString(), "to nobody");
    assert.equal(flags, b.MSG_ERRQUEUE);
    assert.deepEqual(address, nobody);
    const { IP_RECVERR, IPV6_RECVERR } = b.decode_ancillary(ancdata);
    const error = IP_RECVERR ?? IPV6_RECVERR;
    assert.deepEqual([error?.errno, error?.origin, error?.type], [b.ECONNREFUSED, origin, type]);
  });
}

/** The error of loopback comes within the send, or as soon as the kernel gets to it. */
async function untilQueued<T>(receive: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await receive();
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      await turn();
    }
  }
}

test("recv_error() tells the path MTU where a datagram is too long for it", async () => {
  using pair = udpPair();
  const { a, to } = pair;
  a.options.IP_RECVERR = true;
  a.options.IP_MTU_DISCOVER = b.IP_PMTUDISC_DO;
  a.options.SO_SNDBUF = 1 << 20;
  // UDP has at most 65507 bytes, and loopback's MTU is 65536: with options in the header it is too long.
  a.options.IP_OPTIONS = Buffer.alloc(40, 1);
  assert.equal(await codeOf(a.sendto(Buffer.alloc(65_500), to)), "EMSGSIZE");
  const { error, address } = await a.recv_error();
  assert.deepEqual([error.errno, error.origin, error.offender], [b.EMSGSIZE, b.SO_EE_ORIGIN_LOCAL, null]);
  assert.ok(error.info > 65_000 && error.info <= 65_536, String(error.info));
  assert.equal(address?.[0], to[0]);
});

test("recv_error() tells which router dropped a datagram, as traceroute wants to know", {
  skip: PYTHON.skip || (process.getuid?.() === 0 ? false : "needs root: a raw socket that plays the router"),
}, async () => {
  using pair = udpPair();
  const { a, b: peer, from, to } = pair;
  a.options.IP_RECVERR = true;
  const waiting = a.recv_error();
  // Time exceeded, from 127.0.0.9, about a datagram of ours.
  await using router = python(
    `
source, target = int(sys.argv[1]), int(sys.argv[2])
me = inet_aton("127.0.0.1")
udp = struct.pack("!HHHH", source, target, 12, 0) + b"mine"
ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 1, 17, 0) + me + me
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
body = ip + udp
message = struct.pack("!BBHI", 11, 0, 0, 0) + body
message = struct.pack("!BBHI", 11, 0, checksum(message), 0) + body
raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
raw.bind(("127.0.0.9", 0))
raw.sendto(message, ("127.0.0.1", 0))`,
    [from[1], to[1]],
  );
  await router.succeeded();
  const { error, address, data } = await waiting;
  assert.deepEqual([error.errno, error.origin], [b.EHOSTUNREACH, b.SO_EE_ORIGIN_ICMP]);
  assert.deepEqual([error.type, error.code, error.offender], [11, 0, ["127.0.0.9", 0]]);
  assert.deepEqual(address, to);
  assert.equal(data.toString(), "mine");
  assert.equal(peer.closed, false);
});

test("recv_error() takes the errors from those who wait for data; without it they get them", async () => {
  using pair = asking("127.0.0.1");
  const { sock, nobody } = pair;
  await sock.connect(nobody);
  const told = sock.recv_error();
  const reading = sock.recv(10);
  await sock.send("x");
  assert.equal((await told).error.errno, b.ECONNREFUSED);
  await stillWaits(reading);
  await sock.send("y");
  assert.equal(await codeOf(reading), "ECONNREFUSED");
  assert.equal((await sock.recv_error()).data.toString(), "y");
});

test("recv_error() gives each of several who wait one message, and keeps those that nobody asked for yet", async () => {
  using pair = asking("127.0.0.1");
  const { sock, nobody } = pair;
  const waiting = [sock.recv_error(), sock.recv_error()];
  // An error that waits in the queue fails the next send once, as ip(7) has it: it is sent again then.
  for (const text of ["one", "two", "three", "four"])
    await sock.sendto(text, nobody).catch(() => sock.sendto(text, nobody));
  const texts = (await Promise.all(waiting)).map(({ data }) => data.toString());
  while (texts.length < 3) texts.push((await sock.recv_error()).data.toString());
  assert.deepEqual(texts, ["one", "two", "three"]);
});

test("recv_error() tells when a datagram was sent, by its key", async () => {
  using pair = udpPair();
  const { a, to } = pair;
  a.options.SO_TIMESTAMPING =
    b.SOF_TIMESTAMPING_TX_SOFTWARE |
    b.SOF_TIMESTAMPING_TX_SCHED |
    b.SOF_TIMESTAMPING_SOFTWARE |
    b.SOF_TIMESTAMPING_OPT_ID |
    b.SOF_TIMESTAMPING_OPT_TSONLY;
  const before = BigInt(Date.now() - 1) * 1_000_000n;
  await a.sendto("first", to);
  await a.sendto("second", to);
  const told: string[] = [];
  for (let count = 0; count < 4; count++) {
    const { error, address, data, fields } = await a.recv_error();
    assert.deepEqual([error.errno, error.origin], [b.ENOMSG, b.SO_EE_ORIGIN_TIMESTAMPING]);
    assert.deepEqual([address, data.length], [null, 0]);
    const time = fields.SCM_TIMESTAMPING?.software as bigint;
    assert.ok(time >= before && time <= BigInt(Date.now() + 1) * 1_000_000n, String(time));
    told.push(`${error.info} ${error.data}`);
  }
  const both = [b.SCM_TSTAMP_SND, b.SCM_TSTAMP_SCHED].flatMap((what) => [`${what} 0`, `${what} 1`]);
  assert.deepEqual(told.toSorted(), both.toSorted());
});

test("recv_error() tells when TCP's peer has acknowledged a byte", async () => {
  using pair = await tcpPair();
  const { a, b: peer } = pair;
  a.options.SO_TIMESTAMPING =
    b.SOF_TIMESTAMPING_SOFTWARE |
    b.SOF_TIMESTAMPING_OPT_ID |
    b.SOF_TIMESTAMPING_OPT_ID_TCP |
    b.SOF_TIMESTAMPING_OPT_TSONLY;
  // For this send alone: the key is that of its last byte.
  await a.sendmsg(["twelve bytes"], b.encode_ancillary({ SO_TIMESTAMPING: b.SOF_TIMESTAMPING_TX_ACK }));
  await peer.recv(100);
  const { error, address, fields } = await a.recv_error();
  assert.deepEqual([error.info, error.data], [b.SCM_TSTAMP_ACK, 11]);
  assert.deepEqual(address, peer.getsockname());
  assert.notEqual(fields.SCM_TIMESTAMPING?.software, undefined);
});

test("recv_error() ends by a signal, a timeout, non-blocking mode and close(), and loses nothing", async () => {
  using pair = asking("127.0.0.1");
  const { sock, nobody } = pair;
  assert.equal(
    await codeOf(
      sock.recv_error({ signal: AbortSignal.abort(Object.assign(new Error(), { code: "MINE" })) }),
    ),
    "MINE",
  );
  const ending = new AbortController();
  const aborted = sock.recv_error({ signal: ending.signal });
  ending.abort(Object.assign(new Error("enough"), { code: "MINE" }));
  assert.equal(await codeOf(aborted), "MINE");
  sock.settimeout(0);
  assert.equal(await codeOf(sock.recv_error()), "EAGAIN");
  sock.settimeout(0.01);
  await assert.rejects(sock.recv_error(), { name: "TimeoutError", code: "ETIMEDOUT", syscall: "recvmsg" });
  sock.settimeout(null);
  await sock.sendto("kept", nobody);
  assert.equal((await sock.recv_error()).data.toString(), "kept");
  const waiting = sock.recv_error();
  sock.close();
  assert.equal(await codeOf(waiting), "ECANCELED");
  assert.equal(await codeOf(sock.recv_error()), "EBADF");
});

test("a message in the error queue that nobody reads neither ends a stream nor wakes anybody again and again", async () => {
  using pair = await tcpPair();
  const { a, b: peer } = pair;
  a.options.SO_ZEROCOPY = true;
  const reading = a.recv(100);
  await a.send(Buffer.alloc(20_000, 7), b.MSG_ZEROCOPY);
  for (let count = 0; count < 20_000; ) count += (await peer.recv(65_536)).length;
  await untilReady(a);
  const wakes = mock.method(native, "readiness_wait");
  try {
    for (let count = 0; count < 100; count++) await turn();
    assert.ok(wakes.mock.callCount() <= 2, `${wakes.mock.callCount()} wakes`);
  } finally {
    wakes.mock.restore();
  }
  await stillWaits(reading);
  await peer.sendall("back");
  assert.equal((await reading).toString(), "back");
  for (const text of ["again", "and again"]) {
    const next = a.recv(100);
    await peer.sendall(text);
    assert.equal((await next).toString(), text);
  }
  peer.close();
  assert.equal((await a.recv(100)).length, 0);
});

/** Waits until the socket's error queue has something. */
async function untilReady(sock: Socket): Promise<void> {
  const words = new Int32Array([sock.fileno(), 0]);
  while (native.poll(words, 0) === 0) await turn();
}

test("recv_error() of berkeley/sync blocks until there is an error, or its time is up", () => {
  using sock = sync.socket(sync.AF_INET, sync.SOCK_DGRAM);
  sock.options.IP_RECVERR = true;
  using gone = sync.socket(sync.AF_INET, sync.SOCK_DGRAM);
  gone.bind(["127.0.0.1", 0]);
  const nobody = gone.getsockname();
  gone.close();
  sock.settimeout(0);
  assert.throws(() => sock.recv_error(), { code: "EAGAIN" });
  sock.settimeout(0.02);
  assert.throws(() => sock.recv_error(), { name: "TimeoutError" });
  sock.settimeout(null);
  sock.sendto("x", nobody);
  assert.equal(sock.recv_error().error.errno, b.ECONNREFUSED);
  // An error that is in no queue is told for ever by poll(2); the time ends the wait all the same.
  sock.options.IP_RECVERR = false;
  sock.connect(nobody);
  sock.send("x");
  sock.settimeout(0.05);
  assert.throws(() => sock.recv_error(), { name: "TimeoutError" });
});

test("recv_error() of a Unix or netlink socket, which has no error queue, is refused and takes no data", async () => {
  for (const type of [b.SOCK_STREAM, b.SOCK_SEQPACKET, b.SOCK_DGRAM]) {
    const [one, other] = b.socketpair(b.AF_UNIX, type);
    const refused = codeOf(one.recv_error());
    await other.send("data");
    assert.equal(await refused, "EOPNOTSUPP");
    assert.equal((await one.recv(10)).toString(), "data");
    for (const end of [one, other]) end.close();
  }
  const [blocking, other] = sync.socketpair();
  assert.throws(() => blocking.recv_error(), { code: "EOPNOTSUPP" });
  for (const end of [blocking, other]) end.close();
  using netlink = b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE);
  assert.equal(await codeOf(netlink.recv_error()), "EOPNOTSUPP");
});
