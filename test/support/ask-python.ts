// Asks CPython what it would answer: a program that gets JSON as `data` and prints JSON. Needs only python3.

import { execFileSync } from "node:child_process";
import { requirePeer } from "./peers.ts";

/** CPython, with the reason to skip where it is missing. */
export const python3 = requirePeer("python3");

/** Runs a Python program with `data` (and json, socket, errno imported); what it prints, parsed. */
export function askPython(program: string, data: unknown = null): unknown {
  const head = "import errno, json, socket, sys\ndata = json.load(sys.stdin)\n";
  const output = execFileSync(python3.path, ["-c", head + program], {
    input: JSON.stringify(data),
    maxBuffer: 64 << 20,
  });
  return JSON.parse(output.toString());
}

/** A small generator of whole numbers below a bound, from a seed: what fails is told with it and replays. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One of several. */
export function pick<T>(next: (below: number) => number, from: readonly T[]): T {
  return from[next(from.length)] as T;
}
