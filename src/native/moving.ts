// The calls of native/moving.c, as a type, to the same contract as calls.ts: a number >= 0, or -errno. Where the system
// has none of them they say -ENOSYS, and so may another implementation of SocketCalls.

/** Bytes that move inside the kernel. */
export interface MovingCalls {
  /** From `offset` of a file on; its own position stays. 0: the file's end. -EINVAL: no file that this can be done with. */
  sendfile(fd: number, file: number, offset: number, count: number): number;
  /** Between a socket and a pipe. 0: the end. -EAGAIN: nothing is here, or no room there. */
  splice(from: number, to: number, count: number): number;
  /** Two i32 in `pair`: the reading and the writing end, non-blocking, close-on-exec and this thread's until disown(). */
  pipe(pair: Int32Array): number;
  /** Asks for so many bytes of room; how many there are. -EPERM: over the user's limit. */
  set_pipe_size(fd: number, size: number): number;
  read(fd: number, into: Uint8Array, offset: number, length: number): number;
}
