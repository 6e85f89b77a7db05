// Finds and loads the addon for this process. It knows where a binary may lie (a build in a checkout, a prebuilt one
// in the published package) and says plainly when there is none. What the functions do is told in native/.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { NamesCalls } from "./native/names.ts";
import type { SocketCalls } from "./native/calls.ts";
import type { PollingCalls } from "./native/polling.ts";

/** Readiness of descriptors: native/readiness.c. Numbers >= 0, or -errno. */
export interface ReadinessCalls {
  readiness_open(): number;
  readiness_watch(poller: number, fd: number, bits: number, index: number, generation: number): number;
  readiness_change(poller: number, fd: number, bits: number, index: number, generation: number): number;
  readiness_forget(poller: number, fd: number): number;
  readiness_wait(poller: number, events: Uint32Array): number;
  loop_start(fd: number, callback: () => void): number;
  loop_ref(): number;
  loop_unref(): number;
}

/** Everything that the addon exports. */
export interface Native extends SocketCalls, ReadinessCalls, PollingCalls, NamesCalls {
  /** Platform constants by name; a name that this system lacks is absent. */
  readonly constants: Readonly<Record<string, number>>;
  /** strerror(3) in the C locale. */
  strerror(errno: number): string;
}

/** The C library's flavour, from the process's own report: "glibc", "musl", or "" where there is only one. */
function libc(): string {
  if (process.platform !== "linux") return "";
  // With the network in it a report looks up the name of every peer that there is, and the thread waits for the answers.
  const reporter = process.report as unknown as {
    excludeNetwork: boolean;
    getReport(): { header: { glibcVersionRuntime?: string } };
  };
  const before = reporter.excludeNetwork;
  reporter.excludeNetwork = true;
  const report = reporter.getReport();
  reporter.excludeNetwork = before;
  return report.header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

/** Exports filled from C are a dictionary to V8; a copy made here has fast properties, and calls through it inline. */
function fast(exports: unknown): Native {
  return { ...(exports as Native) };
}

function load(): Native {
  const require = createRequire(import.meta.url);
  const root = new URL("../", import.meta.url);
  const chosen = process.env["BERKELEY_ADDON"];
  if (chosen !== undefined && chosen !== "") return fast(require(chosen));
  if (process.platform === "win32")
    throw Object.assign(
      new Error("berkeley: Windows is not supported; it runs on Linux (and is written for macOS)"),
      {
        code: "ERR_UNSUPPORTED_PLATFORM",
      },
    );
  const built = fileURLToPath(new URL("native/build/Release/berkeley.node", root));
  if (existsSync(built)) return fast(require(built));
  const platform = [process.platform, process.arch, libc()].filter((part) => part !== "").join("-");
  const prebuilt = fileURLToPath(new URL(`prebuilds/${platform}/berkeley.node`, root));
  if (existsSync(prebuilt)) return fast(require(prebuilt));
  throw Object.assign(
    new Error(
      `berkeley: no binary for ${platform}. Looked for ${built} and ${prebuilt}. ` +
        "To build it, with python3, make and a C compiler: npx node-gyp rebuild --directory=native, in that package's directory",
    ),
    { code: "ERR_NO_ADDON" },
  );
}

/** The addon, loaded once per thread. */
export const native: Native = load();
