// Talks with the kernel's routing netlink in a network namespace, for netlink.test.ts: listens to changes of links, dumps
// them, or sets an address of lo.

import * as b from "berkeley";
import { decodeAttributes, decodeNetlink, encodeAttributes, encodeNetlink } from "berkeley/packet";
import type { NetlinkMessage } from "berkeley/packet";

const [, , what, address = "", prefix = "0"] = process.argv;
using sock = b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE);
sock.bind([0, what === "listen" ? b.RTMGRP_LINK : 0]);

function tell({ payload, type }: NetlinkMessage): void {
  const name = decodeAttributes(payload.subarray(16)).find((each) => each.type === b.IFLA_IFNAME)?.payload;
  const verb = type === b.RTM_NEWLINK ? "new" : type === b.RTM_DELLINK ? "del" : `type ${type}`;
  console.log(
    verb,
    Buffer.from(name ?? [])
      .toString("utf8")
      .replace(/\0$/, ""),
  );
}

if (what === "add") {
  // struct ifaddrmsg: family, prefixlen, flags, scope; index.
  const head = Buffer.from([b.AF_INET, Number(prefix), 0, 0, 0, 0, 0, 0]);
  head.writeInt32LE(b.if_nametoindex("lo"), 4);
  const local = encodeAttributes([{ type: b.IFA_LOCAL, payload: b.inet_pton(b.AF_INET, address) }]);
  const flags = b.NLM_F_REQUEST | b.NLM_F_ACK | b.NLM_F_CREATE;
  const payload = Buffer.concat([head, local]);
  await sock.sendto(encodeNetlink({ type: b.RTM_NEWADDR, flags, payload }), [0, 0]);
  const [answer] = decodeNetlink(await sock.recv(65_536));
  console.log(
    "answer",
    answer?.type === b.NLMSG_ERROR ? -Buffer.from(answer.payload).readInt32LE(0) || 0 : answer?.type,
  );
} else {
  if (what === "dump") {
    const flags = b.NLM_F_REQUEST | b.NLM_F_DUMP;
    await sock.sendto(encodeNetlink({ type: b.RTM_GETLINK, flags, payload: Buffer.alloc(16) }), [0, 0]);
  } else console.log("ready");
  for (let done = false; !done; )
    for (const message of decodeNetlink(await sock.recv(65_536)))
      if (message.type === b.NLMSG_DONE) done = true;
      else tell(message);
}
