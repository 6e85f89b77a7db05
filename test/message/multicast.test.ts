// Multicast: any-source, source-specific, blocked sources, by interface index. IPv4 on loopback; both families in a
// network namespace with an interface of its own; CPython at the other end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  AF_INET,
  IPPROTO_IP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_BLOCK_SOURCE,
  IP_DROP_SOURCE_MEMBERSHIP,
  SOCK_DGRAM,
  if_nametoindex,
  socket,
} from "berkeley";
import { join, sendBy, sourceMembership } from "../support/multicast.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { multicastCases } from "./multicast-cases.ts";

const LOOPBACK = if_nametoindex("lo");
const GROUP = "239.1.2.3";

multicastCases("IPv4 on loopback", {
  family: AF_INET,
  index: LOOPBACK,
  group: GROUP,
  otherGroup: "239.3.2.1",
  sources: ["127.0.0.1", "127.0.0.2"],
});

const unshare = requirePeer("unshare");
const ip = requirePeer("ip");
const namespace =
  process.getuid?.() === 0 ? unshare.skip || ip.skip : "needs root: a network namespace of its own";

test("multicast of both families works on an interface of its own", { skip: namespace }, async () => {
  const [v4, other4, v6, other6] = ["10.9.8.1", "10.9.8.2", "fd09::1", "fd09::2"];
  const child = fileURLToPath(new URL("multicast-child.js", import.meta.url));
  const setup = [
    "set -e",
    "ip link set lo up",
    "ip link add m0 type veth peer name m1",
    "ip link set m0 up",
    "ip link set m1 up",
    `ip address add ${v4}/24 dev m0`,
    `ip address add ${other4}/24 dev m0`,
    `ip address add ${v6}/64 dev m0 nodad`,
    `ip address add ${other6}/64 dev m0 nodad`,
    `exec "$0" "$@"`,
  ].join("\n");
  await using cases = start(
    unshare.path,
    ["--net", "sh", "-c", setup, process.execPath, child, "m0", v4, other4, v6, other6],
    {
      env: {
        NODE_TEST_CONTEXT: undefined,
        NODE_OPTIONS: `${process.env["NODE_OPTIONS"] ?? ""} --test-reporter=tap`,
      },
      input: "",
    },
  );
  const { code, stdout, stderr } = await cases.exited;
  assert.equal(code, 0, `${stdout.toString()}${stderr.toString()}`);
  assert.match(stdout.toString(), /^# pass 15$/m);
});

test("IP_ADD_SOURCE_MEMBERSHIP names the interface by its address", async () => {
  using sock = socket(AF_INET, SOCK_DGRAM);
  sock.bind(["", 0]);
  const request = sourceMembership(GROUP, "127.0.0.1", "127.0.0.2");
  sock.setsockopt(IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, request);
  using wanted = socket(AF_INET, SOCK_DGRAM);
  wanted.bind(["127.0.0.2", 0]);
  sendBy(wanted, LOOPBACK);
  await wanted.sendto("wanted", [GROUP, sock.getsockname()[1]]);
  assert.deepEqual(await sock.recvfrom(64), [Buffer.from("wanted"), wanted.getsockname()]);
  sock.setsockopt(IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP, request);
  assert.throws(() => sock.setsockopt(IPPROTO_IP, IP_BLOCK_SOURCE, request), {
    code: /^(EINVAL|EADDRNOTAVAIL)$/,
  });
});

test("a group that is none and an interface that is none are refused", async () => {
  using sock = socket(AF_INET, SOCK_DGRAM);
  assert.throws(() => join(sock, "127.0.0.1", LOOPBACK), { code: "EINVAL" });
  assert.throws(() => join(sock, GROUP, 2 ** 30), { code: "ENODEV" });
});

test("a CPython member hears what sendto() sends to the group", { skip: PYTHON.skip }, async () => {
  await using peer = python(
    `
sock = socket(AF_INET, SOCK_DGRAM)
sock.bind(("", 0))
sock.setsockopt(IPPROTO_IP, IP_ADD_MEMBERSHIP, struct.pack("4s4si", inet_aton(sys.argv[1]), bytes(4), int(sys.argv[2])))
say("port", sock.getsockname()[1])
data, address = sock.recvfrom(64)
say("heard", data.decode(), *address)`,
    [GROUP, LOOPBACK],
  );
  using sock = socket(AF_INET, SOCK_DGRAM);
  sock.bind(["127.0.0.1", 0]);
  sendBy(sock, LOOPBACK);
  await sock.sendto("hello", [GROUP, await portOf(peer)]);
  const [, ends] = await peer.line(/^heard (.*)$/m);
  assert.equal(ends, `hello ${sock.getsockname().join(" ")}`);
  await peer.succeeded();
});

test("a member hears what CPython sends to the group", { skip: PYTHON.skip }, async () => {
  using sock = socket(AF_INET, SOCK_DGRAM);
  sock.bind(["", 0]);
  join(sock, GROUP, LOOPBACK);
  await using peer = python(
    `
sock = socket(AF_INET, SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
sock.setsockopt(IPPROTO_IP, IP_MULTICAST_IF, struct.pack("4s4si", bytes(4), bytes(4), int(sys.argv[3])))
sock.sendto(b"hello", (sys.argv[1], int(sys.argv[2])))
say("local", *sock.getsockname())`,
    [GROUP, sock.getsockname()[1], LOOPBACK],
  );
  const [data, address] = await sock.recvfrom(64);
  assert.equal(data.toString(), "hello");
  await peer.line(new RegExp(`^local ${address.join(" ")}$`, "m"));
});
