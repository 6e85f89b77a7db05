// Ends of line: what they become on the way in and on the way out, and where a line ends. As CPython's TextIOWrapper
// does it. Text in, text out; it keeps no lines.

import { EOL } from "node:os";
import type { Newline } from "./mode.ts";

/** What comes in, in pieces: a "\r" at the end of one may be half of "\r\n" and is kept back until that is known. */
export class NewlineReader {
  readonly #newline: Newline;
  #kept = false;

  constructor(newline: Newline) {
    this.#newline = newline;
  }

  /** The text of this piece, translated where it is to be. `last`: no more will come, nothing is kept back. */
  read(piece: string, last: boolean): string {
    if (this.#newline === "\n" || this.#newline === "\r") return piece;
    let text = this.#kept ? `\r${piece}` : piece;
    this.#kept = !last && text.endsWith("\r");
    if (this.#kept) text = text.slice(0, -1);
    return this.#newline === null && text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
  }
}

/** Behind the first end of line from `from` on; -1: none. The text is as NewlineReader gave it. */
export function lineEnd(text: string, from: number, newline: Newline): number {
  if (newline === "") {
    const found = /\r\n?|\n/g;
    found.lastIndex = from;
    return found.test(text) ? found.lastIndex : -1;
  }
  const end = newline ?? "\n";
  const at = text.indexOf(end, from);
  return at === -1 ? -1 : at + end.length;
}

/** What goes out: "\n" becomes the end of line that was chosen; with `null` the system's. */
export function writeNewlines(text: string, newline: Newline): string {
  const end = newline === null ? EOL : newline;
  return end === "" || end === "\n" ? text : text.replaceAll("\n", end);
}
