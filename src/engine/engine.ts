// Waiting. An operation first makes its non-blocking call; on EAGAIN it parks on its descriptor; when the descriptor is
// ready it runs again. All queues, readiness hints, timers and aborts move here and nowhere else. It knows descriptors
// and operations; what they read or write it does not know.
//
// Why a batch is served in one go. Letting what one descriptor settled run before the next descriptor's call (a microtask
// between them) looked kinder to the cache; it was measured 8 % slower at 64 bytes and no faster at 16 KiB: the kernel's
// receive path and its send path each like to run many times in a row.
//
// Why those who wait for an error queue are all tried, not the oldest alone: it has messages for different people (what
// was sent and is no longer needed, errors, times of sending), and who reads it finds what is another's.
//
// Why a credit. A handler that always finds data never returns to the event loop: a promise that is already resolved
// goes round in microtasks and starves timers, other descriptors and everything else. Each turn of the loop has a credit
// of work; when it is spent, operations park although they could run, and go on in the next turn.

import type { Backend } from "./backend.ts";
import { EVENTS_MAX, EVENT_WORDS } from "./backend.ts";
import { Deferred } from "./deferred.ts";
import { Descriptor, END, ERRORS, READ, URGENT, WRITE } from "./descriptor.ts";
import type { Kind } from "./descriptor.ts";
import { Guard } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { Postponed } from "./postponed.ts";
import { Queues } from "./queues.ts";
import { listen, stopListening } from "./signal.ts";
import { EAGAIN } from "../constants/index.ts";

/** Work of one turn: a call counts 1, and 1 more for each 8 KiB moved; about 2 ms on the machine it was measured on. */
const TURN_CREDIT = 1024;

/** Work of an operation whose time is up: enough for a call with all that it brings, however much the turn has spent. */
const LAST_TRY_CREDIT = 64;

/** No limit of time. */
export const FOREVER = -1;

/** Parks operations until their descriptors are ready. One per thread and backend. */
export class Engine {
  /** Called when a socket is made and before a batch of events is served: the moments to exchange a backend's calls. */
  static look: (engine: Engine) => void = () => {};

  readonly backend: Backend;
  /** Which channels watch its calls (socket/watching.ts). */
  watchedBy = 0;
  /** What is left of this turn's work. Fast paths that call without parking take from it. */
  credit: number = TURN_CREDIT;
  readonly #events: Uint32Array = new Uint32Array(EVENTS_MAX * EVENT_WORDS);
  /** By descriptor number, from the first wait to the close. */
  readonly #watched: (Descriptor | undefined)[] = [];
  readonly #queues: Queues = new Queues();
  /** Calls that wait for the next turn, whether or not they could be made. */
  readonly postponed: Postponed = new Postponed(this);
  #generation = 0;
  /** Operations that wait and hold the process alive. */
  #active = 0;
  readonly #deferred: Deferred = new Deferred(this, (descriptor) => this.#serve(descriptor));

  constructor(backend: Backend) {
    this.backend = backend;
    backend.start(() => this.#wake());
  }

  /** Takes a descriptor under its care. Registers nothing yet: many never wait. */
  attach(kind: Kind, fd: number, shortReadIsDry: boolean): Descriptor {
    Engine.look(this);
    this.#generation = (this.#generation + 1) >>> 0;
    return new Descriptor(kind, fd, this.#generation, shortReadIsDry);
  }

  /** Whether a call in this direction may succeed, as far as is known. */
  ready(descriptor: Descriptor, direction: number): boolean {
    if (direction === READ) return descriptor.readable;
    return direction === WRITE ? descriptor.writable : descriptor.failing;
  }

  /** Whether nobody waits in this direction. */
  free(descriptor: Descriptor, direction: number): boolean {
    return this.#queues.head(descriptor, direction) === null;
  }

  /**
   * A call in this direction said EAGAIN. It is not believed when the turn's credit is spent: a call that could go on
   * says so too, to let others run.
   */
  dry(descriptor: Descriptor, direction: number): void {
    if (this.credit <= 0) return;
    if (direction === READ) descriptor.readable = false;
    else if (direction === WRITE) descriptor.writable = false;
    else descriptor.failing = false;
  }

  /** Something of the error queue was read that may be another's: all who wait for it are tried in the next turn. */
  again(descriptor: Descriptor): void {
    if (this.free(descriptor, ERRORS)) return;
    descriptor.failing = true;
    this.#defer(descriptor);
  }

  /** Parks an operation behind those that already wait in its direction. `ms`: its time, or FOREVER. */
  park<T>(
    descriptor: Descriptor,
    direction: number,
    operation: Operation<T>,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const promise = operation.promise();
    this.enqueue(descriptor, direction, operation, ms, signal);
    return promise;
  }

  /** As park(), of an operation that has made its promise. */
  enqueue<T>(
    descriptor: Descriptor,
    direction: number,
    operation: Operation<T>,
    ms: number,
    signal: AbortSignal | undefined,
  ): void {
    const parked = operation as Operation;
    this.#queues.append(descriptor, direction, parked);
    if (descriptor.referenced && ++this.#active === 1) this.backend.ref();
    if (ms !== FOREVER || signal !== undefined) this.#guard(descriptor, direction, parked, ms, signal);
    if ((descriptor.interest & direction) === 0) this.#watch(descriptor, direction);
    if (this.ready(descriptor, direction)) this.#defer(descriptor);
    else if (operation.retryMs > 0) this.#startRetry(descriptor, direction, parked);
  }

  /** Takes the descriptor from the poller and fails with ECANCELED what waits on it. The number may be closed now. */
  release(descriptor: Descriptor): void {
    const fd = descriptor.fd;
    descriptor.fd = -1;
    if (descriptor.interest !== 0) {
      this.backend.forget(fd);
      if (this.#watched[fd] === descriptor) this.#watched[fd] = undefined;
      descriptor.interest = 0;
    }
    for (const direction of [READ, WRITE, ERRORS]) {
      for (;;) {
        const operation = this.#queues.head(descriptor, direction);
        if (operation === null) break;
        this.#take(descriptor, direction, operation);
        operation.cancel();
      }
    }
    this.postponed.release(descriptor);
  }

  /** Whether what waits on the descriptor holds the process alive. */
  setReferenced(descriptor: Descriptor, referenced: boolean): void {
    if (descriptor.referenced === referenced) return;
    descriptor.referenced = referenced;
    const before = this.#active;
    const waiting = this.#queues.count(descriptor);
    this.#active += referenced ? waiting : -waiting;
    if (before === 0 && this.#active > 0) this.backend.ref();
    if (before > 0 && this.#active === 0) this.backend.unref();
  }

  #guard(
    descriptor: Descriptor,
    direction: number,
    operation: Operation,
    ms: number,
    signal: AbortSignal | undefined,
  ): void {
    const guard = new Guard();
    operation.guard = guard;
    if (ms !== FOREVER) {
      guard.ms = ms;
      this.#arm(guard, descriptor, direction, operation, ms);
    }
    if (signal !== undefined) {
      guard.signal = signal;
      guard.onAbort = (): void => this.#cancel(descriptor, direction, operation, signal.reason);
      listen(signal, guard.onAbort);
    }
  }

  #arm(guard: Guard, descriptor: Descriptor, direction: number, operation: Operation, ms: number): void {
    guard.until = this.backend.now() + ms;
    guard.timer = this.backend.setTimer(() => this.#expire(descriptor, direction, operation), ms);
  }

  /** A waiting operation has come further, and the limit is on standing still: its time begins anew. */
  prolong<T>(descriptor: Descriptor, direction: number, operation: Operation<T>, ms: number): void {
    const { guard } = operation;
    if (guard?.timer === undefined) return;
    this.backend.clearTimer(guard.timer);
    this.#arm(guard, descriptor, direction, operation as Operation, ms);
  }

  #expire(descriptor: Descriptor, direction: number, operation: Operation): void {
    const left = (operation.guard?.until ?? 0) - this.backend.now();
    if (operation.guard !== undefined && left > 0) {
      this.#arm(operation.guard, descriptor, direction, operation, left);
      return;
    }
    // A last try, as poll(2) would: bytes that arrived while the loop was busy were in time.
    // It is made whatever the turn has spent, and those ahead in the queue make theirs first.
    const timer = operation.guard?.timer;
    let head: Operation | null;
    do {
      head = this.#queues.head(descriptor, direction);
      this.#makeReady(descriptor, direction);
      this.credit = Math.max(this.credit, LAST_TRY_CREDIT);
      this.#run(descriptor, direction);
    } while (operation.guard !== undefined && this.#queues.head(descriptor, direction) !== head);
    const { guard } = operation;
    // It has ended; or it has come further, and its time has begun anew (prolong()).
    if (guard === undefined || guard.timer !== timer) return;
    const reason = operation.owner.expiry(operation.syscall, guard.ms, operation.progress);
    this.#cancel(descriptor, direction, operation, reason);
  }

  /** What no event tells (AF_UNIX: room at the other end), time must. */
  #startRetry(descriptor: Descriptor, direction: number, operation: Operation): void {
    const guard = (operation.guard ??= new Guard());
    if (guard.retry !== undefined) return;
    guard.retry = this.backend.setTimer(() => {
      guard.retry = undefined;
      this.#makeReady(descriptor, direction);
      this.#run(descriptor, direction);
    }, operation.retryMs);
  }

  #makeReady(descriptor: Descriptor, direction: number): void {
    if (direction === READ) descriptor.readable = true;
    else if (direction === WRITE) descriptor.writable = true;
    else descriptor.failing = true;
  }

  #watch(descriptor: Descriptor, direction: number): void {
    const { fd, generation } = descriptor;
    const bits = descriptor.interest | direction;
    const result =
      descriptor.interest === 0
        ? this.backend.watch(fd, bits, fd, generation)
        : this.backend.change(fd, bits, fd, generation);
    if (result < 0) {
      this.#failAll(descriptor, direction, result);
      return;
    }
    descriptor.interest = bits;
    this.#watched[fd] = descriptor;
  }

  /** Nobody waits to write any more, and each datagram that leaves the kernel would wake the loop. */
  #unwatchWrites(descriptor: Descriptor): void {
    const { fd, generation } = descriptor;
    descriptor.interest &= ~WRITE;
    if (descriptor.interest !== 0) {
      this.backend.change(fd, descriptor.interest, fd, generation);
      return;
    }
    this.backend.forget(fd);
    this.#watched[fd] = undefined;
  }

  /** The poller refused the descriptor (ENOSPC: epoll(7) max_user_watches; ENOMEM): nobody may wait for ever. */
  #failAll(descriptor: Descriptor, direction: number, result: number): void {
    for (;;) {
      const operation = this.#queues.head(descriptor, direction);
      if (operation === null) return;
      this.#take(descriptor, direction, operation);
      operation.settle(result);
    }
  }

  #wake(): void {
    Engine.look(this);
    const events = this.#events;
    const count = this.backend.take(events);
    this.credit = TURN_CREDIT;
    for (let at = 0; at < count * EVENT_WORDS; at += EVENT_WORDS) {
      const bits = events[at] as number;
      const descriptor = this.#watched[events[at + 1] as number];
      // Another user of the same number, or nobody: the event was taken before the close.
      if (descriptor === undefined || descriptor.generation !== events[at + 2]) continue;
      if ((bits & END) !== 0) {
        descriptor.ended = true;
        descriptor.failing = true;
        // Before those who read: what is told in the queue is then no error of theirs.
        if (this.#queues.errors) this.#run(descriptor, ERRORS);
      }
      if ((bits & URGENT) !== 0) descriptor.shortReadIsDry = false;
      if ((bits & READ) !== 0) {
        descriptor.readable = true;
        this.#run(descriptor, READ);
      }
      if ((bits & WRITE) !== 0) {
        descriptor.writable = true;
        if (descriptor.writes !== null) this.#run(descriptor, WRITE);
        else if (descriptor.writeNoise && (descriptor.interest & WRITE) !== 0)
          this.#unwatchWrites(descriptor);
      }
    }
  }

  /** Tries what waits, oldest first, until it would wait again or the credit is spent. */
  #run(descriptor: Descriptor, direction: number): void {
    for (;;) {
      const operation = this.#queues.head(descriptor, direction);
      if (operation === null) return;
      if (direction === ERRORS) return this.#runErrors(descriptor);
      if (!this.ready(descriptor, direction)) return;
      if (this.credit <= 0) {
        this.#defer(descriptor);
        return;
      }
      this.credit--;
      let result: number;
      try {
        result = operation.attempt();
      } catch (error) {
        this.#take(descriptor, direction, operation);
        operation.fail(error);
        continue;
      }
      if (result === -EAGAIN) {
        this.dry(descriptor, direction);
        if (this.credit <= 0) this.#defer(descriptor);
        else if (operation.retryMs > 0) this.#startRetry(descriptor, direction, operation);
        return;
      }
      this.#take(descriptor, direction, operation);
      operation.settle(result);
    }
  }

  /** Tries everybody who waits for the error queue once. The first who finds it empty says so, and spares the others a call. */
  #runErrors(descriptor: Descriptor): void {
    this.credit--;
    for (const operation of this.#queues.all(descriptor, ERRORS))
      try {
        const result = operation.attempt();
        if (result !== -EAGAIN && this.#take(descriptor, ERRORS, operation)) operation.settle(result);
      } catch (error) {
        if (this.#take(descriptor, ERRORS, operation)) operation.fail(error);
      }
    // Who stopped because the credit is spent has seen nothing of what an event told, and no other tells it again.
    if (this.credit <= 0 && descriptor.failing && !this.free(descriptor, ERRORS)) this.#defer(descriptor);
  }

  /** Takes an operation off its queue. Whether it was there. */
  #take(descriptor: Descriptor, direction: number, operation: Operation): boolean {
    const waited = this.#queues.remove(descriptor, direction, operation);
    if (waited) this.#unpark(descriptor, operation);
    return waited;
  }

  /** Whatever hangs on an operation that no longer waits is let go. */
  #unpark(descriptor: Descriptor, operation: Operation): void {
    if (descriptor.referenced && --this.#active === 0) this.backend.unref();
    const { guard } = operation;
    if (guard === undefined) return;
    operation.guard = undefined;
    if (guard.timer !== undefined) this.backend.clearTimer(guard.timer);
    if (guard.retry !== undefined) this.backend.clearTimer(guard.retry);
    if (guard.signal !== undefined && guard.onAbort !== undefined) stopListening(guard.signal, guard.onAbort);
  }

  /** Ends a waiting operation with an error. One that does not wait, or does no more, is left alone. */
  cancel<T>(descriptor: Descriptor, direction: number, operation: Operation<T>, reason: unknown): void {
    this.#cancel(descriptor, direction, operation as Operation, reason);
  }

  /** Takes one operation out of its queue and rejects it. What arrived stays in the kernel. */
  #cancel(descriptor: Descriptor, direction: number, operation: Operation, reason: unknown): void {
    const wasHead = this.#queues.head(descriptor, direction) === operation;
    if (!this.#take(descriptor, direction, operation)) return;
    // Who comes next was never tried, and no event may tell him when to.
    if (wasHead && operation.retryMs > 0) {
      this.#makeReady(descriptor, direction);
      this.#defer(descriptor);
    }
    operation.end(reason);
  }

  /** The credit of a new turn, for who blocks the thread: nobody else has work then. */
  renew(): void {
    this.credit = TURN_CREDIT;
  }

  /** The descriptor's operations go on in the next turn of the loop. */
  #defer(descriptor: Descriptor): void {
    if (descriptor.deferred) return;
    // When nothing that waits holds the process, the next turn must not hold it either, and yet come if something else
    // does: the poller is asked to report again what it has reported.
    const { fd, generation, interest } = descriptor;
    if (this.#active === 0 && this.backend.change(fd, interest, fd, generation) === 0) return;
    this.#deferred.add(descriptor);
  }

  #serve(descriptor: Descriptor): void {
    if (descriptor.failing && this.#queues.errors) this.#run(descriptor, ERRORS);
    this.#run(descriptor, READ);
    this.#run(descriptor, WRITE);
  }
}
