// A captured packet as lines for a person, as tcpdump(8) has them: the time of day, with all interfaces where it was and
// which way it went, then its headers. Pure; whatever the packet is, the lines are printable ASCII.

import { formatPacket, hexDump } from "../packet/index.ts";
import type { Captured } from "./capture-source.ts";
import { renderBytes } from "./render.ts";

/** PACKET_HOST, _BROADCAST, _MULTICAST, _OTHERHOST, _OUTGOING, in the kernel's order. */
const DIRECTIONS = ["In", "B", "M", "P", "Out"] as const;

/** "14:05:06.123456", in the local zone. */
function formatTime(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n));
  const two = (number: number): string => String(number).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${clock}.${String((time / 1000n) % 1_000_000n).padStart(6, "0")}`;
}

function describePacket({ etherType, network, packet, vlan }: Captured): string {
  const tag = vlan === undefined ? "" : `vlan ${vlan & 0xfff}, p ${vlan >> 13}, `;
  if (packet.headers.length > 0) return tag + formatPacket(packet);
  return `${tag}ethertype 0x${etherType.toString(16).padStart(4, "0")}, length ${network.length}`;
}

/**
 * The packet's line, with hexadecimal ones below it where they are asked for.
 *
 * @param everywhere  whether packets of all interfaces are captured.
 * @param hex         whether to show what the packet has behind the link's header.
 */
export function linesOf(captured: Captured, everywhere: boolean, hex: boolean): string[] {
  const { direction, interface: name, network, time } = captured;
  const shown = renderBytes(Buffer.from(name)).padEnd(5);
  const where = everywhere ? `${shown} ${(DIRECTIONS[direction] ?? "?").padEnd(3)} ` : "";
  const line = `${formatTime(time)} ${where}${describePacket(captured)}`;
  return hex ? [line, ...hexDump(network)] : [line];
}
