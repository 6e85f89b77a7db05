// Values made of a few bytes, each made once: the addresses of peers that were seen before, so that a datagram of theirs
// makes no new string and no new tuple. One slot for each hash, the newest wins: it never grows, and a peer that invents
// addresses only makes it forget. It knows bytes, and nothing of what is made of them.

import { LITTLE_ENDIAN } from "../address/view.ts";

const SLOT_BITS = 10;
/** Values kept at most. Our own choice: a server hears from few hundred peers between two of the same; some 200 bytes each. */
export const KNOWN_MAX: number = 1 << SLOT_BITS;

/** Of a last word, the bytes that count: index = how many. */
const MASKS: readonly number[] = [0, 1, 2, 3].map((bytes) =>
  LITTLE_ENDIAN ? (1 << (8 * bytes)) - 1 : ~((1 << (8 * (4 - bytes))) - 1),
);

/** Values by the bytes that they are made of. */
export class Known<T> {
  readonly #keys: (Uint32Array | undefined)[] = new Array<Uint32Array | undefined>(KNOWN_MAX).fill(undefined);
  readonly #lengths: Uint8Array = new Uint8Array(KNOWN_MAX);
  readonly #values: (T | undefined)[] = new Array<T | undefined>(KNOWN_MAX).fill(undefined);

  /** What was made of these bytes, if it is still kept. `at` counts words; at most 255 bytes. */
  find(words: Uint32Array, at: number, bytes: number): T | undefined {
    const slot = slotOf(words, at, bytes);
    const key = this.#keys[slot];
    if (key === undefined || this.#lengths[slot] !== bytes) return undefined;
    const whole = bytes >> 2;
    for (let i = 0; i < whole; i++) if (key[i] !== words[at + i]) return undefined;
    const mask = MASKS[bytes & 3] as number;
    if (mask !== 0 && (((key[whole] as number) ^ (words[at + whole] as number)) & mask) !== 0)
      return undefined;
    return this.#values[slot];
  }

  /** Keeps what was made of these bytes in place of what was there. */
  keep(words: Uint32Array, at: number, bytes: number, value: T): T {
    const slot = slotOf(words, at, bytes);
    this.#keys[slot] = words.slice(at, at + ((bytes + 3) >> 2));
    this.#lengths[slot] = bytes;
    return (this.#values[slot] = value);
  }
}

function slotOf(words: Uint32Array, at: number, bytes: number): number {
  let hash = bytes;
  const whole = at + (bytes >> 2);
  for (let i = at; i < whole; i++) hash = mixed(hash, words[i] as number);
  const mask = MASKS[bytes & 3] as number;
  if (mask !== 0) hash = mixed(hash, (words[whole] as number) & mask);
  return hash >>> (32 - SLOT_BITS);
}

function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}
