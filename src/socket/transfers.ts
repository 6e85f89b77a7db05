// The waiting calls that move bytes. Each attempt is one system call, into or out of memory that is touched only while
// that call lasts. Who queues them and when they run is the engine's business.
//
// Why a scratch buffer. How much a receive brings is known only after the call. Allocating what was asked (64 KiB for a
// 20-byte line) pins the whole behind a small view, and pooled slices let one caller see another's bytes. So the bytes
// land in one buffer per thread that stays in cache, and leave it at once as a copy of exactly their size. Larger
// messages that keep coming in one size skip the copy: the next buffer is made as large as the last message was.

import type { Descriptor } from "../engine/descriptor.ts";
import type { Engine } from "../engine/engine.ts";
import { Operation } from "../engine/operation.ts";
import type { Owner, Progress } from "../engine/operation.ts";
import { EAGAIN, MSG_TRUNC, SOCK_STREAM } from "../constants/index.ts";
import { isLent } from "./bytes.ts";
import { receiveManner, sendManner } from "./manner.ts";
import { countSend } from "./send-numbers.ts";

/** The most that one recv of a stream brings, whatever was asked. */
export const SCRATCH_BYTES = 262_144;
/** More than any kind of socket carries in one message (a Unix datagram has at most a few megabytes). */
export const MESSAGE_BYTES_MAX = 16_777_216;
/** From this size on, a copy costs more than guessing the size beforehand. */
const DIRECT_BYTES_MIN = 4096;
/** Up to this size V8 keeps a typed array's bytes in its heap; handing such an array to the addon moves them out. */
export const HEAP_BYTES_MAX = 64;

/** The work of moving bytes, in units of the engine's credit: 1 for each 8 KiB. */
export const CREDIT_SHIFT = 13;

/** Where bytes land whose number nobody knows yet; taken() copies them out at once. */
export const scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
/** Where the smallest messages are put for the addon. */
export const outgoing: Buffer = Buffer.allocUnsafeSlow(HEAP_BYTES_MAX + 1);
/** What Buffer makes its own kind with: from a view, in one step, a Buffer with memory of its own. */
const OwnBuffer: new (view: Uint8Array) => Buffer = Reflect.get(Buffer, Symbol.species) as never;
/** Views of the scratch's first bytes, made once: small messages are the many. */
const small: readonly Uint8Array[] = Array.from({ length: HEAP_BYTES_MAX + 1 }, (_, size) =>
  scratch.subarray(0, size),
);

/** A copy with memory of its own, which Buffer.from() would take from a pool. */
export function ownCopy(view: Uint8Array): Buffer {
  return new OwnBuffer(view);
}

/** The view of the last larger size: messages often come in one size, and making a view costs half of making a copy. */
let last: Uint8Array = scratch;

/** The first bytes of the scratch as a Buffer of their own. */
export function taken(count: number): Buffer {
  if (count <= HEAP_BYTES_MAX) return new OwnBuffer(small[count] as Uint8Array);
  if (last.length !== count) last = scratch.subarray(0, count);
  return new OwnBuffer(last);
}

/** What these calls need of a socket. */
export interface Transferring extends Owner {
  readonly type: number;
  readonly engine: Engine;
  readonly descriptor: Descriptor;
  /** How large the next direct receive is made; 0 = through the scratch. */
  guess: number;
}

/** recv(2) into `view`; keeps the engine's hints and credit. */
export function receive(socket: Transferring, view: ArrayBufferView, length: number, flags: number): number {
  const { descriptor, engine } = socket;
  const count = engine.backend.calls.recv(descriptor.fd, view, 0, length, flags);
  if (count > 0) engine.credit -= count >> CREDIT_SHIFT;
  if (count < length && count >= 0 && flags === 0 && descriptor.shortReadIsDry && !descriptor.ended)
    descriptor.readable = false;
  return count;
}

/** send(2) of `length` bytes from `offset` on. */
export function transmit(
  socket: Transferring,
  bytes: Uint8Array,
  offset: number,
  length: number,
  flags: number,
): number {
  const { fd, kind } = socket.descriptor;
  const { calls } = kind.engine.backend;
  const all = flags | kind.sendFlags;
  if (bytes.length <= HEAP_BYTES_MAX && offset + length <= bytes.length && !isLent(flags)) {
    if (length === bytes.length) outgoing.set(bytes);
    else outgoing.set(bytes.subarray(offset, offset + length));
    return calls.send(fd, outgoing, 0, length, all);
  }
  const count = calls.send(fd, bytes, offset, length, all);
  if (count > 0) socket.engine.credit -= count >> CREDIT_SHIFT;
  if (count > 0 && isLent(flags)) countSend(socket.descriptor);
  return count;
}

// What the last attempt of a Receive filled, when it was not the scratch; its value() follows at once. It is told after the
// call: who watches calls (watching.ts) may make others in one.
let direct: Buffer | undefined;

/** recv: into new memory of exactly the size that arrived. */
export class Receive extends Operation<Buffer> {
  declare readonly owner: Transferring;
  readonly size: number;
  // Lies with the class while it is 0, as it nearly always is.
  declare flags: number;
  static {
    Receive.prototype.flags = 0;
  }
  constructor(socket: Transferring, size: number, flags: number) {
    super(socket);
    this.size = size;
    if (flags !== 0) {
      this.flags = flags;
      this.manner = receiveManner(flags);
    }
  }

  get syscall(): string {
    return "recv";
  }

  attempt(): number {
    const socket = this.owner;
    const { flags, size } = this;
    let into: Buffer | undefined;
    // The kernel counts more bytes than it writes, of TCP writes none: what lies in the scratch is other sockets'.
    if ((flags & MSG_TRUNC) !== 0) into = Buffer.alloc(Math.min(size, SCRATCH_BYTES));
    else if (socket.type !== SOCK_STREAM) {
      if (size > SCRATCH_BYTES) into = Buffer.allocUnsafeSlow(Math.min(size, MESSAGE_BYTES_MAX));
    } else if (socket.guess !== 0 && flags === 0)
      // One byte more than the guess: a read that leaves it free has emptied the socket, and saves a call.
      into = Buffer.allocUnsafeSlow(Math.min(size, socket.guess + 1));
    const room = into ?? scratch;
    const count = receive(socket, room, size < room.length ? size : room.length, flags);
    direct = into;
    return count;
  }

  value(whole: number): Buffer {
    const socket = this.owner;
    const into = direct;
    // MSG_TRUNC tells how long the datagram was, not how much of it is here.
    const count = Math.min(whole, into === undefined ? this.size : into.length);
    direct = undefined;
    if (into === undefined) {
      if (socket.type === SOCK_STREAM && count >= DIRECT_BYTES_MIN) socket.guess = count;
      return taken(count);
    }
    if (this.flags === 0) {
      if (count === socket.guess) return into.subarray(0, count);
      socket.guess = 0;
    }
    return count === into.length ? into : ownCopy(into.subarray(0, count));
  }
}

/** recv_into: into the caller's memory. */
export class ReceiveInto extends Operation<number> {
  declare readonly owner: Transferring;
  readonly view: ArrayBufferView;
  readonly size: number;
  readonly flags: number;

  constructor(socket: Transferring, view: ArrayBufferView, size: number, flags: number) {
    super(socket);
    this.view = view;
    this.size = size;
    this.flags = flags;
    if (flags !== 0) this.manner = receiveManner(flags);
  }

  get syscall(): string {
    return "recv";
  }

  attempt(): number {
    return receive(this.owner, this.view, this.size, this.flags);
  }

  value(count: number): number {
    return count;
  }
}

/** send: what the kernel takes at once. */
export class Send extends Operation<number> {
  declare readonly owner: Transferring;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly flags: number;

  constructor(socket: Transferring, bytes: Uint8Array, flags: number) {
    super(socket);
    this.bytes = bytes;
    this.length = bytes.length;
    this.flags = flags;
    if (flags !== 0) this.manner = sendManner(flags);
  }

  get syscall(): string {
    return "send";
  }

  attempt(): number {
    return transmit(this.owner, this.bytes, 0, this.length, this.flags);
  }

  value(count: number): number {
    return count;
  }
}

/** sendall: everything, in as many calls as it takes. */
export class SendAll extends Operation<void> {
  declare readonly owner: Transferring;
  override readonly progress: Progress;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly flags: number;

  constructor(socket: Transferring, bytes: Uint8Array, flags: number, progress: Progress) {
    super(socket);
    this.progress = progress;
    this.bytes = bytes;
    this.length = bytes.length;
    this.flags = flags;
    if (flags !== 0) this.manner = sendManner(flags);
  }

  get syscall(): string {
    return "sendall";
  }

  attempt(): number {
    const { progress } = this;
    do {
      const count = transmit(
        this.owner,
        this.bytes,
        progress.bytes,
        this.length - progress.bytes,
        this.flags,
      );
      if (count < 0) return count;
      progress.bytes += count;
      if (progress.bytes === this.length) return 0;
    } while (this.owner.engine.credit > 0);
    return -EAGAIN;
  }

  value(): void {}
}
