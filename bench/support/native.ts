// Compiles the bench's C programs into out/bench/native, when their sources are newer.
import { execFile } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { inProject } from "./paths.ts";

const FLAGS = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"];

const PROGRAMS = {
  load: ["load.c", "connection.c", "modes.c", "websocket.c", "latency.c", "support.c", "tls.c"],
  epoll_server: ["epoll_server.c", "support.c"],
  udp: ["udp.c", "support.c"],
} as const;

/** The path of a C program of the bench, whether it is compiled yet or not. */
export function nativeProgram(name: keyof typeof PROGRAMS): string {
  return inProject(`out/bench/native/${name}`);
}

/** Make every C program of the bench. */
export async function compileNative(): Promise<void> {
  const sources = inProject("bench/native/");
  await mkdir(inProject("out/bench/native/"), { recursive: true });
  const names = await readdir(sources);
  const newest = Math.max(...(await Promise.all(names.map((name) => modified(sources + name)))));
  for (const name of Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[]) {
    const target = nativeProgram(name);
    if ((await modified(target)) > newest) continue;
    await promisify(execFile)("gcc", [
      ...FLAGS,
      ...PROGRAMS[name].map((file) => sources + file),
      "-o",
      target,
    ]);
  }
}

async function modified(path: string): Promise<number> {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
}
