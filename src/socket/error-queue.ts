// What the kernel tells beside the data: errors with their details, times of sending, memory that was lent for a send and
// is back (MSG_ERRQUEUE; ip(7) IP_RECVERR, Documentation/networking/timestamping.rst and msg_zerocopy.rst). Who reads a
// socket's queue finds messages for different people: here each is put where it belongs. Who waits, and how, others know.

import type { Descriptor } from "../engine/descriptor.ts";
import { Operation } from "../engine/operation.ts";
import {
  EAGAIN,
  MSG_CMSG_CLOEXEC,
  MSG_ERRQUEUE,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_EE_ORIGIN_NONE,
  SO_EE_ORIGIN_ZEROCOPY,
} from "../constants/index.ts";
import { MESSAGE_CONTROL_AT, MESSAGE_FLAGS_AT, MESSAGE_VIEW_BYTES } from "../native/messages.ts";
import type { Address, AnyAddress } from "./address.ts";
import { readU32 } from "./address/view.ts";
import { decodeFields } from "./ancillary/fields.ts";
import type { AncillaryFields } from "./ancillary/fields.ts";
import type { ExtendedError } from "./ancillary/structs.ts";
import { senderOf } from "./datagrams.ts";
import type { Messaging } from "./datagrams.ts";
import { ownCopy } from "./transfers.ts";

/** A message of a socket's error queue. */
export interface ErrorMessage<A extends AnyAddress = Address> {
  /** What happened, and who says so. */
  error: ExtendedError;
  /**
   * Where the datagram was going that the message is about; of a stream, and of what is no error of the network's (times
   * of sending): the peer, `null` without one.
   */
  address: A | null;
  /** What came with it: SCM_TIMESTAMPING, IP_PKTINFO… */
  fields: AncillaryFields;
  /**
   * The beginning of what was sent, as far as it came back: at most 4096 bytes. Of an ICMP error what follows the quoted
   * header; of a time of sending all of the packet, headers included, or nothing (SOF_TIMESTAMPING_OPT_TSONLY).
   */
  data: Buffer;
  /** MSG_ERRQUEUE; MSG_TRUNC: there was more of `data`. MSG_CTRUNC: more control data. */
  flags: number;
}

/** More of a packet than anybody's ICMP message quotes: RFC 4443 has at most 1280 bytes. */
const DATA_BYTES_MAX = 4096;
/** Room for the extended error with its address, the times, the statistics of a connection and the fields of IP. */
const CONTROL_BYTES = 2048;
/** Messages that wait in memory for somebody who asks for them. More are in the kernel, but while memory is lent. */
const KEPT_MAX = 256;

const room = new Uint8Array(DATA_BYTES_MAX);
const rooms: readonly Uint8Array[] = [room];
const control = new Uint8Array(CONTROL_BYTES);
/** Where messages come out of the kernel; decoded before anything else can run. */
const view = new Uint8Array(MESSAGE_VIEW_BYTES);

const bit = (flag: number): number => (flag > 0 ? flag : 0);

const NOTHING_KNOWN: ExtendedError = {
  errno: 0,
  origin: SO_EE_ORIGIN_NONE,
  type: 0,
  code: 0,
  info: 0,
  data: 0,
  offender: null,
};

/** Where an extended error is, by family. */
const PLACES = [
  "IP_RECVERR",
  "IPV6_RECVERR",
  "PACKET_TX_TIMESTAMP",
  "VSOCK_RECVERR",
  "SCM_J1939_ERRQUEUE",
] as const satisfies readonly (keyof AncillaryFields)[];

/** Takes the extended error out of the fields. */
function takeError(fields: AncillaryFields): ExtendedError {
  for (const place of PLACES) {
    const error = fields[place];
    if (error === undefined) continue;
    delete fields[place];
    return error;
  }
  return { ...NOTHING_KNOWN };
}

/** Memory that the kernel reads: of one program's send, which may take several calls. */
export interface Loan {
  /** Calls of it that are not back. */
  out: number;
  /** The kernel copied after all. */
  copied: boolean;
}

/** One socket's error queue. */
export class ErrorQueue {
  /** Messages that are nobody's yet, oldest first. */
  readonly kept: ErrorMessage<AnyAddress>[] = [];
  /** What is lent, by the numbers of the calls. */
  readonly #loans: Map<number, Loan> = new Map();

  /** A call that the kernel counts with this number has lent it memory. */
  lend(number: number, loan: Loan): void {
    loan.out++;
    this.#loans.set(number, loan);
  }

  /** Reads one message and puts it where it belongs; 0, or -errno: EAGAIN, there is none. */
  read(socket: Messaging): number {
    const { descriptor, engine } = socket;
    const { calls } = engine.backend;
    const count = calls.recvmsg(descriptor.fd, rooms, view, control, CONTROL_BYTES, MSG_ERRQUEUE);
    if (count < 0) return count;
    engine.credit--;
    const fields = decodeFields(control, readU32(view, MESSAGE_CONTROL_AT));
    const error = takeError(fields);
    if (!this.#returned(error)) {
      const data = ownCopy(room.subarray(0, Math.min(count, DATA_BYTES_MAX)));
      const address: AnyAddress = senderOf(socket, view);
      const flags = readU32(view, MESSAGE_FLAGS_AT) & ~bit(MSG_CMSG_CLOEXEC);
      this.kept.push({ error, address, fields, data, flags });
      if (this.kept.length > KEPT_MAX) this.kept.shift();
    }
    engine.again(descriptor);
    return 0;
  }

  /** Takes back what the kernel says that it has read; whether all that it speaks of was lent here. */
  #returned({ origin, info, data, code }: ExtendedError): boolean {
    if (origin !== SO_EE_ORIGIN_ZEROCOPY) return false;
    let others = ((data - info) >>> 0) + 1;
    for (const [number, loan] of this.#loans) {
      if ((number - info) >>> 0 > (data - info) >>> 0) continue;
      this.#loans.delete(number);
      loan.out--;
      if (code === SO_EE_CODE_ZEROCOPY_COPIED) loan.copied = true;
      others--;
    }
    return others === 0;
  }
}

const queues = new WeakMap<Descriptor, ErrorQueue>();

/** The error queue of a socket. */
export function errorQueueOf({ descriptor }: Messaging): ErrorQueue {
  let queue = queues.get(descriptor);
  if (queue === undefined) queues.set(descriptor, (queue = new ErrorQueue()));
  return queue;
}

/** A wait for the error queue, until there is what it waits for. */
abstract class ErrorOperation<T> extends Operation<T> {
  readonly socket: Messaging;
  readonly queue: ErrorQueue;

  constructor(socket: Messaging) {
    super(socket);
    this.socket = socket;
    this.queue = errorQueueOf(socket);
    socket.descriptor.failing = true; // who asks anew asks the kernel
  }

  get syscall(): string {
    return "recvmsg";
  }

  attempt(): number {
    const { descriptor, engine } = this.socket;
    while (!this.satisfied()) {
      if (engine.credit <= 0 || !descriptor.failing) return -EAGAIN;
      const result = this.queue.read(this.socket);
      if (result === -EAGAIN) descriptor.failing = false;
      if (result < 0) return result;
    }
    return 0;
  }

  protected abstract satisfied(): boolean;
}

/** recv_error: the oldest message that is nobody else's. */
export class ReceiveError<A extends AnyAddress> extends ErrorOperation<ErrorMessage<A>> {
  protected satisfied(): boolean {
    return this.queue.kept.length > 0;
  }

  value(): ErrorMessage<A> {
    return this.queue.kept.shift() as ErrorMessage<A>;
  }
}

/** The second half of send_zerocopy: all of a loan is back. */
export class AwaitReturn extends ErrorOperation<void> {
  readonly #loan: Loan;

  constructor(socket: Messaging, loan: Loan) {
    super(socket);
    this.#loan = loan;
  }

  protected satisfied(): boolean {
    return this.#loan.out === 0;
  }

  value(): void {}
}
