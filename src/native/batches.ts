// The calls of native/batches.c, as a type, to the same contract as calls.ts: a number >= 0, or -errno, and nothing
// waits. Both take their messages in a few views; how these are laid out is here. A system that has no such calls
// answers -ENOSYS.

/** Messages that one call takes at most: UIO_MAXIOV of Linux, recvmmsg(2). More is -EINVAL. */
export const BATCH_MESSAGES_MAX = 1024;

/** u32 of an entry that recvmmsg fills: a message view (messages.ts), then the datagram's length. */
export const RECEIVED_WORDS = 36;
/** Where in it the address's length lies, in u32. */
export const RECEIVED_NAME_LENGTH = 32;
/** Where msg_flags. */
export const RECEIVED_FLAGS = 33;
/** Where the length of the control data. */
export const RECEIVED_CONTROL_LENGTH = 34;
/** Where the datagram's length; with MSG_TRUNC asked for the whole one, which may be more than there was room for. */
export const RECEIVED_LENGTH = 35;

/** u32 of an entry for sendmmsg: offset and length of the bytes, of the address, of the control data. */
export const OUTGOING_WORDS = 6;

/** Many messages in one call. */
export interface BatchCalls {
  /**
   * Message i gets `size` bytes of `data` from `i * size` on, `controlSize` of `control` likewise, and entry i of
   * `headers`. How many came. Received descriptors are as those of recvmsg; where they cannot be kept, the message has
   * no control data and MSG_CTRUNC.
   */
  recvmmsg(
    fd: number,
    data: Uint8Array,
    size: number,
    headers: Uint32Array,
    control: Uint8Array,
    controlSize: number,
    count: number,
    flags: number,
  ): number;
  /** How many went, whole; the error of one that is not the first is lost (sendmmsg(2)). */
  sendmmsg(
    fd: number,
    data: Uint8Array,
    names: Uint8Array,
    control: Uint8Array,
    messages: Uint32Array,
    count: number,
    flags: number,
  ): number;
}
