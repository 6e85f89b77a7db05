// `berkeley ping` beside ping(8), with and without the right to a raw socket, answered by the kernel, by CPython by hand, by
// a router that refuses, and by nobody. In networks of their own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFailure } from "#dist/cli/failure.js";
import { addPing } from "#dist/cli/ping.js";
import { Command } from "commander";
import { describeIcmp } from "#dist/cli/ping-errors.js";
import { formatMs, PingStatistics } from "#dist/cli/ping-statistics.js";
import { SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, SO_EE_ORIGIN_LOCAL } from "berkeley";
import { ROOT } from "../support/cli.ts";
import { joinedNetworks, network, NETWORK_SKIP, RIGHT } from "../support/namespace.ts";
import type { Network } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import type { Child, Exit } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const iputils = requirePeer("ping");
const setpriv = requirePeer("setpriv");
const skip = NETWORK_SKIP || iputils.skip || setpriv.skip || PYTHON.skip;
const MAIN = `${ROOT}dist/cli/main.js`;

/** In it group 5 may have ping sockets. */
const GROUP = 'echo "5 5" > /proc/sys/net/ipv4/ping_group_range';

/** As whom it is run: root has raw sockets, group 5 ping sockets, group 6 neither. */
type Who = "root" | 5 | 6;

function ping(where: Network, args: readonly string[], who: Who = "root"): Child {
  const command = [process.execPath, MAIN, "ping", ...args];
  if (who === "root") return where.start(process.execPath, command.slice(1));
  const nobody = [
    "--reuid=65534",
    `--regid=${who}`,
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
  ];
  return where.start(setpriv.path, [...nobody, ...command]);
}

async function pinged(where: Network, args: readonly string[], who?: Who): Promise<Exit> {
  await using child = ping(where, args, who);
  return await child.exited;
}

/** Without what differs from run to run. */
const timeless = (text: string): string =>
  text
    .replaceAll(/time=[\d.]+ ms/g, "time=T ms")
    .replaceAll(/time \d+ms/g, "time T")
    .replaceAll(/= [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms/g, "= T");
const judged = async (where: Network, args: readonly string[]): Promise<Exit> => {
  await using child = where.start(iputils.path, ["-n", ...args]);
  return await child.exited;
};

for (const who of ["root", 5] as const)
  test(`ping tells what ping(8) tells of the same host, ${who === "root" ? "raw socket" : "ping socket"}`, {
    skip,
  }, async () => {
    await using here = await network(GROUP);
    const args = ["-c", "3", "-i", "0.05", "-s", "100", "127.0.0.1"];
    const [ours, theirs] = [await pinged(here, args, who), await judged(here, args)];
    assert.equal(ours.stderr.toString(), "");
    assert.equal(timeless(ours.stdout.toString()), timeless(theirs.stdout.toString()));
    assert.equal(ours.code, 0);
    const times = [...ours.stdout.toString().matchAll(/time=([\d.]+) ms/g)].map(([, ms]) => Number(ms));
    assert.ok(times.length === 3 && times.every((ms) => ms > 0 && ms < 60_000), String(times));
  });

test("ping -6 tells what ping(8) tells over IPv6, but for its first line", { skip }, async () => {
  await using here = await network(GROUP);
  const args = ["-6", "-c", "2", "-i", "0.05", "::1"];
  for (const who of ["root", 5] as const) {
    const ours = timeless((await pinged(here, args, who)).stdout.toString()).split("\n");
    const theirs = timeless((await judged(here, args)).stdout.toString());
    assert.equal(ours[0], "PING ::1 (::1) 56(104) bytes of data.");
    assert.deepEqual(ours.slice(1), theirs.split("\n").slice(1));
  }
});

test("ping without any right says in one sentence which it needs, and ends with 2", { skip }, async () => {
  await using here = await network(GROUP);
  const { code, stderr, stdout } = await pinged(here, ["-c", "1", "127.0.0.1"], 6);
  assert.equal(
    stderr.toString(),
    "berkeley: cannot ping 127.0.0.1: it needs root, the capability CAP_NET_RAW, or a group within net.ipv4.ping_group_range\n",
  );
  assert.equal(stdout.toString(), "");
  assert.equal(code, 2);
});

/** Answers in place of the kernel: what is foreign in one way each, the answer, the answer again. */
const ANSWERING = `
import socket as s, struct
def checksum(b):
    b += bytes(len(b) % 2)
    t = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while t > 65535: t = (t & 65535) + (t >> 16)
    return ~t & 65535
def message(kind, code, id, seq, data):
    body = struct.pack("!BBHHH", kind, code, 0, id, seq) + data
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]
r = s.socket(s.AF_INET, s.SOCK_RAW, s.IPPROTO_ICMP)
r.bind(("127.0.0.2", 0))
print("ready", flush=True)
while True:
    packet, sender = r.recvfrom(65536)
    m = packet[20:]
    if m[0] != 8: continue
    id, seq = struct.unpack("!HH", m[4:8])
    data = m[8:]
    for wrong in (m[:2], message(0, 0, id, seq, b""), message(0, 0, id, seq, data + b"x"),
                  message(0, 0, id, seq, data[:-1] + b"\\x1b"), message(0, 0, id ^ 0x5555, seq, data),
                  message(0, 0, id, seq + 1000, data), message(3, 1, id, seq, b"\\x45" + bytes(30)),
                  message(3, 1, id, seq, bytes(7)), message(11, 0, id, seq, b"\\xff" * 64)):
        r.sendto(wrong, sender)
    for time in range(2): r.sendto(message(0, 0, id, seq, data), sender)
`;

test("ping takes CPython's answers once, and nothing that only looks like one", { skip }, async () => {
  await using where = await network(`${GROUP}; echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all`);
  await using peer = where.start(PYTHON.path, ["-c", ANSWERING]);
  await peer.line(/^ready$/m);
  for (const who of ["root", 5] as const) {
    // Further requests keep it running until all of the first one's answers have come.
    const { code, stderr, stdout } = await pinged(where, ["-c", "3", "-i", "0.1", "127.0.0.2"], who);
    assert.equal(stderr.toString(), "");
    const lines = timeless(stdout.toString()).split("\n");
    assert.deepEqual(
      lines.slice(1, 4),
      [1, 2, 3].map((n) => `64 bytes from 127.0.0.2: icmp_seq=${n} ttl=64 time=T ms`),
    );
    assert.match(
      lines[6] as string,
      /^3 packets transmitted, 3 received, \+[23] duplicates, 0% packet loss, time T$/,
    );
    assert.equal(code, 0);
  }
});

/** A router that passes nothing on: it says so of each echo request, with the type, code and word that it is told. */
const REFUSING = `
import socket as s, struct, sys
def checksum(b):
    t = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while t > 65535: t = (t & 65535) + (t >> 16)
    return ~t & 65535
six, kind, code, word = sys.argv[1] == "6", *map(int, sys.argv[2:])
p = s.socket(s.AF_PACKET, s.SOCK_DGRAM, 0)
p.bind(("v1", 0x86dd if six else 0x0800))
r = s.socket(s.AF_INET6, s.SOCK_RAW, s.IPPROTO_ICMPV6) if six else s.socket(s.AF_INET, s.SOCK_RAW, s.IPPROTO_ICMP)
print("ready", flush=True)
while True:
    packet = p.recv(65536)
    if packet[40 if six else 20] != (128 if six else 8): continue
    body = struct.pack("!BBHI", kind, code, 0, word) + packet
    if not six: body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    r.sendto(body, ("fd09::1" if six else "10.9.8.1", 0))
`;
const REFUSALS: [family: 4 | 6, type: number, code: number, word: number, problem: string][] = [
  [4, 3, 0, 0, "Destination Net Unreachable"],
  [6, 3, 0, 0, "Time exceeded: Hop limit"],
];

test("ping says who could not pass a request on, as ping(8) does, and ends with 1", { skip }, async () => {
  await using networks = await joinedNetworks();
  const { left, right } = networks;
  await using routes = left.start("sh", [
    "-c",
    `ip route add default via ${RIGHT.ipv4}; ip -6 route add default via ${RIGHT.ipv6}; ${GROUP}`,
  ]);
  await routes.succeeded();
  // The kernel would answer for itself.
  await using silent = right.start("ip", ["-6", "route", "add", "blackhole", "fd99::/64"]);
  await silent.succeeded();
  for (const [family, type, code, word, problem] of REFUSALS) {
    await using router = right.start(PYTHON.path, [
      "-c",
      REFUSING,
      ...[family, type, code, word].map(String),
    ]);
    await router.line(/^ready$/m);
    const [host, from] = family === 4 ? ["192.0.2.9", RIGHT.ipv4] : ["fd99::9", RIGHT.ipv6];
    const line = `From ${from} icmp_seq=1 ${problem}`;
    for (const who of ["root", 5] as const) {
      const exit = await pinged(left, ["-c", "1", "-W", "60", host], who);
      const [, told, , , counts] = timeless(exit.stdout.toString()).split("\n");
      assert.equal(told, line);
      assert.equal(counts, "1 packets transmitted, 0 received, +1 errors, 100% packet loss, time T");
      assert.equal(exit.code, 1);
    }
    assert.ok((await judged(left, ["-c", "1", host])).stdout.includes(line));
  }
});

test("ping of a host that is silent ends with 1 after --timeout, and interrupted at once", {
  skip,
}, async () => {
  await using where = await network("echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
  const { code, stdout } = await pinged(where, ["-c", "2", "-i", "0.05", "-W", "0.1", "127.0.0.1"]);
  assert.match(
    stdout.toString(),
    /^PING .*\n\n--- 127\.0\.0\.1 ping statistics ---\n2 packets transmitted, 0 received, 100% packet loss, time \d+ms\n$/,
  );
  assert.equal(code, 1);
  await using child = ping(where, ["127.0.0.1"]);
  await child.line(/^PING/);
  child.kill("SIGINT");
  const interrupted = await child.exited;
  assert.match(interrupted.stdout.toString(), /^1 packets transmitted, 0 received, 100% packet loss/m);
  assert.equal(interrupted.code, 1);
});

test("ping that is answered prints its summary and ends with 0 when it is interrupted", {
  skip,
}, async () => {
  await using here = await network(GROUP);
  await using child = ping(here, ["-i", "0.05", "127.0.0.1"]);
  await child.line(/icmp_seq=2/);
  child.kill("SIGINT");
  const { code, stdout } = await child.exited;
  assert.match(
    stdout.toString(),
    /\d+ packets transmitted, \d+ received, .*\nrtt min\/avg\/max\/mdev = .* ms\n$/,
  );
  assert.equal(code, 0);
});

test("ping of where no route leads says so and ends with 2", { skip }, async () => {
  await using here = await network(GROUP);
  const { code, stderr } = await pinged(here, ["-c", "1", "192.0.2.1"]);
  assert.match(
    stderr.toString(),
    /^berkeley: cannot ping 192\.0\.2\.1: sendto ENETUNREACH: network is unreachable .*\n$/,
  );
  assert.equal(code, 2);
});

const MISUSE: Readonly<Record<string, readonly [args: string[], message: RegExp]>> = {
  "a count of 0": [["-c", "0", "h"], /--count is a whole number from 1/],
  "a count that is no number": [["-c", "1e3", "h"], /--count is a whole number/],
  "an interval that is too short": [["-i", "0.001", "h"], /--interval is at least 0\.002 seconds/],
  "a size that IP cannot carry": [["-s", "65508", "h"], /--size is a whole number from 0 to 65507/],
  "both families": [["-4", "-6", "h"], /-4 and -6 exclude each other/],
  "a name that does not resolve": [
    ["no-such-host.invalid"],
    /cannot ping no-such-host\.invalid: the name .* does not resolve/,
  ],
  "a name with an escape, which it does not pass on": [
    ["\x1b[31m.invalid"],
    /cannot ping \\x1b\[31m\.invalid: the name "\\u001b/,
  ],
};

test("ping refuses with a sentence and 2 what it cannot be asked", async () => {
  for (const [what, [args, message]] of Object.entries(MISUSE)) {
    const command = new Command().exitOverride().configureOutput({ writeErr() {} });
    addPing(command);
    await assert.rejects(command.parseAsync(["node", "berkeley", "ping", ...args]), (error) => {
      const described = describeFailure(error);
      assert.match(described.message, message, what);
      assert.equal(described.exitCode, 2, what);
      return true;
    });
  }
});

test("PingStatistics counts answers once, and does not believe a time that cannot be", () => {
  const statistics = new PingStatistics();
  for (const sequence of [1, 2, 3, 65_537])
    statistics.sent(sequence, sequence === 65_537 ? 900 : sequence * 100);
  assert.equal(statistics.replied(2, 203), 3);
  assert.equal(statistics.replied(2, 204), undefined);
  assert.equal(statistics.replied(3, 310, 1), 1);
  assert.equal(statistics.replied(1, 905, 2000), 5, "65537 goes as 1");
  assert.equal(statistics.replied(9, 905), undefined);
  statistics.errors = 1;
  assert.deepEqual(statistics.lines("h", 1234.5), [
    "--- h ping statistics ---",
    "4 packets transmitted, 3 received, +1 duplicates, +1 errors, 25% packet loss, time 1235ms",
    "rtt min/avg/max/mdev = 1.000/3.000/5.000/1.633 ms",
  ]);
  const third = new PingStatistics();
  for (const sequence of [1, 2, 3]) third.sent(sequence, 0);
  third.replied(1, 1, -5);
  assert.match(third.lines("h", 0)[1] as string, / 66\.6667% packet loss/);
  assert.match(new PingStatistics().lines("h", 0)[1] as string, /^0 packets .* 0% packet loss/);
});

test("formatMs() has as many digits as ping(8)", () => {
  assert.deepEqual([0.0211, 1.234, 12.34, 123.4].map(formatMs), ["0.021", "1.23", "12.3", "123"]);
});

test("describeIcmp() has words for every type and code, known or not", () => {
  for (const origin of [SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, SO_EE_ORIGIN_LOCAL])
    for (let type = 0; type < 256; type++)
      for (const code of [0, 1, 2, 3, 4, 5, 6, 13, 200, 255])
        assert.match(describeIcmp({ errno: 113, origin, type, code, info: 1400 }), /^[A-Z][ -~]+$/);
  assert.equal(
    describeIcmp({ errno: 90, origin: SO_EE_ORIGIN_ICMP, type: 3, code: 4, info: 1400 }),
    "Frag needed and DF set (mtu = 1400)",
  );
  assert.equal(
    describeIcmp({ errno: 90, origin: SO_EE_ORIGIN_LOCAL, type: 0, code: 0, info: 1500 }),
    "Message too long, mtu=1500",
  );
});
