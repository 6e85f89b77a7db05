// Cuts the text of a .d.ts file, as tsc writes it, into statements and a class or interface into its members.
// Knows TypeScript's brackets, strings and comments, and nothing else of it.

const OPEN = "([{";
const CLOSE = ")]}";

/** The pieces of `text` between semicolons (and after closing braces of blocks) that stand outside all brackets. */
function pieces(text) {
  const found = [];
  let depth = 0;
  let piece = "";
  const end = () => {
    const clean = piece.replace(/\s+/g, " ").trim();
    if (clean !== "") found.push(clean);
    piece = "";
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (text.startsWith("/*", at)) {
      at = text.indexOf("*/", at) + 1;
    } else if (text.startsWith("//", at))
      at = ((text.indexOf("\n", at) + text.length + 1) % (text.length + 1)) - 1;
    else if (char === '"' || char === "'" || char === "`") {
      let close = at + 1;
      while (text[close] !== char) close += text[close] === "\\" ? 2 : 1;
      piece += text.slice(at, close + 1);
      at = close;
    } else {
      if (OPEN.includes(char)) depth++;
      if (CLOSE.includes(char)) depth--;
      if (char === ";" && depth === 0) end();
      else piece += char;
      // A class, interface or namespace has no semicolon after it.
      if (char === "}" && depth === 0 && isBlock(piece)) end();
    }
  }
  end();
  return found;
}

const isBlock = (piece) =>
  /^\s*(export )?(default )?(declare )?(abstract )?(class|interface|enum|namespace)\b/.test(piece);

/** The top-level statements of a .d.ts, each on one line, without comments. */
export const statementsOf = (text) => pieces(text);

/** The name that a statement declares; undefined when it declares none. */
export const nameOf = (statement) =>
  statement.match(
    /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:class|interface|enum|namespace|type|function|const|let|var) ([\w$]+)/,
  )?.[1];

/** A declaration's head and its public members; other declarations are a head alone. */
export function membersOf(declaration) {
  if (!isBlock(declaration)) return [declaration];
  const brace = declaration.indexOf(" {");
  const body = declaration.slice(brace + 2, declaration.lastIndexOf("}"));
  return [declaration.slice(0, brace), ...pieces(body).filter((member) => !/^(private\b|#)/.test(member))];
}

/** Words that may be names of types: those with a capital. */
export const wordsOf = (text) => [...new Set(text.match(/\b[A-Z]\w*/g) ?? [])];
