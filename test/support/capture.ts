// What tests of `berkeley capture` share: starting one, traffic that CPython makes, its files in the hands of others.

import { ROOT } from "./cli.ts";
import { NETWORK_SKIP } from "./namespace.ts";
import type { Network } from "./namespace.ts";
import { requirePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";
import type { Child } from "./process.ts";
import { start } from "./process.ts";
import { PYTHON } from "./python.ts";

export const tcpdump: Peer = requirePeer("tcpdump");
export const tshark: Peer = requirePeer("tshark");
/** Why tests of captures do not run here, or `false`. */
export const CAPTURE_SKIP: string | false = NETWORK_SKIP || tcpdump.skip || tshark.skip || PYTHON.skip;
/** Node's arguments for the command. */
export const COMMAND: readonly string[] = [`${ROOT}dist/cli/main.js`, "capture"];

/** Starts a capture; it has begun when this resolves. */
export async function capture(where: Network, ...args: string[]): Promise<Child> {
  const child = where.start(process.execPath, [...COMMAND, ...args]);
  await child.line(/^berkeley: capturing on .*; Ctrl-C ends it$/m, "stderr");
  return child;
}

/** Runs a Python program to its end. */
export async function program(where: Network, text: string, ...args: string[]): Promise<void> {
  await using child = where.start(PYTHON.path, ["-c", text, ...args]);
  await child.succeeded();
}

/** TCP and UDP over both families, a port that nobody has; then the last datagram, which says that all has come. */
export const TRAFFIC = `
from socket import *
for family, host in ((AF_INET, "127.0.0.1"), (AF_INET6, "::1")):
    listener = create_server((host, 50000), family=family)
    client = create_connection((host, 50000), source_address=(host, 40000))
    conn, _ = listener.accept()
    client.sendall(b"\\x1b[31mhello")
    conn.recv(100)
    conn.sendall(b"x" * 3000)
    size = 0
    while size < 3000: size += len(client.recv(65536))
    conn.close(); client.close(); listener.close()
    udp = socket(family, SOCK_DGRAM)
    udp.bind((host, 40001))
    udp.sendto(b"nobody", (host, 50001))
listening = socket(AF_INET, SOCK_DGRAM)
listening.bind(("127.0.0.1", 50002))
last = socket(AF_INET, SOCK_DGRAM)
last.bind(("127.0.0.1", 40002))
last.sendto(b"over", ("127.0.0.1", 50002))
`;
/** The line of the last datagram. */
export const OVER: RegExp = /\.40002 > .*\.50002: UDP, length 4\n/;
/** The time that lines begin with. */
export const TIME: RegExp = /^\d\d:\d\d:\d\d\.\d{6} /gm;

/** Fields of each packet of a file, as tshark reads them. */
export async function fields(file: string, ...wanted: readonly string[]): Promise<string[][]> {
  const args = ["-n", "-r", file, "-T", "fields", ...wanted.flatMap((field) => ["-e", field])];
  await using child = start(tshark.path, args);
  const text = (await child.succeeded()).stdout.toString().replace(/\n$/, "");
  return text === "" ? [] : text.split("\n").map((line) => line.split("\t"));
}

/** The lines that tcpdump makes of a file, with link-layer headers. */
export async function linesIn(file: string): Promise<string[]> {
  await using child = start(tcpdump.path, ["-nn", "-e", "-t", "-r", file]);
  const text = (await child.succeeded()).stdout.toString().trimEnd();
  return text === "" ? [] : text.split("\n");
}
