// What flags of a call say about its waiting: which of them make it fail with EAGAIN instead. It knows flags and nothing
// of what is sent or received.

import { ASKS_ASIDE, ASKS_ONCE, WAITS } from "../engine/operation.ts";
import { MSG_DONTWAIT, MSG_ERRQUEUE, MSG_OOB } from "../constants/index.ts";

const bit = (flag: number): number => (flag > 0 ? flag : 0);

/** recv(2): the error queue and urgent data are never waited for, and have nothing to do with those who wait for data. */
const ASIDE = bit(MSG_ERRQUEUE) | bit(MSG_OOB);
const ONCE = bit(MSG_DONTWAIT);

/** How a receive with these flags takes EAGAIN. */
export function receiveManner(flags: number): number {
  if ((flags & ASIDE) !== 0) return ASKS_ASIDE;
  return (flags & ONCE) !== 0 ? ASKS_ONCE : WAITS;
}

/** How a send with these flags takes EAGAIN. */
export function sendManner(flags: number): number {
  return (flags & ONCE) !== 0 ? ASKS_ONCE : WAITS;
}
