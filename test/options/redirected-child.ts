// In a network namespace with addresses: sends from one that is not there, and lets a firewall redirect connections to port
// 80. Prints what was seen as JSON. The argument is the program nft.

import { execFileSync } from "node:child_process";
import * as b from "berkeley";

const nft = process.argv[2] as string;
const results: Record<string, unknown> = {};

using receiver = b.socket(b.AF_INET, b.SOCK_DGRAM);
receiver.bind(["10.9.8.1", 0]);
using transparent = b.socket(b.AF_INET, b.SOCK_DGRAM);
transparent.options.IP_TRANSPARENT = true;
transparent.bind(["192.0.2.7", 0]);
await transparent.sendto("x", receiver.getsockname());
results["from"] = (await receiver.recvfrom(1))[1][0];

for (const [name, family, table, host] of [
  ["IPv4", b.AF_INET, "ip", "10.9.8.1"],
  ["IPv6", b.AF_INET6, "ip6", "fd09::1"],
] as const) {
  using server = b.create_server(["", 0], { family });
  const rules = `table ${table} redirected {
    chain out {
      type nat hook output priority -100;
      tcp dport 80 redirect to :${server.getsockname()[1]}
    }
  }`;
  execFileSync(nft, ["-f", "-"], { input: rules });
  using client = b.socket(family);
  await client.connect([host, 80]);
  const [conn] = await server.accept();
  results[name] = conn.options.SO_ORIGINAL_DST;
  conn.close();
}

using server = b.create_server(["127.0.0.1", 0]);
using client = b.socket();
await client.connect(server.getsockname());
const [conn] = await server.accept();
try {
  // Connection tracking knows it all the same, and has nothing else to tell: some kernels say ENOENT.
  const [host] = conn.options.SO_ORIGINAL_DST;
  results["not redirected"] = host === "127.0.0.1" ? "ENOENT" : host;
} catch (error) {
  results["not redirected"] = (error as b.SocketError).code;
}
conn.close();
console.log(JSON.stringify(results));
