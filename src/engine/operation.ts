// One waiting call: how to try it, what its result becomes, whom to tell. It settles exactly once, because only the
// engine settles it and takes it off its queue in the same step. It knows neither descriptors nor system calls.

import type { Timer } from "./backend.ts";
import { ECANCELED } from "../constants/index.ts";

/** How many bytes the kernel has taken so far, kept current while a call runs. */
export interface Progress {
  bytes: number;
}

/** How much of what was asked the kernel has taken, for the error of a call that stopped half-way. */
export interface Sent {
  readonly bytes?: number;
  readonly datagrams?: number;
}

/** A count of ours that the program's own object shows: two calls may show theirs in one, and a program may write to it. */
class ShownProgress implements Progress {
  #bytes = 0;
  readonly #shown: Progress;

  constructor(shown: Progress) {
    this.#shown = shown;
    shown.bytes = 0;
  }

  get bytes(): number {
    return this.#bytes;
  }
  set bytes(count: number) {
    this.#bytes = count;
    this.#shown.bytes = count;
  }
}

/** A call's count from 0 on, kept current in the program's object if it gave one. */
export function countProgress(shown: Progress | undefined): Progress {
  return shown === undefined ? { bytes: 0 } : new ShownProgress(shown);
}

/** How an operation takes -EAGAIN: it waits until the descriptor is ready. */
export const WAITS = 0;
/** It fails at once, as in non-blocking mode (MSG_DONTWAIT). */
export const ASKS_ONCE = 1;
/** It fails at once and passes those that wait: its queue is another (errors, urgent data) than the one they wait for. */
export const ASKS_ASIDE = 2;

/** Who asked: kept alive while it waits, and asked to word the errors. */
export interface Owner {
  /** The error for a result of -errno. */
  failure(syscall: string, result: number, progress?: Sent): Error;
  /** The error for a call whose time, `ms`, is up. */
  expiry(syscall: string, ms: number, progress?: Sent): Error;
}

/** What may end a wait early, or interrupt it. */
export class Guard {
  /** The time that it was given. */
  ms = 0;
  timer: Timer | undefined = undefined;
  /** When that is over, by the backend's clock: Node counts whole milliseconds, and in a busy loop a timer comes early by a part of one. */
  until = 0;
  signal: AbortSignal | undefined = undefined;
  onAbort: (() => void) | undefined = undefined;
  /** The timer after which the operation is tried again. */
  retry: Timer | undefined = undefined;
}

// The executor of every promise here: it runs inside `new Promise`, so two variables serve all and no closure is made.
let madeResolve: (value: unknown) => void;
let madeReject: (reason: unknown) => void;
const capture = (resolve: (value: unknown) => void, reject: (reason: unknown) => void): void => {
  madeResolve = resolve;
  madeReject = reject;
};

/** A call that waits until its descriptor is ready. */
export abstract class Operation<T = unknown> {
  readonly owner: Owner;
  /** The name of the call, for messages. */
  abstract readonly syscall: string;
  /** How far it has come, of calls that can stop half-way. */
  declare readonly progress?: Sent;
  resolve: ((value: T) => void) | undefined = undefined;
  reject: ((reason: unknown) => void) | undefined = undefined;
  // These lie with the class until they are set: each idle connection holds an operation.
  /** The next in the same queue; of the youngest the oldest, and of one that waits alone none (queues.ts). */
  declare next: Operation | null;
  /** What may end the wait early; undefined once it has ended, and of most always. */
  declare guard: Guard | undefined;
  /** WAITS, ASKS_ONCE or ASKS_ASIDE. */
  declare manner: number;
  /** Above 0: no event may follow the EAGAIN that the last attempt said, so it is tried again after so many milliseconds. */
  declare retryMs: number;
  static {
    Operation.prototype.next = null;
    Operation.prototype.guard = undefined;
    Operation.prototype.manner = WAITS;
    Operation.prototype.retryMs = 0;
  }

  constructor(owner: Owner) {
    this.owner = owner;
  }

  /** Makes the promise that it settles; called once, when it parks. */
  promise(): Promise<T> {
    const promise = new Promise<unknown>(capture) as Promise<T>;
    this.resolve = madeResolve;
    this.reject = madeReject;
    return promise;
  }

  /** Makes the non-blocking call: a result >= 0, or -errno; -EAGAIN waits on. One that spends the turn's credit stops with it. */
  abstract attempt(): number;

  /** Turns a result >= 0 into what the caller gets; runs right after the attempt. */
  abstract value(result: number): T;

  /** What to deliver in place of an end from outside (time, signal, close): a result >= 0, or -1 for nothing. */
  salvage(): number {
    return -1;
  }

  /** Ends it from outside. */
  end(reason: unknown): void {
    const result = this.salvage();
    if (result < 0) this.fail(reason);
    else this.settle(result);
  }

  /** Ends it because its descriptor is closed or given away. */
  cancel(): void {
    const result = this.salvage();
    this.settle(result < 0 ? -ECANCELED : result);
  }

  /** Delivers a result of the kernel's to the promise. */
  settle(result: number): void {
    try {
      if (result < 0) this.fail(this.owner.failure(this.syscall, result, this.progress));
      else this.resolve?.(this.value(result));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Rejects the promise. */
  fail(reason: unknown): void {
    this.reject?.(reason);
  }
}

/** A waiting call told by two functions; for all calls but the few whose speed decides. */
export class Call<T> extends Operation<T> {
  readonly syscall: string;
  readonly #attempt: () => number;
  readonly #value: (result: number) => T;

  constructor(owner: Owner, syscall: string, attempt: () => number, value: (result: number) => T) {
    super(owner);
    this.syscall = syscall;
    this.#attempt = attempt;
    this.#value = value;
  }

  attempt(): number {
    return this.#attempt();
  }

  value(result: number): T {
    return this.#value(result);
  }
}
