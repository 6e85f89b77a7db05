// Receiving into a batch: one recvmmsg(2) an attempt. Where the system refuses that call (a kernel or a sandbox without
// it says ENOSYS, a seccomp filter EPERM, an emulation EINVAL), recvmsg(2) does the same work message by message, with
// the same result: datagrams that came before an error are delivered, and the error is what the next receive says.

import { Operation } from "../../engine/operation.ts";
import type { Descriptor } from "../../engine/descriptor.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EAGAIN,
  EINVAL,
  ENOSYS,
  EPERM,
  IPPROTO_UDP,
  MSG_CTRUNC,
  MSG_TRUNC,
  SOCK_DGRAM,
  UDP_GRO,
} from "../../constants/index.ts";
import {
  RECEIVED_CONTROL_LENGTH,
  RECEIVED_FLAGS,
  RECEIVED_LENGTH,
  RECEIVED_WORDS,
} from "../../native/batches.ts";
import { MESSAGE_VIEW_BYTES } from "../../native/messages.ts";
import { descriptorsIn } from "../ancillary.ts";
import type { Messaging } from "../datagrams.ts";
import { receiveManner } from "../manner.ts";
import { CREDIT_SHIFT } from "../transfers.ts";
import type { ReceiveBatch } from "./receive-batch.ts";

/** Whether the answer may mean that the system does not let this call be made at all. */
export function isCallRefused(result: number): boolean {
  return result === -ENOSYS || result === -EPERM || result === -EINVAL;
}

/** Whether the socket is one of UDP. */
export function isUdp({ family, type, proto }: Messaging): boolean {
  return (
    (family === AF_INET || family === AF_INET6) &&
    type === SOCK_DGRAM &&
    (proto === 0 || proto === IPPROTO_UDP)
  );
}

const on = new Uint8Array(new Int32Array([1]).buffer);
const granted = new WeakMap<Descriptor, boolean>();

/** Asks a UDP socket for UDP_GRO, once, where the batch wants it. A kernel that has none goes on without. */
export function askForGro(socket: Messaging, batch: ReceiveBatch): void {
  if (!batch.asksForGro) return;
  const { descriptor, engine } = socket;
  let gro = granted.get(descriptor);
  if (gro === undefined) {
    const { calls } = engine.backend;
    gro = isUdp(socket) && calls.setsockopt(descriptor.fd, IPPROTO_UDP, UDP_GRO, on, 0, on.length) >= 0;
    granted.set(descriptor, gro);
  }
  batch.gro = gro;
}

/** Errors that came after datagrams in one pass of recvmsg: the next receive of that socket tells them. */
const heldBack = new WeakMap<Descriptor, number>();

/** recvmsg(2) until there is nothing more. */
function receiveEach(socket: Messaging, batch: ReceiveBatch, messagesMax: number, flags: number): number {
  const { descriptor, engine } = socket;
  const held = heldBack.get(descriptor);
  if (held !== undefined) {
    heldBack.delete(descriptor);
    return held;
  }
  const { bytesMax, controlBytesMax, headers, memory } = batch;
  const names = new Uint8Array(headers.buffer);
  for (let message = 0; message < messagesMax; message++) {
    const at = message * RECEIVED_WORDS;
    const result = engine.backend.calls.recvmsg(
      descriptor.fd,
      [memory.subarray(message * bytesMax, (message + 1) * bytesMax)],
      names.subarray(at * 4, at * 4 + MESSAGE_VIEW_BYTES),
      batch.control.subarray(message * controlBytesMax, (message + 1) * controlBytesMax),
      controlBytesMax,
      flags,
    );
    if (result < 0) {
      if (message === 0) return result;
      if (result !== -EAGAIN) heldBack.set(descriptor, result);
      return message;
    }
    headers[at + RECEIVED_LENGTH] = result;
  }
  return messagesMax;
}

function receiveMany(socket: Messaging, batch: ReceiveBatch, messagesMax: number, flags: number): number {
  const { headers, memory, control, bytesMax, controlBytesMax } = batch;
  const { calls } = socket.engine.backend;
  const { fd } = socket.descriptor;
  return calls.recvmmsg(fd, memory, bytesMax, headers, control, controlBytesMax, messagesMax, flags);
}

/** Descriptors are not handed over by batches: nobody may ever ask for a datagram, and they must not stay open till then. */
function closeDescriptors(socket: Messaging, batch: ReceiveBatch, messages: number): void {
  for (let message = 0; message < messages; message++) {
    const at = message * RECEIVED_WORDS;
    if (batch.headers[at + RECEIVED_CONTROL_LENGTH] === 0) continue;
    const control = batch.controlAt(message);
    const descriptors = descriptorsIn(control, control.length);
    if (descriptors.length === 0) continue;
    for (const fd of descriptors) socket.engine.backend.calls.close(fd);
    batch.headers[at + RECEIVED_FLAGS] = (batch.headers[at + RECEIVED_FLAGS] as number) | MSG_CTRUNC;
  }
}

/**
 * One pass, without waiting.
 *
 * @returns how many messages came, or -errno; count and credit are kept. They are for batch.received().
 */
export function receiveInto(socket: Messaging, batch: ReceiveBatch, flags: number): number {
  const { descriptor, engine } = socket;
  // With MSG_TRUNC the kernel tells the whole length of what was too long.
  const all = flags | MSG_TRUNC | descriptor.kind.messageFlags;
  const most = Math.min(batch.messagesMax, Math.max(engine.credit, 1));
  let messages: number;
  if (batch.oneByOne) messages = receiveEach(socket, batch, most, all);
  else {
    messages = receiveMany(socket, batch, most, all);
    if (isCallRefused(messages)) {
      messages = receiveEach(socket, batch, most, all);
      // The other call says the same: so it was not the call.
      batch.oneByOne = messages >= 0 || messages === -EAGAIN;
    }
  }
  if (messages <= 0) return messages;
  let bytes = 0;
  for (let message = 0; message < messages; message++)
    bytes += batch.headers[message * RECEIVED_WORDS + RECEIVED_LENGTH] as number;
  // Who called has paid for one.
  engine.credit -= messages - 1 + (bytes >> CREDIT_SHIFT);
  if (socket.family === AF_UNIX) closeDescriptors(socket, batch, messages);
  return messages;
}

/** recvmmsg: as many messages as are there. */
export class ReceiveMessages extends Operation<number> {
  readonly socket: Messaging;
  readonly batch: ReceiveBatch;
  readonly flags: number;

  constructor(socket: Messaging, batch: ReceiveBatch, flags: number) {
    super(socket);
    this.socket = socket;
    this.batch = batch;
    this.flags = flags;
    if (flags !== 0) this.manner = receiveManner(flags);
  }

  get syscall(): string {
    return this.batch.oneByOne ? "recvmsg" : "recvmmsg";
  }

  attempt(): number {
    return receiveInto(this.socket, this.batch, this.flags);
  }

  value(messages: number): number {
    return this.batch.received(this.socket, messages);
  }
}
