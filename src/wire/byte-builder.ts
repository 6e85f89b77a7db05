// Bytes that are on their way out and not sent yet: the twin of ByteQueue. Writers add to it; a driver takes what is
// there and sends it in one call. It knows no protocol.
//
// Why text is kept as text. Heads of messages are made of strings. Joining strings costs next to nothing until they are
// written, and writing them once, all together, costs one call instead of one for each piece.

const NOTHING: Buffer = Buffer.alloc(0);

/** Collects text and bytes, and gives them as bytes, in order. */
export class ByteBuilder {
  /** What came before #text. */
  #pieces: Uint8Array[] = [];
  #piecesLength = 0;
  /** Characters up to U+00FF, each of them a byte. */
  #text = "";

  /** How many bytes are collected. */
  get length(): number {
    return this.#piecesLength + this.#text.length;
  }

  /** Adds text of which each character, U+00FF at most, is one byte. What is beyond is not checked: it loses its high bits. */
  latin1(text: string): void {
    this.#text += text;
  }

  /** Adds text as UTF-8. */
  utf8(text: string): void {
    // In ASCII both encodings are one.
    if (Buffer.byteLength(text) === text.length) this.#text += text;
    else this.bytes(Buffer.from(text));
  }

  /** Adds bytes, without a copy: leave their memory alone until what is taken has been sent. */
  bytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (this.#text !== "") this.#pack();
    this.#pieces.push(bytes);
    this.#piecesLength += bytes.length;
  }

  /** Removes all and gives it in one piece. It may be the very memory that bytes() was given. */
  take(): Buffer {
    if (this.#pieces.length === 0) {
      const text = this.#text;
      this.#text = "";
      return text === "" ? NOTHING : Buffer.from(text, "latin1");
    }
    const { length } = this;
    const pieces = this.takePieces();
    const [first] = pieces;
    if (pieces.length === 1 && Buffer.isBuffer(first)) return first;
    return Buffer.concat(pieces, length);
  }

  /** Moves all into a memory, from 0 on. @returns how many bytes; 0: nothing was moved: it is more, or not text alone. @internal */
  moveText(memory: Buffer): number {
    const text = this.#text;
    if (this.#pieces.length > 0 || text.length > memory.length) return 0;
    this.#text = "";
    return memory.write(text, 0, text.length, "latin1");
  }

  /** Removes all and gives it in pieces, without a copy of what bytes() was given. */
  takePieces(): Uint8Array[] {
    if (this.#text !== "") this.#pack();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesLength = 0;
    return pieces;
  }

  #pack(): void {
    const text = this.#text;
    this.#text = "";
    this.#pieces.push(Buffer.from(text, "latin1"));
    this.#piecesLength += text.length;
  }
}
