// Sockets that share an address: SO_REUSEPORT spreads, a classic BPF program or a processor picks. And sockets at addresses
// that are not this machine's, or that a firewall redirects to: IP_FREEBIND, IP_TRANSPARENT, SO_ORIGINAL_DST.

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import type { Socket } from "berkeley";
import { NAMESPACE_SKIP, VETH, nodeInNamespace } from "../support/namespace.ts";
import { thrown } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

const nft = requirePeer("nft");
const taskset = requirePeer("taskset");

/** UDP sockets at one address. */
function group(count: number, prepare: (sock: Socket, index: number) => void = () => undefined): Socket[] {
  const sockets: Socket[] = [];
  for (let index = 0; index < count; index++) {
    const sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
    sock.options.SO_REUSEPORT = true;
    prepare(sock, index);
    sock.bind(sockets[0]?.getsockname() ?? ["127.0.0.1", 0]);
    sockets.push(sock);
  }
  return sockets;
}

/** What each has received, once that is so much in all. */
async function received(sockets: readonly Socket[], total: number): Promise<string[][]> {
  const texts: string[][] = sockets.map(() => []);
  for (let count = 0; count < total; ) {
    for (const [index, sock] of sockets.entries())
      while (sock.siocinq() > 0) {
        texts[index]?.push((await sock.recv(100)).toString());
        count++;
      }
    await turn();
  }
  return texts;
}

test("SO_REUSEPORT spreads connections over its listeners, CPython's among them, and loses none", {
  skip: PYTHON.skip,
}, async () => {
  await using peer = python(`
server = socket(AF_INET, SOCK_STREAM)
server.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
server.bind(("127.0.0.1", 0))
server.listen(100)
say("port", server.getsockname()[1])
while True:
    conn, _ = server.accept()
    conn.sendall(b"python")
    conn.close()`);
  using ours = b.create_server(["127.0.0.1", await portOf(peer)], { reuse_port: true });
  const serving = (async () => {
    for await (const [conn] of ours) {
      await conn.sendall("ours");
      conn.close();
    }
  })();
  const heard = new Map<string, number>();
  for (let count = 0; count < 64; count++) {
    using client = await b.create_connection(["127.0.0.1", ours.getsockname()[1]]);
    const who = (await client.recv(6, b.MSG_WAITALL)).toString();
    heard.set(who, (heard.get(who) ?? 0) + 1);
  }
  ours.close();
  await serving;
  assert.deepEqual([...heard.keys()].toSorted(), ["ours", "python"]);
  assert.equal(
    [...heard.values()].reduce((sum, count) => sum + count),
    64,
  );
});

test("SO_ATTACH_REUSEPORT_CBPF picks the socket of a group by what comes, until it is taken away", async () => {
  const sockets = group(3);
  const [first] = sockets as [Socket];
  // The datagram's first byte, without "0", is the socket's number in the order of binding.
  first.options.SO_ATTACH_REUSEPORT_CBPF([
    { code: 0x30, jt: 0, jf: 0, k: 0 }, // ldb [0]
    { code: 0x14, jt: 0, jf: 0, k: 0x30 }, // sub #'0'
    { code: 0x16, jt: 0, jf: 0, k: 0 }, // ret a
  ]);
  const to = first.getsockname();
  for (const text of ["0a", "1b", "2c", "1d", "0e", "2f"]) {
    using sender = b.socket(b.AF_INET, b.SOCK_DGRAM);
    await sender.sendto(text, to);
  }
  assert.deepEqual(await received(sockets, 6), [
    ["0a", "0e"],
    ["1b", "1d"],
    ["2c", "2f"],
  ]);
  first.options.SO_DETACH_REUSEPORT_BPF();
  for (let count = 0; count < 64; count++) {
    using sender = b.socket(b.AF_INET, b.SOCK_DGRAM);
    await sender.sendto("0", to);
  }
  const spread = await received(sockets, 64);
  assert.ok(spread.filter((texts) => texts.length > 0).length > 1);
  for (const sock of sockets) sock.close();
});

test("SO_INCOMING_CPU prefers the socket of a group whose processor a packet arrives on", {
  skip:
    taskset.skip ||
    PYTHON.skip ||
    (availableParallelism() > 1 ? false : "needs two processors: a packet is sent from each"),
}, async () => {
  const sockets = group(2, (sock, index) => (sock.options.SO_INCOMING_CPU = index));
  assert.deepEqual(
    sockets.map(({ options }) => options.SO_INCOMING_CPU),
    [0, 1],
  );
  const [, port] = (sockets[0] as Socket).getsockname();
  const program = `
from socket import *
for count in range(8): socket(AF_INET, SOCK_DGRAM).sendto(b"%d", ("127.0.0.1", ${port}))`;
  for (const processor of [0, 1]) {
    // Loopback delivers on the processor that sends.
    const sending = program.replace("%d", String(processor));
    await using child = start(taskset.path, ["--cpu-list", String(processor), PYTHON.path, "-c", sending]);
    await child.succeeded();
  }
  assert.deepEqual(await received(sockets, 16), [new Array(8).fill("0"), new Array(8).fill("1")]);
  for (const sock of sockets) sock.close();
});

test("IP_FREEBIND and IPV6_FREEBIND bind to addresses that no interface has", () => {
  for (const [family, host, option] of [
    [b.AF_INET, "192.0.2.7", "IP_FREEBIND"],
    [b.AF_INET6, "2001:db8::7", "IPV6_FREEBIND"],
  ] as const) {
    using sock = b.socket(family, b.SOCK_DGRAM);
    assert.equal(thrown(() => sock.bind([host, 0])).code, "EADDRNOTAVAIL");
    sock.options[option] = true;
    sock.bind([host, 0]);
    assert.equal(sock.getsockname()[0], host);
  }
});

test("IP_TRANSPARENT sends from a foreign address, SO_ORIGINAL_DST tells where a redirected connection was going (in a namespace)", {
  skip: NAMESPACE_SKIP || nft.skip,
}, async () => {
  const program = fileURLToPath(new URL("redirected-child.js", import.meta.url));
  await using child = nodeInNamespace(VETH, program, [nft.path]);
  assert.deepEqual(JSON.parse((await child.succeeded()).stdout.toString()), {
    from: "192.0.2.7",
    IPv4: ["10.9.8.1", 80],
    IPv6: ["fd09::1", 80],
    "not redirected": "ENOENT",
  });
});
