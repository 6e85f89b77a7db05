// System calls of this thread's sockets, replaced or counted while a test runs. The calls are an interface
// (src/engine/backend.ts): here is another implementation of a few of them over the kernel's own.

import type { Backend } from "#dist/engine/backend.js";
import type { Socket } from "berkeley";
import type { Socket as BlockingSocket } from "berkeley/sync";

/** The calls that a Socket makes. */
export type Calls = Backend["calls"];

/**
 * Replaces calls of all sockets of that socket's engine, which is the thread's. Use with `using`.
 *
 * @param replace  given the present ones, the calls that are to be made instead.
 */
export function replaceCalls(
  sock: Socket | BlockingSocket,
  replace: (calls: Calls) => Partial<Calls>,
): Disposable {
  const engine = (sock as unknown as { engine: { backend: Backend } }).engine;
  const { backend } = engine;
  engine.backend = { ...backend, calls: { ...backend.calls, ...replace(backend.calls) } };
  return {
    [Symbol.dispose](): void {
      engine.backend = backend;
    },
  };
}

/** Notes the results of calls by name, in their order. */
export function watchCalls(
  sock: Socket | BlockingSocket,
  names: readonly (keyof Calls)[],
): Disposable & { readonly made: (readonly [name: string, result: number])[] } {
  const made: (readonly [name: string, result: number])[] = [];
  const replaced = replaceCalls(sock, (calls) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        (...values: never[]): number => {
          const call: (...given: never[]) => number = calls[name];
          const result = call(...values);
          made.push([name, result]);
          return result;
        },
      ]),
    ),
  );
  return { made, [Symbol.dispose]: () => replaced[Symbol.dispose]() };
}
