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

/** A network of its own, in which programs can be started for as long as it is held. */
export interface Network extends AsyncDisposable {
  /** Of the process that holds it. */
  readonly pid: number;
  start(command: string, args: readonly string[], options?: StartOptions): Child;
}

const nsenter = requirePeer("nsenter");

/** Why tests that start several programs in one network do not run here, or `false`. */
export const NETWORK_SKIP: string | false =
  NAMESPACE_SKIP || nsenter.skip || (process.getuid?.() === 0 ? false : "needs root, to enter a network");

/**
 * Makes a network that a process holds open, so that nothing is left of it when that has gone.
 *
 * @param setup  shell commands to run in it first.
 */
export async function network(setup: string = ""): Promise<Network> {
  const holder = inNamespace(`${setup}\necho ready`, ["cat"]);
  await holder.line(/^ready$/m);
  const enter = `--net=/proc/${holder.pid}/ns/net`;
  return {
    pid: holder.pid,
    start: (command, args, options) => start(nsenter.path, [enter, command, ...args], options),
    [Symbol.asyncDispose]: () => holder[Symbol.asyncDispose](),
  };
}

/** Two networks and a cable between them: interface v0 in the one, v1 in the other. */
export interface JoinedNetworks extends AsyncDisposable {
  readonly left: Network;
  readonly right: Network;
}

/** What joinedNetworks() gives: link-layer and internet addresses of v0 and v1. */
export const LEFT = { name: "v0", mac: "02:00:00:00:00:01", ipv4: "10.9.8.1", ipv6: "fd09::1" } as const;
export const RIGHT = { name: "v1", mac: "02:00:00:00:00:02", ipv4: "10.9.8.2", ipv6: "fd09::2" } as const;

/** Makes two networks that are joined. */
export async function joinedNetworks(): Promise<JoinedNetworks> {
  const right = await network();
  const inRight = `${nsenter.path} --net=/proc/${right.pid}/ns/net ip`;
  const left = await network(`
    ip link add v0 address ${LEFT.mac} type veth peer name v1 address ${RIGHT.mac} netns ${right.pid}
    ip addr add ${LEFT.ipv4}/24 dev v0; ip addr add ${LEFT.ipv6}/64 dev v0 nodad; ip link set v0 up
    ${inRight} addr add ${RIGHT.ipv4}/24 dev v1; ${inRight} addr add ${RIGHT.ipv6}/64 dev v1 nodad
    ${inRight} link set v1 up`);
  return {
    left,
    right,
    async [Symbol.asyncDispose]() {
      await left[Symbol.asyncDispose]();
      await right[Symbol.asyncDispose]();
    },
  };
}
