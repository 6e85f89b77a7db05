// Receives four frames on an interface, promiscuously and with their VLAN tags, and answers each; for packet.test.ts, in a
// network namespace.

import * as b from "berkeley";
import type { PacketAddress } from "berkeley";

const ETHERTYPE = 0x88b5;
const [, , , name = "v0"] = process.argv;

using sock = b.socket(b.AF_PACKET, b.SOCK_RAW, 0);
sock.options.PACKET_AUXDATA = true;
sock.options.PACKET_ADD_MEMBERSHIP({ ifindex: b.if_nametoindex(name), type: b.PACKET_MR_PROMISC });
// Who is bound to one protocol sees frames of VLANs without any trace of their tag.
sock.bind([name, b.ETH_P_ALL]);
console.log("ready");

for (let count = 1; count <= 4; ) {
  const [frame, ancdata, , address] = await sock.recvmsg<PacketAddress>(65_536, b.CMSG_SPACE(20));
  if (address[1] !== ETHERTYPE) continue; // the network's own
  // struct tpacket_auxdata: status, len, snaplen (u32), mac, net, vlan_tci, vlan_tpid (u16).
  const aux = ancdata.find(([level, type]) => level === b.SOL_PACKET && type === b.PACKET_AUXDATA)?.[2];
  const tagged = aux !== undefined && (aux.readUInt32LE(0) & b.TP_STATUS_VLAN_VALID) !== 0;
  const control = aux?.readUInt16LE(16) ?? 0;
  const [interface_, protocol, pkttype, hatype, mac] = address;
  console.log(
    JSON.stringify({
      bytes: frame.length,
      address: [interface_, protocol, pkttype, hatype, Buffer.from(mac ?? []).toString("hex")],
      vlan: tagged ? { id: control & 0xfff, priority: control >> 13 } : null,
    }),
  );
  const answer = Buffer.concat([frame.subarray(6, 12), frame.subarray(0, 6), Buffer.from([0x88, 0xb5])]);
  await sock.send(Buffer.concat([answer, Buffer.from(count++ === 4 ? "over" : "next")]));
}
