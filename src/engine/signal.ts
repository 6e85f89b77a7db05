// Listening to AbortSignals. A program may well hand one signal ("the server stops") to ten thousand calls that wait. Node
// takes more than ten listeners on one target for a leak, and walks through all of them to add or to remove one. So each
// signal has one listener of ours, for all who wait, as long as somebody does. It knows nothing of who that is.

/** Who waits, by signal, in the order of asking. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

function onAbort(this: AbortSignal): void {
  // One that leaves while the others are called is not called any more.
  for (const listener of waiting.get(this) ?? []) listener();
  waiting.delete(this);
}

/** Calls `listener` when the signal is aborted, until stopListening(). The signal must not be aborted yet. */
export function listen(signal: AbortSignal, listener: () => void): void {
  const listeners = waiting.get(signal);
  if (listeners !== undefined) {
    listeners.add(listener);
    return;
  }
  waiting.set(signal, new Set([listener]));
  signal.addEventListener("abort", onAbort, { once: true });
}

/** The call is over. */
export function stopListening(signal: AbortSignal, listener: () => void): void {
  const listeners = waiting.get(signal);
  if (listeners?.delete(listener) !== true || listeners.size > 0) return;
  waiting.delete(signal);
  signal.removeEventListener("abort", onAbort);
}
