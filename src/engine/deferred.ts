// Descriptors whose operations could go on and wait for the next turn of the loop, because this one's credit is spent
// (engine.ts). It knows in which order they have their turns, and nothing of what is done in one.
//
// Why who had no turn comes first. One that always has something to do asks for another turn in the middle of its own:
// behind it nobody would ever have one.

import type { Descriptor } from "./descriptor.ts";
import type { Engine } from "./engine.ts";

/** The descriptors of an engine that wait for the next turn. */
export class Deferred {
  readonly #engine: Engine;
  readonly #serve: (descriptor: Descriptor) => void;
  #descriptors: Descriptor[] = [];

  /** @param serve  lets a descriptor's operations go on while there is credit. */
  constructor(engine: Engine, serve: (descriptor: Descriptor) => void) {
    this.#engine = engine;
    this.#serve = serve;
  }

  /** The descriptor has a turn, behind those that wait for one. */
  add(descriptor: Descriptor): void {
    descriptor.deferred = true;
    if (this.#descriptors.push(descriptor) === 1) this.#engine.backend.nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    const engine = this.#engine;
    const descriptors = this.#descriptors;
    this.#descriptors = [];
    engine.renew();
    let served = 0;
    while (served < descriptors.length && engine.credit > 0) {
      const descriptor = descriptors[served++] as Descriptor;
      descriptor.deferred = false;
      this.#serve(descriptor);
    }
    if (served === descriptors.length) return;
    const again = this.#descriptors;
    this.#descriptors = [...descriptors.slice(served), ...again];
    if (again.length === 0) engine.backend.nextTurn(this.#turn);
  };
}
