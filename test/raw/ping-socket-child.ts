// Sends one echo request over a ping socket and tells the answer, as JSON; for ping-socket.test.ts.

import * as b from "berkeley";

const [, , host = "127.0.0.1"] = process.argv;
const isIpv6 = host.includes(":");

using sock = isIpv6
  ? b.socket(b.AF_INET6, b.SOCK_DGRAM, b.IPPROTO_ICMPV6)
  : b.socket(b.AF_INET, b.SOCK_DGRAM, b.IPPROTO_ICMP);
sock.settimeout(60);
if (isIpv6) sock.options.IPV6_RECVHOPLIMIT = true;
else sock.options.IP_RECVTTL = true;
// The kernel fills in identifier and checksum.
const request = Buffer.from("\0\0\0\0\0\0\0\x07an echo!", "latin1");
request[0] = isIpv6 ? b.ICMPV6_ECHO_REQUEST : b.ICMP_ECHO;
await sock.sendto(request, [host, 0]);
const [reply, ancdata, , from] = await sock.recvmsg(65_536, b.CMSG_SPACE(4));
console.log(
  JSON.stringify({
    uid: process.getuid?.(),
    port: sock.getsockname()[1],
    reply: {
      type: reply.readUInt8(0),
      id: reply.readUInt16BE(4),
      sequence: reply.readUInt16BE(6),
      data: reply.toString("latin1", 8),
    },
    from,
    hops: ancdata[0]?.[2].readInt32LE(),
  }),
);
