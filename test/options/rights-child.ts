// What a program without capabilities is told, as JSON: names of attempts and the messages of their errors.

import * as b from "berkeley";

const attempts: Record<string, () => unknown> = {
  "raw IPv4": () => b.socket(b.AF_INET, b.SOCK_RAW, b.IPPROTO_ICMP),
  "raw IPv6": () => b.socket(b.AF_INET6, b.SOCK_RAW, b.IPPROTO_ICMPV6),
  packet: () => b.socket(b.AF_PACKET, b.SOCK_RAW, 0),
  "packet with flags": () => b.socket(b.AF_PACKET, b.SOCK_DGRAM | b.SOCK_NONBLOCK, 0),
  ping: () => b.socket(b.AF_INET, b.SOCK_DGRAM, b.IPPROTO_ICMP),
  "low port": () => b.socket().bind(["127.0.0.1", 1]),
  "low port IPv6": () => b.socket(b.AF_INET6).bind(["::1", 1, 0, 0]),
  SO_MARK: () => (b.socket().options.SO_MARK = 1),
  "SO_MARK raw": () => b.socket().setsockopt(b.SOL_SOCKET, b.SO_MARK, 1),
  SO_PRIORITY: () => (b.socket().options.SO_PRIORITY = 7),
  SO_RCVBUFFORCE: () => b.socket().options.SO_RCVBUFFORCE(1 << 20),
  SO_DEBUG: () => (b.socket().options.SO_DEBUG = true),
  TCP_REPAIR: () => (b.socket().options.TCP_REPAIR = b.TCP_REPAIR_ON),
  IP_TRANSPARENT: () => (b.socket().options.IP_TRANSPARENT = true),
  broadcast: () => b.socket(b.AF_INET, b.SOCK_DGRAM).connect(["255.255.255.255", 9]),
};

const messages: Record<string, string> = {};
for (const [name, attempt] of Object.entries(attempts))
  try {
    await attempt();
    messages[name] = "allowed";
  } catch (error) {
    messages[name] = (error as Error).message;
  }
console.log(JSON.stringify(messages));
process.exit();
