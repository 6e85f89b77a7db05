// How long one connection waits, and for what: for a sign of life, for what it sends to be taken, for the end of a closing
// handshake. Numbers that a clock looks at (berkeley/http has it): a timer for each wait would cost more than the frames.

import { Clock } from "../http/clock.ts";
import type { CheckedOptions } from "./options.ts";

const NONE = Infinity;

/** By the shortest time that is waited for. Options are the program's, so there are few of them. */
const clocks: Map<number, Clock> = new Map();

function clockFor({ pingIntervalMs, pongTimeoutMs, closeTimeoutMs, sendTimeoutMs }: CheckedOptions): Clock {
  const shortestMs = Math.min(pingIntervalMs, pongTimeoutMs, closeTimeoutMs, sendTimeoutMs);
  let clock = clocks.get(shortestMs);
  if (clock === undefined) clocks.set(shortestMs, (clock = new Clock(shortestMs)));
  return clock;
}

/** Who is told that a time is up. */
export interface DeadlineOwner {
  /** Nothing has come for pingIntervalMs. */
  quiet(): void;
  /** The peer gives no sign of life, or does not take what it is sent. */
  silent(what: string): void;
  /** The time to close is up. */
  closeExpired(): void;
}

/** The deadlines of one connection. */
export class Deadlines {
  readonly #owner: DeadlineOwner;
  readonly #options: CheckedOptions;
  readonly #clock: Clock;
  #read = NONE;
  #send = NONE;
  #close = NONE;
  #pinged = false;

  constructor(options: CheckedOptions, owner: DeadlineOwner) {
    this.#owner = owner;
    this.#options = options;
    this.#clock = clockFor(options);
    this.#clock.add(this);
  }

  /** The earliest of them, by the clock. */
  get deadline(): number {
    return Math.min(this.#read, this.#send, this.#close);
  }

  /** The peer is waited for to send something. */
  reading(): void {
    this.#read = this.#clock.now + this.#options.pingIntervalMs;
    this.#pinged = false;
  }

  /** It has, or nobody waits. */
  read(): void {
    this.#read = NONE;
  }

  /** The peer is waited for to take something, from now on; or no longer. */
  sending(on: boolean): void {
    this.#send = on ? this.#clock.now + this.#options.sendTimeoutMs : NONE;
  }

  /** The connection is being closed. The first call counts. */
  closing(): void {
    if (this.#close === NONE) this.#close = this.#clock.now + this.#options.closeTimeoutMs;
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#clock.delete(this);
  }

  expire(): void {
    const { now } = this.#clock;
    if (this.#close <= now) this.#owner.closeExpired();
    else if (this.#send <= now)
      this.#owner.silent(`the peer takes nothing for ${this.#options.sendTimeoutMs} ms`);
    else if (this.#pinged) this.#owner.silent(`no pong for ${this.#options.pongTimeoutMs} ms`);
    else {
      this.#pinged = true;
      this.#read = now + this.#options.pongTimeoutMs;
      this.#owner.quiet();
    }
  }
}
