// Runs a compiled test program of ours in a Node of its own: for what ends a process, bends its limits or collects its
// garbage. It knows how to start one, not what they do.

import { fileURLToPath } from "node:url";
import { start } from "./process.ts";
import type { Child, StartOptions } from "./process.ts";

/** How a program is started. */
export interface ProgramOptions extends StartOptions {
  readonly args?: readonly string[];
  /** Node's own switches: "--expose-gc". */
  readonly node?: readonly string[];
  /** Limit of open descriptors, ulimit -n. */
  readonly descriptors?: number;
}

/** Starts `<name>.js` beside the calling test. Use with `await using`. */
export function program(base: string, name: string, options: ProgramOptions = {}): Child {
  const { args = [], node = [], descriptors, ...rest } = options;
  const words = [...node, fileURLToPath(new URL(`${name}.js`, base)), ...args];
  // What the runner preloads into tests is not for the programs that they start.
  const env = { NODE_TEST_CONTEXT: undefined, ...rest.env };
  if (descriptors === undefined) return start(process.execPath, words, { ...rest, env });
  const limited = `ulimit -n ${descriptors} && exec "$0" "$@"`;
  return start("/bin/sh", ["-c", limited, process.execPath, ...words], { ...rest, env });
}
