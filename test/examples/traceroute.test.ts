// traceroute: the router and the host behind it, of a network made for it; and the host that is this machine.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ROOT } from "../support/cli.ts";
import { NAMESPACE_SKIP, nodeInNamespace } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";

const EXAMPLE = `${ROOT}out/examples/traceroute.js`;
const [unshare, nsenter, ip] = ["unshare", "nsenter", "ip"].map(requirePeer) as [
  ReturnType<typeof requirePeer>,
  ReturnType<typeof requirePeer>,
  ReturnType<typeof requirePeer>,
];

for (const host of ["127.0.0.1", "::1"])
  test(`traceroute finds that ${host} is one hop away`, async () => {
    await using child = start(process.execPath, [EXAMPLE, host]);
    const { stdout } = await child.succeeded();
    assert.match(stdout.toString(), new RegExp(`^1 ${host} \\d+\\.\\d{3} ms\\n$`));
  });

test("traceroute names the router, then the host behind it (in a namespace, as root)", {
  skip:
    NAMESPACE_SKIP ||
    nsenter.skip ||
    (process.getuid?.() === 0 ? false : "needs root: network namespaces that are joined"),
}, async () => {
  const program = fileURLToPath(new URL("traceroute-child.js", import.meta.url));
  await using child = nodeInNamespace("", program, [EXAMPLE, unshare.path, nsenter.path, ip.path]);
  const ways = (await child.succeeded()).stdout.toString().replaceAll(/ \d+\.\d+ ms/g, "");
  assert.equal(ways, "1 10.7.1.2\n2 10.7.2.2\n1 fd71::2\n2 fd72::2\n");
});
