// sock.options: names, types, values as the kernel keeps them. Lines under @ts-expect-error fail the build when the
// compiler does not refuse them.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as b from "berkeley";
import { definitions } from "#dist/socket/options/typed.js";
import { listenAt } from "../support/berkeley-tcp.ts";

test("options has the types of the values, checked by the compiler", () => {
  using sock = b.socket();
  const { options } = sock;
  const flag: boolean = options.TCP_NODELAY;
  const linger: b.Linger = options.SO_LINGER;
  const rtt: number = options.TCP_INFO.rtt;
  const algorithm: string = options.TCP_CONGESTION;
  const cookie: bigint = options.SO_COOKIE;
  assert.deepEqual(
    [typeof flag, typeof rtt, typeof algorithm, typeof cookie],
    ["boolean", "number", "string", "bigint"],
  );
  assert.deepEqual(linger, { onoff: false, linger: 0 });
  // @ts-expect-error a number is not a boolean
  assert.throws(() => (options.TCP_NODELAY = 1), { code: "ERR_INVALID_ARG_TYPE" });
  // @ts-expect-error a string is not a number
  assert.throws(() => (options.TCP_USER_TIMEOUT = "5 s"), { code: "ERR_INVALID_ARG_TYPE" });
  // @ts-expect-error a member is missing
  assert.throws(() => (options.SO_LINGER = { onoff: true }), { code: "ERR_INVALID_ARG_TYPE" });
  // @ts-expect-error it is only read
  assert.throws(() => (options.SO_TYPE = b.SOCK_DGRAM), TypeError);
  // @ts-expect-error it is only read
  assert.throws(() => (options.TCP_INFO = {}), TypeError);
  // @ts-expect-error an action is not a value
  assert.throws(() => (options.IP_ADD_MEMBERSHIP = { group: "239.1.2.3" }), TypeError);
  // @ts-expect-error no option has this name
  assert.equal(options.TCP_NODELEY, undefined);
});

/** Options that are set and read back; where the kernel keeps another value, that one follows. */
const ROUND_TRIPS: readonly [
  make: () => b.Socket,
  name: keyof b.TypedOptions,
  value: unknown,
  kept?: unknown,
][] = [
  [b.socket, "SO_KEEPALIVE", true],
  [b.socket, "SO_REUSEADDR", true],
  [b.socket, "SO_REUSEPORT", true],
  [b.socket, "SO_LINGER", { onoff: true, linger: 7 }],
  [b.socket, "SO_RCVBUF", 20_000, 40_000],
  [b.socket, "SO_SNDBUF", 20_000, 40_000],
  [b.socket, "SO_RCVTIMEO", 1.5],
  [b.socket, "SO_SNDTIMEO", 2.5],
  [b.socket, "SO_PRIORITY", 6],
  [b.socket, "SO_MAX_PACING_RATE", 5_000_000_000],
  [b.socket, "SO_INCOMING_CPU", 0],
  [b.socket, "SO_TIMESTAMPING", b.SOF_TIMESTAMPING_RX_SOFTWARE | b.SOF_TIMESTAMPING_SOFTWARE],
  [b.socket, "SO_BINDTODEVICE", "lo"],
  [b.socket, "TCP_NODELAY", true],
  [b.socket, "TCP_CORK", true],
  [b.socket, "TCP_CONGESTION", "reno"],
  [b.socket, "TCP_USER_TIMEOUT", 5000],
  [b.socket, "TCP_KEEPIDLE", 60],
  [b.socket, "TCP_KEEPINTVL", 5],
  [b.socket, "TCP_KEEPCNT", 3],
  [b.socket, "TCP_SYNCNT", 2],
  [b.socket, "TCP_NOTSENT_LOWAT", 4_000_000_000],
  [b.socket, "TCP_FASTOPEN_CONNECT", true],
  [b.socket, "TCP_FASTOPEN_KEY", Buffer.from("0123456789abcdef")],
  [b.socket, "TCP_QUICKACK", false],
  [b.socket, "TCP_MAXSEG", 1000],
  [b.socket, "IP_TOS", b.IPTOS_LOWDELAY],
  [b.socket, "IP_TTL", 33],
  [b.socket, "IP_MTU_DISCOVER", b.IP_PMTUDISC_DO],
  [b.socket, "IP_BIND_ADDRESS_NO_PORT", true],
  [b.socket, "IP_OPTIONS", Buffer.from([1, 1, 1, 1])],
  [datagram, "SO_BROADCAST", true],
  [datagram, "SO_NO_CHECK", true],
  [datagram, "IP_MULTICAST_TTL", 7],
  [datagram, "IP_MULTICAST_LOOP", false],
  [datagram, "IP_MULTICAST_ALL", false],
  [datagram, "IP_MULTICAST_IF", "127.0.0.1"],
  [datagram, "IP_PKTINFO", true],
  [datagram, "IP_RECVTOS", true],
  [datagram, "IP_RECVERR", true],
  [datagram, "IP_UNICAST_IF", 1],
  [datagram, "UDP_CORK", true],
  [datagram, "UDP_SEGMENT", 1200],
  [datagram, "UDP_GRO", true],
  [six, "IPV6_V6ONLY", true],
  [six, "IPV6_UNICAST_HOPS", 9],
  [six, "IPV6_TCLASS", 0x28],
  [six, "IPV6_RECVPKTINFO", true],
  [six, "IPV6_MULTICAST_IF", 1],
  [six, "IPV6_MULTICAST_HOPS", 3],
  [six, "IPV6_DONTFRAG", true],
  [six, "IPV6_ADDR_PREFERENCES", b.IPV6_PREFER_SRC_TMP | b.IPV6_PREFER_SRC_HOME],
];

function datagram(): b.Socket {
  return b.socket(b.AF_INET, b.SOCK_DGRAM);
}

function six(): b.Socket {
  return b.socket(b.AF_INET6, b.SOCK_DGRAM);
}

for (const [make, name, value, kept = value] of ROUND_TRIPS)
  test(`options.${name} reads back what was set`, () => {
    using sock = make();
    const options = sock.options as unknown as Record<string, unknown>;
    options[name] = value;
    if (typeof kept === "number" && name === "IPV6_ADDR_PREFERENCES")
      assert.equal((options[name] as number) & kept, kept);
    else assert.deepEqual(options[name], kept);
  });

test("options.IP_MULTICAST_IF takes an interface's index and answers with its address", () => {
  using sock = datagram();
  sock.options.IP_MULTICAST_IF = 1;
  assert.equal(typeof sock.options.IP_MULTICAST_IF, "string");
});

test("options.SO_RCVLOWAT delays a receive until so many bytes are there", async () => {
  using listener = listenAt();
  using client = await b.create_connection(["127.0.0.1", listener.port]);
  using conn = await listener.accept();
  conn.options.SO_RCVLOWAT = 4;
  const received = conn.recv(100);
  await client.sendall("ab");
  await client.sendall("cd");
  assert.equal((await received).toString(), "abcd");
});

test("options.TCP_INFO tells of a live connection", async () => {
  using listener = listenAt();
  using client = await b.create_connection(["127.0.0.1", listener.port]);
  using conn = await listener.accept();
  await client.sendall("hello");
  assert.equal((await conn.recv(100)).length, 5);
  const info = conn.options.TCP_INFO;
  assert.equal(info.state, b.TCP_ESTABLISHED);
  assert.equal(info.bytes_received, 5);
  assert.ok(info.rtt >= 0 && info.rtt < 60_000_000);
  assert.ok(info.snd_mss > 100 && info.pmtu > 100);
  assert.equal(client.options.TCP_INFO.bytes_acked, 5 + 1); // the SYN counts
  assert.equal(listener.server.options.TCP_INFO.state, b.TCP_LISTEN);
});

test("options.SO_LINGER of zero resets the connection on close", async () => {
  using listener = listenAt();
  using client = await b.create_connection(["127.0.0.1", listener.port]);
  const conn = await listener.accept();
  conn.options.SO_LINGER = { onoff: true, linger: 0 };
  conn.close();
  await assert.rejects(client.recv(1), { code: "ECONNRESET" });
});

test("options.SO_ERROR reads the pending error once", async () => {
  using listener = listenAt();
  using client = await b.create_connection(["127.0.0.1", listener.port]);
  assert.equal(client.options.SO_ERROR, 0);
});

test("options.SO_DETACH_FILTER, _LOCK_FILTER and _ATTACH_FILTER act as methods and values", () => {
  using sock = datagram();
  const program = [{ code: 0x06, jt: 0, jf: 0, k: 100 }];
  assert.throws(() => sock.options.SO_DETACH_FILTER(), {
    code: "ENOENT",
    message: /option SO_DETACH_FILTER$/,
  });
  assert.deepEqual(sock.options.SO_GET_FILTER, []);
  sock.options.SO_ATTACH_FILTER(program);
  assert.deepEqual(sock.options.SO_GET_FILTER, program);
  sock.options.SO_DETACH_FILTER();
  assert.deepEqual(sock.options.SO_GET_FILTER, []);
  sock.options.SO_LOCK_FILTER = true;
  assert.equal(sock.options.SO_LOCK_FILTER, true);
  assert.throws(() => sock.options.SO_ATTACH_FILTER(program), { code: "EPERM" });
});

test("options.SO_ATTACH_FILTER refuses a program that the kernel does not accept", () => {
  using sock = datagram();
  assert.throws(() => sock.options.SO_ATTACH_FILTER([]), { code: "EINVAL" });
  // A jump beyond the end.
  assert.throws(() => sock.options.SO_ATTACH_FILTER([{ code: 0x05, jt: 0, jf: 0, k: 9 }]), {
    code: "EINVAL",
  });
});

test("options says which name this system does not know", () => {
  using sock = b.socket();
  const [missing] = [...definitions].find(([, definition]) => definition.name === -1) ?? [];
  if (missing !== undefined)
    assert.throws(() => (sock.options as unknown as Record<string, unknown>)[missing], {
      code: "ENOPROTOOPT",
      message: `getsockopt ENOPROTOOPT: this system has no option ${missing}`,
    });
  // Bluetooth's levels are numbers that mean others elsewhere.
  assert.throws(() => sock.options.L2CAP_OPTIONS, {
    code: "ENOPROTOOPT",
    message: /family 2 has no option L2CAP_OPTIONS$/,
  });
});

test("options names every option of its levels that takes a plain value", () => {
  // Not values, not for programs, or unimplemented in any kernel: each with its reason.
  const without = new Set([
    "SO_BSDCOMPAT", // does nothing
    "SO_DETACH_BPF", // SO_DETACH_FILTER under another name
    "SO_DEVMEM_DMABUF", // a control message
    "SO_DEVMEM_DONTNEED", // needs rings of device memory
    "SO_DEVMEM_LINEAR", // a control message
    "SO_PEERNAME", // getpeername()
    "SO_RCVTIMEO_NEW", // SO_RCVTIMEO chooses
    "SO_RCVTIMEO_OLD",
    "SO_SECURITY_AUTHENTICATION", // never implemented
    "SO_SECURITY_ENCRYPTION_NETWORK",
    "SO_SECURITY_ENCRYPTION_TRANSPORT",
    "SO_SNDTIMEO_NEW",
    "SO_SNDTIMEO_OLD",
    "SO_TIMESTAMPING_NEW",
    "SO_TIMESTAMPING_OLD",
    "SO_TIMESTAMPNS_NEW",
    "SO_TIMESTAMPNS_OLD",
    "SO_TIMESTAMP_NEW",
    "SO_TIMESTAMP_OLD",
  ]);
  const values = Object.keys(b).filter((name) => /^SO_(?!EE_|J1939|VM_|RDS|ORIGINAL)/.test(name));
  for (const name of values)
    assert.equal(definitions.has(name), !without.has(name), `${name} is told of once, here or in the tables`);
});

const READABLE: Record<string, () => b.Socket> = {
  TCP: b.socket,
  "TCP over IPv6": () => b.socket(b.AF_INET6),
  UDP: datagram,
  "UDP over IPv6": six,
  Unix: () => b.socket(b.AF_UNIX),
  netlink: () => b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE),
};

for (const [kind, make] of Object.entries(READABLE))
  test(`options of a ${kind} socket read, or are refused with their names`, () => {
    using sock = make();
    const options = sock.options as unknown as Record<string, unknown>;
    let read = 0;
    for (const [name, { kind: what }] of definitions) {
      if (what !== "option" && what !== "fact") continue;
      try {
        assert.notEqual(options[name], undefined);
        read++;
      } catch (error) {
        assert.ok(error instanceof b.SocketError, `${name}: ${String(error)}`);
        assert.match(error.message, new RegExp(`option ${name}\\b`));
      }
    }
    assert.ok(read > 40, `${read} options were read`);
  });
