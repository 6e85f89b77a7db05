// The memory of datagrams that wait to be sent: their bytes, addresses and control data one behind the other, and a table
// of messages that says where each lies. Datagrams of one size that follow each other to one peer with the same control
// data are one message, which the kernel can cut (UDP_SEGMENT, "GSO"); it can be described datagram by datagram all the
// same. It knows lengths and places, and nothing of what lies there.

import { IPPROTO_UDP, UDP_SEGMENT } from "../../constants/index.ts";
import { OUTGOING_WORDS } from "../../native/batches.ts";
import { ADDRESS_BYTES, writeU16 } from "../address/view.ts";
import { writeControl } from "../ancillary.ts";
import { CMSG_SPACE } from "../names/numbers.ts";

/** Datagrams in one message with UDP_SEGMENT: UDP_MAX_SEGMENTS of linux/udp.h when it came (Linux 4.18); newer take more. */
const SEGMENTS_MAX = 64;
/** Bytes in one: the longest UDP payload of IPv4, 65,535 - 20 - 8 (RFC 791, RFC 768); udp(7). */
export const SEGMENTED_BYTES_MAX = 65_507;

/** The control message UDP_SEGMENT: a u16. */
const SEGMENT_CONTROL_BYTES: number = CMSG_SPACE(2);

// Words of an entry of the table: a message of one datagram or of several of one size.
const DATA_AT = 0;
const DATA_LENGTH = 1;
const NAME_AT = 2;
const NAME_LENGTH = 3;
/** Its control data; that for UDP_SEGMENT follows, if there are several datagrams. */
const CONTROL_AT = 4;
const CONTROL_LENGTH = 5;
const DATAGRAMS_IN = 6;
/** Bytes of each datagram but the last. */
const SEGMENT = 7;
const WORDS = 8;

/** What one call sends. */
export interface Window {
  /** For native/batches.ts. */
  readonly messages: Uint32Array;
  /** How many datagrams each has. */
  readonly datagrams: Uint32Array;
  count: number;
}

/** Datagrams in the order in which they are sent. */
export class Queue {
  readonly data: Buffer;
  names: Uint8Array = new Uint8Array(ADDRESS_BYTES);
  control: Uint8Array = new Uint8Array(4 * SEGMENT_CONTROL_BYTES);
  /** Datagrams that wait. */
  count = 0;
  /** Datagrams added since it was empty, and where their bytes and addresses end. */
  added = 0;
  dataEnd = 0;
  nameEnd = 0;

  #controlEnd = 0;
  #table: Uint32Array = new Uint32Array(16 * WORDS);
  /** The first message that was not sent as a whole, and how many datagrams of it were. */
  #head = 0;
  #headDone = 0;
  /** Where the next message goes. */
  #tail = 0;
  // The address and control data of the next datagrams.
  #nameAt = 0;
  #nameLength = 0;
  #controlAt = 0;
  #controlLength = 0;
  /** Whether the last message may take one more datagram. */
  #open = false;
  /** The control data of its datagrams, each for itself. */
  #openControlAt = 0;
  #openControlLength = 0;
  // The control data with UDP_SEGMENT that was made last, and of which.
  #segmentedAt = -1;
  #segmentedOf = 0;
  #segmentedOfLength = 0;
  #segmentedBytes = 0;

  constructor(bytesMax: number) {
    this.data = Buffer.alloc(bytesMax);
  }

  /** The address of the next datagrams. */
  setName(view: Uint8Array, length: number): void {
    this.names = roomIn(this.names, this.nameEnd + length);
    for (let i = 0; i < length; i++) this.names[this.nameEnd + i] = view[i] as number;
    this.#nameAt = this.nameEnd;
    this.#nameLength = length;
    this.nameEnd += length;
  }

  /** The next datagrams go to the peer of a connected socket. */
  setNoName(): void {
    this.#nameLength = 0;
  }

  /** The control data of the next datagrams. */
  setControl(control: Uint8Array): void {
    const { length } = control;
    this.control = roomIn(this.control, this.#controlEnd + length);
    this.control.set(control, this.#controlEnd);
    this.#controlAt = this.#controlEnd;
    this.#controlLength = length;
    this.#controlEnd += length;
  }

  /**
   * Adds a datagram of the bytes that lie behind the others: to the last message if it goes with it.
   *
   * @param segmentMax  the longest datagram that may go with others in a message.
   */
  push(length: number, segmentMax: number): void {
    if (!this.#join(length)) {
      const at = this.#tail++ * WORDS;
      this.#table = wordsIn(this.#table, at + WORDS);
      const table = this.#table;
      table[at + DATA_AT] = this.dataEnd;
      table[at + DATA_LENGTH] = length;
      table[at + NAME_AT] = this.#nameAt;
      table[at + NAME_LENGTH] = this.#nameLength;
      table[at + CONTROL_AT] = this.#controlAt;
      table[at + CONTROL_LENGTH] = this.#controlLength;
      table[at + DATAGRAMS_IN] = 1;
      table[at + SEGMENT] = length;
      this.#open = length > 0 && length <= segmentMax;
      this.#openControlAt = this.#controlAt;
      this.#openControlLength = this.#controlLength;
    }
    this.dataEnd += length;
    this.count++;
    this.added++;
  }

  #join(length: number): boolean {
    if (!this.#open || length === 0) return false;
    const table = this.#table;
    const at = (this.#tail - 1) * WORDS;
    const segment = table[at + SEGMENT] as number;
    const datagrams = table[at + DATAGRAMS_IN] as number;
    const whole = (table[at + DATA_LENGTH] as number) + length;
    if (
      length > segment ||
      datagrams === SEGMENTS_MAX ||
      whole > SEGMENTED_BYTES_MAX ||
      table[at + NAME_LENGTH] !== this.#nameLength ||
      (this.#nameLength > 0 && table[at + NAME_AT] !== this.#nameAt) ||
      this.#openControlLength !== this.#controlLength ||
      (this.#controlLength > 0 && this.#openControlAt !== this.#controlAt)
    )
      return false;
    if (datagrams === 1) table[at + CONTROL_AT] = this.#segmented(segment);
    table[at + DATA_LENGTH] = whole;
    table[at + DATAGRAMS_IN] = datagrams + 1;
    // Only the last one may be shorter.
    this.#open = length === segment;
    return true;
  }

  /** Where the present control data lies with UDP_SEGMENT behind it. */
  #segmented(bytes: number): number {
    const from = this.#controlAt;
    const length = this.#controlLength;
    if (
      this.#segmentedAt >= 0 &&
      this.#segmentedBytes === bytes &&
      this.#segmentedOfLength === length &&
      (length === 0 || this.#segmentedOf === from)
    )
      return this.#segmentedAt;
    const at = this.#controlEnd;
    this.control = roomIn(this.control, at + length + SEGMENT_CONTROL_BYTES);
    this.control.copyWithin(at, from, from + length);
    this.control.fill(0, at + length, at + length + SEGMENT_CONTROL_BYTES);
    writeU16(segmentBytes, 0, bytes);
    this.#controlEnd = writeControl(this.control, at + length, IPPROTO_UDP, UDP_SEGMENT, segmentBytes);
    this.#segmentedOf = from;
    this.#segmentedOfLength = length;
    this.#segmentedBytes = bytes;
    return (this.#segmentedAt = at);
  }

  /** The bytes of the first datagram's address; none if it goes to a connected peer. */
  get firstName(): Uint8Array {
    if (this.count === 0) return this.names.subarray(0, 0);
    const at = this.#head * WORDS;
    const nameAt = this.#table[at + NAME_AT] as number;
    return this.names.subarray(nameAt, nameAt + (this.#table[at + NAME_LENGTH] as number));
  }

  /** Of the first message: the size of the datagrams that it is cut into if it is sent whole; 0: it is one datagram. */
  get firstSegment(): number {
    const at = this.#head * WORDS;
    if (this.count === 0 || this.#headDone > 0 || this.#table[at + DATAGRAMS_IN] === 1) return 0;
    return this.#table[at + SEGMENT] as number;
  }

  /**
   * Describes what comes first, for one call.
   *
   * @param most        messages at most.
   * @param segmentMax  the longest datagram that may be sent in a message with others; longer ones go one by one.
   */
  describe(window: Window, most: number, segmentMax: number): void {
    const table = this.#table;
    window.count = 0;
    let done = this.#headDone;
    for (let message = this.#head; message < this.#tail && window.count < most; message++, done = 0) {
      const at = message * WORDS;
      const datagrams = table[at + DATAGRAMS_IN] as number;
      const segment = table[at + SEGMENT] as number;
      const length = table[at + DATA_LENGTH] as number;
      if (datagrams === 1) this.#describe(window, at, 0, length, 1);
      else if (done === 0 && segment <= segmentMax) this.#describe(window, at, 0, length, datagrams);
      else
        for (; done < datagrams && window.count < most; done++) {
          const from = done * segment;
          this.#describe(window, at, from, Math.min(segment, length - from), 1);
        }
    }
  }

  /** `length` bytes of a message, which are so many datagrams of it, as one for the kernel. */
  #describe(window: Window, at: number, from: number, length: number, datagrams: number): void {
    const table = this.#table;
    const { messages } = window;
    const index = window.count++;
    const to = index * OUTGOING_WORDS;
    const more = datagrams === 1 ? 0 : SEGMENT_CONTROL_BYTES;
    messages[to] = (table[at + DATA_AT] as number) + from;
    messages[to + 1] = length;
    messages[to + 2] = table[at + NAME_AT] as number;
    messages[to + 3] = table[at + NAME_LENGTH] as number;
    messages[to + 4] = table[at + CONTROL_AT] as number;
    messages[to + 5] = (table[at + CONTROL_LENGTH] as number) + more;
    window.datagrams[index] = datagrams;
  }

  /** The first datagrams have left. When it is empty, its memory is free again. */
  advance(datagrams: number): void {
    this.count -= datagrams;
    if (this.count === 0) {
      this.clear();
      return;
    }
    let left = datagrams + this.#headDone;
    for (;;) {
      const inside = this.#table[this.#head * WORDS + DATAGRAMS_IN] as number;
      if (left < inside) break;
      left -= inside;
      this.#head++;
    }
    this.#headDone = left;
  }

  /** Forgets all of it, and what the next datagrams were to be sent with. */
  clear(): void {
    this.count = this.added = 0;
    this.#head = this.#headDone = this.#tail = 0;
    this.dataEnd = this.nameEnd = this.#controlEnd = 0;
    this.#nameLength = this.#controlLength = 0;
    this.#open = false;
    this.#segmentedAt = -1;
  }
}

const segmentBytes = new Uint8Array(2);

/** Memory that grows by doubling. */
function roomIn(memory: Uint8Array, bytes: number): Uint8Array {
  if (bytes <= memory.length) return memory;
  const grown = new Uint8Array(Math.max(bytes, memory.length * 2));
  grown.set(memory);
  return grown;
}

function wordsIn(table: Uint32Array, words: number): Uint32Array {
  if (words <= table.length) return table;
  const grown = new Uint32Array(table.length * 2);
  grown.set(table);
  return grown;
}
