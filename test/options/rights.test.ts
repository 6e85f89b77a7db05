// What errors say when a right is missing: a child without capabilities (setpriv takes them from root) tries each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { inNamespace, NAMESPACE_SKIP } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";

const setpriv = requirePeer("setpriv");
const skip = NAMESPACE_SKIP || setpriv.skip;

// A fresh namespace has the kernel's defaults for ping groups and ports; a route lets broadcast be tried.
const SETUP = "ip route add default dev lo";
const WITHOUT = [setpriv.path, "--bounding-set=-all", "--inh-caps=-all"];
const PROGRAM = fileURLToPath(new URL("rights-child.js", import.meta.url));

const EXPECTED: Record<string, string | RegExp> = {
  "raw IPv4": "socket EPERM: operation not permitted; raw sockets need CAP_NET_RAW",
  "raw IPv6": "socket EPERM: operation not permitted; raw sockets need CAP_NET_RAW",
  packet: "socket EPERM: operation not permitted; packet sockets need CAP_NET_RAW",
  "packet with flags": "socket EPERM: operation not permitted; packet sockets need CAP_NET_RAW",
  ping: "socket EACCES: permission denied; ping sockets need a group within net.ipv4.ping_group_range; raw ones need CAP_NET_RAW",
  "low port":
    "bind EACCES: permission denied (127.0.0.1:1); ports below 1024 (net.ipv4.ip_unprivileged_port_start) need CAP_NET_BIND_SERVICE",
  "low port IPv6":
    "bind EACCES: permission denied ([::1]:1); ports below 1024 (net.ipv4.ip_unprivileged_port_start) need CAP_NET_BIND_SERVICE",
  SO_MARK: /^setsockopt EPERM: .*; option SO_MARK needs CAP_NET_ADMIN or CAP_NET_RAW$/,
  "SO_MARK raw": /^setsockopt EPERM: .*; option SO_MARK needs CAP_NET_ADMIN or CAP_NET_RAW$/,
  SO_PRIORITY: /^setsockopt EPERM: .*; option SO_PRIORITY needs CAP_NET_ADMIN or CAP_NET_RAW above 6$/,
  SO_RCVBUFFORCE: /^setsockopt EPERM: .*; option SO_RCVBUFFORCE needs CAP_NET_ADMIN$/,
  SO_DEBUG: /^setsockopt EACCES: .*; option SO_DEBUG needs CAP_NET_ADMIN$/,
  TCP_REPAIR: /^setsockopt EPERM: .*; option TCP_REPAIR needs CAP_NET_ADMIN$/,
  IP_TRANSPARENT: /^setsockopt EPERM: .*; option IP_TRANSPARENT needs CAP_NET_ADMIN or CAP_NET_RAW$/,
  broadcast: /^connect EACCES: .*; a broadcast address needs SO_BROADCAST$/,
};

test("errors name the right that is missing (in a namespace, without capabilities)", { skip }, async () => {
  await using child = inNamespace(SETUP, [...WITHOUT, process.execPath, PROGRAM]);
  const told = JSON.parse((await child.succeeded()).stdout.toString()) as Record<string, string>;
  for (const [name, expected] of Object.entries(EXPECTED))
    if (typeof expected === "string") assert.equal(told[name], expected);
    else assert.match(told[name] as string, expected, name);
  assert.deepEqual(Object.keys(told), Object.keys(EXPECTED));
});
