// Records the public API in api/public.txt, so that a change to it shows in the diff: for each entry point of
// package.json every exported name with its declaration, without comments, sorted; then the declarations that those
// name without exporting them. What an earlier entry point has by the same name, and what that names, is told by its name
// alone. Reads the .d.ts files of the last build. `--check` compares instead of writing.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { membersOf, nameOf, statementsOf, wordsOf } from "./api-declarations.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const record = join(root, "api/public.txt");

/** path of a .d.ts → { declarations: name → [{text, file}], imports: local name → [file, name], exports, stars } */
const modules = new Map();

function load(file) {
  const known = modules.get(file);
  if (known !== undefined) return known;
  const module = { declarations: new Map(), imports: new Map(), exports: new Map(), stars: [] };
  modules.set(file, module);
  for (const statement of statementsOf(readFileSync(file, "utf8"))) read(module, file, statement);
  return module;
}

function read(module, file, statement) {
  const from = statement.match(/ from "(\.[^"]+)"$/)?.[1];
  const source =
    from === undefined ? undefined : resolve(dirname(file), from.replace(/(\.d)?\.[jt]s$/, ".d.ts"));
  const names = statement.match(/^(?:import|export)(?: type)? \{(.*)\}/)?.[1];
  if (names !== undefined)
    for (const part of names
      .split(",")
      .map((text) => text.trim().replace(/^type /, ""))
      .filter(Boolean)) {
      const [name, local = name] = part.split(" as ");
      if (statement.startsWith("export")) module.exports.set(local, [source ?? file, name]);
      else if (source !== undefined) module.imports.set(local, [source, name]);
    }
  else if (statement.startsWith("export * from")) module.stars.push(source);
  else if (!/^(import|export) /.test(statement) || nameOf(statement) !== undefined) {
    const name = nameOf(statement);
    if (name === undefined) return;
    const text = statement.replace(/^export /, "").replace(/^declare /, "");
    module.declarations.set(name, [...(module.declarations.get(name) ?? []), text]);
    if (statement.startsWith("export ")) module.exports.set(name, [file, name]);
  }
}

/** Every name that a module exports, and where it is declared: name → [file, name there]. */
function exportsOf(file) {
  const module = load(file);
  const all = new Map(module.stars.flatMap((star) => [...exportsOf(star)]));
  for (const [name, place] of module.exports) all.set(name, place);
  return all;
}

/** Follows a name through imports and exports to its declaration: [file, name], or undefined for what is not ours. */
function declarationOf(file, name) {
  const module = load(file);
  if (module.declarations.has(name)) return [file, name];
  const next = module.imports.get(name) ?? exportsOf(file).get(name);
  return next === undefined || (next[0] === file && next[1] === name) ? undefined : declarationOf(...next);
}

/** The lines that describe one declaration, given the name it goes by. */
function describe(name, [file, original]) {
  const texts = load(file).declarations.get(original) ?? [];
  const alias = name === original ? "" : `${name} = `;
  return texts
    .map((text) => membersOf(text))
    .map(([head, ...members]) =>
      [`  ${alias}${head}`, ...members.toSorted(byName).map((member) => `    ${member}`)].join("\n"),
    );
}

// The first word that is not a modifier; Array.prototype.toSorted is stable, so overloads keep their order.
const key = (member) =>
  member.replace(/^((static|abstract|readonly|protected|get|set|async) )*/, "").match(/^[^(:?<]*/)[0];
const byName = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);

/** What earlier entry points have: "name place" → their title; and every place that was described. */
const told = new Map();
const described = new Set();

const LINE_CHARACTERS_MAX = 110;

/** Names in lines of a readable length. */
function wrapped(names) {
  const lines = [];
  for (const name of names) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + name.length + 1 <= LINE_CHARACTERS_MAX)
      lines.push(`${lines.pop()} ${name}`);
    else lines.push(`    ${name}`);
  }
  return lines;
}

/** All that one entry point offers. */
function describeEntry(title, entry) {
  const named = new Map();
  const same = new Map();
  for (const [name, place] of exportsOf(entry)) {
    const found = declarationOf(...place);
    if (found === undefined) throw new Error(`api: ${title} exports ${name}, declared nowhere in dist/`);
    const offer = `${name} ${found}`;
    const before = told.get(offer);
    if (before === undefined) {
      named.set(name, found);
      told.set(offer, title);
    } else same.set(before, [...(same.get(before) ?? []), name]);
  }
  const seen = new Set([...described, ...[...named.values()].map(String)]);
  const reached = [];
  const queue = [...named.values()];
  for (let place = queue.shift(); place !== undefined; place = queue.shift()) {
    const [file, name] = place;
    const texts = load(file).declarations.get(name);
    for (const word of texts.flatMap((text) => wordsOf(membersOf(text).join("\n")))) {
      const found = declarationOf(file, word);
      if (found === undefined || seen.has(String(found))) continue;
      seen.add(String(found));
      queue.push(found);
      reached.push(found);
    }
  }
  for (const place of [...named.values(), ...reached]) described.add(String(place));
  const sorted = (entries) => entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const lines = sorted([...named]).flatMap(([name, place]) => describe(name, place));
  const more = sorted(reached.map((place) => [`${place[1]} ${place[0]}`, place])).flatMap(([, place]) =>
    describe(place[1], place),
  );
  return [
    title,
    ...lines,
    ...[...same].flatMap(([before, names]) => [`  as in ${before}:`, ...wrapped(names.toSorted())]),
    ...(more.length > 0 ? [`${title}, named by the above and not exported`, ...more] : []),
    "",
  ].join("\n");
}

const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.entries(exports).filter(([, target]) => target.types !== undefined);
const text = entries
  .map(([path, target]) => describeEntry(`${name}${path.slice(1)}`, join(root, target.types)))
  .join("\n");

if (!process.argv.includes("--check")) {
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, text);
} else if (!existsSync(record) || readFileSync(record, "utf8") !== text) {
  const before = new Set(existsSync(record) ? readFileSync(record, "utf8").split("\n") : []);
  const after = new Set(text.split("\n"));
  for (const line of before) if (!after.has(line)) console.error(`-${line}`);
  for (const line of after) if (!before.has(line)) console.error(`+${line}`);
  console.error(
    `api: the public API differs from ${relative(root, record)}. Intended? npm run api, and commit it.`,
  );
  process.exitCode = 1;
}
