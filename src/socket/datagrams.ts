// The waiting calls of datagrams: each attempt is one recvfrom(2) or sendto(2), into or out of memory that is touched
// only while that call lasts. Addresses leave as tuples at once; where they are going is encoded once for many sends.
// Names are looked up elsewhere.

import { Operation } from "../engine/operation.ts";
import type { Owner, Sent } from "../engine/operation.ts";
import { AF_UNIX, EAGAIN, MSG_TRUNC, SOCK_STREAM } from "../constants/index.ts";
import { decodeAddress, encodeAddress, makeAddressView } from "./address.ts";
import type { AnyAddress } from "./address.ts";
import { readLength } from "./address/view.ts";
import { isLent } from "./bytes.ts";
import { receiveManner, sendManner } from "./manner.ts";
import { countSend } from "./send-numbers.ts";
import {
  CREDIT_SHIFT,
  HEAP_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  SCRATCH_BYTES,
  outgoing,
  ownCopy,
  scratch,
  taken,
} from "./transfers.ts";
import type { Transferring } from "./transfers.ts";

/** What these calls need of a socket. */
export interface Messaging extends Transferring {
  readonly family: number;
  readonly proto: number;
  failure(syscall: string, result: number, sent?: Sent, remote?: AnyAddress): Error;
  expiry(syscall: string, ms: number, sent?: Sent, remote?: AnyAddress): Error;
  /** Who sent what came without an address: the peer of a connected socket, or a Unix socket without a name. */
  unnamedSender(): AnyAddress;
}

/** Where senders come out of the kernel; decoded before anything else can run. */
const senderView: Uint8Array = makeAddressView();

/** The sender in a view. Its type is the caller's to say: it knows its socket. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function senderOf<A extends AnyAddress>(socket: Messaging, view: Uint8Array): A {
  return readLength(view) === 0 ? (socket.unnamedSender() as A) : decodeAddress<A>(view, socket.proto);
}

/** Room for a message of which at most `size` bytes are wanted: the scratch, or memory of its own. */
export function roomFor(socket: Transferring, size: number): Buffer {
  if (size <= SCRATCH_BYTES || socket.type === SOCK_STREAM) return scratch;
  return Buffer.allocUnsafeSlow(Math.min(size, MESSAGE_BYTES_MAX));
}

/** What came into a room, as a Buffer that nobody else sees. `whole` may be more than there is: MSG_TRUNC says so. */
export function cameInto(room: Buffer, size: number, whole: number): Buffer {
  if (room === scratch) return taken(Math.min(whole, size, SCRATCH_BYTES));
  return whole < room.length ? ownCopy(room.subarray(0, whole)) : room;
}

/** recvfrom(2) into `view`; the sender is for senderOf(). */
export function receiveFrom(socket: Messaging, view: ArrayBufferView, length: number, flags: number): number {
  const { engine } = socket;
  const count = engine.backend.calls.recvfrom(socket.descriptor.fd, view, 0, length, flags, senderView);
  if (count > 0) engine.credit -= count >> CREDIT_SHIFT;
  return count;
}

/** What receiveFrom() brought into the scratch. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function cameFrom<A extends AnyAddress>(
  socket: Messaging,
  size: number,
  count: number,
): [data: Buffer, address: A] {
  return [taken(count < size ? count : size), senderOf<A>(socket, senderView)];
}

/** recvfrom: new memory of exactly the size that arrived, and the sender. */
export class ReceiveFrom<A extends AnyAddress> extends Operation<[data: Buffer, address: A]> {
  readonly socket: Messaging;
  readonly size: number;
  readonly flags: number;
  room: Buffer = scratch;

  constructor(socket: Messaging, size: number, flags: number) {
    super(socket);
    this.socket = socket;
    this.size = size;
    this.flags = flags;
    if (flags !== 0) this.manner = receiveManner(flags);
  }

  get syscall(): string {
    return "recvfrom";
  }

  attempt(): number {
    const { flags, size, socket } = this;
    if (size > SCRATCH_BYTES) this.room = roomFor(socket, size);
    const { room } = this;
    const length = size < room.length ? size : room.length;
    // TCP throws the bytes away and writes none (tcp(7)); what lies in the scratch is none of the caller's business.
    if ((flags & MSG_TRUNC) !== 0) room.fill(0, 0, length);
    return receiveFrom(socket, room, length, flags);
  }

  value(count: number): [data: Buffer, address: A] {
    const { room } = this;
    this.room = scratch;
    return [cameInto(room, this.size, count), senderOf(this.socket, senderView)];
  }
}

/** recvfrom_into: the caller's memory. */
export class ReceiveFromInto<A extends AnyAddress> extends Operation<[nbytes: number, address: A]> {
  readonly socket: Messaging;
  readonly view: ArrayBufferView;
  readonly size: number;
  readonly flags: number;

  constructor(socket: Messaging, view: ArrayBufferView, size: number, flags: number) {
    super(socket);
    this.socket = socket;
    this.view = view;
    this.size = size;
    this.flags = flags;
    if (flags !== 0) this.manner = receiveManner(flags);
  }

  get syscall(): string {
    return "recvfrom";
  }

  attempt(): number {
    return receiveFrom(this.socket, this.view, this.size, this.flags);
  }

  value(count: number): [nbytes: number, address: A] {
    return [count, senderOf(this.socket, senderView)];
  }
}

/** Whether it is the same address. One with bytes in it never is: they may have changed. */
export function sameAddress(known: AnyAddress, asked: AnyAddress): boolean {
  if (!Array.isArray(known) || !Array.isArray(asked)) return typeof known === "string" && known === asked;
  const fields: readonly unknown[] = known;
  if (fields.length !== asked.length) return false;
  for (let at = 0; at < fields.length; at++)
    if (fields[at] !== asked[at] || typeof fields[at] === "object") return false;
  return true;
}

/** Where a socket sends to: encoded once, never changed. It words the errors of what was sent there. */
export class Destination implements Owner {
  readonly address: AnyAddress;
  readonly view: Uint8Array = makeAddressView();
  readonly length: number;
  readonly #socket: Messaging;

  constructor(socket: Messaging, address: AnyAddress) {
    this.#socket = socket;
    this.address = address;
    this.length = encodeAddress(socket.family, address, this.view, socket.proto);
  }

  failure(syscall: string, result: number, sent?: Sent): Error {
    return this.#socket.failure(syscall, result, sent, this.address);
  }

  expiry(syscall: string, ms: number, sent?: Sent): Error {
    return this.#socket.expiry(syscall, ms, sent, this.address);
  }
}

/** sendto(2) of `length` bytes: of all that there were when the call was made. */
export function transmitTo(
  socket: Messaging,
  bytes: Uint8Array,
  length: number,
  flags: number,
  to: Destination,
): number {
  const { calls } = socket.engine.backend;
  const { fd, kind } = socket.descriptor;
  const all = flags | kind.sendFlags;
  if (length <= HEAP_BYTES_MAX && length <= bytes.length && !isLent(flags)) {
    outgoing.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    return calls.sendto(fd, outgoing, 0, length, all, to.view, to.length);
  }
  const count = calls.sendto(fd, bytes, 0, length, all, to.view, to.length);
  if (count > 0) socket.engine.credit -= count >> CREDIT_SHIFT;
  if (count > 0 && isLent(flags)) countSend(socket.descriptor);
  return count;
}

/** The first and the longest pause of a send that no event will wake. */
const RETRY_MS_MIN = 1;
const RETRY_MS_MAX = 64;

/**
 * After EAGAIN on a Unix socket that is not connected to where it sends: the queue at the other end is full, and the
 * kernel tells only connected senders when there is room in it (unix(7) is silent; the poll of an unconnected one sees
 * its own buffer alone). So it is tried again by time: 1 ms doubling to 64 ms.
 */
export function retryByTime(operation: { retryMs: number }, socket: Messaging, result: number): number {
  if (result === -EAGAIN && socket.family === AF_UNIX)
    operation.retryMs = Math.min(operation.retryMs * 2 || RETRY_MS_MIN, RETRY_MS_MAX);
  return result;
}

/** sendto: a whole datagram, as soon as the kernel takes it. */
export class SendTo extends Operation<number> {
  readonly socket: Messaging;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly flags: number;
  readonly to: Destination;

  constructor(socket: Messaging, bytes: Uint8Array, flags: number, to: Destination) {
    super(to);
    this.socket = socket;
    this.bytes = bytes;
    this.length = bytes.length;
    this.flags = flags;
    this.to = to;
    if (flags !== 0) this.manner = sendManner(flags);
  }

  get syscall(): string {
    return "sendto";
  }

  attempt(): number {
    const { socket, bytes, length, flags, to } = this;
    return retryByTime(this, socket, transmitTo(socket, bytes, length, flags, to));
  }

  value(count: number): number {
    return count;
  }
}
