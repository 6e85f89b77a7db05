// Where and when a figure was taken. Without it a figure says nothing.
import { execFile } from "node:child_process";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { promisify } from "node:util";
import { inProject } from "./paths.ts";
import { LOAD_CORE, SERVER_CORE } from "./program.ts";

/** What a result says about its machine. */
export interface Machine {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  /** For example "Linux 6.18.44". */
  readonly kernel: string;
  readonly node: string;
  /** Which core had the server and which the generator. */
  readonly pinning: string;
  /** The commit that was checked out, with "+" when files differed from it. */
  readonly revision: string;
}

/** Look at this machine, now. `everyCore`: the server is not held to one. */
export async function describeMachine(everyCore: boolean = false): Promise<Machine> {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    pinning:
      LOAD_CORE === undefined
        ? "not pinned"
        : `server on ${everyCore ? "every core" : `core ${SERVER_CORE}`}, generator on core ${LOAD_CORE}`,
    revision: await revision(),
  };
}

async function revision(): Promise<string> {
  try {
    const changed = await git("status", "--porcelain", "--untracked-files=no");
    return `${await git("rev-parse", "--short", "HEAD")}${changed === "" ? "" : "+"}`;
  } catch {
    return "not a checkout";
  }
}

async function git(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("git", args, { cwd: inProject(".") });
  return stdout.trim();
}
