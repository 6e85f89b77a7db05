// The fields of one message: an ordered list of names and values that never changes. Parsed ones are places in the bytes
// that arrived, and become text when somebody asks; made ones are checked once, and written as they are each time they
// are sent. It knows no field's meaning.

import { isFieldValue, isToken } from "../../wire/characters.ts";
import { mistake } from "./errors.ts";
import { LINE_WORDS, NAME_ID, NAME_START, VALUE_END, VALUE_START } from "./field-lines.ts";
import { UNKNOWN, idOfName, isName, nameOf } from "./names.ts";

/** What fields are made from: pairs (a Headers object, an array, other fields), or an object with a value or values by name. */
export type FieldsInit =
  | HttpFields
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[]>>;

/** Fields as they are sent, and what they say about the message: made by rendering.ts. @internal */
export interface Rendered {
  /** A CRLF behind each line. */
  text: string;
  /** Content-Length; undefined: not among them. */
  length: number | undefined;
  /** Values of all Host fields. */
  hosts: readonly string[];
  /** Options of Connection, in lower case. */
  connection: readonly string[];
  /** Upgrade is among them. */
  upgrade: boolean;
  /** Expect is 100-continue. */
  expectsContinue: boolean;
  /** Date is among them. */
  date: boolean;
}

const COLON = 0x3a;
const NO_BYTES: Buffer = Buffer.alloc(0);

/** Names and values in the order in which they were sent. Names are asked for in any case, and given in lower case. */
export class HttpFields implements Iterable<[string, string]> {
  /** No fields. */
  static readonly EMPTY: HttpFields = new HttpFields(NO_BYTES, 0, []);

  readonly #bytes: Buffer;
  readonly #base: number;
  readonly #table: readonly number[];
  /** As they are written; made when first asked for. */
  #text: string | undefined;
  /** @internal */
  rendered: Rendered | undefined = undefined;

  /** What the parser read: `table` as field-lines.ts fills it, its places counted from `base`. @internal */
  constructor(bytes: Buffer, base: number, table: readonly number[], text?: string) {
    this.#bytes = bytes;
    this.#base = base;
    this.#table = table;
    this.#text = text;
  }

  /**
   * Fields of one's own, checked once: a server that answers with the same ones each time makes them beforehand.
   *
   * @throws {LocalProtocolError} ERR_HTTP_FIELD_NAME: a name that is no token. ERR_HTTP_FIELD_VALUE: a control (CR and LF
   *   among them) or a character beyond U+00FF in a value.
   */
  static from(init: FieldsInit): HttpFields {
    if (init instanceof HttpFields) return init;
    let text = "";
    const table: number[] = [];
    for (const [name, value] of pairsOf(init)) {
      const start = text.length;
      const id = idOfField(name, value);
      text += `${name}: ${value}\r\n`;
      table.push(id, start, start + name.length + 2, text.length - 2);
    }
    return new HttpFields(Buffer.from(text, "latin1"), 0, table, text);
  }

  /** How many field lines there are. */
  get length(): number {
    return this.#table.length / LINE_WORDS;
  }

  /**
   * The value of a field; of one that comes more than once its values, joined with ", " (RFC 9110 section 5.3; use getAll
   * for Set-Cookie, which cannot be joined).
   *
   * @returns undefined: there is none.
   */
  get(name: string): string | undefined {
    let line = this.#find(name, 0);
    if (line < 0) return undefined;
    let value = this.#value(line);
    while ((line = this.#find(name, line + LINE_WORDS)) >= 0) value += `, ${this.#value(line)}`;
    return value;
  }

  /** The values of all lines of a field, in order. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let line = this.#find(name, 0); line >= 0; line = this.#find(name, line + LINE_WORDS))
      values.push(this.#value(line));
    return values;
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return this.#find(name, 0) >= 0;
  }

  /** Name (in lower case) and value of each line, in order. */
  *[Symbol.iterator](): Generator<[string, string], void, void> {
    for (let line = 0; line < this.#table.length; line += LINE_WORDS)
      yield [this.#name(line), this.#value(line)];
  }

  /** As they are written, a CRLF behind each; every character is one byte. */
  toString(): string {
    if (this.#text !== undefined) return this.#text;
    let text = "";
    for (let line = 0; line < this.#table.length; line += LINE_WORDS)
      text += `${this.#rawName(line)}: ${this.#value(line)}\r\n`;
    this.#text = text;
    return text;
  }

  /** The line of a field at or behind `from`; -1: none. */
  #find(name: string, from: number): number {
    const table = this.#table;
    const id = idOfName(name);
    const lower = id === UNKNOWN ? name.toLowerCase() : name;
    for (let line = from; line < table.length; line += LINE_WORDS) {
      if (table[line + NAME_ID] !== id) continue;
      if (id !== UNKNOWN) return line;
      const start = this.#base + (table[line + NAME_START] as number);
      if (
        isName(this.#bytes, start, start + name.length, lower) &&
        this.#bytes[start + name.length] === COLON
      )
        return line;
    }
    return -1;
  }

  #value(line: number): string {
    const base = this.#base;
    const start = base + (this.#table[line + VALUE_START] as number);
    return this.#bytes.toString("latin1", start, base + (this.#table[line + VALUE_END] as number));
  }

  #name(line: number): string {
    const id = this.#table[line + NAME_ID] as number;
    return id === UNKNOWN ? this.#rawName(line).toLowerCase() : nameOf(id);
  }

  #rawName(line: number): string {
    const start = this.#base + (this.#table[line + NAME_START] as number);
    return this.#bytes.toString("latin1", start, this.#bytes.indexOf(COLON, start));
  }
}

/** Names and values of what fields are made from, unchecked. */
function* pairsOf(init: FieldsInit): Generator<readonly [string, string], void, void> {
  if (Symbol.iterator in init) yield* init as Iterable<readonly [string, string]>;
  else
    for (const [name, values] of Object.entries(init)) {
      if (typeof values === "string") yield [name, values];
      else for (const value of values) yield [name, value];
    }
}

/**
 * The number of a field's name, when name and value may be written.
 *
 * @throws {LocalProtocolError} ERR_HTTP_FIELD_NAME, ERR_HTTP_FIELD_VALUE: as HttpFields.from.
 */
export function idOfField(name: string, value: string): number {
  const id = typeof name === "string" ? idOfName(name) : UNKNOWN;
  // A name of the table is a token.
  if (id === UNKNOWN && (typeof name !== "string" || !isToken(name)))
    throw mistake("ERR_HTTP_FIELD_NAME", `${JSON.stringify(name)} is no field name`);
  if (typeof value !== "string" || !isFieldValue(value))
    throw mistake(
      "ERR_HTTP_FIELD_VALUE",
      `the value of ${name} is no text, or has a control or a character beyond U+00FF`,
    );
  return id;
}
