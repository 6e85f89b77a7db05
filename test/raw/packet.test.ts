// Packet sockets with CPython's at the other end, on loopback and across a cable between two networks: frames whole and
// without their link-layer header, what bind() and a filter let through, promiscuous mode, VLAN tags beside the packet.
// packet(7).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import type { PacketAddress } from "berkeley";
import { compileFilter } from "berkeley/packet";
import {
  joinedNetworks,
  LEFT,
  NAMESPACE_SKIP,
  NETWORK_SKIP,
  nodeInNamespace,
  RIGHT,
  VETH,
} from "../support/namespace.ts";
import type { Network } from "../support/namespace.ts";
import type { Child } from "../support/process.ts";
import { requirePeer } from "../support/peers.ts";
import { PYTHON, python } from "../support/python.ts";
import { packetWith, ROOT_SKIP as skip, token } from "../support/raw.ts";

/** "Local experimental", IEEE 802. */
const ETHERTYPE = 0x88b5;
const OTHER_ETHERTYPE = 0x88b6;
const NOBODY = Buffer.alloc(6);
const HEADER = Buffer.concat([NOBODY, NOBODY, Buffer.from([0x88, 0xb5])]);
/** How the kernel tells where a frame on loopback came from. */
const ON_LOOPBACK: PacketAddress = ["lo", ETHERTYPE, b.PACKET_HOST, b.ARPHRD_LOOPBACK, NOBODY];

/** Receives what holds the token, tells it and its address, and sends `answer` back. */
const PEER = `
kind, wanted, answer = int(sys.argv[1]), bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
s = socket(AF_PACKET, kind, 0)
s.bind(("lo", ${ETHERTYPE}))
say("ready")
while True:
    packet, (name, proto, pkttype, hatype, addr) = s.recvfrom(65536)
    if wanted in packet: break
say("came", packet.hex(), name, proto, pkttype, hatype, addr.hex())
if kind == SOCK_RAW: s.send(answer)
else: s.sendto(answer, ("lo", ${ETHERTYPE}, 0, 0, bytes(6)))
`;

for (const [name, kind, header] of [
  ["SOCK_RAW", b.SOCK_RAW, HEADER],
  ["SOCK_DGRAM", b.SOCK_DGRAM, Buffer.alloc(0)],
] as const)
  test(`frames go to CPython and back on loopback, ${name}`, { skip }, async () => {
    const [wanted, answer] = [token(), token()];
    const reply = Buffer.concat([header, answer]);
    await using peer = python(PEER, [kind, wanted.toString("hex"), reply.toString("hex")]);
    await peer.line(/^ready$/m);
    using sock = b.socket(b.AF_PACKET, kind, 0);
    sock.bind(["lo", ETHERTYPE]);
    const frame = Buffer.concat([header, wanted]);
    const sent = await (kind === b.SOCK_RAW
      ? sock.send(frame)
      : sock.sendto(frame, ["lo", ETHERTYPE, 0, 0, NOBODY]));
    assert.equal(sent, frame.length);
    const [, told] = await peer.line(/^came (.*)$/m);
    const theirs = `${frame.toString("hex")} lo ${ETHERTYPE} ${b.PACKET_HOST} ${b.ARPHRD_LOOPBACK} 000000000000`;
    assert.equal(told, theirs);
    const [packet, address] = await packetWith<PacketAddress>(sock, answer);
    assert.deepEqual(packet, reply);
    assert.deepEqual(address, ON_LOOPBACK);
  });

const ROOM_BYTES = 64 << 20;
/** Lets through what carries one of our protocols: A := the EtherType; two comparisons; all, or nothing. */
const ONLY_OURS: readonly b.FilterInstruction[] = [
  { code: 0x28, jt: 0, jf: 0, k: 0xffff_f000 },
  { code: 0x15, jt: 1, jf: 0, k: ETHERTYPE },
  { code: 0x15, jt: 0, jf: 1, k: OTHER_ETHERTYPE },
  { code: 0x06, jt: 0, jf: 0, k: 0x4_0000 },
  { code: 0x06, jt: 0, jf: 0, k: 0 },
];

/** A packet socket on loopback that is bound to a protocol. */
function onLoopback(protocol: number, prepare: (sock: b.Socket) => void = () => {}): b.Socket {
  const sock = b.socket(b.AF_PACKET, b.SOCK_DGRAM, 0);
  try {
    sock.options.SO_RCVBUFFORCE(ROOM_BYTES); // others' traffic must not crowd ours out
    prepare(sock);
    sock.bind(["lo", protocol]);
    return sock;
  } catch (error) {
    sock.close();
    throw error;
  }
}

/** All that is there with the token in it, in order. */
async function queued(sock: b.Socket, wanted: Buffer): Promise<Buffer[]> {
  const found = [];
  sock.setblocking(false);
  for (;;)
    try {
      const [packet] = await sock.recvfrom(65_536);
      if (packet.includes(wanted)) found.push(packet);
    } catch (error) {
      assert.equal((error as b.SocketError).code, "EAGAIN");
      return found;
    }
}

test("bind() decides which protocols a packet socket receives; before it there are none", {
  skip,
}, async () => {
  const wanted = token();
  using none = b.socket(b.AF_PACKET, b.SOCK_DGRAM, 0);
  using one = onLoopback(ETHERTYPE);
  using every = onLoopback(b.ETH_P_ALL, (sock) => {
    sock.options.PACKET_IGNORE_OUTGOING = true;
    sock.options.SO_ATTACH_FILTER(ONLY_OURS);
  });
  for (const protocol of [OTHER_ETHERTYPE, ETHERTYPE])
    await one.sendto(Buffer.concat([wanted, Buffer.from([protocol & 255])]), ["lo", protocol, 0, 0, NOBODY]);
  // A frame on loopback has arrived when the send returns.
  const last = (packets: readonly Buffer[]): number[] => packets.map((packet) => packet.at(-1) as number);
  assert.deepEqual(last(await queued(every, wanted)), [0xb6, 0xb5]);
  assert.deepEqual(last(await queued(one, wanted)), [0xb5]);
  assert.deepEqual(await queued(none, wanted), []);
});

test("ETH_P_ALL without PACKET_IGNORE_OUTGOING sees what goes out, and says so", { skip }, async () => {
  const wanted = token();
  using sock = onLoopback(b.ETH_P_ALL, (made) => made.options.SO_ATTACH_FILTER(ONLY_OURS));
  using sender = onLoopback(ETHERTYPE); // what a socket sends it never sees itself
  await sender.sendto(wanted, ["lo", ETHERTYPE, 0, 0, NOBODY]);
  const kinds: (number | undefined)[] = [];
  while (kinds.length < 2) kinds.push((await packetWith<PacketAddress>(sock, wanted))[1][2]);
  assert.deepEqual(kinds, [b.PACKET_OUTGOING, b.PACKET_HOST]);
});

test("SO_ATTACH_FILTER with a compiled expression lets through what matches, and SO_DETACH_FILTER all", {
  skip,
}, async () => {
  const wanted = token();
  using receiver = b.socket(b.AF_INET, b.SOCK_DGRAM);
  receiver.bind(["127.0.0.1", 0]);
  using other = b.socket(b.AF_INET, b.SOCK_DGRAM);
  other.bind(["127.0.0.1", 0]);
  const [, port] = receiver.getsockname();
  using sock = onLoopback(b.ETH_P_ALL, (made) => {
    made.options.PACKET_IGNORE_OUTGOING = true;
    made.options.SO_ATTACH_FILTER(compileFilter(`udp dst port ${port} and host 127.0.0.1`, "none"));
  });
  const send = async (): Promise<void> => {
    for (const to of [other, receiver, other]) await other.sendto(wanted, to.getsockname());
  };
  await send();
  const matching = await queued(sock, wanted);
  assert.deepEqual(
    matching.map((packet) => packet.readUInt16BE(22)),
    [port],
  );
  sock.options.SO_DETACH_FILTER();
  await send();
  assert.equal((await queued(sock, wanted)).length, 3);
});

test("SO_ATTACH_FILTER with a filter of CPython's making works as one of ours", { skip }, async () => {
  const wanted = token();
  using sock = onLoopback(b.ETH_P_ALL, (made) => (made.options.PACKET_IGNORE_OUTGOING = true));
  using sender = onLoopback(ETHERTYPE);
  // The child has our socket as its descriptor 3, and attaches "the EtherType is ours" to it.
  const program = `
from socket import *
import ctypes, struct
code = [(0x28, 0, 0, 0xfffff000), (0x15, 0, 1, ${ETHERTYPE}), (6, 0, 0, 0x40000), (6, 0, 0, 0)]
code = b"".join(struct.pack("HBBI", *c) for c in code)
memory = ctypes.create_string_buffer(code)
socket(fileno=3).setsockopt(SOL_SOCKET, 26, struct.pack("HL", 4, ctypes.addressof(memory)))`;
  execFileSync(PYTHON.path, ["-c", program], { stdio: ["ignore", "inherit", "inherit", sock.fileno()] });
  await queued(sock, wanted);
  for (const protocol of [OTHER_ETHERTYPE, ETHERTYPE, OTHER_ETHERTYPE])
    await sender.sendto(wanted, ["lo", protocol, 0, 0, NOBODY]);
  sock.setblocking(true);
  const [, address] = await packetWith<PacketAddress>(sock, wanted);
  assert.equal(address[1], ETHERTYPE);
  assert.deepEqual(await queued(sock, wanted), []);
});

test("PACKET_STATISTICS counts what passed the filter and what had no room, and begins again", {
  skip,
}, async () => {
  using sock = onLoopback(ETHERTYPE, (made) => {
    made.options.SO_RCVBUF = 4096;
    // Nothing but ours: frames of 1000 bytes.
    made.options.SO_ATTACH_FILTER(compileFilter("greater 1000 and less 1000", "none"));
  });
  using sender = onLoopback(ETHERTYPE);
  for (let count = 0; count < 50; count++)
    await sender.sendto(Buffer.alloc(1000), ["lo", ETHERTYPE, 0, 0, NOBODY]);
  const { packets, drops } = sock.options.PACKET_STATISTICS;
  const kept = await queued(sock, Buffer.alloc(1000));
  assert.ok(drops > 0 && kept.length > 0);
  assert.deepEqual([packets, drops], [50, 50 - kept.length]);
  assert.deepEqual(sock.options.PACKET_STATISTICS.packets, 0);
});

test("recvmsg() and recvmmsg() of a packet socket bring what is told beside the packet", {
  skip,
}, async () => {
  const wanted = Buffer.concat([token(), Buffer.alloc(200)]);
  using sock = onLoopback(ETHERTYPE, (made) => (made.options.PACKET_AUXDATA = true));
  using sender = onLoopback(ETHERTYPE);
  sock.settimeout(60);
  for (let count = 0; count < 2; count++) await sender.sendto(wanted, ["lo", ETHERTYPE, 0, 0, NOBODY]);
  const [packet, ancdata, flags] = await sock.recvmsg<PacketAddress>(100, b.CMSG_SPACE(20));
  assert.deepEqual(packet, wanted.subarray(0, 100));
  assert.equal(flags & b.MSG_TRUNC, b.MSG_TRUNC);
  assert.equal(b.decode_ancillary(ancdata).PACKET_AUXDATA?.len, wanted.length);
  const batch = new b.ReceiveBatch({ messagesMax: 4, bytesMax: 100 });
  assert.equal(await sock.recvmmsg(batch), 1);
  assert.deepEqual(batch.data(0), wanted.subarray(0, 100));
  assert.deepEqual(batch.address(0), ON_LOOPBACK);
});

const ip = requirePeer("ip");
const joined = skip || NETWORK_SKIP || ip.skip;
const CHILD = fileURLToPath(new URL("packet-child.js", import.meta.url));
const ours = (network: Network, ...args: string[]): Child =>
  network.start(process.execPath, [CHILD, ...args]);

/** Sends frames from the other end of the cable, and tells the first that comes with the protocol. */
const SENDER = `
import sys
from socket import *
s = socket(AF_PACKET, SOCK_RAW, 0)
s.bind((sys.argv[1], ${ETHERTYPE}))
print("ready", flush=True)
for line in sys.stdin:
    s.send(bytes.fromhex(line))
    print("sent", flush=True)
    if s.recv(65536).endswith(b"over"): break
`;

test("frames cross a cable between two networks, CPython at the other end; promiscuous, with VLAN tags", {
  skip: joined,
}, async () => {
  await using networks = await joinedNetworks();
  await using receiver = ours(networks.left, "receive", LEFT.name);
  await receiver.line(/^ready$/m);
  await using links = networks.left.start(ip.path, ["-j", "-d", "link", "show", "dev", LEFT.name]);
  const [link] = JSON.parse((await links.succeeded()).stdout.toString()) as [{ promiscuity: number }];
  assert.equal(link.promiscuity, 1);
  await using sender = networks.right.start(PYTHON.path, ["-c", SENDER, RIGHT.name]);
  await sender.line(/^ready$/m);
  const hex = (mac: string): string => mac.replaceAll(":", "");
  const frame = (to: string, type: string): string => `${to}${hex(RIGHT.mac)}${type}`;
  const payload = Buffer.alloc(50, 7).toString("hex");
  for (const line of [
    frame(hex(LEFT.mac), "88b5") + payload,
    frame("020000000099", "88b5") + payload, // for somebody else
    frame("ffffffffffff", "88b5") + payload,
    frame(hex(LEFT.mac), "8100a00788b5") + payload, // VLAN 7, priority 5
  ])
    sender.stdin.write(`${line}\n`);
  await sender.succeeded();
  const { stdout } = await receiver.succeeded();
  const told = stdout
    .toString()
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as unknown);
  const from = [LEFT.name, ETHERTYPE];
  assert.deepEqual(told, [
    { bytes: 64, address: [...from, b.PACKET_HOST, b.ARPHRD_ETHER, hex(RIGHT.mac)], vlan: null },
    { bytes: 64, address: [...from, b.PACKET_OTHERHOST, b.ARPHRD_ETHER, hex(RIGHT.mac)], vlan: null },
    { bytes: 64, address: [...from, b.PACKET_BROADCAST, b.ARPHRD_ETHER, hex(RIGHT.mac)], vlan: null },
    {
      bytes: 64,
      address: [...from, b.PACKET_HOST, b.ARPHRD_ETHER, hex(RIGHT.mac)],
      vlan: { id: 7, priority: 5 },
    },
  ]);
});

test("sendto() by the name of an interface finds it again that was made anew", {
  skip: NAMESPACE_SKIP || ip.skip,
}, async () => {
  const child = fileURLToPath(new URL("renewed-child.js", import.meta.url));
  await using sender = nodeInNamespace(VETH, child, [ip.path]);
  assert.equal((await sender.succeeded()).stdout.toString(), "another\n64\n");
});
