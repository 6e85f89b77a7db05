// Filters: what they match against what tcpdump matches, run by an interpreter of our own; what they refuse.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AF_INET, SOCK_DGRAM, socket } from "berkeley";
import { compileFilter, FilterError, pcapngInterface, pcapngPacket, pcapngSection } from "berkeley/packet";
import { pick, random } from "../support/ask-python.ts";
import { runFilter } from "../support/bpf.ts";
import { arp, ethernet, fragment6, FRAMES, icmp, ipv4, ipv6, tcp, udp } from "../support/packets.ts";
import { requirePeer } from "../support/peers.ts";

const tcpdump = requirePeer("tcpdump");
const { skip } = tcpdump;
const folder = mkdtempSync(join(tmpdir(), "berkeley-filters-"));
after(() => rmSync(folder, { recursive: true }));

const HOSTS = ["10.0.0.1", "10.0.0.2", "10.1.2.3", "192.168.1.77"];
const HOSTS6 = ["fd00::1", "fd00::2", "fd01:2:3::4"];
const PORTS = [22, 80, 443, 40_000, 50_000];

/** Every frame, cut ones among them, and many from a seed that mix addresses, ports and protocols. */
function packets(): Buffer[] {
  const next = random(7);
  const made = Object.values(FRAMES).flatMap((frame) => [
    frame,
    frame.subarray(0, 20),
    frame.subarray(0, 36),
  ]);
  for (let count = 0; count < 300; count++) {
    const ports = [pick(next, PORTS), pick(next, PORTS)] as const;
    const data = Buffer.alloc(next(40));
    const protocol = pick(next, [1, 2, 6, 17, 132]);
    const message =
      protocol === 6 ? tcp(data, { ports }) : protocol === 1 ? icmp(8, 0, 1, data) : udp(data, ports);
    if (next(3) > 0) {
      const fields = { source: pick(next, HOSTS), destination: pick(next, HOSTS) };
      const options = next(4) === 0 ? Buffer.from([1, 1, 1, 1]) : Buffer.alloc(0);
      const fragment = pick(next, [0x4000, 0x4000, 0x2000, 0x2005, 5]);
      made.push(ethernet(0x0800, ipv4(protocol, message, { ...fields, options, fragment })));
    } else {
      const fields = { source: pick(next, HOSTS6), destination: pick(next, HOSTS6) };
      const six = protocol === 1 ? 58 : protocol;
      const payload = next(4) === 0 ? Buffer.concat([fragment6(six, 0, true), message]) : message;
      made.push(ethernet(0x86dd, ipv6(payload === message ? six : 44, payload, fields)));
    }
  }
  made.push(ethernet(0x8035, arp(3)), ethernet(0x0806, arp(2)));
  return made;
}
const all = packets();
const frames = new Set(Object.values(FRAMES));
const cut = new Set(all.slice(0, frames.size * 3).filter((bytes) => !frames.has(bytes)));

const file = join(folder, "all.pcapng");
writeFileSync(
  file,
  Buffer.concat([
    pcapngSection("berkeley's tests"),
    pcapngInterface({ linkType: 1, snapBytes: 0 }),
    ...all.map((bytes, index) =>
      // The microsecond says which packet it is.
      pcapngPacket({ interface: 0, time: BigInt(index) * 1000n, bytes, originalBytes: bytes.length }),
    ),
  ]),
);

/** Which packets tcpdump's own compiler lets through; undefined: it refuses the expression. */
function theirs(expression: string): number[] | undefined {
  const result = spawnSync(tcpdump.path, ["-nn", "-tt", "-r", file, expression], {
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  if (result.status !== 0) return undefined;
  const times = result.stdout.matchAll(/^0\.(\d{6}) /gm);
  return [...times].map(([, microseconds]) => Number(microseconds));
}

function ours(expression: string): number[] {
  const program = compileFilter(expression);
  return all.flatMap((bytes, index) => (runFilter(program, { bytes }) > 0 ? [index] : []));
}

const EXPRESSIONS = [
  "ip",
  "ip6",
  "arp",
  "rarp",
  "tcp",
  "udp",
  "sctp",
  "icmp",
  "icmp6",
  "igmp",
  "not tcp",
  "! udp",
  "tcp or udp",
  "tcp || icmp",
  "ip and not tcp",
  "ip && udp",
  "host 10.0.0.1",
  "src host 10.0.0.1",
  "dst host 10.0.0.1",
  "src 10.0.0.1",
  "src or dst host 10.0.0.1",
  "src and dst host 10.0.0.1",
  "ip host 10.0.0.1",
  "arp host 10.0.0.1",
  "ip src host 10.0.0.2",
  "host fd00::1",
  "src fd00::1",
  "ip6 host fd00::2",
  "dst net fd00::/8",
  "src net fd01::/16",
  "net fd01:2::/33",
  "net 10",
  "net 10.1",
  "net 10.0.0",
  "net 10.0.0.0/31",
  "net 192.168.0.0/16",
  "net 0.0.0.0/0",
  "src net 10.1.2.0/24",
  "net 10.0.0.2",
  "ip net 10.0.0.0/24",
  "port 80",
  "src port 80",
  "dst port 443",
  "tcp port 80",
  "udp port 80",
  "tcp src port 22",
  "udp dst port 50000",
  "port 80 or 443",
  "tcp port 80 or 443 or 22",
  "port 80 and host 10.0.0.1",
  "host 10.0.0.1 or 10.1.2.3",
  "src and dst port 80",
  "src or dst port 80",
  "sctp port 80",
  "portrange 20-100",
  "src portrange 20-100",
  "tcp portrange 80-443",
  "portrange 80-80",
  "ip proto 17",
  "ip6 proto 17",
  "ip proto 0x11",
  "ip proto 132",
  "ether host 02:00:00:00:00:01",
  "ether src 02:00:00:00:00:01",
  "ether dst 2:0:0:0:0:1",
  "ether src host 2:0:0:0:0:2",
  "greater 60",
  "less 60",
  "greater 0",
  "less 0",
  "tcp port 80 and (host 10.0.0.1 or host 192.168.1.77)",
  "not (port 80 or port 443)",
  "not not ip",
  "tcp or udp and host 10.0.0.1",
  "tcp and udp or icmp",
  "ip or ip6 and port 22",
  "(((tcp)))",
  "not host 10.0.0.1 and not host 10.0.0.2",
  "tcp and not port 22 and net 10.0.0.0/8",
];

for (const expression of EXPRESSIONS)
  test(`compileFilter() matches what tcpdump matches: ${expression}`, { skip }, () => {
    assert.deepEqual(ours(expression), theirs(expression));
  });

/** A random expression of the language, without what the two refuse for different reasons. */
function anyExpression(next: (below: number) => number, depth: number): string {
  if (depth > 0 && next(3) > 0) {
    const left = anyExpression(next, depth - 1);
    const right = anyExpression(next, depth - 1);
    const shape = next(5);
    if (shape === 0) return `not (${left})`;
    if (shape === 1) return `(${left}) or (${right})`;
    return `${left} ${pick(next, ["and", "or"])} ${right}`;
  }
  const direction = pick(next, ["", "src ", "dst ", "src or dst ", "src and dst "]);
  switch (next(6)) {
    case 0:
      return pick(next, ["ip", "ip6", "arp", "tcp", "udp", "icmp", "icmp6", "not tcp", "not ip"]);
    case 1:
      return `${direction}host ${pick(next, [...HOSTS, ...HOSTS6])}`;
    case 2:
      return `${direction}net ${pick(next, ["10.0.0.0/8", "10.0.0.0/30", "192.168", "fd00::/16", "fd01:2::/32"])}`;
    case 3:
      return `${pick(next, ["", "tcp ", "udp "])}${direction}port ${pick(next, PORTS)}`;
    case 4:
      return `${direction}portrange ${pick(next, ["22-80", "443-443", "0-65535", "81-40000"])}`;
    default:
      return `${pick(next, ["greater", "less"])} ${next(100)}`;
  }
}

test("compileFilter() matches what tcpdump matches, for expressions from a seed", { skip }, () => {
  const seed = Date.now() >>> 0;
  const next = random(seed);
  let matched = 0;
  for (let round = 0; round < 60; round++) {
    const expression = anyExpression(next, 3);
    // Of a cut packet it depends on the order of tests, which is no part of the language.
    const whole = (index: number): boolean => !cut.has(all[index] as Buffer);
    // It refuses expressions that can never match; what it refuses must match nothing here.
    const expected = (theirs(expression) ?? []).filter(whole);
    assert.deepEqual(ours(expression).filter(whole), expected, `seed ${seed}: ${expression}`);
    if (expected.length > 0) matched++;
  }
  assert.ok(matched > 5, `seed ${seed}: only ${matched} expressions matched anything`);
});

test("compileFilter() gives the same matches without a link layer, by the kernel's EtherType", () => {
  for (const expression of EXPRESSIONS.filter((text) => !/ether|greater|less/.test(text))) {
    const program = compileFilter(expression, "none");
    const matches = all.flatMap((bytes, index) => {
      if (bytes.length < 14) return [];
      const seen = { bytes: bytes.subarray(14), etherType: bytes.readUInt16BE(12) };
      return runFilter(program, seen) > 0 ? [index] : [];
    });
    assert.deepEqual(matches, ours(expression), expression);
  }
});

test("the kernel accepts what compileFilter() makes, of every expression and for either link layer", () => {
  using sock = socket(AF_INET, SOCK_DGRAM);
  for (const expression of EXPRESSIONS)
    for (const link of ["ethernet", "none"] as const) {
      if (link === "none" && expression.includes("ether")) continue;
      const program = compileFilter(expression, link);
      sock.options.SO_ATTACH_FILTER(program);
      assert.deepEqual(sock.options.SO_GET_FILTER, program, expression);
    }
});

test("compileFilter() makes jumps that are far", { skip }, () => {
  const hosts = Array.from({ length: 80 }, (_, index) => `host 10.9.${index}.1`).join(" or ");
  const program = compileFilter(`not (${hosts}) and tcp port 80`);
  assert.ok(program.length > 600);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    if ((code & 7) !== 5) continue;
    assert.ok(jt <= 255 && jf <= 255);
    const furthest = code === 0x05 ? k : Math.max(jt, jf);
    assert.ok(index + 1 + furthest < program.length, `instruction ${index} jumps outside`);
  }
  assert.deepEqual(ours(`not (${hosts}) and tcp port 80`), theirs(`not (${hosts}) and tcp port 80`));
  // An expression as long as one may be fits into what the kernel takes.
  const long = Array.from({ length: 250 }, () => "tcp port 1").join(" or ");
  assert.throws(() => compileFilter(long), {
    code: "ERR_FILTER_SYNTAX",
    message: /longer than 4096 instructions/,
  });
});

const REFUSED: [expression: string, position: number, problem: RegExp][] = [
  ["", 0, /a primitive is missing/],
  ["   ", 3, /a primitive is missing/],
  ["tcp and", 7, /a primitive is missing/],
  ["(tcp", 4, /"\)" is missing/],
  ["tcp)", 3, /"\)" is not expected/],
  ["tcp udp", 4, /"udp" is not expected/],
  ["foo", 0, /"foo" is not known/],
  ["host", 4, /an address is missing/],
  ["host example.org", 5, /"example.org" is no numeric address/],
  ["host 10.0.0", 5, /no numeric address/],
  ["host 10.0.0.1/8", 5, /no numeric address/],
  ["net 10.0.0.1/8", 4, /bits set beyond its prefix/],
  ["net 10.0.0.0/33", 4, /no network/],
  ["net fd00::/129", 4, /no network/],
  ["net 1.2.3.4.5", 4, /no network/],
  ["port 65536", 5, /no number from 0 to 65535/],
  ["port http", 5, /no number/],
  ["port -1", 5, /no number/],
  ["portrange 80", 10, /no range of ports/],
  ["portrange 90-80", 10, /no range of ports/],
  ["icmp port 80", 5, /icmp has no ports: write "icmp and port …"/],
  ["ip portrange 1-2", 3, /ip has no ports/],
  ["ip host fd00::1", 0, /ip has no IPv6 addresses/],
  ["ip6 host 10.0.0.1", 0, /ip6 has no IPv4 addresses/],
  ["tcp host 10.0.0.1", 4, /tcp has no addresses: write "tcp and host …"/],
  ["10.0.0.1", 0, /"10.0.0.1" needs "host", "net" or "port" before it/],
  ["tcp or 80", 7, /"80" needs "host", "net" or "port" before it/],
  ["tcp proto 6", 4, /"proto" needs "ip" or "ip6" before it/],
  ["ip proto 256", 9, /no number from 0 to 255/],
  ["ether host 1:2:3", 11, /no link-layer address/],
  ["tcp & udp", 4, /"&" is not expected/],
  ["greater x", 8, /no number/],
  [`${"(".repeat(65)}ip${")".repeat(65)}`, 64, /deeper than 64 levels/],
  [`ip${" ".repeat(4095)}`, 4096, /longer than 4096 characters/],
];

for (const [expression, position, problem] of REFUSED)
  test(`compileFilter() refuses ${JSON.stringify(expression.slice(0, 40))} with the place`, () => {
    assert.throws(
      () => compileFilter(expression),
      (error: unknown) => {
        assert.ok(error instanceof FilterError);
        assert.match(error.message, problem);
        assert.equal(error.position, position);
        assert.equal(error.code, "ERR_FILTER_SYNTAX");
        return true;
      },
    );
  });

test("compileFilter() refuses link-layer addresses where packets have no link layer", () => {
  assert.throws(() => compileFilter("ether host 1:2:3:4:5:6", "none"), { code: "ERR_FILTER_SYNTAX" });
});

test("compileFilter() never throws anything but a FilterError, for words from a seed", () => {
  const seed = Date.now() >>> 0;
  const next = random(seed);
  const words = [
    "tcp",
    "udp",
    "ip",
    "ip6",
    "arp",
    "icmp6",
    "host",
    "net",
    "port",
    "portrange",
    "src",
    "dst",
    "and",
    "or",
    "not",
    "(",
    ")",
    "!",
    "&&",
    "||",
    "ether",
    "proto",
    "fd00::1",
    "10.0.0.0/8",
    "80",
    "80-90",
    "greater",
    "less",
    "\0",
    "é",
    "-",
    "::",
    "0x",
    "1:2:3:4:5:6",
  ];
  for (let round = 0; round < 20_000; round++) {
    const expression = Array.from({ length: next(12) }, () => pick(next, words)).join(" ");
    try {
      compileFilter(expression, pick(next, ["ethernet", "none"]));
    } catch (error) {
      assert.ok(
        error instanceof FilterError,
        `seed ${seed}: ${JSON.stringify(expression)}: ${String(error)}`,
      );
    }
  }
});

test("tcpdump accepts the file of these tests whole", { skip }, () => {
  const output = execFileSync(tcpdump.path, ["-nn", "-t", "-r", file], { encoding: "utf8", stdio: "pipe" });
  assert.ok(output.split("\n").length > all.length);
});
