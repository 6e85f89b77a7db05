// What both faces export: constants, errors, the shapes of addresses, what takes plain descriptors. Names only; nothing
// happens here.

export * from "../constants/index.ts";
export { AddressError, SocketError, TimeoutError } from "./errors.ts";
// CPython's names of these classes.
export {
  AddressError as gaierror,
  AddressError as herror,
  SocketError as error,
  TimeoutError as timeout,
} from "./errors.ts";
export { BDADDR_ANY, BDADDR_LOCAL } from "./address.ts";
export type {
  Address,
  AlgAddress,
  AnyAddress,
  CanAddress,
  CanIsotpAddress,
  CanJ1939Address,
  HciAddress,
  Inet6Address,
  InetAddress,
  L2capAddress,
  NetlinkAddress,
  PacketAddress,
  QrtrAddress,
  RfcommAddress,
  ScoAddress,
  TipcAddress,
  UnixAddress,
  UnknownAddress,
  VsockAddress,
} from "./address/types.ts";
export { getdefaulttimeout, setdefaulttimeout } from "./base.ts";
export { close, dup, has_dualstack_ipv6, has_ipv6 } from "./descriptors.ts";
export type { SendBatchOptions } from "./batch/send-batch.ts";
export { SendBatch } from "./batch/send-batch.ts";
export type { ReceiveBatchOptions } from "./batch/receive-batch.ts";
export { ReceiveBatch } from "./batch/receive-batch.ts";
export type { DatagramOptions, PacketInfo } from "./batch/fields.ts";
export { AddressFamily, MsgFlag, SocketKind } from "./enums.ts";
export type { Named } from "./enums.ts";
export type { Data } from "./bytes.ts";
export type { AlgOptions } from "./alg.ts";
export type { Ancillary, ReceivedAncillary } from "./ancillary.ts";
export { decode_ancillary, encode_ancillary } from "./ancillary/fields.ts";
export type { AncillaryFields, AncillaryToSend } from "./ancillary/fields.ts";
export type {
  ExtendedError,
  PacketAuxData,
  PacketInfo4,
  Timestamping,
  TimestampingPacketInfo,
} from "./ancillary/structs.ts";
export type { ZeroCopyReport } from "./beside.ts";
export type { ReceivedMessage } from "./controls.ts";
export type { ErrorMessage } from "./error-queue.ts";
export { FileError, UnicodeError } from "./makefile/errors.ts";
export { DEFAULT_BUFFER_SIZE, LINE_LIMIT, READ_LIMIT } from "./makefile/limits.ts";
export type {
  BinaryMode,
  ErrorsMode,
  MakefileOptions,
  Newline,
  TextMode,
} from "./makefile/mode.ts";
export type { TypedOptions } from "./options/typed.ts";
export type { PacketInfo6, PathMtu, PortRange } from "./options/ip-structs.ts";
export type {
  PacketFanout,
  PacketMembership,
  PacketStatistics,
  RolloverStatistics,
} from "./options/link-structs.ts";
export type {
  GroupRequest,
  GroupSourceRequest,
  MulticastGroup,
  MulticastSource,
  OutgoingInterface,
} from "./options/multicast.ts";
export type {
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
} from "./options/other-structs.ts";
export type {
  Credentials,
  FilterInstruction,
  Linger,
  MemoryInfo,
  TransmitTime,
} from "./options/structs.ts";
export type { TcpInfo } from "./options/tcp-info.ts";
export type { Md5Key, Md5NetworkKey, MptcpInfo, RepairWindow } from "./options/tcp-structs.ts";
export { unlink_stale } from "./stale.ts";
export type { FileSource } from "./sendfile.ts";
