// A simulation behind the engine's interface: its calls, its readiness, its clock. The driver (simulate.ts) says when
// the engine wakes and when time passes.

import { AsyncResource } from "node:async_hooks";
import type { Backend, Timer } from "../../engine/backend.ts";
import { EBADF } from "../../constants/index.ts";
import type { SimulatedCalls } from "./calls.ts";
import type { Scheduled, VirtualClock } from "./clock.ts";
import type { SimulatedPollers } from "./pollers.ts";
import type { Readiness } from "./readiness.ts";

/** Calls back in the context of now: on the same host. (AsyncResource.bind would have each one's end tracked.) */
function inContext(callback: () => void): () => void {
  const resource = new AsyncResource("berkeley.simulated", { requireManualDestroy: true });
  return () => resource.runInAsyncScope(callback);
}

/**
 * A timer of the simulation's time. One that begins anew only notes when its time is up; what is to happen then looks
 * whether it comes too early. A server begins one anew with each byte, and the clock would have to remember them all.
 */
class SimulatedTimer implements Timer {
  readonly #clock: VirtualClock;
  readonly #ms: number;
  readonly #callback: () => void;
  #at = 0;
  #scheduled: Scheduled | undefined = undefined;

  constructor(clock: VirtualClock, ms: number, callback: () => void) {
    this.#clock = clock;
    this.#ms = ms;
    this.#callback = callback;
    this.refresh();
  }

  refresh(): void {
    this.#at = this.#clock.now + this.#ms;
    if (this.#scheduled === undefined) this.#schedule();
  }

  /** The driver holds the process. */
  ref(): void {}

  [Symbol.dispose](): void {
    if (this.#scheduled !== undefined) this.#clock.cancel(this.#scheduled);
    this.#scheduled = undefined;
  }

  #schedule(): void {
    this.#scheduled = this.#clock.after(this.#at - this.#clock.now, () => {
      this.#scheduled = undefined;
      if (this.#at > this.#clock.now) this.#schedule();
      else this.#callback();
    });
  }
}

/** The engine's view of a simulation. */
export class SimulatedBackend implements Backend {
  readonly name = "simulated";
  readonly calls: SimulatedCalls;
  readonly pollers: SimulatedPollers;
  readonly #clock: VirtualClock;
  readonly #readiness: Readiness;
  #wake: () => void = () => undefined;
  #turns: (() => void)[] = [];
  /** A timer has called back, or a turn: what the program does now is to be seen before time goes on. */
  stirred = false;

  constructor(calls: SimulatedCalls, pollers: SimulatedPollers, clock: VirtualClock, readiness: Readiness) {
    this.calls = calls;
    this.pollers = pollers;
    this.#clock = clock;
    this.#readiness = readiness;
  }

  watch(fd: number, bits: number, index: number, generation: number): number {
    const ready = this.calls.open.get(fd)?.ready() ?? this.pollers.ready(fd);
    if (ready === undefined) return -EBADF;
    this.#readiness.watch(fd, bits, index, generation, ready);
    return 0;
  }

  change(fd: number, bits: number, index: number, generation: number): number {
    return this.watch(fd, bits, index, generation);
  }

  forget(fd: number): void {
    this.#readiness.forget(fd);
  }

  take(events: Uint32Array): number {
    return this.#readiness.take(events);
  }

  start(wake: () => void): void {
    this.#wake = wake;
  }

  // The driver holds the process while a simulation runs.
  ref(): void {}
  unref(): void {}

  now(): number {
    return this.#clock.now;
  }

  setTimer(callback: () => void, ms: number): Timer {
    const bound = inContext(callback);
    return new SimulatedTimer(this.#clock, ms, () => {
      this.stirred = true;
      bound();
    });
  }

  clearTimer(timer: Timer): void {
    timer[Symbol.dispose]();
  }

  nextTurn(callback: () => void): void {
    this.#turns.push(inContext(callback));
  }

  /** One turn of the loop, in which no time passes; false: nothing was to be done. */
  turn(): boolean {
    const turns = this.#turns;
    const events = this.#readiness.pending;
    if (turns.length === 0 && !events) return false;
    this.#turns = [];
    for (const callback of turns) callback();
    if (events) this.#wake();
    return true;
  }

  /** Whether a turn has something to do. */
  get due(): boolean {
    return this.#turns.length > 0 || this.#readiness.pending;
  }
}
