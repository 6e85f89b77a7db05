// How a lookup is made: on a thread, with a promise that a signal can end, or at once. A function that makes several
// lookups is written once, as steps (a generator that yields what it asks), and driven either way. What is asked, the
// files beside this one know.
//
// The process lives exactly as long as a lookup waits: the addon is told with the first one and after the last.

import { native } from "../../native.ts";
import type { LookupAnswer } from "../../native/names.ts";
import { listen, stopListening } from "../../engine/signal.ts";
import { EAI_NONAME } from "../../constants/names.ts";
import { AddressError, SocketError, invalidArgument } from "../errors.ts";

/** One lookup. */
export interface Query<T> {
  /** The call, for errors. */
  readonly syscall: string;
  /** What is looked up, for errors. */
  readonly name: string | undefined;
  /** Nobody is asked for the answer, so that it needs no thread. */
  readonly isNumeric?: boolean;
  /** Begins it on a thread: 0 or -errno. */
  start(id: number): number;
  /** Makes it on this thread. */
  now(): LookupAnswer;
  /** What the answer means. */
  read(answer: LookupAnswer): T;
}

/** A function that looks things up: it yields queries and gets their results. */
export type Steps<T> = Generator<Query<unknown>, T, unknown>;

/** One query as a step. */
export function* ask<T>(query: Query<T>): Steps<T> {
  return (yield query) as T;
}

/** What every lookup takes last. */
export interface LookupOptions {
  /** Ends the wait: the promise rejects with the signal's reason. A lookup that is queued is not made at all. */
  signal?: AbortSignal | undefined;
}

const GAI_BASE = 10_000;
const HOST_BASE = 20_000;

/** The error that a number below zero in an answer means (native/names.h). */
function failure(query: Query<unknown>, answer: number): AddressError {
  if (answer <= -HOST_BASE) return AddressError.host(query.syscall, -answer - HOST_BASE, query.name);
  if (answer > -GAI_BASE) return AddressError.errno(query.syscall, -answer, query.name);
  const code = -answer - GAI_BASE;
  return AddressError.gai(query.syscall, EAI_NONAME < 0 ? -code : code, query.name);
}

/** Gives an answer to the steps: its value, or its error where they stand. */
function advance<T>(
  steps: Steps<T>,
  query: Query<unknown>,
  answer: LookupAnswer,
): IteratorResult<Query<unknown>, T> {
  return typeof answer === "number" ? steps.throw(failure(query, answer)) : steps.next(query.read(answer));
}

/** Who waits, by the number of its lookup. An answer that nobody waits for was aborted. */
const waiting = new Map<number, (answer: LookupAnswer) => void>();
let lastId = 0;
let opened = false;

function settled(id: number): void {
  waiting.delete(id);
  if (waiting.size === 0) native.lookup_unref();
}

function begin(query: Query<unknown>, answered: (answer: LookupAnswer) => void): number {
  if (!opened) {
    const error = native.lookup_open((id, answer) => waiting.get(id)?.(answer));
    if (error < 0) throw new SocketError(query.syscall, error);
    opened = true;
  }
  const id = ++lastId;
  const error = query.start(id);
  if (error < 0) throw new SocketError(query.syscall, error);
  if (waiting.size === 0) native.lookup_ref();
  waiting.set(id, answered);
  return id;
}

function answerOf(query: Query<unknown>, signal: AbortSignal | undefined): Promise<LookupAnswer> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      native.lookup_cancel(id);
      settled(id);
      reject(signal?.reason as Error);
    };
    const id = begin(query, (answer) => {
      settled(id);
      if (signal !== undefined) stopListening(signal, aborted);
      resolve(answer);
    });
    if (signal !== undefined) listen(signal, aborted);
  });
}

/** Drives steps with lookups on threads, where somebody must be asked. */
export async function drive<T>(steps: Steps<T>, options: LookupOptions | undefined): Promise<T> {
  const signal = options?.signal;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument("options.signal", "an AbortSignal", signal);
  let step = steps.next();
  while (step.done !== true) {
    signal?.throwIfAborted();
    const query = step.value;
    step = advance(steps, query, query.isNumeric === true ? query.now() : await answerOf(query, signal));
  }
  return step.value;
}

/** Drives steps with lookups on this thread, which waits for them. */
export function driveNow<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = advance(steps, step.value, step.value.now());
  return step.value;
}
