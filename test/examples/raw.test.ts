// The examples of raw, netlink and packet sockets: judged by ip(8), by CPython answering by hand, by what was sent; and
// what a hostile answer does to them. In networks of their own, where nothing else is.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as b from "berkeley";
import { encodeAttributes, encodeNetlink } from "berkeley/packet";
import type { NetlinkMessage } from "berkeley/packet";
import { describe } from "../../examples/raw/links.ts";
import { ROOT } from "../support/cli.ts";
import { random } from "../support/ask-python.ts";
import { network, NETWORK_SKIP, VETH } from "../support/namespace.ts";
import type { Network } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import type { Child } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const example = (where: Network, name: string, ...args: string[]): Child =>
  where.start(process.execPath, [`${ROOT}out/examples/raw/${name}.js`, ...args]);
const lines = (text: Buffer): string[] => text.toString().trimEnd().split("\n");
const skip = NETWORK_SKIP || PYTHON.skip;

test("examples/raw/ping gets the kernel's answers, and says when nobody answers", { skip }, async () => {
  await using where = await network();
  await using ping = example(where, "ping", "127.0.0.1", "2");
  const told = lines((await ping.succeeded()).stdout);
  assert.equal(told.length, 2);
  for (const [index, line] of told.entries())
    assert.match(
      line,
      new RegExp(`^64 bytes from 127\\.0\\.0\\.1: icmp_seq=${index + 1} ttl=64 time=\\d+\\.\\d{3} ms$`),
    );
  await using deaf = await network("echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
  await using unheard = example(deaf, "ping", "127.0.0.1", "1");
  const { code, stdout } = await unheard.exited;
  assert.equal(code, 1);
  assert.equal(stdout.toString(), "no answer to icmp_seq=1\n");
});

/** In place of the kernel: first what is not the answer, but for one thing each; then the answer. */
const ANSWERING = `
import socket as s, struct
def checksum(b):
    t = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while t > 65535: t = (t & 65535) + (t >> 16)
    return ~t & 65535
def message(kind, id, seq, data):
    body = struct.pack("!BBHHH", kind, 0, 0, id, seq) + data
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]
r = s.socket(s.AF_INET, s.SOCK_RAW, s.IPPROTO_ICMP)
r.bind(("127.0.0.2", 0))
print("ready", flush=True)
while True:
    packet, sender = r.recvfrom(65536)
    m = packet[20:]
    if m[0] != 8: continue
    id, seq = struct.unpack("!HH", m[4:8])
    for wrong in (m[:2], m[:5], message(0, id ^ 1, seq, m[8:]), message(0, id, seq + 1, m[8:]),
                  message(0, id, seq, b"foreign."), message(3, id, seq, m[8:])):
        r.sendto(wrong, sender)
    r.sendto(message(0, id, seq, m[8:]), sender)
    print("answered", seq, flush=True)
`;

test("examples/raw/ping takes CPython's answer, and nothing that only looks like it", { skip }, async () => {
  await using where = await network("echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
  await using peer = where.start(PYTHON.path, ["-c", ANSWERING]);
  await peer.line(/^ready$/m);
  await using ping = example(where, "ping", "127.0.0.2", "2");
  const told = lines((await ping.succeeded()).stdout);
  assert.deepEqual(
    told.map((line) => line.replace(/time=.*/, "")),
    ["64 bytes from 127.0.0.2: icmp_seq=1 ttl=64 ", "64 bytes from 127.0.0.2: icmp_seq=2 ttl=64 "],
  );
  await peer.line(/^answered 1\nanswered 2$/m);
});

const ip = requirePeer("ip");

test("examples/raw/links tells the links and addresses that ip(8) tells", {
  skip: NETWORK_SKIP || ip.skip,
}, async () => {
  await using where = await network(`${VETH}
    ip link set v0 name renamed; ip addr add 192.0.2.1 peer 192.0.2.2/32 dev lo`);
  await using links = example(where, "links");
  const told = lines((await links.succeeded()).stdout);
  await using judge = where.start(ip.path, ["-j", "addr"]);
  const theirs = JSON.parse((await judge.succeeded()).stdout.toString()) as {
    ifindex: number;
    ifname: string;
    addr_info: { local: string; prefixlen: number }[];
  }[];
  assert.deepEqual(
    told.map((line) => line.split(" ").toSorted()),
    theirs.map(({ ifindex, ifname, addr_info }) =>
      [`${ifindex}:`, ifname, ...addr_info.map((each) => `${each.local}/${each.prefixlen}`)].toSorted(),
    ),
  );
  assert.ok(told.length >= 3 && told.some((line) => line.includes("192.0.2.1/32")));
});

const message = (payload: Uint8Array): NetlinkMessage => ({
  type: 16,
  flags: 0,
  sequence: 1,
  port: 0,
  payload,
});
const link = (name: string): NetlinkMessage => {
  const head = Buffer.alloc(16);
  head.set(new Uint8Array(Int32Array.of(7).buffer), 4);
  return message(
    Buffer.concat([head, encodeAttributes([{ type: b.IFLA_IFNAME, payload: Buffer.from(name) }])]),
  );
};

test("describe() of examples/raw/links lets no escape through, and refuses what is too short", () => {
  assert.deepEqual(describe([link("e\x1b[31mth\n0\0")], []), ["7: e?[31mth?0"]);
  for (const size of [0, 4, 7])
    assert.throws(() => describe([message(Buffer.alloc(size))], []), { message: /too short/ });
  assert.throws(() => describe([link("lo\0")], [message(Buffer.alloc(6))]), { message: /too short/ });
  const wrong = Buffer.from(link("lo\0").payload);
  wrong.set([0xff, 0xff], 16);
  assert.throws(() => describe([message(wrong)], []), { code: "ERR_NETLINK_LENGTH" });
  // An address that is not as long as its family's.
  const head = Buffer.alloc(8);
  head[0] = b.AF_INET;
  head.set(new Uint8Array(Int32Array.of(7).buffer), 4);
  const short = encodeAttributes([{ type: b.IFA_LOCAL, payload: Buffer.alloc(3) }]);
  assert.throws(() => describe([link("lo\0")], [message(Buffer.concat([head, short]))]), Error);
});

test("describe() of examples/raw/links ends on any bytes: lines of ASCII or an error", () => {
  const seed = Date.now() >>> 0;
  const next = random(seed);
  const sound = encodeNetlink({ type: 16, payload: link("lo\0").payload }).subarray(16);
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(sound);
    for (let change = next(5); change >= 0; change--) bytes[next(bytes.length)] = next(256);
    try {
      const one = message(bytes.subarray(0, next(bytes.length + 1)));
      for (const line of describe([one], [one])) assert.match(line, /^[ -~]*$/, `seed ${seed}`);
    } catch (error) {
      assert.ok(error instanceof Error && error.name !== "AssertionError", String(error));
    }
  }
});

test("examples/raw/sniffer tells the datagrams that CPython sends and the filter lets through", {
  skip,
}, async () => {
  await using where = await network();
  await using sniffer = example(where, "sniffer", "lo", "udp port 50000", "2");
  await sniffer.line(/^listening on lo$/m);
  const program = `
from socket import *
for family, host in (AF_INET, "127.0.0.1"), (AF_INET6, "::1"):
    s = socket(family, SOCK_DGRAM)
    s.bind((host, 40000))
    s.sendto(b"not for us", (host, 40001))
    s.sendto(b"for us", (host, 50000))`;
  await using sender = where.start(PYTHON.path, ["-c", program]);
  await sender.succeeded();
  assert.deepEqual(lines((await sniffer.succeeded()).stdout).slice(1, 3), [
    "<- IP 127.0.0.1.40000 > 127.0.0.1.50000: UDP, length 6",
    "<- IP6 ::1.40000 > ::1.50000: UDP, length 6",
  ]);
  // Each was seen going out and coming in.
  await sniffer.line(/^4 packets passed the filter, 0 of them were dropped/m);
});
