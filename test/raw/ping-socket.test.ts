// Ping sockets, which need no capability but a group within net.ipv4.ping_group_range: as nobody, in a network namespace
// whose range lets everybody in, with the kernel and with CPython's raw socket answering. icmp(7).

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { network, NETWORK_SKIP } from "../support/namespace.ts";
import type { Network } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import type { Child } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const setpriv = requirePeer("setpriv");
const skip = NETWORK_SKIP || setpriv.skip || PYTHON.skip;

const CHILD = fileURLToPath(new URL("ping-socket-child.js", import.meta.url));
const EVERYBODY = 'echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range';
const NOBODY = ["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"];

/** Answers every echo request that it sees, and tells identifier, number and data of each; then the kernel must not. */
const ANSWERING = `
import socket as s, struct, sys
def checksum(b):
    t = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while t > 65535: t = (t & 65535) + (t >> 16)
    return ~t & 65535
r = s.socket(s.AF_INET, s.SOCK_RAW, s.IPPROTO_ICMP)
print("ready", flush=True)
while True:
    packet, sender = r.recvfrom(65536)
    m = packet[20:]
    if m[0] != 8: continue
    assert checksum(m) == 0
    print("asked", *struct.unpack("!HH", m[4:8]), m[8:].hex(), flush=True)
    body = b"\\0\\0\\0\\0" + m[4:]
    r.sendto(body[:2] + struct.pack("!H", checksum(body)) + body[4:], sender)
`;

interface Told {
  readonly uid: number;
  readonly port: number;
  readonly reply: {
    readonly type: number;
    readonly id: number;
    readonly sequence: number;
    readonly data: string;
  };
  readonly from: unknown;
  readonly hops: number;
}

const ours = (where: Network, host: string): Child =>
  where.start(setpriv.path, [...NOBODY, process.execPath, CHILD, host]);

for (const [family, host, type] of [
  ["IPv4", "127.0.0.1", 0],
  ["IPv6", "::1", 129],
] as const)
  test(`a ping socket of nobody's gets the kernel's answer over ${family}, its identifier its port`, {
    skip,
  }, async () => {
    await using where = await network(EVERYBODY);
    await using child = ours(where, host);
    const told = JSON.parse((await child.succeeded()).stdout.toString()) as Told;
    assert.equal(told.uid, 65_534);
    assert.deepEqual(told.reply, { type, id: told.port, sequence: 7, data: "an echo!" });
    assert.deepEqual(told.from, family === "IPv4" ? [host, 0] : [host, 0, 0, 0]);
    assert.equal(told.hops, 64);
  });

test("a ping socket's request reaches CPython's raw socket, whose answer comes back", { skip }, async () => {
  await using where = await network(`${EVERYBODY}; echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all`);
  await using peer = where.start(PYTHON.path, ["-c", ANSWERING]);
  await peer.line(/^ready$/m);
  await using child = ours(where, "127.0.0.1");
  const told = JSON.parse((await child.succeeded()).stdout.toString()) as Told;
  assert.deepEqual(told.reply, { type: 0, id: told.port, sequence: 7, data: "an echo!" });
  const [, id, sequence, data] = await peer.line(/^asked (\d+) (\d+) (\S+)$/m);
  assert.deepEqual([Number(id), Number(sequence)], [told.port, 7]);
  assert.equal(Buffer.from(data as string, "hex").toString(), "an echo!");
});
