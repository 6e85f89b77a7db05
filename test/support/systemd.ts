// systemd-socket-activate, which opens sockets and starts a program with them.

import { requirePeer } from "./peers.ts";
import type { Peer } from "./peers.ts";

export const ACTIVATE: Peer = requirePeer("systemd-socket-activate");

/** Its child has a clean environment; with these arguments what the runner has set for the addon goes along. */
export const ACTIVATE_SETTINGS: readonly string[] = [
  "BERKELEY_ADDON",
  "BERKELEY_ASAN_NODE",
  "BERKELEY_ENGINE",
  "ASAN_OPTIONS",
  "LSAN_OPTIONS",
  "UBSAN_OPTIONS",
]
  .filter((name) => process.env[name] !== undefined)
  .map((name) => `--setenv=${name}`);
