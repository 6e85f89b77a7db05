// Packets, without any input or output: headers from bytes, packets in words, captures as files, filters as programs.
// `import { decodePacket, formatPacket } from "berkeley/packet"`. Names only; nothing happens here.

export { internetChecksum, transportChecksum } from "./checksum.ts";
export { decodePacket } from "./decode.ts";
export type { Start } from "./decode.ts";
export { compileFilter } from "./filter/compile.ts";
export type { LinkLayer } from "./filter/compile.ts";
export type { Instruction } from "./filter/assembler.ts";
export { FilterError } from "./filter/error.ts";
export { formatPacket, hexDump } from "./format.ts";
export type * from "./headers.ts";
export { decodeAttributes, decodeNetlink, encodeAttributes, encodeNetlink } from "./netlink.ts";
export type { NetlinkAttribute, NetlinkMessage } from "./netlink.ts";
export {
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_RAW,
  pcapngInterface,
  pcapngPacket,
  pcapngSection,
  pcapngStatistics,
} from "./pcapng.ts";
export type { PcapngInterface, PcapngPacket, PcapngStatistics } from "./pcapng.ts";
