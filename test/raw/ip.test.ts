// Raw sockets of IPv4 and IPv6 with CPython's at the other end: a protocol of one's own, headers by hand, ICMP by hand, and
// what the kernel filters and computes for them. raw(7), RFC 3542.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as b from "berkeley";
import * as blocking from "berkeley/sync";
import { decodePacket, internetChecksum, transportChecksum } from "berkeley/packet";
import type { Ipv4Header } from "berkeley/packet";
import { address, icmp, ipv4 } from "../support/packets.ts";
import { python } from "../support/python.ts";
import { loopback, packetWith, ROOT_SKIP as skip, token } from "../support/raw.ts";

/** "For experimentation and testing", RFC 3692. */
const PROTOCOL = 253;
const IPV4 = { etherType: 0x0800 };

const reversed = (data: Uint8Array): Buffer => Buffer.from(data.toReversed());

/** Answers the first packet with its bytes turned round, and tells what came. */
const ANSWERING = `
family, host, proto, size = AF_INET6 if ":" in sys.argv[1] else AF_INET, sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket(family, SOCK_RAW, proto)
s.bind((host, 0))
say("ready")
wanted = bytes.fromhex(sys.argv[4])
while True:
    packet, sender = s.recvfrom(65536)
    if wanted in packet: break
s.sendto(bytes(reversed(packet[-size:])), sender)
say("came", packet.hex(), sender[0])
`;

for (const [name, host, from] of [
  ["IPv4", loopback(), loopback()],
  ["IPv6", "::1", "::1"],
] as const)
  test(`a protocol of one's own over ${name} goes to CPython and back`, { skip }, async () => {
    const data = token();
    await using peer = python(ANSWERING, [host, PROTOCOL, data.length, data.toString("hex")]);
    await peer.line(/^ready$/m);
    using sock = b.socket(from.includes(":") ? b.AF_INET6 : b.AF_INET, b.SOCK_RAW, PROTOCOL);
    sock.bind([from, 0]);
    assert.equal(await sock.sendto(data, [host, 0]), data.length);
    const [, hex, sender] = await peer.line(/^came (\S+) (\S+)$/m);
    const came = Buffer.from(hex as string, "hex");
    const [answer, where] = await packetWith(sock, reversed(data));
    assert.equal(sender, from);
    assert.equal(where[0], host);
    if (name === "IPv6") {
      // RFC 3542 section 3: no header comes.
      assert.deepEqual(came, data);
      assert.deepEqual(answer, reversed(data));
      assert.deepEqual(where, ["::1", 0, 0, 0]);
      return;
    }
    const { headers, payload } = decodePacket(answer, IPV4);
    const header = headers[0] as Ipv4Header;
    assert.equal(header.protocol, PROTOCOL);
    assert.equal(header.source, host);
    assert.deepEqual(Buffer.from(payload), reversed(data));
    assert.deepEqual(Buffer.from(decodePacket(came, IPV4).payload), data);
  });

test("raw sockets of berkeley/sync speak a protocol of their own with CPython", { skip }, async () => {
  const [host, from, data] = [loopback(), loopback(), token()];
  await using peer = python(ANSWERING, [host, PROTOCOL, data.length, data.toString("hex")]);
  await peer.line(/^ready$/m);
  using sock = blocking.socket(b.AF_INET, b.SOCK_RAW, PROTOCOL);
  sock.settimeout(60);
  sock.bind([from, 0]);
  sock.sendto(data, [host, 0]);
  let answer: Buffer = Buffer.alloc(0);
  while (!answer.includes(reversed(data))) [answer] = sock.recvfrom(65_536);
  assert.deepEqual(Buffer.from(decodePacket(answer, IPV4).payload), reversed(data));
});

test("with IP_HDRINCL the header is the program's, but for checksum and length, and CPython sees it", {
  skip,
}, async () => {
  const [host, from, data] = [loopback(), loopback(), token()];
  await using peer = python(ANSWERING, [host, PROTOCOL, data.length, data.toString("hex")]);
  await peer.line(/^ready$/m);
  using sock = b.socket(b.AF_INET, b.SOCK_RAW, b.IPPROTO_RAW);
  assert.equal(sock.options.IP_HDRINCL, true); // raw(7): what IPPROTO_RAW means
  const packet = ipv4(PROTOCOL, data, { source: from, destination: host, ttl: 7 });
  packet.writeUInt16BE(0, 2); // the kernel fills in both
  packet.writeUInt16BE(0, 10);
  await sock.sendto(packet, [host, 0]);
  const [, hex, sender] = await peer.line(/^came (\S+) (\S+)$/m);
  assert.equal(sender, from);
  const { headers, payload } = decodePacket(Buffer.from(hex as string, "hex"), IPV4);
  const header = headers[0] as Ipv4Header;
  assert.equal(header.ttl, 7);
  assert.equal(header.identification, 0x1234);
  assert.equal(header.totalBytes, packet.length);
  assert.equal(header.checksumCorrect, true);
  assert.deepEqual(Buffer.from(payload), data);
});

test("a header that CPython wrote with IP_HDRINCL arrives as it was sent", { skip }, async () => {
  const [host, from, data] = [loopback(), loopback(), token()];
  using sock = b.socket(b.AF_INET, b.SOCK_RAW, PROTOCOL);
  sock.bind([host, 0]);
  const packet = ipv4(PROTOCOL, data, {
    source: from,
    destination: host,
    ttl: 9,
    options: Buffer.alloc(4, 1),
  });
  await using peer = python(
    `
s = socket(AF_INET, SOCK_RAW, IPPROTO_RAW)
s.setsockopt(IPPROTO_IP, IP_HDRINCL, 1)
s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 0))`,
    [host, packet.toString("hex")],
  );
  await peer.succeeded();
  const [came, [sender]] = await packetWith(sock, data);
  assert.equal(sender, from);
  assert.deepEqual(came, packet);
});

test("ICMP echo by hand is answered by the kernel, whose checksum is right", { skip }, async () => {
  const [host, data] = [loopback(), token()];
  using sock = b.socket(b.AF_INET, b.SOCK_RAW, b.IPPROTO_ICMP);
  sock.options.ICMP_FILTER = [b.ICMP_ECHOREPLY]; // our own request would come by too
  assert.deepEqual(sock.options.ICMP_FILTER, [b.ICMP_ECHOREPLY]);
  await sock.sendto(icmp(b.ICMP_ECHO, 0, 0x1234_0001, data), [host, 0]);
  const [packet, [from]] = await packetWith(sock, data);
  assert.equal(from, host);
  const reply = packet.subarray(20);
  assert.equal(internetChecksum(reply), 0);
  assert.equal(reply.readUInt8(0), b.ICMP_ECHOREPLY);
  assert.equal(reply.readUInt32BE(4), 0x1234_0001);
});

test("ICMPv6 echo by hand is answered; the kernel computes the checksum and ICMPV6_FILTER holds", {
  skip,
}, async () => {
  const data = token();
  using sock = b.socket(b.AF_INET6, b.SOCK_RAW, b.IPPROTO_ICMPV6);
  sock.options.ICMPV6_FILTER = [b.ICMPV6_ECHO_REPLY];
  sock.options.IPV6_RECVHOPLIMIT = true;
  await sock.sendto(icmp(b.ICMPV6_ECHO_REQUEST, 0, 0x4321_0002, data), ["::1", 0]);
  for (;;) {
    const [reply, ancdata, , [from]] = await sock.recvmsg(65_536, b.CMSG_SPACE(4));
    assert.equal(reply.readUInt8(0), b.ICMPV6_ECHO_REPLY);
    if (!reply.includes(data)) continue;
    assert.equal(from, "::1");
    assert.equal(reply.readUInt32BE(4), 0x4321_0002);
    assert.equal(transportChecksum(address("::1"), address("::1"), 58, reply), 0);
    const [[level, type, hops]] = ancdata as [b.ReceivedAncillary];
    assert.deepEqual([level, type, hops.readInt32LE()], [b.IPPROTO_IPV6, b.IPV6_HOPLIMIT, 64]);
    return;
  }
});

test("sock.options.ICMP_FILTER sets the bits that CPython sets for the same types", { skip }, async () => {
  using sock = b.socket(b.AF_INET, b.SOCK_RAW, b.IPPROTO_ICMP);
  sock.options.ICMP_FILTER = [b.ICMP_ECHOREPLY, b.ICMP_DEST_UNREACH];
  await using peer = python(`
s = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
s.setsockopt(255, 1, struct.pack("=I", ~(1 << 0 | 1 << 3) & 0xffffffff))
say(s.getsockopt(255, 1, 4).hex())`);
  const { stdout } = await peer.succeeded();
  assert.equal(stdout.toString().trim(), sock.getsockopt(b.SOL_RAW, b.ICMP_FILTER, 4).toString("hex"));
});

test("with IPV6_CHECKSUM the kernel puts the checksum into a protocol of one's own, and CPython gets it", {
  skip,
}, async () => {
  const data = token();
  const message = Buffer.concat([Buffer.alloc(4), data]);
  await using peer = python(ANSWERING, ["::1", PROTOCOL, message.length, data.toString("hex")]);
  await peer.line(/^ready$/m);
  using sock = b.socket(b.AF_INET6, b.SOCK_RAW, PROTOCOL);
  sock.options.IPV6_CHECKSUM = 2;
  await sock.sendto(message, ["::1", 0]);
  const [, hex] = await peer.line(/^came (\S+) ::1$/m);
  const came = Buffer.from(hex as string, "hex");
  assert.notEqual(came.readUInt16BE(2), 0);
  assert.equal(transportChecksum(address("::1"), address("::1"), PROTOCOL, came), 0);
  assert.deepEqual(came.subarray(4), data);
});

test("a raw packet that is longer than asked for is cut, and MSG_TRUNC tells how long it was", {
  skip,
}, async () => {
  const [host, data] = [loopback(), token()];
  using sock = b.socket(b.AF_INET, b.SOCK_RAW, PROTOCOL);
  sock.bind([host, 0]);
  for (let time = 0; time < 2; time++) await sock.sendto(Buffer.concat([data, Buffer.alloc(84)]), [host, 0]);
  const [cut, , flags] = await sock.recvmsg(40);
  assert.equal(cut.length, 40);
  assert.notEqual(flags & b.MSG_TRUNC, 0);
  const [count] = await sock.recvfrom_into(Buffer.alloc(40), 0, b.MSG_TRUNC);
  assert.equal(count, 20 + 100);
});

test("a raw packet that is longer than IP carries is refused with EMSGSIZE and both ends", {
  skip,
}, async () => {
  const host = loopback();
  using sock = b.socket(b.AF_INET, b.SOCK_RAW, PROTOCOL);
  sock.bind([host, 0]);
  await assert.rejects(sock.sendto(Buffer.alloc(65_536), [host, 0]), {
    code: "EMSGSIZE",
    message: `sendto EMSGSIZE: message too long (${host}:${PROTOCOL} → ${host}:0)`,
  });
});
