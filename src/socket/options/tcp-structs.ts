// Values of TCP and Multipath TCP options that are structures, but for TCP_INFO. tcp(7), linux/tcp.h, linux/mptcp.h.
// Bytes only.

import { TCP_MD5SIG_FLAG_IFINDEX, TCP_MD5SIG_FLAG_PREFIX } from "../../constants/tcp.ts";
import { hostStorage } from "./addresses.ts";
import { i32, identity, octets, truth, u16, u32, u64, u8 } from "./field.ts";
import type { Codec, Reader, Writer } from "./struct.ts";
import { one, struct } from "./struct.ts";
import { invalidArgument } from "../errors.ts";

/** A key for a peer, RFC 2385. An empty key removes it. */
export interface Md5Key {
  /** The peer, numeric; of an IPv6 socket an IPv4 peer is "::ffff:a.b.c.d". */
  host: string;
  /** At most 80 bytes. */
  key: Uint8Array;
}

/** A key for a network, or for an interface. */
export interface Md5NetworkKey extends Md5Key {
  /** All hosts with these first bits; absent: the host alone. */
  prefixlen?: number;
  /** Only connections through this interface, which must be a layer-3 master device. */
  ifindex?: number;
}

interface Md5Layout {
  host: string;
  flags: number;
  prefixlen: number;
  keylen: number;
  ifindex: number;
  key: Uint8Array;
}

const md5 = one(
  struct<Md5Layout>({
    host: hostStorage,
    flags: u8,
    prefixlen: u8,
    keylen: u16,
    ifindex: i32,
    key: octets(80), // TCP_MD5SIG_MAXKEYLEN
  }),
);

/** struct tcp_md5sig. */
export const md5Key: Writer<Md5NetworkKey> = {
  encode(value, what) {
    if (typeof value !== "object" || value === null) throw invalidArgument(what, "an object", value);
    const { host, key, prefixlen, ifindex } = value;
    if (!(key instanceof Uint8Array)) throw invalidArgument(`${what}.key`, "a Uint8Array", key);
    const flags =
      (prefixlen === undefined ? 0 : TCP_MD5SIG_FLAG_PREFIX) |
      (ifindex === undefined ? 0 : TCP_MD5SIG_FLAG_IFINDEX);
    const layout = { host, flags, prefixlen: prefixlen ?? 0, keylen: key.length, ifindex: ifindex ?? 0, key };
    return md5.encode(layout, what);
  },
};

/** struct tcp_repair_window. */
export interface RepairWindow {
  snd_wl1: number;
  snd_wnd: number;
  max_window: number;
  rcv_wnd: number;
  rcv_wup: number;
}

export const repairWindow: Codec<RepairWindow> = one(
  struct<RepairWindow>({ snd_wl1: u32, snd_wnd: u32, max_window: u32, rcv_wnd: u32, rcv_wup: u32 }),
);

/** struct mptcp_info: how a Multipath TCP connection fares. What an older kernel does not tell is absent. */
export interface MptcpInfo {
  subflows: number;
  add_addr_signal: number;
  add_addr_accepted: number;
  subflows_max: number;
  add_addr_signal_max: number;
  add_addr_accepted_max: number;
  /** MPTCP_INFO_FLAG_* bits. */
  flags: number;
  token: number;
  write_seq: bigint;
  snd_una: bigint;
  rcv_nxt: bigint;
  local_addr_used?: number;
  local_addr_max?: number;
  csum_enabled?: boolean;
  retransmits?: number;
  bytes_retrans?: number;
  bytes_sent?: number;
  bytes_received?: number;
  bytes_acked?: number;
}

export const mptcpInfo: Reader<MptcpInfo> = one(
  struct<MptcpInfo>({
    subflows: u8,
    add_addr_signal: u8,
    add_addr_accepted: u8,
    subflows_max: u8,
    add_addr_signal_max: u8,
    add_addr_accepted_max: u8,
    flags: u32,
    token: u32,
    write_seq: identity,
    snd_una: identity,
    rcv_nxt: identity,
    local_addr_used: u8,
    local_addr_max: u8,
    csum_enabled: truth(u8),
    retransmits: u32,
    bytes_retrans: u64,
    bytes_sent: u64,
    bytes_received: u64,
    bytes_acked: u64,
  }),
);
