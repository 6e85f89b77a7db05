// Runs the built command for tests, as its users run it: a process with pipes.

import { fileURLToPath } from "node:url";
import { start } from "./process.ts";
import type { Child, Exit, StartOptions } from "./process.ts";

/** The project's directory; compiled tests lie in out/test/. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));
const MAIN = `${ROOT}dist/cli/main.js`;

/** Starts `berkeley` with these arguments. Use with `await using`. */
export function berkeley(args: readonly string[], options: StartOptions = {}): Child {
  return start(process.execPath, [MAIN, ...args], options);
}

/** Runs `berkeley` to its end. */
export async function run(args: readonly string[], options: StartOptions = {}): Promise<Exit> {
  await using child = berkeley(args, { input: "", ...options });
  return await child.exited;
}

/** Waits for the port that `berkeley echo`, `berkeley listen` or `berkeley relay` says that it listens on. */
export async function serving(child: Child, from: "stdout" | "stderr" = "stdout"): Promise<number> {
  const [, port] = await child.line(/listening on (?:tcp|udp|tls|wss?)[46]?:\/\/\S*:(\d+)(?:\/\S*)?\n/, from);
  return Number(port);
}
