// Lists of words with parameters, as fields of HTTP and of mail have them: `gzip;q=0.5, br`, `text/html; charset="a b"`.
// RFC 9110 sections 5.6.1 (lists), 5.6.4 (quoted strings), 5.6.6 (parameters). It knows no field and no meaning.

/** One element of a list. */
export interface ListElement {
  /** The word, in lower case; it may hold one slash, as media types and protocols do. */
  readonly name: string;
  /** Its parameters: names in lower case, values as they are, unquoted; "" for a parameter without a value. */
  readonly parameters: ReadonlyMap<string, string>;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

// Sticky, and each alternative begins with another character: no input makes them look twice at one place.
const BLANK = /[ \t]*/y;
const WORD = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?/y;
const NAME = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
// oxlint-disable-next-line no-control-regex
const QUOTED = /"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"/y;

class Reader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  /** Whether `character` comes next, blanks aside; it is taken. */
  takes(character: string): boolean {
    this.read(BLANK);
    if (this.text[this.at] !== character) return false;
    this.at++;
    this.read(BLANK);
    return true;
  }

  get ended(): boolean {
    return this.at === this.text.length;
  }
}

/** The value of one parameter, unquoted; undefined: there is none that could be one. */
function parameterValue(reader: Reader): string | undefined {
  const quoted = reader.read(QUOTED);
  return quoted === undefined ? reader.read(NAME) : quoted.slice(1, -1).replaceAll(/\\(.)/g, "$1");
}

function element(reader: Reader): ListElement | undefined {
  const name = reader.read(WORD)?.toLowerCase();
  if (name === undefined) return undefined;
  let parameters: Map<string, string> | undefined;
  while (reader.takes(";")) {
    const parameter = reader.read(NAME)?.toLowerCase();
    if (parameter === undefined) return undefined;
    let value: string | undefined = "";
    if (reader.text[reader.at] === "=") {
      reader.at++;
      value = parameterValue(reader);
    }
    parameters ??= new Map();
    // A parameter that comes twice has two readings.
    if (value === undefined || parameters.has(parameter)) return undefined;
    parameters.set(parameter, value);
  }
  return { name, parameters: parameters ?? NO_PARAMETERS };
}

/**
 * The elements of a list; undefined where the text is none, for then nothing of it can be relied on. Empty elements are
 * passed over, as RFC 9110 section 5.6.1.2 asks. Time and memory grow with the text, no faster.
 */
export function parseList(text: string): readonly ListElement[] | undefined {
  const reader = new Reader(text);
  const elements: ListElement[] = [];
  for (;;) {
    reader.read(BLANK);
    while (reader.takes(","));
    if (reader.ended) return elements;
    const found = element(reader);
    if (found === undefined) return undefined;
    elements.push(found);
    reader.read(BLANK);
    if (!reader.ended && !reader.takes(",")) return undefined;
  }
}

/** A single word with its parameters, as in Content-Type; undefined where the text is none. */
export function parseElement(text: string): ListElement | undefined {
  const elements = text.includes(",") && !text.includes('"') ? undefined : parseList(text);
  return elements?.length === 1 ? elements[0] : undefined;
}

/**
 * A text as a quoted string.
 *
 * @returns undefined where the text has what no quoted string can: a control but the tab, or more than U+00FF.
 */
export function quoteString(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex
  return /[^\t\x20-\x7e\x80-\xff]/.test(text) ? undefined : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}
