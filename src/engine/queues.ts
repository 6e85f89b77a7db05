// Who waits on a descriptor, in which direction, oldest first. It knows neither readiness nor time: it keeps lists.
//
// Why rings. A program that sends without waiting to a peer that does not read has ten thousand operations in one queue,
// and looking for its end each time would cost more than all else. A descriptor has one field for each direction, because
// it is one of many idle connections: it holds the youngest, whose `next` is the oldest. One that waits alone has no next,
// for it lies in an idle connection too.
//
// Why those who wait for the error queue are kept apart. They are few, and a field for them would lie in every idle
// connection.

import { READ, WRITE, ERRORS } from "./descriptor.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Operation } from "./operation.ts";

/** The queues of all descriptors of an engine. */
export class Queues {
  readonly #errors: Map<Descriptor, Operation> = new Map();

  /** Whether anybody waits for the error queue of any descriptor. */
  get errors(): boolean {
    return this.#errors.size > 0;
  }

  /** The oldest of a queue. */
  head(descriptor: Descriptor, direction: number): Operation | null {
    const last = this.#last(descriptor, direction);
    return last === null ? null : (last.next ?? last);
  }

  /** Puts an operation behind those that are there. */
  append(descriptor: Descriptor, direction: number, operation: Operation): void {
    const last = this.#last(descriptor, direction);
    if (last !== null) {
      operation.next = last.next ?? last;
      last.next = operation;
    }
    this.#setLast(descriptor, direction, operation);
  }

  /** Takes an operation out, wherever it stands. Whether it was there. */
  remove(descriptor: Descriptor, direction: number, operation: Operation): boolean {
    const last = this.#last(descriptor, direction);
    if (last === null) return false;
    if (last.next === null) {
      if (last === operation) this.#setLast(descriptor, direction, null);
      return last === operation;
    }
    let before = last;
    while (before.next !== operation) {
      before = before.next as Operation;
      if (before === last) return false;
    }
    before.next = operation.next === before ? null : operation.next;
    if (operation === last) this.#setLast(descriptor, direction, before);
    operation.next = null;
    return true;
  }

  /** All of a queue, oldest first. */
  all(descriptor: Descriptor, direction: number): Operation[] {
    const found: Operation[] = [];
    const head = this.head(descriptor, direction);
    for (let at = head; at !== null; at = at.next === head ? null : at.next) found.push(at);
    return found;
  }

  #last(descriptor: Descriptor, direction: number): Operation | null {
    if (direction === READ) return descriptor.reads;
    return direction === WRITE ? descriptor.writes : (this.#errors.get(descriptor) ?? null);
  }

  #setLast(descriptor: Descriptor, direction: number, operation: Operation | null): void {
    if (direction === READ) descriptor.reads = operation;
    else if (direction === WRITE) descriptor.writes = operation;
    else if (operation === null) this.#errors.delete(descriptor);
    else this.#errors.set(descriptor, operation);
  }

  /** How many wait on a descriptor. */
  count(descriptor: Descriptor): number {
    return [READ, WRITE, ERRORS].reduce(
      (count, direction) => count + this.all(descriptor, direction).length,
      0,
    );
  }
}
