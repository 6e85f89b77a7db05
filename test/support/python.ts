// CPython as a peer: programs given as text, its `socket` module already imported.

import { requirePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";
import { start } from "./process.ts";
import type { Child, StartOptions } from "./process.ts";

/** CPython, and the reason to skip tests with it when there is none. */
export const PYTHON: Peer = requirePeer("python3");

const PRELUDE = `
import hashlib, socket, struct, sys, time
from socket import *
def say(*words): print(*words, flush=True)
def read_to_end(conn):
    parts = []
    while data := conn.recv(65536): parts.append(data)
    return b"".join(parts)
def listen_at(host, **options):
    server = create_server((host, 0), family=AF_INET6 if ":" in host else AF_INET, **options)
    say("port", server.getsockname()[1])
    return server
`;

/** Starts a Python program; its arguments are sys.argv[1:]. Use with `await using`. */
export function python(
  program: string,
  args: readonly (string | number)[] = [],
  options: StartOptions = {},
): Child {
  return start(PYTHON.path, ["-c", PRELUDE + program, ...args.map(String)], options);
}

/** The port that a Python program's listen_at() printed. */
export async function portOf(child: Child): Promise<number> {
  return Number((await child.line(/^port (\d+)$/m))[1]);
}
