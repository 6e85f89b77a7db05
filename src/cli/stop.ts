// SIGINT and SIGTERM: as an AbortSignal, for commands that serve until they are told to stop, and as the last moment to
// tidy up, for all others. Who asks for neither dies of these signals as every program does.

/** A wish to stop. */
export interface Stop extends Disposable {
  readonly signal: AbortSignal;
}

const STOPPING = ["SIGINT", "SIGTERM"] as const;
/** The terminal has gone: nobody stops orderly for it, but what lies about is tidied up. */
const ENDING = [...STOPPING, "SIGHUP"] as const;

const wishes = new Set<() => void>();
const tidying = new Set<() => void>();
let listening = false;

/** Takes SIGINT and SIGTERM until disposed. A second signal ends the process at once. */
export function stopOnSignals(): Stop {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  wishes.add(stop);
  update();
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      wishes.delete(stop);
      update();
    },
  };
}

/** Runs `tidy` when the process ends, also by a signal; it still dies of that signal. Disposed, it does not. */
export function tidyAtEnd(tidy: () => void): Disposable {
  tidying.add(tidy);
  update();
  return {
    [Symbol.dispose]() {
      tidying.delete(tidy);
      update();
    },
  };
}

function update(): void {
  const wanted = wishes.size > 0 || tidying.size > 0;
  if (wanted === listening) return;
  listening = wanted;
  for (const signal of ENDING) {
    if (wanted) process.on(signal, take);
    else process.off(signal, take);
  }
  if (wanted) process.on("exit", tidyUp);
  else process.off("exit", tidyUp);
}

function take(signal: NodeJS.Signals): void {
  if (wishes.size > 0 && signal !== "SIGHUP") {
    const stops = [...wishes];
    wishes.clear();
    update();
    for (const stop of stops) stop();
    return;
  }
  tidyUp();
  wishes.clear();
  update();
  process.kill(process.pid, signal);
}

function tidyUp(): void {
  const all = [...tidying];
  tidying.clear();
  for (const tidy of all) tidy();
}
