// Packets in words and in files, against tcpdump and tshark, which read what we write.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as packet from "berkeley/packet";
import { FRAMES } from "../support/packets.ts";
import { requirePeer } from "../support/peers.ts";

const tcpdump = requirePeer("tcpdump");
const tshark = requirePeer("tshark");
const folder = mkdtempSync(join(tmpdir(), "berkeley-packets-"));
after(() => rmSync(folder, { recursive: true }));

/** 2026-01-02 03:04:05.678901234 UTC, a microsecond and a nanosecond later for each packet. */
const BEGIN = 1_767_323_045_678_901_234n;

function capture(name: string, frames: readonly Buffer[], snapBytes = Infinity): string {
  const file = join(folder, `${name}.pcapng`);
  const linkType = packet.LINKTYPE_ETHERNET;
  writeFileSync(
    file,
    Buffer.concat([
      packet.pcapngSection("berkeley's tests"),
      packet.pcapngInterface({ linkType, snapBytes: 0, name: "test0", filter: "ip or ip6" }),
      ...frames.map((frame, index) =>
        packet.pcapngPacket({
          interface: 0,
          time: BEGIN + BigInt(index) * 1001n,
          bytes: frame.subarray(0, snapBytes),
          originalBytes: frame.length,
        }),
      ),
      packet.pcapngStatistics({ interface: 0, time: BEGIN, received: frames.length + 3, dropped: 3 }),
    ]),
  );
  return file;
}

const names = Object.keys(FRAMES);
const all = capture("all", Object.values(FRAMES));

function dumped(): string[] {
  const args = ["-nn", "-S", "-t", "-r", all];
  const output = execFileSync(tcpdump.path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  // Dumps of unknown packets follow their lines, indented.
  return output.split("\n").filter((line) => line !== "" && !line.startsWith("\t"));
}
const theirs = tcpdump.skip === false ? dumped() : [];

/** What we tell otherwise than tcpdump does. */
const OTHERWISE: Record<string, [ours: string, theirs: string]> = {
  // It says nothing of tags without -e.
  "UDP in a VLAN": [
    "vlan 5, p 1, IP 10.0.0.1.40000 > 10.0.0.2.50000: UDP, length 13",
    "IP 10.0.0.1.40000 > 10.0.0.2.50000: UDP, length 13",
  ],
  // It has no names for protocols with -n.
  "later fragment": ["IP 10.0.0.1 > 10.0.0.2: udp", "IP 10.0.0.1 > 10.0.0.2: ip-proto-17"],
  "IP, unknown protocol": [
    "IP 10.0.0.1 > 10.0.0.2: ip-proto-253 13",
    "IP 10.0.0.1 > 10.0.0.2:  ip-proto-253 13",
  ],
  // It forgets the ends when there are extensions between.
  "IPv6 first fragment": [
    "IP6 fd00::1.40000 > fd00::2.50000: frag (0|21) UDP, length 13",
    "IP6 fd00::1 > fd00::2: frag (0|21) 40000 > 50000: UDP, length 13",
  ],
  "IPv6 hop-by-hop": [
    "IP6 fd00::1.40000 > fd00::2.50000: HBH UDP, length 13",
    "IP6 fd00::1 > fd00::2: HBH 40000 > 50000: UDP, length 13",
  ],
  "IPv6 destination options": [
    "IP6 fd00::1.40000 > fd00::2.50000: DSTOPT UDP, length 13",
    "IP6 fd00::1 > fd00::2: DSTOPT 40000 > 50000: UDP, length 13",
  ],
  "unknown EtherType": [
    "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x88b5, length 13",
    "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype Unknown (0x88b5), length 27: ",
  ],
};

for (const [index, name] of names.entries())
  test(`formatPacket() tells what tcpdump tells: ${name}`, { skip: tcpdump.skip }, () => {
    const ours = packet.formatPacket(packet.decodePacket(FRAMES[name] as Buffer));
    const other = OTHERWISE[name];
    if (other === undefined) assert.equal(ours, theirs[index]);
    else assert.deepEqual([ours, theirs[index]], other);
  });

test("tcpdump reads as many packets as pcapngPacket() wrote", { skip: tcpdump.skip }, () => {
  assert.equal(theirs.length, names.length);
});

function fields(file: string, ...wanted: readonly string[]): string[][] {
  const args = ["-n", "-r", file, "-T", "fields", ...wanted.flatMap((field) => ["-e", field])];
  const output = execFileSync(tshark.path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return output
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.split("\t"));
}

test("tshark reads times, lengths and interfaces that pcapngPacket() wrote", { skip: tshark.skip }, () => {
  const frames = Object.values(FRAMES);
  const short = capture("short", frames, 40);
  const read = fields(short, "frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_name");
  assert.deepEqual(
    read,
    frames.map((frame, index) => {
      const time = BEGIN + BigInt(index) * 1001n;
      const [seconds, rest] = [time / 1_000_000_000n, time % 1_000_000_000n];
      return [
        `${seconds}.${rest.toString().padStart(9, "0")}`,
        `${Math.min(40, frame.length)}`,
        `${frame.length}`,
        "test0",
      ];
    }),
  );
});

test("decodePacket() finds the addresses, ports and flags that tshark finds", { skip: tshark.skip }, () => {
  const read = fields(all, "ip.src", "ipv6.dst", "tcp.srcport", "udp.dstport", "tcp.flags", "ip.ttl");
  for (const [index, name] of names.entries()) {
    const { headers } = packet.decodePacket(FRAMES[name] as Buffer);
    const seen = (of: (header: packet.Header) => string | number | undefined): string =>
      headers
        .map(of)
        .find((value) => value !== undefined)
        ?.toString() ?? "";
    const first = (read[index] as string[]).map((value) => value.split(",")[0]);
    const [source, destination, tcpPort, udpPort, flags, ttl] = first as [
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    assert.equal(
      seen((h) => (h.layer === "ipv4" ? h.source : undefined)),
      source,
      name,
    );
    assert.equal(
      seen((h) => (h.layer === "ipv6" ? h.destination : undefined)),
      destination,
      name,
    );
    // tshark lists the ports of the packet inside too, and reads no ports from fragments.
    if (name.startsWith("ICMP") || name.includes("fragment")) continue;
    assert.equal(
      seen((h) => (h.layer === "tcp" ? h.sourcePort : undefined)),
      tcpPort,
      name,
    );
    assert.equal(
      seen((h) => (h.layer === "udp" ? h.destinationPort : undefined)),
      udpPort,
      name,
    );
    const bits = flags === "" ? "" : `${Number(flags)}`;
    assert.equal(
      seen((h) => (h.layer === "tcp" ? h.flags : undefined)),
      bits,
      name,
    );
    assert.equal(
      seen((h) => (h.layer === "ipv4" ? h.ttl : undefined)),
      ttl,
      name,
    );
  }
});
