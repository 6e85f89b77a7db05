// `berkeley capture` of frames that other programs make by hand: with tags of VLANs, without a link-layer header, garbage. In
// networks of their own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { capture, CAPTURE_SKIP as skip, fields, linesIn, TIME } from "../support/capture.ts";
import { folder } from "../support/files.ts";
import { joinedNetworks, LEFT, network, RIGHT } from "../support/namespace.ts";
import type { Network } from "../support/namespace.ts";
import { PYTHON } from "../support/python.ts";

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
