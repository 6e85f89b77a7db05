// The non-blocking system calls that a Socket makes, as a type. The addon implements them with the kernel's; another
// implementation (a simulated network, say) keeps the same contract: a number >= 0, or -errno, and nothing waits.
// It knows no policy: what to do with -EAGAIN is the engine's business.

import type { BatchCalls } from "./batches.ts";
import type { MessageCalls } from "./messages.ts";
import type { MovingCalls } from "./moving.ts";

/** An address as the kernel has it: sockaddr_storage in bytes 0..127; where one comes out, its length as u32 at 128. */
export type AddressView = Uint8Array;

/** The calls of native/syscalls.c, options.c, queues.c and ownership.c, and with them those of messages.c, batches.c and moving.c. */
export interface SocketCalls extends MessageCalls, BatchCalls, MovingCalls {
  socket(family: number, type: number, proto: number): number;
  bind(fd: number, address: AddressView, offset: number, length: number): number;
  listen(fd: number, backlog: number): number;
  accept(fd: number, address: AddressView): number;
  /** Without asking who it is. */
  accept_nameless(fd: number): number;
  connect(fd: number, address: AddressView, offset: number, length: number): number;
  recv(fd: number, into: ArrayBufferView, offset: number, length: number, flags: number): number;
  send(fd: number, from: ArrayBufferView, offset: number, length: number, flags: number): number;
  shutdown(fd: number, how: number): number;
  getsockname(fd: number, address: AddressView): number;
  getpeername(fd: number, address: AddressView): number;
  getsockopt(
    fd: number,
    level: number,
    name: number,
    into: Uint8Array,
    offset: number,
    length: number,
  ): number;
  setsockopt(
    fd: number,
    level: number,
    name: number,
    from: Uint8Array,
    offset: number,
    length: number,
  ): number;
  setsockopt_null(fd: number, level: number, name: number, length: number): number;
  setsockopt_program(
    fd: number,
    level: number,
    name: number,
    instructions: Uint8Array,
    offset: number,
    length: number,
  ): number;
  /** 1: the next byte is where urgent data was. */
  sockatmark(fd: number): number;
  /** Bytes to be read; of datagrams those of the next. */
  siocinq(fd: number): number;
  /** Bytes that the peer has not acknowledged, or that have not left. */
  siocoutq(fd: number): number;
  /** Bytes that were not sent yet. */
  siocoutqnsd(fd: number): number;
  close(fd: number): number;
  /** The copy is owned as if it had been made here. */
  dup(fd: number): number;
  adopt(fd: number): number;
  disown(fd: number): number;
  set_blocking(fd: number, flag: number): number;
  set_inheritable(fd: number, flag: number): number;
  get_inheritable(fd: number): number;
}
