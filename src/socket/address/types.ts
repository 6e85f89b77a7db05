// The shapes of addresses, per family, as in CPython's socket module. Types only.

/** AF_INET. `host` is numeric in what comes from the system; "" is every address, "<broadcast>" 255.255.255.255. */
export type InetAddress = readonly [host: string, port: number];

/** AF_INET6. `scope_id` is the interface's index for link-local addresses, otherwise 0. */
export type Inet6Address = readonly [host: string, port: number, flowinfo: number, scope_id: number];

/** An internet address, either family: what `[host, port]` is enough for. */
export type Address = InetAddress | Inet6Address;

/**
 * AF_UNIX. A path; "" has no name (bind: the system gives an abstract one). Bytes that begin with NUL are a name in
 * Linux's abstract namespace. What comes from the system is a string, or a Buffer for abstract names and for paths that
 * are not UTF-8.
 */
export type UnixAddress = string | Uint8Array;

/** AF_NETLINK. `pid` is the port's number, 0 the kernel; `groups` is a mask of multicast groups. */
export type NetlinkAddress = readonly [pid: number, groups: number];

/**
 * AF_PACKET. `proto` is an ETH_P_* in host order, `pkttype` a PACKET_*, `hatype` an ARPHRD_*, `addr` the hardware
 * address. To send or bind, the interface and the protocol are enough.
 */
export type PacketAddress = readonly [
  ifname: string,
  proto: number,
  pkttype?: number,
  hatype?: number,
  addr?: Uint8Array,
];

/** AF_VSOCK. `cid` names a machine (VMADDR_CID_*). */
export type VsockAddress = readonly [cid: number, port: number];

/** AF_CAN with CAN_RAW or CAN_BCM; "" is every CAN interface. */
export type CanAddress = readonly [ifname: string];

/** AF_CAN with CAN_ISOTP: the CAN identifiers to receive and to send with. */
export type CanIsotpAddress = readonly [ifname: string, rx_addr: number, tx_addr: number];

/** AF_CAN with CAN_J1939. `name` has 64 bits. */
export type CanJ1939Address = readonly [ifname: string, name: bigint | number, pgn: number, addr: number];

/** AF_ALG: an algorithm, "hash" and "sha256". */
export type AlgAddress = readonly [type: string, name: string, feat?: number, mask?: number];

/** AF_BLUETOOTH with BTPROTO_L2CAP. `bdaddr_type` is a BDADDR_BREDR, BDADDR_LE_PUBLIC or BDADDR_LE_RANDOM. */
export type L2capAddress = readonly [bdaddr: string, psm: number, cid?: number, bdaddr_type?: number];

/** AF_BLUETOOTH with BTPROTO_RFCOMM. */
export type RfcommAddress = readonly [bdaddr: string, channel: number];

/** AF_BLUETOOTH with BTPROTO_HCI. `channel` is an HCI_CHANNEL_*. */
export type HciAddress = readonly [device_id: number, channel?: number];

/** AF_BLUETOOTH with BTPROTO_SCO: "12:23:34:45:56:67". */
export type ScoAddress = string;

/** AF_TIPC. What v1, v2 and v3 are depends on `addr_type`, a TIPC_ADDR_*. */
export type TipcAddress = readonly [addr_type: number, v1: number, v2: number, v3: number, scope?: number];

/** AF_QIPCRTR. */
export type QrtrAddress = readonly [node: number, port: number];

/** An address of a family that is not known here: its bytes after the family, as CPython gives them. */
export type UnknownAddress = readonly [family: number, bytes: Uint8Array];

/** An address of any family. */
export type AnyAddress =
  | Address
  | UnixAddress
  | NetlinkAddress
  | PacketAddress
  | VsockAddress
  | CanAddress
  | CanIsotpAddress
  | CanJ1939Address
  | AlgAddress
  | L2capAddress
  | RfcommAddress
  | HciAddress
  | TipcAddress
  | QrtrAddress
  | UnknownAddress;
