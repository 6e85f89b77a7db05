// The peers: who is measured, which program that is, and whether it is there.
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { promisify } from "node:util";
import { nativeProgram } from "./native.ts";
import { inProject } from "./paths.ts";
import { BACKLOG, type Job } from "../servers/control.ts";

/** The peers' names, as the command line takes them. */
export const PEERS = ["berkeley", "node-net", "c", "bun", "deno"] as const;
/** One of PEERS. */
export type Peer = (typeof PEERS)[number];

/** The program of a peer's server, in servers/; node:net's is node:dgram where datagrams are asked for, node:tls, node:http, and ws. */
function server(peer: Exclude<Peer, "c">, job: Job): string {
  const overUdp = peer === "node-net" ? "node-dgram" : `${peer}-udp`;
  if (job.startsWith("ws-")) return inProject(`out/bench/servers/ws-${peer}.js`);
  if (job.startsWith("http-client")) return inProject(`out/bench/servers/http-client-${peer}.js`);
  if (job === "http-hono" && peer === "node-net") return inProject("out/bench/servers/http-hono-node.js");
  if (job.startsWith("http")) return inProject(`out/bench/servers/http-${peer}.js`);
  if (isUnderTls(job)) return inProject(`out/bench/servers/tls-${peer}.js`);
  if (job.startsWith("exchange-")) return inProject(`out/bench/servers/${peer}-workers.js`);
  return inProject(`out/bench/servers/${isOverUdp(job) ? overUdp : peer}.js`);
}

/** Whether the job's connections speak TLS. */
export function isUnderTls(job: Job): boolean {
  return job.startsWith("tls-");
}

/** Whether the job is one of datagrams. */
function isOverUdp(job: Job): boolean {
  return job.startsWith("udp-");
}

/**
 * The program and arguments that start a peer's server; undefined where its runtime is not installed.
 * bench/peers has Bun and Deno (`npm run bench:peers`). They are run from their platform packages: the
 * `bun` and `deno` packages only find these, and Bun's needs an install script for it.
 */
export function serverCommand(peer: Peer, job: Job): readonly string[] | undefined {
  if (peer === "c")
    return isOverUdp(job)
      ? [nativeProgram("udp"), job]
      : [nativeProgram("epoll_server"), job, String(BACKLOG)];
  const runtime = runtimeOf(peer);
  if (runtime === undefined) return undefined;
  if (peer === "bun") return [runtime, "--expose-gc", server(peer, job), job];
  const v8 = v8Flags(job);
  if (peer === "deno") {
    // Datagrams are unstable in Deno.
    const unstable = isOverUdp(job) ? ["--unstable-net"] : [];
    const flags = ["--quiet", "--no-config", "--allow-all", ...unstable, `--v8-flags=${v8.join(",")}`];
    return [runtime, "run", ...flags, server(peer, job), job];
  }
  return [runtime, ...v8, server(peer, job), job];
}

// V8's young generation grows to 2 × 16 MiB once, when it happens to, whatever the number of connections.
// Spread over 10,000 of them that is more than what one of them takes, so for this job it stays at its least.
function v8Flags(job: Job): readonly string[] {
  return job === "idle" || job === "ws-idle" ? ["--expose-gc", "--max-semi-space-size=1"] : ["--expose-gc"];
}

/** Whether the peer's server answers commands on its standard input. */
export function takesCommands(peer: Peer): boolean {
  return peer !== "c";
}

/** The version of what runs the peer's server, for the record. */
export async function runtimeVersion(peer: Peer): Promise<string> {
  const runtime = peer === "c" ? "gcc" : runtimeOf(peer);
  if (runtime === undefined) return "not installed";
  const { stdout } = await promisify(execFile)(runtime, ["--version"]);
  const name = { berkeley: "Node.js", "node-net": "Node.js", c: "gcc", bun: "Bun", deno: "Deno" }[peer];
  return `${name} ${/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "?"}`;
}

function runtimeOf(peer: Exclude<Peer, "c">): string | undefined {
  if (peer === "bun") return installed("@oven", "bin/bun");
  if (peer === "deno") return installed("@deno", "deno");
  return process.execPath;
}

function installed(scope: string, program: string): string | undefined {
  const folder = inProject(`bench/peers/node_modules/${scope}/`);
  if (!existsSync(folder)) return undefined;
  return readdirSync(folder)
    .map((platform) => `${folder}${platform}/${program}`)
    .find((path) => existsSync(path));
}
