// Whose turn it is: calls of one direction of a file go one after another, in the order in which they were made. In
// berkeley/sync every call ends before the next can begin, and nobody ever waits here.

import { listen, stopListening } from "../../engine/signal.ts";

/** A queue of calls of which one at a time has its turn. */
export class Turns {
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  /** Whether a call would have its turn at once. */
  get free(): boolean {
    return !this.#busy;
  }

  /** Asks for a turn; undefined: it is there. Rejects with the signal's reason when that comes first. */
  enter(signal: AbortSignal | undefined): Promise<void> | undefined {
    if (!this.#busy) {
      this.#busy = true;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal?.reason as Error);
      };
      const begin = (): void => {
        if (signal !== undefined) stopListening(signal, abort);
        resolve();
      };
      if (signal !== undefined) listen(signal, abort);
      this.#waiting.push(begin);
    });
  }

  /** The turn is over; the next call begins. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }
}
