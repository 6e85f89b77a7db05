// The number of every constant that CPython's socket module has on Linux, from 3.11 to 3.15, against the headers of this
// system; of those that no header for programs has, against what is written here.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as berkeley from "berkeley";
import { ROOT } from "../support/cli.ts";
import { requirePeer } from "../support/peers.ts";

const gcc = requirePeer("gcc");
const ours = berkeley as unknown as Readonly<Record<string, unknown>>;

/** "NAME number, …" as a table. */
function numbers(text: string): Readonly<Record<string, number>> {
  const pairs = [...text.matchAll(/(\w+) (\w+)/g)];
  return Object.fromEntries(pairs.map(([, name, number]) => [name, Number(number)]));
}

/** What libbluetooth's headers have; the kernel has none for programs. */
const BLUETOOTH = numbers(`
  SOL_HCI 0, SOL_L2CAP 6, SOL_SCO 17, SOL_RFCOMM 18, BTPROTO_L2CAP 0, BTPROTO_HCI 1, BTPROTO_SCO 2,
  BTPROTO_RFCOMM 3, BDADDR_BREDR 0, BDADDR_LE_PUBLIC 1, BDADDR_LE_RANDOM 2, BT_SECURITY 4,
  BT_DEFER_SETUP 7, BT_FLUSHABLE 8, BT_POWER 9, BT_CHANNEL_POLICY 10, BT_VOICE 11, BT_SNDMTU 12,
  BT_RCVMTU 13, BT_PHY 14, BT_MODE 15, BT_PKT_STATUS 16, BT_ISO_QOS 17, BT_CODEC 19, BT_SECURITY_SDP 0,
  BT_SECURITY_LOW 1, BT_SECURITY_MEDIUM 2, BT_SECURITY_HIGH 3, BT_SECURITY_FIPS 4, BT_FLUSHABLE_OFF 0,
  BT_FLUSHABLE_ON 1, BT_POWER_FORCE_ACTIVE_OFF 0, BT_POWER_FORCE_ACTIVE_ON 1,
  BT_CHANNEL_POLICY_BREDR_ONLY 0, BT_CHANNEL_POLICY_BREDR_PREFERRED 1, BT_VOICE_TRANSPARENT 3,
  BT_VOICE_CVSD_16BIT 0x60, BT_VOICE_TRANSPARENT_16BIT 0x63, BT_MODE_BASIC 0, BT_MODE_ERTM 1,
  BT_MODE_STREAMING 2, BT_MODE_LE_FLOWCTL 3, BT_MODE_EXT_FLOWCTL 4, BT_PHY_BR_1M_1SLOT 1,
  BT_PHY_BR_1M_3SLOT 2, BT_PHY_BR_1M_5SLOT 4, BT_PHY_EDR_2M_1SLOT 8, BT_PHY_EDR_2M_3SLOT 0x10,
  BT_PHY_EDR_2M_5SLOT 0x20, BT_PHY_EDR_3M_1SLOT 0x40, BT_PHY_EDR_3M_3SLOT 0x80,
  BT_PHY_EDR_3M_5SLOT 0x100, BT_PHY_LE_1M_TX 0x200, BT_PHY_LE_1M_RX 0x400, BT_PHY_LE_2M_TX 0x800,
  BT_PHY_LE_2M_RX 0x1000, BT_PHY_LE_CODED_TX 0x2000, BT_PHY_LE_CODED_RX 0x4000, HCI_DATA_DIR 1,
  HCI_FILTER 2, HCI_TIME_STAMP 3, HCI_DEV_NONE 0xffff, HCI_CHANNEL_RAW 0, HCI_CHANNEL_USER 1,
  HCI_CHANNEL_MONITOR 2, HCI_CHANNEL_CONTROL 3, HCI_CHANNEL_LOGGING 4, L2CAP_LM 3, L2CAP_LM_MASTER 1,
  L2CAP_LM_AUTH 2, L2CAP_LM_ENCRYPT 4, L2CAP_LM_TRUSTED 8, L2CAP_LM_RELIABLE 0x10, L2CAP_LM_SECURE 0x20`);

/** What only the kernel's own headers have, and CPython defines for itself. */
const KERNEL = numbers(`
  ALG_OP_SIGN 2, ALG_OP_VERIFY 3, ALG_SET_PUBKEY 6, SOL_TCP 6, SOL_UDP 17, UDPLITE_SEND_CSCOV 10,
  UDPLITE_RECV_CSCOV 11, ETHERTYPE_ARP 0x806, ETHERTYPE_IP 0x800, ETHERTYPE_IPV6 0x86dd,
  ETHERTYPE_VLAN 0x8100`);

/** Two functions, two texts, and what left Linux with its protocol. */
const NO_NUMBERS: ReadonlySet<string> = new Set([
  "CMSG_LEN",
  "CMSG_SPACE",
  "BDADDR_ANY",
  "BDADDR_LOCAL",
  "IPX_TYPE",
]);

/** Every constant of names.txt that Linux has. */
function recorded(): string[] {
  const text = readFileSync(join(ROOT, "scripts/parity/names.txt"), "utf8");
  const names: string[] = [];
  for (const [, since, block] of text.matchAll(/^\[socket (\S+)\]\n((?:.+\n)+)/gm))
    if (since !== "elsewhere") names.push(...(block as string).trim().split(/\s+/));
  return names.filter(
    (name) => /^[A-Z][A-Z\d]*_[A-Za-z\d_]+$|^SOMAXCONN$|^E[A-Z]+$/.test(name) && !NO_NUMBERS.has(name),
  );
}

/** The numbers that the system's headers give to the names that they know. */
function fromHeaders(names: readonly string[]): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), "berkeley-constants-"));
  try {
    const lines = names.map((name) => `#ifdef ${name}\n  print("${name}", ${name});\n#endif\n`);
    writeFileSync(join(folder, "names.inc"), lines.join(""));
    const [source, binary] = [join(ROOT, "test/parity/constants.c"), join(folder, "constants")];
    execFileSync(gcc.path, ["-w", `-I${folder}`, "-o", binary, source]);
    const output = execFileSync(binary).toString().trim().split("\n");
    return new Map(output.map((line) => [line.split(" ")[0] as string, Number(line.split(" ")[1])]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every constant that CPython has on Linux is the number of this system's headers", {
  skip: gcc.skip || process.platform !== "linux",
}, () => {
  const names = recorded();
  assert.ok(names.length > 500, `${names.length} names`);
  const known = fromHeaders(names);
  assert.ok(known.size > 380, `${known.size} names`);
  const wrong = names.flatMap((name) => {
    const number = known.get(name) ?? BLUETOOTH[name] ?? KERNEL[name];
    return number === ours[name] ? [] : [`${name} is ${String(ours[name])}, not ${number}`];
  });
  assert.deepEqual(wrong, []);
});

test("BDADDR_ANY and BDADDR_LOCAL are CPython's texts", () => {
  assert.deepEqual([berkeley.BDADDR_ANY, berkeley.BDADDR_LOCAL], ["00:00:00:00:00:00", "00:00:00:FF:FF:FF"]);
});
