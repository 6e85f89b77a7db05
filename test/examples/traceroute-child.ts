// In a network namespace of its own: two more namespaces, a router and a host behind it, and what the example prints of the
// way there, in both families. Arguments: the example, and the programs unshare, nsenter and ip.

import { execFileSync, spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [example, unshare, nsenter, ip] = process.argv.slice(2) as [string, string, string, string];
const netOf = (pid: number | string): string => readlinkSync(`/proc/${pid}/ns/net`);

/** A namespace that lasts as long as this process: who holds it reads from us. Resolves with its process. */
async function namespace(): Promise<string> {
  const holder = spawn(unshare, ["--net", "cat"], { stdio: ["pipe", "ignore", "inherit"] });
  const pid = holder.pid as number;
  while (netOf(pid) === netOf("self")) await sleep(1);
  holder.unref();
  return String(pid);
}

/** No address waits a second for somebody who may have it already, those that neighbours are asked from among them. */
const AT_ONCE =
  "echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad";

const run = (...words: string[]): void => void execFileSync(ip, words);
const within = (pid: string, script: string): void =>
  void execFileSync(nsenter, ["--target", pid, "--net", "sh", "-ec", script]);

const router = await namespace();
const host = await namespace();
execFileSync("sh", ["-ec", AT_ONCE]);
run("link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", router);
within(
  router,
  `${AT_ONCE}; ip link set lo up; ip link add v2 type veth peer name v3 netns ${host}
  echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
  ip address add 10.7.1.2/24 dev v1; ip address add fd71::2/64 dev v1 nodad; ip link set v1 up
  ip address add 10.7.2.1/24 dev v2; ip address add fd72::1/64 dev v2 nodad; ip link set v2 up`,
);
within(
  host,
  `${AT_ONCE}; ip link set lo up
  ip address add 10.7.2.2/24 dev v3; ip address add fd72::2/64 dev v3 nodad; ip link set v3 up
  ip route add default via 10.7.2.1; ip -6 route add default via fd72::1`,
);
run("address", "add", "10.7.1.1/24", "dev", "v0");
run("address", "add", "fd71::1/64", "dev", "v0", "nodad");
run("link", "set", "v0", "up");
run("route", "add", "default", "via", "10.7.1.2");
run("-6", "route", "add", "default", "via", "fd71::2");
for (const target of ["10.7.2.2", "fd72::2"])
  process.stdout.write(execFileSync(process.execPath, [example, target, "5"]));
// The holders end with their input.
process.exit();
