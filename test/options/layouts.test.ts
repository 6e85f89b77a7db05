// Values of options: byte for byte what the system's own structures hold (layouts.c).

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ECONNREFUSED, EHOSTUNREACH } from "berkeley";
import * as control from "#dist/socket/ancillary/structs.js";
import { packetInfo6 } from "#dist/socket/options/ip-structs.js";
import {
  icmp6Types,
  icmpTypes,
  packetFanout,
  packetMembership,
  packetStatistics,
} from "#dist/socket/options/link-structs.js";
import * as multicast from "#dist/socket/options/multicast.js";
import * as other from "#dist/socket/options/other-structs.js";
import * as structs from "#dist/socket/options/structs.js";
import { tcpInfo } from "#dist/socket/options/tcp-info.js";
import { md5Key, repairWindow } from "#dist/socket/options/tcp-structs.js";
import { requirePeer } from "../support/peers.ts";

interface Case {
  readonly codec: object;
  readonly value: unknown;
  /** What decoding gives where it is not the value. */
  readonly back?: unknown;
}

const MAX_U64 = 2n ** 64n - 1n;
const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

/** What layouts.c prints under the name, and the value for it. */
const CASES: Record<string, Case> = {
  linger: { codec: structs.linger, value: { onoff: true, linger: 5 } },
  timeval: { codec: structs.seconds, value: 2.5 },
  ucred: { codec: structs.credentials, value: { pid: 1, uid: 2, gid: 4_294_967_295 } },
  sock_txtime: { codec: structs.transmitTime, value: { clockid: 11, flags: 2 } },
  sock_filter: {
    codec: structs.filter,
    value: [
      { code: 0x28, jt: 0, jf: 0, k: 12 },
      { code: 0x15, jt: 0, jf: 1, k: 0x806 },
      { code: 6, jt: 0, jf: 0, k: 0xffffffff },
      { code: 6, jt: 0, jf: 0, k: 0 },
    ],
  },
  ip_mreqn: { codec: multicast.group4, value: { group: "239.1.2.3", address: "127.0.0.1", ifindex: 7 } },
  "ip_mreqn index": { codec: multicast.outgoingInterface, value: 7, back: "0.0.0.0" },
  ip_mreq_source: {
    codec: multicast.source4,
    value: { group: "232.1.2.3", address: "127.0.0.1", source: "10.0.0.1" },
  },
  ipv6_mreq: { codec: multicast.group6, value: { group: "ff02::114", ifindex: 7 } },
  group_req: { codec: multicast.groupRequest, value: { ifindex: 7, group: "239.1.2.3" } },
  group_source_req: {
    codec: multicast.groupSourceRequest,
    value: { ifindex: 7, group: "ff35::1", source: "fd00::5" },
  },
  tcp_md5sig: { codec: md5Key, value: { host: "10.0.0.1", key: Buffer.from("secret") } },
  "tcp_md5sig network": {
    codec: md5Key,
    value: { host: "10.0.0.1", key: Buffer.from("secret"), prefixlen: 24, ifindex: 7 },
  },
  tcp_repair_window: {
    codec: repairWindow,
    value: { snd_wl1: 1, snd_wnd: 2, max_window: 3, rcv_wnd: 4, rcv_wup: 5 },
  },
  in6_pktinfo: { codec: packetInfo6, value: { addr: "fd00::5", ifindex: 7 } },
  "packet_mreq promisc": { codec: packetMembership, value: { ifindex: 7, type: 1 } },
  "packet_mreq address": {
    codec: packetMembership,
    value: { ifindex: 7, type: 0, address: Buffer.from([1, 2, 3, 4, 5, 6]) },
  },
  tpacket_stats: { codec: packetStatistics, value: { packets: 3, drops: 2, freeze_q_cnt: 1 } },
  fanout_args: { codec: packetFanout, value: { id: 77, type_flags: 0x8000, max_num_members: 9 } },
  icmp_filter: { codec: icmpTypes, value: [0] },
  icmp6_filter: { codec: icmp6Types, value: [129] },
  can_filter: { codec: other.canFilters, value: [{ id: 0x20000123, mask: 0x7ff }] },
  can_isotp_options: {
    codec: other.isotpOptions,
    value: {
      flags: 1,
      frame_txtime: 2,
      ext_address: 3,
      txpad_content: 4,
      rxpad_content: 5,
      rx_ext_address: 6,
    },
  },
  can_isotp_fc_options: { codec: other.isotpFlowControl, value: { bs: 1, stmin: 2, wftmax: 3 } },
  can_isotp_ll_options: { codec: other.isotpLinkLayer, value: { mtu: 72, tx_dl: 64, tx_flags: 1 } },
  j1939_filter: {
    codec: other.j1939Filters,
    value: [
      {
        name: 0x0102030405060708n,
        name_mask: MAX_U64,
        pgn: 0x3ff00,
        pgn_mask: 0x3ff00,
        addr: 0x20,
        addr_mask: 0xff,
      },
    ],
  },
  bt_security: { codec: other.bluetoothSecurity, value: { level: 2, key_size: 16 } },
  l2cap_options: {
    codec: other.l2capOptions,
    value: { omtu: 672, imtu: 673, flush_to: 0xffff, mode: 3, fcs: 1, max_tx: 4, txwin_size: 63 },
  },
  l2cap_conninfo: {
    codec: other.bluetoothConnection,
    value: { hci_handle: 0x0102, dev_class: Buffer.from([3, 4, 5]) },
  },
  hci_ufilter: {
    codec: other.hciFilter,
    value: { type_mask: 0x10, event_mask_low: 0x20, event_mask_high: 0x30, opcode: 0x40 },
  },
  in_pktinfo: { codec: control.packetInfo4, value: { ifindex: 7, spec_dst: "10.0.0.1", addr: "239.1.2.3" } },
  sock_extended_err: {
    codec: control.extendedError,
    value: { errno: ECONNREFUSED, origin: 3, type: 1, code: 4, info: 6, data: 7, offender: null },
  },
  "sock_extended_err offender": {
    codec: control.extendedError,
    value: {
      errno: ECONNREFUSED,
      origin: 3,
      type: 1,
      code: 4,
      info: 6,
      data: 7,
      offender: ["fd00::5", 0, 0, 3],
    },
  },
  "sock_extended_err offender4": {
    codec: control.extendedError,
    value: { errno: EHOSTUNREACH, origin: 2, type: 3, code: 1, info: 0, data: 0, offender: ["10.0.0.1", 0] },
  },
  "timeval time": { codec: control.timeval, value: 1_700_000_000_123_456_000n },
  timespec: { codec: control.timespec, value: 1_700_000_000_123_456_789n },
  "scm_timestamping software": {
    codec: control.timestamping,
    value: { software: 1_700_000_000_000_000_005n },
  },
  "scm_timestamping hardware": { codec: control.timestamping, value: { hardware: 9_000_000_008n } },
  scm_ts_pktinfo: { codec: control.timestampingPacketInfo, value: { ifindex: 7, length: 1500 } },
  tpacket_auxdata: {
    codec: control.packetAuxData,
    value: { status: 16, len: 1514, snaplen: 1000, mac: 14, net: 18, vlan_tci: 5, vlan_tpid: 0x8100 },
  },
  tipc_group_req: { codec: other.tipcGroup, value: { type: 1000, instance: 1, scope: 2, flags: 3 } },
};

const folder = mkdtempSync(join(tmpdir(), "berkeley-option-layouts-"));
after(() => rmSync(folder, { recursive: true }));
const cc = requirePeer("cc");

/** What the system's structures hold, by name. */
function layouts(): Map<string, Buffer> {
  const program = join(folder, "layouts");
  execFileSync(cc.path, ["-Wall", "-Werror", "-o", program, "test/options/layouts.c"]);
  const lines = execFileSync(program).toString().trim().split("\n");
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Buffer.from(line.slice(space + 1), "hex")];
    }),
  );
}
const expected = cc.skip === false ? layouts() : new Map<string, Buffer>();
const bytesOf = (name: string): Buffer => expected.get(name) as Buffer;

for (const [name, { codec, value, back = value }] of Object.entries(CASES)) {
  if ("encode" in codec)
    test(`encode() writes what the system's structure holds: ${name}`, { skip: cc.skip }, () => {
      const writer = codec as { encode(value: unknown, what: string): Uint8Array };
      assert.equal(Buffer.from(writer.encode(value, name)).toString("hex"), bytesOf(name).toString("hex"));
    });

  if ("decode" in codec)
    test(`decode() reads what the system's structure holds: ${name}`, { skip: cc.skip }, () => {
      const reader = codec as { decode(bytes: Uint8Array): unknown };
      assert.deepEqual(reader.decode(bytesOf(name)), back);
    });
}

test("decode() reads TCP_INFO, its bit fields and its large counters", { skip: cc.skip }, () => {
  const info = tcpInfo.decode(bytesOf("tcp_info"));
  assert.deepEqual([info.state, info.options, info.snd_wscale, info.rcv_wscale], [0, 35, 7, 9]);
  assert.equal(info.delivery_rate_app_limited, true);
  assert.equal(info.fastopen_client_fail, 2);
  assert.equal(info.rtt, 1_234_567);
  assert.equal(info.total_retrans, 42);
  assert.equal(info.max_pacing_rate, Infinity);
  assert.equal(info.delivery_rate, 2 ** 40);
  assert.equal(info.delivered_ce, 3);
  assert.equal(info.bytes_retrans, 5);
  assert.equal(info.snd_wnd, 65_535);
});

test("decode() leaves out of TCP_INFO what a kernel did not write, at every length", {
  skip: cc.skip,
}, () => {
  const whole = bytesOf("tcp_info");
  const all = Object.entries(tcpInfo.decode(whole));
  for (let length = 8; length <= whole.length; length++) {
    const info = Object.entries(tcpInfo.decode(whole.subarray(0, length)));
    assert.ok(info.length <= all.length);
    for (const [name, value] of info) assert.deepEqual(value, Object.fromEntries(all)[name], name);
  }
  assert.equal(tcpInfo.decode(whole.subarray(0, 104)).pacing_rate, undefined);
  assert.equal(tcpInfo.decode(whole.subarray(0, 104)).total_retrans, 42);
});

test("every layout of the system has its case", { skip: cc.skip }, () => {
  assert.deepEqual([...expected.keys()].toSorted(), [...Object.keys(CASES), "tcp_info"].toSorted());
});

test("encode() refuses what is not the value's kind, and names the option and the member", () => {
  const refused: [codec: { encode(value: never, what: string): unknown }, value: unknown, message: RegExp][] =
    [
      [structs.linger, 5, /^OPTION must be an object, not number 5$/],
      [structs.linger, { onoff: 1, linger: 0 }, /^OPTION\.onoff must be a boolean, not number 1$/],
      [structs.linger, { onoff: true }, /^OPTION\.linger must be a number, not undefined undefined$/],
      [structs.linger, { onoff: true, linger: 2 ** 31 }, /^OPTION\.linger must be a whole number/],
      [structs.seconds, -1, /^OPTION must be from 0 to/],
      [structs.seconds, "1", /^OPTION must be a number of seconds/],
      [structs.device, "an-interface-name", /^OPTION must be a text of at most 15 bytes/],
      [structs.device, "a\0b", /^OPTION must be a text of at most 15 bytes without a NUL/],
      [
        structs.filter,
        [{ code: 6, jt: 256, jf: 0, k: 0 }],
        /^OPTION\[0\]\.jt must be a whole number from 0 to 255/,
      ],
      [structs.filter, new Array(4097), /^OPTION must be at most 4096 long/],
      [structs.rate, -1, /^OPTION must be a whole number/],
      [multicast.group4, { group: "::1" }, /inet_pton EAI_NONAME/],
      [multicast.group4, { group: 5 }, /^OPTION\.group must be a string/],
      [multicast.outgoingInterface, -1, /^OPTION must be a whole number/],
      [icmpTypes, [32], /^OPTION\[0\] must be a whole number from 0 to 31/],
      [icmpTypes, 3, /^OPTION must be an array of numbers/],
      [md5Key, { host: "10.0.0.1", key: "secret" }, /^OPTION\.key must be a Uint8Array/],
      [md5Key, { host: "10.0.0.1", key: new Uint8Array(81) }, /^OPTION\.key must be at most 80 bytes long/],
      [other.j1939Filters, [{ name: 1 }], /^OPTION\[0\]\.name must be a bigint/],
    ];
  for (const [codec, value, message] of refused)
    assert.throws(() => codec.encode(value as never, "OPTION"), { message });
});

test("seconds.encode() never turns a short timeout into none", () => {
  for (const value of [1e-9, 1e-6, 0.9999999, 1.5, 0]) {
    const back = structs.seconds.decode(structs.seconds.encode(value, "SO_RCVTIMEO"));
    assert.ok(
      value === 0 ? back === 0 : back > 0 && Math.abs(back - value) <= 1e-6,
      `${value} became ${back}`,
    );
  }
});

test("icmpTypes and icmp6Types read back every set that they write", () => {
  for (const types of [[], [0], [31], upTo(32), [3, 11, 12]])
    assert.deepEqual(icmpTypes.decode(icmpTypes.encode(types, "ICMP_FILTER")), types);
  for (const types of [[], [0], [255], upTo(256), [1, 128, 129, 133]])
    assert.deepEqual(icmp6Types.decode(icmp6Types.encode(types, "ICMPV6_FILTER")), types);
});
