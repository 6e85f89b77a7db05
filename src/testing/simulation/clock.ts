// Virtual time: what is to happen when, in order. Time stands still until somebody takes the next event. It knows no
// network.

/** Something that is to happen. */
export interface Scheduled {
  readonly at: number;
  readonly sequence: number;
  /** Undefined once it has happened or was taken back. */
  run: (() => void) | undefined;
}

/** A clock that is moved by its events. */
export class VirtualClock {
  /** Milliseconds since the beginning. */
  now = 0;
  #sequence = 0;
  /** How many are still to happen. */
  #pending = 0;
  /** A binary heap: the earliest first; of one moment, the one that was asked for first. */
  readonly #heap: Scheduled[] = [];

  /** Calls `run` when `ms` have passed. */
  after(ms: number, run: () => void): Scheduled {
    const event: Scheduled = { at: this.now + Math.max(0, ms), sequence: this.#sequence++, run };
    this.#pending++;
    this.#push(event);
    return event;
  }

  /** Takes an event back. One that has happened is left alone. */
  cancel(event: Scheduled): void {
    if (event.run === undefined) return;
    event.run = undefined;
    this.#pending--;
  }

  /** Moves to the next event and lets it happen; false: there is none. */
  step(): boolean {
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return false;
      const { run } = event;
      if (run === undefined) continue;
      event.run = undefined;
      this.#pending--;
      this.now = event.at;
      run();
      return true;
    }
  }

  /** How many events are to come. */
  get pending(): number {
    return this.#pending;
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!earlier(event, heap[parent] as Scheduled)) break;
      heap[at] = heap[parent] as Scheduled;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child++;
      if (!earlier(heap[child] as Scheduled, last)) break;
      heap[at] = heap[child] as Scheduled;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function earlier(a: Scheduled, b: Scheduled): boolean {
  return a.at !== b.at ? a.at < b.at : a.sequence < b.sequence;
}
