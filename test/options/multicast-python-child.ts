// Multicast between CPython and us on the interface v0, in both directions and families: any source with a hop limit, one
// source alone, a source that is blocked. Prints what each heard as JSON.

import * as b from "berkeley";
import { portOf, python } from "../support/python.ts";

const V0 = b.if_nametoindex("v0");
const SIX = "ff15::77";
const FOUR = "232.9.9.9";
/** Two addresses of this machine for each family. */
const [FOUR_A, FOUR_B, SIX_A, SIX_B] = ["10.9.8.1", "10.9.7.1", "fd09::1", "fd07::1"];

function sender(host: string): b.Socket {
  const six = host.includes(":");
  const sock = b.socket(six ? b.AF_INET6 : b.AF_INET, b.SOCK_DGRAM);
  sock.bind([host, 0]);
  if (six) sock.options.IPV6_MULTICAST_IF = V0;
  else sock.options.IP_MULTICAST_IF = V0;
  return sock;
}

function receiver(family: number): b.Socket {
  const sock = b.socket(family, b.SOCK_DGRAM);
  sock.bind(["", 0]);
  if (family === b.AF_INET6) sock.options.IPV6_MULTICAST_ALL = false;
  else sock.options.IP_MULTICAST_ALL = false;
  return sock;
}

const LISTEN = `
def listen(family, level, option, request):
    sock = socket(family, SOCK_DGRAM)
    sock.bind(("", 0))
    sock.setsockopt(level, option, request)
    say("port", sock.getsockname()[1])
    return sock
`;
const results: Record<string, unknown> = {};

{
  await using peer = python(`${LISTEN}
sock = listen(AF_INET6, IPPROTO_IPV6, IPV6_JOIN_GROUP, inet_pton(AF_INET6, "${SIX}") + struct.pack("@I", ${V0}))
sock.setsockopt(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
data, ancdata, flags, address = sock.recvmsg(100, 100)
say("heard", data.decode(), struct.unpack("@i", ancdata[0][2])[0], address[0])`);
  using sock = sender(SIX_A);
  sock.options.IPV6_MULTICAST_HOPS = 3;
  await sock.sendto("six", [SIX, await portOf(peer), 0, V0]);
  results["python, any source"] = (await peer.line(/^heard (.*)$/m))[1];
}
{
  // struct ip_mreq_source; CPython 3.11 has no name for the option's number, 39.
  await using peer = python(`${LISTEN}
request = inet_aton("${FOUR}") + inet_aton("${FOUR_A}") + inet_aton("${FOUR_B}")
sock = listen(AF_INET, IPPROTO_IP, 39, request)
say("heard", *(sock.recv(100).decode() for _ in range(2)))`);
  const port = await portOf(peer);
  using unwanted = sender(FOUR_A);
  using wanted = sender(FOUR_B);
  await unwanted.sendto("unwanted", [FOUR, port]);
  await wanted.sendto("wanted", [FOUR, port]);
  await unwanted.sendto("straight", [FOUR_A, port]);
  results["python, one source"] = (await peer.line(/^heard (.*)$/m))[1];
}

/** CPython sends from both addresses to the group, and straight to us at last; what we hear. */
async function heardFromPython(sock: b.Socket, group: string): Promise<string[]> {
  const [, port] = sock.getsockname();
  await using peer = python(
    `
group, port, index, *hosts = sys.argv[1:]
for host in hosts:
    six = ":" in host
    sock = socket(AF_INET6 if six else AF_INET, SOCK_DGRAM)
    sock.bind((host, 0))
    if six: sock.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_IF, int(index))
    else: sock.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), int(index)))
    sock.sendto(host.encode(), (group, int(port)))
sock.sendto(b"end", (hosts[0], int(port)))`,
    [group, port, V0, ...(group === SIX ? [SIX_A, SIX_B] : [FOUR_A, FOUR_B])],
  );
  const texts: string[] = [];
  for (;;) {
    const text = (await sock.recv(100)).toString();
    if (text === "end") break;
    texts.push(text);
  }
  await peer.succeeded();
  return texts;
}

for (const [name, family, group, source] of [
  ["IPv4", b.AF_INET, FOUR, FOUR_A],
  ["IPv6", b.AF_INET6, SIX, SIX_A],
] as const) {
  using one = receiver(family);
  one.options.MCAST_JOIN_SOURCE_GROUP({ group, source, ifindex: V0 });
  results[`${name}, one source`] = await heardFromPython(one, group);
  using all = receiver(family);
  all.options.MCAST_JOIN_GROUP({ group, ifindex: V0 });
  results[`${name}, any source`] = await heardFromPython(all, group);
  all.options.MCAST_BLOCK_SOURCE({ group, source, ifindex: V0 });
  results[`${name}, one blocked`] = await heardFromPython(all, group);
  all.options.MCAST_LEAVE_GROUP({ group, ifindex: V0 });
  results[`${name}, left`] = await heardFromPython(all, group);
}
console.log(JSON.stringify(results));
