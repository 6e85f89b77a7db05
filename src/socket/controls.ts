// The waiting calls of messages with control data: each attempt is one recvmsg(2) or sendmsg(2). Descriptors that came
// with a message belong to this thread until the caller has them; when the answer cannot be made, they are closed.

import { Operation } from "../engine/operation.ts";
import type { Owner } from "../engine/operation.ts";
import {
  EFAULT,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  MSG_TRUNC,
  SCM_PIDFD,
  SCM_RIGHTS,
  SOL_SOCKET,
} from "../constants/index.ts";
import { MESSAGE_CONTROL_AT, MESSAGE_FLAGS_AT, MESSAGE_VIEW_BYTES } from "../native/messages.ts";
import type { Address, AnyAddress } from "./address.ts";
import { readU32 } from "./address/view.ts";
import { decodeAncillary, decodeDescriptors, descriptorsIn } from "./ancillary.ts";
import type { ReceivedAncillary } from "./ancillary.ts";
import { isLent } from "./bytes.ts";
import { cameInto, retryByTime, roomFor, senderOf } from "./datagrams.ts";
import type { Destination, Messaging } from "./datagrams.ts";
import { receiveManner, sendManner } from "./manner.ts";
import { countSend } from "./send-numbers.ts";
import { CREDIT_SHIFT, scratch } from "./transfers.ts";

/** What recvmsg gives. */
export type ReceivedMessage<A extends AnyAddress = Address> = [
  data: Buffer,
  ancdata: ReceivedAncillary[],
  flags: number,
  address: A,
];

/** Where messages come out of the kernel; decoded before anything else can run. */
const messageView = new Uint8Array(MESSAGE_VIEW_BYTES);
/** Room for the control data of nearly every message: 253 descriptors (SCM_MAX_FD) are 1032 bytes. */
const controlScratch = new Uint8Array(4096);
/** More control data than any message brings. */
const CONTROL_BYTES_MAX = 65_536;

const CLOEXEC = MSG_CMSG_CLOEXEC > 0 ? MSG_CMSG_CLOEXEC : 0;

/** A receive of messages, up to what becomes of them. */
abstract class MessageOperation<T, A extends AnyAddress> extends Operation<T> {
  readonly socket: Messaging;
  readonly flags: number;
  readonly #controlBytes: number;
  #control: Uint8Array = controlScratch;

  constructor(socket: Messaging, controlBytes: number, flags: number) {
    super(socket);
    this.socket = socket;
    this.flags = flags;
    this.#controlBytes = Math.min(controlBytes, CONTROL_BYTES_MAX);
    if (flags !== 0) this.manner = receiveManner(flags);
  }

  get syscall(): string {
    return "recvmsg";
  }

  /** recvmsg(2) into views. */
  protected receive(views: readonly ArrayBufferView[]): number {
    const { engine, descriptor } = this.socket;
    const flags = this.flags | descriptor.kind.messageFlags;
    const room = this.#controlBytes;
    // Only for as long as one attempt: the scratch is everybody's.
    this.#control = room <= controlScratch.length ? controlScratch : new Uint8Array(room);
    const { calls } = engine.backend;
    const count = calls.recvmsg(descriptor.fd, views, messageView, this.#control, room, flags);
    if (count > 0) engine.credit -= count >> CREDIT_SHIFT;
    return count;
  }

  value(count: number): T {
    const control = this.#control;
    this.#control = controlScratch;
    const length = readU32(messageView, MESSAGE_CONTROL_AT);
    const descriptors = descriptorsIn(control, length);
    const { calls } = this.socket.engine.backend;
    try {
      const ancdata = decodeAncillary(control, length);
      const message = this.message(count, ancdata, this.flagsOut(), senderOf<A>(this.socket, messageView));
      for (const fd of descriptors) calls.disown(fd);
      return message;
    } catch (error) {
      for (const fd of descriptors) calls.close(fd);
      throw error;
    }
  }

  /** msg_flags, without what only repeats that descriptors are close-on-exec here. */
  protected flagsOut(): number {
    const flags = readU32(messageView, MESSAGE_FLAGS_AT) | 0;
    return (this.flags & CLOEXEC) === 0 ? flags & ~CLOEXEC : flags;
  }

  /** What the caller gets. When it throws, the descriptors that came are closed. */
  protected abstract message(count: number, ancdata: ReceivedAncillary[], flags: number, address: A): T;
}

/** recvmsg: new memory of exactly the size that arrived. */
abstract class SizedOperation<T, A extends AnyAddress> extends MessageOperation<T, A> {
  readonly size: number;
  #room: Buffer = scratch;

  constructor(socket: Messaging, size: number, controlBytes: number, flags: number) {
    super(socket, controlBytes, flags);
    this.size = size;
  }

  attempt(): number {
    const { size } = this;
    const room = roomFor(this.socket, size);
    this.#room = room;
    const view = size < room.length ? room.subarray(0, size) : room;
    // As recv(): a stream whose bytes are thrown away must not show what lay in the scratch.
    if ((this.flags & MSG_TRUNC) !== 0) view.fill(0);
    return this.receive([view]);
  }

  /** The bytes that came. */
  protected data(count: number): Buffer {
    const room = this.#room;
    this.#room = scratch;
    return cameInto(room, this.size, count);
  }
}

/** recvmsg. */
export class ReceiveMessage<A extends AnyAddress> extends SizedOperation<ReceivedMessage<A>, A> {
  protected message(
    count: number,
    ancdata: ReceivedAncillary[],
    flags: number,
    address: A,
  ): ReceivedMessage<A> {
    return [this.data(count), ancdata, flags, address];
  }
}

/** recvmsg_into: the caller's memory. */
export class ReceiveMessageInto<A extends AnyAddress> extends MessageOperation<
  [nbytes: number, ancdata: ReceivedAncillary[], flags: number, address: A],
  A
> {
  readonly views: readonly ArrayBufferView[];

  constructor(socket: Messaging, views: readonly ArrayBufferView[], controlBytes: number, flags: number) {
    super(socket, controlBytes, flags);
    this.views = views;
  }

  attempt(): number {
    return this.receive(this.views);
  }

  protected message(
    count: number,
    ancdata: ReceivedAncillary[],
    flags: number,
    address: A,
  ): [number, ReceivedAncillary[], number, A] {
    return [count, ancdata, flags, address];
  }
}

/** recv_fds: the descriptors apart, no more than were asked for. */
export class ReceiveDescriptors<A extends AnyAddress> extends SizedOperation<
  [msg: Buffer, fds: number[], flags: number, address: A],
  A
> {
  readonly #descriptorsMax: number;

  constructor(socket: Messaging, size: number, descriptorsMax: number, controlBytes: number, flags: number) {
    super(socket, size, controlBytes, flags);
    this.#descriptorsMax = descriptorsMax;
  }

  protected message(
    count: number,
    ancdata: ReceivedAncillary[],
    flags: number,
    address: A,
  ): [Buffer, number[], number, A] {
    const msg = this.data(count);
    const rights: number[] = [];
    const others: number[] = [];
    for (const [level, type, data] of ancdata)
      if (level === SOL_SOCKET && type === SCM_RIGHTS) rights.push(...decodeDescriptors(data));
      else if (level === SOL_SOCKET && type === SCM_PIDFD)
        others.push(...decodeDescriptors(data).filter((fd) => fd >= 0));
    const fds = rights.slice(0, this.#descriptorsMax);
    others.push(...rights.slice(this.#descriptorsMax));
    const cut = rights.length > fds.length ? MSG_CTRUNC : 0;
    const message: [Buffer, number[], number, A] = [msg, fds, flags | cut, address];
    // Nothing can fail any more, so none of them is closed twice.
    const { calls } = this.socket.engine.backend;
    for (const fd of others) calls.close(fd);
    return message;
  }
}

const NOWHERE = new Uint8Array(0);

/** sendmsg: gathered bytes and control data, as much as the kernel takes at once. */
export class SendMessage extends Operation<number> {
  readonly socket: Messaging;
  readonly views: readonly Uint8Array[];
  readonly lengths: readonly number[];
  readonly control: Uint8Array;
  readonly flags: number;
  readonly to: Destination | undefined;

  constructor(
    socket: Messaging,
    views: readonly Uint8Array[],
    control: Uint8Array,
    flags: number,
    to: Destination | undefined,
  ) {
    super((to ?? socket) satisfies Owner);
    this.socket = socket;
    this.views = views;
    this.lengths = views.map((view) => view.length);
    this.control = control;
    this.flags = flags;
    this.to = to;
    if (flags !== 0) this.manner = sendManner(flags);
  }

  get syscall(): string {
    return "sendmsg";
  }

  attempt(): number {
    const { socket, control, lengths, to } = this;
    // Given away while it waited: what is left is not what was to be sent.
    if (this.views.some((view, at) => view.length !== lengths[at])) return -EFAULT;
    const { engine, descriptor } = socket;
    const count = engine.backend.calls.sendmsg(
      descriptor.fd,
      this.views,
      to?.view ?? NOWHERE,
      to?.length ?? 0,
      control,
      control.length,
      this.flags | descriptor.kind.sendFlags,
    );
    if (count > 0) engine.credit -= count >> CREDIT_SHIFT;
    if (count > 0 && isLent(this.flags)) countSend(descriptor);
    return to === undefined ? count : retryByTime(this, socket, count);
  }

  value(count: number): number {
    return count;
  }
}
