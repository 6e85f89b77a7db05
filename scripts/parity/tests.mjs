// Which test uses a name. A name of a module is used by a file that imports it from the package, or takes it from the
// package as a whole (`socket.AF_INET`); a member by a file that has `.member`. Constants that no other test needs are
// compared with the system's headers, by the names of names.txt.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Compares each constant of names.txt, by its name. */
const VALUES = "test/parity/values.test.ts";
const PACKAGE = /^(?:berkeley(?:\/\w+)?|#dist\/.*)$/;

/** What one file uses of the package: names, and members that it asks objects for. */
function read(text) {
  const names = new Set();
  const wholes = ["face"];
  for (const [, what, from] of text.matchAll(/^import (?:type )?(\{[^}]*\}|\* as \w+) from "([^"]+)";/gm)) {
    if (!PACKAGE.test(from)) continue;
    if (what.startsWith("*")) wholes.push(what.slice(5));
    else for (const part of what.slice(1, -1).split(",")) names.add(part.trim().split(" as ")[0]);
  }
  for (const [, , name] of text.matchAll(new RegExp(`\\b(${wholes.join("|")})\\.(\\w+)`, "g")))
    names.add(name);
  // The imports say nothing of members.
  const members = new Map();
  for (const [, member] of text.matchAll(/\.(\w+)\b/g)) members.set(member, (members.get(member) ?? 0) + 1);
  return {
    names,
    members,
    titles: [...text.matchAll(/\btest\w*\(\s*[`"'](.*)/g)].map(([, title]) => title).join("\n"),
  };
}

let index;

/** The test files of the project, read once. */
export function testIndex(root) {
  index ??= make(root);
  return index;
}

function make(root) {
  const files = readdirSync(join(root, "test"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
  const uses = new Map(files.map((file) => [file, read(readFileSync(join(root, file), "utf8"))]));
  const list = readFileSync(join(root, "scripts/parity/names.txt"), "utf8");

  const using = (file, place) => {
    const [type, member] = place.split(".");
    const use = uses.get(file);
    if (use === undefined) return false;
    if (member !== undefined) return use.members.has(member) && belongs(file, type);
    if (use.names.has(place)) return true;
    return (
      file === VALUES && /^[A-Z][A-Z\d]*_\w+$|^[A-Z]+$/.test(place) && new RegExp(`\\b${place}\\b`).test(list)
    );
  };
  /** A member's name may be that of anything: only files that deal with its class count. */
  const belongs = (file, type) => {
    const ofSelectors = file.startsWith("test/selectors/");
    return type === "Socket" ? !ofSelectors : ofSelectors;
  };
  /** How much a file tells of a name: a test's own name that begins with it, then one that has it. */
  const weight = (file, name) => {
    const { titles } = uses.get(file);
    return (
      (new RegExp(`^${name}\\(`, "m").test(titles) ? 2 : 0) +
      (new RegExp(`\\b${name}\\b`).test(titles) ? 1 : 0)
    );
  };

  return {
    /** The test that uses what is here at `place`; `before` if that still does. */
    testOf(place, before) {
      if (before !== undefined && using(before, place)) return before;
      const name = place.split(".").at(-1);
      const candidates = files.filter((file) => file !== VALUES && using(file, place));
      const best = candidates.toSorted((a, b) => weight(b, name) - weight(a, name))[0];
      return best ?? (using(VALUES, place) ? VALUES : undefined);
    },
  };
}
