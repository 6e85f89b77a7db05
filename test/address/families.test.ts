// Addresses of every family but the internet's: byte for byte what the system's own structures hold (layouts.c), and
// what the kernel and CPython make of them where this machine has the family.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as constants from "#dist/constants/index.js";
import { decodeAddress, encodeAddress, formatAddress, makeAddressView } from "#dist/socket/address.js";
import type { AnyAddress, PacketAddress } from "berkeley";
import { writeLength } from "#dist/socket/address/view.js";
import { native } from "#dist/native.js";
import { askPython, python3 } from "../support/ask-python.ts";
import { requirePeer } from "../support/peers.ts";

const { AF_ALG, AF_BLUETOOTH, AF_CAN, AF_NETLINK, AF_PACKET, AF_QIPCRTR, AF_TIPC, AF_UNIX, AF_VSOCK } =
  constants;
const { BTPROTO_HCI, BTPROTO_L2CAP, BTPROTO_RFCOMM, BTPROTO_SCO, CAN_ISOTP, CAN_J1939, CAN_RAW } = constants;
const { TIPC_ADDR_ID, TIPC_ADDR_NAME, TIPC_ADDR_NAMESEQ, TIPC_CLUSTER_SCOPE, TIPC_NODE_SCOPE } = constants;

/** Interface 1 of every network namespace. */
const LO = "lo";

/** What layouts.c prints under the name, and the tuple for it; `back` where decoding gives more than was given. */
const CASES: Record<string, { family: number; proto?: number; address: AnyAddress; back?: AnyAddress }> = {
  "unix unnamed": { family: AF_UNIX, address: "" },
  "unix path": { family: AF_UNIX, address: "/tmp/a b" },
  "unix abstract": { family: AF_UNIX, address: Buffer.from("\0a\0b") },
  netlink: { family: AF_NETLINK, address: [0x01020304, 0xf0000005] },
  packet: { family: AF_PACKET, address: [LO, 0x0800], back: [LO, 0x0800, 0, 0, Buffer.alloc(0)] },
  "packet full": { family: AF_PACKET, address: [LO, 3, 4, 772, Buffer.from([1, 2, 3, 4, 5, 6])] },
  vsock: { family: AF_VSOCK, address: [0xffffffff, 1024] },
  can: { family: AF_CAN, proto: CAN_RAW, address: [LO] },
  "can isotp": { family: AF_CAN, proto: CAN_ISOTP, address: [LO, 0x12345678, 0x80000321] },
  "can j1939": { family: AF_CAN, proto: CAN_J1939, address: [LO, 0x0102030405060708n, 0x3ffff, 0xfe] },
  alg: { family: AF_ALG, address: ["skcipher", "cbc(aes)", 7, 0xffffffff] },
  l2cap: { family: AF_BLUETOOTH, proto: BTPROTO_L2CAP, address: ["11:22:33:44:55:66", 0x1001] },
  "l2cap cid": { family: AF_BLUETOOTH, proto: BTPROTO_L2CAP, address: ["11:22:33:44:55:66", 0, 4, 1] },
  rfcomm: { family: AF_BLUETOOTH, proto: BTPROTO_RFCOMM, address: ["11:22:33:44:55:66", 30] },
  hci: { family: AF_BLUETOOTH, proto: BTPROTO_HCI, address: [0xffff, 2] },
  sco: { family: AF_BLUETOOTH, proto: BTPROTO_SCO, address: "11:22:33:44:55:66" },
  "tipc name": {
    family: AF_TIPC,
    address: [TIPC_ADDR_NAME, 1000, 17, 0, TIPC_NODE_SCOPE],
    back: [TIPC_ADDR_NAME, 1000, 17, 17, TIPC_NODE_SCOPE],
  },
  "tipc range": {
    family: AF_TIPC,
    address: [TIPC_ADDR_NAMESEQ, 1000, 1, 99],
    back: [TIPC_ADDR_NAMESEQ, 1000, 1, 99, TIPC_CLUSTER_SCOPE],
  },
  "tipc id": { family: AF_TIPC, address: [TIPC_ADDR_ID, 6, 5, 0, -1] },
  qrtr: { family: AF_QIPCRTR, address: [1, 0xfffffffe] },
};

function encode(family: number, address: AnyAddress, proto = 0): string {
  const view = makeAddressView();
  view.fill(0xee);
  return Buffer.from(view.subarray(0, encodeAddress(family, address, view, proto))).toString("hex");
}

function decode(hex: string, proto = 0): AnyAddress | null {
  const view = makeAddressView();
  view.set(Buffer.from(hex, "hex"));
  writeLength(view, hex.length / 2);
  return decodeAddress<AnyAddress | null>(view, proto);
}

const folder = mkdtempSync(join(tmpdir(), "berkeley-layouts-"));
after(() => rmSync(folder, { recursive: true }));
const cc = requirePeer("cc");

/** What the system's structures hold, by name. */
function layouts(): Map<string, string> {
  const program = join(folder, "layouts");
  execFileSync(cc.path, ["-Wall", "-Werror", "-o", program, "test/address/layouts.c"]);
  const lines = execFileSync(program).toString().trim().split("\n");
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), line.slice(line.lastIndexOf(" ") + 1)]),
  );
}
const expected = cc.skip === false ? layouts() : new Map<string, string>();

for (const [name, { family, proto, address, back }] of Object.entries(CASES)) {
  test(`encodeAddress() writes what the system's structure holds: ${name}`, { skip: cc.skip }, () => {
    assert.equal(encode(family, address, proto), expected.get(name));
  });

  test(`decodeAddress() reads what the system's structure holds: ${name}`, { skip: cc.skip }, () => {
    assert.deepEqual(decode(expected.get(name) as string, proto), back ?? address);
  });
}

test("every layout of the system has its case", { skip: cc.skip }, () => {
  assert.deepEqual([...expected.keys()].toSorted(), Object.keys(CASES).toSorted());
});

test("decodeAddress() reads paths without a NUL, with one, and paths that are not UTF-8", () => {
  const full = `0100${Buffer.from("x".repeat(108)).toString("hex")}`;
  assert.equal(decode(full), "x".repeat(108));
  assert.equal(decode(`0100${Buffer.from("/tmp/é\0garbage").toString("hex")}`), "/tmp/é");
  assert.deepEqual(decode("0100" + "2fff2e00"), Buffer.from("2fff2e", "hex"));
});

test("encodeAddress() takes a Unix path as bytes, up to 107 of them, and abstract names of 108", () => {
  assert.equal(encode(AF_UNIX, Buffer.from("2fff2e", "hex")), "0100" + "2fff2e00");
  assert.equal(encode(AF_UNIX, "x".repeat(107)).length / 2, 110);
  assert.equal(encode(AF_UNIX, `\0${"x".repeat(107)}`).length / 2, 110);
  for (const name of ["x".repeat(108), "é".repeat(54), `\0${"x".repeat(108)}`])
    assert.throws(() => encode(AF_UNIX, name), {
      code: "ENAMETOOLONG",
      message: /has at most 10[78] bytes, not 10[89]/,
    });
});

test("decodeAddress() gives bytes for a family or a protocol that it does not know", () => {
  assert.deepEqual(decode("ff7f" + "0102"), [0x7fff, Buffer.from([1, 2])]);
  assert.deepEqual(decode(`${AF_BLUETOOTH.toString(16)}00aabb`, 77), [
    AF_BLUETOOTH,
    Buffer.from([0xaa, 0xbb]),
  ]);
});

test("decodeAddress() reads a hardware address as long as the kernel says, and never beyond the address", () => {
  const start = "1100" + "0003" + "01000000" + "2000" + "00";
  const hardware = Array.from({ length: 20 }, (_, i) => i);
  const infiniband = decode(`${start}14${Buffer.from(hardware).toString("hex")}`) as PacketAddress;
  assert.deepEqual(infiniband[4], Buffer.from(hardware));
  const lying = decode(`${start}ff${"aa".repeat(8)}`) as PacketAddress;
  assert.equal(lying[4]?.length, 8);
});

test("decodeAddress() survives every family with an address of any length", () => {
  const view = makeAddressView();
  for (let family = 0; family < 64; family++)
    for (let length = 0; length <= 130; length++)
      for (const proto of [0, 1, 2, 3, 6, 7]) {
        view.fill(length);
        view.set([family, 0]);
        writeLength(view, length);
        const address = decodeAddress<AnyAddress | null>(view, proto);
        assert.equal(address === null, length === 0);
        if (address !== null) assert.equal(typeof formatAddress(address), "string");
      }
});

test("encodeAddress() names the field that is wrong, and its code", () => {
  const type = "ERR_INVALID_ARG_TYPE";
  const range = "ERR_OUT_OF_RANGE";
  const refused: [family: number, proto: number, address: unknown, code: string, message: RegExp][] = [
    [AF_UNIX, 0, ["/tmp/x"], type, /^address must be a path/],
    [AF_UNIX, 0, "a\0b", type, /without NUL/],
    [AF_NETLINK, 0, [1], type, /^address must be \[pid, groups\]/],
    [AF_NETLINK, 0, [-1, 0], range, /^pid/],
    [AF_NETLINK, 0, [0, 2 ** 32], range, /^groups/],
    [AF_PACKET, 0, ["lo"], type, /^address must be \[ifname, proto/],
    [AF_PACKET, 0, ["lo", 65536], range, /^proto/],
    [AF_PACKET, 0, ["lo", 0, 256], range, /^pkttype/],
    [AF_PACKET, 0, ["lo", 0, 0, -1], range, /^hatype/],
    [AF_PACKET, 0, ["lo", 0, 0, 0, "x"], type, /^addr/],
    [AF_PACKET, 0, ["lo", 0, 0, 0, new Uint8Array(9)], range, /^addr must be at most 8 bytes long/],
    [AF_PACKET, 0, ["nosuchif", 0], "ENODEV", /nosuchif/],
    [AF_PACKET, 0, ["l\0o", 0], "ENODEV", /l\\u0000o/],
    [AF_PACKET, 0, ["x".repeat(1000), 0], "ENODEV", /xxx/],
    [AF_VSOCK, 0, [0, -2], range, /^port/],
    [AF_CAN, CAN_RAW, ["lo", 1], type, /^address must be \[ifname\]/],
    [AF_CAN, CAN_ISOTP, ["lo"], type, /rx_addr/],
    [AF_CAN, CAN_J1939, ["lo", -1n, 0, 0], range, /^name must be 64 bits/],
    [AF_CAN, CAN_J1939, ["lo", 2 ** 60, 0, 0], range, /^name/],
    [AF_CAN, CAN_J1939, ["lo", "0", 0, 0], type, /^name/],
    [AF_CAN, CAN_J1939, ["lo", 0, 0, 256], range, /^addr/],
    [AF_ALG, 0, ["hash"], type, /^address/],
    [AF_ALG, 0, ["x".repeat(14), "y"], range, /^type must be at most 13/],
    [AF_ALG, 0, ["hash", "y".repeat(64)], range, /^name must be at most 63/],
    [AF_ALG, 0, ["hash", "a\0b"], type, /^name/],
    [AF_BLUETOOTH, BTPROTO_L2CAP, ["11:22:33:44:55", 1], type, /^bdaddr/],
    [AF_BLUETOOTH, BTPROTO_L2CAP, ["11:22:33:44:55:66", 65536], range, /^psm/],
    [AF_BLUETOOTH, BTPROTO_RFCOMM, ["11:22:33:44:55:66", 256], range, /^channel/],
    [AF_BLUETOOTH, BTPROTO_HCI, [65536], range, /^device_id/],
    [AF_BLUETOOTH, BTPROTO_SCO, ["11:22:33:44:55:66"], type, /^bdaddr/],
    [AF_BLUETOOTH, 77, ["11:22:33:44:55:66"], "EPROTONOSUPPORT", /77/],
    [AF_TIPC, 0, [9, 1, 1, 1], range, /^addr_type/],
    [AF_TIPC, 0, [TIPC_ADDR_NAME, 1, 1], type, /^address/],
    [AF_QIPCRTR, 0, [1], type, /^address/],
  ];
  for (const [family, proto, address, code, message] of refused)
    assert.throws(() => encode(family, address as AnyAddress, proto), { code, message });
});

test("formatAddress() writes every family's addresses so that a person can read them", () => {
  const texts: [AnyAddress, string][] = [
    ["/run/app.sock", "/run/app.sock"],
    ["", "unnamed"],
    [Buffer.from("\0name\x01"), "@name\\x01"],
    [Buffer.from("2fff", "hex"), "/\\xff"],
    [[0, 5], "(0, 5)"],
    [["eth0", 2048, 0, 1, Buffer.from("0242ac110002", "hex")], "(eth0, 2048, 0, 1, 02:42:ac:11:00:02)"],
    [["can0"], "(can0)"],
    [["can0", 1n, 2, 3], "(can0, 1, 2, 3)"],
    [["hash", "sha256"], "(hash, sha256)"],
    [["11:22:33:44:55:66", 3], "[11:22:33:44:55:66]:3"],
  ];
  for (const [address, text] of texts) assert.equal(formatAddress(address), text);
  assert.ok(formatAddress("/x".repeat(100_000)).length < 200);
});

/** Binds a socket of a family to an address and asks the kernel where it is; undefined where it has no such family. */
function bound(family: number, type: number, address: AnyAddress): AnyAddress | null | undefined {
  const fd = native.socket(family, type, 0);
  if (fd < 0) return undefined;
  try {
    const view = makeAddressView();
    assert.equal(native.bind(fd, view, 0, encodeAddress(family, address, view)), 0);
    assert.equal(native.getsockname(fd, view), 0);
    return decodeAddress<AnyAddress | null>(view);
  } finally {
    native.close(fd);
  }
}

test("the kernel gives back a Unix path, an abstract name and a name of its own choice", () => {
  const path = join(folder, "sö");
  assert.equal(bound(AF_UNIX, constants.SOCK_STREAM, path), path);
  const name = Buffer.from(`\0berkeley-${process.pid}\0x`);
  assert.deepEqual(bound(AF_UNIX, constants.SOCK_STREAM, name), name);
  assert.match(String(bound(AF_UNIX, constants.SOCK_STREAM, "")), /^\0[0-9a-f]{5}$/);
});

test("the kernel gives back netlink groups, and a port of its own choice", () => {
  const [pid, groups] = bound(AF_NETLINK, constants.SOCK_RAW, [0, 5]) as readonly [number, number];
  assert.equal(groups, 5);
  assert.ok(pid > 0);
});

const root = process.getuid?.() === 0 ? python3.skip : "needs root, for AF_PACKET";

test("the kernel and CPython agree on an AF_PACKET address", { skip: root }, () => {
  const ours = bound(AF_PACKET, constants.SOCK_RAW, [LO, constants.ETH_P_IP]) as PacketAddress;
  const program = `
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
sock.bind(("lo", 0x0800))
name = sock.getsockname()
print(json.dumps([*name[:4], name[4].hex()]))`;
  assert.deepEqual(
    [...ours.slice(0, 4), Buffer.from(ours[4] as Uint8Array).toString("hex")],
    askPython(program),
  );
});
