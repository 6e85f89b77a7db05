// Time as a server and a client of many connections need it: the Date of answers, and deadlines that cost nothing until they
// pass. It knows no protocol.
//
// Why no timer for each wait. A connection waits several times for each request, and hardly ever too long. A timer that is
// set and cleared costs more than the parser. Here a wait writes one number, and once in a while one timer looks at all
// of them: late by no more than a tick, which is a small part of the shortest time.

import { now, startTimer, stopTimer } from "../engine/clock.ts";
import type { Timer } from "../engine/clock.ts";
import { formatHttpDate } from "./syntax/date.ts";

const SECOND_MS = 1000;
let second = -1;
let date = "";

/** The present as HTTP writes it; made once a second. */
export function httpDate(): string {
  const present = Math.floor(Date.now() / SECOND_MS);
  if (present !== second) {
    second = present;
    date = formatHttpDate(present * SECOND_MS);
  }
  return date;
}

/** Who waits, and until when. */
export interface Waiting {
  /** By the clock's `now`; Infinity: for nothing that is limited. */
  readonly deadline: number;
  /** The deadline has passed. */
  expire(): void;
}

/** Ticks for each of the shortest time, and how seldom it may tick. */
const TICKS = 8;
const TICK_MS_MIN = 10;
const TICK_MS_MAX = 1000;

function tickFor(shortestMs: number): number {
  return Math.min(Math.max(shortestMs / TICKS, TICK_MS_MIN), TICK_MS_MAX);
}

/** A clock that looks at everybody who waits. It holds no process alive. */
export class Clock {
  /** Milliseconds, as of the last tick. */
  now: number = now();
  #tickMs: number;
  readonly #waiting: Set<Waiting> = new Set();
  #timer: Timer | undefined;

  /** @param shortestMs  the shortest time that anybody will wait. */
  constructor(shortestMs: number) {
    this.#tickMs = tickFor(shortestMs);
  }

  /** Somebody will wait for so long, which may be shorter than what anybody did before. */
  notice(ms: number): void {
    const tickMs = tickFor(ms);
    if (tickMs >= this.#tickMs) return;
    this.#tickMs = tickMs;
    if (this.#timer === undefined) return;
    stopTimer(this.#timer);
    this.#start();
  }

  /** Looks at this one too from now on. */
  add(one: Waiting): void {
    this.#waiting.add(one);
    if (this.#timer !== undefined) return;
    this.now = now();
    this.#start();
  }

  /** No more. */
  delete(one: Waiting): void {
    this.#waiting.delete(one);
    if (this.#waiting.size > 0) return;
    stopTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Everybody who is looked at. */
  [Symbol.iterator](): Iterator<Waiting> {
    return this.#waiting.values();
  }

  #start(): void {
    this.#timer = startTimer(this.#tickMs, () => this.#tick());
  }

  #tick(): void {
    // What expired while the loop was held up by others is given the benefit of one more tick.
    const before = this.now;
    this.now = now();
    for (const one of this.#waiting) if (one.deadline <= before) one.expire();
    this.#timer?.refresh();
  }
}
