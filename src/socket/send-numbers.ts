// The numbers that the kernel gives to calls with MSG_ZEROCOPY, and says when it has read their memory: from 0 on, one for
// each call that has sent something, while SO_ZEROCOPY is set (msg_zerocopy.rst). It tells nobody, so they are counted
// here, those of the program's own calls too. What the numbers are for, it does not know.

import type { Descriptor } from "../engine/descriptor.ts";
import { SOL_SOCKET, SO_ZEROCOPY } from "../constants/index.ts";

const numbers = new WeakMap<Descriptor, number>();
const answer = new Uint8Array(4);

/** The number of a call that has sent something just now. */
export function numberOfSend(descriptor: Descriptor): number {
  const number = numbers.get(descriptor) ?? 0;
  numbers.set(descriptor, (number + 1) >>> 0);
  return number;
}

/** Counts such a call of the program's own. */
export function countSend(descriptor: Descriptor): void {
  const { calls } = descriptor.kind.engine.backend;
  answer.fill(0);
  const result = calls.getsockopt(descriptor.fd, SOL_SOCKET, SO_ZEROCOPY, answer, 0, answer.length);
  if (result >= 0 && answer.some((byte) => byte !== 0)) numberOfSend(descriptor);
}
