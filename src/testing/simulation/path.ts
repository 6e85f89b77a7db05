// The way from one host to another, in one direction: how long a packet takes, whether it arrives, and how often one that
// must arrive is sent again. It knows neither sockets nor addresses.

import type { VirtualClock } from "./clock.ts";
import type { SeededRandom } from "./random.ts";

/** What a link does to packets. */
export interface LinkConditions {
  /** From one end to the other. Default 1 ms; 0.01 ms inside of a host. */
  latencyMs: number;
  /** Added at random, up to so much: datagrams overtake each other. Default 0. */
  jitterMs: number;
  /** Bytes per second of each direction; default Infinity. */
  bytesPerSecond: number;
  /** How probable it is that a packet is lost, 0 to 1. Streams send it again; datagrams are gone. Default 0. */
  loss: number;
  /** How probable it is that a datagram arrives twice, 0 to 1. Default 0. */
  duplication: number;
}

/** RFC 6298 section 2: the first wait for an answer before a packet is sent again, and Linux's least (tcp(7)). */
const HANDSHAKE_RETRY_MS = 1000;
const RETRY_MS = 200;
const RETRY_MS_MAX = 120_000;
/** tcp(7): tcp_syn_retries and tcp_retries2, after which a connection is given up (ETIMEDOUT). */
const HANDSHAKE_RETRIES = 6;
const RETRIES = 15;

/** One direction between two hosts. */
export class Path {
  readonly conditions: LinkConditions;
  /** Nothing gets through: a partition. */
  cut = false;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  /** When the last packet has left the sender. */
  #freeAt = 0;

  constructor(clock: VirtualClock, random: SeededRandom, conditions: LinkConditions) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = conditions;
  }

  /** Sends a packet once. `arrive` may never be called, or twice if it may be duplicated. */
  datagram(bytes: number, arrive: () => void): void {
    const { duplication } = this.conditions;
    const copies = this.#random.chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#once(bytes, arrive, () => undefined);
  }

  /**
   * Sends a packet until it arrives.
   *
   * @param arrive  called when it has arrived; false: nobody takes it now, as if it had been lost.
   * @param giveUp  called instead when it was sent as often as tcp(7) allows.
   */
  reliable(bytes: number, handshake: boolean, arrive: () => boolean, giveUp: () => void): void {
    let left = handshake ? HANDSHAKE_RETRIES : RETRIES;
    let wait = handshake ? HANDSHAKE_RETRY_MS : RETRY_MS;
    const again = (): void => {
      this.#clock.after(wait, () => {
        if (left-- === 0) giveUp();
        else attempt();
      });
      wait = Math.min(wait * 2, RETRY_MS_MAX);
    };
    const attempt = (): void =>
      this.#once(
        bytes,
        () => {
          if (!arrive()) again();
        },
        again,
      );
    attempt();
  }

  #once(bytes: number, arrive: () => void, lost: () => void): void {
    const { bytesPerSecond, jitterMs, latencyMs, loss } = this.conditions;
    const begins = Math.max(this.#freeAt, this.#clock.now);
    this.#freeAt = begins + (bytes / bytesPerSecond) * 1000;
    const jitter = jitterMs > 0 ? this.#random.fraction() * jitterMs : 0;
    const gone = this.#random.chance(loss);
    const ms = this.#freeAt - this.#clock.now + latencyMs + jitter;
    this.#clock.after(ms, () => {
      if (gone || this.cut) lost();
      else arrive();
    });
  }
}
