// The interfaces of this machine and their addresses, asked of the kernel over netlink: what `ip addr` shows.
// node links.js
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import type { NetlinkAddress } from "berkeley";
import { decodeAttributes, decodeNetlink, encodeNetlink } from "berkeley/packet";
import type { NetlinkMessage } from "berkeley/packet";

/** All objects of a kind, by a request that begins with a structure of so many bytes, all of them zero: no restriction. */
async function dump(sock: b.Socket, type: number, bytes: number): Promise<NetlinkMessage[]> {
  const flags = b.NLM_F_REQUEST | b.NLM_F_DUMP;
  const request = encodeNetlink({ type, flags, sequence: type, payload: new Uint8Array(bytes) });
  await sock.sendto(request, [0, 0]);
  const found: NetlinkMessage[] = [];
  for (;;) {
    const [answer, , cut, [port]] = await sock.recvmsg<NetlinkAddress>(65_536);
    if (port !== 0) continue; // not the kernel: whoever has the right may send here
    if ((cut & b.MSG_TRUNC) !== 0) throw new Error("netlink: an answer is longer than 64 KiB");
    for (const message of decodeNetlink(answer)) {
      if (message.sequence !== type) continue;
      if (message.type === b.NLMSG_DONE) return found;
      if (message.type === b.NLMSG_ERROR) throw new Error(`netlink: errno ${-numberAt(message.payload, 0)}`);
      found.push(message);
    }
  }
}

/** An int of a structure, in the machine's order. */
function numberAt(structure: Uint8Array, at: number): number {
  const bytes = Uint8Array.from(structure.subarray(at, at + 4));
  if (bytes.length < 4) throw new Error(`netlink: a structure of ${structure.length} bytes is too short`);
  return new Int32Array(bytes.buffer)[0] as number;
}

/** One line a link; a name is the kernel's, but who made it may have put anything into it. */
export function describe(links: readonly NetlinkMessage[], addresses: readonly NetlinkMessage[]): string[] {
  return links.map(({ payload }) => {
    const index = numberAt(payload, 4); // struct ifinfomsg
    const name = decodeAttributes(payload.subarray(16)).find(({ type }) => type === b.IFLA_IFNAME);
    const own = addresses.filter((address) => numberAt(address.payload, 4) === index); // struct ifaddrmsg
    const shown = own.map((address) => {
      const attributes = decodeAttributes(address.payload.subarray(8));
      const local = attributes.find(({ type }) => type === b.IFA_LOCAL);
      const at = local ?? attributes.find(({ type }) => type === b.IFA_ADDRESS);
      return `${b.inet_ntop(address.payload[0] as number, at?.payload ?? new Uint8Array(0))}/${address.payload[1]}`;
    });
    const text = Buffer.from(name?.payload ?? [])
      .toString("latin1")
      .replace(/\0$/, "");
    return [`${index}:`, text.replaceAll(/[^!-~]/g, "?"), ...shown].join(" ");
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  using sock = b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE);
  const links = await dump(sock, b.RTM_GETLINK, 16);
  for (const line of describe(links, await dump(sock, b.RTM_GETADDR, 8))) console.log(line);
}
