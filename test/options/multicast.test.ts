// Multicast by options alone: joining by index and by address, leaving, sources, blocking, in both families. Sender and
// receiver are in this process, over the loopback interface.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import { NAMESPACE_SKIP, nodeInNamespace, VETH } from "../support/namespace.ts";
import { PYTHON } from "../support/python.ts";

const LO = 1; // the loopback interface of every network namespace
const GROUP = "239.255.66.77";
const SOURCE_GROUP = "232.66.77.88";

function receiver(): [sock: b.Socket, port: number] {
  const sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  sock.bind(["", 0]);
  return [sock, sock.getsockname()[1]];
}

async function sender(group: string, port: number, source?: string): Promise<b.Socket> {
  const sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  sock.options.IP_MULTICAST_IF = LO;
  if (source !== undefined) sock.bind([source, 0]);
  await sock.connect([group, port]);
  return sock;
}

/** Whether a datagram to the group arrives: one to the receiver itself follows it, on the same path. */
async function arrives(to: b.Socket, from: b.Socket, port: number): Promise<boolean> {
  using direct = b.socket(b.AF_INET, b.SOCK_DGRAM);
  await direct.connect(["127.0.0.1", port]);
  await from.send("group");
  await direct.send("direct");
  if ((await to.recv(100)).toString() === "direct") return false;
  assert.equal((await to.recv(100)).toString(), "direct");
  return true;
}

const requests: Record<string, (sock: b.Socket, join: boolean) => void> = {
  "IP_ADD_MEMBERSHIP by index": ({ options }, join) =>
    join
      ? options.IP_ADD_MEMBERSHIP({ group: GROUP, ifindex: LO })
      : options.IP_DROP_MEMBERSHIP({ group: GROUP, ifindex: LO }),
  "IP_ADD_MEMBERSHIP by address": ({ options }, join) =>
    join
      ? options.IP_ADD_MEMBERSHIP({ group: GROUP, address: "127.0.0.1" })
      : options.IP_DROP_MEMBERSHIP({ group: GROUP, address: "127.0.0.1" }),
  MCAST_JOIN_GROUP: ({ options }, join) =>
    join
      ? options.MCAST_JOIN_GROUP({ group: GROUP, ifindex: LO })
      : options.MCAST_LEAVE_GROUP({ group: GROUP, ifindex: LO }),
};

for (const [how, request] of Object.entries(requests))
  test(`a group's datagrams arrive between joining and leaving it: ${how}`, async () => {
    const [sock, port] = receiver();
    using to = sock;
    using from = await sender(GROUP, port);
    to.options.IP_MULTICAST_ALL = false;
    assert.equal(await arrives(to, from, port), false);
    request(to, true);
    assert.equal(await arrives(to, from, port), true);
    assert.throws(() => request(to, true), { code: "EADDRINUSE" });
    request(to, false);
    assert.equal(await arrives(to, from, port), false);
    assert.throws(() => request(to, false), { code: "EADDRNOTAVAIL" });
  });

for (const how of ["IPV6_JOIN_GROUP", "MCAST_JOIN_GROUP"])
  test(`a group's datagrams arrive between joining and leaving it over IPv6: ${how} (in a namespace)`, {
    skip: NAMESPACE_SKIP,
  }, async () => {
    const program = fileURLToPath(new URL("multicast6-child.js", import.meta.url));
    await using child = nodeInNamespace(VETH, program, [how]);
    assert.equal((await child.succeeded()).stdout.toString(), "[false,true,false]\n");
  });

const sources: Record<string, (sock: b.Socket, source: string, join: boolean) => void> = {
  IP_ADD_SOURCE_MEMBERSHIP: ({ options }, source, join) => {
    const request = { group: SOURCE_GROUP, source, address: "127.0.0.1" };
    return join ? options.IP_ADD_SOURCE_MEMBERSHIP(request) : options.IP_DROP_SOURCE_MEMBERSHIP(request);
  },
  MCAST_JOIN_SOURCE_GROUP: ({ options }, source, join) => {
    const request = { group: SOURCE_GROUP, source, ifindex: LO };
    return join ? options.MCAST_JOIN_SOURCE_GROUP(request) : options.MCAST_LEAVE_SOURCE_GROUP(request);
  },
};

for (const [how, request] of Object.entries(sources))
  test(`only a joined source's datagrams arrive: ${how}`, async () => {
    const [sock, port] = receiver();
    using to = sock;
    to.options.IP_MULTICAST_ALL = false;
    using wanted = await sender(SOURCE_GROUP, port, "127.0.0.2");
    using other = await sender(SOURCE_GROUP, port, "127.0.0.3");
    request(to, "127.0.0.2", true);
    assert.equal(await arrives(to, wanted, port), true);
    assert.equal(await arrives(to, other, port), false);
    request(to, "127.0.0.2", false);
    assert.equal(await arrives(to, wanted, port), false);
  });

const blocks: Record<string, (sock: b.Socket, source: string, block: boolean) => void> = {
  IP_BLOCK_SOURCE: ({ options }, source, block) => {
    const request = { group: GROUP, source, address: "127.0.0.1" };
    return block ? options.IP_BLOCK_SOURCE(request) : options.IP_UNBLOCK_SOURCE(request);
  },
  MCAST_BLOCK_SOURCE: ({ options }, source, block) => {
    const request = { group: GROUP, source, ifindex: LO };
    return block ? options.MCAST_BLOCK_SOURCE(request) : options.MCAST_UNBLOCK_SOURCE(request);
  },
};

for (const [how, request] of Object.entries(blocks))
  test(`a blocked source's datagrams do not arrive: ${how}`, async () => {
    const [sock, port] = receiver();
    using to = sock;
    to.options.IP_MULTICAST_ALL = false;
    if (how.startsWith("IP_")) to.options.IP_ADD_MEMBERSHIP({ group: GROUP, address: "127.0.0.1" });
    else to.options.MCAST_JOIN_GROUP({ group: GROUP, ifindex: LO });
    using from = await sender(GROUP, port, "127.0.0.4");
    request(to, "127.0.0.4", true);
    assert.equal(await arrives(to, from, port), false);
    request(to, "127.0.0.4", false);
    assert.equal(await arrives(to, from, port), true);
  });

test("CPython and we hear each other's multicast in both families, by source too (in a namespace)", {
  skip: NAMESPACE_SKIP || PYTHON.skip,
}, async () => {
  const program = fileURLToPath(new URL("multicast-python-child.js", import.meta.url));
  await using child = nodeInNamespace(VETH, program);
  const both = { IPv4: ["10.9.8.1", "10.9.7.1"], IPv6: ["fd09::1", "fd07::1"] };
  const expected: Record<string, unknown> = {
    "python, any source": "six 3 fd09::1",
    "python, one source": "wanted straight",
  };
  for (const [family, [one, other]] of Object.entries(both)) {
    expected[`${family}, one source`] = [one];
    expected[`${family}, any source`] = [one, other];
    expected[`${family}, one blocked`] = [other];
    expected[`${family}, left`] = [];
  }
  assert.deepEqual(JSON.parse((await child.succeeded()).stdout.toString()), expected);
});
