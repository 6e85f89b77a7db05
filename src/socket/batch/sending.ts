// Sending a batch: sendmmsg(2) until all has gone. Where the system refuses a way of doing so, the next simpler one is
// tried at once with the same datagrams, and when that works it is kept to:
// - a message that the kernel is to cut (UDP_SEGMENT): datagram by datagram. EIO: the network card computes no
//   checksums; EINVAL, EMSGSIZE: a segment longer than the path's MTU; ENOPROTOOPT: a kernel without it.
// - sendmmsg: sendmsg. ENOSYS: a kernel or a sandbox without it; EPERM: a seccomp filter; EINVAL: an emulation.
// What the simpler way says too is no refusal but the error of that datagram: EPERM is also what a firewall says, and
// EINVAL a wrong source address.

import { Operation } from "../../engine/operation.ts";
import type { Sent } from "../../engine/operation.ts";
import {
  EAGAIN,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOPROTOOPT,
  EOPNOTSUPP,
  IPPROTO_UDP,
  UDP_SEGMENT,
} from "../../constants/index.ts";
import { BATCH_MESSAGES_MAX, OUTGOING_WORDS } from "../../native/batches.ts";
import { retryByTime } from "../datagrams.ts";
import type { Messaging } from "../datagrams.ts";
import { sendManner } from "../manner.ts";
import { CREDIT_SHIFT } from "../transfers.ts";
import { isCallRefused, isUdp } from "./receiving.ts";
import type { Window } from "./queue.ts";
import type { SendBatch } from "./send-batch.ts";

/** Whether the answer may mean that a message cannot be sent to be cut. */
function isSegmentRefused(result: number): boolean {
  return (
    result === -EIO ||
    result === -EINVAL ||
    result === -EMSGSIZE ||
    result === -EOPNOTSUPP ||
    result === -ENOPROTOOPT
  );
}

// What one call sends; filled right before it.
const window: Window = {
  messages: new Uint32Array(BATCH_MESSAGES_MAX * OUTGOING_WORDS),
  datagrams: new Uint32Array(BATCH_MESSAGES_MAX),
  count: 0,
};
const integer = new Uint8Array(4);

/** Sends what comes first, in one way. How many messages of the window went, or -errno. */
function transmit(
  { engine, descriptor }: Messaging,
  batch: SendBatch,
  segmentMax: number,
  oneByOne: boolean,
  flags: number,
): number {
  const { calls } = engine.backend;
  const all = flags | descriptor.kind.sendFlags;
  const { data, names, control } = batch.queue;
  const { messages } = window;
  const most = oneByOne ? 1 : Math.min(BATCH_MESSAGES_MAX, Math.max(engine.credit, 1));
  batch.queue.describe(window, most, segmentMax);
  if (!oneByOne) return calls.sendmmsg(descriptor.fd, data, names, control, messages, window.count, all);
  const [dataAt, dataLength, nameAt, nameLength, controlAt, controlLength] = messages as unknown as number[];
  const part = (from: Uint8Array, at: number, length: number): Uint8Array => from.subarray(at, at + length);
  const result = calls.sendmsg(
    descriptor.fd,
    [part(data, dataAt as number, dataLength as number)],
    part(names, nameAt as number, nameLength as number),
    nameLength as number,
    part(control, controlAt as number, controlLength as number),
    controlLength as number,
    all,
  );
  return result < 0 ? result : 1;
}

/** Whether the kernel knows UDP_SEGMENT. One that does not may send a message whole, and say nothing. */
function knowsSegments({ engine, descriptor }: Messaging): boolean {
  const { calls } = engine.backend;
  return calls.getsockopt(descriptor.fd, IPPROTO_UDP, UDP_SEGMENT, integer, 0, integer.length) >= 0;
}

/** One call that gets further, or the error that stops it. How many datagrams went, or -errno. */
function sendSome(socket: Messaging, batch: SendBatch, flags: number): number {
  let segmentMax = batch.segmentBytesMax;
  if (segmentMax > 0 && batch.queue.firstSegment > 0 && !batch.probed) {
    batch.probed = true;
    if (!knowsSegments(socket)) batch.segmentBytesMax = segmentMax = 0;
  }
  if (!isUdp(socket)) segmentMax = 0;
  let { oneByOne } = batch;
  const first = batch.queue.firstSegment;
  let refused = false;
  for (;;) {
    const result = transmit(socket, batch, segmentMax, oneByOne, flags);
    if (result >= 0) {
      if (refused) batch.segmentBytesMax = segmentMax;
      batch.oneByOne = oneByOne;
      return sent(socket, batch, result);
    }
    if (first > 0 && first <= segmentMax && isSegmentRefused(result)) {
      refused = true;
      // Shorter ones may pass where one was longer than the path's MTU; an error that is not about length is about all.
      segmentMax = result === -EINVAL || result === -EMSGSIZE ? first - 1 : 0;
    } else if (!oneByOne && isCallRefused(result)) oneByOne = true;
    else return result;
  }
}

/** The first messages of the window have gone. */
function sent({ engine }: Messaging, batch: SendBatch, messages: number): number {
  let datagrams = 0;
  let bytes = 0;
  for (let message = 0; message < messages; message++) {
    datagrams += window.datagrams[message] as number;
    bytes += window.messages[message * OUTGOING_WORDS + 1] as number;
  }
  engine.credit -= messages + (bytes >> CREDIT_SHIFT);
  batch.queue.advance(datagrams);
  return datagrams;
}

/** How many datagrams of a call have gone; kept current. */
interface Count extends Sent {
  datagrams: number;
}

/**
 * Sends until all has gone, the kernel takes no more or the credit is spent.
 *
 * @returns 0: all has gone; -EAGAIN; or -errno of the first datagram that is left.
 */
export function sendFrom(socket: Messaging, batch: SendBatch, flags: number, count: Count): number {
  while (batch.count > 0) {
    const result = sendSome(socket, batch, flags);
    if (result < 0) return result;
    count.datagrams += result;
    if (socket.engine.credit <= 0 && batch.count > 0) return -EAGAIN;
  }
  return 0;
}

/** The error of the datagram that comes first. */
export function failureOf(socket: Messaging, batch: SendBatch, result: number, count: Count): Error {
  return socket.failure(callOf(batch), result, count, batch.firstAddress(socket.proto));
}

function callOf(batch: SendBatch): string {
  return batch.oneByOne ? "sendmsg" : "sendmmsg";
}

/** sendmmsg: all of the batch. */
export class SendMessages extends Operation<number> {
  readonly socket: Messaging;
  readonly batch: SendBatch;
  readonly flags: number;
  override readonly progress: Count;

  constructor(socket: Messaging, batch: SendBatch, flags: number, count: Count) {
    super({
      failure: (_syscall, result) => failureOf(socket, batch, result, count),
      expiry: (syscall, ms) => socket.expiry(syscall, ms, count, batch.firstAddress(socket.proto)),
    });
    this.socket = socket;
    this.batch = batch;
    this.flags = flags;
    this.progress = count;
    if (flags !== 0) this.manner = sendManner(flags);
  }

  get syscall(): string {
    return callOf(this.batch);
  }

  attempt(): number {
    const { batch, progress, socket } = this;
    const before = progress.datagrams;
    const result = sendFrom(socket, batch, this.flags, progress);
    if (progress.datagrams > before) this.retryMs = 0;
    return batch.queue.nameEnd > 0 ? retryByTime(this, socket, result) : result;
  }

  value(): number {
    return this.progress.datagrams;
  }
}
