// `berkeley capture` beside tcpdump(8) on the same traffic, its files in tshark's hands, and what hostile frames do to it.
// In networks of their own, with CPython's traffic.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { addCapture } from "#dist/cli/capture.js";
import { describeFailure } from "#dist/cli/failure.js";
import { Command } from "commander";
import { ROOT, run } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import { joinedNetworks, LEFT, network, NETWORK_SKIP, RIGHT } from "../support/namespace.ts";
import type { Network } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import type { Child } from "../support/process.ts";
import { start } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const tcpdump = requirePeer("tcpdump");
const tshark = requirePeer("tshark");
const setpriv = requirePeer("setpriv");
const skip = NETWORK_SKIP || tcpdump.skip || tshark.skip || setpriv.skip || PYTHON.skip;
const COMMAND = [`${ROOT}dist/cli/main.js`, "capture"];

/** A line at a time, each packet when it comes, with room for packets of 64 KiB. */
const DUMP = ["-nn", "-l", "--immediate-mode", "-s", "100000", "-B", "32768"];

/** Starts a capture; it has begun when this resolves. */
async function capture(where: Network, ...args: string[]): Promise<Child> {
  const child = where.start(process.execPath, [...COMMAND, ...args]);
  await child.line(/^berkeley: capturing on .*; Ctrl-C ends it$/m, "stderr");
  return child;
}

async function program(where: Network, text: string, ...args: string[]): Promise<void> {
  await using child = where.start(PYTHON.path, ["-c", text, ...args]);
  await child.succeeded();
}

/** TCP and UDP over both families, a port that nobody has; then the last datagram, which says that all has come. */
const TRAFFIC = `
from socket import *
for family, host in ((AF_INET, "127.0.0.1"), (AF_INET6, "::1")):
    listener = create_server((host, 50000), family=family)
    client = create_connection((host, 50000), source_address=(host, 40000))
    conn, _ = listener.accept()
    client.sendall(b"\\x1b[31mhello")
    conn.recv(100)
    conn.sendall(b"x" * 3000)
    size = 0
    while size < 3000: size += len(client.recv(65536))
    conn.close(); client.close(); listener.close()
    udp = socket(family, SOCK_DGRAM)
    udp.bind((host, 40001))
    udp.sendto(b"nobody", (host, 50001))
listening = socket(AF_INET, SOCK_DGRAM)
listening.bind(("127.0.0.1", 50002))
last = socket(AF_INET, SOCK_DGRAM)
last.bind(("127.0.0.1", 40002))
last.sendto(b"over", ("127.0.0.1", 50002))
`;
const OVER = /\.40002 > .*\.50002: UDP, length 4\n/;
const TIME = /^\d\d:\d\d:\d\d\.\d{6} /gm;

/** What ours is asked, and tcpdump for the same. */
const TWINS: Readonly<Record<string, readonly [ours: readonly string[], theirs: readonly string[]]>> = {
  "an interface": [
    ["-I", "lo"],
    ["-i", "lo"],
  ],
  "all interfaces": [[], ["-i", "any"]],
  "an interface, in hexadecimal": [
    ["-I", "lo", "-x"],
    ["-i", "lo", "-X"],
  ],
};

/** "14:05:06.123456 …" as seconds of the day. */
const secondsOf = (line: string): number =>
  line
    .slice(0, 15)
    .split(":")
    .reduce((sum, part) => sum * 60 + Number(part), 0);

test("capture tells what tcpdump tells of the same packets, and when", { skip }, async () => {
  await using here = await network();
  const begun = Object.entries(TWINS).map(async ([what, [ours, theirs]]) => {
    const dump = here.start(tcpdump.path, [...DUMP, "-S", ...theirs]);
    await dump.line(/listening on/, "stderr");
    return { what, dump, child: await capture(here, ...ours) };
  });
  const pairs = await Promise.all(begun);
  await program(here, TRAFFIC);
  for (const { what, ...pair } of pairs) {
    await using child = pair.child;
    await using dump = pair.dump;
    const over = what.includes("hex") ? new RegExp(`${OVER.source}(?:\t0x.*\n){2}`) : OVER;
    await Promise.all([child.line(over), dump.line(over)]);
    for (const each of [child, dump]) each.kill("SIGINT");
    const [mine, other] = await Promise.all([child.exited, dump.exited]);
    const [text, judge] = [mine, other].map(({ stdout }) => stdout.toString().trimEnd()) as [string, string];
    assert.equal(text.replaceAll(TIME, ""), judge.replaceAll(TIME, ""), what);
    assert.match(text, /^[\n\t -~]*$/);
    const [times, theirs] = [text, judge].map((lines) => (lines.match(TIME) ?? []).map(secondsOf));
    assert.ok(times !== undefined && times.length > 20);
    // Both are the kernel's, taken once for each packet or nearly so; whoever passes midnight is far off.
    const apart = times.map((time, index) => Math.abs(time - (theirs?.[index] ?? 0)));
    assert.ok(apart.filter((seconds) => seconds < 0.001).length > times.length / 2, String(apart));
    const { length } = times;
    const told = `berkeley: ${length} packets captured, ${length} passed the filter, 0 dropped by the kernel\n`;
    assert.ok(mine.stderr.toString().endsWith(told), mine.stderr.toString());
    assert.equal(mine.code, 0);
  }
});

async function fields(file: string, ...wanted: readonly string[]): Promise<string[][]> {
  const args = ["-n", "-r", file, "-T", "fields", ...wanted.flatMap((field) => ["-e", field])];
  await using child = start(tshark.path, args);
  const text = (await child.succeeded()).stdout.toString().replace(/\n$/, "");
  return text === "" ? [] : text.split("\n").map((line) => line.split("\t"));
}

/** The lines that tcpdump makes of a file, with link-layer headers. */
async function linesIn(file: string): Promise<string[]> {
  await using child = start(tcpdump.path, ["-nn", "-e", "-t", "-r", file]);
  const text = (await child.succeeded()).stdout.toString().trimEnd();
  return text === "" ? [] : text.split("\n");
}

test("capture --filter keeps in the kernel what does not match, from the first packet on", {
  skip,
}, async () => {
  await using here = await network();
  // Traffic that never matches, before and while the capture begins.
  const noise = `
from socket import *
s = socket(AF_INET, SOCK_DGRAM)
s.bind(("127.0.0.1", 40009))
print("on", flush=True)
while True: s.sendto(b"noise", ("127.0.0.1", 50009))`;
  await using noisy = here.start(PYTHON.path, ["-c", noise]);
  await noisy.line(/^on$/m);
  await using child = await capture(here, "-I", "lo", "-f", "udp dst port 50002");
  await program(here, TRAFFIC);
  await child.line(OVER);
  child.kill("SIGTERM");
  const { code, stderr, stdout } = await child.exited;
  assert.match(
    stdout.toString().replace(TIME, ""),
    /^IP 127\.0\.0\.1\.40002 > 127\.0\.0\.1\.50002: UDP, length 4\n$/,
  );
  assert.match(stderr.toString(), /\nberkeley: 1 packets captured, 1 passed the filter, 0 dropped/);
  assert.equal(code, 0);
});

test("capture --write makes a file that tshark reads, with what it came to at its end", {
  skip,
}, async () => {
  await using here = await network();
  using files = folder();
  const file = files.path("a.pcapng");
  writeFileSync(file, "what was there before");
  await using child = await capture(here, "-f", "udp", "--write", file);
  await program(here, TRAFFIC);
  await child.line(OVER);
  child.kill("SIGINT");
  const lines = (await child.succeeded()).stdout.toString().trim().split("\n");
  const read = await fields(file, "frame.interface_name", "frame.protocols", "udp.dstport", "frame.cap_len");
  assert.equal(read.length, lines.length);
  assert.deepEqual(read, [
    ["lo", "sll:ethertype:ip:udp:data", "50001", "50"],
    ["lo", "sll:ethertype:ipv6:udp:data", "50001", "70"],
    ["lo", "sll:ethertype:ip:udp:data", "50002", "48"],
  ]);
  await using info = start(requirePeer("capinfos").path, [file]);
  const told = (await info.succeeded()).stdout.toString();
  assert.match(told, /Filter string = udp/);
  assert.match(told, /Number of stat entries = 1/);
});

test("capture --write - gives a file to whoever reads standard output: tshark", { skip }, async () => {
  await using here = await network();
  const script = '"$0" "$@" | "$TSHARK" -n -l -r - -T fields -e udp.dstport';
  await using child = here.start(
    "sh",
    ["-c", script, process.execPath, ...COMMAND, "-I", "lo", "-f", "udp port 50002", "-c", "1", "-w", "-"],
    { env: { TSHARK: tshark.path } },
  );
  await child.line(/capturing on lo/, "stderr");
  await program(here, TRAFFIC);
  assert.equal((await child.succeeded()).stdout.toString(), "50002\n");
});

test("a capture that is killed leaves a file that tcpdump reads to its last packet", { skip }, async () => {
  await using here = await network();
  using files = folder();
  const file = files.path("killed.pcapng");
  await using child = await capture(here, "-I", "lo", "--write", file);
  await program(here, TRAFFIC);
  await child.line(OVER); // a packet is in the file before its line is printed
  child.kill("SIGKILL");
  const { stdout } = await child.exited;
  assert.equal((await linesIn(file)).length, stdout.toString().trim().split("\n").length);
});

/** Sends frames, given in hexadecimal one a line, out of an interface. */
const SENDER = `
import sys
from socket import *
s = socket(AF_PACKET, SOCK_RAW, 0)
s.bind((sys.argv[1], 0x88b5))
for line in sys.stdin: s.send(bytes.fromhex(line))
`;
const hexOf = (mac: string): string => mac.replaceAll(":", "");
const HEAD = hexOf(LEFT.mac) + hexOf(RIGHT.mac);

async function sendFrames(where: Network, frames: readonly string[]): Promise<void> {
  await using sender = where.start(PYTHON.path, ["-c", SENDER, RIGHT.name], { input: frames.join("\n") });
  await sender.succeeded();
}

test("capture puts the tags of VLANs back, in lines and in files", { skip }, async () => {
  await using networks = await joinedNetworks();
  using files = folder();
  const udp = "0800450000200001000040116cc90a0908020a0908019c40c350000c0000646f6e65";
  const beginning = [
    { name: "one", args: ["-I", LEFT.name, "-p"], where: "" },
    { name: "all", args: [], where: "v0    In  " },
  ].map(async ({ name, args, where }) => {
    const file = files.path(name);
    return {
      where,
      file,
      child: await capture(networks.left, ...args, "-f", "udp port 50000", "-c", "2", "-w", file),
    };
  });
  const captures = await Promise.all(beginning);
  await sendFrames(networks.right, [`${HEAD}8100a007${udp}`, `${HEAD}88a88003${udp}`]);
  for (const { where, file, ...begun } of captures) {
    await using child = begun.child;
    const packet = "IP 10.9.8.2.40000 > 10.9.8.1.50000: UDP, length 4";
    assert.equal(
      (await child.succeeded()).stdout.toString().replaceAll(TIME, ""),
      `${where}vlan 7, p 5, ${packet}\n${where}vlan 3, p 4, ${packet}\n`,
    );
    const [tagged = "", bridged = ""] = await linesIn(file);
    assert.match(tagged, /vlan 7, p 5, .* > 10\.9\.8\.1\.50000: UDP, length 4$/);
    assert.match(bridged, /0x88a8|vlan 3, p 4, .* > 10\.9\.8\.1\.50000: UDP, length 4$/);
  }
});

test("capture shows garbage as lines of ASCII, and goes on", { skip }, async () => {
  await using networks = await joinedNetworks();
  await using child = await capture(networks.left, "-I", LEFT.name, "-x");
  await using all = await capture(networks.left, "-x");
  const escapes = Buffer.from("\x1b]0;title\x07\x1b[31m\x9b31m\r\nevil").toString("hex");
  const frames = [
    `${HEAD}080045`, // one byte behind the header
    ...["0800", "0806", "86dd", "8100", "88a8", "8035", "0004", "05ff", "ffff"].flatMap((type) => [
      HEAD + type + escapes,
      HEAD + type + "45".repeat(13),
      HEAD + type + "ff".repeat(70),
      `${HEAD}${type}4500001400000000400600000a0908020a090801`,
      `${HEAD}${type}4f00ffff00000000401100000a0908020a090801${escapes}`,
      `${HEAD}${type}60000000ffff00400000000000000000${escapes}${escapes}${escapes}`,
    ]),
    `${"ff".repeat(6)}${hexOf(RIGHT.mac)}88b5${Buffer.from("the last one").toString("hex")}`,
  ];
  await sendFrames(networks.right, frames);
  for (const each of [child, all]) {
    await each.line(/ethertype 0x88b5.*\n(?:\t0x.*\n)*/);
    each.kill("SIGINT");
    const { code, stderr, stdout } = await each.exited;
    assert.match(stdout.toString(), /^[\n\t -~]*$/);
    const count = stdout.toString().match(TIME)?.length ?? 0;
    assert.ok(count >= frames.length, `${count} of ${frames.length}: ${stdout.toString()}`);
    assert.match(stderr.toString(), /^berkeley: capturing .*\nberkeley: \d+ packets captured, .*\n$/);
    assert.equal(code, 0);
  }
});

/** A device of the IP layer, whose packets have no header of a link: says "up", sends what it is given. */
const TUN = `
import fcntl, os, struct, subprocess, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH14x", b"t0", 1))
subprocess.run(["ip", "link", "set", "t0", "up"], check=True)
print("up", flush=True)
for line in sys.stdin: os.write(fd, bytes.fromhex(line))
os.read(fd, 1)
`;

test("capture of an interface without link-layer headers gives its packets, as tshark reads them", {
  skip,
}, async () => {
  await using where = await network();
  await using tun = where.start(PYTHON.path, ["-c", TUN]);
  await tun.line(/^up$/m);
  using files = folder();
  const args = ["-I", "t0", "-f", "udp", "-c", "1", "-w", files.path("tun")];
  await using child = await capture(where, ...args);
  tun.stdin.write("00000800450000200001000040116cc90a0908020a0908019c40c350000c0000646f6e65\n");
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString().replace(TIME, ""), "IP 10.9.8.2.40000 > 10.9.8.1.50000: UDP, length 4\n");
  assert.deepEqual(await fields(files.path("tun"), "frame.interface_name", "udp.dstport"), [["t0", "50000"]]);
});

test("capture ends with 1, its summary and a sound file when the interface goes", { skip }, async () => {
  await using where = await network("ip link add one type veth peer name two; ip link set one up");
  using files = folder();
  await using child = await capture(where, "-I", "one", "-w", files.path("gone"));
  await using removing = where.start("ip", ["link", "del", "one"]);
  await removing.succeeded();
  const { code, stderr } = await child.exited;
  assert.match(
    stderr.toString(),
    /\nberkeley: 0 packets captured, .*\nberkeley: one is down, or has gone\n$/,
  );
  assert.equal(code, 1);
  assert.deepEqual(await linesIn(files.path("gone")), []);
});

test("capture tells how many packets the kernel dropped while it was stopped", { skip }, async () => {
  await using here = await network();
  await using child = await capture(here, "-I", "lo", "-q", "-f", "udp port 50003", "-c", "1000000");
  child.kill("SIGSTOP");
  const flood = `
from socket import *
s = socket(AF_INET, SOCK_DGRAM)
for n in range(40000): s.sendto(bytes(1000), ("127.0.0.1", 50003))`;
  await program(here, flood);
  child.kill("SIGCONT");
  child.kill("SIGINT");
  const { stderr } = await child.exited;
  const [, captured, passed, dropped] = /(\d+) packets captured, (\d+) passed the filter, (\d+) dropped/.exec(
    stderr.toString(),
  ) as RegExpExecArray;
  assert.equal(passed, "40000");
  assert.ok(Number(dropped) > 0 && Number(captured) + Number(dropped) <= 40_000, stderr.toString());
});

test("capture without the right says in one sentence which it needs, and ends with 1", { skip }, async () => {
  await using here = await network();
  await using child = here.start(setpriv.path, [
    "--bounding-set=-all",
    "--inh-caps=-all",
    process.execPath,
    ...COMMAND,
    "-I",
    "lo",
  ]);
  const { code, stderr, stdout } = await child.exited;
  assert.equal(
    stderr.toString(),
    "berkeley: cannot capture on lo: it needs root or the capability CAP_NET_RAW\n",
  );
  assert.equal(stdout.toString(), "");
  assert.equal(code, 1);
});

/** Asks the subcommand, without a process of its own, for what it refuses. */
async function refuses(args: readonly string[], message: RegExp, exitCode: number): Promise<void> {
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  addCapture(command);
  await assert.rejects(command.parseAsync(["node", "berkeley", "capture", ...args]), (error) => {
    const described = describeFailure(error);
    assert.match(described.message, message);
    assert.equal(described.exitCode, exitCode);
    return true;
  });
}

test("capture says what is wrong with an interface and a filter before it begins", { skip }, async () => {
  await refuses(
    ["-I", "nosuch\x1b"],
    /^cannot capture on nosuch\\x1b: there is no interface nosuch\\x1b$/,
    1,
  );
  await refuses(["-f", "tcp port"], /^filter: .*, at character 9 of "tcp port"$/, 2);
  const ether = ["-f", "ether host 02:00:00:00:00:01"];
  await refuses(ether, /^filter: packets of all interfaces have no Ethernet header/, 2);
  await refuses(["-c", "0"], /--count is a whole number/, 2);
  await refuses(["-p"], /--promiscuous needs an --interface/, 2);
});

test("capture says when a file cannot be written, and begins nothing", { skip }, async () => {
  await using here = await network();
  await using child = here.start(process.execPath, [...COMMAND, "-w", "/nowhere/x"]);
  const { code, stderr } = await child.exited;
  assert.match(stderr.toString(), /^berkeley: cannot write to \/nowhere\/x: ENOENT: .*\n$/);
  assert.equal(code, 1);
});

test("capture ends with 141 when the reader of its lines has gone, and its file is sound", {
  skip,
}, async () => {
  await using here = await network();
  using files = folder();
  await using child = await capture(here, "-I", "lo", "-w", files.path("lines"));
  child.stdout.destroy();
  await once(child.stdout, "close");
  await program(here, TRAFFIC);
  const { code, stderr } = await child.exited;
  assert.equal(code, 141);
  assert.match(
    stderr.toString(),
    /^berkeley: capturing on lo; Ctrl-C ends it\n(?:berkeley: \d+ packets captured.*\n)?$/,
  );
  assert.ok((await linesIn(files.path("lines"))).length > 0);
});

test("capture --help tells its usage, its right and the language of its filters", async () => {
  const { code, stdout } = await run(["capture", "--help"]);
  for (const part of [/^Usage: berkeley capture /, /CAP_NET_RAW/, /tcp\s+port\s+80\s+and\s+host/, /pcapng/])
    assert.match(stdout.toString(), part);
  assert.equal(code, 0);
});
