// Time by the clock of the engine in charge: the machine's own, or that of a simulated network. What lies above the sockets
// takes its timers from here and not from Node, so that a server's hour is a moment of a test. Which engine it is, it does
// not know.

import { NEVER } from "./backend.ts";
import type { Timer } from "./backend.ts";
import { currentEngine } from "./current.ts";

export type { Timer } from "./backend.ts";

/** Milliseconds from a beginning of its own; never goes back. */
export function now(): number {
  return currentEngine().backend.now();
}

/**
 * Calls back once `ms` have passed. It holds no process alive unless it is told to: `startTimer(…).ref()`.
 *
 * @param ms  at most 2^31 - 1, as setTimeout; Infinity: never.
 */
export function startTimer(ms: number, callback: () => void): Timer {
  return ms === Infinity ? NEVER : currentEngine().backend.setTimer(callback, ms);
}

/** Ends a timer. None, or one whose time is up: does nothing. */
export function stopTimer(timer: Timer | undefined): void {
  timer?.[Symbol.dispose]();
}

/** Resolves once `ms` have passed. @param holds  whether that holds the process alive. */
export function passed(ms: number, holds: boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = startTimer(ms, resolve);
    if (holds) timer.ref();
  });
}

/** Resolves in the next turn of the loop, in which no time passes; it holds the process alive till then. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => currentEngine().backend.nextTurn(resolve));
}
