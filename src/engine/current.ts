// Which engine this thread uses. BERKELEY_ENGINE names one; without it the kernel's own readiness is taken. The choice is
// made at the first socket. A part of the program may have another one (scopeEngine). It knows the engines by name and
// nothing of how they wait.

import type { Backend } from "./backend.ts";
import { kernelBackend } from "./backend.ts";
import { Engine } from "./engine.ts";

const backends: Readonly<Record<string, () => Backend>> = {
  epoll: kernelBackend,
  kqueue: kernelBackend,
};

let engine: Engine | undefined;

function open(): Engine {
  const native = process.platform === "linux" ? "epoll" : "kqueue";
  const name = process.env["BERKELEY_ENGINE"] || native;
  const backend = backends[name];
  if (backend === undefined || name !== native)
    throw Object.assign(
      new Error(`BERKELEY_ENGINE: no engine ${JSON.stringify(name)} here; there is: ${native}`),
      {
        code: "ERR_NO_ENGINE",
      },
    );
  return new Engine(backend());
}

/** Finds the engine of who calls, where that is not the thread's; set once somebody has one. */
let scope: (() => Engine | undefined) | undefined;

/** Lets a part of the program (what runs on a simulated network) have an engine of its own. */
export function scopeEngine(find: () => Engine | undefined): void {
  scope = find;
}

/** The engine that this part of the program was given; undefined: it has the thread's, which may not be open yet. */
export function scopedEngine(): Engine | undefined {
  return scope?.();
}

/** The engine of who calls: of this thread, opened at the first call, if no other one was brought in. */
export function currentEngine(): Engine {
  return scopedEngine() ?? (engine ??= open());
}
