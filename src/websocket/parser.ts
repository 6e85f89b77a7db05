// Frames from bytes, and messages from frames: RFC 6455 section 5. Pulls: give it what arrived, ask until it needs more. It
// knows no socket, and does not decompress: a compressed message is told as it came.
//
// How it stays linear. A head has 14 bytes at most, and is looked at again until it is whole. A payload is unmasked where it
// lies, in the memory that was received, once, as far as it has come, and text is checked in the same go. What is not
// whole yet is kept in pieces (wire/content-pieces.ts), and put together once.
//
// What it holds: one message within the limits, one control frame, and what the last receive() brought. Nothing is set
// aside for what a head announces.

import { ByteQueue } from "../wire/byte-queue.ts";
import { ContentPieces, VIEW_PART_MIN } from "../wire/content-pieces.ts";
import { NEED_DATA } from "../wire/need-data.ts";
import type {
  BinaryMessage,
  CompressedMessage,
  ConnectionEnd,
  TextMessage,
  WebSocketEvent,
} from "./events.ts";
import { afterStep } from "./state.ts";
import type { SideState, Step } from "./state.ts";
import { refusal } from "./syntax/errors.ts";
import {
  CLOSE,
  CLOSE_NONE,
  CONTINUATION,
  CONTROL_MIN,
  FIN,
  LENGTH_IN_2,
  MASKED,
  PING,
  PONG,
  RSV,
  RSV1,
  SHORT_LENGTH_MAX,
  TEXT,
  BINARY,
  isSendableCloseCode,
} from "./syntax/frames.ts";
import { limitsFrom } from "./syntax/limits.ts";
import type { WebSocketLimits } from "./syntax/limits.ts";
import { mask, maskedCopy } from "./syntax/masking.ts";
import { Utf8Checker, notUtf8, readText } from "./syntax/utf8.ts";

/** What a parser must know of its peer. */
export interface WebSocketParserOptions {
  /** Whose bytes they are: a client's are masked, a server's are not. */
  readonly from: "client" | "server";
  /** What is given here stands over the defaults, WEBSOCKET_LIMITS. */
  readonly limits?: Partial<WebSocketLimits> | undefined;
  /** permessage-deflate was agreed on, so that messages may be compressed. Default false. */
  readonly compression?: boolean | undefined;
}

const CLOSED: ConnectionEnd = Object.freeze({ type: "closed" });
const NOTHING: Buffer = Buffer.alloc(0);

/** Parses what one side of a WebSocket sends. */
export class WebSocketParser {
  readonly #limits: WebSocketLimits;
  readonly #masked: boolean;
  /** Bits of the first byte that may not be set. */
  readonly #reserved: number;
  readonly #queue: ByteQueue = new ByteQueue();
  #side: SideState = "open";
  #ended = false;
  /** What it holds lies in memory of somebody else's. */
  #isLent = false;
  #failure: Error | undefined = undefined;

  // The head that was read last.
  #step: Step = "whole";
  #opcode = 0;
  #length = 0;
  #key = 0;

  // The message that is being read, of which more is to come.
  #pieces: ContentPieces | undefined = undefined;
  #utf8: Utf8Checker | undefined = undefined;
  #messageOpcode = 0;
  #compressed = false;
  /** Its bytes in frames whose heads were read. */
  #messageBytes = 0;
  /** A frame of it is being read: bytes left, and which byte of the key is next. */
  #inFrame = false;
  #left = 0;
  #phase = 0;

  constructor(options: WebSocketParserOptions) {
    this.#limits = limitsFrom(options.limits);
    this.#masked = options.from === "client";
    this.#reserved = options.compression === true ? RSV & ~RSV1 : RSV;
  }

  /** Where the peer stands. */
  get side(): SideState {
    return this.#side;
  }

  /** How many bytes it holds that are not parsed yet. */
  get pendingBytes(): number {
    return this.#queue.length;
  }

  /** Gives it bytes that arrived. They belong to the parser from now on, and it writes to them: leave their memory alone. */
  receive(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * Gives it bytes that lie in memory of somebody else from 0 on: it writes to them, hands out none of them, and needs them
   * until keep(). @internal
   */
  receiveLent(memory: Buffer, count: number): void {
    this.#isLent = true;
    this.#queue.pushPart(memory, 0, count);
  }

  /** What is left of lent bytes is copied: their memory is its owner's again. @internal */
  keep(): void {
    if (!this.#isLent) return;
    this.#isLent = false;
    const queue = this.#queue;
    if (queue.length === 0) return;
    const rest = queue.take();
    queue.push(maskedCopy(rest, 0, rest.length, 0));
  }

  /** Tells it that the peer has ended. */
  receiveEnd(): void {
    this.#ended = true;
  }

  /**
   * The next event.
   *
   * @returns NEED_DATA: give it more, or the end.
   * @throws {RemoteProtocolError} ERR_WEBSOCKET_…: the bytes are refused (syntax/errors.ts has all codes), now and at every
   *   further call; closeCodeOfRefusal() gives what the peer is told. ERR_WEBSOCKET_UNEXPECTED_END: no Close came before
   *   the end.
   */
  next(): WebSocketEvent | typeof NEED_DATA {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (;;) {
        const event = this.#inFrame ? this.#readPayload() : this.#readFrame();
        if (event !== undefined) return event;
      }
    } catch (error) {
      this.#failure = error as Error;
      throw error;
    }
  }

  /** A whole frame or the head of one; undefined: it was no event yet, and another step follows. */
  #readFrame(): WebSocketEvent | typeof NEED_DATA | undefined {
    const queue = this.#queue;
    if (this.#side === "closed") return this.#passOver();
    const available = queue.length;
    if (available < 2) return this.#wait();
    const { memory, start } = queue;
    const headBytes = this.#readHead(memory, start, available);
    if (headBytes === 0) return this.#wait();
    const length = this.#length;
    const size = headBytes + length;
    if (this.#opcode >= CONTROL_MIN) {
      if (available < size) return this.#wait();
      this.#move();
      const bytes = this.#payload(memory, start + headBytes, length, available);
      queue.skip(size);
      return this.#control(bytes);
    }
    this.#checkSize(length);
    const step = this.#move();
    if (step === "whole" && available >= size) {
      const event = this.#whole(memory, start + headBytes, length, available);
      queue.skip(size);
      return event;
    }
    if (step === "whole" || step === "first") this.#begin();
    queue.skip(headBytes);
    this.#inFrame = true;
    this.#left = length;
    this.#phase = 0;
    return undefined;
  }

  /** Reads a head and checks all of it that depends on no frame before. @returns its size; 0: it is not all here. */
  #readHead(memory: Buffer, start: number, available: number): number {
    const first = memory[start] as number;
    const second = memory[start + 1] as number;
    const opcode = first & 0x0f;
    const isControl = opcode >= CONTROL_MIN;
    const isFinal = (first & FIN) !== 0;
    if (opcode > PONG || (opcode > BINARY && opcode < CLOSE))
      throw refusal("ERR_WEBSOCKET_OPCODE", `opcode ${opcode}`);
    // RSV1 says of a message that it is compressed, with its first frame; of the others it says nothing.
    if ((first & this.#reserved) !== 0 || ((first & RSV1) !== 0 && (isControl || opcode === CONTINUATION)))
      throw refusal(
        "ERR_WEBSOCKET_RESERVED_BITS",
        `the reserved bits ${(first & RSV) >> 4} of opcode ${opcode}`,
      );
    const isMasked = (second & MASKED) !== 0;
    if (isMasked !== this.#masked)
      throw isMasked
        ? refusal("ERR_WEBSOCKET_MASK_UNEXPECTED", "a server's frame is masked")
        : refusal("ERR_WEBSOCKET_MASK_MISSING", "a client's frame is not masked");
    let length = second & ~MASKED;
    if (isControl) {
      if (!isFinal) throw refusal("ERR_WEBSOCKET_CONTROL_FRAGMENTED", `a fragment of opcode ${opcode}`);
      if (length > SHORT_LENGTH_MAX)
        throw refusal("ERR_WEBSOCKET_CONTROL_TOO_LONG", `a control frame over ${SHORT_LENGTH_MAX} bytes`);
    }
    let size = 2;
    if (length > SHORT_LENGTH_MAX) {
      const lengthBytes = length === LENGTH_IN_2 ? 2 : 8;
      size += lengthBytes;
      if (available < size) return 0;
      length =
        lengthBytes === 2
          ? memory.readUInt16BE(start + 2)
          : memory.readUInt32BE(start + 2) * 2 ** 32 + memory.readUInt32BE(start + 6);
      if (length < (lengthBytes === 2 ? LENGTH_IN_2 : 2 ** 16) || length >= 2 ** 63)
        throw refusal("ERR_WEBSOCKET_LENGTH", `the length ${length} in ${lengthBytes} bytes`);
    }
    this.#opcode = opcode;
    this.#length = length;
    if (isMasked) {
      size += 4;
      if (available < size) return 0;
      const at = start + size - 4;
      this.#key =
        ((memory[at] as number) << 24) |
        ((memory[at + 1] as number) << 16) |
        ((memory[at + 2] as number) << 8) |
        (memory[at + 3] as number);
    }
    this.#step = stepOf(opcode, isFinal);
    if (opcode === TEXT || opcode === BINARY) this.#compressed = (first & RSV1) !== 0;
    return size;
  }

  /** The peer takes the step that the head says. */
  #move(): Step {
    const step = this.#step;
    const next = afterStep(this.#side, step);
    if (next === undefined)
      throw refusal(
        "ERR_WEBSOCKET_FRAGMENTATION",
        this.#side === "open" ? "a continuation of no message" : "a message inside of another one",
      );
    this.#side = next;
    return step;
  }

  #checkSize(length: number): void {
    const { frameBytesMax, messageBytesMax } = this.#limits;
    if (length > frameBytesMax)
      throw refusal("ERR_WEBSOCKET_FRAME_TOO_LARGE", `a frame of ${length} bytes is over ${frameBytesMax}`);
    const before = this.#opcode === CONTINUATION ? this.#messageBytes : 0;
    if (before + length > messageBytesMax)
      throw refusal("ERR_WEBSOCKET_MESSAGE_TOO_LARGE", `a message is over ${messageBytesMax} bytes`);
  }

  /** A message in one frame that is all here. */
  #whole(memory: Buffer, start: number, length: number, available: number): WebSocketEvent {
    const end = start + length;
    if (this.#opcode === TEXT && !this.#compressed) {
      const all = this.#masked ? mask(memory, start, end, this.#key, 0) : 0x80;
      if (all < 0x80) return { type: "text", text: memory.toString("latin1", start, end) };
      return { type: "text", text: readText(memory.subarray(start, end)) };
    }
    const bytes = this.#payload(memory, start, length, available);
    if (this.#compressed) return { type: "compressed", isText: this.#opcode === TEXT, bytes };
    return { type: "binary", bytes };
  }

  /** A payload that is all here, unmasked. */
  #payload(memory: Buffer, start: number, length: number, available: number): Buffer {
    if (length === 0) return NOTHING;
    const end = start + length;
    if (this.#isLent || length * VIEW_PART_MIN < available)
      return maskedCopy(memory, start, end, this.#masked ? this.#key : 0);
    if (this.#masked) mask(memory, start, end, this.#key, 0);
    return memory.subarray(start, end);
  }

  #begin(): void {
    this.#messageOpcode = this.#opcode;
    this.#messageBytes = 0;
    this.#pieces = new ContentPieces();
    this.#utf8 = this.#opcode === TEXT && !this.#compressed ? new Utf8Checker() : undefined;
  }

  /** As much of a frame's payload as is here. */
  #readPayload(): WebSocketEvent | typeof NEED_DATA | undefined {
    if (this.#left > 0) {
      const queue = this.#queue;
      if (queue.length === 0) return this.#wait();
      const bytes = queue.take(this.#left);
      const { length } = bytes;
      if (this.#masked) {
        mask(bytes, 0, length, this.#key, this.#phase);
        this.#phase = (this.#phase + length) & 3;
      }
      if (this.#utf8?.push(bytes) === false) throw notUtf8("a text");
      (this.#pieces as ContentPieces).push(bytes, this.#isLent);
      this.#messageBytes += length;
      this.#left -= length;
      if (this.#left > 0) return this.#wait();
    }
    this.#inFrame = false;
    return this.#side === "open" ? this.#finish() : undefined;
  }

  /** The message is complete. */
  #finish(): TextMessage | BinaryMessage | CompressedMessage {
    const bytes = (this.#pieces as ContentPieces).whole();
    const utf8 = this.#utf8;
    this.#pieces = undefined;
    this.#utf8 = undefined;
    const isText = this.#messageOpcode === TEXT;
    if (utf8 !== undefined) {
      if (!utf8.isComplete) throw notUtf8("a text");
      return { type: "text", text: bytes.toString("utf8") };
    }
    return this.#compressed ? { type: "compressed", isText, bytes } : { type: "binary", bytes };
  }

  #control(bytes: Buffer): WebSocketEvent {
    if (this.#opcode === PING) return { type: "ping", bytes };
    if (this.#opcode === PONG) return { type: "pong", bytes };
    if (bytes.length === 0) return { type: "close", code: CLOSE_NONE, reason: "" };
    if (bytes.length === 1) throw refusal("ERR_WEBSOCKET_CLOSE_PAYLOAD", "a Close with half a code");
    const code = bytes.readUInt16BE(0);
    if (!isSendableCloseCode(code))
      throw refusal("ERR_WEBSOCKET_CLOSE_CODE", `a Close with the code ${code}`);
    return { type: "close", code, reason: readText(bytes.subarray(2)) };
  }

  /** What comes behind a Close is nothing. */
  #passOver(): ConnectionEnd | typeof NEED_DATA {
    this.#queue.skip(this.#queue.length);
    return this.#ended ? CLOSED : NEED_DATA;
  }

  #wait(): typeof NEED_DATA {
    if (this.#ended)
      throw refusal("ERR_WEBSOCKET_UNEXPECTED_END", "the peer ended the connection without a Close");
    return NEED_DATA;
  }
}

function stepOf(opcode: number, isFinal: boolean): Step {
  if (opcode === CLOSE) return "close";
  if (opcode > CLOSE) return "control";
  if (opcode === CONTINUATION) return isFinal ? "last" : "middle";
  return isFinal ? "whole" : "first";
}
