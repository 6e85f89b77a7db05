// What a ping came to: which requests were answered, how long it took, and the lines that tell it, as ping(8) has them.
// Pure: it is told the time.

/** ping(8)'s digits: as many as it takes to see a millionth of a second below ten milliseconds. */
export function formatMs(ms: number): string {
  return ms.toFixed(ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

/** One run's requests and answers. */
export class PingStatistics {
  transmitted = 0;
  received = 0;
  duplicates = 0;
  errors = 0;
  /** The longest time until an answer. */
  maxMs = 0;
  #minMs = Infinity;
  #sumMs = 0;
  #sumSquares = 0;
  /** When each was sent; numbers have 16 bits, so there is an end to it. NaN: it was answered. */
  readonly #sentAt: Map<number, number> = new Map();

  /** A request leaves now. */
  sent(sequence: number, nowMs: number): void {
    this.transmitted++;
    this.#sentAt.set(sequence & 0xffff, nowMs);
  }

  /**
   * A reply came now; how long it took. undefined: a duplicate, or nothing that was asked.
   *
   * @param measuredMs  how long it took by a better clock; one that cannot be is not believed.
   */
  replied(sequence: number, nowMs: number, measuredMs: number = Infinity): number | undefined {
    const sentAt = this.#sentAt.get(sequence);
    if (sentAt === undefined) return undefined;
    if (Number.isNaN(sentAt)) {
      this.duplicates++;
      return undefined;
    }
    this.#sentAt.set(sequence, NaN);
    const most = nowMs - sentAt;
    const ms = measuredMs >= 0 && measuredMs <= most ? measuredMs : most;
    this.received++;
    this.#minMs = Math.min(this.#minMs, ms);
    this.maxMs = Math.max(this.maxMs, ms);
    this.#sumMs += ms;
    this.#sumSquares += ms * ms;
    return ms;
  }

  /** The end, in ping(8)'s words. */
  lines(host: string, totalMs: number): string[] {
    const { duplicates, errors, received, transmitted } = this;
    const lost = transmitted === 0 ? 0 : ((transmitted - received) * 100) / transmitted;
    const counts = [
      `${transmitted} packets transmitted`,
      `${received} received`,
      ...(duplicates > 0 ? [`+${duplicates} duplicates`] : []),
      ...(errors > 0 ? [`+${errors} errors`] : []),
      `${Number(lost.toPrecision(6))}% packet loss`,
      `time ${Math.round(totalMs)}ms`,
    ];
    const lines = [`--- ${host} ping statistics ---`, counts.join(", ")];
    if (received > 0) {
      const average = this.#sumMs / received;
      const deviation = Math.sqrt(Math.max(0, this.#sumSquares / received - average * average));
      const times = [this.#minMs, average, this.maxMs, deviation].map((ms) => ms.toFixed(3));
      lines.push(`rtt min/avg/max/mdev = ${times.join("/")} ms`);
    }
    return lines;
  }
}
