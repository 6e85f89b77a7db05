// Waiting by blocking the calling thread: with poll(2), in slices. It knows a clock; what is waited for, and what happens
// then, its callers know. Nothing of the event loop runs meanwhile.
//
// Why slices. A thread that is inside of a system call cannot be told anything by JavaScript: `worker.terminate()`,
// `process.exit()` in the main thread (which ends the workers first), Ctrl-C in the REPL and the debugger all ask V8 to
// stop, and V8 looks when JavaScript runs again. An eventfd that wakes the thread would need somebody to write it, and
// Node tells an addon that its environment ends only in that environment's own thread, after it has stopped. So a
// blocked thread comes back to JavaScript every 50 ms: that costs 20 short calls a second, and an end waits 50 ms at most.
//
// Signals. With its default action a signal ends the process at once, inside of poll(2), as it ends a C program. One
// that Node or another library handles interrupts poll (EINTR); the wait then goes on with the time that is left.

import { native } from "../native.ts";
import { EINTR, POLLIN, POLLOUT } from "../constants/index.ts";
import { READ, WRITE } from "./descriptor.ts";

/** The longest time without JavaScript, in milliseconds. */
const SLICE_MS = 50;

/**
 * Blocks until `wait` has a result.
 *
 * @param wait  waits for at most so many milliseconds (0: looks once); 0 = nothing yet.
 * @param ms    the time for all; Infinity = no limit, 0 or less = one look.
 * @returns the first result that is not 0 (an -errno is one, EINTR is not); 0 when the time is up.
 */
export function block(wait: (ms: number) => number, ms: number): number {
  const end = ms <= 0 || ms === Infinity ? ms : performance.now() + ms;
  for (;;) {
    const left = end <= 0 ? 0 : end === Infinity ? SLICE_MS : end - performance.now();
    const result = wait(left <= 0 ? 0 : Math.ceil(Math.min(left, SLICE_MS)));
    if (result !== 0 && result !== -EINTR) return result;
    if (left <= 0 && result === 0) return 0;
  }
}

// struct pollfd: a descriptor and two halves of a word, events and what came of them.
const words = new Int32Array(2);
const halves = new Int16Array(words.buffer);

/**
 * Waits for one descriptor, in one slice.
 *
 * @param direction  READ, WRITE or ERRORS.
 * @param ms         at most so long.
 * @returns 1: ready (also when it has ended or failed, or is closed: the call that follows says so); 0: not yet; -errno.
 */
export function pollOne(fd: number, direction: number, ms: number): number {
  words[0] = fd;
  halves[2] = direction === READ ? POLLIN : direction === WRITE ? POLLOUT : 0; // errors are always told
  halves[3] = 0;
  return native.poll(words, ms);
}

const nothing = new Int32Array(0);

/** Blocks for a time, in milliseconds. */
export function blockFor(ms: number): void {
  block((slice) => native.poll(nothing, slice), ms);
}
