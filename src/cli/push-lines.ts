// Lines from bytes as they come, for people to read: a character or a line may lie across many pieces. And the last of them,
// for who comes later. Pure; everything in it may be a stranger's.

/** One line, in UTF-16 units; the rest of a longer one is left out. As rsyslog and systemd-journald have their lines, about. */
const LINE_LENGTH_MAX = 16_384;
const CUT = " […]";
/** What all lines that are kept may have, in UTF-16 units, whatever their number. */
const KEPT_LENGTH_MAX = 262_144;

/** Cuts bytes into lines. */
export class LineCutter {
  #decoder = new TextDecoder();
  /** The line that has begun. */
  #line = "";
  #isDropped: boolean;

  /** @param dropsFirst  what comes first is the rest of a line. */
  constructor(dropsFirst: boolean = false) {
    this.#isDropped = dropsFirst;
  }

  /** Takes a piece. @returns the lines that end in it. */
  push(bytes: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** There is no more. @returns the line that had no end, if there is one. */
  end(): string[] {
    const lines = this.#take(this.#decoder.decode());
    if (this.#line !== "" && !this.#isDropped) lines.push(shown(this.#line));
    this.#line = "";
    this.#isDropped = false;
    return lines;
  }

  #take(text: string): string[] {
    const pieces = text.split("\n");
    const rest = pieces.pop() as string;
    const lines: string[] = [];
    for (const piece of pieces) {
      if (!this.#isDropped) lines.push(shown(this.#line + piece));
      this.#line = "";
      this.#isDropped = false;
    }
    // One unit more than is shown, by which it is seen that there was more.
    if (this.#line.length <= LINE_LENGTH_MAX) this.#line += rest.slice(0, LINE_LENGTH_MAX + 2);
    return lines;
  }
}

/** What is no text is seen as what it is, and moves no cursor and no colour anywhere. */
function shown(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const cut = text.length > LINE_LENGTH_MAX ? text.slice(0, LINE_LENGTH_MAX) + CUT : text;
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return cut.replaceAll(/[\0-\u0008\u000b-\u001f\u007f]/g, (character) =>
    String.fromCharCode(character === "\u007f" ? 0x2421 : 0x2400 + character.charCodeAt(0)),
  );
}

/** The last lines, each with its number. */
export class LastLines {
  readonly #linesMax: number;
  readonly #lines: string[] = [];
  #length = 0;
  #count = 0;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  /** Keeps lines, and forgets the oldest. @returns the number of the first of them, from 0. */
  add(lines: readonly string[]): number {
    const first = this.#count;
    for (const line of lines) {
      this.#lines.push(line);
      this.#length += line.length;
    }
    this.#count += lines.length;
    let gone = 0;
    while (this.#lines.length - gone > this.#linesMax || this.#length > KEPT_LENGTH_MAX)
      this.#length -= (this.#lines[gone++] as string).length;
    this.#lines.splice(0, gone);
    return first;
  }

  /** The number of the first one that is kept. */
  get first(): number {
    return this.#count - this.#lines.length;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
