// Who waits on a descriptor, in which direction, oldest first. It knows neither readiness nor time: it keeps lists.
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

  /** The first of a queue. */
  head(descriptor: Descriptor, direction: number): Operation | null {
    if (direction === READ) return descriptor.reads;
    return direction === WRITE ? descriptor.writes : (this.#errors.get(descriptor) ?? null);
  }

  /** Replaces a queue by what begins with this operation. */
  setHead(descriptor: Descriptor, direction: number, operation: Operation | null): void {
    if (direction === READ) descriptor.reads = operation;
    else if (direction === WRITE) descriptor.writes = operation;
    else if (operation === null) this.#errors.delete(descriptor);
    else this.#errors.set(descriptor, operation);
  }

  /** Puts an operation behind those that are there. */
  append(descriptor: Descriptor, direction: number, operation: Operation): void {
    let last = this.head(descriptor, direction);
    if (last === null) return this.setHead(descriptor, direction, operation);
    while (last.next !== null) last = last.next;
    last.next = operation;
  }

  /** Takes an operation out, wherever it stands. Whether it was there. Its own `next` stays as it is. */
  remove(descriptor: Descriptor, direction: number, operation: Operation): boolean {
    let before = this.head(descriptor, direction);
    if (before === operation) {
      this.setHead(descriptor, direction, operation.next);
      return true;
    }
    while (before !== null && before.next !== operation) before = before.next;
    if (before === null) return false;
    before.next = operation.next;
    return true;
  }

  /** How many wait on a descriptor. */
  count(descriptor: Descriptor): number {
    let count = 0;
    for (const direction of [READ, WRITE, ERRORS])
      for (let at = this.head(descriptor, direction); at !== null; at = at.next) count++;
    return count;
  }
}
