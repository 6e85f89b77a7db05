// Edge-triggered readiness of simulated descriptors, as epoll(7) tells it: what is ready when somebody begins to watch,
// then each change. It knows no sockets, only bits.

import { END } from "../../engine/descriptor.ts";
import { EVENT_WORDS } from "../../engine/backend.ts";

interface Watch {
  bits: number;
  readonly index: number;
  readonly generation: number;
  /** What is to be told. */
  pending: number;
}

/** Who watches what, and what is to be told. */
export class Readiness {
  readonly #watches = new Map<number, Watch>();
  readonly #queue: Watch[] = [];

  /** Whether there are events to take. */
  get pending(): boolean {
    return this.#queue.length > 0;
  }

  /** Begins to watch, or goes on with other bits; `ready` is told at once. */
  watch(fd: number, bits: number, index: number, generation: number, ready: number): void {
    const known = this.#watches.get(fd);
    if (known !== undefined && known.generation === generation) known.bits = bits;
    else this.#watches.set(fd, { bits, index, generation, pending: 0 });
    this.tell(fd, ready);
  }

  /** What was not taken yet is not told any more. */
  forget(fd: number): void {
    const watch = this.#watches.get(fd);
    if (watch === undefined) return;
    this.#watches.delete(fd);
    const at = this.#queue.indexOf(watch);
    if (at !== -1) this.#queue.splice(at, 1);
  }

  /** These bits became true. */
  tell(fd: number, bits: number): void {
    const watch = this.#watches.get(fd);
    if (watch === undefined) return;
    const wanted = bits & (watch.bits | END);
    if (wanted === 0) return;
    if (watch.pending === 0) this.#queue.push(watch);
    watch.pending |= wanted;
  }

  /** Moves as many events as fit into `events`; how many. */
  take(events: Uint32Array): number {
    const taken = this.#queue.splice(0, Math.floor(events.length / EVENT_WORDS));
    taken.forEach((watch, at) => {
      events.set([watch.pending, watch.index, watch.generation], at * EVENT_WORDS);
      watch.pending = 0;
    });
    return taken.length;
  }
}
