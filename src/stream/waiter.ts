// A promise that waits in a queue of ours until it is settled or its signal fires. It knows no stream.

import { listen, stopListening } from "../engine/signal.ts";

/** Somebody who waits; settled once. The signal must not be aborted yet. */
export class Waiter<T> {
  readonly promise: Promise<T>;
  #resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly #abort: (() => void) | undefined = undefined;

  /** @param leave  takes it off its queue. */
  constructor(signal: AbortSignal | undefined, leave: (waiter: Waiter<T>) => void) {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.signal = signal;
    if (signal === undefined) return;
    this.#abort = (): void => {
      leave(this);
      this.#reject(signal.reason);
    };
    listen(signal, this.#abort);
  }

  resolve(value: T): void {
    this.#silence();
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#silence();
    this.#reject(reason);
  }

  #silence(): void {
    if (this.signal !== undefined && this.#abort !== undefined) stopListening(this.signal, this.#abort);
  }
}
