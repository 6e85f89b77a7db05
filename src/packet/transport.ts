// TCP with its options (RFC 9293, RFC 7323, RFC 2018) and UDP (RFC 768).

import { u16, u32 } from "./bytes.ts";
import type { TcpHeader, TcpOption, UdpHeader } from "./headers.ts";

const TCP_BYTES_MIN = 20;
const UDP_BYTES = 8;

function decodeOption(kind: number, data: Uint8Array): TcpOption {
  if (kind === 2 && data.length === 2) return { option: "mss", bytes: u16(data, 0) };
  if (kind === 3 && data.length === 1) return { option: "windowScale", shift: data[0] as number };
  if (kind === 4 && data.length === 0) return { option: "sackPermitted" };
  if (kind === 5 && data.length > 0 && data.length % 8 === 0) {
    const blocks: [number, number][] = [];
    for (let at = 0; at < data.length; at += 8) blocks.push([u32(data, at), u32(data, at + 4)]);
    return { option: "sack", blocks };
  }
  if (kind === 8 && data.length === 8)
    return { option: "timestamps", value: u32(data, 0), echo: u32(data, 4) };
  return { option: "other", kind, data };
}

/** Options, up to their end; a header has room for 40 bytes of them. */
function decodeOptions(bytes: Uint8Array): TcpOption[] {
  const options: TcpOption[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at] as number;
    if (kind === 0) {
      options.push({ option: "end" });
      break;
    }
    if (kind === 1) {
      options.push({ option: "nop" });
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) {
      options.push({ option: "malformed", kind });
      break;
    }
    options.push(decodeOption(kind, bytes.subarray(at + 2, at + length)));
    at += length;
  }
  return options;
}

/**
 * A TCP header and its size; "malformed": it contradicts itself; undefined: it is not all there.
 *
 * @param sentBytes  how long header and data were when they were sent.
 */
export function decodeTcp(
  bytes: Uint8Array,
  sentBytes: number,
): [header: TcpHeader, size: number] | "malformed" | undefined {
  if (bytes.length < TCP_BYTES_MIN) return undefined;
  const headerBytes = ((bytes[12] as number) >> 4) * 4;
  if (headerBytes < TCP_BYTES_MIN || headerBytes > sentBytes) return "malformed";
  if (bytes.length < headerBytes) return undefined;
  const header: TcpHeader = {
    layer: "tcp",
    sourcePort: u16(bytes, 0),
    destinationPort: u16(bytes, 2),
    sequence: u32(bytes, 4),
    acknowledgment: u32(bytes, 8),
    headerBytes,
    flags: u16(bytes, 12) & 0x1ff,
    window: u16(bytes, 14),
    checksum: u16(bytes, 16),
    urgent: u16(bytes, 18),
    options: decodeOptions(bytes.subarray(TCP_BYTES_MIN, headerBytes)),
    dataBytes: sentBytes - headerBytes,
  };
  return [header, headerBytes];
}

/** A UDP header and its size; undefined: it is not all there. */
export function decodeUdp(bytes: Uint8Array): [header: UdpHeader, size: number] | undefined {
  if (bytes.length < UDP_BYTES) return undefined;
  const header: UdpHeader = {
    layer: "udp",
    sourcePort: u16(bytes, 0),
    destinationPort: u16(bytes, 2),
    length: u16(bytes, 4),
    checksum: u16(bytes, 6),
  };
  return [header, UDP_BYTES];
}
