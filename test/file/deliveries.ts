// How the same bytes may arrive: in one piece, byte by byte, cut anywhere.

import { random } from "../support/ask-python.ts";

/** Cuts bytes into pieces that arrive one after another. */
export type Delivery = (bytes: Buffer) => Buffer[];

/** Every way that tests deliver in, by name. */
export const deliveries: Readonly<Record<string, Delivery>> = {
  whole: (bytes) => [bytes],
  "byte by byte": (bytes) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
  "at random cuts": (bytes) => {
    const next = random(bytes.length * 7 + 1);
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + 1 + next(7);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  },
};
