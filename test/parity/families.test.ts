// Families beside the internet's and Unix's, in both faces: that a socket of each is made where the kernel has it, and that
// CPython is told the same where it has not; addresses, options and refusals of those that are there. Their addresses, byte
// for byte, are in test/address/families.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_ALG,
  AF_BLUETOOTH,
  AF_CAN,
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_PACKET,
  AF_QIPCRTR,
  AF_RDS,
  AF_TIPC,
  AF_VSOCK,
  BTPROTO_HCI,
  BTPROTO_L2CAP,
  BTPROTO_RFCOMM,
  BTPROTO_SCO,
  CAN_BCM,
  CAN_ISOTP,
  CAN_J1939,
  CAN_RAW,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_MPTCP,
  IPPROTO_RAW,
  IPPROTO_SCTP,
  IPPROTO_UDPLITE,
  NETLINK_ROUTE,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
} from "berkeley";
import type { AnyAddress, NetlinkAddress, PacketAddress, SocketError, VsockAddress } from "berkeley";
import { askPython, python3 } from "../support/ask-python.ts";
import { FACES, anything, codeOf, faceTest } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";

/** Every kind of socket, by the name of its family and protocol. */
const KINDS: Readonly<Record<string, [family: number, type: number, proto: number]>> = {
  "CAN, raw": [AF_CAN, SOCK_RAW, CAN_RAW],
  "CAN, broadcast manager": [AF_CAN, SOCK_DGRAM, CAN_BCM],
  "CAN, ISO-TP": [AF_CAN, SOCK_DGRAM, CAN_ISOTP],
  "CAN, J1939": [AF_CAN, SOCK_DGRAM, CAN_J1939],
  RDS: [AF_RDS, SOCK_SEQPACKET, 0],
  "Qualcomm IPC router": [AF_QIPCRTR, SOCK_DGRAM, 0],
  "VSOCK, stream": [AF_VSOCK, SOCK_STREAM, 0],
  "VSOCK, datagram": [AF_VSOCK, SOCK_DGRAM, 0],
  "Bluetooth, HCI": [AF_BLUETOOTH, SOCK_RAW, BTPROTO_HCI],
  "Bluetooth, L2CAP": [AF_BLUETOOTH, SOCK_SEQPACKET, BTPROTO_L2CAP],
  "Bluetooth, RFCOMM": [AF_BLUETOOTH, SOCK_STREAM, BTPROTO_RFCOMM],
  "Bluetooth, SCO": [AF_BLUETOOTH, SOCK_SEQPACKET, BTPROTO_SCO],
  "TIPC, reliable datagrams": [AF_TIPC, SOCK_RDM, 0],
  "TIPC, stream": [AF_TIPC, SOCK_STREAM, 0],
  "kernel cryptography": [AF_ALG, SOCK_SEQPACKET, 0],
  "packets, cooked": [AF_PACKET, SOCK_DGRAM, 0],
  "packets, raw": [AF_PACKET, SOCK_RAW, 0],
  netlink: [AF_NETLINK, SOCK_RAW, NETLINK_ROUTE],
  SCTP: [AF_INET, SOCK_STREAM, IPPROTO_SCTP],
  MPTCP: [AF_INET, SOCK_STREAM, IPPROTO_MPTCP],
  "UDP-Lite": [AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE],
  "raw IPv4": [AF_INET, SOCK_RAW, IPPROTO_RAW],
  "raw ICMP": [AF_INET, SOCK_RAW, IPPROTO_ICMP],
  "raw ICMPv6": [AF_INET6, SOCK_RAW, IPPROTO_ICMPV6],
  "a family that is none": [99, SOCK_STREAM, 0],
  "a type that is none": [AF_INET, 15, 0],
  "a protocol that does not fit": [AF_INET, SOCK_STREAM, IPPROTO_ICMP],
};

/** What CPython gets: family, type and protocol of the socket, or the name of the errno. */
const theirs: Readonly<Record<string, unknown>> = python3.skip
  ? {}
  : (askPython(
      `
def make(family, kind, proto):
    try:
        with socket.socket(family, kind, proto) as made:
            return [made.family, made.type, made.proto]
    except OSError as error:
        return errno.errorcode[error.errno]
print(json.dumps({name: make(*args) for name, args in data.items()}))`,
      KINDS,
    ) as Record<string, unknown>);

function make(face: Face, kind: string): unknown {
  try {
    using made = face.socket(...(KINDS[kind] as [number, number, number]));
    return [made.family, made.type, made.proto];
  } catch (error) {
    return (error as SocketError).code;
  }
}

for (const kind of Object.keys(KINDS))
  faceTest(
    `socket() of ${kind} gives what CPython gets`,
    (face) => {
      assert.deepEqual(make(face, kind), theirs[kind]);
    },
    { skip: python3.skip },
  );

/** Addresses that are none, per family; they are refused before the kernel sees them. */
const REFUSED: Readonly<Record<string, [address: unknown, code: string][]>> = {
  "CAN, raw": [
    [["a name that is far too long for an interface"], "ERR_OUT_OF_RANGE"],
    ["can0", "ERR_INVALID_ARG_TYPE"],
    [[0], "ERR_INVALID_ARG_TYPE"],
  ],
  netlink: [
    [[0], "ERR_INVALID_ARG_TYPE"],
    [[-1, 0], "ERR_OUT_OF_RANGE"],
    [[0, 2 ** 32], "ERR_OUT_OF_RANGE"],
    ["route", "ERR_INVALID_ARG_TYPE"],
  ],
  "VSOCK, stream": [
    [[0], "ERR_INVALID_ARG_TYPE"],
    [[-1, 0], "ERR_OUT_OF_RANGE"],
    [[1, 2 ** 32], "ERR_OUT_OF_RANGE"],
    [["1", 2], "ERR_INVALID_ARG_TYPE"],
  ],
  "packets, raw": [
    [["lo"], "ERR_INVALID_ARG_TYPE"],
    [["lo", -1], "ERR_OUT_OF_RANGE"],
    [["lo", 2 ** 16], "ERR_OUT_OF_RANGE"],
    [[1, 3], "ERR_INVALID_ARG_TYPE"],
    [["_no_such_", 3], "ENODEV"],
  ],
  "Qualcomm IPC router": [
    [[123], "ERR_INVALID_ARG_TYPE"],
    [[1, 2, 3], "ERR_INVALID_ARG_TYPE"],
    [[-1, 2], "ERR_OUT_OF_RANGE"],
  ],
};
for (const [kind, cases] of Object.entries(REFUSED))
  for (const [title, face] of Object.entries(FACES)) {
    const made = make(face, kind);
    const skip = Array.isArray(made) ? false : `this kernel has no ${kind}: ${String(made)}`;
    test(`bind() of ${kind} refuses addresses that are none (${title})`, { skip }, async () => {
      using sock = face.socket(...(KINDS[kind] as [number, number, number]));
      for (const [address, code] of cases)
        assert.equal(await codeOf(() => sock.bind(anything(address))), code, JSON.stringify(address));
    });
  }

faceTest("a netlink socket has the process's number, or one that the kernel picks", (face) => {
  using first = face.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  using second = face.socket(AF_NETLINK, SOCK_DGRAM, NETLINK_ROUTE);
  for (const sock of [first, second]) sock.bind([0, 0]);
  const [one, other] = [first.getsockname<NetlinkAddress>(), second.getsockname<NetlinkAddress>()];
  assert.ok(one[0] !== other[0] && one[0] > 0 && other[0] > 0);
  assert.equal(one[1], 0);
});

const noPackets = !Array.isArray(make(FACES["berkeley"] as Face, "packets, raw"));
faceTest(
  "a packet socket is bound to an interface by its name",
  (face) => {
    using sock = face.socket(AF_PACKET, SOCK_RAW, 0);
    sock.bind(["lo", 0x0800]);
    assert.deepEqual(sock.getsockname<PacketAddress>().slice(0, 2), ["lo", 0x0800]);
  },
  { skip: noPackets && "raw packets need CAP_NET_RAW" },
);

const noVsock = !Array.isArray(make(FACES["berkeley"] as Face, "VSOCK, stream"));
faceTest(
  "a VSOCK socket is bound to a port that the system picks, and has a buffer in wide integers",
  (face) => {
    using sock = face.socket(AF_VSOCK, SOCK_STREAM);
    sock.bind([VMADDR_CID_ANY, VMADDR_PORT_ANY]);
    const [cid, port] = sock.getsockname<VsockAddress>();
    assert.equal(cid, VMADDR_CID_ANY);
    assert.ok(port > 0 && port !== VMADDR_PORT_ANY);
    sock.listen(1);
    const read = (name: number): number => sock.getsockopt(AF_VSOCK, name);
    const half = Math.floor(read(SO_VM_SOCKETS_BUFFER_MAX_SIZE) / 2);
    sock.setsockopt(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, half);
    assert.equal(read(SO_VM_SOCKETS_BUFFER_SIZE), half);
    assert.ok(read(SO_VM_SOCKETS_BUFFER_MIN_SIZE) > 0);
  },
  { skip: noVsock && "this kernel has no VSOCK" },
);

faceTest(
  "raw sockets hear on loopback what they send, header and all, and CPython's address of it",
  async (face) => {
    using a = face.socket(AF_INET, SOCK_RAW, 253); // a protocol number for experiments, RFC 3692
    using b = face.socket(AF_INET, SOCK_RAW, 253);
    b.bind(["127.0.0.1", 0]);
    b.settimeout(10);
    await a.sendto("a protocol of one's own", ["127.0.0.1", 0]);
    const [packet, from] = await b.recvfrom<AnyAddress>(1000);
    assert.equal(packet[0], 0x45);
    assert.equal(packet[9], 253);
    assert.equal(packet.subarray(20).toString(), "a protocol of one's own");
    assert.deepEqual(from, ["127.0.0.1", 0]);
  },
  { skip: !Array.isArray(make(FACES["berkeley"] as Face, "raw ICMP")) && "raw sockets need CAP_NET_RAW" },
);
