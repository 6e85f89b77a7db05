// Memory for many datagrams that come at once, used again by each receive, and what is known of each of them. What the
// kernel put together (UDP_GRO) is taken apart here. No call is made here: receiving.ts makes it.

import { AF_INET, AF_INET6, AF_UNIX, MSG_CMSG_CLOEXEC, MSG_TRUNC } from "../../constants/index.ts";
import {
  BATCH_MESSAGES_MAX,
  RECEIVED_CONTROL_LENGTH,
  RECEIVED_FLAGS,
  RECEIVED_LENGTH,
  RECEIVED_NAME_LENGTH,
  RECEIVED_WORDS,
} from "../../native/batches.ts";
import { decodeAddress } from "../address.ts";
import type { Address, AnyAddress } from "../address.ts";
import { decodeAncillary } from "../ancillary.ts";
import type { ReceivedAncillary } from "../ancillary.ts";
import { checkInteger } from "../base.ts";
import type { Messaging } from "../datagrams.ts";
import { invalidArgument, outOfRange } from "../errors.ts";
import { Claim } from "./claim.ts";
import {
  destinationIn,
  droppedIn,
  hopLimitIn,
  segmentBytesIn,
  timestampIn,
  trafficClassIn,
} from "./fields.ts";
import type { PacketInfo } from "./fields.ts";
import { Known } from "./known.ts";

/** Messages taken at a time, unless told otherwise. As many as a queue of the usual size (rmem_default) holds. */
const MESSAGES = 64;
/** Room for each: more than an Ethernet frame brings. */
const BYTES = 2048;
/** Room for a message that GRO put together: the longest that IP carries (RFC 791). */
const GRO_BYTES = 65_535;
/** Room for the control data of each: all fields of both IP versions at once. */
const CONTROL_BYTES = 256;
/** Control data begins where a struct cmsghdr may stand. */
const CONTROL_ALIGNMENT = 8;
/** Memory of one batch: places in it are 32-bit numbers, and 1 GiB is more than any queue holds. */
export const BATCH_BYTES_MAX: number = 2 ** 30;
const CONTROL_BYTES_MAX = 65_536;

const CLOEXEC = MSG_CMSG_CLOEXEC > 0 ? MSG_CMSG_CLOEXEC : 0;

/** What a ReceiveBatch is made of. */
export interface ReceiveBatchOptions {
  /** Messages that one receive takes at most: 1 to 1024 (UIO_MAXIOV, recvmmsg(2)). Default 64. */
  messagesMax?: number | undefined;
  /** Room for the bytes of each message. Default 2048; with `gro` 65,535, and nothing smaller is sound then. */
  bytesMax?: number | undefined;
  /** Room for the control data of each message, up to 64 KiB. Default 256: every field at once. */
  controlBytesMax?: number | undefined;
  /**
   * Asks for UDP_GRO on each UDP socket that receives with this batch: the kernel then hands over datagrams of one peer
   * that came in a row in one piece, which is taken apart again here. From then on receive from that socket by batches
   * only: recv() and recvfrom() would give such a piece as one datagram. Default false.
   */
  gro?: boolean | undefined;
}

const senders = new Known<AnyAddress>();

/** Whether the bytes alone say what an address is, and nobody can change it afterwards. */
function isKeepable(family: number, address: AnyAddress): boolean {
  if (family === AF_UNIX) return typeof address === "string";
  return family === AF_INET || family === AF_INET6;
}

/**
 * Memory that recvmmsg() fills with many datagrams at once.
 *
 * **The memory is used again.** What data() gives is a view of it, good until the next recvmmsg() with this batch, which
 * writes other datagrams there. Copy what is to be kept: `Buffer.from(batch.data(i))`. Numbers, addresses and all else
 * are values of their own.
 *
 * ```ts
 * const batch = new ReceiveBatch();
 * for (;;) {
 *   const count = await sock.recvmmsg(batch);
 *   for (let i = 0; i < count; i++) handle(batch.data(i), batch.address(i));
 * }
 * ```
 */
export class ReceiveBatch {
  /** The memory that datagrams are in, at offset(i) each. */
  readonly memory: Buffer;
  /** Messages that one receive takes at most. */
  readonly messagesMax: number;
  /** Room for each message, in bytes. */
  readonly bytesMax: number;
  /** @internal */
  readonly claim: Claim = new Claim("batch");
  /** Entries as native/batches.ts has them. @internal */
  readonly headers: Uint32Array;
  /** @internal */
  readonly control: Uint8Array;
  /** Of each message. @internal */
  readonly controlBytesMax: number;
  /** What is asked of the sockets. @internal */
  readonly asksForGro: boolean;
  /** Whether the last socket granted it. @internal */
  gro = false;
  /** recvmmsg was refused: recvmsg, again and again, does its work. @internal */
  oneByOne = false;

  readonly #controlWords: Uint32Array;
  readonly #names: Uint8Array;
  #socket: Messaging | undefined = undefined;
  #count = 0;
  // Of each datagram: its message, where it begins, and its length, which may be more than there was room for.
  #messages: Uint32Array;
  #offsets: Uint32Array;
  #lengths: Uint32Array;
  /** Views that were given out: traffic of one size finds them all made. */
  readonly #views: (Buffer | undefined)[] = [];

  /**
   * @throws {RangeError} ERR_OUT_OF_RANGE: an option, or more than 1 GiB in all.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE.
   */
  constructor(options: ReceiveBatchOptions = {}) {
    if (typeof options !== "object" || options === null)
      throw invalidArgument("options", "an object", options);
    const { gro = false, messagesMax = MESSAGES, controlBytesMax = CONTROL_BYTES } = options;
    if (typeof gro !== "boolean") throw invalidArgument("options.gro", "a boolean", gro);
    const { bytesMax = gro ? GRO_BYTES : BYTES } = options;
    this.messagesMax = checkInteger("options.messagesMax", messagesMax, 1, BATCH_MESSAGES_MAX);
    this.bytesMax = checkInteger("options.bytesMax", bytesMax, 1, BATCH_BYTES_MAX);
    const controlBytes = checkInteger("options.controlBytesMax", controlBytesMax, 0, CONTROL_BYTES_MAX);
    if (messagesMax * bytesMax > BATCH_BYTES_MAX)
      throw outOfRange(
        "options.messagesMax × options.bytesMax",
        `at most ${BATCH_BYTES_MAX}`,
        messagesMax * bytesMax,
      );
    this.controlBytesMax = (controlBytes + CONTROL_ALIGNMENT - 1) & -CONTROL_ALIGNMENT;
    this.asksForGro = gro;
    this.memory = Buffer.alloc(messagesMax * bytesMax);
    this.headers = new Uint32Array(messagesMax * RECEIVED_WORDS);
    this.#names = new Uint8Array(this.headers.buffer);
    this.control = new Uint8Array(messagesMax * this.controlBytesMax);
    this.#controlWords = new Uint32Array(this.control.buffer);
    this.#messages = new Uint32Array(messagesMax);
    this.#offsets = new Uint32Array(messagesMax);
    this.#lengths = new Uint32Array(messagesMax);
  }

  /** How many datagrams the last receive brought; 0 while one waits. */
  get count(): number {
    return this.#count;
  }

  /**
   * What it runs with: `call`, "recvmmsg", or "recvmsg" where the system has refused that (ENOSYS, or a seccomp filter);
   * `gro`, whether the socket of the last receive was asked for UDP_GRO and granted it.
   */
  get runsWith(): { readonly call: "recvmmsg" | "recvmsg"; readonly gro: boolean } {
    return { call: this.oneByOne ? "recvmsg" : "recvmmsg", gro: this.gro };
  }

  /** The bytes of datagram `i`: a view of the memory, **good until the next receive with this batch**. */
  data(i: number): Buffer {
    this.#check(i);
    const at = this.#offsets[i] as number;
    const size = this.#held(i);
    const known = this.#views[i];
    if (known !== undefined && known.byteOffset === at && known.length === size) return known;
    return (this.#views[i] = this.memory.subarray(at, at + size));
  }

  /** Where in `memory` datagram `i` begins. */
  offset(i: number): number {
    this.#check(i);
    return this.#offsets[i] as number;
  }

  /** The length of datagram `i`; more than data(i) has where there was no room for all of it (MSG_TRUNC). */
  length(i: number): number {
    this.#check(i);
    return this.#lengths[i] as number;
  }

  /**
   * Who sent datagram `i`, as recvfrom() tells it. A peer that was seen lately has the same tuple each time: it is frozen.
   * Its type is the program's to say, which knows the family.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters
  address<A extends AnyAddress = Address>(i: number): A {
    this.#check(i);
    const socket = this.#socket as Messaging;
    const at = (this.#messages[i] as number) * RECEIVED_WORDS;
    const length = this.headers[at + RECEIVED_NAME_LENGTH] as number;
    if (length === 0) return socket.unnamedSender() as A;
    const known = senders.find(this.headers, at, length);
    if (known !== undefined) return known as A;
    const view = this.#names.subarray(at * 4, (at + RECEIVED_WORDS) * 4);
    const address = decodeAddress<AnyAddress>(view, socket.proto);
    if (!isKeepable(socket.family, address)) return address as A;
    return senders.keep(this.headers, at, length, Object.freeze(address)) as A;
  }

  /**
   * Where datagram `i` went, and the index of the interface by which it came; undefined until the socket is asked for it:
   * `sock.options.IP_PKTINFO = true`, for IPv6 `IPV6_RECVPKTINFO`. The object is frozen.
   */
  destination(i: number): PacketInfo | undefined {
    const from = this.#controlOf(i);
    return destinationIn(this.control, this.#controlWords, from, this.#controlEnd(i));
  }

  /** TTL or hop limit of datagram `i`; undefined without IP_RECVTTL or IPV6_RECVHOPLIMIT. */
  hopLimit(i: number): number | undefined {
    return hopLimitIn(this.control, this.#controlOf(i), this.#controlEnd(i));
  }

  /** TOS or traffic class of datagram `i`, 0 to 255; undefined without IP_RECVTOS or IPV6_RECVTCLASS. */
  trafficClass(i: number): number | undefined {
    return trafficClassIn(this.control, this.#controlOf(i), this.#controlEnd(i));
  }

  /** ECN of datagram `i`, the lowest two bits of its traffic class (RFC 3168): 3 says that there was congestion. */
  ecn(i: number): number | undefined {
    const trafficClass = this.trafficClass(i);
    return trafficClass === undefined ? undefined : trafficClass & 3;
  }

  /** When the kernel received datagram `i`, in nanoseconds since 1970; undefined without SO_TIMESTAMPNS. */
  timestamp(i: number): bigint | undefined {
    return timestampIn(this.control, this.#controlOf(i), this.#controlEnd(i));
  }

  /** How many datagrams the socket had dropped for want of room before `i`; undefined without SO_RXQ_OVFL, or if none. */
  dropped(i: number): number | undefined {
    return droppedIn(this.control, this.#controlOf(i), this.#controlEnd(i));
  }

  /** Flags of datagram `i`: MSG_TRUNC, it is longer than there was room for; MSG_CTRUNC, its control data is; MSG_EOR… */
  flags(i: number): number {
    this.#check(i);
    const message = this.#messages[i] as number;
    const flags = (this.headers[message * RECEIVED_WORDS + RECEIVED_FLAGS] as number) & ~CLOEXEC;
    if (this.#held(i) < (this.#lengths[i] as number)) return flags | MSG_TRUNC;
    // Of several that came as one only those at its end were cut.
    return this.headers[message * RECEIVED_WORDS + RECEIVED_LENGTH] === this.#lengths[i]
      ? flags
      : flags & ~MSG_TRUNC;
  }

  /**
   * All control messages of datagram `i`, as recvmsg() gives them. Descriptors that came (SCM_RIGHTS) are closed already
   * and their numbers mean nothing: recvmsg() and recv_fds() hand them over.
   */
  ancillary(i: number): ReceivedAncillary[] {
    const from = this.#controlOf(i);
    const end = this.#controlEnd(i);
    return decodeAncillary(this.control.subarray(from, end), end - from);
  }

  /** What came before is gone, and nothing has come yet. @internal */
  clear(): void {
    this.#count = 0;
  }

  /** Messages were written into the memory; how many datagrams they are. @internal */
  received(socket: Messaging, messages: number): number {
    this.#socket = socket;
    const { headers, bytesMax } = this;
    let count = 0;
    for (let message = 0; message < messages; message++) {
      const at = message * RECEIVED_WORDS;
      const length = headers[at + RECEIVED_LENGTH] as number;
      const controlLength = headers[at + RECEIVED_CONTROL_LENGTH] as number;
      const from = message * this.controlBytesMax;
      const segment = controlLength === 0 ? 0 : segmentBytesIn(this.control, from, from + controlLength);
      const step = segment === 0 ? length : segment;
      const begin = message * bytesMax;
      let done = 0;
      do {
        if (count === this.#messages.length) this.#grow();
        this.#messages[count] = message;
        // One that lies beyond the room of its message has nothing there.
        this.#offsets[count] = begin + (done < bytesMax ? done : bytesMax);
        this.#lengths[count] = length - done < step ? length - done : step;
        count++;
        done += step;
      } while (done < length);
    }
    return (this.#count = count);
  }

  /** Where the control data of message `i` lies, for who looks at it as it comes. @internal */
  controlAt(message: number): Uint8Array {
    const from = message * this.controlBytesMax;
    const length = this.headers[message * RECEIVED_WORDS + RECEIVED_CONTROL_LENGTH] as number;
    return this.control.subarray(from, from + length);
  }

  #check(i: number): void {
    if (!(i >= 0 && i < this.#count) || i !== Math.floor(i))
      throw outOfRange("i", `a whole number below count, which is ${this.#count}`, i);
  }

  /** How many bytes of datagram `i` there are. */
  #held(i: number): number {
    const end = ((this.#messages[i] as number) + 1) * this.bytesMax;
    const room = end - (this.#offsets[i] as number);
    const length = this.#lengths[i] as number;
    return length < room ? length : room;
  }

  #controlOf(i: number): number {
    this.#check(i);
    return (this.#messages[i] as number) * this.controlBytesMax;
  }

  #controlEnd(i: number): number {
    const message = this.#messages[i] as number;
    const length = this.headers[message * RECEIVED_WORDS + RECEIVED_CONTROL_LENGTH] as number;
    return message * this.controlBytesMax + Math.min(length, this.controlBytesMax);
  }

  /** More datagrams than messages: GRO. A message has at most 65,535 bytes, so there is an end to it. */
  #grow(): void {
    const size = this.#messages.length * 2;
    const longer = (table: Uint32Array): Uint32Array => {
      const grown = new Uint32Array(size);
      grown.set(table);
      return grown;
    };
    this.#messages = longer(this.#messages);
    this.#offsets = longer(this.#offsets);
    this.#lengths = longer(this.#lengths);
  }
}
