// Many datagrams to be sent, in the order in which they were added: what a program sees of them. All that is given is
// copied in at once (queue.ts), so that all errors of what was given come at once. No call is made here: sending.ts makes
// it.

import { AF_INET, UDP_SEGMENT } from "../../constants/index.ts";
import { decodeAddress, encodeAddress, makeAddressView } from "../address.ts";
import type { AnyAddress } from "../address.ts";
import { writeLength } from "../address/view.ts";
import { checkInteger } from "../base.ts";
import { bytesOf } from "../bytes.ts";
import type { Data } from "../bytes.ts";
import { sameAddress } from "../datagrams.ts";
import { invalidArgument, outOfRange } from "../errors.ts";
import { Claim } from "./claim.ts";
import { encodeDatagramOptions, sameOptions } from "./fields.ts";
import type { DatagramOptions } from "./fields.ts";
import { Queue, SEGMENTED_BYTES_MAX } from "./queue.ts";
import { BATCH_BYTES_MAX } from "./receive-batch.ts";

/** Datagrams held, unless told otherwise: as many messages as one sendmmsg(2) takes. */
const DATAGRAMS = 1024;
/** Bytes held: 1 MiB, which stays in a processor's cache. */
const BYTES = 1_048_576;
const DATAGRAMS_MAX = 1_048_576;

/** Control data of one datagram at most: more than the kernel takes (net.core.optmem_max is 128 KiB). */
const CONTROL_BYTES_MAX = 131_072;

const NOTHING = new Uint8Array(0);

/** What a SendBatch is made of. */
export interface SendBatchOptions {
  /** Address family of the sockets that send it, AF_*. Default AF_INET. */
  family?: number | undefined;
  /** Datagrams that it holds at most: 1 to 1,048,576. Default 1024. */
  datagramsMax?: number | undefined;
  /** Bytes that it holds at most, of all datagrams together. Default 1 MiB. */
  bytesMax?: number | undefined;
  /** Hands datagrams of one size to one peer to the kernel in one piece, where it can cut that (UDP_SEGMENT). Default true. */
  gso?: boolean | undefined;
}

/**
 * Datagrams for sendmmsg(), which sends them all, in order, in as few calls as it can.
 *
 * It is a queue: add() puts a datagram at its end, and what was sent has left it. After sendmmsg() it is empty and its
 * memory free for the next ones; after an error or an abort it holds what was not sent, and sendmmsg() goes on with that.
 *
 * ```ts
 * const batch = new SendBatch({ family: AF_INET6 });
 * for (const peer of peers) batch.add(data, peer);
 * await sock.sendmmsg(batch);
 * ```
 */
export class SendBatch {
  /** Address family of the sockets that send it. */
  readonly family: number;
  /** Datagrams that it holds at most. */
  readonly datagramsMax: number;
  /** Bytes that it holds at most. */
  readonly bytesMax: number;
  /** @internal */
  readonly claim: Claim = new Claim("batch");
  /** @internal */
  readonly queue: Queue;
  /** The longest datagram that may be sent in a message with others; 0: none is. @internal */
  segmentBytesMax: number;
  /** sendmmsg was refused: sendmsg, again and again, does its work. @internal */
  oneByOne = false;
  /** The kernel was asked whether it knows UDP_SEGMENT. @internal */
  probed = false;

  // What the datagram before was sent with, as most are.
  #address: AnyAddress | undefined = undefined;
  #options: DatagramOptions | undefined = undefined;
  readonly #view: Uint8Array = makeAddressView();

  /**
   * @throws {RangeError} ERR_OUT_OF_RANGE: an option.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE.
   */
  constructor(options: SendBatchOptions = {}) {
    if (typeof options !== "object" || options === null)
      throw invalidArgument("options", "an object", options);
    const { family = AF_INET, datagramsMax = DATAGRAMS, bytesMax = BYTES, gso = true } = options;
    if (typeof gso !== "boolean") throw invalidArgument("options.gso", "a boolean", gso);
    this.family = checkInteger("options.family", family, 0, 65_535);
    this.datagramsMax = checkInteger("options.datagramsMax", datagramsMax, 1, DATAGRAMS_MAX);
    this.bytesMax = checkInteger("options.bytesMax", bytesMax, 0, BATCH_BYTES_MAX);
    this.segmentBytesMax = gso && UDP_SEGMENT > 0 ? SEGMENTED_BYTES_MAX : 0;
    this.queue = new Queue(this.bytesMax);
  }

  /** How many datagrams it holds, not yet sent. */
  get count(): number {
    return this.queue.count;
  }

  /**
   * What it runs with: `call`, "sendmmsg", or "sendmsg" where the system has refused that (ENOSYS, or a seccomp filter);
   * `gso`, whether datagrams of one size are handed over in one piece. A network card that cannot compute checksums makes
   * it false (EIO), a kernel without UDP_SEGMENT too.
   */
  get runsWith(): { readonly call: "sendmmsg" | "sendmsg"; readonly gso: boolean } {
    return { call: this.oneByOne ? "sendmsg" : "sendmmsg", gso: this.segmentBytesMax > 0 };
  }

  /** Whether there is room for so many more datagrams with so many bytes in all. */
  hasRoom(bytes: number, datagrams: number = 1): boolean {
    const { added, dataEnd } = this.queue;
    return dataEnd + bytes <= this.bytesMax && added + datagrams <= this.datagramsMax;
  }

  /**
   * Adds a datagram at the end. All that is given is copied: it is yours again at once.
   *
   * @param data     its bytes; strings as UTF-8.
   * @param address  where it goes: the family's address, with a numeric host (a batch looks no names up); `null`
   *   (default): to the peer of a connected socket.
   * @param options  what it alone is sent with; `segmentBytes` makes several datagrams of `data`.
   * @throws {RangeError} ERR_OUT_OF_RANGE: there is no room for it (hasRoom() says so beforehand), or a field is wrong.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE; ERR_INVALID_STATE: a sendmmsg() waits with this batch.
   * @throws {AddressError} EAI_NONAME: the host is not numeric.
   */
  add(data: Data, address: AnyAddress | null = null, options?: DatagramOptions): void {
    this.claim.check();
    const { queue, segmentBytesMax } = this;
    const bytes = bytesOf("data", data);
    const { length } = bytes;
    const segment = segmentOf(length, options);
    const datagrams = length <= segment ? 1 : Math.ceil(length / segment);
    if (!this.hasRoom(length, datagrams)) throw this.#full(length, datagrams);
    if (queue.added === 0) this.#address = this.#options = undefined;
    const control = sameOptions(this.#options, options) ? undefined : this.#encodeOptions(options);
    if (address === null) this.#address = undefined;
    else if (this.#address === undefined || !sameAddress(this.#address, address)) this.#setAddress(address);
    if (address === null) queue.setNoName();
    if (control !== undefined) {
      queue.setControl(control);
      this.#options = options && { ...options, source: options.source && { ...options.source } };
    }
    queue.data.set(bytes, queue.dataEnd);
    if (datagrams === 1) queue.push(length, segmentBytesMax);
    else
      for (let left = length; left > 0; left -= segment)
        queue.push(left < segment ? left : segment, segmentBytesMax);
  }

  /**
   * Takes the first datagrams off, unsent: after an error the one that failed, so that sendmmsg() can go on behind it.
   *
   * @returns how many there were to take, at most `datagrams`.
   */
  drop(datagrams: number = 1): number {
    this.claim.check();
    const count = Math.min(checkInteger("datagrams", datagrams, 0, DATAGRAMS_MAX), this.queue.count);
    this.queue.advance(count);
    return count;
  }

  /** Takes all of them off. */
  clear(): void {
    this.claim.check();
    this.queue.clear();
  }

  /** The address of the first datagram, for messages. @internal */
  firstAddress(proto: number): AnyAddress | undefined {
    const name = this.queue.firstName;
    if (name.length === 0) return undefined;
    const view = makeAddressView();
    view.set(name);
    writeLength(view, name.length);
    return decodeAddress<AnyAddress>(view, proto);
  }

  /** Encodes an address that is not the last one. The tuple is copied: the program may change its own later. */
  #setAddress(address: AnyAddress): void {
    const length = encodeAddress(this.family, address, this.#view);
    this.queue.setName(this.#view, length);
    this.#address = Array.isArray(address) ? (address.slice() as unknown as AnyAddress) : address;
  }

  #encodeOptions(options: DatagramOptions | undefined): Uint8Array {
    if (options === undefined) return NOTHING;
    const control = encodeDatagramOptions(this.family, options);
    if (control.length > CONTROL_BYTES_MAX)
      throw outOfRange("options' control data", `at most ${CONTROL_BYTES_MAX} bytes`, control.length);
    return control;
  }

  #full(bytes: number, datagrams: number): Error {
    const { added, dataEnd } = this.queue;
    const left = `${this.datagramsMax - added} datagrams with ${this.bytesMax - dataEnd} bytes`;
    return outOfRange("data", `at most ${left}, which is the room left`, `${datagrams} with ${bytes}`);
  }
}

/** The size of the datagrams that data is cut into. */
function segmentOf(length: number, options: DatagramOptions | undefined): number {
  if (options?.segmentBytes === undefined) return length;
  return checkInteger("options.segmentBytes", options.segmentBytes, 1, SEGMENTED_BYTES_MAX);
}
