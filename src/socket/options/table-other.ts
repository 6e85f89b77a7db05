// Options of AF_VSOCK, AF_CAN, AF_ALG, AF_BLUETOOTH, AF_TIPC and AF_RDS. vsock(7), Documentation/networking/can.rst,
// Documentation/crypto/userspace-if.rst, tipc(7). One line an option; its type says what it takes.

import * as a from "../../constants/alg.ts";
import * as b from "../../constants/bluetooth.ts";
import * as c from "../../constants/can.ts";
import * as l from "../../constants/levels.ts";
import * as r from "../../constants/rds.ts";
import * as t from "../../constants/tipc.ts";
import * as v from "../../constants/vsock.ts";
import { AF_BLUETOOTH, AF_VSOCK } from "../../constants/families.ts";
import type { Action, Command, Fact, Length, Level, Option } from "./definition.ts";
import { action, command, fact, flag, int, length, option, uint } from "./definition.ts";
import { truth, u16, u32, u64, u8 } from "./field.ts";
import type {
  BluetoothConnection,
  BluetoothSecurity,
  CanFilter,
  HciFilter,
  IsotpFlowControl,
  IsotpLinkLayer,
  IsotpOptions,
  J1939Filter,
  L2capOptions,
  TipcGroup,
} from "./other-structs.ts";
import {
  bluetoothConnection,
  bluetoothSecurity,
  canFilters,
  hciFilter,
  isotpFlowControl,
  isotpLinkLayer,
  isotpOptions,
  j1939Filters,
  l2capOptions,
  tipcGroup,
} from "./other-structs.ts";
import { one, raw } from "./struct.ts";
import { seconds } from "./structs.ts";

const KEY_BYTES = 4096; // net.core.optmem_max limits a key; the largest, of RSA, have 2 KiB

/** Levels of Bluetooth have the numbers of IP's, TCP's and UDP's: they are levels of its own sockets alone. */
const bluetooth =
  (level: number): Level =>
  (family) =>
    family === AF_BLUETOOTH ? level : -1;
const BLUETOOTH = bluetooth(l.SOL_BLUETOOTH);
const L2CAP = bluetooth(l.SOL_L2CAP);
const RFCOMM = bluetooth(l.SOL_RFCOMM);
const SCO = bluetooth(l.SOL_SCO);
const HCI = bluetooth(l.SOL_HCI);

/** AF_VSOCK. */
export class VsockTable {
  /** Largest buffer that SO_VM_SOCKETS_BUFFER_SIZE may ask for, bytes. */
  readonly SO_VM_SOCKETS_BUFFER_MAX_SIZE: Option<number> = option(
    AF_VSOCK,
    v.SO_VM_SOCKETS_BUFFER_MAX_SIZE,
    one(u64),
  );
  /** Smallest, bytes. */
  readonly SO_VM_SOCKETS_BUFFER_MIN_SIZE: Option<number> = option(
    AF_VSOCK,
    v.SO_VM_SOCKETS_BUFFER_MIN_SIZE,
    one(u64),
  );
  /** Buffer, bytes. */
  readonly SO_VM_SOCKETS_BUFFER_SIZE: Option<number> = option(
    AF_VSOCK,
    v.SO_VM_SOCKETS_BUFFER_SIZE,
    one(u64),
  );
  /** Seconds until connect() gives up. */
  readonly SO_VM_SOCKETS_CONNECT_TIMEOUT: Option<number> = option(
    AF_VSOCK,
    v.SO_VM_SOCKETS_CONNECT_TIMEOUT,
    seconds,
  );
}

/** SOL_CAN_RAW, SOL_CAN_ISOTP, SOL_CAN_J1939. */
export class CanTable {
  /** Frames that arrive: those that pass any of these; none: no frames. */
  readonly CAN_RAW_FILTER: Option<readonly CanFilter[]> = option(l.SOL_CAN_RAW, c.CAN_RAW_FILTER, canFilters);
  /** CAN_ERR_* bits: error frames that arrive. */
  readonly CAN_RAW_ERR_FILTER: Option<number> = option(l.SOL_CAN_RAW, c.CAN_RAW_ERR_FILTER, uint);
  /** Frames also come to the other sockets of this host. */
  readonly CAN_RAW_LOOPBACK: Option<boolean> = option(l.SOL_CAN_RAW, c.CAN_RAW_LOOPBACK, flag);
  /** Frames also come back to this socket. */
  readonly CAN_RAW_RECV_OWN_MSGS: Option<boolean> = option(l.SOL_CAN_RAW, c.CAN_RAW_RECV_OWN_MSGS, flag);
  /** CAN FD frames. */
  readonly CAN_RAW_FD_FRAMES: Option<boolean> = option(l.SOL_CAN_RAW, c.CAN_RAW_FD_FRAMES, flag);
  /** Frames must pass all of the filters. */
  readonly CAN_RAW_JOIN_FILTERS: Option<boolean> = option(l.SOL_CAN_RAW, c.CAN_RAW_JOIN_FILTERS, flag);
  /** CAN XL frames. Linux 6.2. */
  readonly CAN_RAW_XL_FRAMES: Option<boolean> = option(l.SOL_CAN_RAW, c.CAN_RAW_XL_FRAMES, flag);
  /** ISO-TP; set before bind(). */
  readonly CAN_ISOTP_OPTS: Option<IsotpOptions> = option(l.SOL_CAN_ISOTP, c.CAN_ISOTP_OPTS, isotpOptions);
  /** ISO-TP flow control. */
  readonly CAN_ISOTP_RECV_FC: Option<IsotpFlowControl> = option(
    l.SOL_CAN_ISOTP,
    c.CAN_ISOTP_RECV_FC,
    isotpFlowControl,
  );
  /** ISO-TP link layer. */
  readonly CAN_ISOTP_LL_OPTS: Option<IsotpLinkLayer> = option(
    l.SOL_CAN_ISOTP,
    c.CAN_ISOTP_LL_OPTS,
    isotpLinkLayer,
  );
  /** ISO-TP: nanoseconds between frames sent, whatever the receiver asks. */
  readonly CAN_ISOTP_TX_STMIN: Option<number> = option(l.SOL_CAN_ISOTP, c.CAN_ISOTP_TX_STMIN, uint);
  /** ISO-TP: frames that come sooner, in nanoseconds, are ignored. */
  readonly CAN_ISOTP_RX_STMIN: Option<number> = option(l.SOL_CAN_ISOTP, c.CAN_ISOTP_RX_STMIN, uint);
  /** J1939: messages that arrive. */
  readonly SO_J1939_FILTER: Action<readonly J1939Filter[]> = action(
    l.SOL_CAN_J1939,
    c.SO_J1939_FILTER,
    j1939Filters,
  );
  /** J1939: messages for others arrive too. */
  readonly SO_J1939_PROMISC: Option<boolean> = option(l.SOL_CAN_J1939, c.SO_J1939_PROMISC, flag);
  /** J1939: 0 (highest) to 7; 0 and 1 need CAP_NET_ADMIN. */
  readonly SO_J1939_SEND_PRIO: Option<number> = option(l.SOL_CAN_J1939, c.SO_J1939_SEND_PRIO, int);
  /** J1939: the error queue tells what became of what was sent. */
  readonly SO_J1939_ERRQUEUE: Option<boolean> = option(l.SOL_CAN_J1939, c.SO_J1939_ERRQUEUE, flag);
}

/** SOL_ALG. */
export class AlgTable {
  /** The key. */
  readonly ALG_SET_KEY: Action<Uint8Array> = action(l.SOL_ALG, a.ALG_SET_KEY, raw(KEY_BYTES));
  /** The key, by its number in the kernel's keyring. Linux 6.2. */
  readonly ALG_SET_KEY_BY_KEY_SERIAL: Action<number> = action(l.SOL_ALG, a.ALG_SET_KEY_BY_KEY_SERIAL, int);
  /** Bytes of an authentication tag. */
  readonly ALG_SET_AEAD_AUTHSIZE: Length = length(l.SOL_ALG, a.ALG_SET_AEAD_AUTHSIZE);
  /** Entropy for a generator's test. Needs CAP_SYS_ADMIN. */
  readonly ALG_SET_DRBG_ENTROPY: Action<Uint8Array> = action(
    l.SOL_ALG,
    a.ALG_SET_DRBG_ENTROPY,
    raw(KEY_BYTES),
  );
}

/** SOL_BLUETOOTH, SOL_L2CAP, SOL_RFCOMM, SOL_SCO, SOL_HCI. */
export class BluetoothTable {
  readonly BT_SECURITY: Option<BluetoothSecurity> = option(BLUETOOTH, b.BT_SECURITY, bluetoothSecurity);
  /** The program decides about connections by their first receive. */
  readonly BT_DEFER_SETUP: Option<boolean> = option(BLUETOOTH, b.BT_DEFER_SETUP, one(truth(u32)));
  readonly BT_FLUSHABLE: Option<boolean> = option(BLUETOOTH, b.BT_FLUSHABLE, one(truth(u32)));
  /** Leaves the power-saving mode before sending. */
  readonly BT_POWER: Option<boolean> = option(BLUETOOTH, b.BT_POWER, one(truth(u8)));
  /** BT_CHANNEL_POLICY_*. */
  readonly BT_CHANNEL_POLICY: Option<number> = option(BLUETOOTH, b.BT_CHANNEL_POLICY, uint);
  /** BT_VOICE_*. */
  readonly BT_VOICE: Option<number> = option(BLUETOOTH, b.BT_VOICE, one(u16));
  /** Largest packet sent, bytes. */
  readonly BT_SNDMTU: Option<number> = option(BLUETOOTH, b.BT_SNDMTU, one(u16));
  /** Largest packet received, bytes. */
  readonly BT_RCVMTU: Option<number> = option(BLUETOOTH, b.BT_RCVMTU, one(u16));
  /** BT_PHY_* bits. */
  readonly BT_PHY: Fact<number> = fact(BLUETOOTH, b.BT_PHY, uint);
  /** BT_MODE_*. */
  readonly BT_MODE: Option<number> = option(BLUETOOTH, b.BT_MODE, one(u8));
  /** recvmsg brings the status of each packet. */
  readonly BT_PKT_STATUS: Option<boolean> = option(BLUETOOTH, b.BT_PKT_STATUS, flag);
  readonly L2CAP_OPTIONS: Option<L2capOptions> = option(L2CAP, b.L2CAP_OPTIONS, l2capOptions);
  readonly L2CAP_CONNINFO: Fact<BluetoothConnection> = fact(L2CAP, b.L2CAP_CONNINFO, bluetoothConnection);
  /** L2CAP_LM_* bits. */
  readonly L2CAP_LM: Option<number> = option(L2CAP, b.L2CAP_LM, uint);
  readonly RFCOMM_CONNINFO: Fact<BluetoothConnection> = fact(RFCOMM, b.RFCOMM_CONNINFO, bluetoothConnection);
  /** As L2CAP_LM. */
  readonly RFCOMM_LM: Option<number> = option(RFCOMM, b.RFCOMM_LM, uint);
  /** Largest packet, bytes. */
  readonly SCO_OPTIONS: Fact<number> = fact(SCO, b.SCO_OPTIONS, one(u16));
  readonly SCO_CONNINFO: Fact<BluetoothConnection> = fact(SCO, b.SCO_CONNINFO, bluetoothConnection);
  /** recvmsg brings the direction. */
  readonly HCI_DATA_DIR: Option<boolean> = option(HCI, b.HCI_DATA_DIR, flag);
  /** Packets and events that arrive. */
  readonly HCI_FILTER: Option<HciFilter> = option(HCI, b.HCI_FILTER, hciFilter);
  /** recvmsg brings the time of arrival. */
  readonly HCI_TIME_STAMP: Option<boolean> = option(HCI, b.HCI_TIME_STAMP, flag);
}

/** SOL_TIPC and SOL_RDS. */
export class ClusterTable {
  /** TIPC_*_IMPORTANCE. */
  readonly TIPC_IMPORTANCE: Option<number> = option(l.SOL_TIPC, t.TIPC_IMPORTANCE, uint);
  /** Messages may be dropped at the source when there is congestion. */
  readonly TIPC_SRC_DROPPABLE: Option<boolean> = option(l.SOL_TIPC, t.TIPC_SRC_DROPPABLE, one(truth(u32)));
  /** Messages may be dropped at their destination. */
  readonly TIPC_DEST_DROPPABLE: Option<boolean> = option(l.SOL_TIPC, t.TIPC_DEST_DROPPABLE, one(truth(u32)));
  /** Milliseconds until connect() gives up. */
  readonly TIPC_CONN_TIMEOUT: Option<number> = option(l.SOL_TIPC, t.TIPC_CONN_TIMEOUT, uint);
  readonly TIPC_NODE_RECVQ_DEPTH: Fact<number> = fact(l.SOL_TIPC, t.TIPC_NODE_RECVQ_DEPTH, uint);
  readonly TIPC_SOCK_RECVQ_DEPTH: Fact<number> = fact(l.SOL_TIPC, t.TIPC_SOCK_RECVQ_DEPTH, uint);
  readonly TIPC_SOCK_RECVQ_USED: Fact<number> = fact(l.SOL_TIPC, t.TIPC_SOCK_RECVQ_USED, uint);
  /** Multicast goes out as broadcast, */
  readonly TIPC_MCAST_BROADCAST: Command = command(l.SOL_TIPC, t.TIPC_MCAST_BROADCAST);
  /** or once for each receiver. */
  readonly TIPC_MCAST_REPLICAST: Command = command(l.SOL_TIPC, t.TIPC_MCAST_REPLICAST);
  readonly TIPC_GROUP_JOIN: Action<TipcGroup> = action(l.SOL_TIPC, t.TIPC_GROUP_JOIN, tipcGroup);
  readonly TIPC_GROUP_LEAVE: Command = command(l.SOL_TIPC, t.TIPC_GROUP_LEAVE);
  /** Small messages go out at once. */
  readonly TIPC_NODELAY: Option<boolean> = option(l.SOL_TIPC, t.TIPC_NODELAY, one(truth(u32)));
  /** RDS: errors of messages sent are told. */
  readonly RDS_RECVERR: Option<boolean> = option(l.SOL_RDS, r.RDS_RECVERR, flag);
  /** RDS: congestion is told. */
  readonly RDS_CONG_MONITOR: Action<boolean> = action(l.SOL_RDS, r.RDS_CONG_MONITOR, flag);
  /** RDS: RDS_TRANS_*. */
  readonly SO_RDS_TRANSPORT: Option<number> = option(l.SOL_RDS, r.SO_RDS_TRANSPORT, int);
}
