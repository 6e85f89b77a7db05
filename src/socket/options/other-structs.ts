// Values of options of CAN, Bluetooth and TIPC sockets. Documentation/networking/can.rst, j1939.rst; bluetooth/*.h of
// BlueZ; tipc(7). Bytes only.

import { identity, octets, optional, u16, u32, u8 } from "./field.ts";
import type { Codec } from "./struct.ts";
import { many, one, struct } from "./struct.ts";

/** struct can_filter: a frame passes when `(its id & mask) == (id & mask)`. */
export interface CanFilter {
  /** With CAN_INV_FILTER: the others pass. */
  id: number;
  mask: number;
}

/** At most CAN_RAW_FILTER_MAX. */
export const canFilters: Codec<readonly CanFilter[]> = many(struct<CanFilter>({ id: u32, mask: u32 }), 512);

/** struct can_isotp_options. */
export interface IsotpOptions {
  /** CAN_ISOTP_* bits. */
  flags: number;
  /** Nanoseconds between frames. */
  frame_txtime?: number;
  ext_address?: number;
  txpad_content?: number;
  rxpad_content?: number;
  rx_ext_address?: number;
}

export const isotpOptions: Codec<IsotpOptions> = one(
  struct<IsotpOptions>({
    flags: u32,
    frame_txtime: optional(u32),
    ext_address: optional(u8),
    txpad_content: optional(u8),
    rxpad_content: optional(u8),
    rx_ext_address: optional(u8),
  }),
);

/** struct can_isotp_fc_options: flow control. */
export interface IsotpFlowControl {
  /** Frames in a block. */
  bs: number;
  /** Least time between frames, as ISO 15765-2 codes it. */
  stmin: number;
  /** Wait frames at most. */
  wftmax: number;
}

export const isotpFlowControl: Codec<IsotpFlowControl> = one(
  struct<IsotpFlowControl>({ bs: u8, stmin: u8, wftmax: u8 }),
);

/** struct can_isotp_ll_options: the link layer. */
export interface IsotpLinkLayer {
  /** CAN_MTU or CANFD_MTU. */
  mtu: number;
  /** Bytes of data in a frame. */
  tx_dl: number;
  /** CAN FD flags. */
  tx_flags: number;
}

export const isotpLinkLayer: Codec<IsotpLinkLayer> = one(
  struct<IsotpLinkLayer>({ mtu: u8, tx_dl: u8, tx_flags: u8 }),
);

/** struct j1939_filter. */
export interface J1939Filter {
  name: bigint;
  name_mask: bigint;
  pgn: number;
  pgn_mask: number;
  addr: number;
  addr_mask: number;
}

/** At most J1939_FILTER_MAX. */
export const j1939Filters: Codec<readonly J1939Filter[]> = many(
  struct<J1939Filter>({
    name: identity,
    name_mask: identity,
    pgn: u32,
    pgn_mask: u32,
    addr: u8,
    addr_mask: u8,
  }),
  512,
);

/** struct bt_security. */
export interface BluetoothSecurity {
  /** BT_SECURITY_*. */
  level: number;
  /** Bytes; only read. */
  key_size?: number;
}

export const bluetoothSecurity: Codec<BluetoothSecurity> = one(
  struct<BluetoothSecurity>({ level: u8, key_size: optional(u8) }),
);

/** struct l2cap_options. */
export interface L2capOptions {
  omtu: number;
  imtu: number;
  flush_to: number;
  mode: number;
  fcs: number;
  max_tx: number;
  txwin_size: number;
}

export const l2capOptions: Codec<L2capOptions> = one(
  struct<L2capOptions>({
    omtu: u16,
    imtu: u16,
    flush_to: u16,
    mode: u8,
    fcs: u8,
    max_tx: u8,
    txwin_size: u16,
  }),
);

/** struct l2cap_conninfo, rfcomm_conninfo, sco_conninfo. */
export interface BluetoothConnection {
  hci_handle: number;
  dev_class: Uint8Array;
}

export const bluetoothConnection: Codec<BluetoothConnection> = one(
  struct<BluetoothConnection>({ hci_handle: u16, dev_class: octets(3) }),
);

/** struct hci_ufilter. */
export interface HciFilter {
  type_mask: number;
  /** Events 0..31, */
  event_mask_low: number;
  /** and 32..63. */
  event_mask_high: number;
  opcode: number;
}

export const hciFilter: Codec<HciFilter> = one(
  struct<HciFilter>({ type_mask: u32, event_mask_low: u32, event_mask_high: u32, opcode: u16 }),
);

/** struct tipc_group_req. */
export interface TipcGroup {
  /** The group's number. */
  type: number;
  /** The member's number. */
  instance: number;
  /** TIPC_CLUSTER_SCOPE or TIPC_NODE_SCOPE. */
  scope: number;
  /** TIPC_GROUP_* bits. */
  flags?: number;
}

export const tipcGroup: Codec<TipcGroup> = one(
  struct<TipcGroup>({ type: u32, instance: u32, scope: u32, flags: optional(u32) }),
);
