// Waiting through the engine for a poller's own descriptor. It knows no selector; the promise of a wait whose time is up
// resolves with false.

import { currentEngine } from "../engine/current.ts";
import { READ } from "../engine/descriptor.ts";
import type { Descriptor } from "../engine/descriptor.ts";
import { FOREVER } from "../engine/engine.ts";
import type { Engine } from "../engine/engine.ts";
import { Call } from "../engine/operation.ts";
import type { Owner } from "../engine/operation.ts";
import { AF_UNSPEC, EAGAIN } from "../constants/index.ts";
import { SocketError, TimeoutError, invalidArgument } from "../socket/errors.ts";

/** setTimeout's longest time, 2^31 - 1 ms; longer is as good as no limit. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** A descriptor of ours under the engine. */
export class Watch implements Owner {
  readonly #engine: Engine = currentEngine();
  readonly #descriptor: Descriptor;

  constructor(fd: number) {
    const kind = {
      engine: this.#engine,
      family: AF_UNSPEC,
      type: 0,
      proto: 0,
      sendFlags: 0,
      messageFlags: 0,
    };
    this.#descriptor = this.#engine.attach(kind, fd, false);
  }

  /**
   * Tries now, and each time that the descriptor becomes readable, until the attempt is no longer -EAGAIN.
   *
   * @param ms  Infinity = no limit, 0 = one attempt.
   * @returns whether there was a result before the time was up.
   */
  async wait(
    syscall: string,
    attempt: () => number,
    ms: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw invalidArgument("options.signal", "an AbortSignal", signal);
    signal?.throwIfAborted();
    const result = attempt();
    if (result >= 0) return true;
    if (result !== -EAGAIN) throw this.failure(syscall, result);
    if (ms === 0) return false;
    this.#engine.dry(this.#descriptor, READ);
    const call = new Call(this, syscall, attempt, () => true);
    const time = ms > TIMEOUT_MS_MAX ? FOREVER : ms;
    try {
      return await this.#engine.park(this.#descriptor, READ, call, time, signal);
    } catch (error) {
      if (error instanceof TimeoutError) return false;
      throw error;
    }
  }

  /** What waits fails with ECANCELED. The descriptor may be closed now. */
  close(): void {
    this.#engine.release(this.#descriptor);
  }

  failure(syscall: string, result: number): Error {
    return new SocketError(syscall, result);
  }

  expiry(syscall: string): Error {
    return new TimeoutError(syscall, 0);
  }
}
