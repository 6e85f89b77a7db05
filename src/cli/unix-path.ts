// Paths of Unix sockets: binding to one that a dead program left behind, and leaving none behind. unix(7) removes no
// path when its socket is closed, so a server that was killed leaves one that nobody can bind to.

import { randomUUID } from "node:crypto";
import { lstatSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EADDRINUSE, ENOTSOCK, SocketError, unlink_stale } from "../index.ts";
import type { Socket } from "../index.ts";
import { tidyAtEnd } from "./stop.ts";

/**
 * Binds a Unix socket to a path, in place of a dead program's. Disposing removes the path, as does the process's end.
 *
 * @throws {SocketError} EADDRINUSE: another program has it. ENOTSOCK: a file that is no socket is there. ENOENT, EACCES…
 */
export function bindPath(made: Socket, path: string): Disposable {
  try {
    made.bind(path);
  } catch (error) {
    if (!(error instanceof SocketError && error.errno === EADDRINUSE)) throw error;
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
      throw new SocketError("bind", -ENOTSOCK);
    unlink_stale(path);
    made.bind(path);
  }
  const bound = identify(path);
  const remove = (): void => {
    if (identify(path) !== bound) return; // another program's by now
    try {
      unlinkSync(path);
    } catch {
      // Somebody was faster, or the directory allows it no more: there is nobody to tell.
    }
  };
  const end = tidyAtEnd(remove);
  return {
    [Symbol.dispose]() {
      end[Symbol.dispose]();
      remove();
    },
  };
}

/**
 * Gives a datagram socket a name to be answered at: on Linux one that the system picks in the abstract namespace, which
 * vanishes with the socket; elsewhere a path in the directory for temporary files, removed as bindPath's.
 */
export function bindToBeAnswered(made: Socket): Disposable | undefined {
  if (process.platform !== "linux") return bindPath(made, join(tmpdir(), `berkeley-${randomUUID()}`));
  made.bind("");
  return undefined;
}

function identify(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}:${stats.ctimeNs}`;
}
