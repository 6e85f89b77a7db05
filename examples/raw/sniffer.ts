// A small packet sniffer: one line for each packet of an interface. Needs CAP_NET_RAW.
// node sniffer.js [INTERFACE [FILTER [COUNT]]]
import * as b from "berkeley";
import type { PacketAddress } from "berkeley";
import { compileFilter, decodePacket, formatPacket } from "berkeley/packet";

const [, , name = "lo", filter = "", count = "Infinity"] = process.argv;

// With protocol 0 nothing arrives before bind(): no packet gets past the filter.
using sock = b.socket(b.AF_PACKET, b.SOCK_RAW, 0);
if (filter !== "") sock.options.SO_ATTACH_FILTER(compileFilter(filter));
sock.bind([name, b.ETH_P_ALL]);
const [, , , kind] = sock.getsockname<PacketAddress>();
if (kind !== b.ARPHRD_ETHER && kind !== b.ARPHRD_LOOPBACK) throw new Error(`${name} is no Ethernet`);
console.log(`listening on ${name}`);

for (let seen = 0; seen < Number(count); ) {
  const [frame, [, , direction]] = await sock.recvfrom<PacketAddress>(262_144);
  // What goes out on loopback comes in again.
  if (kind === b.ARPHRD_LOOPBACK && direction === b.PACKET_OUTGOING) continue;
  const arrow = direction === b.PACKET_OUTGOING ? "->" : "<-";
  console.log(arrow, formatPacket(decodePacket(frame))); // whatever the bytes are, it is one line of ASCII
  seen++;
}
const { packets, drops } = sock.options.PACKET_STATISTICS;
console.log(`${packets} packets passed the filter, ${drops} of them were dropped for want of room`);
