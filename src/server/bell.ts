// Waiting for something within this program to happen, or for a time to be up, whichever comes first.

import { startTimer, stopTimer } from "../engine/clock.ts";
import type { Timer } from "../engine/clock.ts";

/** Wakes those who wait, each time it rings. */
export class Bell {
  readonly #waiting = new Set<() => void>();

  /** Whoever waits now goes on. */
  ring(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next ring, or after `ms`. A time that runs holds the process alive. */
  async next(ms: number = Infinity): Promise<void> {
    let wake: () => void = () => {};
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.#waiting.add(wake);
      timer = startTimer(ms, wake);
      timer.ref();
    });
    this.#waiting.delete(wake);
    stopTimer(timer);
  }
}
