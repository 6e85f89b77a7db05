// Who uses a batch while a call waits: one call at a time, and nobody changes it meanwhile. It knows no socket.

import { invalidState } from "../errors.ts";

/** Held by the one call that waits with a batch. */
export class Claim {
  readonly #name: string;
  #held = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** @throws {TypeError} ERR_INVALID_STATE: a call waits with it. */
  check(): void {
    if (this.#held) throw invalidState(`${this.#name} is in use: a call waits with it`);
  }

  take(): void {
    this.check();
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }
}
