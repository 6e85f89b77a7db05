// `berkeley capture` beside tcpdump(8) on the same traffic, and its files in tshark's hands. In networks of their own.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  capture,
  CAPTURE_SKIP as skip,
  COMMAND,
  fields,
  linesIn,
  OVER,
  program,
  tcpdump,
  TIME,
  TRAFFIC,
  tshark,
} from "../support/capture.ts";
import { folder } from "../support/files.ts";
import { network } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

/** A line at a time, each packet when it comes, with room for packets of 64 KiB. */
const DUMP = ["-nn", "-l", "--immediate-mode", "-s", "100000", "-B", "32768"];

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
