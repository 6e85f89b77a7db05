// TCP Fast Open (RFC 7413): data with the first segment, both ends, seen in TCP_INFO and in the kernel's counters. In a
// network namespace of its own, where it is on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import { listenAt } from "../support/berkeley-tcp.ts";
import { NAMESPACE_SKIP, nodeInNamespace } from "../support/namespace.ts";
import { PYTHON } from "../support/python.ts";

test("MSG_FASTOPEN and TCP_FASTOPEN_CONNECT send data with the SYN, once there is a cookie (in a namespace)", {
  skip: NAMESPACE_SKIP || PYTHON.skip,
}, async () => {
  const program = fileURLToPath(new URL("fastopen-child.js", import.meta.url));
  const setup = "sysctl -qw net.ipv4.tcp_fastopen=3 || echo 3 > /proc/sys/net/ipv4/tcp_fastopen";
  await using child = nodeInNamespace(setup, program);
  const results = JSON.parse((await child.succeeded()).stdout.toString()) as Record<string, unknown>;
  assert.deepEqual(results["first"], ["flagged", "answer", false, false]);
  assert.deepEqual(results["second"], ["flagged", "answer", true, true]);
  assert.deepEqual(results["by name"], ["named", "answer", true, true]);
  assert.deepEqual(results["option"], ["option", "answer", true, true]);
  assert.deepEqual(results["nonblocking"], ["nonblocking", "answer", true, true]);
  assert.deepEqual(results["much"], ["answer", true, true]);
  assert.equal(results["some of much"], true);
  assert.deepEqual(results["begun"], ["EINPROGRESS", "127.0.0.1"]);
  assert.deepEqual(results["refused"], ["ECONNREFUSED", 1, "ECONNREFUSED"]);
  assert.deepEqual(results["python server"], ["TO PYTHON", true, "TO PYTHON", true]);
  assert.deepEqual(results["python client"], ["from python", true, "from python", true]);
  assert.equal(results["blocking"], "blocking");
  assert.ok((results["active"] as number) >= 10, JSON.stringify(results));
  assert.ok((results["passive"] as number) >= 10, JSON.stringify(results));
  assert.ok((results["cookies asked for"] as number) >= 1, JSON.stringify(results));
});

test("sendto() with MSG_FASTOPEN connects and delivers where the peer does not know it", async () => {
  using listener = listenAt();
  using client = b.socket();
  assert.equal(await client.sendto("hello", b.MSG_FASTOPEN, ["127.0.0.1", listener.port]), 5);
  using conn = await listener.accept();
  assert.equal((await conn.recv(100)).toString(), "hello");
  assert.deepEqual(client.getpeername(), ["127.0.0.1", listener.port]);
  // Once connected it is a send like any other.
  assert.equal(await client.sendto("again", b.MSG_FASTOPEN, ["127.0.0.1", listener.port]), 5);
  assert.equal((await conn.recv(100)).toString(), "again");
});
