// What a server counts. One number a counter, in memory that may be shared with another thread: there is one writer, the
// thread of the server, and whoever reads finds each number as it was at some moment not long ago.

/** Where each lies in memory. */
const PLACES = {
  accepted: 0,
  active: 1,
  finished: 2,
  failed: 3,
  timedOut: 4,
  aborted: 5,
  refused: 6,
  bytesReceived: 7,
  bytesSent: 8,
} as const;

/** The name of a counter. */
export type CounterName = keyof typeof PLACES;

/** Numbers of a server since it began. `accepted` is the sum of the six below it. */
export interface ServerStats {
  /** Connections taken from the kernel's queue. */
  readonly accepted: number;
  /** Handlers that run now. */
  readonly active: number;
  /** Handlers that returned. */
  readonly finished: number;
  /** Handlers that threw. */
  readonly failed: number;
  /** Connections ended by a timeout. */
  readonly timedOut: number;
  /** Connections ended because the server stopped. */
  readonly aborted: number;
  /** Connections that were not let in. */
  readonly refused: number;
  /** Bytes that handlers received. */
  readonly bytesReceived: number;
  /** Bytes of handlers that were sent. */
  readonly bytesSent: number;
}

/** Bytes that the counters of one server take. */
export const COUNTERS_BYTES: number = Object.keys(PLACES).length * Float64Array.BYTES_PER_ELEMENT;

/** The counters of one server. */
export class Counters {
  readonly #numbers: Float64Array;

  /** @param memory  COUNTERS_BYTES of it, zero; default: its own. */
  constructor(memory: ArrayBufferLike = new ArrayBuffer(COUNTERS_BYTES)) {
    this.#numbers = new Float64Array(memory);
  }

  add(name: CounterName, count: number = 1): void {
    const at = PLACES[name];
    this.#numbers[at] = (this.#numbers[at] as number) + count;
  }

  read(): ServerStats {
    const of = (name: CounterName): number => this.#numbers[PLACES[name]] as number;
    return {
      accepted: of("accepted"),
      active: of("active"),
      finished: of("finished"),
      failed: of("failed"),
      timedOut: of("timedOut"),
      aborted: of("aborted"),
      refused: of("refused"),
      bytesReceived: of("bytesReceived"),
      bytesSent: of("bytesSent"),
    };
  }
}
