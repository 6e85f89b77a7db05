// The calls of native/polling.c, as a type: those that wait on the calling thread. Their time is in milliseconds; a
// signal ends them with -EINTR.

/** Waiting on the calling thread. Numbers >= 0, or -errno. */
export interface PollingCalls {
  /** `fds`: struct pollfd for each descriptor: int32 fd, int16 events, int16 revents. How many are ready. */
  poll(fds: ArrayBufferView, ms: number): number;
  /** The sets: FD_SETSIZE bits each, bit N of byte N >> 3. `count`: the highest descriptor and one. */
  select(count: number, read: Uint8Array, write: Uint8Array, except: Uint8Array, ms: number): number;
}
