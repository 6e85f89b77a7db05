// Messages and control frames to bytes: RFC 6455 section 5, for both roles. What the peer would refuse is refused before a
// byte of it is written. It knows no socket: what was written waits until somebody takes it and sends it.

import { randomFillSync } from "node:crypto";
import { afterStep } from "./state.ts";
import type { SideState, Step } from "./state.ts";
import { mistake } from "./syntax/errors.ts";
import { FrameMemory, SHARED_BYTES_MAX } from "./syntax/frame-memory.ts";
import {
  BINARY,
  CLOSE,
  CLOSE_NONE,
  CONTINUATION,
  FIN,
  HEAD_BYTES_MAX,
  LENGTH_IN_2,
  LENGTH_IN_8,
  MASKED,
  PING,
  PONG,
  RSV1,
  SHORT_LENGTH_MAX,
  TEXT,
  isSendableCloseCode,
} from "./syntax/frames.ts";
import { CONTROL_BYTES_MAX, REASON_BYTES_MAX } from "./syntax/limits.ts";
import { mask } from "./syntax/masking.ts";

/** What a writer must know of its side. */
export interface WebSocketWriterOptions {
  /** Whose frames they are: a client's are masked, a server's are not. */
  readonly from: "client" | "server";
  /** permessage-deflate was agreed on, so that compressed() may be called. Default false. */
  readonly compression?: boolean | undefined;
  /** Gives the keys that a client's frames are masked with, each of 32 bits. Default: unpredictable ones, as RFC 6455 section 5.3 asks. */
  readonly maskKey?: (() => number) | undefined;
}

/** UTF-8 takes no more bytes for a UTF-16 unit. */
const UTF8_BYTES_MAX = 3;

/** Writes what one side of a WebSocket sends. */
export class WebSocketWriter {
  readonly #out: FrameMemory = new FrameMemory();
  readonly #maskBit: number;
  readonly #compression: boolean;
  readonly #maskKey: () => number;
  #side: SideState = "open";

  constructor({ from, compression = false, maskKey = randomKey }: WebSocketWriterOptions) {
    this.#maskBit = from === "client" ? MASKED : 0;
    this.#compression = compression;
    this.#maskKey = maskKey;
  }

  /** Where this side stands. */
  get side(): SideState {
    return this.#side;
  }

  /** How many bytes were written and not taken. */
  get length(): number {
    return this.#out.length;
  }

  /** What was written, where it lies. @internal */
  get out(): FrameMemory {
    return this.#out;
  }

  /** Removes and gives what was written, as one: leave it alone until it has been sent. */
  take(): Uint8Array {
    return this.#out.take();
  }

  /** Removes and gives what was written in pieces, without a copy of what binary() and prepared() were given. */
  takePieces(): Uint8Array[] {
    return this.#out.takePieces();
  }

  /**
   * Writes a message of text. Half a surrogate pair goes out as U+FFFD, as from the web's own WebSocket.
   *
   * @throws {LocalProtocolError} ERR_WEBSOCKET_CLOSED: behind close(). ERR_WEBSOCKET_SEQUENCE: inside a message that
   *   fragment() has begun. Nothing was written.
   */
  text(text: string): void {
    this.#move("whole");
    this.#text(FIN | TEXT, text);
  }

  /**
   * Writes a message of bytes. A server's are not copied where they are many: leave their memory alone until they are sent.
   *
   * @throws {LocalProtocolError} as text().
   */
  binary(bytes: Uint8Array): void {
    this.#move("whole");
    this.#bytes(FIN | BINARY, bytes);
  }

  /**
   * Writes a message that was compressed: raw deflate, ended by a flush, its last four bytes (00 00 ff ff) left out.
   *
   * @throws {LocalProtocolError} as text(); ERR_WEBSOCKET_COMPRESSION: it was not agreed on.
   */
  compressed(isText: boolean, bytes: Uint8Array): void {
    if (!this.#compression) throw mistake("ERR_WEBSOCKET_COMPRESSION", "compression was not agreed on");
    this.#move("whole");
    this.#bytes(FIN | RSV1 | (isText ? TEXT : BINARY), bytes);
  }

  /**
   * Writes a fragment of a message: one whose length is not known when it begins. The first one says by its kind what the
   * message is. Control frames may be written in between, other messages may not.
   *
   * @param data    text or bytes, as the first fragment; text does not end in half a surrogate pair unless it is the last.
   * @param isLast  the message ends with it.
   * @throws {LocalProtocolError} ERR_WEBSOCKET_CLOSED: behind close(). ERR_WEBSOCKET_UTF8: half a surrogate pair.
   */
  fragment(data: string | Uint8Array, isLast: boolean): void {
    const isFirst = this.#side !== "message";
    const isText = typeof data === "string";
    if (isText && !isLast && /[\ud800-\udbff]$/.test(data))
      throw mistake("ERR_WEBSOCKET_UTF8", "a fragment ends in half a surrogate pair");
    this.#move(isFirst ? (isLast ? "whole" : "first") : isLast ? "last" : "middle");
    const first = (isLast ? FIN : 0) | (isFirst ? (isText ? TEXT : BINARY) : CONTINUATION);
    if (isText) this.#text(first, data);
    else this.#bytes(first, data);
  }

  /**
   * Writes a ping, which the peer answers with the same bytes.
   *
   * @param bytes  125 at most. Default none.
   * @throws {LocalProtocolError} ERR_WEBSOCKET_CONTROL_TOO_LONG; ERR_WEBSOCKET_CLOSED: behind close().
   */
  ping(bytes: Uint8Array = NOTHING): void {
    this.#control(PING, bytes);
  }

  /**
   * Writes a pong.
   *
   * @param bytes  those of the ping.
   * @throws {LocalProtocolError} as ping().
   */
  pong(bytes: Uint8Array = NOTHING): void {
    this.#control(PONG, bytes);
  }

  /**
   * Writes a Close, behind which this side says nothing more. It may cut a message short.
   *
   * @param code    1000 to 1003, 1007 to 1014, 3000 to 4999; 1005: none is sent. Default 1000.
   * @param reason  123 bytes of UTF-8 at most; none without a code.
   * @throws {LocalProtocolError} ERR_WEBSOCKET_CLOSE_CODE; ERR_WEBSOCKET_CONTROL_TOO_LONG: the reason; ERR_WEBSOCKET_CLOSED:
   *   again.
   */
  close(code: number = 1000, reason: string = ""): void {
    if (code === CLOSE_NONE && reason === "") {
      this.#move("close");
      this.#bytes(FIN | CLOSE, NOTHING);
      return;
    }
    if (!isSendableCloseCode(code))
      throw mistake("ERR_WEBSOCKET_CLOSE_CODE", `${code} is no code of a Close`);
    const payload = Buffer.from(`\0\0${reason}`);
    if (payload.length > REASON_BYTES_MAX + 2)
      throw mistake("ERR_WEBSOCKET_CONTROL_TOO_LONG", `the reason is over ${REASON_BYTES_MAX} bytes`);
    payload.writeUInt16BE(code, 0);
    this.#move("close");
    this.#bytes(FIN | CLOSE, payload);
  }

  /**
   * Adds whole messages that another writer of the same side has written, without a copy: what many connections get is
   * written once.
   *
   * @throws {LocalProtocolError} as text().
   */
  prepared(frames: Uint8Array): void {
    this.#move("whole");
    this.#out.push(frames);
  }

  #control(opcode: number, bytes: Uint8Array): void {
    if (bytes.length > CONTROL_BYTES_MAX)
      throw mistake(
        "ERR_WEBSOCKET_CONTROL_TOO_LONG",
        `a control frame has ${CONTROL_BYTES_MAX} bytes at most`,
      );
    this.#move("control");
    this.#bytes(FIN | opcode, bytes);
  }

  #move(step: Step): void {
    const next = afterStep(this.#side, step);
    if (next === undefined)
      throw this.#side === "closed"
        ? mistake("ERR_WEBSOCKET_CLOSED", "this side has sent its Close")
        : mistake("ERR_WEBSOCKET_SEQUENCE", "a message that was begun with fragment() is not complete");
    this.#side = next;
  }

  #text(first: number, text: string): void {
    const most = text.length * UTF8_BYTES_MAX;
    if (most > SHORT_LENGTH_MAX) {
      this.#longText(first, text);
      return;
    }
    // However many bytes it takes, its head is the shortest one: it is written before they are counted.
    const out = this.#out;
    const head = this.#maskBit === 0 ? 2 : 6;
    const start = out.reserve(head + most);
    const { memory } = out;
    const length = text.length === 0 ? 0 : memory.write(text, start + head);
    out.giveBack(most - length);
    const at = this.#head(memory, start, first, length);
    if (this.#maskBit !== 0) this.#mask(memory, at, length);
  }

  #longText(first: number, text: string): void {
    const length = Buffer.byteLength(text);
    if (length + HEAD_BYTES_MAX > SHARED_BYTES_MAX) {
      const memory = Buffer.allocUnsafeSlow(HEAD_BYTES_MAX + length);
      const at = this.#head(memory, 0, first, length);
      memory.write(text, at);
      if (this.#maskBit !== 0) this.#mask(memory, at, length);
      this.#out.push(memory.subarray(0, at + length));
      return;
    }
    const out = this.#out;
    const start = out.reserve(headBytes(length, this.#maskBit) + length);
    const at = this.#head(out.memory, start, first, length);
    out.memory.write(text, at);
    if (this.#maskBit !== 0) this.#mask(out.memory, at, length);
  }

  #bytes(first: number, bytes: Uint8Array): void {
    const { length } = bytes;
    const out = this.#out;
    const head = headBytes(length, this.#maskBit);
    if (head + length <= SHARED_BYTES_MAX) {
      const start = out.reserve(head + length);
      const at = this.#head(out.memory, start, first, length);
      out.memory.set(bytes, at);
      if (this.#maskBit !== 0) this.#mask(out.memory, at, length);
    } else if (this.#maskBit === 0) {
      const start = out.reserve(head);
      this.#head(out.memory, start, first, length);
      out.push(bytes);
    } else {
      const memory = Buffer.allocUnsafeSlow(head + length);
      const at = this.#head(memory, 0, first, length);
      memory.set(bytes, at);
      this.#mask(memory, at, length);
      out.push(memory);
    }
  }

  /** Writes a head, with room for the key. @returns where the payload begins. */
  #head(memory: Buffer, start: number, first: number, length: number): number {
    memory[start] = first;
    let at = start + 2;
    if (length <= SHORT_LENGTH_MAX) memory[start + 1] = this.#maskBit | length;
    else if (length < 2 ** 16) {
      memory[start + 1] = this.#maskBit | LENGTH_IN_2;
      memory[start + 2] = length >>> 8;
      memory[start + 3] = length;
      at += 2;
    } else {
      memory[start + 1] = this.#maskBit | LENGTH_IN_8;
      memory.writeUInt32BE(Math.floor(length / 2 ** 32), start + 2);
      memory.writeUInt32BE(length >>> 0, start + 6);
      at += 8;
    }
    return this.#maskBit === 0 ? at : at + 4;
  }

  /** Masks a payload, whose key goes before it. */
  #mask(memory: Buffer, at: number, length: number): void {
    const key = this.#maskKey() | 0;
    memory.writeInt32BE(key, at - 4);
    mask(memory, at, at + length, key, 0);
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

function headBytes(length: number, maskBit: number): number {
  const plain = length <= SHORT_LENGTH_MAX ? 2 : length < 2 ** 16 ? 4 : 10;
  return maskBit === 0 ? plain : plain + 4;
}

/** Random bytes are asked for many at a time: a call for four of them costs as much as one for a thousand. */
const keys: Uint32Array = new Uint32Array(1024);
let keyAt: number = keys.length;

function randomKey(): number {
  if (keyAt === keys.length) {
    randomFillSync(keys);
    keyAt = 0;
  }
  return keys[keyAt++] as number;
}
