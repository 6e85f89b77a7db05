// What stands behind the engine: system calls, readiness, a clock. This file holds the contract and its first
// implementation, the kernel's own through the addon (epoll, or kqueue). Who waits for what it does not know.

import type { SocketCalls } from "../native/calls.ts";
import { native } from "../native.ts";
import type { ReadinessCalls } from "../native.ts";

/** Three u32 an event: bits, index, generation. */
export const EVENT_WORDS = 3;
/** Events taken per wake-up; more stay for the next turn of the loop. */
export const EVENTS_MAX = 512;

/** A time that runs; disposing ends it. */
export interface Timer extends Disposable {
  /** The time begins anew, also one that was up. */
  refresh(): unknown;
  /** It holds the process alive while it runs. */
  ref(): unknown;
}

/** The timer of a time that is never up. */
export const NEVER: Timer = {
  refresh: () => undefined,
  ref: () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** What pollers of the program's own are made of (selectors). */
export type PollerCalls = Omit<ReadinessCalls, "loop_start" | "loop_ref" | "loop_unref"> &
  Pick<SocketCalls, "close">;

/** A source of readiness with the calls that go with it. */
export interface Backend {
  readonly name: string;
  /** Exchanged while somebody watches what they do (socket/watching.ts): do not hold on to them. */
  calls: SocketCalls;
  readonly pollers: PollerCalls;
  /** Edge-triggered: reports what is ready now, then each change. 0, or -errno. */
  watch(fd: number, bits: number, index: number, generation: number): number;
  /** Replaces the bits; reports anew what is ready now. 0, or -errno. */
  change(fd: number, bits: number, index: number, generation: number): number;
  /** No event of this descriptor is reported that was not already taken. */
  forget(fd: number): void;
  /** Takes the events there are, without waiting; how many. */
  take(events: Uint32Array): number;
  /** Calls back once per turn of the loop in which there are events. Called once, first. */
  start(wake: () => void): void;
  /** The process lives while referenced. It starts unreferenced. */
  ref(): void;
  unref(): void;
  /** Milliseconds from a beginning of its own; never goes back. */
  now(): number;
  /** Calls back after `ms`; holds no process alive. */
  setTimer(callback: () => void, ms: number): Timer;
  clearTimer(timer: Timer): void;
  /** Calls back in the next turn of the loop; holds the process alive till then. */
  nextTurn(callback: () => void): void;
}

/** The kernel's readiness, through the addon: epoll(7), or kqueue(2). */
export function kernelBackend(): Backend {
  const poller = native.readiness_open();
  if (poller < 0) throw new Error(`berkeley: no readiness from this kernel (errno ${-poller})`);
  return {
    name: process.platform === "linux" ? "epoll" : "kqueue",
    calls: native,
    pollers: native,
    watch: (fd, bits, index, generation) => native.readiness_watch(poller, fd, bits, index, generation),
    change: (fd, bits, index, generation) => native.readiness_change(poller, fd, bits, index, generation),
    forget: (fd) => void native.readiness_forget(poller, fd),
    take: (events) => native.readiness_wait(poller, events),
    start(wake) {
      const result = native.loop_start(poller, wake);
      if (result < 0) throw new Error(`berkeley: the event loop refused (errno ${-result})`);
    },
    ref: () => void native.loop_ref(),
    unref: () => void native.loop_unref(),
    now: () => performance.now(),
    setTimer: (callback, ms) => setTimeout(callback, ms).unref(),
    clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
    nextTurn: (callback) => void setImmediate(callback),
  };
}
