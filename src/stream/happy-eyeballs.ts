// Happy Eyeballs, version 2 (RFC 8305): in which order addresses are tried, and how attempts overlap. It knows a clock and
// attempts; what an attempt is it does not know, nor where addresses come from.
//
// What of the RFC has no place here. Section 3 asks for AAAA and A apart and waits 50 ms for the better half (the
// Resolution Delay). getaddrinfo(3) asks for both at once and answers once, in the order of RFC 6724 by the machine's own
// routes and its /etc/gai.conf (section 4 asks for that order). Two lookups would lose the order between the families,
// and ask a name server about names that /etc/hosts has in one family only. So there is one lookup and nothing to wait
// for; a resolver of the caller's own may wait as it likes.

import { listen, stopListening } from "../engine/signal.ts";

/** RFC 8305 section 5: the recommended Connection Attempt Delay. */
export const ATTEMPT_DELAY_MS = 250;
/** RFC 8305 section 5: it must not be less than 10 ms … */
export const ATTEMPT_DELAY_MS_MIN = 10;
/** … and at most 2 s is recommended; more is the caller's choice. */
export const ATTEMPT_DELAY_MS_MAX = 60_000;

/**
 * RFC 8305 section 4: the families take turns, beginning with the first address's, one at a time (First Address Family
 * Count 1). Within a family the order stays. One that is named twice is tried once.
 */
export function interleave<A>(
  addresses: readonly A[],
  familyOf: (address: A) => number,
  keyOf: (address: A) => string,
): A[] {
  const families = new Map<number, A[]>();
  const seen = new Set<string>();
  for (const address of addresses) {
    const key = keyOf(address);
    if (seen.has(key)) continue;
    seen.add(key);
    const family = families.get(familyOf(address));
    if (family === undefined) families.set(familyOf(address), [address]);
    else family.push(address);
  }
  const mixed: A[] = [];
  for (let at = 0; mixed.length < seen.size; at++)
    for (const family of families.values()) if (at < family.length) mixed.push(family[at] as A);
  return mixed;
}

/** A clock, as an engine's backend has it. */
export interface Clock {
  setTimer(callback: () => void, ms: number): unknown;
  clearTimer(timer: unknown): void;
}

/** How a race is run. */
export interface Race<T> {
  readonly clock: Clock;
  readonly delayMs: number;
  /** Ends it: the promise rejects with the signal's reason. */
  readonly signal: AbortSignal | undefined;
  /** What to do with one that came second. */
  readonly discard: (value: T) => void;
  /** Whether an error is one attempt's own. Any other ends the race. */
  readonly isOwn: (error: unknown) => boolean;
}

/**
 * Starts one attempt after the other: the next when the last has failed, or when `delayMs` are over, whichever is first.
 * The first to succeed wins; the others are told by their signal. (RFC 8305 section 5)
 *
 * @throws an array of all errors, in the order of their coming, when every attempt failed.
 */
export function race<T>(
  attempts: readonly ((signal: AbortSignal) => Promise<T>)[],
  { clock, delayMs, discard, isOwn, signal }: Race<T>,
): Promise<T> {
  const errors: unknown[] = [];
  const losers = new AbortController();
  let started = 0;
  let over = false;
  let timer: unknown;
  return new Promise<T>((resolve, reject) => {
    const stopTimer = (): void => {
      if (timer !== undefined) clock.clearTimer(timer);
      timer = undefined;
    };
    const end = (): void => {
      over = true;
      stopTimer();
      if (signal !== undefined) stopListening(signal, abort);
      losers.abort();
    };
    const abort = (): void => {
      end();
      reject(signal?.reason as Error);
    };
    const won = (value: T): void => {
      if (over) return discard(value);
      end();
      resolve(value);
    };
    const failed = (error: unknown): void => {
      if (over) return;
      errors.push(error);
      if (!isOwn(error)) {
        end();
        reject(error);
      } else if (started < attempts.length) start();
      else if (errors.length === attempts.length) {
        end();
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors
        reject(errors);
      }
    };
    const start = (): void => {
      stopTimer();
      const attempt = attempts[started++] as (signal: AbortSignal) => Promise<T>;
      if (started < attempts.length) timer = clock.setTimer(start, delayMs);
      attempt(losers.signal).then(won, failed);
    };
    if (signal !== undefined) listen(signal, abort);
    start();
  });
}
