// The content of a message as a program reads it: piece by piece, or all of it up to a limit. A server's request and a
// client's response are both one. Where the pieces come from, they know.

import { ContentPieces } from "../wire/content-pieces.ts";
import { LocalProtocolError } from "../wire/errors.ts";
import type { BodyFraming } from "./events.ts";

/** A content that is pulled. */
export abstract class Content implements AsyncIterable<Buffer> {
  /** How the end of the content is told: its length, "chunked", or "untilClose". */
  abstract readonly body: BodyFraming;

  /** The next piece; undefined: the content is over. */
  abstract read(): Promise<Buffer | undefined>;

  /** How much bytes() and text() take unless they are told otherwise. @internal */
  protected get bytesMax(): number {
    return Infinity;
  }

  /** How long it is said to be; undefined: nobody has said. @internal */
  protected get announced(): number | undefined {
    return typeof this.body === "number" ? this.body : undefined;
  }

  /** Nobody reads any further. @internal */
  protected leave(): void {}

  /** All that is left, if it is here already; it is taken. @internal */
  protected takeReady(): Buffer | undefined {
    return undefined;
  }

  /** The content, piece by piece. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    try {
      for (;;) {
        const piece = await this.read();
        if (piece === undefined) return;
        yield piece;
      }
    } finally {
      this.leave();
    }
  }

  /**
   * The whole content, or what is left of it.
   *
   * @param bytesMax  more is refused, and the rest not read.
   * @throws {LocalProtocolError} ERR_HTTP_BODY_TOO_LARGE: more than bytesMax.
   */
  bytes(bytesMax: number = this.bytesMax): Promise<Buffer> {
    const ready = this.takeReady();
    if (ready === undefined) return this.#collect(bytesMax);
    return ready.length > bytesMax ? Promise.reject(tooLarge(bytesMax)) : Promise.resolve(ready);
  }

  /** The whole content as UTF-8; as bytes(). */
  text(bytesMax: number = this.bytesMax): Promise<string> {
    const ready = this.takeReady();
    if (ready === undefined) return this.#collect(bytesMax).then((bytes) => bytes.toString());
    return ready.length > bytesMax ? Promise.reject(tooLarge(bytesMax)) : Promise.resolve(ready.toString());
  }

  async #collect(bytesMax: number): Promise<Buffer> {
    const pieces = new ContentPieces();
    if ((this.announced ?? 0) > bytesMax) throw this.#refused(bytesMax);
    for (;;) {
      const piece = await this.read();
      if (piece === undefined) break;
      if (pieces.length + piece.length > bytesMax) throw this.#refused(bytesMax);
      pieces.push(piece);
    }
    return pieces.whole();
  }

  #refused(bytesMax: number): Error {
    this.leave();
    return tooLarge(bytesMax);
  }
}

function tooLarge(bytesMax: number): Error {
  return new LocalProtocolError("ERR_HTTP_BODY_TOO_LARGE", `the content is over ${bytesMax} bytes`);
}
