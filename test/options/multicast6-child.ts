// Joins and leaves an IPv6 group on the interface v0, as its argument says how, and prints whether the group's
// datagrams arrived before, between and after.

import * as b from "berkeley";

const INTERFACE = b.if_nametoindex("v0");
const request = { group: "ff15::6677", ifindex: INTERFACE };
const ways: Record<string, [join: keyof b.TypedOptions, leave: keyof b.TypedOptions]> = {
  IPV6_JOIN_GROUP: ["IPV6_JOIN_GROUP", "IPV6_LEAVE_GROUP"],
  MCAST_JOIN_GROUP: ["MCAST_JOIN_GROUP", "MCAST_LEAVE_GROUP"],
};

using to = b.socket(b.AF_INET6, b.SOCK_DGRAM);
to.bind(["::", 0]);
to.options.IPV6_MULTICAST_ALL = false;
const [, port] = to.getsockname() as b.Inet6Address;
using group = b.socket(b.AF_INET6, b.SOCK_DGRAM);
group.options.IPV6_MULTICAST_IF = INTERFACE;
await group.connect([request.group, port, 0, 0]);
using direct = b.socket(b.AF_INET6, b.SOCK_DGRAM);
await direct.connect(["::1", port, 0, 0]);

/** Whether a datagram to the group arrives: one to the receiver itself follows it. */
async function arrives(): Promise<boolean> {
  await group.send("group");
  await direct.send("direct");
  const first = (await to.recv(100)).toString();
  if (first === "group") await to.recv(100);
  return first === "group";
}

const [join, leave] = ways[process.argv[2] as string] as [string, string];
const options = to.options as unknown as Record<string, (value: typeof request) => void>;
const results = [await arrives()];
options[join]?.(request);
results.push(await arrives());
options[leave]?.(request);
results.push(await arrives());
console.log(JSON.stringify(results));
