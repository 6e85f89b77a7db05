// SIGTERM and SIGINT for servers: the first asks for an orderly end, the second for one at once. It knows no server but by
// its shutdown().

import type { ShutdownOptions } from "./serve.ts";

/** What can be shut down. */
export interface Stoppable {
  shutdown(options?: ShutdownOptions): Promise<unknown>;
}

/** What shutdownOnSignals takes last. */
export interface StopSignalOptions {
  /** Default SIGTERM and SIGINT. */
  signals?: readonly NodeJS.Signals[] | undefined;
}

/**
 * Shuts servers down when SIGTERM or SIGINT comes. A second signal ends their connections at once, and from then on a
 * signal does what it does without this, as it does when all have stopped. `await server.finished` tells of the end.
 *
 * Signals come to the main thread alone: in a worker nothing ever comes.
 *
 * @param servers  one or many, which are shut down together.
 * @returns takes the signals until it is disposed.
 * @see signal(7)
 */
export function shutdownOnSignals(
  servers: Stoppable | readonly Stoppable[],
  { signals = ["SIGTERM", "SIGINT"] }: StopSignalOptions = {},
): Disposable {
  const all: readonly Stoppable[] = "shutdown" in servers ? [servers] : servers;
  const shutdown = (options?: ShutdownOptions): Promise<unknown> =>
    Promise.all(all.map((server) => server.shutdown(options)));
  let came = 0;
  const take = (): void => {
    if (++came === 1) {
      void shutdown().finally(off);
      return;
    }
    off();
    void shutdown({ deadlineMs: 0 });
  };
  const off = (): void => {
    for (const signal of signals) process.off(signal, take);
  };
  for (const signal of signals) process.on(signal, take);
  return { [Symbol.dispose]: off };
}
