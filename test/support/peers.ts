// Finds the programs that tests speak with (CPython, nc, socat, curl, …). Knows where programs lie, not what they do.
// scripts/peers.sh installs them. Under CI a missing one fails the run; elsewhere its tests are skipped, loudly.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A program of somebody else's to test against. Give `skip` to the test's options. */
export interface Peer {
  /** Absolute path of the program; empty when it is missing. */
  readonly path: string;
  /** Why tests with this peer do not run here, or `false`. */
  readonly skip: string | false;
}

/** Debian's own programs first: its python3 sees Debian's Python packages, another one in PATH may not. */
const FOLDERS = ["/usr/bin", "/usr/sbin", ...(process.env["PATH"] ?? "").split(delimiter)];

/**
 * Find a peer by the name of its program.
 *
 * @param name  The program, as in PATH: "python3", "nc", "ncat", "socat", "curl", "ip", "tcpdump".
 * @throws {Error} Under CI (environment variable `CI`), when it is not installed.
 * @example const socat = requirePeer("socat");
 *          test("recv() resolves with what socat sent", { skip: socat.skip }, async () => …spawn(socat.path)…);
 */
export function requirePeer(name: string): Peer {
  const path = FOLDERS.map((folder) => join(folder, name)).find(isProgram);
  if (path !== undefined) return { path, skip: false };
  const reason = `${name} is not installed (scripts/peers.sh installs it)`;
  if ((process.env["CI"] ?? "") !== "") throw new Error(reason);
  console.warn(`SKIPPED: ${reason}`);
  return { path: "", skip: reason };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
