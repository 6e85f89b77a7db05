// One direction of a stream between two simulated hosts: bytes in pieces, each sent until it arrives, put in a row again,
// and never more of them under way than the receiver has room for. It knows paths and no sockets.

import type { Path } from "./path.ts";

/** Headers of IP and TCP without options. */
export const HEADER_BYTES = 40;
/** What one piece carries: a burst that a real system would send in one go (GSO), so that a simulation has few events. */
const PIECE_BYTES_MAX = 16_384;
/** Of a full buffer so much must be free before it is called writable again, as Linux does. */
const WRITABLE_PART = 1 / 3;

/** What a flow tells its two ends. */
export interface FlowEnds {
  /** Whether the receiver's host is up. */
  reachable(): boolean;
  /** To the receiver: bytes have come. */
  onBytes(bytes: Buffer): void;
  /** To the receiver: the sender has ended. */
  onEnd(): void;
  /** To the sender: there is room again. */
  onRoom(): void;
  /** To the sender: everything, and the end, has arrived. */
  onFinished(): void;
  /** To the sender: the receiver does not answer any more. */
  onLost(): void;
}

/** Undefined bytes: the end. */
interface Piece {
  readonly sequence: number;
  readonly bytes: Buffer | undefined;
}

/** One direction of a stream. */
export class Flow {
  readonly #there: Path;
  readonly #back: Path;
  readonly #sendBytesMax: number;
  readonly #receiveBytesMax: number;
  readonly #ends: FlowEnds;
  #waiting: Buffer[] = [];
  /** Written and not confirmed yet. */
  #unconfirmed = 0;
  /** What the receiver has room for, as far as the sender knows. */
  #window: number;
  /** Read by the receiver and not told to the sender yet. */
  #consumed = 0;
  #sequence = 0;
  #expected = 0;
  readonly #early = new Map<number, Piece>();
  #full = false;
  #ended = false;
  #endSent = false;
  #dead = false;

  /** `sendBytesMax` and `receiveBytesMax` are SO_SNDBUF of the sender and SO_RCVBUF of the receiver. */
  constructor(there: Path, back: Path, sendBytesMax: number, receiveBytesMax: number, ends: FlowEnds) {
    this.#there = there;
    this.#back = back;
    this.#sendBytesMax = sendBytesMax;
    this.#receiveBytesMax = receiveBytesMax;
    this.#window = receiveBytesMax;
    this.#ends = ends;
  }

  /** Whether the sender may write. */
  get writable(): boolean {
    return !this.#full;
  }

  /** Copies as much as there is room for; how much. */
  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#sendBytesMax - this.#unconfirmed);
    if (count < bytes.length) this.#full = true;
    if (count <= 0) return 0;
    this.#waiting.push(Buffer.from(bytes.subarray(0, count)));
    this.#unconfirmed += count;
    this.#pump();
    return count;
  }

  /** The sender has nothing more to say. */
  end(): void {
    this.#ended = true;
    this.#pump();
  }

  /** Nothing of it is sent, delivered or told any more. */
  kill(): void {
    this.#dead = true;
    this.#waiting = [];
    this.#early.clear();
  }

  /** The receiving program has taken so many bytes; `empty`: all that there were. */
  consumed(count: number, empty: boolean): void {
    this.#consumed += count;
    if (this.#dead || (!empty && this.#consumed < this.#receiveBytesMax / 4)) return;
    const opened = this.#consumed;
    this.#consumed = 0;
    this.#answer(() => {
      this.#window += opened;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#dead) return;
    while (this.#window > 0) {
      const first = this.#waiting[0];
      if (first === undefined) break;
      const size = Math.min(first.length, this.#window, PIECE_BYTES_MAX);
      if (size === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(size);
      this.#window -= size;
      this.#send(first.subarray(0, size));
    }
    if (!this.#ended || this.#endSent || this.#waiting.length > 0) return;
    this.#endSent = true;
    this.#send(undefined);
  }

  #send(bytes: Buffer | undefined): void {
    const piece: Piece = { sequence: this.#sequence++, bytes };
    this.#there.reliable(
      HEADER_BYTES + (bytes?.length ?? 0),
      false,
      () => this.#arrive(piece),
      () => this.#lost(),
    );
  }

  #arrive(piece: Piece): boolean {
    if (this.#dead) return true;
    if (!this.#ends.reachable()) return false;
    this.#early.set(piece.sequence, piece);
    for (;;) {
      const next = this.#early.get(this.#expected);
      if (next === undefined) return true;
      this.#early.delete(this.#expected++);
      if (next.bytes === undefined) {
        this.#answer(() => this.#ends.onFinished());
        this.#ends.onEnd();
      } else {
        const { bytes } = next;
        this.#answer(() => this.#confirm(bytes.length));
        this.#ends.onBytes(bytes);
      }
    }
  }

  #confirm(count: number): void {
    this.#unconfirmed -= count;
    if (!this.#full || this.#sendBytesMax - this.#unconfirmed < this.#sendBytesMax * WRITABLE_PART) return;
    this.#full = false;
    this.#ends.onRoom();
  }

  /** From the receiver to the sender. */
  #answer(act: () => void): void {
    this.#back.reliable(
      HEADER_BYTES,
      false,
      () => {
        if (!this.#dead) act();
        return true;
      },
      () => this.#lost(),
    );
  }

  #lost(): void {
    if (!this.#dead) this.#ends.onLost();
  }
}
