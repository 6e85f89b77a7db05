// Errors of accept in a loop. It knows which errors are one connection's own, which mean that the machine is short of
// something, and how long to wait for the latter.
//
// Linux passes pending network errors of the new connection through accept(2): they are that peer's, and the next
// connection may be fine, so the loop goes on at once. EMFILE, ENFILE, ENOBUFS and ENOMEM are nobody's fault in the
// queue: the listener stays readable, and an immediate retry spins a core. Go sleeps 5 ms doubling to 1 s, Trio 100 ms,
// libuv closes the waiting connection with a spare descriptor (which loses it). Waiting loses nothing: connections stay
// in the kernel's queue. So: 5 ms doubling to 1 s, one warning per shortage, and the wait ends of itself.

import {
  ECONNABORTED,
  EHOSTDOWN,
  EHOSTUNREACH,
  EMFILE,
  ENETDOWN,
  ENETUNREACH,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  ENONET,
  ENOPROTOOPT,
  EPERM,
  EPROTO,
} from "../constants/index.ts";
import { SocketError } from "./errors.ts";

const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 1000;
/** A server at its limit gets a descriptor for each connection that ends: a shortage is over when none came for so long. */
const CALM_MS = 60_000;

/** accept(2), "Error handling": the new connection's own errors. EPERM: a firewall forbids it. */
const THEIRS: ReadonlySet<number> = new Set([
  ECONNABORTED,
  EPROTO,
  ENETDOWN,
  ENOPROTOOPT,
  EHOSTDOWN,
  ENONET,
  EHOSTUNREACH,
  ENETUNREACH,
  EPERM,
]);
const SHORTAGE: ReadonlySet<number> = new Set([EMFILE, ENFILE, ENOBUFS, ENOMEM]);

/** What a loop that accepts does about errors. */
export interface AcceptPause {
  /** Milliseconds to wait before the next attempt; 0: none. Throws the error when the loop cannot go on. */
  after(error: unknown): number;
  /** A connection was accepted: the shortage, if there was one, is over. */
  recovered(): void;
}

/** The waiting between failed accepts of one loop. */
export function acceptPause(): AcceptPause {
  let ms = 0;
  let shortAt = -Infinity;
  return {
    after(error): number {
      if (!(error instanceof SocketError)) throw error;
      if (THEIRS.has(error.errno)) return 0;
      if (!SHORTAGE.has(error.errno)) throw error;
      const now = performance.now();
      if (now - shortAt > CALM_MS)
        process.emitWarning(`${error.message}; accepting again when there is room`, {
          code: `BERKELEY_${error.code}`,
        });
      shortAt = now;
      ms = Math.min(ms === 0 ? PAUSE_MS_MIN : ms * 2, PAUSE_MS_MAX);
      return ms;
    },
    recovered(): void {
      ms = 0;
    },
  };
}
