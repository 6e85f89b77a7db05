// Calls that wait for the next turn of the loop because this one's credit is spent (engine.ts), in the order of asking. It
// knows how they are made, and which descriptors they are for: no later call on one of these may pass them. What waits for
// the kernel is not its business.

import type { Descriptor } from "./descriptor.ts";
import type { Engine } from "./engine.ts";
import type { Operation } from "./operation.ts";
import { ECANCELED } from "../constants/index.ts";

interface Call {
  readonly make: () => void;
  readonly descriptor?: Descriptor;
  readonly operation?: Operation;
}

/** The postponed calls of an engine. */
export class Postponed {
  readonly #engine: Engine;
  #calls: Call[] = [];
  /** The descriptors of these. */
  #descriptors: Set<Descriptor> = new Set();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Whether there are any. */
  get any(): boolean {
    return this.#calls.length > 0;
  }

  /** Whether there are any for this descriptor. */
  holds(descriptor: Descriptor): boolean {
    return this.any && this.#descriptors.has(descriptor);
  }

  /** Calls back in the next turn, whose credit is new, or as soon as credit is left. */
  add(make: () => void): void {
    this.#push({ make });
  }

  /** As add(), for an operation: `make` settles it, or the close of its descriptor does. */
  operation<T>(descriptor: Descriptor, operation: Operation<T>, make: () => void): Promise<T> {
    const promise = operation.promise();
    this.#descriptors.add(descriptor);
    this.#push({ make, descriptor, operation: operation as Operation });
    return promise;
  }

  /** The descriptor is closed or given away: what waited to be made for it fails with ECANCELED. */
  release(descriptor: Descriptor): void {
    if (!this.holds(descriptor)) return;
    const released = this.#calls.filter((call) => call.descriptor === descriptor);
    this.#calls = this.#calls.filter((call) => call.descriptor !== descriptor);
    this.#descriptors.delete(descriptor);
    for (const { operation } of released) operation?.settle(-ECANCELED);
  }

  #push(call: Call): void {
    if (this.#calls.push(call) === 1) this.#engine.backend.nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    const engine = this.#engine;
    const calls = this.#calls;
    engine.renew();
    let done = 0;
    while (done < calls.length && engine.credit > 0) (calls[done++] as Call).make();
    // Nothing of the program's runs in between: what it asks for meanwhile comes behind these.
    this.#calls = calls.slice(done);
    this.#descriptors = new Set(this.#calls.flatMap(({ descriptor }) => descriptor ?? []));
    if (this.any) engine.backend.nextTurn(this.#turn);
  };
}
