// Network namespaces for tests: a program in a network of its own, as its root. Needs root, or a system that lets users
// make namespaces; elsewhere the tests that need one say so.

import { spawnSync } from "node:child_process";
import { requirePeer } from "./peers.ts";
import { start } from "./process.ts";
import type { Child, StartOptions } from "./process.ts";

const unshare = requirePeer("unshare");
const ip = requirePeer("ip");

/** Ways of making a namespace, the simplest first. */
const WAYS = [["--net"], ["--user", "--map-root-user", "--net"]];
const way =
  unshare.skip === false && ip.skip === false
    ? WAYS.find((flags) => spawnSync(unshare.path, [...flags, "true"]).status === 0)
    : undefined;

/** Why tests in a namespace do not run here, or `false`. Give it to the test's options. */
export const NAMESPACE_SKIP: string | false =
  unshare.skip || ip.skip || (way === undefined ? "no right to make a network namespace here" : false);

/** Setup: two interfaces that are each other's end, with addresses that can be used at once. */
export const VETH = `
  ip link add v0 type veth peer name v1
  ip addr add 10.9.8.1/24 dev v0; ip addr add fd09::1/64 dev v0 nodad
  ip addr add 10.9.7.1/24 dev v1; ip addr add fd07::1/64 dev v1 nodad
  ip link set v0 up; ip link set v1 up`;

/**
 * Starts a program in a new network namespace whose loopback interface is up.
 *
 * @param setup  shell commands to run in it first, as root.
 */
export function inNamespace(setup: string, command: readonly string[], options: StartOptions = {}): Child {
  const script = `set -e; ip link set lo up; ${setup}\nexec "$@"`;
  return start(unshare.path, [...(way ?? []), "sh", "-c", script, "sh", ...command], options);
}

/** Starts a compiled program of ours in a new network namespace. */
export function nodeInNamespace(
  setup: string,
  program: string,
  args: readonly string[] = [],
  options: StartOptions = {},
): Child {
  return inNamespace(setup, [process.execPath, program, ...args], options);
}
