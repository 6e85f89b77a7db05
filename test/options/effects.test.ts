// What options do, of those whose effect can be seen in one machine: who may connect, when a connection is accepted, what is
// known of a path, state that is taken from a connection.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as b from "berkeley";
import { NARROW, codeOf, stillWaits, tcpPair, thrown } from "../support/pair.ts";
import { python, PYTHON } from "../support/python.ts";

const root = process.getuid?.() === 0 ? false : "needs root: CAP_NET_ADMIN";

test("TCP_DEFER_ACCEPT keeps a connection from being accepted until its first bytes are there", async () => {
  using server = b.create_server(["127.0.0.1", 0]);
  server.options.TCP_DEFER_ACCEPT = 30;
  assert.ok(server.options.TCP_DEFER_ACCEPT >= 30);
  const accepting = server.accept();
  using client = await b.create_connection(["127.0.0.1", server.getsockname()[1]]);
  await stillWaits(accepting);
  await client.sendall("first");
  const [conn] = await accepting;
  using accepted = conn;
  assert.equal((await accepted.recv(100, b.MSG_DONTWAIT)).toString(), "first");
});

test("TCP_MD5SIG lets in who signs with the same key, CPython too, and nobody else", {
  skip: PYTHON.skip,
}, async () => {
  using server = b.create_server(["127.0.0.1", 0]);
  const key = Buffer.from("a secret of two");
  server.options.TCP_MD5SIG({ host: "127.0.0.1", key });
  const [, port] = server.getsockname();
  using unsigned = b.socket();
  unsigned.settimeout(0.1);
  assert.equal(await codeOf(unsigned.connect(["127.0.0.1", port])), "ETIMEDOUT");
  using wrong = b.socket();
  wrong.options.TCP_MD5SIG({ host: "127.0.0.1", key: Buffer.from("another") });
  wrong.settimeout(0.1);
  assert.equal(await codeOf(wrong.connect(["127.0.0.1", port])), "ETIMEDOUT");
  using signed = b.socket();
  signed.options.TCP_MD5SIG({ host: "127.0.0.1", key });
  await signed.connect(["127.0.0.1", port]);
  await signed.sendall("signed");
  const [conn] = await server.accept();
  assert.equal((await conn.recv(100)).toString(), "signed");
  conn.close();
  // struct tcp_md5sig of linux/tcp.h, by hand; CPython 3.11 has no name for the option, 14.
  await using peer = python(
    `
key = b"a secret of two"
address = struct.pack("=HH4s120x", AF_INET, 0, inet_aton("127.0.0.1"))
sock = socket()
sock.setsockopt(IPPROTO_TCP, 14, address + struct.pack("=BBHI80s", 0, 0, len(key), 0, key))
sock.connect(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"from python")
sock.close()`,
    [port],
  );
  const [other] = await server.accept();
  assert.equal((await other.recv(11, b.MSG_WAITALL)).toString(), "from python");
  other.close();
  await peer.succeeded();
});

test("TCP_NOTSENT_LOWAT lets a send wait before the buffer is full", async () => {
  const unsent = async (lowat: number | undefined): Promise<number> => {
    using pair = await tcpPair({ bufferBytes: 1 << 20 });
    if (lowat !== undefined) pair.a.options.TCP_NOTSENT_LOWAT = lowat;
    pair.b.options.TCP_WINDOW_CLAMP = NARROW.bufferBytes as number;
    const progress = { bytes: 0 };
    const sending = pair.a.sendall(Buffer.alloc(8 << 20), 0, { progress });
    await stillWaits(sending);
    const count = pair.a.siocoutqnsd();
    pair.a.close();
    assert.equal(await codeOf(sending), "ECANCELED");
    return count;
  };
  const [low, high] = [await unsent(16_384), await unsent(undefined)];
  assert.ok(low < high, `${low} and ${high}`);
});

test("IP_MTU, IPV6_MTU and IPV6_PATHMTU tell the path's of a connected socket", async () => {
  using four = b.socket(b.AF_INET, b.SOCK_DGRAM);
  assert.equal(thrown(() => four.options.IP_MTU).code, "ENOTCONN");
  await four.connect(["127.0.0.1", 9]);
  // Loopback's 65536, or what of it the header of the family can say.
  const known = [65_535, 65_536];
  assert.ok(known.includes(four.options.IP_MTU), `${four.options.IP_MTU}`);
  using six = b.socket(b.AF_INET6, b.SOCK_DGRAM);
  await six.connect(["::1", 9, 0, 0]);
  assert.ok(known.includes(six.options.IPV6_MTU), `${six.options.IPV6_MTU}`);
  assert.deepEqual(six.options.IPV6_PATHMTU, { host: "::", mtu: six.options.IPV6_MTU });
});

test("SO_BINDTOIFINDEX and SO_BINDTODEVICE are one option under two names", () => {
  using sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  const lo = b.if_nametoindex("lo");
  sock.options.SO_BINDTOIFINDEX = lo;
  assert.equal(sock.options.SO_BINDTODEVICE, "lo");
  assert.equal(sock.options.SO_BINDTOIFINDEX, lo);
});

test("SO_DOMAIN, SO_TYPE, SO_PROTOCOL and SO_ACCEPTCONN tell what a socket is", () => {
  using server = b.create_server(["127.0.0.1", 0]);
  const { options } = server;
  assert.deepEqual(
    [options.SO_DOMAIN, options.SO_TYPE, options.SO_PROTOCOL, options.SO_ACCEPTCONN],
    [b.AF_INET, b.SOCK_STREAM, b.IPPROTO_TCP, true],
  );
});

test("SO_MARK, SO_RCVBUFFORCE, SO_BUSY_POLL and SO_TXTIME read back what an administrator set", {
  skip: root,
}, () => {
  using sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  sock.options.SO_MARK = 0xcafe_f00d;
  assert.equal(sock.options.SO_MARK, 0xcafe_f00d);
  sock.options.SO_RCVBUFFORCE(64 << 20);
  assert.equal(sock.options.SO_RCVBUF, 128 << 20);
  sock.options.SO_BUSY_POLL = 50;
  assert.equal(sock.options.SO_BUSY_POLL, 50);
  const txtime = { clockid: 1, flags: b.SOF_TXTIME_REPORT_ERRORS };
  sock.options.SO_TXTIME = txtime;
  assert.deepEqual(sock.options.SO_TXTIME, txtime);
});

test("TCP_REPAIR takes the state of a connection, which goes on after it", { skip: root }, async () => {
  using pair = await tcpPair();
  const { a, b: peer } = pair;
  const { options } = a;
  await a.sendall("before");
  assert.equal((await peer.recv(100)).toString(), "before");
  options.TCP_REPAIR = b.TCP_REPAIR_ON;
  options.TCP_REPAIR_QUEUE = b.TCP_SEND_QUEUE;
  const sent = options.TCP_QUEUE_SEQ;
  options.TCP_REPAIR_QUEUE = b.TCP_RECV_QUEUE;
  assert.notEqual(options.TCP_QUEUE_SEQ, sent);
  assert.ok(options.TCP_REPAIR_WINDOW.max_window > 0);
  options.TCP_REPAIR = b.TCP_REPAIR_OFF;
  await a.sendall("after");
  assert.equal((await peer.recv(100)).toString(), "after");
});

test("TCP_ULP says that the kernel has no such protocol", async () => {
  using pair = await tcpPair();
  assert.equal(pair.a.options.TCP_ULP, "");
  assert.throws(() => (pair.a.options.TCP_ULP = "nonsense"), {
    code: "ENOENT",
    message: /; option TCP_ULP: this kernel has no such protocol \(kernel TLS is its module tls\)$/,
  });
});
