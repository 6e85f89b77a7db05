// Streams and datagrams of other protocols than TCP and UDP: Multipath TCP with its fallbacks, UDP-Lite, SCTP where the
// kernel has it, and what is said where it has not. CPython at the other end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import type { Socket } from "berkeley";
import * as sync from "berkeley/sync";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import { NAMESPACE_SKIP, nodeInNamespace } from "../support/namespace.ts";
import { pattern, thrown } from "../support/pair.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

/** Why the kernel does not make a socket, or false. */
function lacks(family: number, type: number, proto: number, name: string): string | false {
  try {
    b.socket(family, type, proto).close();
    return false;
  } catch (error) {
    return `no ${name} here: ${(error as Error).message}`;
  }
}

const MPTCP = lacks(b.AF_INET, b.SOCK_STREAM, b.IPPROTO_MPTCP, "Multipath TCP");
const UDPLITE = lacks(b.AF_INET, b.SOCK_DGRAM, b.IPPROTO_UDPLITE, "UDP-Lite");
const SCTP = lacks(b.AF_INET, b.SOCK_STREAM, b.IPPROTO_SCTP, "SCTP");

/** A listener and a connection to it, of these protocols. */
async function connect(host: string, server: number, client: number): Promise<readonly [Socket, Socket]> {
  const family = host.includes(":") ? b.AF_INET6 : b.AF_INET;
  using listener = b.create_server([host, 0], { family, proto: server });
  const address = [host, listener.getsockname()[1]] as const;
  const near = await b.create_connection(address, { proto: client });
  const [far] = await listener.accept();
  return [near, far];
}

for (const host of ["127.0.0.1", "::1"])
  test(`a Multipath TCP stream carries bytes both ways and tells how it fares (${host})`, {
    skip: MPTCP,
  }, async () => {
    const [first, second] = await connect(host, b.IPPROTO_MPTCP, b.IPPROTO_MPTCP);
    using near = first;
    using far = second;
    assert.equal(near.proto, b.IPPROTO_MPTCP);
    near.options.TCP_NODELAY = true;
    const up = pattern(1_000_000);
    const sending = near.sendall(up).then(() => near.shutdown(b.SHUT_WR));
    assert.ok((await receiveToEnd(far)).equals(up));
    await sending;
    await far.sendall("answer");
    assert.equal((await near.recv(100)).toString(), "answer");
    for (const end of [near, far]) {
      assert.equal(end.options.TCP_IS_MPTCP, true);
      assert.notEqual(end.options.MPTCP_INFO.token, 0);
      assert.equal(end.options.MPTCP_INFO.flags & b.MPTCP_INFO_FLAG_FALLBACK, 0);
    }
    assert.equal(near.options.MPTCP_INFO.token === far.options.MPTCP_INFO.token, false);
  });

for (const [name, server, client] of [
  ["a client of Multipath TCP at a server of TCP", b.IPPROTO_TCP, b.IPPROTO_MPTCP],
  ["a client of TCP at a server of Multipath TCP", b.IPPROTO_MPTCP, b.IPPROTO_TCP],
] as const)
  test(`${name} falls back to TCP, and says so`, { skip: MPTCP }, async () => {
    const [first, second] = await connect("127.0.0.1", server, client);
    using near = first;
    using far = second;
    await near.sendall("question");
    assert.equal((await far.recv(100)).toString(), "question");
    await far.sendall("answer");
    assert.equal((await near.recv(100)).toString(), "answer");
    assert.equal(near.options.TCP_IS_MPTCP, false);
    assert.equal(far.options.TCP_IS_MPTCP, false);
    near.shutdown(b.SHUT_WR);
    assert.equal((await far.recv(100)).length, 0);
  });

test("relay() goes between Multipath TCP and TCP", { skip: MPTCP }, async () => {
  const [client, near] = await connect("127.0.0.1", b.IPPROTO_MPTCP, b.IPPROTO_MPTCP);
  const [far, server] = await connect("127.0.0.1", b.IPPROTO_TCP, b.IPPROTO_TCP);
  const relaying = b.relay(near, far);
  const data = pattern(300_000);
  const sending = client.sendall(data).then(() => client.shutdown(b.SHUT_WR));
  assert.ok((await receiveToEnd(server)).equals(data));
  await sending;
  await server.sendall("back");
  server.shutdown(b.SHUT_WR);
  assert.equal((await receiveToEnd(client)).toString(), "back");
  const { forward, backward } = await relaying;
  assert.deepEqual([forward.bytes, backward.bytes], [300_000, 4]);
  for (const end of [client, near, far, server]) end.close();
});

test("a Multipath TCP client and server speak with CPython's", { skip: MPTCP || PYTHON.skip }, async () => {
  await using peer = python(
    `
listener = socket(AF_INET, SOCK_STREAM, int(sys.argv[1]))
listener.bind(("127.0.0.1", 0))
listener.listen()
say("port", listener.getsockname()[1])
conn, _ = listener.accept()
conn.sendall(read_to_end(conn).upper())
conn.close()
back = socket(AF_INET, SOCK_STREAM, int(sys.argv[1]))
back.connect(("127.0.0.1", int(sys.stdin.readline())))
back.sendall(b"from python")
back.close()`,
    [b.IPPROTO_MPTCP],
  );
  using client = await b.create_connection(["127.0.0.1", await portOf(peer)], { proto: b.IPPROTO_MPTCP });
  await client.sendall("hello");
  assert.equal(client.options.TCP_IS_MPTCP, true);
  client.shutdown(b.SHUT_WR);
  assert.equal((await receiveToEnd(client)).toString(), "HELLO");
  using server = b.create_server(["127.0.0.1", 0], { proto: b.IPPROTO_MPTCP });
  peer.stdin.write(`${server.getsockname()[1]}\n`);
  const [conn] = await server.accept();
  using accepted = conn;
  assert.equal(accepted.options.TCP_IS_MPTCP, true);
  assert.equal((await receiveToEnd(accepted)).toString(), "from python");
});

test("socket() says that Multipath TCP is off where it is (in a namespace)", {
  skip: NAMESPACE_SKIP || MPTCP,
}, async () => {
  const program = fileURLToPath(new URL("mptcp-off-child.js", import.meta.url));
  await using child = nodeInNamespace("echo 0 > /proc/sys/net/mptcp/enabled", program);
  assert.match(
    (await child.succeeded()).stdout.toString(),
    /^socket ENOPROTOOPT: .*; Multipath TCP is off: net\.mptcp\.enabled\n$/,
  );
});

test("berkeley/sync makes Multipath TCP sockets by the same option", { skip: MPTCP }, () => {
  using server = sync.create_server(["127.0.0.1", 0], { proto: sync.IPPROTO_MPTCP });
  const [host, port] = server.getsockname();
  using client = sync.create_connection([host, port], { proto: sync.IPPROTO_MPTCP });
  const [conn] = server.accept();
  client.sendall("x");
  assert.equal(conn.recv(1).toString(), "x");
  assert.equal(conn.options.TCP_IS_MPTCP, true);
  conn.close();
});

test("UDP-Lite sends datagrams of which the checksum covers a part", { skip: UDPLITE }, async () => {
  using one = b.socket(b.AF_INET, b.SOCK_DGRAM, b.IPPROTO_UDPLITE);
  using two = b.socket(b.AF_INET, b.SOCK_DGRAM, b.IPPROTO_UDPLITE);
  for (const sock of [one, two]) sock.bind(["127.0.0.1", 0]);
  one.options.UDPLITE_SEND_CSCOV = 12;
  two.options.UDPLITE_RECV_CSCOV = 8;
  assert.deepEqual([one.options.UDPLITE_SEND_CSCOV, two.options.UDPLITE_RECV_CSCOV], [12, 8]);
  await one.sendto("light", two.getsockname());
  assert.deepEqual(await two.recvfrom(100), [Buffer.from("light"), one.getsockname()]);
  // Who wants more covered than is does not get it.
  two.options.UDPLITE_RECV_CSCOV = 1000;
  await one.sendto("not covered", two.getsockname());
  one.options.UDPLITE_SEND_CSCOV = 0;
  await one.sendto("covered", two.getsockname());
  assert.equal((await two.recvfrom(100))[0].toString(), "covered");
});

test("UDP-Lite speaks with CPython's", { skip: UDPLITE || PYTHON.skip }, async () => {
  await using peer = python(
    `
sock = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE)
sock.bind(("127.0.0.1", 0))
say("port", sock.getsockname()[1])
data, address = sock.recvfrom(100)
sock.setsockopt(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, 8)
sock.sendto(data.upper(), address)`,
  );
  using sock = b.socket(b.AF_INET, b.SOCK_DGRAM, b.IPPROTO_UDPLITE);
  await sock.sendto("light", ["127.0.0.1", await portOf(peer)]);
  assert.equal((await sock.recvfrom(100))[0].toString(), "LIGHT");
});

if (SCTP === false)
  test("SCTP carries bytes one to one", async () => {
    const [first, second] = await connect("127.0.0.1", b.IPPROTO_SCTP, b.IPPROTO_SCTP);
    using near = first;
    using far = second;
    await near.sendall("hello");
    assert.equal((await far.recv(100)).toString(), "hello");
  });
else
  test("socket() says that this kernel has no SCTP", () => {
    assert.match(SCTP, /socket EPROTONOSUPPORT: .*; this kernel has no SCTP \(its module is sctp\)$/);
    const error = thrown(() => b.create_server(["127.0.0.1", 0], { proto: b.IPPROTO_SCTP }));
    assert.equal(error.code, "EPROTONOSUPPORT");
  });
