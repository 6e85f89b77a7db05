// Listening to AbortSignals. A program may well hand one signal ("the server stops") to thousands of calls that wait;
// Node takes more than ten listeners on one target for a leak and warns. Here each listener is taken off again when its
// call is over, so the limit is lifted.

import { getMaxListeners, setMaxListeners } from "node:events";

/** Calls `listener` when the signal is aborted, until stopListening(). The signal must not be aborted yet. */
export function listen(signal: AbortSignal, listener: () => void): void {
  if (getMaxListeners(signal) !== Infinity) setMaxListeners(Infinity, signal);
  signal.addEventListener("abort", listener, { once: true });
}

/** The call is over. */
export function stopListening(signal: AbortSignal, listener: () => void): void {
  signal.removeEventListener("abort", listener);
}
