// The calls of native/messages.c, as a type, to the same contract as calls.ts: a number >= 0, or -errno, and nothing
// waits. Control data is bytes; the layout of a message view is here.

/** What recvmsg fills: an address view (calls.ts) that goes on with msg_flags at 132 and the length of the control data at 136. */
export type MessageView = Uint8Array;

/** Bytes of a message view. */
export const MESSAGE_VIEW_BYTES = 140;
/** Where msg_flags lies in it, a u32. */
export const MESSAGE_FLAGS_AT = 132;
/** Where the length of the received control data lies in it, a u32. */
export const MESSAGE_CONTROL_AT = 136;

/** Datagrams with their addresses, scattered and gathered bytes, ancillary data. */
export interface MessageCalls {
  recvfrom(
    fd: number,
    into: ArrayBufferView,
    offset: number,
    length: number,
    flags: number,
    address: Uint8Array,
  ): number;
  sendto(
    fd: number,
    from: ArrayBufferView,
    offset: number,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ): number;
  /** At most 1024 views, else -EMSGSIZE. Received descriptors are close-on-exec and this thread's until disown(). */
  recvmsg(
    fd: number,
    into: readonly ArrayBufferView[],
    message: MessageView,
    control: Uint8Array,
    controlLength: number,
    flags: number,
  ): number;
  /** Without an address or control data their lengths are 0. */
  sendmsg(
    fd: number,
    from: readonly ArrayBufferView[],
    address: Uint8Array,
    addressLength: number,
    control: Uint8Array,
    controlLength: number,
    flags: number,
  ): number;
  /** Two i32 in `pair`. */
  socketpair(family: number, type: number, proto: number, pair: Int32Array): number;
}
