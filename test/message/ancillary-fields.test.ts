// Control messages by name: what decode_ancillary makes of what the kernel and CPython send, and what the kernel and
// CPython make of what encode_ancillary gives.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_UNIX,
  CMSG_LEN,
  CMSG_SPACE,
  IPPROTO_IP,
  MSG_CTRUNC,
  SCM_RIGHTS,
  SOCK_DGRAM,
  SOL_SOCKET,
  close,
  decode_ancillary,
  encode_ancillary,
  if_nametoindex,
  socketpair,
} from "berkeley";
import type { AncillaryFields, AncillaryToSend, ReceivedAncillary, Socket } from "berkeley";
import { decodeAncillary, encodeAncillary } from "#dist/socket/ancillary.js";
import { decodeFields } from "#dist/socket/ancillary/fields.js";
import { random } from "../support/ask-python.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { udpAt, udpPair } from "../support/udp.ts";

const ROOM = 512;
const lo = if_nametoindex("lo");

/** What the second socket hears of a datagram of the first, once it has asked. */
async function heard(
  host: string,
  ask: (receiver: Socket) => void,
  sent: AncillaryToSend = {},
): Promise<AncillaryFields> {
  using pair = udpPair(host);
  ask(pair.b);
  await pair.a.sendmsg(["x"], encode_ancillary(sent), 0, pair.to);
  const [, ancdata, flags] = await pair.b.recvmsg(64, ROOM);
  assert.equal(flags & MSG_CTRUNC, 0);
  return decode_ancillary(ancdata);
}

const CASES: readonly [
  name: string,
  host: string,
  ask: (receiver: Socket) => void,
  sent: AncillaryToSend,
  fields: AncillaryFields,
][] = [
  ["IP_TTL", "127.0.0.1", ({ options }) => (options.IP_RECVTTL = true), { IP_TTL: 7 }, { IP_TTL: 7 }],
  ["IP_TOS", "127.0.0.1", ({ options }) => (options.IP_RECVTOS = true), { IP_TOS: 0xba }, { IP_TOS: 0xba }],
  [
    "IP_PKTINFO",
    "127.0.0.1",
    ({ options }) => (options.IP_PKTINFO = true),
    { IP_PKTINFO: { ifindex: lo } },
    { IP_PKTINFO: { ifindex: lo, spec_dst: "127.0.0.1", addr: "127.0.0.1" } },
  ],
  [
    "IPV6_HOPLIMIT",
    "::1",
    ({ options }) => (options.IPV6_RECVHOPLIMIT = true),
    { IPV6_HOPLIMIT: 3 },
    { IPV6_HOPLIMIT: 3 },
  ],
  [
    "IPV6_TCLASS",
    "::1",
    ({ options }) => (options.IPV6_RECVTCLASS = true),
    { IPV6_TCLASS: 0x29 },
    { IPV6_TCLASS: 0x29 },
  ],
  [
    "IPV6_PKTINFO",
    "::1",
    ({ options }) => (options.IPV6_RECVPKTINFO = true),
    { IPV6_PKTINFO: { addr: "::1", ifindex: lo } },
    { IPV6_PKTINFO: { addr: "::1", ifindex: lo } },
  ],
  [
    "several at once",
    "::1",
    ({ options }) => (options.IPV6_RECVTCLASS = options.IPV6_RECVHOPLIMIT = true),
    { IPV6_TCLASS: 2, IPV6_HOPLIMIT: 9, IPV6_DONTFRAG: true },
    { IPV6_TCLASS: 2, IPV6_HOPLIMIT: 9 },
  ],
];

for (const [name, host, ask, sent, fields] of CASES)
  test(`decode_ancillary() gives what encode_ancillary() sent over the kernel: ${name}`, async () => {
    assert.deepEqual(await heard(host, ask, sent), fields);
  });

test("encode_ancillary() picks the source address with IP_PKTINFO", async () => {
  using receiver = udpAt();
  using sender = udpAt("0.0.0.0");
  const fields = encode_ancillary({ IP_PKTINFO: { spec_dst: "127.0.0.5" } });
  await sender.sendmsg(["x"], fields, 0, receiver.getsockname());
  assert.equal((await receiver.recvfrom(1))[1][0], "127.0.0.5");
});

test("decode_ancillary() gives the destination with IP_ORIGDSTADDR and IPV6_ORIGDSTADDR", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    using pair = udpPair(host);
    const option = host === "::1" ? "IPV6_RECVORIGDSTADDR" : "IP_RECVORIGDSTADDR";
    pair.b.options[option] = true;
    await pair.a.sendto("x", pair.to);
    const fields = decode_ancillary((await pair.b.recvmsg(1, ROOM))[1]);
    assert.deepEqual(fields.IP_ORIGDSTADDR ?? fields.IPV6_ORIGDSTADDR, pair.to);
  }
});

test("decode_ancillary() gives times of arrival in nanoseconds", async () => {
  // Of one clock in two units: what differs is what happened between.
  for (const option of ["SO_TIMESTAMP", "SO_TIMESTAMPNS"] as const) {
    const before = BigInt(Date.now()) * 1_000_000n;
    const fields = await heard("127.0.0.1", ({ options }) => (options[option] = true));
    const time = fields[option === "SO_TIMESTAMP" ? "SCM_TIMESTAMP" : "SCM_TIMESTAMPNS"] as bigint;
    assert.ok(time >= before - 1_000_000n && time <= BigInt(Date.now() + 1) * 1_000_000n, String(time));
  }
});

test("decode_ancillary() tells with UDP_GRO the size of datagrams that UDP_SEGMENT had cut", async () => {
  using pair = udpPair();
  pair.b.options.UDP_GRO = true;
  const whole = Buffer.alloc(1050, "ab");
  await pair.a.sendmsg([whole], encode_ancillary({ UDP_SEGMENT: 100 }), 0, pair.to);
  let count = 0;
  while (count < whole.length) {
    const [data, ancdata] = await pair.b.recvmsg(2000, ROOM);
    count += data.length;
    // What came alone says nothing.
    if (data.length > 100) assert.equal(decode_ancillary(ancdata).UDP_GRO, 100);
    else assert.deepEqual(decode_ancillary(ancdata), {});
  }
  assert.equal(count, whole.length);
});

test("decode_ancillary() gives the sender's credentials, process and descriptors", async () => {
  const [first, second] = socketpair(AF_UNIX, SOCK_DGRAM);
  using a = first;
  using b = second;
  b.options.SO_PASSCRED = true;
  const [uid, gid] = [process.getuid?.() as number, process.getgid?.() as number];
  const sent = { SCM_RIGHTS: [a.fileno(), b.fileno()], SCM_CREDENTIALS: { pid: process.pid, uid, gid } };
  await a.sendmsg(["x"], encode_ancillary(sent));
  const fields = decode_ancillary((await b.recvmsg(1, ROOM))[1]);
  assert.deepEqual(fields.SCM_CREDENTIALS, sent.SCM_CREDENTIALS);
  assert.equal(fields.SCM_RIGHTS?.length, 2);
  for (const fd of fields.SCM_RIGHTS ?? []) close(fd);
});

test("decode_ancillary() leaves out what was cut for want of room", async () => {
  using pair = udpPair();
  pair.b.options.IP_PKTINFO = true;
  await pair.a.sendto("x", pair.to);
  const [, ancdata, flags] = await pair.b.recvmsg(1, CMSG_LEN(11));
  assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
  assert.equal(ancdata[0]?.[2].length, 11);
  assert.deepEqual(decode_ancillary(ancdata), {});
});

test("decode_ancillary() gives all descriptors that there are, of two lists and of one that was cut", () => {
  const rights = (...fds: number[]): ReceivedAncillary => [
    SOL_SOCKET,
    SCM_RIGHTS,
    Buffer.from(Int32Array.from(fds).buffer),
  ];
  assert.deepEqual(decode_ancillary([rights(5, 6), rights(7)]), { SCM_RIGHTS: [5, 6, 7] });
  const [level, type, data] = rights(5, 6);
  assert.deepEqual(decode_ancillary([[level, type, data.subarray(0, 7)]]), { SCM_RIGHTS: [5] });
});

test("decode_ancillary() leaves alone what has no name here", () => {
  assert.deepEqual(decode_ancillary([]), {});
  assert.deepEqual(decode_ancillary([[12_345, 1, Buffer.alloc(4)]]), {});
  assert.deepEqual(decode_ancillary([[SOL_SOCKET, -1, Buffer.alloc(4)]]), {});
});

test("decode_ancillary() holds whatever bytes come, and decodeFields() agrees with it", () => {
  const places = encode_ancillary({
    IP_TTL: 1,
    IP_PKTINFO: {},
    SCM_RIGHTS: [],
    IPV6_PKTINFO: { addr: "::", ifindex: 0 },
  });
  const known = [
    ...places.map(([level, type]) => [level, type] as const),
    [IPPROTO_IP, 11],
    [41, 25],
    [1, 37],
  ];
  for (let seed = 0; seed < 3000; seed++) {
    const next = random(seed);
    const items = Array.from({ length: next(6) }, () => {
      const [level, type] = known[next(known.length)] as readonly [number, number];
      return [level, type, Uint8Array.from({ length: next(70) }, () => next(256))] as const;
    });
    const control = encodeAncillary(items);
    const fields = decode_ancillary(decodeAncillary(control, control.length));
    assert.deepEqual(decodeFields(control, control.length), fields, `seed ${seed}`);
  }
});

test("encode_ancillary() and decode_ancillary() refuse what they do not take, by name", () => {
  const type = { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" };
  const wrong = (value: unknown): never => value as never;
  assert.throws(() => encode_ancillary(wrong(5)), type);
  assert.throws(() => encode_ancillary(wrong({ SO_RXQ_OVFL: 5 })), type);
  assert.throws(() => encode_ancillary(wrong({ toString: 5 })), type);
  assert.throws(() => encode_ancillary({ IP_TTL: wrong("7") }), { ...type, message: /^IP_TTL/ });
  assert.throws(() => encode_ancillary({ UDP_SEGMENT: 65_536 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => encode_ancillary({ IP_PKTINFO: { spec_dst: "::1" } }), { code: "EAI_NONAME" });
  assert.deepEqual(encode_ancillary({ IP_TTL: undefined }), []);
  assert.throws(() => decode_ancillary(wrong(5)), type);
  assert.throws(() => decode_ancillary(wrong([5])), type);
  assert.throws(() => decode_ancillary(wrong([[1, 2, "x"]])), type);
});

test("encode_ancillary()'s fields reach CPython, and its reach decode_ancillary()", {
  skip: PYTHON.skip,
}, async () => {
  await using peer = python(`
sock = socket(AF_INET6, SOCK_DGRAM)
sock.bind(("::1", 0))
for option in (IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_RECVPKTINFO): sock.setsockopt(IPPROTO_IPV6, option, 1)
say("port", sock.getsockname()[1])
data, ancdata, flags, address = sock.recvmsg(64, 256)
values = {kind: value for level, kind, value in ancdata}
ttl, tos = (struct.unpack("i", values[kind])[0] for kind in (IPV6_HOPLIMIT, IPV6_TCLASS))
sock.sendmsg([data], [
    (IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("i", ttl + 1)),
    (IPPROTO_IPV6, IPV6_TCLASS, struct.pack("i", tos + 1)),
], 0, address)`);
  using sock = udpAt("::1");
  sock.options.IPV6_RECVHOPLIMIT = sock.options.IPV6_RECVTCLASS = true;
  const fields = encode_ancillary({ IPV6_HOPLIMIT: 12, IPV6_TCLASS: 0x40 });
  await sock.sendmsg(["x"], fields, 0, ["::1", await portOf(peer)]);
  const [, ancdata] = await sock.recvmsg(1, 2 * CMSG_SPACE(4));
  assert.deepEqual(decode_ancillary(ancdata), { IPV6_HOPLIMIT: 13, IPV6_TCLASS: 0x41 });
});
