// What flags of a call say about its waiting: which of them make it fail with EAGAIN instead; and the flags that every send
// and every receive of messages has. It knows flags and nothing of what is sent or received.

import { ASKS_ASIDE, ASKS_ONCE, WAITS } from "../engine/operation.ts";
import {
  AF_AX25,
  AF_NETROM,
  AF_QIPCRTR,
  AF_RDS,
  AF_ROSE,
  AF_X25,
  AF_UNIX,
  MSG_CMSG_CLOEXEC,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_OOB,
} from "../constants/index.ts";

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

/**
 * Families whose sendmsg in the kernel refuses every flag that it has no use for, MSG_NOSIGNAL among them, with EINVAL or
 * EOPNOTSUPP. They raise no SIGPIPE.
 */
const REFUSES_NOSIGNAL: ReadonlySet<number> = new Set([
  AF_AX25,
  AF_NETROM,
  AF_QIPCRTR,
  AF_RDS,
  AF_ROSE,
  AF_X25,
]);

/** The flags that every send of a family has: it raises no SIGPIPE, which Node ignores only while nobody listens to it. */
export function sendFlagsOf(family: number): number {
  return REFUSES_NOSIGNAL.has(family) ? 0 : bit(MSG_NOSIGNAL);
}

/**
 * The flags that every receive with control data has: descriptors are close-on-exec from the first moment on. Only Unix
 * sockets bring any; packet sockets and some of CAN refuse a flag that they have no use for, with EINVAL.
 */
export function messageFlagsOf(family: number): number {
  return family === AF_UNIX ? bit(MSG_CMSG_CLOEXEC) : 0;
}
