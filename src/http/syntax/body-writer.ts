// The content of one message after the other, framed: what both writers share. RFC 9112 sections 6 and 7.1. What was
// announced is what is sent, to the byte; whatever is not is refused before it is written. It knows no head.

import type { ByteBuilder } from "../../wire/byte-builder.ts";
import type { BodyFraming } from "../events.ts";
import { mistake } from "./errors.ts";
import { HttpFields } from "./fields.ts";
import type { FieldsInit } from "./fields.ts";
import { render } from "./rendering.ts";
import { checkOwnTrailers } from "./trailers.ts";

/** Where a writer is: between messages, in one, or behind the last one. */
type Place = "idle" | "body" | "over";

/** Writes content; heads are written by the classes above. */
export abstract class BodyWriter {
  /** @internal */
  protected readonly out: ByteBuilder;
  #place: Place = "idle";
  #framing: BodyFraming = 0;
  /** Bytes left of an announced length. */
  #left = 0;
  #livesOn = true;

  /** @internal */
  constructor(out: ByteBuilder) {
    this.out = out;
  }

  /** Whether another message may follow the one that was begun last. */
  get keepAlive(): boolean {
    return this.#livesOn;
  }

  /**
   * Writes a piece of the content. Bytes are not copied: leave them alone until they have been sent.
   *
   * @param data  bytes, or text, which is written as UTF-8. None of it, none is written.
   * @throws {LocalProtocolError} ERR_HTTP_BODY_TOO_LONG: more than was announced; ERR_HTTP_SEQUENCE: no head before it.
   *   Nothing of it was written.
   */
  data(data: Uint8Array | string): void {
    if (this.#place !== "body") throw mistake("ERR_HTTP_SEQUENCE", "content without a head");
    const size = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    if (size === 0) return;
    const { out } = this;
    if (this.#framing === "chunked") {
      out.latin1(`${size.toString(16)}\r\n`);
      this.#put(data);
      out.latin1("\r\n");
      return;
    }
    if (this.#framing !== "untilClose") this.#count(size);
    this.#put(data);
  }

  /**
   * Counts content that goes out by another way, behind what was written and before what is written next: sendfile(2).
   *
   * @returns whether the framing lets it; not in chunks.
   * @throws {LocalProtocolError} ERR_HTTP_BODY_TOO_LONG, ERR_HTTP_SEQUENCE: as data().
   */
  passBy(size: number): boolean {
    if (this.#place !== "body") throw mistake("ERR_HTTP_SEQUENCE", "content without a head");
    if (this.#framing === "chunked") return false;
    if (this.#framing !== "untilClose") this.#count(size);
    return true;
  }

  #count(size: number): void {
    if (size > this.#left)
      throw mistake("ERR_HTTP_BODY_TOO_LONG", `${size} bytes of content, where ${this.#left} were left`);
    this.#left -= size;
  }

  /**
   * Ends the message.
   *
   * @param trailers  fields behind the content, of a chunked one only.
   * @throws {LocalProtocolError} ERR_HTTP_BODY_TOO_SHORT: less than was announced; the message cannot be ended, and the
   *   connection must be closed. ERR_HTTP_TRAILERS: not chunked. ERR_HTTP_TRAILER_FIELD: a field that may be no trailer.
   *   ERR_HTTP_SEQUENCE: no head before it.
   */
  end(trailers?: FieldsInit): void {
    if (this.#place !== "body") throw mistake("ERR_HTTP_SEQUENCE", "the end of a message without a head");
    const fields = trailers === undefined ? HttpFields.EMPTY : HttpFields.from(trailers);
    if (this.#framing === "chunked") {
      checkOwnTrailers(fields);
      this.out.latin1(fields.length === 0 ? "0\r\n\r\n" : `0\r\n${render(fields).text}\r\n`);
    } else if (fields.length > 0) {
      throw mistake("ERR_HTTP_TRAILERS", "trailers need a chunked body");
    } else if (this.#framing !== "untilClose" && this.#left > 0) {
      throw mistake("ERR_HTTP_BODY_TOO_SHORT", `the content is ${this.#left} bytes short of its length`);
    }
    this.#place = this.#livesOn ? "idle" : "over";
  }

  /** Whether a head may be written now. @internal */
  protected checkIdle(what: string): void {
    if (this.#place === "idle") return;
    throw mistake(
      "ERR_HTTP_SEQUENCE",
      this.#place === "over"
        ? `${what} behind the last message`
        : `${what} before the last message has ended`,
    );
  }

  /** A head was written, and this content follows it. @internal */
  protected begin(framing: BodyFraming, keepAlive: boolean): void {
    this.#place = "body";
    this.#framing = framing;
    this.#left = typeof framing === "number" ? framing : 0;
    this.#livesOn = keepAlive && framing !== "untilClose";
  }

  #put(data: Uint8Array | string): void {
    if (typeof data === "string") this.out.utf8(data);
    else this.out.bytes(data);
  }
}

/** Holds a length to what can be one. */
export function checkFraming(framing: BodyFraming): void {
  if (typeof framing === "number" && !(Number.isSafeInteger(framing) && framing >= 0 && framing < 1e15))
    throw mistake("ERR_HTTP_FRAMING", `a length must be a whole number of at most 15 digits, not ${framing}`);
}
